"""Steps that last for hours: judged by what the ordinary polls stored, under whatever starts of the
line worker. Only time in which a line worker lived counts, so that its own standstill proves and
disproves nothing.

The soak begins by writing a room setpoint that it keeps until its end: it must still be there then.
"""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet, Sum, TextField, Value
from django.db.models.functions import Cast, Coalesce
from django.utils.translation import gettext as _

from devices.modbus import policy
from devices.modbus.bench import Result
from devices.modbus.bench.movement import MOVES, Movement
from devices.modbus.bench.names import called
from devices.modbus.bench.soak import (
    HELD_SIGNAL,
    judge_movement,
    judge_soak,
    judge_traffic,
    resolution_of,
    stuck_advice,
)
from devices.modbus.points import Scalar
from devices.modbus.words import N_, Sentence
from households import clock
from telemetry import commands, obligations
from telemetry.docking import queue
from telemetry.models import (
    Command,
    DockingStep,
    GatewayMonth,
    MissedPolls,
    Obligation,
    Reading,
    UnitState,
)

LOOK = timedelta(seconds=5)
HEARD_WITHIN = timedelta(minutes=10)
ALIVE = timedelta(seconds=60)  # between two looks; what is longer was a standstill
LONGEST = timedelta(days=8)  # of a soak, with its standstills
# A poll that was not answered whole, as the text of its reasons has it.
_GAPS = Q(why__contains='"not_answered"') | Q(why__contains='"exception:')


def look_after(line_worker: str, start_id: uuid.UUID) -> None:
    """Begin, carry on and end the long steps on the lines of this worker."""
    rows = queue.running(line_worker).filter(key__in=queue.LONG)
    for step in rows.select_related(*queue.OF_ITS_SAMPLE):
        if step.start_id != start_id:
            DockingStep.objects.filter(pk=step.pk).update(start_id=start_id)
            step.start_id = start_id
        if "since" not in step.entered:
            if _may_begin(step):
                _begin(step)
        elif _looked_at(step) <= clock.now() - LOOK:
            _go_on(step)


def _may_begin(step: DockingStep) -> bool:
    """Once the sample is owed nothing and was heard; after a while without that too."""
    sample = step.test.sample
    if Obligation.objects.open().filter(unit=sample).exists():
        return False
    _value, at = _reads(step)
    now = clock.now()
    assert step.started_at is not None  # it runs
    heard = at is not None and at > now - obligations.READ_WITHIN
    return heard or step.key != "soak" or step.started_at < now - HEARD_WITHIN


def _begin(step: DockingStep) -> None:
    """What counts from now on, and for the soak the value to be kept."""
    now = clock.now().isoformat()
    step.entered = {"since": now, "looked_at": now, "covered_s": 0.0, **_counts(step)}
    if step.key == "soak":
        step.entered |= _hold(step)
    step.save(update_fields=["entered"])


def _counts(step: DockingStep) -> dict[str, int]:
    sample = step.test.sample
    months = GatewayMonth.objects.filter(gateway=sample.gateway_id)
    carried = months.aggregate(bytes_in=Sum("bytes_in"), bytes_out=Sum("bytes_out"))
    missed = MissedPolls.objects.filter(unit_id=sample.pk).aggregate(n=Sum("count"))["n"]
    return {"missed": missed or 0, **{name: n or 0 for name, n in carried.items()}}


def _go_on(step: DockingStep) -> None:
    now = clock.now()
    elapsed = now - _looked_at(step)
    if elapsed <= ALIVE:
        step.entered["covered_s"] += elapsed.total_seconds()
    step.entered["looked_at"] = now.isoformat()
    if step.entered["covered_s"] >= step.test.soak_s:
        step.entered.setdefault("over_at", now.isoformat())
    step.save(update_fields=["entered"])
    if not _is_over(step):
        _tell(step)
        return
    result = _soak(step) if step.key == "soak" else _traffic(step)
    assert step.start_id is not None
    queue.finish(step.pk, step.start_id, result, [], 0)


def _is_over(step: DockingStep) -> bool:
    """Whether its time is over; of a soak, and its setpoint was read since then, or never will."""
    if "over_at" not in step.entered:
        return False
    if "command" not in step.entered:
        return True
    over, (_value, read_at) = datetime.fromisoformat(step.entered["over_at"]), _reads(step)
    return clock.now() > over + HEARD_WITHIN or (read_at is not None and read_at > over)


def _looked_at(step: DockingStep) -> datetime:
    return datetime.fromisoformat(step.entered["looked_at"])


def _tell(step: DockingStep) -> None:
    done, whole = step.entered["covered_s"], step.test.soak_s
    answered, missed = _readings(step).count(), _missed(step)
    progress = Sentence(
        N_("已进行 %(done)s，共 %(whole)s；采集 %(answered)d/%(all)d 次"),
        done=_duration(done),
        whole=_duration(whole),
        answered=answered,
        all=answered + missed,
    )
    assert step.start_id is not None
    queue.tell(step.pk, step.start_id, progress, [], 0)


