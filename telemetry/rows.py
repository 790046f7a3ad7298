"""What a poll brought, and the lines that COPY stores of it.

`Polled` and `Missed` come from the event loop; `gather` makes a batch of them.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from devices.modbus.points import Value
from telemetry.models import COLUMNS
from telemetry.spool import Batch

READING_COLUMNS = ("unit_id", "at", *COLUMNS, "others", "not_good")
_HAVE_A_COLUMN = frozenset(COLUMNS)


@dataclass(frozen=True, slots=True)
class Polled:
    """One answered poll; `at` is when the reply was complete."""

    unit_id: int
    at: datetime
    interval_s: float
    values: Mapping[str, Value]


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


class LatestStates:
    """The newest values per unit, with the last good one beside a newest that is not good."""

    def __init__(self) -> None:
        self._values: dict[int, dict[str, dict[str, object]]] = {}

    def load(self, unit_id: int, values: dict[str, dict[str, object]]) -> None:
        """Begin with what the database knows of a unit, unless something newer is here."""
        self._values.setdefault(unit_id, values)

    def take(self, row: Polled) -> None:
        before = self._values.get(row.unit_id, {})
        at = row.at.astimezone(UTC).isoformat(timespec="milliseconds")
        self._values[row.unit_id] = {
            signal: _entry(value, at, before.get(signal)) for signal, value in row.values.items()
        }

    def line(self, newest: Polled | Missed, answered: Polled | None) -> str:
        """The unit's line for MERGE_STATES: its newest poll, and its newest answer if any."""
        cause = newest.cause if isinstance(newest, Missed) else ""
        cells = [str(newest.unit_id), cell(answered and answered.at.isoformat())]
        cells += [newest.at.isoformat(), repr(newest.interval_s), cause]
        fault = answered and answered.values.get("fault_active")
        cells += [cell(fault.value if fault else None)]
        cells += [cell(self._values[newest.unit_id] if answered else {})]
        return "\t".join(cells) + "\n"


def _entry(value: Value, at: str, before: dict[str, object] | None) -> dict[str, object]:
    entry: dict[str, object] = {"value": value.value, "quality": value.quality, "at": at}
    if value.raw is not None:
        entry["raw"] = value.raw
    if value.quality == "good":
        entry |= {"good": value.value, "good_at": at}
    elif before and "good_at" in before:
        entry |= {"good": before["good"], "good_at": before["good_at"]}
    return entry


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
