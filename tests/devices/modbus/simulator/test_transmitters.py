import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.modbus.simulator import SimUnit, Transmitter
from devices.modbus.simulator.rtu import wrap
from devices.modbus.simulator.transmitters import Unstuffer, registration, stuff
from tests.devices.modbus.simulator.tiny_maps import CN_W10, map_of

READ = bytes.fromhex("0300640004")


class Platform(asyncio.Protocol):
    """The end that transmitters dial: what came in, and a way to send and to hang up."""

    def __init__(self, calls: list["Platform"]) -> None:
        self.calls = calls
        self.got = b""
        self.lost = False

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.calls.append(self)

    def data_received(self, data: bytes) -> None:
        self.got += data

    def connection_lost(self, error: Exception | None) -> None:
        self.lost = True


@asynccontextmanager
async def listening(port: int = 0) -> AsyncIterator[tuple[tuple[str, int], list[Platform]]]:
    calls: list[Platform] = []
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Platform(calls), "127.0.0.1", port)
    try:
        yield server.sockets[0].getsockname()[:2], calls
    finally:
        server.close()
        for call in calls:
            call.transport.abort()
        await server.wait_closed()


async def until(true: Callable[[], object], seconds: float = 2.0) -> None:
    end = asyncio.get_running_loop().time() + seconds
    while not true():
        assert asyncio.get_running_loop().time() < end, "did not happen in time"
        await asyncio.sleep(0.005)


def test_a_four_faith_registration_has_its_21_bytes() -> None:
    packet = registration("13800001234", "four_faith")
    assert len(packet) == 21
    assert packet[4:15] == b"13800001234" and packet[15] == 0 and packet[20] == 0


@pytest.mark.parametrize(
    ("identity", "dialect", "reason"),
    [("123", "imei", "15 digits"), ("GW1", "four_faith", "11 digits"), ("GW1", "morse", "dialect")],
)
def test_an_id_that_the_dialect_cannot_carry_is_refused(
    identity: str, dialect: str, reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        registration(identity, dialect)


def test_stuffing_is_as_the_maker_says() -> None:
    assert stuff(bytes.fromhex("01fd02fe03")) == bytes.fromhex("01fded02fdee03")


@given(st.binary(max_size=60), st.integers(0, 60))
def test_stuffing_is_undone_wherever_the_stream_is_cut(data: bytes, cut: int) -> None:
    stuffed, one = stuff(data), Unstuffer()
    assert b"\xfe" not in stuffed
    assert one.feed(stuffed[:cut]) + one.feed(stuffed[cut:]) == data


@pytest.mark.parametrize(
    ("dialect", "identity", "first"),
    [
        ("plain", "GW0001", b"GW0001"),
        ("imei", "860000000000017", b"860000000000017"),
        ("prefix", "PX0001", b"PX0001"),
        ("four_faith", "13800001234", registration("13800001234", "four_faith")),
    ],
)
def test_each_dialect_registers_and_passes_a_request_through(
    dialect: str, identity: str, first: bytes
) -> None:
    async def story() -> None:
        unit = SimUnit(CN_W10, 5, seed=1, static=True)
        async with (
            listening() as (server, calls),
            Transmitter([unit], server, identity, dialect=dialect),
        ):
            await until(lambda: calls and calls[0].got == first)
            call = calls[0]
            call.got = b""
            call.transport.write(wrap(5, READ))
            reply = wrap(5, unit.answer(READ)[0] or b"")
            expected = {"prefix": first + reply, "four_faith": stuff(reply)}.get(dialect, reply)
            await until(lambda: len(call.got) >= len(expected))
            assert call.got == expected

    asyncio.run(story())


def test_four_faith_stuffs_data_bytes_fd_and_fe_both_ways() -> None:
    async def story() -> None:
        row = {"signal": "limit", "address": 0xFD, "type": "uint16", "access": "rw"}
        unit = SimUnit(map_of(row), 0xFE - 0xF0, seed=1)
        async with (
            listening() as (server, calls),
            Transmitter([unit], server, "13800001234", dialect="four_faith"),
        ):
            await until(lambda: calls and calls[0].got)
            calls[0].got = b""
            frame = wrap(14, bytes.fromhex("0600fdfefd"))
            calls[0].transport.write(b"\xfe" + stuff(frame))
            await until(lambda: calls[0].got == stuff(frame))
        assert unit.words("holding", 0xFD) == [0xFEFD]

    asyncio.run(story())


@pytest.mark.parametrize(
    ("dialect", "identity", "beat"),
    [
        ("plain", "GW0001", b"heartbeat"),
        ("imei", "860000000000017", b"ping"),
        ("prefix", "PX0001", b"PX0001ping"),
        ("four_faith", "13800001234", b"\xfe"),
    ],
)
def test_heartbeats_come_when_the_line_is_idle(dialect: str, identity: str, beat: bytes) -> None:
    async def story() -> None:
        options: dict[str, Any] = {"dialect": dialect, "heartbeat_s": 0.05}
        async with listening() as (server, calls), Transmitter([], server, identity, **options):
            await until(lambda: calls and calls[0].got.endswith(beat + beat))

    asyncio.run(story())


def test_a_prefix_transmitter_may_keep_silent_until_it_is_polled() -> None:
    async def story() -> None:
        unit = SimUnit(CN_W10, 5, seed=1, static=True)
        options: dict[str, Any] = {"dialect": "prefix", "announce": False, "heartbeat_s": 0}
        async with listening() as (server, calls), Transmitter([unit], server, "PX1", **options):
            await until(lambda: calls)
            await asyncio.sleep(0.05)
            assert calls[0].got == b""
            calls[0].transport.write(wrap(5, READ))
            await until(lambda: calls[0].got.startswith(b"PX1\x05\x03"))

    asyncio.run(story())


def test_a_lost_line_is_dialled_again_and_a_dropped_one_after_its_time() -> None:
    async def story() -> None:
        options: dict[str, Any] = {"back_off_s": (0.02, 0.1)}
        async with (
            listening() as (server, calls),
            Transmitter([], server, "GW1", **options) as transmitter,
        ):
            await until(lambda: len(calls) == 1)
            calls[0].transport.abort()
            await until(lambda: len(calls) == 2)
            transmitter.drop(30)
            await until(lambda: calls[1].lost)
            await asyncio.sleep(0.1)
            assert len(calls) == 2 and not transmitter.connected
            transmitter.reconnect()
            await until(lambda: len(calls) == 3)
            assert transmitter.dials == 3

    asyncio.run(story())


def test_a_platform_that_is_away_is_dialled_with_growing_pauses() -> None:
    async def story() -> None:
        async with listening() as ((host, port), _):
            pass
        transmitter = Transmitter([], (host, port), "GW1", back_off_s=(0.02, 0.2))
        async with transmitter:
            await asyncio.sleep(0.15)
            assert not transmitter.connected
            async with listening(port) as (_, calls):
                await until(lambda: calls and calls[0].got == b"GW1")

    asyncio.run(story())


def test_replies_take_the_latency_of_the_way() -> None:
    async def story() -> None:
        unit = SimUnit(CN_W10, 5, seed=1, static=True)
        loop = asyncio.get_running_loop()
        async with (
            listening() as (server, calls),
            Transmitter([unit], server, "GW1", latency=(0.06, 0.08)),
        ):
            await until(lambda: calls and calls[0].got)
            calls[0].got, begun = b"", loop.time()
            calls[0].transport.write(wrap(5, READ))
            await until(lambda: calls[0].got)
            assert 0.06 <= loop.time() - begun < 0.3

    asyncio.run(story())
