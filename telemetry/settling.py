"""What became of commands after their end: unknown ones are settled by reading, verified ones are
held against the next poll."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from django.db.models import F, Q
from django.utils.translation import gettext as _

from devices.modbus.points import Scalar
from households import clock
from telemetry import obligations
from telemetry.models import Command, CommandState

SETTLE_AGAIN = timedelta(minutes=5)  # a unit that cannot tell is not asked at every poll
SETTLE_TRIES = 12  # nor for ever: a pulse that hangs would be released again and again
SETTLE_WITHIN = timedelta(hours=24)  # later readings say nothing of this command any more


def unsettled(line_worker: str, gateways: Iterable[int]) -> list[Command]:
    """Commands of unknown end whose units, on these connected gateways, answer again."""
    since = clock.now() - SETTLE_WITHIN
    rows = Command.objects.filter(state=CommandState.UNKNOWN, finished_at__gt=since)
    rows = rows.filter(unit__gateway__in=list(gateways), unit__gateway__line_worker=line_worker)
    rows = rows.filter(
        Q(compared_at=None, unit__state__answered_at__gt=F("finished_at"))
        | Q(unit__state__answered_at__gt=F("compared_at") + SETTLE_AGAIN),
        settle_tries__lt=SETTLE_TRIES,
    )
    return [row for row in rows.select_related("unit") if not _superseded_since(row)]


def settled(pk: uuid.UUID, state: str, read_back: Scalar, detail: str) -> bool:
    """What reading said of a command of unknown end; unknown again waits for the next answer."""
    rows = Command.objects.filter(pk=pk, state=CommandState.UNKNOWN)
    if state not in (CommandState.VERIFIED, CommandState.FAILED):
        rows.update(compared_at=clock.now(), settle_tries=F("settle_tries") + 1)
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
        if command.reason == Command.Reason.RESTORE:
            obligations.reopen(command)
    return not held


def _superseded_since(command: Command) -> bool:
    """Whether a later command wrote the same signal: then the value speaks of that one."""
    later = Command.objects.filter(unit=command.unit_id, signal=command.signal)
    later = later.filter(requested_at__gt=command.requested_at, sending_since__isnull=False)
    return later.exists()


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")
