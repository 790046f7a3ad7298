"""One migrated database for the processes of a run: each copies it in a fifth of a second.

Migrating takes ten seconds of a processor, and every process would spend them at the same time.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from django.db import connection
from pytest_django.plugin import DjangoDbBlocker


@contextmanager
def shared(folder: Path, blocker: DjangoDbBlocker) -> Iterator[None]:
    """Meanwhile the test database of this process is made as a copy. The processes meet in
    `folder`: who comes first migrates while the others wait, the last one clears away."""
    with (folder / "turn.lock").open("a") as turn, (folder / "use.lock").open("a") as use:
        fcntl.flock(turn, fcntl.LOCK_EX)
        if _alone(use):
            with blocker.unblock():
                _make()
        fcntl.flock(use, fcntl.LOCK_SH)
        fcntl.flock(turn, fcntl.LOCK_UN)
        connection.settings_dict["TEST"]["TEMPLATE"] = _name()
        yield
        fcntl.flock(turn, fcntl.LOCK_EX)
        if _alone(use):
            with blocker.unblock(), connection._nodb_cursor() as cursor:
                cursor.execute(f'DROP DATABASE IF EXISTS "{_name()}"')


def _alone(use: IO[str]) -> bool:
    """Whether no other process uses the migrated database; then none can, until we let go."""
    try:
        fcntl.flock(use, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _name() -> str:
    """pytest-django tells the processes' own databases apart by _gw0, _gw1 …"""
    own: str = connection.settings_dict["TEST"]["NAME"]
    return f"{own.rpartition('_gw')[0]}_template"


def _make() -> None:
    told, test = connection.settings_dict, connection.settings_dict["TEST"]
    before, own = told["NAME"], test["NAME"]
    test["NAME"] = _name()
    try:
        connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    finally:
        connection.close()
        told["NAME"], test["NAME"] = before, own
