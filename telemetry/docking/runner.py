"""The steps of the test bench from their rows to the line and back: the keeper's part of it."""

from __future__ import annotations

import time
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from devices.modbus.bench import Options
from devices.modbus.visits import WriteResult
from devices.modbus.words import N_, Sentence
from households import clock
from telemetry import commands, obligations
from telemetry.docking import long_steps, queue
from telemetry.docking.benches import Ask, Benches, StepOrder
from telemetry.models import (
    Command,
    CommandState,
    DockingStep,
    DockingStepState,
    DockingTest,
    Obligation,
)

RESTORED_WITHIN_S = 180.0  # a map may ask for a minute between two writes
GIVEN_UP = (CommandState.EXPIRED, CommandState.SUPERSEDED, CommandState.CANCELLED)
BAD_ENDS = (CommandState.REFUSED, CommandState.FAILED, CommandState.NOT_HELD)


@dataclass(slots=True)
class _Writing:
    """An ask that has become a command, or an obligation that is being fulfilled."""

    ask: Ask
    gateway_id: int
    since: float
    command: uuid.UUID | None = None
    obligation: int | None = None


class Runner:
    """What one line worker's keeper does for the test bench, a `round` at a time."""

    def __init__(self, worker: str, start_id: uuid.UUID, benches: Benches) -> None:
        self._worker = worker
        self._start_id = start_id
        self._benches = benches
        self._writing: list[_Writing] = []
        self._told: dict[int, object] = {}

    def round(self, connected: Collection[int]) -> None:
        """One look at the database; what it refuses now is done at the next round."""
        self.write_ends()
        self._begin_writes()
        self._writing = [one for one in self._writing if not self._is_over(one, connected)]
        _restore_what_was_left()
        queue.disown(self._worker, self._start_id)
        for step in queue.claim(self._worker, self._start_id, connected):
            if step.key not in queue.LONG:
                self._benches.begin(order_of(step))
        self._tell()
        long_steps.look_after(self._worker, self._start_id)

    def write_ends(self) -> None:
        """Store the verdicts that have come."""
        while self._benches.ended:
            end = self._benches.ended[0]
            assert end.result is not None
            queue.finish(end.id, self._start_id, end.result, end.frames, end.left_out)
            self._benches.ended.popleft()  # only now: a lost connection leaves it for later

    def _tell(self) -> None:
        """How running steps go; one that somebody stopped is taken off the line."""
        for told in self._benches.told():
            if not queue.of_start(told.id, self._start_id).exists():
                self._benches.stop(told.id)
            elif self._told.get(told.id) != (told.progress, len(told.frames), told.left_out):
                queue.tell(told.id, self._start_id, told.progress, told.frames, told.left_out)
                self._told[told.id] = (told.progress, len(told.frames), told.left_out)

    # Writes.

    def _begin_writes(self) -> None:
        while self._benches.asks:
            ask = self._benches.asks[0]
            if ask.is_wanted:
                self._begin_write(ask)
            self._benches.asks.popleft()

    def _begin_write(self, ask: Ask) -> None:
        rows = queue.of_start(ask.step_id, self._start_id)
        step = rows.select_related(*queue.OF_ITS_SAMPLE).first()
        if step is None:  # it was stopped meanwhile
            return ask.broken_off()
        one = _Writing(ask, step.test.sample.gateway_id, time.monotonic())
        if ask.what == "write":
            one.command = _request(step, ask)
        elif ask.what == "restore":
            one.obligation = _restore_now(ask)
        else:
            reads = ask.former[0] if ask.former else ""
            one.obligation = obligations.mend(
                step.test.sample, ask.signal, ask.target, reads, step
            ).pk
        if one.command or one.obligation:
            self._writing.append(one)

    def _is_over(self, one: _Writing, connected: Collection[int]) -> bool:
        """Whether the step has been told how this ended."""
        if not one.ask.is_wanted:
            return True
        here = one.gateway_id in connected
        return _is_written(one, here) if one.command else _is_restored(one, here)


