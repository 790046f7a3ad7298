"""Polling on the loop's own clock: one `Poller` per gateway, which owns its line.

Phases are spread over the interval, missed polls are not queued up, a silent unit is asked less
and less often; what was not asked is still due and counts as missed. Commands go out between two
requests because the line takes them first.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime

from django.utils.translation import gettext as _

from devices.modbus import blocks, transports, visits, wires
from devices.modbus.pointmap import PointMap
from devices.modbus.switchboard import Switchboard
from telemetry.keeping import LineCondition, Order, Outcome
from telemetry.roster import GatewaySpec, UnitSpec
from telemetry.rows import Missed, Polled
from telemetry.tracing import Chunk, Recording

log = logging.getLogger(__name__)

Sink = Callable[[Polled | Missed], None]
FIRST_ROUND_S = 20.0  # new units are spread over this, or over their interval where it is shorter
AFTER_A_WRITE_S = 1.0
SLOWEST = 8  # a silent unit is asked at least every eighth interval
PATIENCE = 3  # unanswered polls in a row before that begins


class UnitClock:
    """When one unit is due, and how it is read.

    `beat` is one moment of its rhythm, spread over the interval by the unit's id; a first round
    and a poll after a write come beside the rhythm and leave it as it is.
    """

    __slots__ = ("beat", "due", "misses", "plan", "skip", "spec", "splits", "timeout")

    def __init__(self, spec: UnitSpec, plan: blocks.Plan, now: float) -> None:
        self.spec = spec
        self.plan = plan
        self.timeout = plan.map.settings.reply_timeout_ms / 1000
        self.due = now + min(spec.interval_s, FIRST_ROUND_S) * phase(spec.id)
        self.beat = now + spec.interval_s * phase(spec.id)
        self.splits: set[blocks.Block] = set()
        self.misses = self.skip = 0

    def next(self, now: float) -> None:
        """The next due time of the unit's rhythm, whatever was missed in between."""
        beats = max(0, int((now - self.beat) // self.spec.interval_s) + 1)
        self.due = self.beat + beats * self.spec.interval_s

    def passes(self) -> bool:
        """Whether this turn is left out because the unit has been silent for long."""
        if self.skip:
            self.skip -= 1
            return True
        return False

    def missed(self) -> None:
        self.misses += 1
        if self.misses > PATIENCE:
            self.skip = min(2 ** (self.misses - PATIENCE), SLOWEST) - 1


class Poller:
    """One gateway: its line, the clocks of the units behind it, and the task that polls them.

    Made, changed and closed inside the loop. `condition` may be read from any thread.
    """

    def __init__(
        self,
        spec: GatewaySpec,
        maps: Mapping[int, PointMap],
        switchboard: Switchboard | None,
        sink: Sink,
    ) -> None:
        self.spec = spec
        self._sink = sink
        self._maps = maps
        self._clocks: dict[int, UnitClock] = {}
        self._heap: list[tuple[float, int]] = []
        self._changed = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._wire = _wire_of(spec, maps)
        self._transport = transports.open(self._wire.url, switchboard)
        self._on_record = {unit.address for unit in spec.units}
        self._line = wires.line_on(self._transport, self._wire, self._on_record)
        self._recording: Recording | None = None
        self.take_up(spec, maps)
        self._transport.keep()
        self._task = self._loop.create_task(self._run())

    def fits(self, spec: GatewaySpec, maps: Mapping[int, PointMap]) -> bool:
        """Whether the line can stay open as it is with this news."""
        return _wire_of(spec, maps) == self._wire

    def take_up(self, spec: GatewaySpec, maps: Mapping[int, PointMap]) -> None:
        """Poll the units of `spec` from now on; who stays unchanged keeps his beat."""
        self.spec, self._maps = spec, maps
        self._on_record |= {unit.address for unit in spec.units}
        wanted = {unit.id: unit for unit in spec.units}
        for unit_id in set(self._clocks) - set(wanted):
            del self._clocks[unit_id]
        for unit in wanted.values():
            known = self._clocks.get(unit.id)
            if known is None or known.spec != unit:
                self._start(unit)
        self._changed.set()

    def condition(self) -> LineCondition:
        transport = self._transport
        return LineCondition(
            transport.connected,
            round(transport.since, 3),
            str(transport.trouble or ""),
            {"bytes_in": transport.bytes_in, "bytes_out": transport.bytes_out},
        )

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

    async def carry_out(self, order: Order) -> Outcome:
        """Write what the order wants and prove it, or settle by reading what an earlier start
        wrote; then poll the unit, so that everybody sees it."""
        clock = self._clocks.get(order.unit_id)
        if clock is None:
            return Outcome(order, "cancelled", None, None, _("机组已不在这条通信链路上"))
        visit = visits.settle if order.settles else visits.write
        try:
            result = await visit(
                self._line,
                clock.spec.address,
                self._maps[clock.spec.map_id],
                order.signal,
                order.target,
                module=clock.spec.module,
            )
        except Exception:
            log.exception("command %s broke off", order.id)
            return Outcome(order, "unknown", order.target, None, _("写入过程中断"))
        finally:
            if not order.settles:
                self._bring_forward(clock)
        return Outcome(order, result.state, result.sent, result.read_back, result.detail)

    async def close(self) -> None:
        """Stop polling and give the line back."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self._transport.close()

    def _start(self, unit: UnitSpec) -> None:
        made = UnitClock(unit, self._plan(unit, ()), self._loop.time())
        self._clocks[unit.id] = made
        heapq.heappush(self._heap, (made.due, unit.id))

    def _plan(self, unit: UnitSpec, splits: Collection[blocks.Block]) -> blocks.Plan:
        return blocks.plan(self._maps[unit.map_id], module=unit.module, splits=splits)

    def _bring_forward(self, clock: UnitClock) -> None:
        """Poll this unit soon, and in its rhythm again afterwards."""
        clock.due = self._loop.time() + AFTER_A_WRITE_S
        heapq.heappush(self._heap, (clock.due, clock.spec.id))
        self._changed.set()

    async def _run(self) -> None:
        while True:
            clock = self._due_now()
            if clock is None:
                await self._sleep()
            elif not clock.passes():
                await self._poll(clock)

    def _due_now(self) -> UnitClock | None:
        """The unit whose time has come, with its next time already set."""
        now = self._loop.time()
        while self._heap and self._heap[0][0] <= now:
            due, unit_id = heapq.heappop(self._heap)
            clock = self._clocks.get(unit_id)
            if clock is None or due != clock.due:
                continue  # gone or changed since: its newer entry is in the heap
            clock.next(now)
            heapq.heappush(self._heap, (clock.due, unit_id))
            return clock
        return None

    async def _sleep(self) -> None:
        """Until the next unit is due, or something changed."""
        self._changed.clear()
        wake = None
        if self._heap:
            wake = self._loop.call_at(self._heap[0][0], self._changed.set)
        await self._changed.wait()
        if wake:
            wake.cancel()

    async def _poll(self, clock: UnitClock) -> None:
        spec, cause = clock.spec, "line_down"
        if self._transport.connected:
            try:
                read = await visits.read(
                    self._line,
                    spec.address,
                    clock.plan,
                    timeout=clock.timeout,
                    patience=1 if clock.misses else 2,
                )
            except Exception:
                log.exception("a poll of unit %d broke off", spec.id)
                cause = "broken_off"
            else:
                if read.splits:
                    clock.plan = self._plan(clock.spec, {*clock.splits, *read.splits})
                    clock.splits |= set(read.splits)
                if read.answered:
                    clock.misses = clock.skip = 0
                    self._sink(Polled(spec.id, datetime.now(UTC), spec.interval_s, read.points))
                    return
                clock.missed()
                cause = "not_answered"
        self._sink(Missed(spec.id, datetime.now(UTC), spec.interval_s, cause))


def _wire_of(spec: GatewaySpec, maps: Mapping[int, PointMap]) -> wires.Wire:
    """The wire of a gateway: its units' maps agree, so the first one's settings count."""
    return wires.wire_of(spec.url, maps[spec.units[0].map_id].settings if spec.units else None)


def phase(unit_id: int) -> float:
    """A unit's share of its interval, spread evenly and the same at every start."""
    return (unit_id * 0.6180339887498949) % 1.0
