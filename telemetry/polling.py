"""Polling on the loop's own clock: one `Poller` per gateway, which owns its line.

Phases are spread over the interval, missed polls are not queued up, a silent unit is asked when
its line says so; what was not asked is still due and counts as missed. Commands go out between two
requests because the line takes them first. When a line or a unit comes back from an outage, its
values are not believed for two minutes, and nothing is written for three.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext as _

from devices.modbus import blocks, transports, visits, wires
from devices.modbus.bench import Bench
from devices.modbus.line import LineDown
from devices.modbus.pointmap import PointMap
from devices.modbus.switchboard import Switchboard
from devices.modbus.words import N_
from telemetry.asking import RETURNED, Asking
from telemetry.keeping import LineCondition, Order, Outcome
from telemetry.line_figures import Problem, figures_of, problems_of
from telemetry.roster import Before, GatewaySpec, UnitSpec
from telemetry.rows import Missed, Polled
from telemetry.tracing import Chunk, Recording
from telemetry.unit_clock import UNKNOWN, Changed, UnitClock

log = logging.getLogger(__name__)

Sink = Callable[[Polled | Missed], None]
AFTER_A_WRITE_S = 1.0
NO_ADDRESS: frozenset[int] = frozenset()  # only native addresses need to be on record


class Poller:
    """One gateway: its line, the clocks of the units behind it, and the task that polls them.

    Made, changed and closed inside the loop. `condition` may be read from any thread.
    """

    __slots__ = (
        "_asking",
        "_clocks",
        "_heap",
        "_line",
        "_loop",
        "_maps",
        "_on_record",
        "_recording",
        "_resting",
        "_sink",
        "_sleeps",
        "_task",
        "_transport",
        "_wanted",
        "_wire",
        "problems",
        "spec",
    )

    def __init__(
        self,
        spec: GatewaySpec,
        maps: Mapping[int, PointMap],
        switchboard: Switchboard | None,
        sink: Sink,
        *,
        before: Mapping[int, Before] | None = None,
        tell: Callable[[Changed], None] = lambda changed: None,
    ) -> None:
        self.spec = spec
        self.problems: tuple[Problem, ...] = ()
        self._sink = sink
        self._maps = maps
        self._clocks: dict[int, UnitClock] = {}
        self._heap: list[tuple[float, int]] = []
        self._resting: frozenset[int] = frozenset()
        self._wanted: set[int] = set()
        self._sleeps: asyncio.Future[None] | None = None
        self._loop = asyncio.get_running_loop()
        self._wire = _wire_of(spec, maps)
        self._transport = transports.open(self._wire.url, switchboard)
        self._on_record: set[int] | frozenset[int] = set() if self._wire.width == 2 else NO_ADDRESS
        self._line = wires.line_on(self._transport, self._wire, self._on_record)
        self._recording: Recording | None = None
        self._asking = Asking(self._line, self._transport, self._plan, tell)
        self.take_up(spec, maps, before or {})
        self._transport.keep()
        self._task = self._loop.create_task(self._run())

    def fits(self, spec: GatewaySpec, maps: Mapping[int, PointMap]) -> bool:
        """Whether the line can stay open as it is with this news."""
        return _wire_of(spec, maps) == self._wire

    def take_up(
        self, spec: GatewaySpec, maps: Mapping[int, PointMap], before: Mapping[int, Before]
    ) -> None:
        """Poll the units of `spec` from now on; who stays unchanged keeps his beat.

        `before` is what is known of units from before this process.
        """
        self.spec, self._maps = spec, maps
        if isinstance(self._on_record, set):
            self._on_record |= {unit.address for unit in spec.units}
        wanted = {unit.id: unit for unit in spec.units}
        for unit_id in set(self._clocks) - set(wanted):
            del self._clocks[unit_id]
        for unit in wanted.values():
            known = self._clocks.get(unit.id)
            if known is None or known.spec != unit:
                self._start(unit, before.get(unit.id, UNKNOWN))
            else:
                known.spec = unit
        self.pace({unit.id: unit.interval_s for unit in spec.units})
        wires.greet_with(self._transport, self._line, self._first_questions())
        self._wake()

    def _first_questions(self) -> list[tuple[int, blocks.Block]]:
        """Unit address and first block of each unit."""
        return [
            (clock.spec.address, clock.plan.blocks[0])
            for clock in self._clocks.values()
            if clock.plan.blocks
        ]

    def condition(self) -> LineCondition:
        transport = self._transport
        return LineCondition(
            transport.connected,
            round(transport.since, 3),
            str(transport.trouble or ""),
            transport.proof,
            self.problems,
            {"bytes_in": transport.bytes_in, "bytes_out": transport.bytes_out},
        )

    def figures(self) -> dict[str, object]:
        """How the line's exchanges go, as GatewayState has it; from any thread."""
        addresses = [unit.address for unit in self.spec.units]
        return figures_of(self._line, self._transport, addresses)

    def trace(self, on: bool) -> None:
        """Record the line's frames from now on, or no longer."""
        if on and self._line.trace is None:
            self._recording = Recording()
            self._line.trace = self._recording.hear
        elif not on:
            self._line.trace = None

    def recorded(self) -> list[Chunk]:
        """The chunks that were recorded since the last call, from any thread."""
        return self._recording.fetch() if self._recording else []

    async def carry_out(self, order: Order) -> list[Outcome]:
        """Write what the order wants, with what is beside it, and prove it, or settle by reading
        what an earlier start wrote; then poll the unit, so that everybody sees it."""
        clock = self._clocks.get(order.unit_id)
        if clock is None:
            gone = _("机组已不在这条通信链路上")
            return [Outcome(one, "cancelled", None, None, gone) for one in order.all]
        self._asking.look_at_connection()
        if not order.settles and self._loop.time() < clock.held_until:
            return [Outcome(one, "held", None, None, _(RETURNED)) for one in order.all]
        try:
            results = await self._do(clock.spec, order)
        except Exception:
            log.exception("command %s broke off", order.id)
            broken = _("写入过程中断")
            return [Outcome(one, "unknown", one.target, None, broken) for one in order.all]
        finally:
            if not order.settles:
                self._bring_forward(clock)
        ends = list(zip(order.all, results, strict=True))
        clock.is_written([one.signal for one, end in ends if end.state != "held"])
        return [Outcome(one, end.state, end.sent, end.read_back, end.detail) for one, end in ends]

    async def _do(self, spec: UnitSpec, order: Order) -> Sequence[visits.WriteResult]:
        where = self._line, spec.address, self._maps[spec.map_id]
        if order.settles:
            settled = visits.settle(*where, order.signal, order.target, module=spec.module)
            return [await settled]
        wishes = [visits.Wish(one.signal, one.target, one.again) for one in order.all]
        return await visits.write_together(*where, wishes, module=spec.module)

    async def close(self) -> None:
        """Stop polling and give the line back."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self._transport.close()

    def pace(self, intervals: Mapping[int, float]) -> None:
        """Ask these units so often from now on (s), as far as they are of this line."""
        now = self._loop.time()
        for unit_id in self._clocks.keys() & intervals.keys():
            clock = self._clocks[unit_id]
            if clock.pace(intervals[unit_id], now):
                heapq.heappush(self._heap, (clock.due, unit_id))
                self._wake()

    def _start(self, unit: UnitSpec, before: Before) -> None:
        made = UnitClock(unit, self._plan(unit), self._loop.time(), before)
        self._clocks[unit.id] = made
        heapq.heappush(self._heap, (made.due, unit.id))

    def _plan(
        self,
        unit: UnitSpec,
        splits: Collection[blocks.Block] = (),
        turnaround_s: float = blocks.TURNAROUND_S,
    ) -> blocks.Plan:
        return blocks.plan(
            self._maps[unit.map_id], module=unit.module, splits=splits, turnaround_s=turnaround_s
        )

    # The test bench.

    def polls(self, unit_id: int, map_id: int) -> bool:
        """Whether the unit is on this line, and asked by this map."""
        clock = self._clocks.get(unit_id)
        return clock is not None and clock.spec.map_id == map_id

    def bench(self, unit_id: int, **given: Any) -> Bench:
        """A test bench for this unit on this line; `given` are its writes, options, listener."""
        spec = self._clocks[unit_id].spec
        return Bench(
            line=self._line,
            address=spec.address,
            map=self._maps[spec.map_id],
            module=spec.module,
            **given,
        )

    def rest(self, units: Collection[int]) -> None:
        """Leave the rhythm of these units, so that a test hears its own frames; what was written
        is still looked at."""
        self._resting |= frozenset(units)

    def wake(self, units: Collection[int]) -> None:
        """Back to their rhythm, with a poll at once."""
        self._resting -= frozenset(units)
        for unit_id in units:
            if clock := self._clocks.get(unit_id):
                self._bring_forward(clock)

    async def look(self, unit_id: int) -> Polled | None:
        """Read all of a unit now, and hand it on like a poll; None where it does not answer.

        Raises LineDown."""
        clock = self._clocks.get(unit_id)
        if clock is None or not self._transport.connected:
            raise LineDown(N_("通信链路没有接通"))
        clock.turn = 0
        row = await self._asking.ask(clock)
        if row:
            self._sink(row)
        return row

    def _bring_forward(self, clock: UnitClock) -> None:
        """Poll this unit soon, and in its rhythm again afterwards."""
        self._wanted.add(clock.spec.id)
        clock.due = self._loop.time() + AFTER_A_WRITE_S
        clock.turn = 0
        heapq.heappush(self._heap, (clock.due, clock.spec.id))
        self._wake()

    async def _run(self) -> None:
        while True:
            clock = self._due_now()
            if clock is None:
                await self._sleep()
            else:
                await self._poll(clock)
                self._note_problems()

    def _due_now(self) -> UnitClock | None:
        """The unit whose time has come, with its next time already set."""
        now = self._loop.time()
        while self._heap and self._heap[0][0] <= now:
            due, unit_id = self._heap[0]
            clock = self._clocks.get(unit_id)
            if clock is None or due != clock.due:
                heapq.heappop(self._heap)  # gone or changed since: its newer entry is in the heap
                continue
            clock.next(now)
            heapq.heapreplace(self._heap, (clock.due, unit_id))
            return clock
        return None

    async def _sleep(self) -> None:
        """Until the next unit is due, or something changed."""
        self._sleeps = self._loop.create_future()
        wake = None
        if self._heap:
            wake = self._loop.call_at(self._heap[0][0], self._wake)
        await self._sleeps
        if wake:
            wake.cancel()

    def _wake(self) -> None:
        if self._sleeps and not self._sleeps.done():
            self._sleeps.set_result(None)

    async def _poll(self, clock: UnitClock) -> None:
        if clock.spec.id in self._resting - self._wanted:
            return
        self._wanted.discard(clock.spec.id)
        row, cause = None, "line_down"
        if self._transport.connected:
            try:
                row, cause = await self._asking.ask(clock), "not_answered"
            except Exception:
                log.exception("a poll of unit %d broke off", clock.spec.id)
                cause = "broken_off"
        if row is None:
            now = datetime.now(UTC)
            self._sink(Missed(clock.spec.id, now, clock.stated_interval_s, cause))
        else:
            self._sink(row)

    def _note_problems(self) -> None:
        """Here, in the loop, so that `condition` may be asked from any thread."""
        found = self._line.findings()
        if found or self.problems or self._transport.holds_writes:
            self.problems = problems_of(found, self._transport)


def _wire_of(spec: GatewaySpec, maps: Mapping[int, PointMap]) -> wires.Wire:
    """The wire of a gateway: its units' maps agree, so the first one's settings count."""
    return wires.wire_of(spec.url, maps[spec.units[0].map_id].settings if spec.units else None)
