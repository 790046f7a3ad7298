"""A database of its own for a bench, so that nothing of a running platform is touched."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def database(directory: Path) -> Iterator[None]:
    """A private PostgreSQL with fsync on, migrated, for the time of the bench."""
    from heating_platform.embedded import Servers

    servers = Servers(directory / "var")
    servers.start()
    os.environ |= {
        "DATABASE_URL": servers.postgres.url,
        "BROKER_URL": servers.valkey.url,
        "DJANGO_SETTINGS_MODULE": "heating_platform.settings",
        "DEBUG": "1",
    }
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    try:
        yield
    finally:
        from django.db import connection

        connection.close()
        servers.stop()
