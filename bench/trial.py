"""One kind of mischief, tried on the platform's own path from bytes to stored value.

`tried` lets the line worker's pollers poll a few lines of slaves through the wire of one kind, and
carries out writes in between, in virtual time. Everything that is stored as good, every reply that
the line takes and every write that is reported as verified is held against what the slaves truly
held at that moment.
"""

from __future__ import annotations

import asyncio
import random
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from unittest import mock

from bench.buses import LocalEcho, ModbusTcp, Port, Redial, SecondMaster
from bench.mischief import (
    Duplicate,
    Glued,
    Heartbeats,
    Late,
    Lost,
    Noisy,
    Split,
    StaleEcho,
    Stuffing,
    Wire,
)
from bench.slaves import AREAS, MAP, RESET, SIGNALS, Slave
from bench.virtual import VirtualLoop, run
from devices.modbus import pointmap, transports, wires
from devices.modbus.frames import Request
from devices.modbus.line import COMMAND, Line
from devices.modbus.switchboard import Switchboard
from devices.modbus.troubles import ExceptionReply, Trouble
from telemetry.keeping import Order
from telemetry.polling import Poller
from telemetry.roster import GatewaySpec, UnitSpec
from telemetry.rows import Missed, Polled

KINDS: dict[str, type[Wire]] = {
    "clean": Wire,
    "late": Late,
    "duplicate": Duplicate,
    "lost": Lost,
    "noisy": Noisy,
    "split": Split,
    "glued": Glued,
    "stale echo": StaleEcho,
    "local echo": LocalEcho,
    "second master": SecondMaster,
    "stuffing": Stuffing,
    "heartbeats": Heartbeats,
    "re-dial": Redial,
    "modbus tcp": ModbusTcp,
}
LINES, UNITS = 4, 4
INTERVAL_S = 8.0
Asked = tuple[float, int]  # when, and the number of the frame
Take = Callable[..., Awaitable[tuple[int, ...]]]
PORTS = {"plain": 4001, "four_faith": 4002}
TARGETS: dict[str, tuple[Any, ...]] = {
    "indoor_temp_setpoint": tuple(range(16, 27)),
    "supply_temp_setpoint": (35.0, 40.25, 45.5, 50.75),
    "silent_mode": (True, False),
    "power_state": (True, False),
    "alarm_reset": (True,),
}


@dataclass
class Tally:
    """What came of one kind. `wrong_replies` the line took for answers; `wrong_values` were stored
    as good; of `writes` by their end `wrong_writes` were called verified and did not hold, and
    `repeated_writes` went out more than once."""

    kind: str
    exchanges: int = 0
    answered: int = 0
    exceptions: int = 0
    unanswered: int = 0
    good_values: int = 0
    other_values: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    writes: Counter[str] = field(default_factory=Counter)
    wrong_replies: int = 0
    wrong_values: int = 0
    wrong_writes: int = 0
    repeated_writes: int = 0
    examples: list[str] = field(default_factory=list)

    def wrong(self, what: str) -> None:
        """Keep the first few cases; a seed finds them again."""
        if len(self.examples) < 8:
            self.examples.append(what)

    @property
    def is_wrong(self) -> bool:
        return bool(self.wrong_values or self.wrong_writes or self.repeated_writes)


