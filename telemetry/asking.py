"""Asking one unit of a line: what is read, what of it is believed, and what an outage changed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from math import log2

from devices.modbus import looks, visits
from devices.modbus.blocks import TURNAROUND_S, Block, Plan
from devices.modbus.dialling import DialTransport
from devices.modbus.line import POLL, PROBE, Line
from devices.modbus.points import Value
from devices.modbus.transports import Transport
from devices.modbus.visits import UnitRead
from devices.modbus.words import N_, Sentence
from telemetry.judging import IDENTITY_DISPUTED, STARTING, SUSPECT, doubts, overshadow, settle
from telemetry.roster import UnitSpec
from telemetry.rows import Polled
from telemetry.unit_clock import HOLD_S, Changed, UnitClock

NORMAL_REDIAL_S = 20.0  # a connection that was away for longer may have been without power
DISPUTED_FOR_S = 600.0
MEASURED_AFTER = 3  # answered polls, after which a unit's blocks follow the line's round trip
RETURNED = N_("供电或通信恢复后 3 分钟内不写入")

PlanOf = Callable[[UnitSpec, Collection[Block], float], Plan]


class Asking:
    """Reads the units of one line. `plan_of` makes a unit's plan from what it does not answer
    whole and from what an exchange costs beyond its bytes (s); `tell` hears of changed settings.
    """

    __slots__ = (
        "_dial",
        "_generation",
        "_line",
        "_loop",
        "_plan_of",
        "_returned_at",
        "_tell",
        "_transport",
    )

    def __init__(
        self, line: Line, transport: Transport, plan_of: PlanOf, tell: Callable[[Changed], None]
    ) -> None:
        self._line = line
        self._transport = transport
        self._dial = transport if isinstance(transport, DialTransport) else None
        self._plan_of = plan_of
        self._tell = tell
        self._loop = asyncio.get_running_loop()
        self._generation = line.generation
        self._returned_at = 0.0

    async def ask(self, clock: UnitClock) -> Polled | None:
        """What the unit says now; None where it says nothing, or is so silent that it is not its
        turn to be asked."""
        address, now = clock.spec.address, self._loop.time()
        self.look_at_connection()
        if not self._line.unit(address).may_probe(now):
            return None
        whole = clock.whole()
        read = await visits.read(
            self._line,
            address,
            clock.plan if whole else clock.quick,
            timeout=clock.timeout,
            priority=PROBE if clock.misses else POLL,
            patience=1 if clock.misses else 2,
        )
        if read.splits:
            clock.splits |= frozenset(read.splits)
            self._plan_anew(clock)
        if not read.answered:
            clock.missed()
            return None
        clock.answers(self._loop.time(), self._returned_at)
        values = await self._judged(clock, read)
        at = datetime.now(UTC)
        if clock.before and clock.starting_until <= now and (found := clock.changed(at, values)):
            self._tell(found)
        clock.heard(at)
        if clock.turn == MEASURED_AFTER:
            self._plan_anew(clock)
        return Polled(clock.spec.id, at, clock.stated_interval_s, values, whole)

    async def _judged(self, clock: UnitClock, read: UnitRead) -> dict[str, Value]:
        """The values as far as they are to be believed; what is doubtful is read again at once."""
        if shadow := self._shadow(clock):
            return overshadow(read.points, shadow, looks.raw_of(read.plan, read.replies))
        doubted = doubts(read.points, clock.known)
        if not doubted:
            return read.points
        again = await visits.again(
            self._line,
            clock.spec.address,
            read,
            looks.blocks_of(read.plan, doubted),
            timeout=clock.timeout,
        )
        raw = looks.raw_of(read.plan, read.replies)
        return settle(read.points, again.points, doubted, raw, clock.known)

    def _shadow(self, clock: UnitClock) -> str:
        """Why nothing that this unit says now is to be believed; "" where it is."""
        disputed_at = self._line.unit(clock.spec.address).disputed_at
        now = self._loop.time()
        if disputed_at is not None and now - disputed_at < DISPUTED_FOR_S:
            return IDENTITY_DISPUTED
        if self._dial and self._dial.flapping_since:
            return IDENTITY_DISPUTED
        if self._line.suspect:
            return SUSPECT
        return STARTING if now < clock.starting_until else ""

    def look_at_connection(self) -> None:
        """If the line has a new connection: was it a plain re-dial, or did the power return?

        To be called before anything is asked or written.
        """
        if self._line.generation == self._generation:
            return
        self._generation = self._line.generation
        if self._transport.away_s > NORMAL_REDIAL_S:
            self._returned_at = self._line.up_at
            self._line.hold_writes(self._line.up_at + HOLD_S, Sentence(RETURNED))

    def _plan_anew(self, clock: UnitClock) -> None:
        measured_s = self._line.turnaround_s
        turnaround_s = TURNAROUND_S if measured_s is None else stepped(measured_s)
        clock.take_plan(self._plan_of(clock.spec, clock.splits, turnaround_s))


def stepped(seconds: float) -> float:
    """A round trip in doublings, so that lines of one kind share their plans."""
    steps = round(log2(max(seconds, 0.001) / TURNAROUND_S))
    return float(TURNAROUND_S * 2.0 ** max(-4, min(6, steps)))
