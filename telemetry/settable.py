"""What can be set on a heating unit, as a form shows it: value in force, limits, writes left."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from devices.modbus.points import Point, Scalar
from devices.models import Unit
from telemetry import limits, pace, points
from telemetry.limits import SETTABLE
from telemetry.models import UnitState


@dataclass(frozen=True)
class Setting:
    """One thing that a unit lets people set: `kind` is number, choice or action (reset).

    `current` is the value read last and `at` when; `left_today` how many more writes the register
    takes today, None where that has no limit; `written` how many it ever took.
    """

    signal: str
    label: str
    kind: str
    unit: str = ""
    current: Scalar = None
    at: datetime | None = None
    min: float | None = None
    max: float | None = None
    step: float | None = None
    choices: tuple[tuple[Scalar, str], ...] = ()
    left_today: int | None = None
    written: int = 0


def settable(unit: Unit) -> list[Setting]:
    """What the unit's register map lets one write of the five writings of Annex 2 item 2."""
    register_map = unit.register_map.parsed()
    state = UnitState.objects.filter(unit=unit).first()
    return [
        _setting(unit, writers[0], state)
        for signal in SETTABLE
        if (writers := register_map.writers(signal))
    ]


def _setting(unit: Unit, point: Point, state: UnitState | None) -> Setting:
    label = points.label(point.signal, unit.model.medium)
    left, written = pace.left_today(unit, point), pace.lifetime(unit, point)
    if point.signal == "alarm_reset":
        return Setting(point.signal, label, "action", left_today=left, written=written)
    current, at = read_last(state, point.signal)
    known: dict[str, Any] = {"current": current, "at": at, "left_today": left, "written": written}
    choices = limits.choices(point)
    if choices:
        return Setting(point.signal, label, "choice", choices=choices, **known)
    low, high = limits.bounds(point)
    step = float(point.step) if point.step else None
    return Setting(point.signal, label, "number", point.unit, min=low, max=high, step=step, **known)


def read_last(state: UnitState | None, signal: str) -> tuple[Scalar, datetime | None]:
    """The value read last, and when; nothing where the newest is not good."""
    entry = state.entry(signal) if state else {}
    if entry.get("quality") != "good":
        return None, None
    return entry["value"], datetime.fromisoformat(entry["at"])
