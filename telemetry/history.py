"""A unit's past for its page: the chart of a day with its gaps, the day's run in figures.

Raw readings are read for at most two days of one unit; counts of polls come from unit hours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import F, Max, Min, QuerySet, Sum
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import pgettext_lazy

from devices.models import Gateway, Unit
from households import clock
from telemetry import partitions, points
from telemetry.latest import Form, form_of
from telemetry.models import Reading, UnitHour
from telemetry.models.states import SILENT_AFTER

CURVES = ("supply_temp", "return_temp", "indoor_temp", "indoor_temp_setpoint", "outdoor_temp")
SHORT = {
    "supply_temp": {"water": _lazy("供水"), "air": pgettext_lazy("supply air", "送风")},
    "return_temp": {"water": _lazy("回水"), "air": _lazy("回风")},
    "indoor_temp": {"water": _lazy("室温"), "air": _lazy("室温")},
    "indoor_temp_setpoint": {"water": _lazy("设定"), "air": _lazy("设定")},
    "outdoor_temp": {"water": _lazy("室外"), "air": _lazy("室外")},
}
PROMISE = 16.0  # °C in the room, the notice's promise
CAUSES = {
    "not_answered": _lazy("设备未应答"),
    "line_down": _lazy("通信链路中断"),
    "broken_off": _lazy("平台未采集"),
    "not_polled": _lazy("平台未采集"),
}
TRANSMITTER_AWAY = _lazy("装置离线")


@dataclass(frozen=True)
class Gap:
    """A time without readings, longer than three intervals, and why."""

    start: datetime
    end: datetime
    cause: str


@dataclass(frozen=True)
class DayRun:
    """What a unit did in one Shanghai day; None where nothing was measured."""

    due: int
    stored: int
    on_seconds: float | None
    widest_difference: float | None
    room_min: float | None
    room_max: float | None
    energy_kwh: float | None


def window(day: date | None) -> tuple[datetime, datetime]:
    """The Shanghai day, or the last 24 hours where no day is asked for."""
    if day is not None:
        return partitions.bounds(day)
    return clock.now() - timedelta(days=1), clock.now()


def readings(unit: Unit, start: datetime, end: datetime) -> QuerySet[Reading]:
    """The unit's readings from `start` until before `end`, oldest first."""
    return Reading.objects.filter(unit_id=unit.pk, at__gte=start, at__lt=end).order_by("at")


def chart(unit: Unit, start: datetime, end: datetime) -> dict[str, object]:
    """Series, gaps and limits of a time, ready for JSON: times are seconds since 1970."""
    form = form_of(unit.register_map)
    signals = [signal for signal in CURVES if signal in form.digits]
    rows = list(readings(unit, start, end).values_list("at", *signals))
    until = min(end, clock.now())
    holes = gaps(unit, [row[0] for row in rows], max(start, unit.in_service_since), until)
    at, columns = _with_breaks(rows, holes, len(signals))
    return {
        "start": start.timestamp(),
        "end": end.timestamp(),
        "at": at,
        "series": [
            _series(unit, signal, column, form)
            for signal, column in zip(signals, columns, strict=True)
        ],
        "gaps": [
            {"start": gap.start.timestamp(), "end": gap.end.timestamp(), "words": gap.cause}
            for gap in holes
        ],
        "limit": PROMISE if "indoor_temp" in signals else None,
    }


def _series(unit: Unit, signal: str, column: list[float | None], form: Form) -> dict[str, object]:
    return {
        "signal": signal,
        "label": points.label(signal, unit.model.medium),
        "short": str(SHORT[signal][unit.model.medium]),
        "digits": form.digits[signal],
        "values": column,
    }


def _with_breaks(
    rows: list[tuple], holes: list[Gap], width: int
) -> tuple[list[float], list[list[float | None]]]:
    """Times and columns, with an empty row inside each gap, so that no line crosses it."""
    empty: tuple[None, ...] = (None,) * width
    breaks = [(gap.start + (gap.end - gap.start) / 2, *empty) for gap in holes]
    together = sorted([*rows, *breaks], key=lambda row: row[0])
    columns = [[row[n + 1] for row in together] for n in range(width)]
    return [row[0].timestamp() for row in together], columns


def gaps(unit: Unit, at: list[datetime], start: datetime, until: datetime) -> list[Gap]:
    """Holes between `start`, the readings' times and `until`: three intervals and more."""
    hours = {hour.hour: hour for hour in _hours(unit, start, until)}
    found = []
    for before, after in zip([start, *at], [*at, until], strict=True):
        hour = hours.get(before.replace(minute=0, second=0, microsecond=0))
        interval = hour.interval_s if hour else _interval(unit)
        if (after - before).total_seconds() > SILENT_AFTER * interval:
            cause = _cause(unit, hours.values(), before, after)
            found.append(Gap(before, after, cause))
    return found


def _interval(unit: Unit) -> float:
    state = getattr(unit, "state", None)
    return state.interval_s if state else 300


def _cause(unit: Unit, hours: Iterable[UnitHour], start: datetime, end: datetime) -> str:
    """The most frequent cause of the hours that the gap touches."""
    counted: Counter[str] = Counter()
    for hour in hours:
        if hour.hour < end and hour.hour + timedelta(hours=1) > start:
            counted.update(hour.missed)
    causes = counted.most_common(1)
    return cause_words(causes[0][0], unit) if causes else _("无数据")


def cause_words(cause: str, unit: Unit) -> str:
    """Why polls of the unit brought nothing, in words."""
    if cause == "line_down" and unit.gateway.kind == Gateway.Kind.DIAL:
        return str(TRANSMITTER_AWAY)
    return str(CAUSES[cause]) if cause in CAUSES else points.quality_label(cause)[1]


def _hours(unit: Unit, start: datetime, end: datetime) -> QuerySet[UnitHour]:
    first = start.replace(minute=0, second=0, microsecond=0)
    return UnitHour.objects.filter(unit=unit, hour__gte=first, hour__lt=end)


def day_run(unit: Unit, day: date) -> DayRun:
    """Polls, running time, temperatures and energy of one Shanghai day."""
    start, end = partitions.bounds(day)
    hours = UnitHour.objects.filter(unit=unit, hour__gte=start, hour__lt=end)
    sums = hours.aggregate(
        due=Sum("due", default=0),
        stored=Sum("stored", default=0),
        on=Sum("on_seconds"),
        room_min=Min("indoor_min"),
        room_max=Max("indoor_max"),
        energy=Sum("energy_kwh"),
    )
    difference = readings(unit, start, end).aggregate(
        widest=Max(F("supply_temp") - F("return_temp"))
    )
    return DayRun(
        sums["due"],
        min(sums["stored"], sums["due"]),  # a reading beside the interval makes no more than all
        sums["on"],
        difference["widest"],
        sums["room_min"],
        sums["room_max"],
        sums["energy"] if "electric_energy" in form_of(unit.register_map).digits else None,
    )
