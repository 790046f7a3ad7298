"""URLs of lines, and the ways for bytes behind them."""

from __future__ import annotations

import asyncio
import os
import tty
from collections.abc import Iterator

import pytest

from devices.modbus import transports
from devices.modbus.mapsettings import Settings
from devices.modbus.transports import SerialTransport, TcpTransport
from devices.modbus.troubles import LineDown, Trouble, UrlRefused
from devices.modbus.urls import LineUrl, parse_url
from devices.modbus.wires import wire_of


@pytest.mark.parametrize(
    ("url", "parsed"),
    [
        ("tcp://10.0.0.7:502", LineUrl("tcp", host="10.0.0.7", port=502)),
        (" mbap://gateway.local:1502/ ", LineUrl("mbap", host="gateway.local", port=1502)),
        ("tcp://[::1]:502", LineUrl("tcp", host="::1", port=502)),
        ("serial:///dev/ttyUSB0", LineUrl("serial", device="/dev/ttyUSB0")),
        (
            "serial:///dev/ttyS1?baud=19200&parity=e&stop_bits=2",
            LineUrl("serial", device="/dev/ttyS1", baud=19200, parity="E", stop_bits=2),
        ),
        ("serial://COM3?baud=4800", LineUrl("serial", device="COM3", baud=4800)),
        ("dial://GW%201", LineUrl("dial", transmitter="GW 1")),
        ("dial://1?framing=mbap", LineUrl("dial", transmitter="1", framing="mbap")),
        ("serial:///dev/ttyS1?rs485=on", LineUrl("serial", device="/dev/ttyS1", rs485=True)),
        (
            "dial://1001?listen=127.0.0.1:4001&dialect=prefix&wait=30",
            LineUrl(
                "dial", transmitter="1001", listen="127.0.0.1:4001", dialect="prefix", wait_s=30
            ),
        ),
    ],
)
def test_a_url_says_where_a_line_is(url: str, parsed: LineUrl) -> None:
    assert parse_url(url) == parsed


@pytest.mark.parametrize(
    "url",
    [
        "",
        "tcp",
        "10.0.0.7:502",
        "tcp://",
        "tcp://10.0.0.7",
        "tcp://10.0.0.7:0",
        "tcp://10.0.0.7:70000",
        "tcp://10.0.0.7:port",
        "tcp://10.0.0.7:502/path",
        "tcp://10.0.0.7:502?baud=9600",
        "http://10.0.0.7:502",
        "serial://",
        "serial:///dev/ttyUSB0?baud=fast",
        "serial:///dev/ttyUSB0?baud=0",
        "serial:///dev/ttyUSB0?parity=X",
        "serial:///dev/ttyUSB0?stop_bits=3",
        "serial:///dev/ttyUSB0?speed=9600",
        "dial://",
        "dial://1001?wait=never",
        "dial://1001?framing=morse",
        "serial:///dev/ttyS1?rs485=perhaps",
        "tcp://[::1:502",
    ],
)
def test_what_is_no_url_is_refused_with_the_url_in_the_sentence(url: str) -> None:
    with pytest.raises(UrlRefused) as refusal:
        parse_url(url)
    assert url in str(refusal.value)


@pytest.mark.parametrize(
    ("url", "meter"),
    [
        ("dial://1001?framing=dlt645", "DL/T 645"),
        ("dial://1001?framing=CJ/T188-2018", "CJ/T 188"),
        ("dlt645://10.0.0.7:502", "DL/T 645"),
    ],
)
def test_the_protocols_of_meters_are_refused_in_words(url: str, meter: str) -> None:
    with pytest.raises(UrlRefused, match=f"{meter} 表计的规约目前不支持"):
        parse_url(url)


def test_the_url_says_the_speed_before_the_map_does() -> None:
    map = Settings(baud=19200, parity="E", stop_bits=2)
    assert wire_of("serial:///dev/ttyUSB0", map).url.baud == 19200
    mixed = wire_of("serial:///dev/ttyUSB0?baud=4800&parity=N", map)
    assert (mixed.url.baud, mixed.url.parity, mixed.url.stop_bits) == (4800, "N", 2)
    assert wire_of("serial:///dev/ttyUSB0").url.baud == 9600
    assert wire_of("tcp://h:1", Settings(address_width=2)).width == 2
    assert [wire_of("tcp://h:1", Settings(parity=p)).char_bits for p in "NE"] == [10, 11]


class Ear:
    """A receiver that keeps what it hears."""

    expects_reply = False

    def __init__(self) -> None:
        self.heard = b""
        self.ups = 0
        self.losses: list[Trouble] = []

    def arrived(self, data: bytes) -> None:
        self.heard += data

    def up(self) -> None:
        self.ups += 1

    def lost(self, why: Trouble) -> None:
        self.losses.append(why)

    async def loses(self) -> None:
        while not self.losses:
            await asyncio.sleep(0.005)

    async def hears(self, data: bytes) -> None:
        while self.heard != data:
            await asyncio.sleep(0.005)


