"""Puts simulated units on a wire: RTU over TCP, Modbus TCP (MBAP), and what all wires share.

A `Bus` is the pair of wires with its units; a connection feeds it the bytes that it hears. The
reply leaves after the wire time of both frames (where a baud rate is given), the unit's turn-round
and the latency of the way; `turnround=(0, 0)` without baud and latency answers at once.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from random import Random
from typing import Any, Protocol

from devices.modbus.simulator import rtu
from devices.modbus.simulator.faults import DROP, GARBLED, LATE, OK, Faults
from devices.modbus.simulator.record import Record
from devices.modbus.simulator.unit import SimUnit

Range = tuple[float, float]
# Sends a frame and tells the Unix time when its last byte leaves, or None if it cannot leave.
Send = Callable[[bytes], float | None]
INSTANT = (0.0, 0.0)
_NOTHING = (None, b"", b"")


class Framing(Protocol):
    """How requests and replies lie in a stream of bytes; `ticket` is the length of the number by
    which a reply belongs to its request, the first bytes of both."""

    ticket: int

    def take(self, buffer: bytearray) -> list[tuple[int, bytes, bytes]]:
        """Whole requests out of the buffer: address, PDU, ticket to be handed to `wrap`."""

    def wrap(self, address: int, pdu: bytes, ticket: bytes) -> bytes: ...

    def spoil(self, frame: bytes, faults: Faults) -> bytes:
        """A damaged frame that no faithful reader accepts."""


class Rtu:
    ticket = 0

    def __init__(self, width: int = 1, order: str = "big") -> None:
        self.width, self.order = width, order

    def take(self, buffer: bytearray) -> list[tuple[int, bytes, bytes]]:
        return [(at, pdu, b"") for at, pdu in rtu.take(buffer, self.width, self.order)]

    def wrap(self, address: int, pdu: bytes, ticket: bytes) -> bytes:
        return rtu.wrap(address, pdu, self.width, self.order)

    def spoil(self, frame: bytes, faults: Faults) -> bytes:
        while True:
            spoilt = faults.spoil(frame)
            if len(spoilt) < 4 or rtu.crc(spoilt[:-2]) != spoilt[-2:]:
                return spoilt


class Mbap:
    """Seven bytes before the PDU: transaction, protocol 0, length, unit (one byte)."""

    ticket = 2

    def take(self, buffer: bytearray) -> list[tuple[int, bytes, bytes]]:
        found = []
        while len(buffer) >= 8:
            end = 6 + int.from_bytes(buffer[4:6], "big")
            if buffer[2:4] != b"\0\0" or not 8 <= end <= 260:
                buffer.clear()
            elif end > len(buffer):
                break
            else:
                found.append((buffer[6], bytes(buffer[7:end]), bytes(buffer[:2])))
                del buffer[:end]
        return found

    def wrap(self, address: int, pdu: bytes, ticket: bytes) -> bytes:
        return ticket + b"\0\0" + (len(pdu) + 1).to_bytes(2, "big") + bytes((address,)) + pdu

    def spoil(self, frame: bytes, faults: Faults) -> bytes:
        """There is no check over the data, so that damage shows in the transaction number."""
        return bytes((frame[0] ^ 0x55, frame[1] ^ 0xAA)) + frame[2:]


class Bus:
    """Units on one line. All must agree in width and order of the address.

    `char_s` is the time of one character on the wire; a connection that `trickles` spends the
    reply's own time itself.
    """

    def __init__(
        self,
        units: Iterable[SimUnit],
        *,
        framing: Framing | None = None,
        char_s: float = 0.0,
        trickles: bool = False,
        turnround: Range = INSTANT,
        latency: Range = INSTANT,
        faults: Faults | None = None,
        record: Record | None = None,
        seed: int = 0,
    ) -> None:
        self.units = {unit.address: unit for unit in units}
        widths = {
            (unit.map.number("address_width"), unit.map.settings["address_order"])
            for unit in self.units.values()
        }
        if len(widths) > 1:
            raise ValueError(f"units of one line differ in width or order of address: {widths}")
        self.width, order = widths.pop() if widths else (1, "big")
        self.framing = framing or Rtu(self.width, order)
        self.char_s, self.turnround, self.latency = char_s, turnround, latency
        self.reply_char_s = 0.0 if trickles else char_s
        self.faults, self.record = faults, record
        self.dice = Random(seed)
        self.requests = 0
        self._at_once = not (self.char_s or turnround[1] or latency[1] or record)
        self._kept: dict[bytes, tuple[SimUnit, bytes, bytes]] = {}

    def again(self, data: bytes) -> bytes | None:
        """The reply to a request that was answered at once before, where nothing changed since:
        a static farm costs so little that a bench measures the master."""
        ticket = self.framing.ticket
        unit, pdu, frame = self._kept.get(data[ticket:], _NOTHING)
        if unit is None or not unit.unchanged(pdu) or not (self.faults is None or self.faults.none):
            return None
        self.requests += 1
        return data[:ticket] + frame

    def hear(self, buffer: bytearray, send: Send) -> None:
        """Answer every whole request in the buffer through `send`."""
        for address, pdu, ticket in self.framing.take(buffer):
            self.requests += 1
            unit = self.units.get(address)
            if unit is not None:
                reply, told = unit.answer(pdu)
                if reply is not None:
                    frame = self.framing.wrap(address, reply, ticket)
                    if self._at_once and unit.unchanged(pdu):
                        self._keep(unit, address, pdu, frame)
                    on_wire = (len(pdu) + self.width + 2) * self.char_s
                    on_wire += len(frame) * self.reply_char_s
                    self._reply(unit.key, frame, told, on_wire, send)
            elif address == 0:
                for everyone in self.units.values():  # broadcast: obeyed, never answered
                    everyone.answer(pdu)

    def _keep(self, unit: SimUnit, address: int, pdu: bytes, frame: bytes) -> None:
        ticket = self.framing.ticket
        asked = self.framing.wrap(address, pdu, bytes(ticket))
        self._kept[asked[ticket:]] = unit, pdu, frame[ticket:]

    def _reply(
        self, key: str, frame: bytes, told: tuple[str, ...], on_wire: float, send: Send
    ) -> None:
        fate = self.faults.fate(key) if self.faults else OK
        if fate == DROP:
            return
        delay = on_wire
        if self.turnround[1]:
            delay += self.dice.uniform(*self.turnround)
        if self.latency[1]:
            delay += self.dice.uniform(*self.latency)
        if fate == LATE and self.faults:
            delay += self.faults.lateness()
            if self.record is not None:  # a patient master may take it: what it says is of now
                self.record.write(time.time(), told)
        if fate == GARBLED and self.faults:
            frame = self.framing.spoil(frame, self.faults)
        kept = told if fate == OK else ()
        if delay > 0:
            asyncio.get_running_loop().call_later(delay, self._leave, frame, kept, send)
        else:
            self._leave(frame, kept, send)

    def _leave(self, frame: bytes, told: tuple[str, ...], send: Send) -> None:
        left = send(frame)
        if left is not None and told and self.record is not None:
            self.record.write(left, told)


class Connection(asyncio.Protocol):
    """One master that has connected to a bus over TCP."""

    def __init__(self, bus: Bus, open_ones: set[Connection]) -> None:
        self.bus, self.open_ones = bus, open_ones
        self.buffer = bytearray()
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]
        self.open_ones.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        self.open_ones.discard(self)

    def data_received(self, data: bytes) -> None:
        reply = None if self.buffer else self.bus.again(data)
        if reply is not None:
            self.transport.write(reply)
            return
        self.buffer += data
        self.bus.hear(self.buffer, self.send)

    def send(self, frame: bytes) -> float | None:
        if self.transport.is_closing():
            return None
        self.transport.write(frame)
        return time.time()


@asynccontextmanager
async def serve_bus(bus: Bus, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[int]:
    """Serve a bus over TCP; gives the port (a free one for 0)."""
    open_ones: set[Connection] = set()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(bus, open_ones), host, port)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        await _accept_no_more(server)
        for connection in list(open_ones):
            connection.transport.abort()
        await server.wait_closed()


async def _accept_no_more(server: asyncio.Server) -> None:
    """Close a server. Whom it accepted a moment ago is a connection afterwards: asyncio makes it
    two turns later, and would drop it unclosed."""
    loop = asyncio.get_running_loop()
    for listening in server.sockets:
        loop.remove_reader(listening.fileno())
    for _turn in range(2):
        await asyncio.sleep(0)
    server.close()


@asynccontextmanager
async def serve_tcp(
    units: Iterable[SimUnit], *, framing: str = "rtu", host: str = "127.0.0.1", port: int = 0,
    **options: Any,
) -> AsyncIterator[int]:  # fmt: skip
    """Serve units as RTU over TCP ("rtu") or Modbus TCP ("mbap"); options as of `Bus`."""
    bus = Bus(units, framing=Mbap() if framing == "mbap" else None, **options)
    async with serve_bus(bus, host, port) as taken:
        yield taken
