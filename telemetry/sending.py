"""The queue of commands between the page and the line: taken, handed back, ended, expired."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import timedelta
from itertools import groupby

from django.db import transaction
from django.db.models import Case, F, Q, QuerySet, When
from django.utils.translation import gettext as _

from devices.modbus import owned
from devices.modbus.points import Scalar
from devices.models import Gateway, Unit
from households import clock
from telemetry import cadence, pace
from telemetry.models import Command, CommandState, RemoteWriting
from telemetry.models.commands import WAITING

ANSWER_WITHIN = timedelta(seconds=60)  # a write with its read-backs at 2, 5 and 10 s fits twice
LINE_AWAY = timedelta(minutes=10)  # then nothing that waited for the line is sent any more
HELD_AGAIN = timedelta(seconds=10)  # a line that holds its writes is not tried at every round
CLAIMED = ["state", "claimed_by", "sending_since", "deadline_at", "detail"]
RESTORING_FIRST = Case(When(reason=Command.Reason.RESTORE, then=0), default=1)


def claim(line_worker: str, start_id: uuid.UUID, gateways: Iterable[int]) -> list[Command]:
    """Take what waits for the connected `gateways` as `sending`: of each unit one command, and
    with it those that set other fields of the same register.

    The claim is committed when this returns: only then may a byte leave. What comes too early by
    the limits is kept back until its time.
    """
    if not RemoteWriting.is_on():
        return []
    taken = []
    with transaction.atomic():
        rows = _due(line_worker, gateways)
        for _unit, waiting in groupby(rows, key=lambda row: row.unit_id):
            first, *others = waiting
            if not _kept_back(first):
                taken += [first, *(row for row in others if _shares_a_write(first, row))]
        now = clock.now()
        for row in taken:
            row.state = CommandState.SENDING
            row.claimed_by = start_id
            row.sending_since = now
            row.deadline_at = now + ANSWER_WITHIN
            row.detail = ""
            row.save(
                update_fields=["state", "claimed_by", "sending_since", "deadline_at", "detail"]
            )
    return taken


def _due(line_worker: str, gateways: Iterable[int]) -> QuerySet[Command]:
    """By unit what may go now, restoring first, then in the order of asking."""
    now = clock.now()
    busy = Command.objects.filter(state=CommandState.SENDING).values("unit")
    return (
        Command.objects.select_for_update(skip_locked=True, of=("self",))
        .filter(state=CommandState.QUEUED)
        .filter(Q(expires_at=None) | Q(expires_at__gt=now))
        .filter(Q(not_before=None) | Q(not_before__lte=now))
        .filter(unit__gateway__in=list(gateways), unit__gateway__line_worker=line_worker)
        .filter(unit__gateway__in=Gateway.objects.writable(), unit__retired_at=None)
        .exclude(unit__in=busy)
        .select_related("unit__register_map")
        .order_by("unit", RESTORING_FIRST, "requested_at", "pk")
    )


def _kept_back(row: Command) -> bool:
    """Whether the unit may not be written yet; then the row says so and waits."""
    wait = pace.wait_of(row.unit, row.reason)
    if wait is None:
        return False
    row.not_before, row.detail = wait.until, wait.why
    row.save(update_fields=["not_before", "detail"])
    return True


def _shares_a_write(first: Command, other: Command) -> bool:
    register_map = first.unit.register_map.parsed()
    pair = register_map.writers(first.signal), register_map.writers(other.signal)
    return all(len(writers) == 1 for writers in pair) and owned.share_a_write(
        pair[0][0], pair[1][0]
    )


def hand_back(pk: uuid.UUID, start_id: uuid.UUID, why: str) -> bool:
    """No byte of this command has left: it waits again, until it expires.

    A newer wish that came meanwhile takes its place.
    """
    sending = Command.objects.filter(pk=pk, claimed_by=start_id, state=CommandState.SENDING)
    free = {"claimed_by": None, "sending_since": None, "deadline_at": None}
    with transaction.atomic():
        row = sending.first()
        if row is None:
            return False
        Unit.objects.select_for_update().get(pk=row.unit_id)  # as `commands.request` does
        same = Command.objects.filter(unit=row.unit_id, signal=row.signal, state__in=WAITING)
        if same.exists():
            end = {"state": CommandState.SUPERSEDED, "finished_at": clock.now()}
            return bool(sending.update(detail=_("有新的命令"), **free, **end))
        later = clock.now() + HELD_AGAIN
        return bool(
            sending.update(state=CommandState.QUEUED, not_before=later, detail=why[:300], **free)
        )


def finish(
    pk: uuid.UUID,
    start_id: uuid.UUID,
    state: str,
    *,
    sent: Scalar = None,
    read_back: Scalar = None,
    detail: str = "",
) -> bool:
    """Write the end of a command that `start_id` is sending; False where it is not (any more).

    What was sent counts as wear of its registers, and its unit is asked more often for a while.
    """
    rows = Command.objects.filter(pk=pk, claimed_by=start_id, state=CommandState.SENDING)
    with transaction.atomic():
        ended = rows.update(
            state=state,
            sent=sent,
            read_back=read_back,
            detail=detail[:300],
            finished_at=clock.now(),
        )
        if ended and sent is not None:
            _went_out(Command.objects.filter(pk=pk))
    return bool(ended)


def _went_out(rows: QuerySet[Command]) -> None:
    for row in rows.select_related("unit__register_map"):
        pace.wear(row)
        cadence.hasten([row.unit_id])


def disown(line_worker: str, start_id: uuid.UUID) -> int:
    """Mark as `unknown` what another start of this line worker, or nobody in time, was sending."""
    now = clock.now()
    rows = Command.objects.filter(
        state=CommandState.SENDING, unit__gateway__line_worker=line_worker
    )
    rows = rows.filter(~Q(claimed_by=start_id) | Q(deadline_at__lt=now))
    with transaction.atomic():
        lost = list(rows.select_for_update(of=("self",)).values_list("pk", flat=True))
        if lost:
            Command.objects.filter(pk__in=lost).update(
                state=CommandState.UNKNOWN,
                sent=F("target"),
                finished_at=now,
                detail=_("采集进程中断，等待下次采集读回核实，不重写"),
            )
            _went_out(Command.objects.filter(pk__in=lost))
    return len(lost)


def expire() -> int:
    """Close what waited too long, or whose line was away too long; Celery's `expires` is no
    safety for a command. What restores a test's change waits for ever."""
    now = clock.now()
    waiting = Command.objects.filter(state__in=WAITING).exclude(reason=Command.Reason.RESTORE)
    away = waiting.filter(
        unit__gateway__state__connected=False, unit__gateway__state__since__lte=now - LINE_AWAY
    )
    over = waiting.filter(expires_at__lte=now)
    return (
        _close(over.filter(state=CommandState.AWAITING), _("有效期内没有第二人同意"))
        + _close(over, _("有效期内未能写入"))
        + _close(away, _("通信链路中断已超过 10 分钟"))
    )


def _close(rows: QuerySet[Command], why: str) -> int:
    return rows.update(state=CommandState.EXPIRED, finished_at=clock.now(), detail=why)
