"""Transmitters that dial in: every dialect, split and glued, known and unknown, again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from devices.modbus import frames
from devices.modbus.frames import Rtu
from devices.modbus.line import Line
from devices.modbus.registration import DIALECTS, Unstuffer, auto, stuff, unstuff
from devices.modbus.switchboard import DialTransport, Switchboard, parse_listener
from devices.modbus.troubles import LineDown, Trouble, UrlRefused
from tests.devices.modbus.doubles import rtu

FOUR_FAITH = bytes.fromhex("0A0B0C0D") + b"13800001234" + b"\0" + bytes([10, 0, 0, 9]) + b"\0"
INHAND = b"\xaa\x01" + b"13800001234" + b"\x0d"
ONE = frames.read("holding", 0, 1)
ASKED, REPLY = rtu("05 03 0000 0001"), rtu("05 03 02 FEFD")

# Dialect, the name under which somebody waits, the first packet.
REGISTRATIONS = [
    ("auto", "GW0001", b"GW0001"),
    ("auto", "GW0001", b"GW0001\r\n"),
    ("auto", "gw0001", b"LOGIN:GW0001"),
    ("auto", "1001", b"LOGIN:1001"),
    ("auto", "D8-B0-4C-00-00-01", b"D8B04C000001"),
    ("auto", "D8B04C000001", b"D8-B0-4C-00-00-01"),
    ("auto", "D8:B0:4C:00:00:01", bytes.fromhex("D8B04C000001")),
    ("auto", "860000000000017", b"860000000000017"),
    ("auto", "13800001234", b"13800001234"),
    ("auto", "13800001234", FOUR_FAITH),
    ("auto", "0A0B0C0D", FOUR_FAITH),
    ("auto", "13800001234", INHAND),
    ("plain", "GW0001", b"GW0001"),
    ("imei", "860000000000017", b"860000000000017ping"),
    ("caimore", "13800001234", b"13800001234" + REPLY),
    ("four_faith", "13800001234", FOUR_FAITH),
    ("inhand", "13800001234", INHAND),
    ("prefix", "GW0001", b"GW0001"),
]


class Caller:
    """A transmitter's end of its connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def say(self, data: bytes) -> None:
        self.writer.write(data)

    async def hear(self, count: int) -> bytes:
        return await self.reader.readexactly(count)

    async def is_hung_up(self) -> bool:
        try:
            return await asyncio.wait_for(self.reader.read(1), 1) == b""
        except TimeoutError:
            return False
        except ConnectionError:
            return True


class Exchange:
    """A running switchboard and the callers that a test makes."""

    def __init__(self, switchboard: Switchboard) -> None:
        self.switchboard = switchboard
        self.callers: list[Caller] = []

    async def call(self, first: bytes = b"", listener: int = 0) -> Caller:
        host, port = self.switchboard.addresses[listener]
        caller = Caller(*await asyncio.open_connection(host, port))
        self.callers.append(caller)
        if first:
            caller.say(first)
        return caller


@asynccontextmanager
async def exchange(dialect: str = "auto", **options: Any) -> AsyncIterator[Exchange]:
    options.setdefault("settle_s", 0.02)
    source = options.pop("source", "127.0.0.0/8")  # our own network, if not said otherwise
    switchboard = Switchboard([f"{dialect}@127.0.0.1:0?source={source}"], **options)
    await switchboard.start()
    opened = Exchange(switchboard)
    try:
        yield opened
    finally:
        for caller in opened.callers:
            caller.writer.close()
        await switchboard.close()


def tell(story: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(story(), 30))


async def until(true: Callable[[], object]) -> None:
    while not true():
        await asyncio.sleep(0.003)


async def ask(line: Line) -> tuple[int, ...]:
    return await line.exchange(5, ONE, timeout=0.5)


@pytest.mark.parametrize(("dialect", "name", "packet"), REGISTRATIONS)
@pytest.mark.parametrize("pieces", [1, 2])
def test_a_transmitter_registers_in_its_dialect(
    dialect: str, name: str, packet: bytes, pieces: int
) -> None:
    async def story() -> None:
        async with exchange(dialect, settle_s=0.02 if pieces == 1 else 0.2) as board:
            transport = board.switchboard.transport_for(name)
            caller = await board.call()
            middle = len(packet) // 2 if pieces == 2 else len(packet)
            caller.say(packet[:middle])
            await asyncio.sleep(0.005)
            caller.say(packet[middle:])
            await until(lambda: transport.connected)
            assert (transport.peer, board.switchboard.unknown) == ("127.0.0.1", [])

    tell(story)


