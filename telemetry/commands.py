"""Way 2 of the house: a wish to change a heating unit, from the button to its proven end.

The row is the queue. `request` makes it (what stops a house's heating in the cold waits for
`approve` first), `claim` commits `sending` before the first byte leaves, `finish` writes the end.
A row whose process died becomes `unknown` and is settled by reading what the unit says when it
answers again, never by writing; a verified value is looked at once more with the next poll and
becomes `not_held` where the unit took it back. What a test changed is restored
(telemetry.obligations); what may be written and how often is `telemetry.limits` and
`telemetry.pace`.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from celery import current_app
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _
from kombu.exceptions import OperationalError

from devices.modbus.points import Scalar
from devices.models import Unit
from households import clock
from households.models import User
from telemetry import limits, obligations, pace, points
from telemetry.limits import SETTABLE, CommandRefused
from telemetry.models import (
    Command,
    CommandState,
    DockingStep,
    GatewayState,
    GroupCommand,
    Obligation,
    RemoteWriting,
    UnitState,
)
from telemetry.models.commands import VALID_FOR, WAITING
from telemetry.sending import ANSWER_WITHIN, LINE_AWAY, claim, disown, expire, finish, hand_back
from telemetry.settable import Setting, read_last, settable
from telemetry.settling import SETTLE_AGAIN, SETTLE_WITHIN, compare, settled, unsettled

__all__ = [
    "ANSWER_WITHIN",
    "SETTABLE",
    "SETTLE_AGAIN",
    "SETTLE_WITHIN",
    "CommandRefused",
    "Setting",
    "Turn",
    "Wish",
    "approve",
    "cancel",
    "claim",
    "compare",
    "disown",
    "expire",
    "finish",
    "hand_back",
    "may_approve",
    "objections",
    "read_last",
    "request",
    "settable",
    "settled",
    "unsettled",
    "wake",
]

AGREE_WITHIN = timedelta(minutes=30)  # for the second person to agree


@dataclass(frozen=True)
class Turn:
    """A member's place in a group command: its step, and from when it may go. Empty of a wish
    for one unit."""

    group: GroupCommand | None = None
    stage: int | None = None
    not_before: datetime | None = None


ALONE = Turn()
Former = tuple[Scalar, datetime]  # the value that a unit has, and when it was read


# The wish --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Wish:
    """What `request` is asked for, by its names."""

    unit: Unit
    signal: str
    target: Scalar
    by: User
    reason: str
    agreement: str = ""
    agreed_on: date | None = None
    present: bool = False
    valid_for: timedelta = VALID_FOR
    turn: Turn = ALONE
    docking_step: DockingStep | None = None

    @property
    def cold(self) -> str:
        """Why the house would stand without heat in the cold, in words; empty where it would not.
        Only of a wish with a writer."""
        stops = limits.stops_heating(self.unit, self.signal, self.target)
        return limits.cold_outside(self.unit) if stops else ""


def request(
    unit: Unit,
    signal: str,
    target: Scalar,
    *,
    by: User,
    reason: str = "",
    note: str = "",
    purpose: str = "",
    agreement: str = "",
    agreed_on: date | None = None,
    present: bool = False,
    valid_for: timedelta = VALID_FOR,
    turn: Turn = ALONE,
    former: Former | None = None,
    docking_step: DockingStep | None = None,
) -> Command:
    """Queue the wish to set `signal` to `target`; a waiting wish for the same signal is replaced.

    `target` is an engineering value: number, true/false, or a label of the map. `purpose="test"`
    (the same as the reason) writes, and restores the value read before within a minute;
    `present` says that the installer stands beside the unit. `agreement` and `agreed_on` say how
    and when the resident agreed. `former` is the value in force where the asker read it himself
    just now, `docking_step` the step of the test bench that writes.
    Raises CommandRefused with every sentence that stands against it.
    """
    reason = purpose or reason
    wish = Wish(
        unit,
        signal,
        target,
        by,
        reason,
        agreement,
        agreed_on,
        present,
        valid_for,
        turn,
        docking_step,
    )
    against = objections(wish)
    if against:
        raise CommandRefused(against)
    command = Command(
        unit=unit,
        signal=signal,
        target=target,
        reason=reason,
        note=note,
        agreement=agreement,
        agreed_on=agreed_on,
        limits=_limits_of(unit, signal),
        requested_by=by,
        group=turn.group,
        group_stage=turn.stage,
        not_before=turn.not_before,
    )
    command.expires_at = (command.not_before or clock.now()) + valid_for
    if reason != Command.Reason.TEST and (cold := wish.cold):
        _wait_for_agreement(command, cold)
    return _queue(command, former, docking_step)


def objections(wish: Wish) -> list[str]:
    """Every sentence that stands against a wish, the gravest kind alone; empty where none does."""
    return (
        _against(wish.unit, wish.signal, wish.target, wish.by, wish.reason)
        or _against_now(wish)
        or _against_consent(wish.unit, wish.reason, wish.agreement, wish.agreed_on)
        or _against_cold(wish)
    )


def _against_cold(wish: Wish) -> list[str]:
    """What stops a house's heating in the cold takes somebody beside a test, and no group."""
    is_test = wish.reason == Command.Reason.TEST
    cold = wish.cold if is_test or wish.turn.group else ""
    if cold and wish.turn.group:
        return [_("会停止供热的设定不得群组下发：%(why)s") % {"why": cold}]
    return obligations.against_cold_test(cold, wish.present) if cold else []


