"""Doubles for tests of the master: a transport that one feeds by hand, and a small device.

The device is no house: it has registers, and whatever a test lets go wrong.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable
from typing import Any

from devices.modbus.line import Line
from devices.modbus.troubles import Trouble
from devices.modbus.words import N_, Sentence


def crc(body: bytes) -> bytes:
    """CRC-16/MODBUS bit by bit, as the standard's appendix has it."""
    value = 0xFFFF
    for byte in body:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0xA001 if value & 1 else 0)
    return struct.pack("<H", value)


def rtu(text: str) -> bytes:
    """A frame of hexadecimal bytes with its CRC behind them."""
    body = bytes.fromhex(text)
    return body + crc(body)


class FakeTransport:
    """Connected at once; keeps what is sent; a test says what arrives."""

    def __init__(self) -> None:
        self.connected = True
        self.holds_writes: Sentence | None = None
        self.sent: list[bytes] = []
        self.times: list[float] = []
        self.on_write: Callable[[bytes], None] = lambda frame: None
        self.line: Line

    def attach(self, receiver: Line) -> None:
        self.line = receiver

    def write(self, data: bytes) -> None:
        self.sent.append(data)
        self.times.append(asyncio.get_running_loop().time())
        self.on_write(data)

    def arrive(self, data: bytes) -> None:
        self.line.arrived(data)

    def lose(self) -> None:
        self.connected = False
        self.line.lost(Trouble(N_("断了")))

    def return_(self) -> None:
        self.connected = True
        self.line.up()


class Device:
    """Registers behind one address of a `FakeTransport`, answered within the same loop turn.

    `before(pdu)` may change registers, and return bytes of a reply PDU of its own, or b"" for
    silence. `writes` are all (function, address, words) that were carried out.
    """

    def __init__(self, transport: FakeTransport, address: int = 5) -> None:
        self.transport, self.address = transport, address
        self.areas: dict[str, dict[int, int]] = {
            name: {} for name in ("coil", "discrete", "holding", "input")
        }
        self.requests: list[bytes] = []
        self.writes: list[tuple[int, int, list[int]]] = []
        self.before: Callable[[bytes], bytes | None] = lambda pdu: None
        self.after_write: Callable[[int, list[int]], Any] = lambda address, words: None
        transport.on_write = self._heard

    @property
    def holding(self) -> dict[int, int]:
        return self.areas["holding"]

    @property
    def coils(self) -> dict[int, int]:
        return self.areas["coil"]

    def _heard(self, frame: bytes) -> None:
        if frame[0] != self.address:
            return
        pdu = frame[1:-2]
        self.requests.append(pdu)
        own = self.before(pdu)
        reply = self._answer(pdu) if own is None else own
        if reply:
            body = bytes([self.address]) + reply
            loop = asyncio.get_running_loop()
            loop.call_soon(self.transport.arrive, body + crc(body))

    def _answer(self, pdu: bytes) -> bytes:
        function, address, number = struct.unpack(">BHH", pdu[:5])
        if function <= 4:
            return self._read(function, address, number)
        words = {
            5: lambda: [int(number == 0xFF00)],
            6: lambda: [number],
            15: lambda: [pdu[6 + n // 8] >> n % 8 & 1 for n in range(number)],
            16: lambda: list(struct.unpack(f">{number}H", pdu[6:])),
        }[function]()
        bank = self.coils if function in (5, 15) else self.holding
        if any(address + n not in bank for n in range(len(words))):
            return bytes([function | 0x80, 2])
        bank.update({address + n: word for n, word in enumerate(words)})
        self.writes.append((function, address, words))
        self.after_write(address, words)
        return pdu[:5]

    def _read(self, function: int, address: int, count: int) -> bytes:
        name = {1: "coil", 2: "discrete", 3: "holding", 4: "input"}[function]
        bank = self.areas[name]
        if any(address + n not in bank for n in range(count)):
            return bytes([function | 0x80, 2])
        words = [bank[address + n] for n in range(count)]
        if function > 2:
            return struct.pack(f">BB{count}H", function, 2 * count, *words)
        size = (count + 7) // 8
        packed = sum(bit << n for n, bit in enumerate(words)).to_bytes(size, "little")
        return bytes([function, size]) + packed