@pytest.mark.parametrize(
    "packet", [b"ping", b"register", b"\xfe", b"\0\0", REPLY, b"x" * 41, b"\xff" * 60]
)
def test_what_names_nobody_registers_nobody(packet: bytes) -> None:
    assert auto(packet) is None


@pytest.mark.parametrize(
    ("dialect", "packet"),
    [
        ("auto", b"LOGIN:"),
        ("prefix", b"login:"),
        ("inhand", b"\xaa\x01" + b" " * 11 + b"\r"),
    ],
)
def test_an_empty_name_registers_nobody(dialect: str, packet: bytes) -> None:
    assert DIALECTS[dialect](packet) is None


def test_a_transmitter_that_says_who_it_is_only_in_a_later_packet_registers_then() -> None:
    async def story() -> None:
        async with exchange() as board:
            transport = board.switchboard.transport_for("GW0001")
            caller = await board.call(b"ping")
            await asyncio.sleep(0.06)
            assert not transport.connected
            caller.say(b"GW0001")
            await until(lambda: transport.connected)

    tell(story)


def test_an_id_with_a_heartbeat_glued_to_it_is_known_all_the_same() -> None:
    async def story() -> None:
        async with exchange() as board:
            short = board.switchboard.transport_for("GW1")
            long = board.switchboard.transport_for("GW10")
            await board.call(b"GW10ping")
            await until(lambda: long.connected)
            assert not short.connected

    tell(story)


@pytest.mark.parametrize("heartbeat", [b"\xfe", b"\0", b"ping", b"GW0001", b"\x05\x03"])
def test_heartbeats_around_a_reply_are_known_by_their_place(heartbeat: bytes) -> None:
    async def story() -> None:
        async with exchange() as board:
            transport = board.switchboard.transport_for("GW0001")
            caller = await board.call(b"GW0001")
            await until(lambda: transport.connected)
            line = Line(transport, Rtu(), frame_gap_ms=0)
            caller.say(heartbeat)
            await asyncio.sleep(0.01)
            asked = asyncio.ensure_future(ask(line))
            assert await caller.hear(len(ASKED)) == ASKED
            caller.say(heartbeat + REPLY + heartbeat)
            assert await asked == (0xFEFD,)

    tell(story)


def test_a_split_reply_is_put_together_though_its_bytes_look_like_a_heartbeat() -> None:
    async def story() -> None:
        async with exchange() as board:
            transport = board.switchboard.transport_for("GW0001")
            caller = await board.call(b"GW0001")
            await until(lambda: transport.connected)
            line = Line(transport, Rtu(), frame_gap_ms=0)
            asked = asyncio.ensure_future(ask(line))
            await caller.hear(len(ASKED))
            for at in range(len(REPLY)):
                caller.say(REPLY[at : at + 1])
                await asyncio.sleep(0.003)
            assert await asked == (0xFEFD,)

    tell(story)


def test_four_faith_stuffs_both_ways() -> None:
    async def story() -> None:
        async with exchange() as board:
            transport = board.switchboard.transport_for("13800001234")
            caller = await board.call(FOUR_FAITH)
            await until(lambda: transport.connected)
            line = Line(transport, Rtu(), frame_gap_ms=0)
            wanted = frames.write_register(0xFD, 0xFEFD)
            asked = asyncio.ensure_future(line.exchange(5, wanted, timeout=0.5))
            out = stuff(rtu("05 06 00FD FEFD"))
            assert b"\xfd\xed\xfd\xee\xfd\xed" in out
            assert await caller.hear(len(out)) == out
            middle = out.index(b"\xfd\xee") + 1  # between the two bytes of a pair
            caller.say(b"\xfe" + out[:middle])
            await asyncio.sleep(0.02)
            caller.say(out[middle:])
            assert await asked == ()

    tell(story)


def test_stuffing_undoes_itself_however_the_bytes_arrive() -> None:
    data = bytes(range(256)) * 2
    assert unstuff(stuff(data)) == data
    one_by_one = Unstuffer()
    assert b"".join(one_by_one.feed(bytes([byte])) for byte in stuff(data)) == data


