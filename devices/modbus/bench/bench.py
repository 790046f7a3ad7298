"""The test bench: one sample on a line, the steps that are run on it, and who writes to it.

Pure asyncio: the shell and the line worker both bring a line, a map and somebody who writes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple, Protocol

from devices.modbus import blocks, visits
from devices.modbus.bench.evidence import Evidence
from devices.modbus.bench.names import called
from devices.modbus.bench.results import Result
from devices.modbus.line import COMMAND, Line
from devices.modbus.pointmap import PointMap
from devices.modbus.points import Point, Scalar, Value
from devices.modbus.reading import UnitRead
from devices.modbus.registers import Registers
from devices.modbus.troubles import AddressRefused, LineDown, Trouble, WritesHeld
from devices.modbus.visits import WriteResult
from devices.modbus.words import N_, Sentence

PATIENCE = 3  # times the stated time-out: only the step of reply times judges by the stated one
TRIES = 3
BUSY = (5, 6)  # acknowledge and busy: exceptions that mean "ask again"
PASSING = {"not_answered", *(f"exception:{code}" for code in BUSY)}


class Kind(StrEnum):
    """Who runs a step: the platform by itself, a person at the sample, the platform for hours."""

    AUTO = "auto"
    HAND = "hand"
    LONG = "long"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What is adjustable in a run; seconds as the names say.

    `second_address` is another unit on the same line. `known` is a register whose word the maker
    told: area, address on the wire, word. `soak_share` is the share of polls that must succeed.
    `hold_s` is how long a written value is watched, `write_space_s` the least time between two
    writes (the map's own counts too), `off_s` the longest that the sample is off, `fault_wait_s`
    how long the reset's step waits for a fault to be made. `silence_s` is how long nothing is
    asked before the sample must answer again, `replies` how many are timed, `idle_s` how long
    heartbeats are counted, `look_s` the pause before a second look. `others` are further
    addresses of the line that units have.
    """

    second_address: int | None = None
    others: tuple[int, ...] = ()
    known: tuple[str, int, int] | None = None
    soak_s: float = 86_400
    soak_share: float = 0.98
    soak_interval_s: float = 10
    hold_s: float = 30
    write_space_s: float = 3
    off_s: float = 20
    fault_wait_s: float = 60
    silence_s: float = 300
    replies: int = 200
    idle_s: float = 90
    look_s: float = 1


USUAL = Options()


class NotLet(Exception):
    """Whoever writes lets this not be written (a switch, a budget, a line that is only read): the
    sample is not to blame."""

    def __init__(self, sentence: Sentence) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class Writes(Protocol):
    """Who writes to the sample: directly, or through the platform's commands."""

    async def write(self, signal: str, target: Scalar) -> WriteResult:
        """Write and prove. What stood before is owed from before the first byte on.

        A wish that reads so already is written nevertheless, since this is a test. Never raises
        for what units and lines do: `held` where the line lets nothing be written now. Raises
        NotLet.
        """

    async def restore(self, signal: str) -> WriteResult:
        """Put back what stood before the first write of this signal; waits for its end."""

    async def mend(self, signal: str, former: Scalar) -> WriteResult:
        """Put back what the sample lost by a test that did not write this signal: a reset that
        switched it off. Owed until it is so, like all else; waits for its end."""


def quiet(progress: Sentence) -> None:
    """Nobody listens."""


