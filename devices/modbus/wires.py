"""From a line's URL and its units' settings to the master of that line."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Collection, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Literal, cast

from devices.modbus import transports
from devices.modbus.blocks import Block
from devices.modbus.frames import Framing, Mbap, Order, Rtu, read
from devices.modbus.line import Line
from devices.modbus.mapsettings import Settings
from devices.modbus.switchboard import DialTransport, Switchboard
from devices.modbus.transports import Transport
from devices.modbus.troubles import AddressRefused
from devices.modbus.urls import LineUrl, parse_url

LISTEN_S = 3.0
# Time-outs that measuring may not fall below: a busy machine, and the moods of a mobile network.
LEAST_S, LEAST_DIALLED_S = 0.25, 1.0


@dataclass(frozen=True, slots=True)
class Wire:
    """What all units of a line must agree on: one speed, one parity, one address width.

    `url` has its speed, parity and stop bits filled in.
    """

    url: LineUrl
    width: Literal[1, 2] = 1
    order: Order = "big"
    frame_gap_ms: float = 5.0

    @property
    def is_mbap(self) -> bool:
        """Modbus TCP: by a gateway on the network, or by a transmitter that converts itself."""
        return "mbap" in (self.url.scheme, self.url.framing)

    @property
    def char_bits(self) -> int:
        """Bits of a character on the wire: start, 8 data, parity, stop."""
        return 9 + (self.url.parity != "N") + (self.url.stop_bits or 1)


def wire_of(url: str, settings: Settings | None = None) -> Wire:
    """The wire of a line: what its URL says, else what the map's settings say.

    Raises UrlRefused.
    """
    parsed, settings = parse_url(url), settings or Settings()
    whole = replace(
        parsed,
        baud=parsed.baud or settings.baud,
        parity=parsed.parity or cast(Literal["N", "E", "O"], settings.parity),
        stop_bits=parsed.stop_bits or settings.stop_bits,
    )
    return Wire(
        whole,
        cast(Literal[1, 2], settings.address_width),
        cast(Order, settings.address_order),
        settings.frame_gap_ms,
    )


def line_on(
    transport: Transport,
    wire: Wire,
    on_record: Collection[int] = (),
    *,
    quiet_s: float = 1.0,
    listen_s: float | None = None,
) -> Line:
    """A master for the transport. `on_record` are the native addresses of units known to be there;
    the caller's collection itself is looked at, so that it may grow. A serial line is listened to
    first (`listen_s`, LISTEN_S by default): a maker's own controller may share the terminals."""
    is_serial = wire.url.scheme == "serial"
    if listen_s is None:
        listen_s = LISTEN_S if is_serial else 0.0
    return Line(
        transport,
        framing_of(wire, on_record),
        baud=wire.url.baud or 9600,
        char_bits=wire.char_bits,
        frame_gap_ms=wire.frame_gap_ms,
        quiet_s=quiet_s,
        least_timeout_s=LEAST_DIALLED_S if wire.url.scheme == "dial" else LEAST_S,
        is_clocked=is_serial,
        echo=wire.url.echo,
        listen_s=listen_s,
    )


def framing_of(wire: Wire, on_record: Collection[int] = ()) -> Mbap | Rtu:
    """How frames lie on this wire; another protocol would be another framing here."""
    return Mbap() if wire.is_mbap else Rtu(wire.width, wire.order, on_record)


def greet_with(transport: Transport, line: Line, questions: Iterable[tuple[int, Block]]) -> None:
    """Tell a transmitter's transport what a unit behind it would answer (address, block): some
    send their id before their packets only, and nothing before they are asked."""
    if isinstance(transport, DialTransport):
        transport.greeting = greeting(line.framing, questions)


def greeting(framing: Framing, questions: Iterable[tuple[int, Block]]) -> bytes:
    """The frame that asks the first of the questions (address, block) that may be asked."""
    for address, block in questions:
        with contextlib.suppress(AddressRefused):
            return framing.wrap(address, read(block.area, block.address, block.count).pdu)
    return b""


@asynccontextmanager
async def connected(url: LineUrl, greeting: bytes = b"") -> AsyncIterator[Transport]:
    """The transport of a URL for the length of a visit; a dial-in is waited for as the URL says,
    and greeted where it says nothing by itself.

    Raises UrlRefused, LineDown, and Trouble where no one can listen at `listen`.
    """
    switchboard = None
    if url.scheme == "dial" and url.listen:
        # The engineer who listens here answers for who dials in.
        listener = f"{url.dialect}@{url.listen}?source=0.0.0.0/0&source=::/0"
        switchboard = Switchboard([listener], registration_s=url.wait_s)
        await switchboard.start()
    try:
        transport = transports.open(url, switchboard)
        if isinstance(transport, DialTransport):
            transport.greeting = greeting
        try:
            await transport.connect()
            yield transport
        finally:
            await transport.close()
    finally:
        if switchboard:
            await switchboard.close()
