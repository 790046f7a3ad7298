"""How far a long piece of work is, told while its own transaction is still open."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

from django.db import connection

from households import clock
from households.models.transfers import Transfer

EVERY_S = 1.0


class Progress:
    """Called as `progress(done, total)`; the numbers reach the row within a second."""

    def __init__(self, row: Transfer) -> None:
        self.row = row
        self.done, self.total = 0, 0
        self.over = Event()

    def __call__(self, done: int, total: int = 0) -> None:
        self.done, self.total = done, total or self.total

    def run(self) -> None:
        """Until it is over. In a thread of its own, because threads have connections of their own:
        what the work's transaction writes, nobody else sees before it ends."""
        try:
            while not self.over.wait(EVERY_S):
                rows = type(self.row)._default_manager.filter(pk=self.row.pk)
                rows.update(done=self.done, total=self.total, seen_at=clock.now())
        finally:
            connection.close()


@contextmanager
def telling(row: Transfer) -> Iterator[Progress]:
    """Tell of the work in the block once a second: a worker that falls silent was killed."""
    progress = Progress(row)
    thread = Thread(target=progress.run, name=f"progress of {row.pk}", daemon=True)
    thread.start()
    try:
        yield progress
    finally:
        progress.over.set()
        thread.join()