@pytest.mark.parametrize("glued", [True, False])
def test_an_id_before_every_packet_is_taken_off(glued: bool) -> None:
    async def story() -> None:
        async with exchange("prefix") as board:
            transport = board.switchboard.transport_for("GW0001")
            caller = await board.call(b"GW0001")
            await until(lambda: transport.connected)
            line = Line(transport, Rtu(), frame_gap_ms=0)
            asked = asyncio.ensure_future(ask(line))
            await caller.hear(len(ASKED))
            if glued:
                caller.say(b"GW0001" + REPLY[:3] + b"GW0001" + REPLY[3:])
            else:
                caller.say(b"GW0001" + REPLY)
            assert await asked == (0xFEFD,)

    tell(story)


def test_of_two_connections_of_one_id_the_newer_wins_and_the_request_in_flight_fails() -> None:
    async def story() -> None:
        lost: list[str] = []
        async with exchange(on_lost=lambda transport: lost.append(transport.name)) as board:
            transport = board.switchboard.transport_for("GW0001")
            old = await board.call(b"GW0001")
            await until(lambda: transport.connected)
            line = Line(transport, Rtu(), frame_gap_ms=0, quiet_s=0.05)
            asked = asyncio.ensure_future(ask(line))
            await old.hear(len(ASKED))
            new = await board.call(b"GW0001")
            with pytest.raises(LineDown) as down:
                await asked
            assert down.value.sent and "重新拨入" in str(down.value) and lost == ["GW0001"]
            assert await old.is_hung_up() and transport.connected
            asked = asyncio.ensure_future(ask(line))
            assert await new.hear(len(ASKED)) == ASKED
            new.say(REPLY)
            assert await asked == (0xFEFD,)

    tell(story)


def test_a_caller_that_hangs_up_leaves_its_transport_disconnected_and_may_come_again() -> None:
    async def story() -> None:
        async with exchange() as board:
            transport = board.switchboard.transport_for("GW0001")
            for _ in range(2):
                caller = await board.call(b"GW0001")
                await until(lambda: transport.connected)
                caller.writer.close()
                await until(lambda: not transport.connected)
            assert "已断开" in str(transport.trouble)

    tell(story)


def test_an_unknown_id_is_listed_held_open_and_left_in_silence() -> None:
    async def story() -> None:
        told: list[tuple[str, ...]] = []
        async with exchange(on_unknown=lambda call: told.append(call.names)) as board:
            caller = await board.call(b"WHO1")
            await until(lambda: told)
            (unknown,) = board.switchboard.unknown
            assert unknown.names == ("WHO1",) and unknown.peer == "127.0.0.1"
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(caller.reader.read(1), 0.1)
            transport = board.switchboard.transport_for("who1")  # somebody takes it up
            assert transport.connected and board.switchboard.unknown == []
            transport.write(b"hello")
            assert await caller.hear(5) == b"hello"

    tell(story)


def test_a_unit_taken_out_of_use_leaves_its_transmitter_held_and_silent() -> None:
    async def story() -> None:
        async with exchange() as board:
            transport = board.switchboard.transport_for("GW0001")
            caller = await board.call(b"GW0001")
            await until(lambda: transport.connected)
            await transport.close()
            assert [known.names for known in board.switchboard.unknown] == [("GW0001",)]
            assert not await caller.is_hung_up()
            again = board.switchboard.transport_for("GW0001")
            assert again is not transport and again.connected

    tell(story)


def test_a_caller_that_never_says_who_it_is_is_closed_after_the_time_for_it() -> None:
    async def story() -> None:
        async with exchange(registration_s=0.1) as board:
            silent = await board.call()
            noisy = await board.call(b"\xfe")
            assert await silent.is_hung_up() and await noisy.is_hung_up()

    tell(story)


def test_a_prefix_only_transmitter_may_stay_silent_until_it_is_polled() -> None:
    async def story() -> None:
        async with exchange("prefix", registration_s=0.05) as board:
            caller = await board.call()
            assert not await caller.is_hung_up()

    tell(story)


def test_beyond_the_limit_the_oldest_that_never_registered_goes_and_new_ones_never() -> None:
    async def story() -> None:
        async with exchange(max_idle=3) as board:
            served = board.switchboard.transport_for("GW0001")
            await board.call(b"GW0001")
            held = await board.call(b"WHO1")
            await until(lambda: served.connected and board.switchboard.unknown)
            first, second, third = [await board.call() for _ in range(3)]
            assert await first.is_hung_up()
            assert served.connected
            for caller in (held, second, third):
                assert not caller.reader.at_eof()

    tell(story)


