"""The writer of a line worker: a thread with its own connection that stores what was polled.

The event loop hands over `Polled` and `Missed` and never waits; the writer gathers them into
batches, keeps each in the spool, and stores it in one transaction (batch id, COPY of the readings,
latest states where newer, missed polls). While the database is away batches stay in the spool.
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import psycopg2
from django.conf import settings
from django.db import close_old_connections, connection
from psycopg2.errors import CheckViolation
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import execute_batch

from households import clock
from telemetry import partitions
from telemetry.rows import COPY_FORMAT, READING_COLUMNS, LatestStates, Missed, Polled, gather
from telemetry.spool import Batch, Spool

log = logging.getLogger(__name__)

GATHER_S = 0.5
ENOUGH_ROWS = 2_500  # no longer wait then: what lies for long has left the processor's cache
MOST_ROWS = 20_000
QUEUE_LIMIT = 200_000
COPY_CHUNK = 1 << 18
COPY_READINGS = f"COPY telemetry_reading ({', '.join(READING_COLUMNS)}) FROM STDIN {COPY_FORMAT}"
MAKE_STATES = """
CREATE TEMPORARY TABLE IF NOT EXISTS incoming (
    unit_id bigint, answered_at timestamptz, polled_at timestamptz, interval_s double precision,
    missed_cause text, fault_active boolean, "values" jsonb, aside jsonb) ON COMMIT DELETE ROWS
"""
COPY_STATES = f"COPY incoming FROM STDIN {COPY_FORMAT}"
# A silent poll keeps the last values and the last answer; an older batch changes nothing.
MERGE_STATES = """
INSERT INTO telemetry_unitstate AS s
    (unit_id, answered_at, polled_at, interval_s, missed_cause, fault_active, "values", aside)
SELECT i.* FROM incoming i JOIN devices_unit u ON u.id = i.unit_id
ON CONFLICT (unit_id) DO UPDATE SET
    answered_at = coalesce(excluded.answered_at, s.answered_at), polled_at = excluded.polled_at,
    interval_s = excluded.interval_s, missed_cause = excluded.missed_cause,
    fault_active = CASE WHEN excluded.answered_at IS NULL THEN s.fault_active
                        ELSE excluded.fault_active END,
    "values" = CASE WHEN excluded.answered_at IS NULL THEN s."values" ELSE excluded."values" END,
    aside = CASE WHEN excluded.answered_at IS NULL THEN s.aside ELSE excluded.aside END
WHERE excluded.polled_at > s.polled_at
"""
ADD_MISSES = """
INSERT INTO telemetry_missedpolls AS m (unit_id, hour, cause, count) VALUES (%s, %s, %s, %s)
ON CONFLICT (unit_id, hour, cause) DO UPDATE SET count = m.count + excluded.count
"""
NEW_BATCH = """
INSERT INTO telemetry_batch (id, stored_at, rows, hours, summed) VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (id) DO NOTHING
"""


def connect() -> Connection:
    """A connection of its own to Django's database."""
    parameters = connection.get_connection_params()
    return psycopg2.connect(**{k: v for k, v in parameters.items() if k != "cursor_factory"})


