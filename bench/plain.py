"""The same wires under pymodbus's own client: what a master does that only checks its frames.

It reads the same blocks in turn and writes now and then; what it reads without error counts as
stored, a write without error as verified.
"""

from __future__ import annotations

import logging
import random

from pymodbus import FramerType
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException

from bench.mischief import TIME_OUT_S
from bench.slaves import HOLDING, INPUT, SIGNALS, Slave
from bench.trial import KINDS, UNITS, Tally, covered
from bench.virtual import VirtualLoop, run

PORT = 502
BLOCKS = ((HOLDING, 0, 1), (HOLDING, 2, 3), (HOLDING, 100, 8), (HOLDING, 200, 8), (INPUT, 0, 3))
OVER_TCP = [name for name, wire in KINDS.items() if wire.flavour == "tcp"]


def tried(kind: str, exchanges: int, seed: int) -> Tally:
    """Let pymodbus's client make this many exchanges over one line of a kind in OVER_TCP."""

    async def main(loop: VirtualLoop) -> Tally:
        master = _Master(loop, kind, seed)
        await master.go_on(exchanges)
        master.client.close()
        return master.tally

    logging.getLogger("pymodbus").setLevel(logging.CRITICAL)
    return run(main)


class _Master:
    """One client on one line, and the truth beside it."""

    def __init__(self, loop: VirtualLoop, kind: str, seed: int) -> None:
        self.tally = Tally(kind)
        self._loop = loop
        self._random = random.Random(seed)
        self._slaves = {unit: Slave(1, unit, seed, loop.time) for unit in range(1, UNITS + 1)}
        loop.hosts["127.0.0.1", PORT] = KINDS[kind](loop, list(self._slaves.values()), seed)
        self.client = AsyncModbusTcpClient(
            "127.0.0.1", port=PORT, framer=FramerType.RTU, timeout=TIME_OUT_S, retries=0
        )

    async def go_on(self, exchanges: int) -> None:
        while self.tally.exchanges < exchanges:
            for slave in self._slaves.values():
                for block in BLOCKS:
                    await self._read(slave, *block)
                if self._random.random() < 0.2:
                    await self._write(slave, self._random.randint(16, 26))

    async def _read(self, slave: Slave, area: str, first: int, count: int) -> None:
        since = self._loop.time()
        words = await self._ask(f"read_{area}_registers", slave, first, count=count)
        if words is None:
            return
        until = self._loop.time()
        self.tally.wrong_replies += not slave.words_held(area, first, words, since, until)
        for signal in covered(area, first, count):
            start = SIGNALS[signal].address - first
            value = SIGNALS[signal].value(words[start : start + SIGNALS[signal].count])
            self.tally.good_values += 1
            self.tally.wrong_values += not slave.held(signal, value, since, until)

    async def _write(self, slave: Slave, target: int) -> None:
        since = self._loop.time()
        if await self._ask("write_register", slave, 2, target) is not None:
            self.tally.writes["verified"] += 1
            held = slave.held("indoor_temp_setpoint", target, since, self._loop.time())
            self.tally.wrong_writes += not held

    async def _ask(self, method: str, slave: Slave, *what: int, **count: int) -> list[int] | None:
        """The registers of an answer; None of an error or of none."""
        self.tally.exchanges += 1
        if not self.client.connected:
            await self.client.connect()
        try:
            answer = await getattr(self.client, method)(*what, device_id=slave.address, **count)
        except ModbusException:
            self.tally.unanswered += 1
            return None
        self.tally.answered += 1
        self.tally.exceptions += answer.isError()
        enough = len(answer.registers) >= count.get("count", 0)
        return list(answer.registers) if enough and not answer.isError() else None
