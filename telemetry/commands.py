"""Way 2 of the house: a wish to change a heating unit, from the button to its proven end.

The row is the queue. `request` makes it, `claim` commits `sending` before the first byte leaves,
`finish` writes the end. A row whose process died becomes `unknown` and is settled by reading what
the unit says when it answers again, never by writing; a verified value is looked at once more
with the next poll and becomes `not_held` where the unit took it back.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import isfinite

from celery import current_app
from django.db import transaction
from django.db.models import F, Q
from django.utils.translation import gettext as _
from kombu.exceptions import OperationalError

from devices.modbus.points import Point, Scalar
from devices.models import Gateway, Unit
from households import clock
from households.models import User
from telemetry import points
from telemetry.models import Command, CommandState, UnitState

ANSWER_WITHIN = timedelta(seconds=60)  # a write with its read-backs at 2, 5 and 10 s fits twice
SETTLE_AGAIN = timedelta(minutes=5)  # a unit that cannot tell is not asked at every poll
SETTLE_WITHIN = timedelta(hours=24)  # later readings say nothing of this command any more
SETTABLE = (
    "indoor_temp_setpoint",
    "supply_temp_setpoint",
    "return_temp_setpoint",
    "power_state",
    "mode",
    "alarm_reset",
)
# Policy of the platform (the wire paper, "Limits of writing"); the map's own limits come on top.
POLICY: dict[str, tuple[float | None, float | None]] = {
    "indoor_temp_setpoint": (16, 26),
    "supply_temp_setpoint": (None, 60),
    "return_temp_setpoint": (None, 60),
}


class CommandRefused(Exception):
    """The wish is not taken; `messages` says why, each in words."""

    def __init__(self, messages: list[str]) -> None:
        super().__init__("；".join(messages))
        self.messages = messages


@dataclass(frozen=True)
class Setting:
    """One thing that a unit lets people set: `kind` is number, choice or action (reset)."""

    signal: str
    label: str
    kind: str
    unit: str = ""
    current: Scalar = None
    min: float | None = None
    max: float | None = None
    step: float | None = None
    choices: tuple[tuple[Scalar, str], ...] = ()


def settable(unit: Unit) -> list[Setting]:
    """What the unit's register map lets one write of the five writings of Annex 2 item 2."""
    register_map = unit.register_map.parsed()
    state = UnitState.objects.filter(unit=unit).first()
    found = []
    for signal in SETTABLE:
        writers = register_map.writers(signal)
        if writers:
            now = state.entry(signal).get("value") if state else None
            found.append(_setting(writers[0], unit.model.medium, now))
    return found


def _setting(point: Point, medium: str, current: Scalar) -> Setting:
    label = points.label(point.signal, medium)
    if point.signal == "alarm_reset":
        return Setting(point.signal, label, "action")
    choices = _choices(point)
    if choices:
        return Setting(point.signal, label, "choice", current=current, choices=choices)
    low, high = _limits(point)
    step = float(point.step) if point.step else None
    return Setting(point.signal, label, "number", point.unit, current, low, high, step)


def _choices(point: Point) -> tuple[tuple[Scalar, str], ...]:
    if point.is_bool:
        return (True, points.show(point.signal, True)), (False, points.show(point.signal, False))
    labels = point.write_allowed or tuple(point.write_enum.values())
    return tuple((label, points.show(point.signal, label)) for label in labels)


def _limits(point: Point) -> tuple[float | None, float | None]:
    """Intersection of the platform's policy with the map's own limits."""
    low, high = POLICY.get(point.signal, (None, None))
    lows = [float(bound) for bound in (low, point.min) if bound is not None]
    highs = [float(bound) for bound in (high, point.max) if bound is not None]
    return (max(lows) if lows else None, min(highs) if highs else None)


def request(
    unit: Unit, signal: str, target: Scalar, *, by: User, reason: str, note: str = ""
) -> Command:
    """Queue the wish to set `signal` to `target`; a waiting wish for the same signal is replaced.

    `target` is an engineering value: number, true/false, or a label of the map. Raises
    CommandRefused with every sentence that stands against it.
    """
    against = _against(unit, signal, target, by, reason)
    if against:
        raise CommandRefused(against)
    with transaction.atomic():
        Unit.objects.select_for_update().get(pk=unit.pk)  # one wish for a unit at a time
        _supersede(unit, signal)
        state = UnitState.objects.filter(unit=unit).first()
        command = Command.objects.create(
            unit=unit,
            signal=signal,
            target=target,
            before=state.entry(signal).get("value") if state else None,
            reason=reason,
            note=note,
            limits=_limits_of(unit, signal),
            requested_by=by,
        )
        transaction.on_commit(lambda: _wake(unit.gateway.line_worker))
    return command


