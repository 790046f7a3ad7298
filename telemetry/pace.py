"""How often a heating unit is written: the platform's pace, the map's, and wear of its memory.

A wish that comes a little early waits in the queue; one that would have to wait longer than it is
valid is refused, and the refusal names the limit that stands against it.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import F, Sum
from django.utils.translation import gettext as _

from devices.modbus.mapsettings import Settings
from devices.modbus.points import Point
from devices.models import Unit
from households import clock
from telemetry.models import Command, Wear
from telemetry.models.commands import CommandQuerySet

# The policy ------------------------------------------------------------------------------------

ONE_PER = timedelta(minutes=1)
PER_HOUR = 6
WEAR_PER_DAY = 20  # of one register whose memory wears, or may
TEST_WRITES = 20  # docking and commissioning, of one unit in 24 hours
TEST_SPACING = timedelta(seconds=3)
RESTORE_SPACING = timedelta(seconds=60)  # a restoring write waits for no slower device than this
SWITCH_ON_PER_MINUTE = 5  # units of a group, per village

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
OWN_BUDGET = (Command.Reason.TEST, Command.Reason.RESTORE)


class Wait(NamedTuple):
    """From when on a unit may be written again, and which limit says so."""

    until: datetime
    why: str


def wait_of(unit: Unit, reason: str) -> Wait | None:
    """What holds the next write for this reason back; None where it may go now."""
    waits = [
        _since_last(unit, _spacing_of_map(unit, reason), _("设备点表要求的写入间隔"), _any()),
        *_budget(unit, reason),
    ]
    held = [wait for wait in waits if wait and wait.until > clock.now()]
    return max(held, default=None)


def _budget(unit: Unit, reason: str) -> list[Wait | None]:
    if reason == Command.Reason.RESTORE:
        return []
    if reason == Command.Reason.TEST:
        tests = Command.objects.filter(reason=Command.Reason.TEST)
        full = _("平台规定：每台机组 24 小时内至多 %(n)d 次测试写入") % {"n": TEST_WRITES}
        return [
            _since_last(unit, TEST_SPACING, _("平台规定：测试写入间隔 3 秒"), _any()),
            _after_so_many(unit, TEST_WRITES, DAY, full, tests),
        ]
    others = Command.objects.exclude(reason__in=OWN_BUDGET)
    full = _("平台规定：每台机组每小时至多写 %(n)d 次") % {"n": PER_HOUR}
    return [
        _since_last(unit, ONE_PER, _("平台规定：每台机组每分钟至多写 1 次"), _any()),
        _after_so_many(unit, PER_HOUR, HOUR, full, others),
    ]


def _any() -> CommandQuerySet:
    return Command.objects.all()


def _spacing_of_map(unit: Unit, reason: str) -> timedelta:
    spacing = timedelta(seconds=unit.register_map.parsed().settings.min_write_interval_s)
    return min(spacing, RESTORE_SPACING) if reason == Command.Reason.RESTORE else spacing


def _writes(unit: Unit, rows: CommandQuerySet, since: timedelta) -> list[datetime]:
    """When the unit was written, newest first; fields of one write count once."""
    rows = rows.filter(unit=unit, sending_since__gt=clock.now() - since).written()
    moments = rows.order_by("-sending_since").values_list("sending_since", flat=True).distinct()
    return [moment for moment in moments if moment is not None]


def _since_last(unit: Unit, spacing: timedelta, why: str, rows: CommandQuerySet) -> Wait | None:
    moments = _writes(unit, rows, spacing)
    return Wait(moments[0] + spacing, why) if moments else None


def _after_so_many(
    unit: Unit, count: int, within: timedelta, why: str, rows: CommandQuerySet
) -> Wait | None:
    moments = _writes(unit, rows, within)
    return Wait(moments[count - 1] + within, why) if len(moments) >= count else None


# Wear ------------------------------------------------------------------------------------------

Register = tuple[str, int]


def registers(settings: Settings, point: Point) -> Counter[Register]:
    """Which registers one write of this point writes, and how often."""
    times: Counter[Register] = Counter({(point.write_area, point.write_address): 1})
    if point.write_method == "pulse":
        times[point.write_area, point.write_address] += 1
    for target in point.before:
        times[target.area, target.address] += 1
    for target in settings.unlock:
        times[target.area, target.address] += 1 if settings.unlock_keep else 2
    return times


def worn_out(unit: Unit, point: Point) -> str:
    """Why this point may not be written any more today, in words; empty where it may."""
    settings = unit.register_map.parsed().settings
    if settings.persist == "ram":
        return ""
    area, address = point.write_area, point.write_address
    today = Wear.objects.filter(unit=unit, area=area, address=address, day=clock.today())
    written = today.values_list("writes", flat=True).first() or 0
    if written + registers(settings, point)[area, address] <= WEAR_PER_DAY:
        return ""
    said = {"n": WEAR_PER_DAY, "all": lifetime(unit, point)}
    return (
        _("平台规定：为保护设备存储器，每个寄存器每天至多写 %(n)d 次（累计已写 %(all)d 次）") % said
    )


def left_today(unit: Unit, point: Point) -> int | None:
    """How many more writes the point's register takes today; None where its memory never wears."""
    settings = unit.register_map.parsed().settings
    if settings.persist == "ram":
        return None
    area, address = point.write_area, point.write_address
    today = Wear.objects.filter(unit=unit, area=area, address=address, day=clock.today())
    written = today.values_list("writes", flat=True).first() or 0
    return max(0, (WEAR_PER_DAY - written) // registers(settings, point)[area, address])


def lifetime(unit: Unit, point: Point) -> int:
    """How often the point's register was ever written by this platform."""
    rows = Wear.objects.filter(unit=unit, area=point.write_area, address=point.write_address)
    return int(rows.aggregate(all=Sum("writes"))["all"] or 0)


def wear(command: Command) -> None:
    """Count what went out for this command; fields that went out in one write count once."""
    register_map = command.unit.register_map.parsed()
    writers = register_map.writers(command.signal)
    together = Command.objects.filter(unit=command.unit, sending_since=command.sending_since)
    if writers and not together.exclude(pk=command.pk).filter(sent__isnull=False).exists():
        for (area, address), writes in registers(register_map.settings, writers[0]).items():
            _count(command.unit_id, area, address, writes)


def _count(unit_id: int, area: str, address: int, writes: int) -> None:
    row, _made = Wear.objects.get_or_create(
        unit_id=unit_id, area=area, address=address, day=clock.today()
    )
    Wear.objects.filter(pk=row.pk).update(writes=F("writes") + writes)
