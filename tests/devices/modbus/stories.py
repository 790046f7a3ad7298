"""How the tests of a line tell their stories: what is asked, what arrives, and when."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from devices.modbus import frames
from devices.modbus.frames import Rtu
from devices.modbus.line import Line
from tests.devices.modbus import own_time
from tests.devices.modbus.doubles import FakeTransport, rtu

ONE = frames.read("holding", 0, 1)
TWO = frames.read("holding", 9, 1)
WAIT = 0.06  # the time-outs of these tests, seconds

Story = Callable[[Line, FakeTransport], Coroutine[Any, Any, None]]


def tell(story: Story, **options: Any) -> None:
    """Run a story on a fresh line at 1 Mbaud, whose quarantine lasts 0.15 s at least."""

    async def run() -> None:
        transport = FakeTransport()
        usual = {"quiet_s": 0.15, "baud": 1_000_000, "frame_gap_ms": 0}
        line = Line(transport, Rtu(), **{**usual, **options})
        await story(line, transport)

    own_time.run(run())


def word(value: int, address: int = 5) -> bytes:
    return rtu(f"{address:02X} 03 02 {value:04X}")


def ask(
    line: Line, request: frames.Request = ONE, address: int = 5, **options: Any
) -> asyncio.Task[tuple[int, ...]]:
    options.setdefault("timeout", WAIT)
    return asyncio.ensure_future(line.exchange(address, request, **options))


def answer_at_once(transport: FakeTransport) -> None:
    def answer(frame: bytes) -> None:
        asyncio.get_running_loop().call_soon(transport.arrive, word(1, frame[0]))

    transport.on_write = answer


async def sent(transport: FakeTransport, count: int) -> None:
    while len(transport.sent) < count:
        await asyncio.sleep(0.001)


def words(count: int, value: int = 0, address: int = 5) -> bytes:
    """The reply to a read of so many holding registers, all the same."""
    return rtu(f"{address:02X} 03 {2 * count:02X} " + f"{value:04X}" * count)
