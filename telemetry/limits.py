"""What may be written to a heating unit, and what needs a second person.

The limit in force is the intersection of the platform's policy (`devices.modbus.policy`) with the
limits of the unit's register map, and a refusal names which of the two stands against the wish.
How often one may write is `telemetry.pace`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from math import isfinite
from statistics import median

from django.utils.translation import gettext as _

from devices.modbus.points import Point, Scalar
from devices.modbus.policy import HEATING_MODES, LUKEWARM_C, RANGES
from devices.modbus.policy import bounds as bounds
from devices.models import Installation, Medium, Unit
from households import clock
from households.models import Area
from telemetry import points
from telemetry.models import Command, UnitState


class CommandRefused(Exception):
    """The wish is not taken; `messages` says why, each in words."""

    def __init__(self, messages: list[str]) -> None:
        super().__init__("；".join(messages))
        self.messages = messages


# The policy ------------------------------------------------------------------------------------

SETTABLE = (  # the five writings of Annex 2 item 2, water or air temperature on either side
    "indoor_temp_setpoint",
    "supply_temp_setpoint",
    "return_temp_setpoint",
    "power_state",
    "mode",
    "alarm_reset",
)
COLD_C = 5.0  # from here down nobody stops a house's heating alone
OUTDOOR_FRESH = timedelta(minutes=30)
SEASON = ((11, 1), (3, 31))  # heating is on from 15 November to 15 March, and frost about it
AGREED_BY_NATURE = (Command.Reason.TEST, Command.Reason.FROST, Command.Reason.RESTORE)

# Values ----------------------------------------------------------------------------------------


def choices(point: Point) -> tuple[tuple[Scalar, str], ...]:
    """The values of a point that takes no number, with their words; () where it does."""
    if point.is_bool:
        return (True, points.show(point.signal, True)), (False, points.show(point.signal, False))
    labels = point.write_allowed or tuple(point.write_enum.values())
    return tuple((label, points.show(point.signal, label)) for label in labels)


def against_value(point: Point, target: Scalar, *, by_policy: bool = True) -> list[str]:
    """Every sentence that stands against this value."""
    if point.signal == "alarm_reset":
        return [] if target is True else [_("报警复位只有“执行”一种")]
    known = [value for value, _label in choices(point)]
    if known:
        if target in known and isinstance(target, type(known[0])):
            return []
        allowed = "、".join(label for _value, label in choices(point))
        return [_("只能选：%(choices)s") % {"choices": allowed}]
    if isinstance(target, bool) or not isinstance(target, int | float) or not isfinite(target):
        return [_("请填数字")]
    return _against_number(point, float(target), by_policy)


def _against_number(point: Point, target: float, by_policy: bool) -> list[str]:
    policy = RANGES.get(point.signal, (None, None)) if by_policy else (None, None)
    for who, low, high in (
        (_("平台规定"), *policy),
        (_("设备点表"), point.min, point.max),
    ):
        if (low is not None and target < low) or (high is not None and target > high):
            return [_outside(who, point, low, high)]
    if point.step and not _on_step(point, target):
        return [_("步长为 %(step)g") % {"step": float(point.step)}]
    return []


def _on_step(point: Point, target: float) -> bool:
    steps = (target - float(point.min or 0)) / float(point.step or 1)
    return abs(steps - round(steps)) <= 1e-6


def _outside(who: str, point: Point, low: object, high: object) -> str:
    said = {"who": who, "min": low, "max": high, "unit": point.unit}
    if low is None:
        return _("超出范围：%(who)s至多 %(max)s %(unit)s") % said
    if high is None:
        return _("超出范围：%(who)s至少 %(min)s %(unit)s") % said
    return _("超出范围：%(who)s %(min)s 至 %(max)s %(unit)s") % said


# A house in the cold ---------------------------------------------------------------------------


def stops_heating(unit: Unit, signal: str, target: Scalar) -> bool:
    """Whether this leaves a water unit without heat, so that its pipes may freeze."""
    if unit.model.medium != Medium.WATER:
        return False
    if signal == "power_state":
        return target is False
    if signal == "mode":
        return target not in HEATING_MODES
    lukewarm = isinstance(target, int | float) and target < LUKEWARM_C
    return signal in ("supply_temp_setpoint", "return_temp_setpoint") and lukewarm


def cold_outside(unit: Unit) -> str:
    """Why the house counts as standing in the cold, in words; empty where it does not."""
    temperature = outdoor(unit)
    if temperature is None:
        return _("采暖季内室外温度未知") if in_season() else ""
    if temperature > COLD_C:
        return ""
    return _("室外 %(outdoor)s °C") % {"outdoor": points.number(temperature, 1)}


def in_season() -> bool:
    """Whether today lies in the heating season, its edges included."""
    today = (clock.today().month, clock.today().day)
    return today >= SEASON[0] or today <= SEASON[1]


def outdoor(unit: Unit) -> float | None:
    """The temperature outside the house as read within half an hour, else the median of the
    town's units; None where nobody tells."""
    own = _outdoor_of(UnitState.objects.filter(unit=unit).first())
    return _median_of_town(unit) if own is None else own


def _outdoor_of(state: UnitState | None) -> float | None:
    entry = state.entry("outdoor_temp") if state else {}
    if entry.get("quality") != "good":
        return None
    fresh = datetime.fromisoformat(entry["at"]) >= clock.now() - OUTDOOR_FRESH
    return float(entry["value"]) if fresh else None


def _median_of_town(unit: Unit) -> float | None:
    standing = Installation.objects.filter(removed_on=None)
    here = standing.filter(unit=unit).select_related("household__area__owner").first()
    town = here.household.area.town if here else None
    if town is None:
        return None
    units = standing.filter(household__area__in=Area.objects.under(town)).values("unit")
    states = UnitState.objects.filter(unit__in=units, answered_at__gte=clock.now() - OUTDOOR_FRESH)
    told = [value for value in map(_outdoor_of, states) if value is not None]
    return median(told) if told else None