def _duration(seconds: float) -> str:
    hours, rest = divmod(round(seconds), 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}"


def _readings(step: DockingStep) -> QuerySet[Reading]:
    """The polls that were answered since the step began."""
    since = datetime.fromisoformat(step.entered["since"])
    return Reading.objects.filter(unit_id=step.test.sample_id, at__gt=since)


def _missed(step: DockingStep) -> int:
    return _counts(step)["missed"] - int(step.entered["missed"])


def _reads(step: DockingStep) -> tuple[Scalar, datetime | None]:
    """The setpoint that the sample has, and when it was read."""
    state = UnitState.objects.filter(unit=step.test.sample_id).first()
    return commands.read_last(state, HELD_SIGNAL)


# The soak --------------------------------------------------------------------------------------


def _hold(step: DockingStep) -> dict[str, Any]:
    """Have another room setpoint written; what it is, or why none is."""
    sample = step.test.sample
    writers = sample.register_map.parsed().writers(HELD_SIGNAL)
    current, _at = _reads(step)
    if not writers or current is None:
        return {"not_held": _("没有可写的设定室温，或没有读到")}
    assert isinstance(current, int | float)  # the signal's kind
    target = policy.trial_number(writers[0], current)
    if target is None:
        return {"not_held": _("点表和平台的限值没有留下别的设定值")}
    assert step.asked_by is not None  # it was queued by somebody
    try:
        command = commands.request(
            sample,
            HELD_SIGNAL,
            target,
            by=step.asked_by,
            purpose=Command.Reason.TEST,
            note=step.test.application.number,
            present=True,
            docking_step=step,
        )
    except commands.CommandRefused as refusal:
        return {"not_held": str(refusal)}
    keep = Obligation.objects.filter(commands=command)
    keep.update(restore_at=clock.now() + LONGEST)
    return {"command": str(command.pk)}


def _soak(step: DockingStep) -> Result:
    """The verdict: enough polls answered, the value still there, and readings that move."""
    rows = _readings(step)
    reasons = Coalesce(Cast("not_good", TextField()), Value("", TextField()))
    whole = rows.annotate(why=reasons).exclude(_GAPS).count()
    polls = rows.count() + _missed(step)
    written, reads = _held(step)
    result = judge_soak(
        seconds=step.entered["covered_s"],
        polls=polls,
        answered=whole,
        share=step.test.soak_share,
        held=None if written is None else reads == written,
        setpoint=(written, reads),
    )
    if result.state != "passed":
        return result
    movement = _movement(step, rows)
    if movement.stuck:
        return _is_stuck(step, movement.stuck, result)
    result = judge_movement(result, movement, step.entered["covered_s"])
    if result.state != "passed" or written is not None:
        return result
    return _unproven(step, result)


def _held(step: DockingStep) -> tuple[Scalar, Scalar]:
    """What was written at the beginning, and what the sample reads now; None where nothing was
    written."""
    command = Command.objects.filter(pk=step.entered.get("command")).first()
    if command is None or command.sent is None:
        return None, None
    return command.sent, _reads(step)[0]


def _unproven(step: DockingStep, result: Result) -> Result:
    command = Command.objects.filter(pk=step.entered.get("command")).first()
    why = command.detail if command else step.entered["not_held"]
    finding = Sentence(N_("设定室温没有写入测试值，保持未验证：%(why)s"), why=why)
    return replace(result, state="unproven", finding=finding)


def _movement(step: DockingStep, rows: QuerySet[Reading]) -> Movement:
    """How supply and return moved."""
    movement = Movement(resolution_of(step.test.sample.register_map.parsed()))
    for at, *values in rows.order_by("at").values_list("at", *MOVES).iterator():
        numbers = {name: v for name, v in zip(MOVES, values, strict=True) if v is not None}
        movement.add(at.timestamp(), numbers)
    return movement


def _is_stuck(step: DockingStep, signal: str, result: Result) -> Result:
    points = step.test.sample.register_map.parsed()
    name = called(signal, points.settings.medium)
    return replace(
        result,
        state="failed",
        finding=Sentence(N_("%(name)s 全程停在一个值不变"), name=name),
        advice=stuck_advice(name, points.point(signal)),
    )


# Traffic ---------------------------------------------------------------------------------------


def _traffic(step: DockingStep) -> Result:
    """What the line carried, reckoned for a day and a month."""
    now, before = _counts(step), step.entered
    return judge_traffic(
        bytes_in=now["bytes_in"] - int(before["bytes_in"]),
        bytes_out=now["bytes_out"] - int(before["bytes_out"]),
        seconds=before["covered_s"],
    )
