import gc
from collections.abc import Iterator
from random import randrange

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.db import connection
from django.test import override_settings
from hypothesis import settings
from pytest_django.plugin import DjangoDbBlocker

from tests import template
from tests.cast import Cast
from tests.kept import cast_again


def pytest_configure(config: pytest.Config) -> None:
    """The same examples in every short run, so that only a change makes a test fail; `--long`
    goes on looking for new ones. No example has a deadline: how long things take, `bench` says."""
    settings.register_profile("new examples", deadline=None)
    settings.register_profile(
        "same examples", settings.get_profile("new examples"), derandomize=True, database=None
    )
    is_short = config.getoption("markexpr") == "not long"
    settings.load_profile("same examples" if is_short else "new examples")


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    django_test_environment: None,
    django_db_blocker: DjangoDbBlocker,
    django_db_keepdb: bool,
    django_db_modify_db_settings_parallel_suffix: None,
) -> Iterator[None]:
    """Processes side by side migrate one database and copy it."""
    if django_db_keepdb or not hasattr(request.config, "workerinput"):
        yield
        return
    with template.shared(tmp_path_factory.getbasetemp().parent, django_db_blocker):
        yield


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Keys begin high, and elsewhere in every session and table: a test that rests on small ones,
    or on two tables having the same, fails here and not on a machine that ran others before."""
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT format('%I.%I', schemaname, sequencename) FROM pg_sequences"
            " WHERE schemaname = current_schema()"
        )
        for (name,) in cursor.fetchall():
            cursor.execute(f"ALTER SEQUENCE {name} RESTART WITH {randrange(100_000, 2_000_000)}")
    with pytest.MonkeyPatch.context() as patch:
        # Of the class: a browser's test has a connection of its own.
        patch.setattr(type(connection.ops), "sql_flush", _emptying)
        yield


def _emptying(_ops: object, _style: object, tables: list[str], **_how: bool) -> list[str]:
    """What empties the tables after a test that commits: only those with rows, row by row. TRUNCATE
    of all, a new file for each table and index, took half a second and more of every such test."""
    kept = {"django_content_type", "auth_permission"}  # the same for every test
    filled = [
        f"SELECT '{table}' WHERE EXISTS (SELECT FROM \"{table}\")"
        for table in sorted({*tables} - kept)
    ]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(filled))
        found = [table for (table,) in cursor.fetchall()]
    # As a replica: no order among the tables, no triggers that keep or write history.
    return [
        "SET LOCAL session_replication_role = replica",
        *(f'DELETE FROM "{table}"' for table in found),
    ]


@pytest.fixture
def cast(db: None) -> Cast:
    """Everybody and everything of tests/cast.py, in the database."""
    return cast_again()


@pytest.fixture(autouse=True, scope="session")
def uploads(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The vault's files of a test lie aside from those of a platform."""
    with override_settings(MEDIA_ROOT=tmp_path_factory.mktemp("uploads")):
        yield


@pytest.fixture(autouse=True, scope="session")
def quick_passwords() -> Iterator[None]:
    """The same hashing, with fewer rounds: a million took a quarter of a second each time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PBKDF2PasswordHasher, "iterations", 1000)
        yield


LONGEST_FIRST = (
    "test_platform.py",
    "test_rights.py",
    "test_clean.py",
    "test_docking_path.py",
    "test_lists_and_slips.py",
    "test_demonstration.py",
    "test_outages.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Some processes share the files: none shall begin a long one when the others are done."""
    begun = {name: place for place, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: begun.get(item.path.name, len(begun)))


def pytest_collection_finish() -> None:
    """What is there now stays to the end: the collector of garbage need not go through it, and
    not after every 700 objects of a page."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000)
