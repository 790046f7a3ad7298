"""What a poll brought, and the lines that COPY stores of it.

`Polled` and `Missed` come from the event loop; `gather` makes a batch of them.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from devices.modbus.points import Scalar, Value
from telemetry.models import COLUMNS, UnitState
from telemetry.models.states import Entry
from telemetry.spool import Batch

READING_COLUMNS = ("unit_id", "at", *COLUMNS, "others", "not_good")
_HAVE_A_COLUMN = frozenset(COLUMNS)


@dataclass(frozen=True, slots=True)
class Polled:
    """One answered poll; `at` is when the reply was complete.

    `values` may hold a part of the unit's signals only; after a poll that was `whole` nothing is
    kept of signals that it did not bring.
    """

    unit_id: int
    at: datetime
    interval_s: float
    values: Mapping[str, Value]
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Missed:
    """One poll that brought nothing, and why: line_down, not_answered or broken_off."""

    unit_id: int
    at: datetime
    interval_s: float
    cause: str


def escape(text: str) -> str:
    """Text as COPY's text format wants it."""
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def cell(value: object) -> str:
    """One value as COPY's text format wants it."""
    if value is None:
        return "\\N"
    if value is True:
        return "t"
    if value is False:
        return "f"
    if isinstance(value, float | int):
        return repr(value)
    if isinstance(value, str):
        return escape(value.replace("\0", ""))  # PostgreSQL's text and jsonb hold no NUL
    return escape(json.dumps(value).replace("\\u0000", ""))


def reading_line(row: Polled) -> str:
    """A row of the readings: good values in their columns, the others' reasons in `not_good`."""
    values = row.values
    not_good = {p: [v.quality, v.raw] for p, v in values.items() if v.quality != "good"}
    good = {p: v.value for p, v in values.items() if v.quality == "good"}
    others = {p: value for p, value in good.items() if p not in _HAVE_A_COLUMN}
    cells = [str(row.unit_id), row.at.isoformat()]
    cells += [cell(good.get(name)) for name in COLUMNS]
    cells += [cell(others or None), cell(not_good or None)]
    return "\t".join(cells) + "\n"


@dataclass(frozen=True, slots=True)
class Newest:
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

    def take(self, row: Polled) -> None:
        before = self._units.get(row.unit_id, _NOTHING)
        good = {p: v.value for p, v in row.values.items() if v.quality == "good" and v.raw is None}
        if len(good) == len(row.values) and before.good.keys() == good.keys() and not before.aside:
            aside = before.aside
        else:
            aside = {**({} if row.whole else _not_asked(row, before)), **_not_good(row, before)}
        self._units[row.unit_id] = Newest(row.at, good, aside)

    def line(self, newest: Polled | Missed, answered: Polled | None) -> str:
        """The unit's line for MERGE_STATES: its newest poll, and its newest answer if any."""
        cause = newest.cause if isinstance(newest, Missed) else ""
        cells = [str(newest.unit_id), cell(answered and answered.at.isoformat())]
        cells += [newest.at.isoformat(), repr(newest.interval_s), cause]
        fault = answered and answered.values.get("fault_active")
        cells += [cell(fault.value if fault else None)]
        known = self._units[newest.unit_id] if answered else _NOTHING
        cells += [cell(known.good), cell(known.aside)]
        return "\t".join(cells) + "\n"


def _not_good(row: Polled, before: Newest) -> dict[str, Entry]:
    """Entries of what the answer brought and is not good, or good only with its evidence."""
    at = stamp(row.at)
    entries: dict[str, Entry] = {}
    for signal, value in row.values.items():
        if value.quality != "good":
            entry = {"value": None, "quality": value.quality, "at": at}
            entries[signal] = entry | _evidence(value) | before.last_good(signal)
        elif value.raw is not None:
            entries[signal] = {"value": value.value, "quality": "good", "at": at, "raw": value.raw}
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


def gather(rows: list[Polled | Missed], latest: LatestStates) -> Batch:
    """Rows in the order of their polls as one batch."""
    batch = Batch(uuid.uuid4())
    newest: dict[int, Polled | Missed] = {}
    answered: dict[int, Polled] = {}
    misses: dict[tuple[int, str, str], int] = {}
    for row in rows:
        newest[row.unit_id] = row
        if isinstance(row, Polled):
            batch.readings.append(reading_line(row))
            latest.take(row)
            answered[row.unit_id] = row
        else:
            key = (row.unit_id, hour_of(row.at), row.cause)
            misses[key] = misses.get(key, 0) + 1
    batch.states = [latest.line(row, answered.get(unit)) for unit, row in newest.items()]
    batch.misses = [(unit, hour, cause, n) for (unit, hour, cause), n in misses.items()]
    batch.hours = sorted({hour_of(row.at) for row in rows})
    return batch
