"""A poller in virtual time: some units behind one converter, and what comes of polling them."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable, Coroutine
from typing import Any

from bench.virtual import Socket, VirtualLoop, run
from devices.modbus.pointmap import PointMap
from devices.modbus.points import Value
from telemetry.polling import Poller
from telemetry.roster import Before, GatewaySpec, UnitSpec
from telemetry.rows import Missed, Polled
from telemetry.unit_clock import Changed
from tests.devices.modbus.doubles import crc
from tests.devices.modbus.written_maps import map_of

# Three blocks: temperatures, what is on, and what changes seldom.
MAP: PointMap = map_of(
    {"signal": "supply_temp", "address": 10, "type": "int16", "scale": "0.1"},
    {"signal": "return_temp", "address": 11, "type": "int16", "scale": "0.1"},
    {"signal": "power_state", "address": 40, "type": "bool", "access": "rw"},
    {
        "signal": "indoor_temp_setpoint",
        "address": 80,
        "type": "int16",
        "access": "rw",
        "min": 16,
        "max": 26,
        "step": 1,
    },
    {"signal": "electric_energy", "address": 81, "type": "uint16"},
    holes="exception",
)
USUAL = {10: 430, 11: 380, 40: 1, 80: 20, 81: 100}
Story = Callable[["Scene"], Coroutine[Any, Any, None]]


class Units:
    """The far end of the line: addresses with their registers, and what goes wrong.

    `silent` answer nothing; `wrong` replaces registers in one reply each; `asked` are the
    (address, first register) of every request, of which the second for `deaf_to_second` is not
    heard; they answer after `delay` seconds; nothing connects while they are `away`.
    """

    def __init__(self, loop: VirtualLoop, addresses: range) -> None:
        self.registers = {address: dict(USUAL) for address in addresses}
        self.silent: set[int] = set()
        self.wrong: list[dict[int, int]] = []
        self.asked: list[tuple[int, int]] = []
        self.away = False
        self.deaf_to_second: int | None = None
        self.delay = 0.03
        self._loop = loop
        self._near: Socket | None = None

    def connected(self, near: Socket) -> None:
        if self.away:
            raise ConnectionRefusedError
        self._near = near

    def heard(self, data: bytes) -> None:
        address, function, first, count = struct.unpack(">BBHH", data[:6])
        self.asked.append((address, first))
        if address in self.silent or address not in self.registers:
            return
        if first == self.deaf_to_second and self.asked.count((address, first)) == 2:
            return
        if function == 6:
            self.registers[address][first] = count
            self._answer(data[:6])
            return
        words = [self.registers[address].get(first + n, 0) for n in range(count)]
        if self.wrong and any(first <= register < first + count for register in self.wrong[0]):
            for register, word in self.wrong.pop(0).items():
                words[register - first] = word
        self._answer(struct.pack(f">BBB{count}H", address, function, 2 * count, *words))

    def _answer(self, body: bytes) -> None:
        assert self._near is not None
        self._loop.call_later(self.delay, self._near.feed, body + crc(body))

    def leave(self) -> None:
        self.away = True
        assert self._near is not None
        self._near.close()


class Scene:
    """The units, their poller, and what it handed on."""

    def __init__(
        self,
        loop: VirtualLoop,
        count: int = 1,
        interval_s: float = 60.0,
        before: dict[int, Before] | None = None,
        map: PointMap = MAP,
    ) -> None:
        self.loop = loop
        addresses = range(5, 5 + count)
        self.units = Units(loop, addresses)
        loop.hosts["127.0.0.1", 1] = self.units
        self.rows: list[Polled | Missed] = []
        self.times: list[float] = []
        self.told: list[Changed] = []
        specs = tuple(UnitSpec(a, a, 1, None, interval_s, interval_s) for a in addresses)
        self.spec = GatewaySpec(1, "tcp://127.0.0.1:1", specs)
        self.poller = Poller(
            self.spec, {1: map}, None, self._take, before=before, tell=self.told.append
        )

    def _take(self, row: Polled | Missed) -> None:
        self.rows.append(row)
        self.times.append(self.loop.time())

    async def pass_(self, seconds: float) -> list[Polled | Missed]:
        """Let time pass; what was handed on meanwhile."""
        seen = len(self.rows)
        await asyncio.sleep(seconds)
        return self.rows[seen:]

    async def poll(self) -> dict[str, Value]:
        """The values of the next answered poll."""
        seen = len(self.rows)
        for _ in range(10_000):
            await asyncio.sleep(0.2)
            for row in self.rows[seen:]:
                if isinstance(row, Polled):
                    return dict(row.values)
            seen = len(self.rows)
        raise AssertionError("no answer")


def tell(story: Story, **options: Any) -> Scene:
    """Play a story from its beginning to its end."""

    async def main(loop: VirtualLoop) -> Scene:
        scene = Scene(loop, **options)
        await story(scene)
        await scene.poller.close()
        return scene

    return run(main)
