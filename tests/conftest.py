from collections.abc import Iterator

import pytest
from django.test import override_settings
from hypothesis import settings

from tests.cast import Cast, gather


def pytest_configure(config: pytest.Config) -> None:
    """The same examples in every short run, so that only a change makes a test fail; `--long`
    goes on looking for new ones."""
    settings.register_profile("same examples", derandomize=True, database=None)
    if config.getoption("markexpr") == "not long":
        settings.load_profile("same examples")


@pytest.fixture
def cast(db: None) -> Cast:
    """Everybody and everything of tests/cast.py, in the database."""
    return gather()


@pytest.fixture(autouse=True, scope="session")
def uploads(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The vault's files of a test lie aside from those of a platform."""
    with override_settings(MEDIA_ROOT=tmp_path_factory.mktemp("uploads")):
        yield


LONGEST_FIRST = ("test_platform.py", "test_clean.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Two processes share the files: neither shall begin the longest when the other is done."""
    items.sort(key=lambda item: item.path.name not in LONGEST_FIRST)
