"""Polling on the loop's own clock: one `Poller` per gateway, which owns its line.

Phases are spread over the interval, missed polls are not queued up, a silent unit is asked less
and less often; what was not asked is still due and counts as missed. Commands go out between two
requests because the line takes them first.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

from devices.modbus import blocks, transports, visits
from devices.modbus.line import Line
from devices.modbus.pointmap import PointMap
from devices.modbus.points import Scalar
from devices.modbus.switchboard import Switchboard
from telemetry.roster import GatewaySpec, UnitSpec
from telemetry.storing import Missed, Polled

log = logging.getLogger(__name__)

Sink = Callable[[Polled | Missed], None]
SLOWEST = 8  # a silent unit is asked at least every eighth interval
PATIENCE = 3  # unanswered polls in a row before that begins


class UnitClock:
    """When one unit is due, and how it is read."""

    __slots__ = ("due", "misses", "plan", "skip", "spec")

    def __init__(self, spec: UnitSpec, plan: blocks.Plan, due: float) -> None:
        self.spec = spec
        self.plan = plan
        self.due = due
        self.misses = 0
        self.skip = 0

    def next(self, now: float) -> None:
        """The next due time on this unit's own beat, whatever was missed in between."""
        beats = max(1, int((now - self.due) // self.spec.interval_s) + 1)
        self.due += beats * self.spec.interval_s

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

    def answered(self) -> None:
        self.misses = self.skip = 0


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
        self._wire = wire_of(spec, maps)
        self._transport = transports.open(spec.url, switchboard)
        self._line = line_on(self._transport, self._wire)
        self.take_up(spec, maps)
        self._transport.keep()
        self._task = self._loop.create_task(self._run())

    def fits(self, spec: GatewaySpec, maps: Mapping[int, PointMap]) -> bool:
        """Whether the line can stay open as it is with this news."""
        return spec.url == self.spec.url and wire_of(spec, maps) == self._wire

    def take_up(self, spec: GatewaySpec, maps: Mapping[int, PointMap]) -> None:
        """Poll the units of `spec` from now on; who stays unchanged keeps his beat."""
        self.spec, self._maps = spec, maps
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
            transport.connected, round(transport.since, 3), str(transport.trouble or "")
        )

    async def carry_out(self, order: Order) -> Outcome:
        """Write what the order wants and prove it; then poll the unit, so that all see it."""
        clock = self._clocks.get(order.unit_id)
        if clock is None:
            return Outcome(order.id, "cancelled", None, None, _("机组已不在这条通信链路上"))
        try:
            async with asyncio.timeout(CARRY_OUT_S):
                result = await visits.write(
                    self._line,
                    clock.spec.address,
                    self._maps[clock.spec.map_id],
                    order.signal,
                    order.target,
                    module=clock.spec.module,
                )
        except TimeoutError:
            return Outcome(order.id, "unknown", order.target, None, _("等待结果超时"))
        except Exception:
            log.exception("command %s broke off", order.id)
            return Outcome(order.id, "unknown", order.target, None, _("写入过程中断"))
        finally:
            self._bring_forward(clock)
        return Outcome(order.id, result.state, result.sent, result.read_back, result.detail)

    async def close(self) -> None:
        """Stop polling and give the line back."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self._transport.close()

    def _start(self, unit: UnitSpec) -> None:
        plan = blocks.plan(self._maps[unit.map_id], module=unit.module)
        now = self._loop.time()
        first = now + min(unit.interval_s, FIRST_ROUND_S) * phase(unit.id)
        self._clocks[unit.id] = UnitClock(unit, plan, first)
        heapq.heappush(self._heap, (first, unit.id))

    def _bring_forward(self, clock: UnitClock) -> None:
        """Poll this unit soon and at its beat again afterwards."""
        heapq.heappush(self._heap, (self._loop.time() + AFTER_A_WRITE_S, clock.spec.id))
        clock.due = self._heap_due = self._loop.time() + AFTER_A_WRITE_S
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
        cause = "line_down"
        if self._transport.connected:
            try:
                read = await visits.read(self._line, clock.spec.address, clock.plan)
            except Trouble as trouble:
                log.info("unit %d: %s", clock.spec.id, trouble)
            except Exception:
                log.exception("a poll of unit %d broke off", clock.spec.id)
                cause = "broken_off"
            else:
                if read.answered:
                    clock.answered()
                    now = datetime.now(UTC)
                    self._sink(Polled(clock.spec.id, now, clock.spec.interval_s, read.points))
                    return
                cause = "not_answered"
        if cause == "not_answered":
            clock.missed()
        spec = clock.spec
        self._sink(Missed(spec.id, datetime.now(UTC), spec.interval_s, cause))


@dataclass(frozen=True, slots=True)
class Wire:
    """What all units of a line must agree on (one line, one width, one speed)."""

    scheme: str
    baud: int
    parity: str
    width: Literal[1, 2]
    order: Literal["big", "little"]
    frame_gap_ms: float


def wire_of(spec: GatewaySpec, maps: Mapping[int, PointMap]) -> Wire:
    """The wire of a gateway: what its URL says, else what the map of its units says."""
    url = transports.parse_url(spec.url)
    first = maps[spec.units[0].map_id].settings if spec.units else Settings()
    return Wire(
        url.scheme,
        url.baud or first.baud,
        url.parity or first.parity,
        first.address_width,
        first.address_order,
        first.frame_gap_ms,
    )


def phase(unit_id: int) -> float:
    """A unit's share of the first round, spread evenly and the same at every start."""
    return (unit_id * 0.6180339887498949) % 1.0
