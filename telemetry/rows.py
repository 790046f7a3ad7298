"""What a poll brought, and the lines that COPY stores of it.

`Polled` and `Missed` come from the event loop; `gather` makes a batch of them. A line is CSV as
COPY_FORMAT says: what JSON writes of a list of numbers, texts and null is just that, and the JSON
encoder is the quickest writer there is.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import orjson

from devices.modbus.points import Scalar, Value
from telemetry.models import COLUMNS, UnitState
from telemetry.models.states import Entry
from telemetry.spool import Batch

COPY_FORMAT = r"(FORMAT csv, NULL 'null', ESCAPE '\')"
READING_COLUMNS = ("unit_id", "at", *COLUMNS, "others", "not_good")
_HAVE_A_COLUMN = frozenset(COLUMNS)


class Polled(NamedTuple):
    """One answered poll; `at` is when the reply was complete.

    `values` may hold a part of the unit's signals only; after a poll that was `whole` nothing is
    kept of signals that it did not bring.
    """

    unit_id: int
    at: datetime
    interval_s: float
    values: Mapping[str, Value]
    whole: bool = False


class Missed(NamedTuple):
    """One poll that brought nothing, and why: line_down, not_answered or broken_off."""

    unit_id: int
    at: datetime
    interval_s: float
    cause: str


def csv_line(cells: Sequence[object], *documents: Mapping[str, object] | None) -> bytes:
    """One line for COPY: plain cells, then those of jsonb columns. Floats come back as they are,
    texts may hold anything but NUL."""
    try:
        line = orjson.dumps(cells)[1:-1]
        if b"\\" in line:  # JSON writes control characters in its own way
            line = _written_out(cells)
    except TypeError:  # whole numbers beyond 64 bits, halves of characters
        line = _written_out(cells)
    return b",".join((line, *map(_json_cell, documents))) + b"\n"


def _json_cell(document: Mapping[str, object] | None) -> bytes:
    """A jsonb column's cell: the text of a document has no control characters, so that what JSON
    writes of it is a cell as it is."""
    if not document:
        return b"null" if document is None else b'"{}"'
    return orjson.dumps(_json_text(document))


def _written_out(cells: Sequence[object]) -> bytes:
    written = []
    for cell in cells:
        if isinstance(cell, datetime):
            cell = cell.isoformat()
        if isinstance(cell, str):
            escaped = cell.replace("\0", "").replace("\\", "\\\\").replace('"', '\\"')
            written.append(f'"{escaped}"')
        else:
            written.append(json.dumps(cell))
    return ",".join(written).encode("utf-8", "replace")


def _json_text(document: Mapping[str, object]) -> str:
    """JSON for a jsonb column, which holds no NUL."""
    try:
        text = orjson.dumps(document).decode()
    except TypeError:
        text = json.dumps(document)
    return text.replace("\\u0000", "")


def parted(row: Polled) -> tuple[dict[str, Scalar], dict[str, Value]]:
    """What a poll brought in two: the plainly good, and what has a reason or evidence to tell."""
    values = row.values
    good = {p: v.value for p, v in values.items() if v.quality == "good" and v.raw is None}
    if len(good) == len(values):
        return good, {}
    return good, {p: value for p, value in values.items() if p not in good}


def reading_line(row: Polled, good: Mapping[str, Scalar], rest: Mapping[str, Value]) -> bytes:
    """A row of the readings: good values in their columns, the others' reasons in `not_good`."""
    not_good = {p: (v.quality, v.raw) for p, v in rest.items() if v.quality != "good"}
    if len(not_good) < len(rest):
        good = {**good, **{p: v.value for p, v in rest.items() if v.quality == "good"}}
    others = {p: value for p, value in good.items() if p not in _HAVE_A_COLUMN}
    cells = (row.unit_id, row.at, *map(good.get, COLUMNS))
    return csv_line(cells, others or None, not_good or None)


class Newest(NamedTuple):
    """The newest answer of a unit: what was good in it, and the entries of all else."""

    at: datetime
    good: Mapping[str, Scalar]
    aside: Mapping[str, Entry]

    def last_good(self, signal: str) -> Entry:
        """`good` and `good_at` of a signal, as far as there was ever a good value."""
        if signal in self.good:
            return {"good": self.good[signal], "good_at": stamp(self.at)}
        entry = self.aside.get(signal, {})
        if entry.get("quality") == "good":
            return {"good": entry["value"], "good_at": entry["at"]}
        return {name: entry[name] for name in ("good", "good_at") if name in entry}