def _wake(line_worker: str) -> None:
    """A task that only wakes; where the broker is away the line worker looks within a second."""
    with contextlib.suppress(OperationalError):
        current_app.send_task(
            "telemetry.wake_line_worker", queue=f"lines.{line_worker}", retry=False, expires=30
        )


def _supersede(unit: Unit, signal: str) -> None:
    waiting = Command.objects.filter(unit=unit, signal=signal, state=CommandState.QUEUED)
    waiting.update(
        state=CommandState.SUPERSEDED,
        finished_at=clock.now(),
        detail=_("%(time)s 有新的命令")
        % {"time": clock.now().astimezone(clock.SHANGHAI).strftime("%H:%M")},
    )


def _limits_of(unit: Unit, signal: str) -> dict[str, float | None]:
    low, high = _limits(unit.register_map.parsed().writers(signal)[0])
    return {"min": low, "max": high}


def _against(unit: Unit, signal: str, target: Scalar, by: User, reason: str) -> list[str]:
    if not by.may_command:
        return [_("您的角色不能远程设定；请联系镇（街道）或平台服务单位")]
    if unit.retired_at or not unit.gateway.enabled:
        return [_("该机组已停用，不能远程设定")]
    if unit.gateway.why_read_only:
        return [unit.gateway.why_read_only]
    if reason not in Command.Reason.values:
        return [_("请选择原因")]
    writers = unit.register_map.parsed().writers(signal) if signal in SETTABLE else ()
    if not writers:
        return [_("该机组的点表没有可写的“%(name)s”") % {"name": points.label(signal)}]
    return _against_value(writers[0], target)


def _against_value(point: Point, target: Scalar) -> list[str]:
    if point.signal == "alarm_reset":
        return [] if target is True else [_("报警复位只有“执行”一种")]
    choices = [value for value, _label in _choices(point)]
    if choices:
        if target in choices and isinstance(target, type(choices[0])):
            return []
        allowed = "、".join(label for _value, label in _choices(point))
        return [_("只能选：%(choices)s") % {"choices": allowed}]
    if isinstance(target, bool) or not isinstance(target, int | float) or not isfinite(target):
        return [_("请填数字")]
    return _against_number(point, float(target))


def _against_number(point: Point, target: float) -> list[str]:
    for who, low, high in (
        (_("平台规定"), *POLICY.get(point.signal, (None, None))),
        (_("设备点表"), point.min, point.max),
    ):
        if (low is not None and target < low) or (high is not None and target > high):
            return [_outside(who, point, low, high)]
    step = float(point.step) if point.step else 0
    base = float(point.min or 0)
    if step and abs((target - base) / step - round((target - base) / step)) > 1e-6:
        return [_("步长为 %(step)g") % {"step": step}]
    return []


def _outside(who: str, point: Point, low: object, high: object) -> str:
    if low is None:
        return _("超出范围：%(who)s至多 %(max)s %(unit)s") % {
            "who": who,
            "max": high,
            "unit": point.unit,
        }
    if high is None:
        return _("超出范围：%(who)s至少 %(min)s %(unit)s") % {
            "who": who,
            "min": low,
            "unit": point.unit,
        }
    return _("超出范围：%(who)s %(min)s 至 %(max)s %(unit)s") % {
        "who": who,
        "min": low,
        "max": high,
        "unit": point.unit,
    }


def cancel(command: Command, by: User) -> bool:
    """Take a waiting command back; False where its bytes may already be on the way."""
    return bool(
        Command.objects.filter(pk=command.pk, state=CommandState.QUEUED).update(
            state=CommandState.CANCELLED,
            finished_at=clock.now(),
            detail=_("由 %(who)s 取消") % {"who": by},
        )
    )


def claim(line_worker: str, start_id: uuid.UUID, gateways: Iterable[int]) -> list[Command]:
    """Take the waiting commands of the connected `gateways`, one per unit, as `sending`.

    The claim is committed when this returns: only then may a byte leave.
    """
    now = clock.now()
    busy = Command.objects.filter(state=CommandState.SENDING).values("unit")
    with transaction.atomic():
        rows = (
            Command.objects.select_for_update(skip_locked=True, of=("self",))
            .filter(state=CommandState.QUEUED, expires_at__gt=now)
            .filter(unit__gateway__in=list(gateways), unit__gateway__line_worker=line_worker)
            .filter(unit__gateway__in=Gateway.objects.writable(), unit__retired_at=None)
            .exclude(unit__in=busy)
            .select_related("unit")
            .order_by("requested_at", "pk")
        )
        first = {row.unit_id: row for row in reversed(rows)}
        for row in first.values():
            row.state = CommandState.SENDING
            row.claimed_by = start_id
            row.sending_since = now
            row.deadline_at = now + ANSWER_WITHIN
            row.save(update_fields=["state", "claimed_by", "sending_since", "deadline_at"])
    return list(first.values())


