"""The newest values of a unit as people see them: figure, quality, age, last good value."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from django.utils.translation import gettext_lazy as _lazy

from devices.modbus.points import Point, Scalar
from devices.modbus.signals import is_slow
from devices.models import RegisterMap, Unit
from households import clock
from telemetry import points
from telemetry.models import UnitState
from telemetry.models.states import SILENT_AFTER
from telemetry.unit_clock import EVERY

ORDER = (
    "supply_temp",
    "return_temp",
    "outdoor_temp",
    "indoor_temp_setpoint",
    "indoor_temp",
    "power_state",
    "mode",
    "fault_active",
    "supply_temp_setpoint",
    "return_temp_setpoint",
    "compressor_running",
    "electric_energy",
    "electric_power",
    "defrosting",
)
INDOOR_SOURCES = {"room": _lazy("房间传感器"), "return_air": _lazy("回风推定")}


@dataclass(frozen=True)
class Form:
    """How a register map writes its numbers: decimals and units by signal, origin of the room's."""

    digits: dict[str, int]
    units: dict[str, str]
    indoor_source: str


@dataclass(frozen=True)
class Shown:
    """One value for the screen.

    `text` is "—" unless the newest value is good and fresh; then `words` is empty, else `shape`
    and `words` say why and `last_good` with `good_at` what was good before.
    """

    signal: str
    label: str
    text: str
    unit: str
    at: datetime | None
    shape: str = ""
    words: str = ""
    last_good: str = ""
    good_at: datetime | None = None
    note: str = ""
    is_stale: bool = False


def form_of(register_map: RegisterMap) -> Form:
    """The map's form of writing; a version never changes once used, so it is kept."""
    return _form(register_map.pk, register_map.digest)


@lru_cache(maxsize=256)
def _form(pk: int, digest: str) -> Form:
    parsed = RegisterMap.objects.select_related("model").get(pk=pk).parsed()
    readable = [point for point in parsed.points if point.readable]
    return Form(
        digits={point.signal: _decimals(point) for point in readable},
        units={point.signal: point.unit for point in readable},
        indoor_source=parsed.settings.indoor_source or "",
    )


def _decimals(point: Point) -> int:
    return max(0, *(-int(n.as_tuple().exponent) for n in (point.scale, point.offset)))


def values_of(unit: Unit, state: UnitState | None) -> list[Shown]:
    """All points that the unit's newest state holds, the important ones first."""
    if state is None:
        return []
    names = [name for name in state.entries if name not in ("fault_bits", "fault_code")]
    names.sort(key=lambda name: (ORDER.index(name) if name in ORDER else len(ORDER), name))
    return [value_of(unit, state, name) for name in names]


def value_of(unit: Unit, state: UnitState | None, signal: str) -> Shown:
    """One point of the unit's newest state; a point that was never read is 未读到."""
    entry = state.entry(signal) if state else None
    label = points.label(signal, unit.model.medium)
    if state is None or not entry:
        return Shown(signal, label, "—", "", None)
    form = form_of(unit.register_map)
    at = _moment(entry["at"])
    quality = entry["quality"]
    if quality == "good" and at < clock.now() - _stays_fresh(signal, state):
        quality = "stale"
    note = str(INDOOR_SOURCES[form.indoor_source]) if _is_estimated(signal, form) else ""
    unit_text = form.units.get(signal, "")
    if quality == "good":
        text = _text(state, signal, entry["value"], form)
        return Shown(signal, label, text, unit_text, at, note=note)
    shape, words = points.quality_label(quality)
    good = entry.get("good")
    return Shown(
        signal,
        label,
        "—",
        "",
        at,
        shape,
        words,
        "" if good is None else f"{_text(state, signal, good, form)} {unit_text}".strip(),
        _moment(entry["good_at"]) if entry.get("good_at") else None,
        note,
        quality == "stale",
    )


def _stays_fresh(signal: str, state: UnitState) -> timedelta:
    """What changes seldom is not asked at every poll."""
    polls = SILENT_AFTER * (EVERY if is_slow(signal) else 1)
    return timedelta(seconds=polls * state.interval_s)


def _is_estimated(signal: str, form: Form) -> bool:
    return signal == "indoor_temp" and form.indoor_source in INDOOR_SOURCES


def _text(state: UnitState, signal: str, value: Scalar, form: Form) -> str:
    if signal == "fault_active" and value:
        return fault_words(state)
    return points.show(signal, value, form.digits.get(signal))


def fault_words(state: UnitState) -> str:
    """The unit's own faults by name, else its code, else just that there is one."""
    flags = state.entry("fault_bits").get("value")
    code = state.entry("fault_code").get("value")
    if flags:
        return points.show("fault_bits", flags)
    return points.show("fault_code", code) if code else points.show("fault_active", True)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
