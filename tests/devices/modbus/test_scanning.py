"""A scan stays within the declared width, and tries two bytes only where no one-byte unit is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from devices.modbus import frames, transports
from devices.modbus.frames import is_safe_native
from devices.modbus.line import COMMAND, Line
from devices.modbus.scanning import MOST, Scan, addresses_of, make_sure_of_two_bytes, scan
from devices.modbus.transports import Transport
from devices.modbus.troubles import Trouble
from devices.modbus.urls import LineUrl
from devices.modbus.wires import Wire, line_on
from tests.devices.modbus import stories
from tests.devices.modbus.doubles import FakeTransport, rtu

QUICK_S = 0.02
ASK = frames.read("holding", 0, 1)


def test_the_addresses_of_a_scan_are_bounded() -> None:
    assert addresses_of(1, "big", None, None) == list(range(1, 248))
    assert addresses_of(1, "big", 7, 9) == [7, 8, 9]
    wide = addresses_of(2, "big", None, None)
    assert wide[0] == 0x0100 and wide[-1] < 0x0100 + MOST
    assert all(is_safe_native(address) for address in wide)
    assert 0x0106 not in wide and 0x0106 in addresses_of(2, "little", 0x0106, 0x0106)


@pytest.mark.parametrize(
    ("width", "first", "last"),
    [(1, 0, 5), (1, 5, 248), (1, 9, 8), (2, 1, 300), (2, 0x0100, 0x10000), (2, 256, 256 + MOST)],
)
def test_a_range_that_cannot_be_is_refused(width: int, first: int, last: int) -> None:
    with pytest.raises(Trouble):
        addresses_of(width, "big", first, last)


Answer = Callable[[bytes], bytes]


def tell(
    answer: Answer, story: Callable[[Transport, Wire], Coroutine[Any, Any, None]], greeting: bytes
) -> None:
    """Run a story on a TCP line whose far end answers each frame with these bytes."""

    hung_up = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        while frame := await reader.read(100):
            writer.write(answer(frame))
        writer.close()
        await writer.wait_closed()
        hung_up.set()

    async def run() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        url = LineUrl(
            "tcp", "127.0.0.1", server.sockets[0].getsockname()[1], baud=921_600, parity="N"
        )
        transport = transports.open(url)
        await transport.connect()
        try:
            await asyncio.wait_for(story(transport, Wire(url, width=2, frame_gap_ms=0)), 30)
        finally:
            await transport.close()
            await asyncio.wait_for(hung_up.wait(), 20)
            server.close()

    asyncio.run(run())


async def make_sure(transport: Transport, wire: Wire) -> None:
    await make_sure_of_two_bytes(transport, wire, QUICK_S, listen_s=0.05, one_byte=range(10, 20))


def test_a_line_in_use_is_not_scanned_for_two_bytes() -> None:
    async def story(transport: Transport, wire: Wire) -> None:
        with pytest.raises(Trouble) as trouble:
            await make_sure(transport, wire)
        assert "收到 4 字节" in str(trouble.value) and transport.bytes_out == 0

    tell(lambda frame: b"", story, greeting=b"ping")


def test_a_line_with_a_one_byte_unit_is_not_scanned_for_two_bytes() -> None:
    async def story(transport: Transport, wire: Wire) -> None:
        with pytest.raises(Trouble) as trouble:
            await make_sure(transport, wire)
        assert "（17）" in str(trouble.value)

    tell(lambda frame: rtu("11 03 02 0000") if frame[0] == 17 else b"", story, greeting=b"")


def test_a_line_where_nobody_answers_one_byte_may_be_scanned_for_two() -> None:
    async def story(transport: Transport, wire: Wire) -> None:
        await make_sure(transport, wire)

    tell(lambda frame: b"", story, greeting=b"")


def test_exceptions_are_answers_but_a_gateways_own_are_not_and_noise_is_noted() -> None:
    answers = {3: rtu("03 83 02"), 4: rtu("04 83 0B"), 5: b"\x13\x37\x13", 6: rtu("06 03 02 0000")}

    async def story(transport: Transport, wire: Wire) -> None:
        found = Scan()
        line = line_on(transport, Wire(wire.url, frame_gap_ms=0), quiet_s=0.02)
        await scan(line, range(2, 8), ASK, found, timeout=0.05)
        assert found.found == {3: "exception:2", 6: "answered"}
        assert (found.asked, found.noise) == (6, [5])

    tell(lambda frame: answers.get(frame[0], b""), story, greeting=b"")


def test_a_silent_address_costs_one_time_out() -> None:
    async def story(line: Line, transport: FakeTransport) -> None:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        await scan(line, range(1, 11), ASK, Scan(), timeout=0.05)
        assert loop.time() - begun < 10 * 0.05 + 0.4
        assert len(transport.sent) == 10

    stories.tell(story, quiet_s=1.0)


def test_a_scan_is_stopped_before_the_next_request() -> None:
    async def story(line: Line, transport: FakeTransport) -> None:
        found = Scan()
        transport.on_write = lambda frame: setattr(found, "stopped", frame[0] == 3)
        await scan(line, range(1, 11), ASK, found, timeout=0.01)
        assert [frame[0] for frame in transport.sent] == [1, 2, 3]

    stories.tell(story)


def test_who_answers_too_late_is_asked_again_at_the_end() -> None:
    async def story(line: Line, transport: FakeTransport) -> None:
        found = Scan()

        def answer(frame: bytes) -> None:
            if frame[0] == 2:
                asyncio.get_running_loop().call_later(
                    0.08, transport.arrive, stories.word(1, address=2)
                )

        transport.on_write = answer
        await scan(line, range(1, 6), ASK, found, timeout=0.05)
        assert (found.found, found.asked) == ({2: "answered"}, 5)
        assert [frame[0] for frame in transport.sent] == [1, 2, 3, 4, 5, 2]

    stories.tell(story, quiet_s=0.0)


def test_a_scan_takes_turns_with_polls_and_lets_commands_go_first() -> None:
    async def story(line: Line, transport: FakeTransport) -> None:
        stories.answer_at_once(transport)
        scanning = asyncio.ensure_future(scan(line, range(1, 6), ASK, Scan(), timeout=0.5))
        await stories.sent(transport, 1)
        poll = stories.ask(line, address=20)
        command = stories.ask(line, address=21, priority=COMMAND)
        await asyncio.gather(poll, command, scanning)
        order = [frame[0] for frame in transport.sent]
        assert order.index(21) < order.index(20) < order.index(5)

    stories.tell(story)