_NOTHING = Newest(datetime.min.replace(tzinfo=UTC), {}, {})


class LatestStates:
    """The newest answer per unit, with the last good one beside a newest that is not good."""

    def __init__(self) -> None:
        self._units: dict[int, Newest] = {}

    def load(self, state: UnitState) -> None:
        """Begin with what the database knows of a unit, unless something newer is here."""
        if state.answered_at is not None:
            known = Newest(state.answered_at, state.values, state.aside)
            self._units.setdefault(state.unit_id, known)

    def take(self, row: Polled, good: Mapping[str, Scalar], rest: Mapping[str, Value]) -> None:
        """The newest answer of a unit, parted."""
        before = self._units.get(row.unit_id, _NOTHING)
        if rest or before.aside or not before.good.keys() <= good.keys():
            kept = {} if row.whole else _not_asked(row, before)
            aside: Mapping[str, Entry] = {**kept, **_entries(stamp(row.at), rest, before)}
        else:
            aside = before.aside
        self._units[row.unit_id] = Newest(row.at, good, aside)

    def line(self, newest: Polled | Missed, answered: Polled | None) -> bytes:
        """The unit's line for MERGE_STATES: its newest poll, and its newest answer if any."""
        cause = newest.cause if isinstance(newest, Missed) else ""
        fault = answered.values.get("fault_active") if answered else None
        known = self._units[newest.unit_id] if answered else _NOTHING
        at = answered.at if answered else None
        cells = (newest.unit_id, at, newest.at, newest.interval_s, cause, fault and fault.value)
        return csv_line(cells, known.good, known.aside)


def _entries(at: str, rest: Mapping[str, Value], before: Newest) -> dict[str, Entry]:
    """Entries of what is not good now, or good only with its evidence."""
    entries: dict[str, Entry] = {}
    for signal, value in rest.items():
        entry = {"value": value.value, "quality": value.quality, "at": at} | _evidence(value)
        entries[signal] = entry if value.quality == "good" else entry | before.last_good(signal)
    return entries


def _evidence(value: Value) -> Entry:
    return {} if value.raw is None else {"raw": value.raw}


def _not_asked(row: Polled, before: Newest) -> dict[str, Entry]:
    """Entries of what earlier answers brought and this one did not ask."""
    at = stamp(before.at)
    good = {
        signal: {"value": value, "quality": "good", "at": at}
        for signal, value in before.good.items()
        if signal not in row.values
    }
    return good | {p: entry for p, entry in before.aside.items() if p not in row.values}


def stamp(at: datetime) -> str:
    """A moment as entries hold it."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds")


def hour_of(at: datetime) -> str:
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0).isoformat()


def gather(rows: Sequence[Polled | Missed], latest: LatestStates) -> Batch:
    """Rows in the order of their polls as one batch."""
    batch = Batch(uuid.uuid4())
    newest: dict[int, Polled | Missed] = {}
    answered: dict[int, Polled] = {}
    misses: dict[tuple[int, str, str], int] = {}
    for row in rows:
        newest[row.unit_id] = row
        if isinstance(row, Polled):
            good, rest = parted(row)
            batch.readings.append(reading_line(row, good, rest))
            latest.take(row, good, rest)
            answered[row.unit_id] = row
        else:
            key = (row.unit_id, hour_of(row.at), row.cause)
            misses[key] = misses.get(key, 0) + 1
    batch.states = [latest.line(row, answered.get(unit)) for unit, row in newest.items()]
    batch.misses = [(unit, hour, cause, n) for (unit, hour, cause), n in misses.items()]
    batch.hours = _hours(rows)
    return batch


def _hours(rows: Sequence[Polled | Missed]) -> list[str]:
    """The hours that the rows touch; neighbours are mostly of the same."""
    found: set[str] = set()
    begin = end = datetime.max.replace(tzinfo=UTC)
    for row in rows:
        if not begin <= row.at < end:
            begin = row.at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
            end = begin + timedelta(hours=1)
            found.add(begin.isoformat())
    return sorted(found)