def test_one_source_cannot_take_all_the_room() -> None:
    async def story() -> None:
        async with exchange(max_silent_per_source=2) as board:
            callers = [await board.call() for _ in range(3)]
            assert await callers[0].is_hung_up()
            assert not callers[1].reader.at_eof() and not callers[2].reader.at_eof()

    tell(story)


def test_a_source_that_many_share_loses_only_those_who_say_nothing() -> None:
    async def story() -> None:
        async with exchange(max_silent_per_source=2, settle_s=0.2) as board:
            transports = [board.switchboard.transport_for(f"GW{n}") for n in range(9)]
            silent = await board.call()
            for n in range(9):
                await board.call(f"GW{n}".encode())
            await until(lambda: all(one.connected for one in transports))
            assert not await silent.is_hung_up()

    tell(story)


def test_who_waits_for_a_transmitter_that_does_not_come_is_told() -> None:
    async def story() -> None:
        async with exchange(registration_s=0.05) as board:
            with pytest.raises(LineDown) as down:
                await board.switchboard.transport_for("GW0001").connect()
            assert "GW0001" in str(down.value) and "没有拨入" in str(down.value)

    tell(story)


def test_bytes_are_counted_registration_heartbeats_and_stuffing_too() -> None:
    async def story() -> None:
        async with exchange() as board:
            transport = board.switchboard.transport_for("13800001234")
            caller = await board.call(FOUR_FAITH)
            await until(lambda: transport.connected)
            transport.write(b"\xfd\x01")
            caller.say(b"\xfe\xfd\xed")
            await until(lambda: transport.bytes_in > 21)
            assert (transport.bytes_out, transport.bytes_in) == (3, 21 + 3)

    tell(story)


def test_the_same_transmitter_is_one_transport_however_it_is_spelt() -> None:
    async def story() -> None:
        async with exchange() as board:
            names = ("D8-B0-4C-00-00-01", "d8b04c000001", " D8:B0:4C:00:00:01 ")
            found: set[DialTransport] = {board.switchboard.transport_for(name) for name in names}
            assert len(found) == 1

    tell(story)


def test_gw10_never_passes_for_gw1() -> None:
    async def story() -> None:
        async with exchange() as board:
            short = board.switchboard.transport_for("GW1")
            await board.call(b"GW10")
            await until(lambda: board.switchboard.unknown)
            assert board.switchboard.unknown[0].names == ("GW10",) and not short.connected

    tell(story)


def test_one_that_is_held_under_a_heartbeats_text_is_taken_up_when_it_says_its_id() -> None:
    async def story() -> None:
        async with exchange() as board:
            transport = board.switchboard.transport_for("GW0001")
            caller = await board.call(b"alive")
            await until(lambda: board.switchboard.unknown)
            caller.say(b"GW0001")
            await until(lambda: transport.connected)
            assert board.switchboard.unknown == [] and transport.bytes_in == len(b"aliveGW0001")

    tell(story)


@pytest.mark.parametrize(
    "spec",
    [
        "auto@h:1?source=10.0.0.1/8",
        "auto@h:1?source=",
        "auto@h:1?sauce=10.0.0.0/8",
        "a@h:1?source=x",
    ],
)
def test_a_private_network_that_is_none_is_refused(spec: str) -> None:
    with pytest.raises(UrlRefused):
        parse_listener(spec)


def test_a_listener_knows_its_private_networks_however_the_peer_is_written() -> None:
    listener = parse_listener("prefix@[::]:4001?source=10.0.0.0/8&source=fd00::/8")
    assert (listener.dialect, listener.host, str(listener)) == ("prefix", "::", "prefix@[::]:4001")
    private = ("10.1.2.3", "::ffff:10.1.2.3", "fd00::1", "fe80::1%eth0", "11.0.0.1", "")
    assert [listener.is_private(peer) for peer in private] == [True] * 3 + [False] * 3


@pytest.mark.parametrize("spec", ["", "4001", "nobody@127.0.0.1:1", "auto@:4001", "auto@h:70000"])
def test_a_listener_that_cannot_be_is_refused(spec: str) -> None:
    with pytest.raises(UrlRefused):
        parse_listener(spec)


def test_a_taken_port_is_told_and_leaves_nothing_open() -> None:
    async def story() -> None:
        async with exchange() as board:
            _, port = board.switchboard.addresses[0]
            second = Switchboard(["auto@127.0.0.1:0", f"auto@127.0.0.1:{port}"])
            with pytest.raises(Trouble) as trouble:
                await second.start()
            assert f"127.0.0.1:{port}" in str(trouble.value)
            assert second.addresses == []

    tell(story)