def order_of(step: DockingStep) -> StepOrder:
    """A step as the loop takes it."""
    sample, second = step.test.sample, step.test.application.second_sample
    beside = second if second and second.gateway_id == sample.gateway_id else None
    units = {sample.pk} | ({beside.pk} if beside else set())
    return StepOrder(
        step.pk,
        step.key,
        sample.gateway_id,
        sample.pk,
        sample.register_map_id,
        frozenset(units),
        options_of(step),
        misplaced=_are_misplaced(step.test),
    )


def _are_misplaced(run: DockingTest) -> bool:
    """Whether the run's readings were found one register off: a write would hit another one."""
    readings = run.steps.filter(key="readings", state=DockingStepState.FAILED)
    return readings.filter(result__figures__has_key="shift").exists()


def options_of(step: DockingStep) -> Options:
    """What a run says of how its steps are to be done."""
    test = step.test
    version, second = test.sample.register_map, test.application.second_sample
    known = None
    if version.known_address is not None and version.known_word is not None:
        known = version.known_area, version.known_address, version.known_word
    same_line = second is not None and second.gateway_id == test.sample.gateway_id
    neighbours = test.sample.gateway.units.filter(retired_at=None)
    return Options(
        second_address=second.address if second and same_line else None,
        others=tuple(neighbours.values_list("address", flat=True)),
        known=known,
        soak_s=test.soak_s,
        soak_share=test.soak_share,
    )


def _restore_what_was_left() -> None:
    """A step that is over, or was stopped, keeps no test value."""
    left = Obligation.objects.open().filter(docking_step__isnull=False)
    left = left.exclude(docking_step__state=DockingStepState.RUNNING)
    for owed in left.filter(restore_at__gt=clock.now() + timedelta(seconds=1)):
        obligations.restore_now(owed)


def _request(step: DockingStep, ask: Ask) -> uuid.UUID | None:
    """The command of an ask; None where the platform refuses it, which the step is told."""
    assert step.asked_by is not None  # it was queued by somebody
    try:
        return commands.request(
            step.test.sample,
            ask.signal,
            ask.target,
            by=step.asked_by,
            purpose=Command.Reason.TEST,
            note=step.test.application.number,
            present=True,
            former=ask.former,
            docking_step=step,
        ).pk
    except commands.CommandRefused as refusal:
        ask.refused(Sentence(N_("平台没有下发：%(why)s"), why=str(refusal)))
        return None


def _is_written(one: _Writing, connected: bool) -> bool:
    assert one.command
    row = Command.objects.get(pk=one.command)
    if row.is_open:
        if not connected and row.is_waiting and commands.cancel(row, row.requested_by):
            one.ask.broken_off()
            return True
        return False
    if row.sent is None and row.state in GIVEN_UP:
        one.ask.refused(Sentence(N_("平台没有下发：%(why)s"), why=row.detail))
    elif row.state == CommandState.UNKNOWN and not connected:
        one.ask.broken_off()
    else:
        one.ask.ended(_result(row))
    return True


def _result(row: Command) -> WriteResult:
    notes = (Sentence("%(text)s", text=row.detail),) if row.detail else ()
    state = "failed" if row.state == CommandState.NOT_HELD else row.state
    return WriteResult(state, row.sent, row.read_back, notes)  # type: ignore[arg-type]


def _restore_now(ask: Ask) -> int | None:
    """The obligation that the step wants fulfilled; None where nothing is owed, which it is
    told."""
    owed = Obligation.objects.open().filter(unit=ask.unit_id, signal=ask.signal).first()
    if owed is None:
        ask.ended(WriteResult("verified", None, None))
        return None
    obligations.restore_now(owed)
    return owed.pk


def _is_restored(one: _Writing, connected: bool) -> bool:
    assert one.obligation
    owed = Obligation.objects.get(pk=one.obligation)
    last = owed.commands.filter(reason=Command.Reason.RESTORE).order_by("requested_at").last()
    if owed.fulfilled_at:
        changed = owed.ending == Obligation.Ending.CHANGED
        notes = (Sentence(N_("现场已改为其他值")),) if changed else ()
        one.ask.ended(WriteResult("failed" if changed else "verified", owed.former, None, notes))
    elif not connected:
        one.ask.broken_off()
    elif last and last.state in BAD_ENDS:
        one.ask.ended(_result(last))
    elif time.monotonic() - one.since > RESTORED_WITHIN_S:
        one.ask.ended(WriteResult("unknown", None, None))
    else:
        return False
    return True
