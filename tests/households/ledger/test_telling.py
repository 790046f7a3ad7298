"""How far a worker is, seen by others while its own transaction is still open."""

from __future__ import annotations

from threading import Event, Thread

import pytest
from django.db import connection, transaction

from households.ledger import telling
from households.models import WorkbookImport
from tests.cast import Cast


@pytest.mark.django_db(transaction=True)
def test_progress_is_seen_before_the_works_transaction_ends(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling, "EVERY_S", 0.02)
    row = WorkbookImport.objects.create(by=cast.clerk, filename="台账.xlsx", size=1, file="x")
    seen = Event()

    def watch() -> None:
        while not WorkbookImport.objects.filter(pk=row.pk, done=40, seen_at__isnull=False).exists():
            if seen.wait(0.02):
                break
        seen.set()
        connection.close()

    watcher = Thread(target=watch)
    with transaction.atomic(), telling.telling(row) as progress:
        WorkbookImport.objects.exists()  # the work's own connection is within its transaction
        progress(40, 100)
        watcher.start()
        assert seen.wait(30)
    watcher.join()


def test_whatever_the_work_does_the_thread_ends(cast: Cast) -> None:
    row = WorkbookImport.objects.create(by=cast.clerk, filename="台账.xlsx", size=1, file="x")
    with pytest.raises(RuntimeError), telling.telling(row) as progress:
        raise RuntimeError
    assert progress.over.is_set()
