import pytest

from tests.cast import Cast, gather


@pytest.fixture
def cast(db: None) -> Cast:
    """Everybody and everything of tests/cast.py, in the database."""
    return gather()
