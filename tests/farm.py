"""Simulated units for tests: a farm that answers on its own thread, beside the code under test."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from devices.modbus.simulator.transmitters import Transmitter
from devices.modbus.simulator.unit import SimUnit
from devices.modbus.simulator.wire import serve_tcp
from tests.cast import MAPS

WATER = MAPS / "chennuan-cn-w10.csv"
AIR = MAPS / "beiyue-airbox3.csv"


@dataclass
class Farm:
    """TCP lines that can be opened and closed while a test looks on, and transmitters that dial."""

    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    _stacks: dict[int, AsyncExitStack] = field(default_factory=dict)
    _transmitters: list[Transmitter] = field(default_factory=list)

    def open(self, *units: SimUnit, port: int = 0, **options: Any) -> int:
        """Serve the units on one line; gives its port."""
        return int(self._call(self._open(units, port, options)))

    def dial(
        self, server: tuple[str, int], identity: str, *units: SimUnit, **options: Any
    ) -> Transmitter:
        """A transmitter with these units that dials the server, again and again."""
        made = self._call(self._dial(server, identity, units, options))
        self._transmitters.append(made)
        return made  # type: ignore[no-any-return]

    def cut_power(self, *transmitters: Transmitter) -> None:
        """They vanish together: no more dialling, and no more heartbeats."""
        for one in transmitters:
            self._loop.call_soon_threadsafe(one.drop, 1e9)

    def restore_power(self, *transmitters: Transmitter, within: tuple[float, float]) -> None:
        """They dial again, each after so many seconds (from, to)."""
        for one in transmitters:
            after = one.dice.uniform(*within)
            self._loop.call_soon_threadsafe(self._loop.call_later, after, one.reconnect)

    def close(self, port: int) -> None:
        """Take the line away, as when a converter loses its power."""
        self._call(self._stacks.pop(port).aclose())

    async def _open(self, units: tuple[SimUnit, ...], port: int, options: dict[str, Any]) -> int:
        stack = AsyncExitStack()
        taken = await stack.enter_async_context(serve_tcp(units, port=port, **options))
        self._stacks[taken] = stack
        return taken

    async def _dial(
        self,
        server: tuple[str, int],
        identity: str,
        units: tuple[SimUnit, ...],
        options: dict[str, Any],
    ) -> Transmitter:
        made = Transmitter(units, server, identity, **options)
        made.start()
        return made

    async def _stop(self) -> None:
        for one in self._transmitters:
            await one.stop()

    def _call(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)


@contextmanager
def farm() -> Iterator[Farm]:
    made = Farm()
    thread = threading.Thread(target=made._loop.run_forever, name="farm", daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made._call(made._stop())
        for port in list(made._stacks):
            made.close(port)
        made._loop.call_soon_threadsafe(made._loop.stop)
        thread.join(5)
        made._loop.close()