class _Judge:
    """Holds what one line brings against the truth."""

    def __init__(self, tally: Tally, wire: Wire, loop: VirtualLoop) -> None:
        self.tally, self.wire, self._loop = tally, wire, loop
        self._polled: dict[tuple[int, str], float] = {}
        self._looked: dict[tuple[int, str], float] = {}

    async def exchange(
        self, take: Take, address: int, request: Request, how: dict[str, Any]
    ) -> tuple[int, ...]:
        """One exchange of the line; every reply that it takes is looked at."""
        self.tally.exchanges += 1
        begun = self._loop.time()
        try:
            words = await take(address, request, **how)
        except ExceptionReply:
            self.tally.exceptions += 1
            raise
        except Trouble:
            self.tally.unanswered += 1
            raise
        self.tally.answered += 1
        if request.function in AREAS:
            firsts, lasts = self._asked(address, request, len(words), begun)
            self._reply(address, request, words, lasts, firsts)
            self._remember(address, request, firsts, how.get("priority") == COMMAND)
        return words

    def _asked(
        self, address: int, request: Request, count: int, begun: float
    ) -> tuple[list[Asked], list[Asked]]:
        """When, and in which frame, each register was asked for since this exchange began: first
        and last. Its own frame is one of them, a reading by a command meanwhile may be another."""
        area, first = AREAS[request.function], int.from_bytes(request.pdu[1:3], "big")
        times = [self.wire.asked[address, area, first + n] for n in range(count)]
        firsts = [next(when for when in each if when[0] >= begun) for each in times]
        return firsts, [each[-1] for each in times]

    def _reply(
        self, address: int, request: Request, words: tuple[int, ...], *asked: list[Asked]
    ) -> None:
        """Hold the words of a reply against the truth: those of one frame together."""
        if not any(self._is_true(address, request, words, each) for each in asked):
            self.tally.wrong_replies += 1
            since, now = min(asked[0])[0], self._loop.time()
            self.tally.wrong(f"{now:.3f} {address} {request.pdu.hex()} since {since:.3f}")

    def _is_true(
        self, address: int, request: Request, words: tuple[int, ...], asked: list[Asked]
    ) -> bool:
        area, first = AREAS[request.function], int.from_bytes(request.pdu[1:3], "big")
        slave, now = self.wire.slaves[address], self._loop.time()
        for since, frame in set(asked):
            those = [n for n, when in enumerate(asked) if when[1] == frame]
            part = words[those[0] : those[-1] + 1]
            if not slave.words_held(area, first + those[0], part, since, now):
                return False
        return True

    def _remember(self, address: int, request: Request, asked: list[Asked], order: bool) -> None:
        """Since when a value of each signal of this reply can be true."""
        area, first = AREAS[request.function], int.from_bytes(request.pdu[1:3], "big")
        seen = self._looked if order else self._polled
        for signal in covered(area, first, len(asked)):
            start = SIGNALS[signal].address - first
            mine = asked[start : start + SIGNALS[signal].count]
            seen[address, signal] = min(since for since, _ in mine)

    def stored(self, address: int, row: Polled) -> None:
        for signal, value in row.values.items():
            if value.quality != "good":
                self.tally.other_values[value.quality] += 1
            elif signal in SIGNALS:
                self.tally.good_values += 1
                since, now = self._polled[address, signal], self._loop.time()
                if not self.wire.slaves[address].held(signal, value.value, since, now):
                    self.tally.wrong_values += 1
                    self.tally.wrong(f"{now:.3f} {address} stored {signal} {value.value}")

    async def written(self, poller: Poller, order: Order, address: int, begun: float) -> str:
        """Carry out an order, begun then, and hold its end against the truth."""
        before = self.wire.written[address]
        (outcome,) = await poller.carry_out(order)
        self.tally.writes[outcome.state] += 1
        what = f"{self._loop.time():.3f} {address} {order.signal} {order.target}"
        if self.wire.written[address] - before > 1 and order.signal != "alarm_reset":
            self.tally.repeated_writes += 1
            self.tally.wrong(f"{what} was written more than once")
        if outcome.state == "verified" and not self._holds(order, address, begun):
            self.tally.wrong_writes += 1
            self.tally.wrong(f"{what} is called verified")
        return outcome.state

    def _holds(self, order: Order, address: int, since: float) -> bool:
        slave = self.wire.slaves[address]
        if order.signal == "alarm_reset":
            return slave.was_pulsed(RESET, since)
        looked = self._looked.get((address, order.signal), -1.0)
        return looked >= since and slave.held(order.signal, order.target, looked, self._loop.time())


def covered(area: str, first: int, count: int) -> list[str]:
    """The signals that a block brings."""
    return [
        signal
        for signal, place in SIGNALS.items()
        if place.area == area
        and first <= place.address
        and place.address + place.count <= first + count
    ]