def finish(
    pk: uuid.UUID,
    start_id: uuid.UUID,
    state: str,
    *,
    sent: Scalar = None,
    read_back: Scalar = None,
    detail: str = "",
) -> bool:
    """Write the end of a command that `start_id` is sending; False where it is not (any more)."""
    rows = Command.objects.filter(pk=pk, claimed_by=start_id, state=CommandState.SENDING)
    return bool(
        rows.update(
            state=state,
            sent=sent,
            read_back=read_back,
            detail=detail[:300],
            finished_at=clock.now(),
        )
    )


def expire() -> int:
    """Close what waited too long; Celery's `expires` is no safety for a command."""
    now = clock.now()
    return Command.objects.filter(state=CommandState.QUEUED, expires_at__lte=now).update(
        state=CommandState.EXPIRED, finished_at=now, detail=_("有效期内未能写入")
    )


def disown(line_worker: str, start_id: uuid.UUID) -> int:
    """Mark as `unknown` what another start of this line worker, or nobody in time, was sending."""
    now = clock.now()
    rows = Command.objects.filter(
        state=CommandState.SENDING, unit__gateway__line_worker=line_worker
    )
    rows = rows.filter(~Q(claimed_by=start_id) | Q(deadline_at__lt=now))
    return rows.update(
        state=CommandState.UNKNOWN,
        sent=F("target"),
        finished_at=now,
        detail=_("采集进程中断，等待下次采集读回核实，不重写"),
    )


def unsettled(line_worker: str, gateways: Iterable[int]) -> list[Command]:
    """Commands of unknown end whose units, on these connected gateways, answer again."""
    since = clock.now() - SETTLE_WITHIN
    rows = Command.objects.filter(state=CommandState.UNKNOWN, finished_at__gt=since)
    rows = rows.filter(unit__gateway__in=list(gateways), unit__gateway__line_worker=line_worker)
    rows = rows.filter(
        Q(compared_at=None, unit__state__answered_at__gt=F("finished_at"))
        | Q(unit__state__answered_at__gt=F("compared_at") + SETTLE_AGAIN)
    )
    return [row for row in rows.select_related("unit") if not _superseded_since(row)]


def settled(pk: uuid.UUID, state: str, read_back: Scalar, detail: str) -> bool:
    """What reading said of a command of unknown end; unknown again waits for the next answer."""
    rows = Command.objects.filter(pk=pk, state=CommandState.UNKNOWN)
    if state not in (CommandState.VERIFIED, CommandState.FAILED):
        rows.update(compared_at=clock.now())
        return False
    words = _("事后读回一致") if state == CommandState.VERIFIED else _("事后读回不一致")
    text = "；".join(filter(None, (words, detail)))[:300]
    return bool(rows.update(state=state, read_back=read_back, detail=text, compared_at=clock.now()))


def compare() -> int:
    """Hold verified commands once more against the next poll: a value that the unit took back is
    `not_held`. Answers how many were not."""
    since = clock.now() - SETTLE_WITHIN
    rows = Command.objects.filter(state=CommandState.VERIFIED, compared_at=None)
    rows = rows.filter(finished_at__gt=since, unit__state__answered_at__gt=F("finished_at"))
    return sum(_is_not_held(row) for row in rows.select_related("unit__state"))


def _is_not_held(command: Command) -> bool:
    entry = command.unit.state.entry(command.signal)
    assert command.finished_at is not None  # `compare` asked for ended ones
    if entry and (entry["quality"] != "good" or entry["at"] <= _iso(command.finished_at)):
        return False  # a bad or an older value says nothing; the next one may
    wanted = command.target if command.sent is None else command.sent
    held = not entry or entry["value"] == wanted or _superseded_since(command)
    row = Command.objects.filter(pk=command.pk, state=CommandState.VERIFIED)
    if held:  # a pulse has no value of its own: its idle state was read back
        row.update(compared_at=clock.now())
    else:
        row.update(
            state=CommandState.NOT_HELD,
            detail=_("下次采集时已不是设定的值"),
            read_back=entry["value"],
            compared_at=clock.now(),
        )
    return not held


def _superseded_since(command: Command) -> bool:
    """Whether a later command wrote the same signal: then the value speaks of that one."""
    later = Command.objects.filter(unit=command.unit_id, signal=command.signal)
    later = later.filter(requested_at__gt=command.requested_at, sending_since__isnull=False)
    return later.exists()


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")
