"""Group commands: one value for many units, first for one, then for a tenth, then for all.

Each step is confirmed by a person after the one before has ended, goes out in waves, and stops by
itself where too many fail. Off by default (setting GROUP_COMMANDS), and for the platform service
unit alone.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import ceil

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from devices.modbus.points import Scalar
from devices.models import DeviceModel, Installation, Unit
from households import clock
from households.models import Area, User
from telemetry import commands, pace
from telemetry.commands import Turn, Wish
from telemetry.limits import CommandRefused
from telemetry.models import Command, CommandState, GroupCommand
from telemetry.models.commands import WAITING

AT_MOST = 500  # units in one group
FAILED_SHARE = 0.05  # of a step: then it stops
WAVE = timedelta(seconds=30)  # a write with its read-backs ends within this
MINUTE = timedelta(minutes=1)
FAILURES = (
    CommandState.REFUSED,
    CommandState.FAILED,
    CommandState.NOT_HELD,
    CommandState.UNKNOWN,
    CommandState.EXPIRED,
)
Stage = GroupCommand.Stage
STEPS = (Stage.ONE, Stage.TENTH, Stage.ALL)
RUNNING = (Stage.PREVIEW, *STEPS)


@dataclass(frozen=True)
class GroupWish:
    """What a group is to be set to, where, and whose wish it is."""

    signal: str
    target: Scalar
    area: Area
    model: DeviceModel
    reason: str
    agreement: str = ""
    agreed_on: date | None = None
    note: str = ""


def allowed(user: User) -> bool:
    """Whether this account may give group commands on this platform."""
    return settings.GROUP_COMMANDS and user.tends_lines and user.may_command


def preview(wish: GroupWish, by: User) -> GroupCommand:
    """The units that would take part, and of each other why not; nothing is sent.

    Raises CommandRefused where the choice is too large or holds no unit.
    """
    units = list(_chosen(wish, by)[: AT_MOST + 1])
    if not units:
        raise CommandRefused([_("这个范围内没有这个型号的已安装机组")])
    if len(units) > AT_MOST:
        raise CommandRefused([_("一次至多 %(n)d 台，请缩小区域") % {"n": AT_MOST}])
    group = GroupCommand(
        signal=wish.signal,
        target=wish.target,
        area=wish.area,
        model=wish.model,
        reason=wish.reason,
        agreement=wish.agreement,
        agreed_on=wish.agreed_on,
        note=wish.note,
        requested_by=by,
    )
    for unit in units:
        why = _left_out(group, unit)
        if why:
            group.left_out.append([unit.pk, why])
        else:
            group.units.append(unit.pk)
    group.save()
    return group


def _chosen(wish: GroupWish, by: User) -> QuerySet[Unit]:
    standing = Installation.objects.filter(
        removed_on=None, household__area__in=Area.objects.under(wish.area)
    )
    units = Unit.objects.filter(pk__in=Unit.objects.visible_to(by).values("pk"))
    units = units.filter(pk__in=standing.values("unit"), retired_at=None, model=wish.model)
    return units.select_related("gateway", "model", "register_map", "state").order_by("pk")


def _left_out(group: GroupCommand, unit: Unit) -> str:
    """Why this unit takes no part, in words; empty where it does."""
    state = getattr(unit, "state", None)
    if state is None or not state.is_online:
        return _("离线")
    entry = state.entry(group.signal)
    if entry.get("quality") == "good" and entry["value"] == group.target:
        return _("已是目标值")
    if Command.objects.open().filter(unit=unit, signal=group.signal).exists():
        return _("另有命令未结束")
    wish = Wish(
        unit,
        group.signal,
        group.target,
        group.requested_by,
        group.reason,
        group.agreement,
        group.agreed_on,
        turn=Turn(group),
    )
    return "；".join(commands.objections(wish))


# Steps -----------------------------------------------------------------------------------------


def next_step(group: GroupCommand) -> Stage | None:
    """The step that may be confirmed now; None while one runs, and after the last."""
    if group.stage not in RUNNING or group.members.open().exists():
        return None
    steps = STEPS[STEPS.index(Stage(group.stage)) + 1 :] if group.stage in STEPS else STEPS
    return next((step for step in steps if turns(group, step)), None)


def turns(group: GroupCommand, step: Stage) -> list[int]:
    """The units whose turn this step is."""
    tenth = max(2, ceil(len(group.units) / 10))
    edges = {Stage.ONE: (0, 1), Stage.TENTH: (1, tenth), Stage.ALL: (tenth, len(group.units))}
    start, end = edges[step]
    return list(group.units[start:end])


def confirm(group: GroupCommand, step: Stage, by: User) -> None:
    """Queue the commands of `step`; raises CommandRefused where it is not this step's turn."""
    with transaction.atomic():
        group = GroupCommand.objects.select_for_update().get(pk=group.pk)
        if next_step(group) != step:
            raise CommandRefused([_("现在不能执行这一步：上一步没有结束，或已被他人确认")])
        group.stage = step
        units = {unit.pk: unit for unit in _members_to_be(group, step)}
        for pk, not_before in _times(group, turns(group, step)):
            _queue(group, units[pk], step, not_before, by)
        group.save()