class _Line:
    """One line of the trial: its slaves, its wire, its poller, and who writes now and then."""

    def __init__(
        self, loop: VirtualLoop, tally: Tally, number: int, seed: int, board: Switchboard
    ) -> None:
        self._random = random.Random(f"{seed} {number}")
        slaves = [Slave(number, address, seed, loop.time) for address in range(1, UNITS + 1)]
        self.wire = KINDS[tally.kind](loop, slaves, self._random.getrandbits(32))
        self.judge = _Judge(tally, self.wire, loop)
        self._number, self._loop = number, loop
        units = [UnitSpec(100 * number + u, u, 1, None, INTERVAL_S) for u in self.wire.slaves]
        spec = GatewaySpec(number, self._url(loop), tuple(units))
        with self._caught():
            self.poller = Poller(spec, {1: _MAP}, board, self._sink)
        if self.wire.flavour == "dial":
            self.wire.dial()
        self._writers = [loop.create_task(self._write_now_and_then(u)) for u in self.wire.slaves]

    def _url(self, loop: VirtualLoop) -> str:
        wire, number = self.wire, self._number
        if wire.flavour == "serial":
            return f"serial:///dev/line{number}"
        if wire.flavour != "dial":
            loop.hosts["127.0.0.1", number] = wire
            return f"{wire.flavour}://127.0.0.1:{number}"
        name = f"{13_800_000_000 + number}"
        stuffs = isinstance(wire, Stuffing)
        packet = wire.registration(name) if isinstance(wire, Stuffing) else name.encode()
        port = PORTS["four_faith" if stuffs else "plain"]
        wire.dial = lambda: loop.call(port, wire).feed(packet)
        return f"dial://{name}"

    @contextmanager
    def _caught(self) -> Iterator[None]:
        """The master that the poller makes is watched, and a serial port leads to the wire."""
        judge = self.judge

        class Watched(Line):
            async def exchange(self, address: int, request: Request, **how: Any) -> tuple[int, ...]:
                return await judge.exchange(super().exchange, address, request, how)

        with (
            mock.patch.object(wires, "Line", Watched),
            mock.patch.object(transports, "SerialTransport", lambda *_, **__: Port(self.wire)),
        ):
            yield

    def _sink(self, row: Polled | Missed) -> None:
        if isinstance(row, Missed):
            self.judge.tally.missed[row.cause] += 1
        else:
            self.judge.stored(row.unit_id % 100, row)

    async def _write_now_and_then(self, address: int) -> None:
        while True:
            await asyncio.sleep(self._random.uniform(5, 60))
            signal = self._random.choice(list(TARGETS))
            target = self._random.choice(TARGETS[signal])
            unit = 100 * self._number + address
            order = Order(uuid.uuid4(), self._number, unit, signal, target)
            began = self._loop.time()
            if await self.judge.written(self.poller, order, address, began) == "unknown":
                await asyncio.sleep(self._random.uniform(1, 30))
                settling = replace(order, settles=True)
                await self.judge.written(self.poller, settling, address, began)

    def check(self) -> None:
        """Raises what broke a writer off."""
        for writer in self._writers:
            if writer.done():
                writer.result()

    async def close(self) -> None:
        for writer in self._writers:
            writer.cancel()
        await self.poller.close()


_MAP = pointmap.load(MAP.encode(), "slaves.csv")


def tried(kind: str, exchanges: int, seed: int) -> Tally:
    """Let this many exchanges meet one kind of mischief."""

    async def main(loop: VirtualLoop) -> Tally:
        tally = Tally(kind)
        board = Switchboard(
            f"{dialect}@127.0.0.1:{port}?source=192.0.2.0/24" for dialect, port in PORTS.items()
        )
        await board.start()
        lines = [_Line(loop, tally, number, seed, board) for number in range(1, LINES + 1)]
        while tally.exchanges < exchanges:
            await asyncio.sleep(1)
            for line in lines:
                line.check()
        for line in lines:
            await line.close()
        await board.close()
        return tally

    return run(main)
