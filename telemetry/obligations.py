"""A test never leaves a house cold: what a test changed is put back, whatever happens between.

`owe` stores the obligation before the test's first byte; `carry_out`, called by the keeper of the
line, puts the value back as soon as its time has come and the unit is there, and again until the
unit shows it. What stands too long is an alarm (Obligation.objects.overdue).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from devices.modbus.points import Scalar
from devices.models import Unit
from households import clock
from telemetry import limits, points
from telemetry.limits import CommandRefused
from telemetry.models import Command, CommandState, DockingStep, Obligation
from telemetry.models.commands import WAITING
from telemetry.models.writing import RESTORE_WITHIN

READ_WITHIN = timedelta(minutes=15)  # an older value is none to go back to
LONGEST_PAUSE = timedelta(minutes=30)
BENCH_WITHIN = timedelta(minutes=10)  # a sample keeps a test value until its step has seen it held


def owe(test: Command, docking_step: DockingStep | None = None) -> Obligation | None:
    """Store what this test, not yet queued, has to put back; None where it changes nothing.

    `docking_step` is the step of the test bench that writes, if one does. Raises CommandRefused
    where the value could not be put back, or where off would be last.
    """
    owed = Obligation.objects.open().filter(unit=test.unit, signal=test.signal).first()
    if owed:  # of the same step, which writes once more: what stood first is what is put back
        return owed
    if docking_step and _switches_on(test):  # a sample that was found off: off is never owed
        return None
    against = _against(test)
    if against:
        raise CommandRefused([against])
    if test.target == test.before:
        return None
    now = clock.now()
    at_bench = docking_step is not None and test.signal != "power_state"
    return Obligation.objects.create(
        unit=test.unit,
        signal=test.signal,
        former=test.before,
        test_value=test.target,
        by=test.requested_by,
        docking_step=docking_step,
        made_at=now,
        restore_at=now + (BENCH_WITHIN if at_bench else RESTORE_WITHIN),
    )


def mend(
    unit: Unit, signal: str, former: Scalar, now_reads: Scalar, step: DockingStep
) -> Obligation:
    """Owe what a test changed without writing it, as a reset that switches off; at once."""
    assert step.asked_by is not None  # it was queued by somebody
    now = clock.now()
    found = {"former": former, "test_value": now_reads, "by": step.asked_by, "docking_step": step}
    owed, is_new = Obligation.objects.get_or_create(
        unit=unit,
        signal=signal,
        fulfilled_at=None,
        defaults={**found, "made_at": now, "restore_at": now},
    )
    if not is_new:  # it had a test's value, which something else changed: still to be put back
        owed.test_value, owed.restore_at = now_reads, now
        owed.save(update_fields=["test_value", "restore_at"])
    return owed


def _against(test: Command) -> str:
    fresh = test.before_at and test.before_at >= clock.now() - READ_WITHIN
    if test.before is None or not fresh:
        return _("测试前须先读到原值（15 分钟内），否则无法恢复")
    if test.signal == "power_state" and test.before is False:
        return _("机组已关机：测试不能以关机结束，请先开机再测试")
    writer = test.unit.register_map.parsed().writers(test.signal)[0]
    barred = limits.against_value(writer, test.before, by_policy=False)
    if barred:
        former = points.show(test.signal, test.before)
        return _("原值 %(former)s 按设备点表无法写回，不能测试：%(why)s") % {
            "former": former,
            "why": barred[0],
        }
    return ""


def _switches_on(test: Command) -> bool:
    return test.signal == "power_state" and test.before is False and test.target is True


def against_cold_test(cold: str, present: bool) -> list[str]:
    """Where a test would stop a house's heating in the cold: somebody must stand beside it."""
    if present:
        return []
    return [_("%(why)s：安装人员须在场（至多停 60 秒），或改为“开机→开机”测试") % {"why": cold}]


def restore_now(obligation: Obligation) -> None:
    """The test is over: put the value back at once."""
    Obligation.objects.open().filter(pk=obligation.pk, restore_at__gt=clock.now()).update(
        restore_at=clock.now()
    )