def _members_to_be(group: GroupCommand, step: Stage) -> QuerySet[Unit]:
    units = Unit.objects.filter(pk__in=turns(group, step))
    return units.select_related("gateway", "model", "register_map")


def _queue(group: GroupCommand, unit: Unit, step: Stage, not_before: datetime, by: User) -> None:
    try:
        commands.request(
            unit,
            group.signal,
            group.target,
            by=by,
            reason=group.reason,
            note=group.note,
            agreement=group.agreement,
            agreed_on=group.agreed_on,
            turn=Turn(group, STEPS.index(step) + 1, not_before),
        )
    except CommandRefused as refused:
        group.left_out.append([unit.pk, "；".join(refused.messages)])


def _times(group: GroupCommand, units: list[int]) -> list[tuple[int, datetime]]:
    """From when each unit may be written: a twentieth of the step each half minute, and of those
    switched on no more per village and minute than its lines carry."""
    now = clock.now()
    wave = max(1, int(len(units) * FAILED_SHARE))
    villages = dict(
        Installation.objects.filter(removed_on=None, unit__in=units).values_list(
            "unit", "household__area"
        )
    )
    seen: Counter[int] = Counter()
    times = []
    for place, unit in enumerate(units):
        delay = place // wave * WAVE
        if group.signal == "power_state" and group.target is True:
            village = villages.get(unit, 0)
            delay = max(delay, seen[village] // pace.SWITCH_ON_PER_MINUTE * MINUTE)
            seen[village] += 1
        times.append((unit, now + delay))
    return times


# Watching --------------------------------------------------------------------------------------


def look_after() -> None:
    """Stop the groups of which too many fail; end those whose last step has ended."""
    for group in GroupCommand.objects.filter(stage__in=STEPS):
        if _fails(group):
            stop(group, Stage.STOPPED, _("失败过多，群组命令已停止"))
        elif not group.members.open().exists() and next_step(group) is None:
            _end(group, Stage.DONE)


def _fails(group: GroupCommand) -> bool:
    members = group.members.filter(group_stage=STEPS.index(Stage(group.stage)) + 1)
    failed = members.filter(state__in=FAILURES).count()
    return failed > 0 and failed >= FAILED_SHARE * members.count()


def stop(group: GroupCommand, stage: Stage, why: str) -> None:
    """Take back what has not gone out yet, and go no further."""
    group.members.filter(state__in=WAITING).update(
        state=CommandState.CANCELLED, finished_at=clock.now(), detail=why
    )
    _end(group, stage)


def _end(group: GroupCommand, stage: Stage) -> None:
    running = GroupCommand.objects.filter(pk=group.pk, stage__in=RUNNING)
    running.update(stage=stage, ended_at=clock.now())
