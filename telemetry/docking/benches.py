"""Steps of the test bench as they run in the event loop of a line worker.

The keeper's thread begins and stops them, and fetches how they go and how they ended; what a step
wants written goes to it as an `Ask` and comes back as a WriteResult.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from devices.modbus import bench
from devices.modbus.bench import Evidence, NotLet, Options, Result
from devices.modbus.line import LineDown
from devices.modbus.points import Scalar
from devices.modbus.visits import WriteResult
from devices.modbus.words import N_, Sentence

if TYPE_CHECKING:
    from telemetry.commands import Former
    from telemetry.polling import Poller

log = logging.getLogger(__name__)

TELL_S = 1.0
ROSTER_WITHIN_S = 10.0  # a unit that was just connected is known to its line
What = Literal["write", "restore", "mend"]


@dataclass(frozen=True, slots=True)
class StepOrder:
    """A step on its way to the loop. `units` are those of the line that are not polled meanwhile:
    the sample `unit_id` and the one beside it. `map_id` is the map that is tested; `misplaced`:
    its readings showed that all registers are one off, so that nothing may be written."""

    id: int
    key: str
    gateway_id: int
    unit_id: int
    map_id: int
    units: frozenset[int]
    options: Options
    misplaced: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """How a step goes: one line, and the frames so far. `result` once it has ended."""

    id: int
    progress: Sentence | None = None
    frames: list[list[str | float]] = field(default_factory=list)
    left_out: int = 0
    result: Result | None = None


@dataclass(slots=True)
class Ask:
    """What a step wants done to a signal: `write` the target, `restore` what is owed, or `mend`,
    put the target back that a test changed without writing it.

    `former` is the value that the sample had just before, and when it was read. The keeper's thread
    answers with one of the three methods, once.
    """

    step_id: int
    unit_id: int
    what: What
    signal: str
    target: Scalar
    former: Former | None
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[WriteResult]

    def ended(self, result: WriteResult) -> None:
        self._tell(lambda: self.future.set_result(result))

    def refused(self, sentence: Sentence) -> None:
        self._tell(lambda: self.future.set_exception(NotLet(sentence)))

    def broken_off(self) -> None:
        self._tell(lambda: self.future.set_exception(LineDown(N_("通信链路没有接通"))))

    @property
    def is_wanted(self) -> bool:
        return not self.future.done()

    def _tell(self, settle: Callable[[], None]) -> None:
        self.loop.call_soon_threadsafe(lambda: None if self.future.done() else settle())


class CommandWrites:
    """Writes through the platform's commands: each with its obligation before the first byte, so
    that a worker that dies leaves nothing behind that its next start would not put back."""

    def __init__(self, order: StepOrder, poller: Poller, ask: Callable[[Ask], None]) -> None:
        self._order = order
        self._poller = poller
        self._ask = ask

    async def write(self, signal: str, target: Scalar) -> WriteResult:
        """Write and prove; raises NotLet where the platform does not let it, LineDown."""
        return await self._asked("write", signal, target, await self._read(signal))

    async def restore(self, signal: str) -> WriteResult:
        """Put back what is owed of this signal, and wait for its end; raises LineDown."""
        return await self._asked("restore", signal, None, None)

    async def mend(self, signal: str, former: Scalar) -> WriteResult:
        """Put back what the test changed without writing it; raises LineDown."""
        return await self._asked("mend", signal, former, await self._read(signal))

    async def _read(self, signal: str) -> Former | None:
        """The value of now, if the sample tells it."""
        polled = await self._poller.look(self._order.unit_id)
        value = polled.values.get(signal) if polled else None
        if polled is None or value is None or value.quality != "good":
            return None
        return value.value, polled.at

    async def _asked(
        self, what: What, signal: str, target: Scalar, former: Former | None
    ) -> WriteResult:
        loop = asyncio.get_running_loop()
        order = self._order
        ask = Ask(order.id, order.unit_id, what, signal, target, former, loop, loop.create_future())
        self._ask(ask)
        return await ask.future


class Benches:
    """All steps that run on the lines of one worker; `pollers` are its lines by gateway."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        pollers: Mapping[int, Poller],
        wake: Callable[[], None],
    ) -> None:
        self._loop = loop
        self._pollers = pollers
        self._wake = wake
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._told: dict[int, Told] = {}
        self.ended: deque[Told] = deque()
        self.asks: deque[Ask] = deque()

    # From the keeper's thread.

    def begin(self, order: StepOrder) -> None:
        self._loop.call_soon_threadsafe(self._begin, order)

    def stop(self, step_id: int) -> None:
        self._loop.call_soon_threadsafe(self._stop, step_id)

    def told(self) -> list[Told]:
        """How the running steps go."""
        return list(self._told.copy().values())

    # In the loop's thread.

    async def close(self) -> None:
        """End all without a verdict: the next start of the worker runs them anew."""
        tasks = tuple(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _begin(self, order: StepOrder) -> None:
        former = self._stop(order.id)  # it was stopped and queued again at once
        self._tasks[order.id] = self._loop.create_task(self._run(order, former))

    def _stop(self, step_id: int) -> asyncio.Task[None] | None:
        task = self._tasks.get(step_id)
        if task:
            task.cancel()
        return task

    async def _run(self, order: StepOrder, former: asyncio.Task[None] | None) -> None:
        if former:
            await asyncio.gather(former, return_exceptions=True)
        evidence = Evidence()
        self._told[order.id] = Told(order.id)
        telling = self._loop.create_task(self._keep_telling(order.id, evidence))
        try:
            result = await self._judged(order, evidence)
        finally:
            telling.cancel()
            del self._told[order.id]
            if self._tasks[order.id] is asyncio.current_task():
                del self._tasks[order.id]
        frames, left_out = evidence.frames, evidence.left_out
        self.ended.append(Told(order.id, None, frames, left_out, result))
        self._wake()

    async def _its_poller(self, order: StepOrder) -> Poller | None:
        """The line that asks the sample by the map that is tested; a new map takes its time."""
        for _ in range(round(ROSTER_WITHIN_S / 0.1)):
            poller = self._pollers.get(order.gateway_id)
            if poller and poller.polls(order.unit_id, order.map_id):
                return poller
            await asyncio.sleep(0.1)
        return None

    async def _judged(self, order: StepOrder, evidence: Evidence) -> Result:
        poller = await self._its_poller(order)
        if poller is None:
            return Result("broken_off", Sentence(N_("样机已不在这条通信链路上")))
        poller.rest(order.units)
        try:
            sample = poller.bench(
                order.unit_id,
                writes=CommandWrites(order, poller, self._asked),
                options=order.options,
                misplaced=order.misplaced,
                say=lambda progress: self._said(order.id, progress),
            )
            return (await bench.run(bench.step(order.key), sample, evidence))[0]
        except Exception:
            log.exception("step %s of the test bench broke off", order.key)
            return Result("broken_off", Sentence(N_("测试程序出错，已记录，请重测")))
        finally:
            poller.wake(order.units)

    def _asked(self, ask: Ask) -> None:
        self.asks.append(ask)
        self._wake()

    def _said(self, step_id: int, progress: Sentence) -> None:
        if told := self._told.get(step_id):
            self._told[step_id] = replace(told, progress=progress)

    async def _keep_telling(self, step_id: int, evidence: Evidence) -> Any:
        """Here, in the loop, so that nobody reads frames while they come in."""
        while True:
            await asyncio.sleep(TELL_S)
            if told := self._told.get(step_id):
                frames, left_out = evidence.frames, evidence.left_out
                self._told[step_id] = replace(told, frames=frames, left_out=left_out)