def _wait_for_agreement(command: Command, cold: str) -> None:
    command.state = CommandState.AWAITING
    command.expires_at = clock.now() + AGREE_WITHIN
    command.detail = _("%(why)s，停止供热须第二人同意") % {"why": cold}


def _queue(command: Command, former: Former | None, docking_step: DockingStep | None) -> Command:
    with transaction.atomic():
        Unit.objects.select_for_update().get(pk=command.unit_id)  # one wish at a time for a unit
        state = UnitState.objects.filter(unit=command.unit_id).first()
        command.before, command.before_at = former or read_last(state, command.signal)
        if command.reason == Command.Reason.TEST and command.signal != "alarm_reset":
            command.obligation = obligations.owe(command, docking_step)
        _supersede(command)
        command.save(force_insert=True)
        if command.group is None:  # a group goes out in waves: the worker's own look is enough
            transaction.on_commit(lambda: wake(command.unit.gateway.line_worker))
    return command


def wake(line_worker: str) -> None:
    """A task that only wakes; where the broker is away the line worker looks within a second."""
    with contextlib.suppress(OperationalError):
        current_app.send_task(
            "telemetry.wake_line_worker", queue=f"lines.{line_worker}", retry=False, expires=30
        )


def _supersede(command: Command) -> None:
    waiting = Command.objects.filter(unit=command.unit_id, signal=command.signal)
    waiting.filter(state__in=WAITING).update(
        state=CommandState.SUPERSEDED,
        finished_at=clock.now(),
        detail=_("%(time)s 有新的命令")
        % {"time": clock.now().astimezone(clock.SHANGHAI).strftime("%H:%M")},
    )


def _limits_of(unit: Unit, signal: str) -> dict[str, float | None]:
    low, high = limits.bounds(unit.register_map.parsed().writers(signal)[0])
    return {"min": low, "max": high}


# What stands against it ------------------------------------------------------------------------


def _against(unit: Unit, signal: str, target: Scalar, by: User, reason: str) -> list[str]:
    """Who, which line, which value."""
    if not by.may_command:
        return [_("您的角色不能远程设定；请联系镇（街道）或平台服务单位")]
    if not RemoteWriting.is_on():
        return [_("远程设定总开关已关闭，不下发任何命令；由系统管理员或平台服务单位打开")]
    if unit.retired_at or not unit.gateway.enabled:
        return [_("该机组已停用，不能远程设定")]
    if unit.gateway.why_read_only:
        return [unit.gateway.why_read_only]
    if reason not in Command.Reason.values or reason == Command.Reason.RESTORE:
        return [_("请选择原因")]
    writers = unit.register_map.parsed().writers(signal) if signal in SETTABLE else ()
    if not writers:
        return [_("该机组的点表没有可写的“%(name)s”") % {"name": points.label(signal)}]
    return limits.against_value(writers[0], target)