def _serial(device: str) -> SerialTransport:
    return SerialTransport(LineUrl("serial", device=device))


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Give everything back; hang up on b"bye"."""
    while (data := await reader.read(100)) and data != b"bye":
        writer.write(data)
    writer.close()


def test_a_tcp_connection_carries_bytes_and_tells_of_its_end() -> None:
    async def story() -> None:
        server = await asyncio.start_server(_echo, "127.0.0.1", 0)
        port, ear = server.sockets[0].getsockname()[1], Ear()
        transport = transports.open(f"tcp://127.0.0.1:{port}")
        transport.attach(ear)
        await transport.connect()
        assert transport.connected and ear.ups == 1
        transport.write(b"abc")
        await ear.hears(b"abc")
        assert (transport.bytes_out, transport.bytes_in) == (3, 3)
        transport.write(b"bye")
        await ear.loses()
        assert "断开" in str(transport.trouble)
        transport.write(b"nobody hears it")
        await transport.close()
        server.close()

    asyncio.run(asyncio.wait_for(story(), 30))


def test_a_kept_connection_comes_back_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transports, "_PAUSES_S", (0.05,))

    async def story() -> None:
        server = await asyncio.start_server(_echo, "127.0.0.1", 0)
        port, ear = server.sockets[0].getsockname()[1], Ear()
        transport = TcpTransport("127.0.0.1", port)
        transport.attach(ear)
        transport.keep()
        while ear.ups < 1:
            await asyncio.sleep(0.005)
        transport.write(b"bye")
        while ear.ups < 2:
            await asyncio.sleep(0.005)
        transport.write(b"again")
        await ear.hears(b"again")
        await transport.close()
        await asyncio.sleep(0.15)
        assert not transport.connected and ear.ups == 2
        server.close()

    asyncio.run(asyncio.wait_for(story(), 30))


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("tcp://127.0.0.1:1", "拒绝连接"),
        ("tcp://no-such-host.invalid:502", "找不到主机"),
        ("serial:///dev/no-such-port", "找不到串口"),
        ("serial:///dev/null", "打不开"),
    ],
)
def test_a_line_that_does_not_open_says_why(url: str, why: str) -> None:
    async def story() -> None:
        transport = transports.open(url)
        with pytest.raises(LineDown) as down:
            await transport.connect()
        assert why in str(down.value) and str(transport.trouble) == str(down.value)
        assert not transport.connected
        await transport.close()

    asyncio.run(asyncio.wait_for(story(), 30))


def test_a_dial_in_needs_somewhere_to_dial_to() -> None:
    with pytest.raises(UrlRefused) as refusal:
        transports.open("dial://1001")
    assert "dial://1001?listen=" in str(refusal.value)


@pytest.fixture
def terminal() -> Iterator[tuple[int, str]]:
    near, far = os.openpty()
    tty.setraw(far)
    yield near, os.ttyname(far)
    os.close(far)
    os.close(near)


def test_a_serial_port_carries_every_byte_value(terminal: tuple[int, str]) -> None:
    near, path = terminal
    everything = bytes(range(256))

    async def story() -> None:
        transport, ear = transports.open(f"serial://{path}?baud=19200"), Ear()
        transport.attach(ear)
        await transport.connect()
        os.write(near, everything)
        await ear.hears(everything)
        transport.write(everything)
        got = b""
        while len(got) < 256:
            got += await asyncio.to_thread(os.read, near, 256)
        assert got == everything
        await transport.close()
        assert len(ear.losses) == 1

    asyncio.run(asyncio.wait_for(story(), 30))


def test_a_serial_port_is_opened_by_one_program_only(terminal: tuple[int, str]) -> None:
    async def story() -> None:
        first, second = (_serial(terminal[1]) for _ in range(2))
        await first.connect()
        with pytest.raises(LineDown) as down:
            await second.connect()
        assert "正被别的程序使用" in str(down.value)
        await first.close()
        await second.connect()
        await second.close()

    asyncio.run(asyncio.wait_for(story(), 30))


def test_a_serial_port_that_is_pulled_out_is_noticed() -> None:
    async def story() -> None:
        near, far = os.openpty()
        tty.setraw(far)
        transport, ear = _serial(os.ttyname(far)), Ear()
        transport.attach(ear)
        await transport.connect()
        os.close(far)
        os.close(near)
        await ear.loses()
        assert "已断开" in str(ear.losses[0])
        await transport.close()

    asyncio.run(asyncio.wait_for(story(), 30))