class Store:
    """A connection to the database that stores batches; makes itself anew after a failure."""

    def __init__(self, connect: Callable[[], Connection], rejects: Path) -> None:
        self._connect = connect
        self._connection: Connection | None = None
        self._rejects = rejects
        self.rejected = 0

    def store(self, batch: Batch) -> None:
        """Store the batch, once; what its data makes impossible goes to the rejects file.

        Raises psycopg2.OperationalError or InterfaceError where the database is away: the caller
        keeps the batch then.
        """
        try:
            self._transaction(batch)
        except (psycopg2.DataError, psycopg2.IntegrityError) as error:
            if _lacks_partition(error) and _made_partitions(batch):
                self.store(batch)
            elif len(batch) > 1:
                for half in batch.halves():
                    self.store(half)
            else:
                self._reject(batch, error)

    def close(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(psycopg2.Error):
                self._connection.close()
            self._connection = None

    def _transaction(self, batch: Batch) -> None:
        if self._connection is None:
            self._connection = self._connected()
        try:
            with self._connection, self._connection.cursor() as cursor:
                cursor.execute("SET LOCAL statement_timeout = '30s'")
                _write(cursor, batch)
        except (psycopg2.OperationalError, psycopg2.InterfaceError):
            self.close()
            raise

    def _connected(self) -> Connection:
        made = self._connect()
        with made, made.cursor() as cursor:
            cursor.execute(MAKE_STATES)
        return made

    def _reject(self, batch: Batch, error: psycopg2.Error) -> None:
        self.rejected += 1
        self._rejects.parent.mkdir(parents=True, exist_ok=True)
        with self._rejects.open("a") as file:
            file.write(json.dumps({"error": str(error), "row": batch.to_bytes().decode()}) + "\n")
        log.error("one row cannot be stored and went to %s: %s", self._rejects.name, error)


def _write(cursor: Cursor, batch: Batch) -> None:
    now = clock.now()
    new = (str(batch.id), now, len(batch.readings), json.dumps(batch.hours), False)
    cursor.execute(NEW_BATCH, new)
    if not cursor.rowcount:
        return  # committed before a crash hid it from us
    copy(cursor, COPY_READINGS, batch.readings)
    copy(cursor, COPY_STATES, batch.states)
    cursor.execute(MERGE_STATES)
    if batch.misses:
        execute_batch(cursor, ADD_MISSES, batch.misses, page_size=500)


def copy(cursor: Cursor, statement: str, lines: Sequence[bytes]) -> None:
    cursor.copy_expert(statement, io.BytesIO(b"".join(lines)), COPY_CHUNK)


def _lacks_partition(error: psycopg2.Error) -> bool:
    return isinstance(error, CheckViolation) and "no partition of relation" in str(error)


def _made_partitions(batch: Batch) -> bool:
    """Whether a missing day of the batch could be made; a clock gone wild gets none."""
    days = {datetime.fromisoformat(hour).astimezone(clock.SHANGHAI).date() for hour in batch.hours}
    near = timedelta(days=settings.RAW_READINGS_DAYS)
    days = {day for day in days if abs(day - clock.today()) <= near}
    close_old_connections()
    return any([partitions.ensure(day, day) for day in sorted(days)])


class Writer(threading.Thread):
    """Gathers what the loop hands over and stores it; `put` never blocks and never raises."""

    def __init__(self, store: Store, spool: Spool, latest: LatestStates) -> None:
        super().__init__(name="writer", daemon=True)
        self._store = store
        self._spool = spool
        self._latest = latest
        self._queue: queue.SimpleQueue[Polled | Missed] = queue.SimpleQueue()
        self._ending = threading.Event()
        self.overflowed = 0
        self.stored_rows = 0
        self.database_away = False

    def put(self, row: Polled | Missed) -> None:
        """Hand over a row; a full queue counts it as overflowed and goes on."""
        if self._queue.qsize() >= QUEUE_LIMIT:
            self.overflowed += 1
        else:
            self._queue.put(row)

    def end(self) -> None:
        """Store or spool what is there and stop; waits at most 10 s."""
        self._ending.set()
        self.join(10)

    def figures(self) -> dict[str, float]:
        return {
            "queue": self._queue.qsize(),
            "spooled_batches": len(self._spool),
            "oldest_unsent_s": round(self._spool.age_of_oldest(time.time()), 1),
            "dropped_batches": self._spool.dropped,
            "rejected_rows": self._store.rejected,
            "overflowed_rows": self.overflowed,
            "stored_rows": self.stored_rows,
        }

    def run(self) -> None:
        self._drain()
        while not (self._ending.is_set() and self._queue.empty()):
            rows = self._gathered()
            if rows:
                self._keep(gather(rows, self._latest))
            self._drain()
        self._store.close()
        connection.close()

    def _gathered(self) -> list[Polled | Missed]:
        """What comes within GATHER_S after the first row, or until ENOUGH_ROWS are there;
        MOST_ROWS at most.

        Nobody is woken row by row: that would cost the loop more than the rows themselves.
        """
        try:
            rows = [self._queue.get(timeout=GATHER_S)]
        except queue.Empty:
            return []
        until = time.monotonic() + GATHER_S
        while self._queue.qsize() < ENOUGH_ROWS and time.monotonic() < until:
            if self._ending.wait(0.05):
                break
        count = min(self._queue.qsize(), MOST_ROWS - 1)
        rows += [self._queue.get_nowait() for _ in range(count)]
        return rows

    def _keep(self, batch: Batch) -> None:
        """Into the spool; a full disk still lets the batch reach the database."""
        try:
            self._spool.put(batch)
        except OSError as error:
            log.error("the spool cannot be written (%s): storing without it", error)
            self._without_spool(batch)

    def _without_spool(self, batch: Batch) -> None:
        try:
            self._store.store(batch)
            self.stored_rows += len(batch.readings)
        except (psycopg2.OperationalError, psycopg2.InterfaceError):
            self.overflowed += len(batch)

    def _drain(self) -> None:
        """Store what is spooled, oldest first, until nothing is left or the database is away."""
        for name in self._spool.names():
            try:
                self._store_one(name)
            except (psycopg2.OperationalError, psycopg2.InterfaceError) as error:
                if not self.database_away:
                    log.warning("the database is away, batches are kept: %s", error)
                self.database_away = True
                return
            if self._queue.qsize() > MOST_ROWS:
                return  # what comes in must be safe before old batches go out
        self.database_away = False

    def _store_one(self, name: str) -> None:
        try:
            batch = self._spool.get(name)
        except (ValueError, OSError) as error:
            log.error("batch %s cannot be read: %s", name, error)
        else:
            self._store.store(batch)
            self.stored_rows += len(batch.readings)
        self._spool.remove(name)