def _against_now(wish: Wish) -> list[str]:
    """What was written before: a test that is not over, wear, and the pace."""
    unit, signal, start = wish.unit, wish.signal, wish.turn.not_before or clock.now()
    owed = Obligation.objects.open().filter(unit=unit, signal=signal)
    if owed.filter(~Q(docking_step=wish.docking_step) | Q(docking_step=None)).exists():
        return [_("该项目正在测试，原值尚未恢复；恢复后再设定")]
    away = clock.now() - LINE_AWAY
    if GatewayState.objects.filter(
        gateway=unit.gateway_id, connected=False, since__lte=away
    ).exists():
        return [_("通信链路中断已超过 10 分钟，恢复后再设定")]
    worn = pace.worn_out(unit, unit.register_map.parsed().writers(signal)[0])
    if worn:
        return [worn]
    wait = pace.wait_of(unit, wish.reason)
    if wait and wait.until > start + wish.valid_for:
        until = wait.until.astimezone(clock.SHANGHAI).strftime("%H:%M")
        return [_("%(why)s，%(time)s 以后再试") % {"why": wait.why, "time": until}]
    return []


def _against_consent(unit: Unit, reason: str, agreement: str, agreed_on: date | None) -> list[str]:
    """The resident's agreement, where the reason needs one and a resident is there."""
    if agreement and agreement not in Command.Agreement.values:
        return [_("请选择住户同意的方式")]
    if bool(agreement) != bool(agreed_on):
        return [_("住户同意的方式和日期要一起填写")]
    if agreed_on and agreed_on > clock.today():
        return [_("住户同意的日期不能晚于今天")]
    lives_there = unit.installations.filter(removed_on=None).exists()
    if agreement or reason in limits.AGREED_BY_NATURE or not lives_there:
        return []
    return [_("请登记住户同意（方式和日期）；只有防冻和测试不需要")]


# The second person -----------------------------------------------------------------------------


def may_approve(command: Command, by: User) -> bool:
    """Whether this person may agree: somebody else who may command this unit."""
    return (
        command.state == CommandState.AWAITING
        and by.may_command
        and by.pk != command.requested_by_id
        and Unit.objects.visible_to(by).filter(pk=command.unit_id).exists()
    )


def approve(command: Command, by: User) -> bool:
    """The second person agrees: the command is queued; False where it no longer waits for that.

    Raises CommandRefused where this person may not.
    """
    if not by.may_command:
        raise CommandRefused([_("您的角色不能远程设定；请联系镇（街道）或平台服务单位")])
    if by.pk == command.requested_by_id:
        raise CommandRefused([_("申请人不能自己同意，请另一位有权限的人员同意")])
    if not RemoteWriting.is_on():
        raise CommandRefused([_("远程设定总开关已关闭，不下发任何命令")])
    now = clock.now()
    rows = Command.objects.filter(pk=command.pk, state=CommandState.AWAITING, expires_at__gt=now)
    with transaction.atomic():
        done = rows.update(
            state=CommandState.QUEUED,
            approved_by=by,
            approved_at=now,
            expires_at=now + VALID_FOR,
            detail="",
        )
        transaction.on_commit(lambda: wake(command.unit.gateway.line_worker))
    return bool(done)


def cancel(command: Command, by: User) -> bool:
    """Take a waiting command back; False where its bytes may already be on the way, or where it
    restores what a test changed."""
    rows = Command.objects.filter(pk=command.pk, state__in=WAITING)
    return bool(
        rows.exclude(reason=Command.Reason.RESTORE).update(
            state=CommandState.CANCELLED,
            finished_at=clock.now(),
            detail=_("由 %(who)s 取消") % {"who": by},
        )
    )