def carry_out(line_worker: str, gateways: Iterable[int]) -> None:
    """Put back what is due on these connected gateways; end what is put back already."""
    rows = Obligation.objects.open().filter(
        unit__gateway__in=list(gateways), unit__gateway__line_worker=line_worker
    )
    rows = rows.select_related("unit__state", "unit__register_map", "by")
    for obligation in sorted(rows, key=lambda owed: owed.signal != "power_state"):  # off first
        _look_after(obligation)


def _look_after(owed: Obligation) -> None:
    last = owed.commands.order_by("-requested_at", "-pk").first()
    if last is None:
        _mend(owed)
    if last is None or last.is_open:
        return
    if last.reason == Command.Reason.RESTORE and last.state == CommandState.VERIFIED:
        _end(owed, Obligation.Ending.RESTORED)
    elif last.reason == Command.Reason.TEST and last.sent is None:
        _end(owed, Obligation.Ending.UNSENT)
    else:
        _judge(owed, last, _shown(owed, last))


def _mend(owed: Obligation) -> None:
    """What no command changed: see `mend`."""
    if owed.docking_step_id and clock.now() >= owed.restore_at:
        _restore(owed)


def _judge(owed: Obligation, last: Command, shown: Scalar) -> None:
    """By what the unit shows since the last write; None, while it has not told, decides nothing."""
    if shown is None:
        return
    if shown == owed.former:
        restored = last.reason == Command.Reason.RESTORE
        _end(owed, Obligation.Ending.RESTORED if restored else Obligation.Ending.FORMER)
    elif not _is_of_the_test(owed, shown):
        _end(owed, Obligation.Ending.CHANGED)
    elif clock.now() >= max(owed.restore_at, _next_try(owed, last)):
        _restore(owed)


def _shown(owed: Obligation, last: Command) -> Scalar:
    """What the unit shows since the end of the last write: its newest reading, else what was
    read back with it."""
    state = getattr(owed.unit, "state", None)
    entry = state.entry(owed.signal) if state else {}
    assert last.finished_at is not None  # it is not open
    ended = last.finished_at.astimezone(UTC)
    if entry.get("quality") == "good" and datetime.fromisoformat(entry["at"]) > ended:
        value: Scalar = entry["value"]
        return value
    return last.read_back if last.state == CommandState.VERIFIED else None


def _is_of_the_test(owed: Obligation, shown: Scalar) -> bool:
    """Whether the unit still has the test value, as it was asked for or as it reads."""
    tests = owed.commands.filter(reason=Command.Reason.TEST)
    reads = tests.values_list("sent", "read_back")
    return shown == owed.test_value or any(shown in pair for pair in reads)


def _next_try(owed: Obligation, last: Command) -> datetime:
    """Attempts that failed are spaced more and more, up to half an hour."""
    if not owed.tries or last.finished_at is None:
        return owed.made_at
    return last.finished_at + min(timedelta(minutes=2 ** min(owed.tries - 1, 10)), LONGEST_PAUSE)


def _restore(owed: Obligation) -> None:
    """Queue the restoring write: it does not expire and waits for no budget."""
    low, high = limits.bounds(
        owed.unit.register_map.parsed().writers(owed.signal)[0], by_policy=False
    )
    with transaction.atomic():
        Unit.objects.select_for_update().get(pk=owed.unit_id)
        waiting = Command.objects.filter(unit=owed.unit_id, signal=owed.signal, state__in=WAITING)
        if waiting.exists():
            return
        Command.objects.create(
            unit=owed.unit,
            signal=owed.signal,
            target=owed.former,
            before=owed.test_value,
            reason=Command.Reason.RESTORE,
            limits={"min": low, "max": high},
            requested_by=owed.by,
            expires_at=None,
            obligation=owed,
        )
        owed.tries += 1
        owed.save(update_fields=["tries"])


def _end(owed: Obligation, ending: Obligation.Ending) -> None:
    Obligation.objects.open().filter(pk=owed.pk).update(fulfilled_at=clock.now(), ending=ending)


def reopen(restoring: Command) -> None:
    """The unit took a restored value back: it is owed again, unless a newer test owes it."""
    newer = Obligation.objects.open().filter(unit=restoring.unit_id, signal=restoring.signal)
    if restoring.obligation and not newer.exists():
        same = Obligation.objects.filter(pk=restoring.obligation.pk)
        same.update(fulfilled_at=None, ending="")