@dataclass(kw_only=True)
class Bench:
    """One sample under test.

    `map` is the file's, `module` the one behind the address. `seen` are the newest good values.
    `splits` are blocks that it does not answer whole though it answers their points. `misplaced`
    once its readings showed that the map's addresses are off by one: nothing is written then.
    `say` hears what a step is about just now.
    """

    line: Line
    address: int
    map: PointMap
    writes: Writes
    module: int | None = None
    options: Options = field(default_factory=Options)
    seen: dict[str, Value] = field(default_factory=dict)
    splits: set[blocks.Block] = field(default_factory=set)
    misplaced: bool = False
    say: Callable[[Sentence], None] = quiet
    _parts: dict[str, PointMap] = field(default_factory=dict, init=False)

    @cached_property
    def here(self) -> PointMap:
        """The map as this sample has it: moved to its module, with patience for late replies."""
        moved = self.map.for_module(self.module)
        stated = moved.settings.reply_timeout_ms
        return replace(moved, settings=replace(moved.settings, reply_timeout_ms=PATIENCE * stated))

    @property
    def plan(self) -> blocks.Plan:
        """The plan of a whole reading; what the sample does not answer whole is read apart."""
        return blocks.plan(self.here, splits=self.splits)

    @cached_property
    def registers(self) -> Registers:
        """The sample's registers and coils one by one, for what no signal names."""
        return Registers(self.line, self.address, self.here.settings)

    @property
    def timeout(self) -> float:
        """How long an answer is waited for, in seconds."""
        return self.registers.timeout

    def called(self, signal: str) -> Sentence:
        """What people call a signal of this sample."""
        return called(signal, self.map.settings.medium)

    def point(self, signal: str) -> Point:
        """The first row of a signal, moved to the module; raises KeyError."""
        return self.here.point(signal)

    async def read(self, tries: int = TRIES) -> UnitRead:
        """Everything that the map reads, now; asked again where no answer came, or "busy".

        Raises LineDown where the line is lost.
        """
        return await self._read(self.here, tries)

    async def value(self, signal: str) -> Value:
        """One signal, read now with those that its rows depend on; a slow sample is spared the
        rest, which tells nothing of it."""
        return (await self._read(self._part(signal), TRIES)).points[signal]

    async def _read(self, map: PointMap, tries: int) -> UnitRead:
        for _ in range(tries):
            plan = blocks.plan(map, splits=self.splits)
            visit = await visits.read(
                self.line, self.address, plan, timeout=self.timeout, priority=COMMAND
            )
            if not self.line.transport.connected:
                raise LineDown(N_("通信链路没有接通"))
            self.splits |= set(visit.splits)
            if PASSING.isdisjoint(value.quality for value in visit.points.values()):
                break
        self.seen |= {name: v for name, v in visit.points.items() if v.quality == "good"}
        return visit

    def _part(self, signal: str) -> PointMap:
        """The readable rows of a signal and of those that they depend on."""
        if signal not in self._parts:
            rows = [row for row in self.here.points if row.readable]
            names, found = set[str](), {signal}
            while found - names:
                names |= found
                told = [row for row in rows if row.signal in names]
                found = {name for row in told for name in (*row.when, row.scale_from) if name}
            self._parts[signal] = replace(self.here, points=tuple(told))
        return self._parts[signal]

    async def pause(self, seconds: float) -> None:
        """Wait; raises LineDown where the line is lost meanwhile."""
        await asyncio.sleep(seconds)
        if not self.line.transport.connected:
            raise LineDown(N_("通信链路没有接通"))


class Cost(NamedTuple):
    """Roughly what a step asks of a sound sample: whole readings, single questions beside them,
    writes."""

    readings: int = 0
    questions: int = 0
    writes: int = 0


FREE = Cost()


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of the plan. `about_s` is how long it takes with the usual options and a sample
    that answers at once; `run` is None of a step that a person makes at the sample (see
    hand.py)."""

    key: str
    title: Sentence
    kind: Kind
    about_s: float
    hint: Sentence
    run: Callable[[Bench], Awaitable[Result]] | None = None
    cost: Cost = FREE

    def seconds(self, map: PointMap, options: Options = USUAL) -> tuple[float, float]:
        """How long it takes by a map, in seconds: of a sample that answers at once, and of one
        that takes for each answer all the time that the map allows."""
        settings = map.settings
        longer = {
            "silence": options.silence_s - USUAL.silence_s,
            "soak": options.soak_s - USUAL.soak_s,
        }
        apart_s = max(0.0, settings.min_write_interval_s - options.write_space_s)
        least = self.about_s + longer.get(self.key, 0.0) + self.cost.writes * apart_s
        answers = self.cost.readings * len(blocks.plan(map).blocks) + self.cost.questions
        return least, least + answers * settings.reply_timeout_ms / 1000


async def run(
    step: Step, bench: Bench, evidence: Evidence | None = None
) -> tuple[Result, Evidence]:
    """Run one step; never raises for what units and lines do.

    `evidence` may be looked at while the step runs. The line's own figures of the step are added
    to its result's: requests, timeouts, wrong_frames. Raises ValueError for a step by hand.
    """
    if step.run is None:
        raise ValueError(f"{step.key} is made by hand")
    evidence = evidence or Evidence()
    before = _counted(bench.line)
    with evidence.of(bench.line):
        try:
            result = await step.run(bench)
        except (LineDown, WritesHeld) as gone:
            result = Result("broken_off", gone.sentence)
        except NotLet as refusal:
            result = Result("unproven", refusal.sentence)
        except Trouble as trouble:
            result = _troubled(trouble)
    spent = {name: count - before[name] for name, count in _counted(bench.line).items()}
    return replace(result, figures={**result.figures, **spent}), evidence


def _counted(line: Line) -> dict[str, int]:
    counters = line.counters
    wrong = counters.garbled + counters.wrong_echoes
    return {
        "requests": counters.requests,
        "timeouts": counters.timeouts,
        "wrong_frames": wrong,
    }


def _troubled(trouble: Trouble) -> Result:
    if isinstance(trouble, AddressRefused):  # the tester's to change, not the maker's
        return Result("unproven", trouble.sentence)
    return Result(
        "failed",
        trouble.sentence,
        advice=Sentence(N_("按报文检查样机的应答：%(why)s"), why=trouble.sentence),
    )
