"""Requests, replies and the frames that carry them.

A PDU is function code and data (Modbus application protocol V1.1b3, chapter 6); a frame adds unit
address and CRC (RTU) or a header (MBAP, Modbus TCP). Replies are searched for in a stream of bytes
that may hold noise, heartbeats, replies to others and parts of frames: only the expected header
with a valid CRC counts, and what does not belong is stepped over byte by byte.
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import Literal, Protocol

from devices.modbus.cells import BIT_AREAS, Area
from devices.modbus.troubles import AddressRefused, ExceptionReply, WrongEcho
from devices.modbus.words import N_

Order = Literal["big", "little"]

READ_FUNCTIONS: dict[Area, int] = {"coil": 1, "discrete": 2, "holding": 3, "input": 4}
AREAS: dict[int, Area] = {function: area for area, function in READ_FUNCTIONS.items()}


def _crc_table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = (crc >> 1) ^ 0xA001 if crc & 1 else crc >> 1
        table.append(crc)
    return tuple(table)


_CRC_TABLE = _crc_table()


def _crc_of_words() -> tuple[int, ...]:
    """The table for two bytes at a time: the check has 16 bits, so that a word goes in at once."""
    first = [(word >> 8, _CRC_TABLE[word & 0xFF]) for word in range(0x10000)]
    return tuple((crc >> 8) ^ _CRC_TABLE[(crc ^ second) & 0xFF] for second, crc in first)


_CRC_OF_WORDS = _crc_of_words()


def crc16(data: bytes | bytearray) -> int:
    """CRC-16/MODBUS of some bytes; low byte goes first on the wire, and a whole frame gives 0."""
    crc = 0xFFFF
    table = _CRC_OF_WORDS
    for word in struct.unpack_from(f"<{len(data) // 2}H", data):
        crc = table[crc ^ word]
    return (crc >> 8) ^ _CRC_TABLE[(crc ^ data[-1]) & 0xFF] if len(data) % 2 else crc


class Request:
    """One request PDU, the head that its reply must have, and the reply's length in bytes."""

    __slots__ = ("head", "pdu", "reply_length")
    writes = False

    def __init__(self, pdu: bytes, head: bytes, reply_length: int) -> None:
        self.pdu = pdu
        self.head = head
        self.reply_length = reply_length

    @property
    def function(self) -> int:
        return self.pdu[0]

    def parse(self, pdu: bytes) -> tuple[int, ...]:
        """What a reply with the right head and length says; raises ExceptionReply, WrongEcho."""
        if pdu[0] & 0x80:
            raise ExceptionReply(pdu[1])
        return self._values(pdu)

    def _values(self, pdu: bytes) -> tuple[int, ...]:
        raise NotImplementedError


class ReadWords(Request):
    """Functions 3 and 4; answers with register words."""

    __slots__ = ("_unpack",)

    def __init__(self, function: int, address: int, count: int) -> None:
        pdu = struct.pack(">BHH", function, address, count)
        super().__init__(pdu, bytes((function, 2 * count)), 2 + 2 * count)
        self._unpack = struct.Struct(f">{count}H").unpack_from

    def _values(self, pdu: bytes) -> tuple[int, ...]:
        return self._unpack(pdu, 2)


class ReadBits(Request):
    """Functions 1 and 2; answers with bits, 0 or 1."""

    __slots__ = ("_count",)

    def __init__(self, function: int, address: int, count: int) -> None:
        size = (count + 7) // 8
        super().__init__(
            struct.pack(">BHH", function, address, count), bytes((function, size)), 2 + size
        )
        self._count = count

    def _values(self, pdu: bytes) -> tuple[int, ...]:
        bits = int.from_bytes(pdu[2:], "little")
        return tuple((bits >> i) & 1 for i in range(self._count))


class ReadStatus(Request):
    """Function 7, read exception status: reads eight bits and does nothing else. Few units have
    it, so that it shows what a unit answers to a function that it does not support."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(b"\x07", b"\x07", 2)

    def _values(self, pdu: bytes) -> tuple[int, ...]:
        return (pdu[1],)


class Write(Request):
    """Functions 5, 6, 15, 16: the reply repeats the first five bytes of the request."""

    __slots__ = ()
    writes = True

    def __init__(self, pdu: bytes) -> None:
        super().__init__(pdu, pdu[:1], 5)

    def _values(self, pdu: bytes) -> tuple[int, ...]:
        if pdu != self.pdu[:5]:
            raise WrongEcho(self.pdu[:5], pdu)
        return ()


@lru_cache(maxsize=4096)
def read(area: Area, address: int, count: int) -> Request:
    """The request that reads `count` registers or bits; the same object each time."""
    function = READ_FUNCTIONS[area]
    if area in BIT_AREAS:
        return ReadBits(function, address, count)
    return ReadWords(function, address, count)


def write_coil(address: int, on: int) -> Request:
    """Function 5."""
    return Write(struct.pack(">BHH", 5, address, 0xFF00 if on else 0))


def write_register(address: int, word: int) -> Request:
    """Function 6."""
    return Write(struct.pack(">BHH", 6, address, word))


def write_coils(address: int, bits: Sequence[int]) -> Request:
    """Function 15."""
    size = (len(bits) + 7) // 8
    packed = sum(1 << i for i, bit in enumerate(bits) if bit).to_bytes(size, "little")
    return Write(struct.pack(">BHHB", 15, address, len(bits), size) + packed)


def write_registers(address: int, words: Sequence[int]) -> Request:
    """Function 16."""
    count = len(words)
    return Write(struct.pack(f">BHHB{count}H", 16, address, count, 2 * count, *words))


class Framing(Protocol):
    """How a PDU becomes bytes on a line and is found again among the bytes that arrive.

    `overhead` is what a frame has beyond its PDU, in bytes; `paced` tells whether silence parts
    the frames, so that wire time and gaps count; `numbered`, whether replies bear the number of
    their request, `ticket` being that of the frame wrapped last. `skipped` is what `find` stepped
    over before the reply that it found last.
    """

    overhead: int
    paced: bool
    numbered: bool
    ticket: int
    skipped: bytes

    def check(self, address: int) -> None:
        """Raises AddressRefused where no frame may go to this unit address."""

    def wrap(self, address: int, pdu: bytes) -> bytes:
        """The frame to send."""

    def find(
        self,
        buffer: bytearray,
        address: int,
        request: Request,
        *,
        last_chance: bool = False,
        ticket: int = 0,
    ) -> bytes | None:
        """The PDU of the first reply to this request, cut out of the buffer with all before it.

        While a frame that begins further ahead may still be growing, a later one is not taken;
        `last_chance` looks behind unfinished ones too. `ticket` is the number of an earlier frame.
        """

    def may_hold(self, buffer: bytearray, address: int, request: Request, ticket: int) -> bool:
        """Whether a reply may have begun in the buffer: a quick look."""


# The second byte of a native address must not read as a function that writes for a one-byte
# reader, which takes the first byte for its address.
# Frames of requests, which lines send again and again, by address and PDU for each kind of address.
_FRAMES: dict[tuple[int, Order], dict[tuple[int, bytes], bytes]] = {}
_KEPT = 65_536
_WRITING_BYTES = frozenset((0x05, 0x06, 0x0F, 0x10, 0x16, 0x17))


def is_safe_native(address: int, order: Order = "big") -> bool:
    """May a two-byte address be tried or handed out without a unit on record there?"""
    first, second = address.to_bytes(2, order)
    return first != 0 and second not in _WRITING_BYTES


class Rtu:
    """RTU frames with a unit address of one byte, or natively of two.

    `on_record` are the native addresses in use although a one-byte reader could mistake them.
    """

    paced = True
    numbered = False

    __slots__ = (
        "_frames",
        "on_record",
        "order",
        "overhead",
        "skipped",
        "ticket",
        "width",
    )

    def __init__(
        self,
        width: Literal[1, 2] = 1,
        order: Order = "big",
        on_record: Collection[int] = (),
    ) -> None:
        self.width = width
        self.order = order
        self.on_record = on_record
        self.overhead = width + 2
        self.ticket = 0
        self.skipped = b""
        self._frames = _FRAMES.setdefault((width, order), {})

    def check(self, address: int) -> None:
        """One byte: 1..247. Two bytes: 1..65535, unsafe ones only where on record."""
        if self.width == 1:
            if not 1 <= address <= 247:
                raise AddressRefused(
                    N_("设备地址 %(address)d 不在 1～247 之内，单字节地址的链路不能使用"),
                    address=address,
                )
        elif not 1 <= address <= 0xFFFF:
            raise AddressRefused(N_("设备地址 %(address)d 不在 1～65535 之内"), address=address)
        elif address not in self.on_record and not is_safe_native(address, self.order):
            raise AddressRefused(
                N_("双字节地址 %(address)d 会被单字节设备当作广播或写入，未登记前不能使用"),
                address=address,
            )

    def wrap(self, address: int, pdu: bytes) -> bytes:
        frame = self._frames.get((address, pdu))
        if frame is None or self.width == 2:  # what is on record differs from line to line
            self.check(address)
        if frame is None:
            body = address.to_bytes(self.width, self.order) + pdu
            frame = body + crc16(body).to_bytes(2, "little")
            if len(self._frames) >= _KEPT:
                self._frames.clear()
            self._frames[address, pdu] = frame
        return frame

    def may_hold(self, buffer: bytearray, address: int, request: Request, ticket: int) -> bool:
        unit = address.to_bytes(self.width, self.order)
        return unit + request.head in buffer or unit + bytes((request.pdu[0] | 0x80,)) in buffer

    def find(
        self,
        buffer: bytearray,
        address: int,
        request: Request,
        *,
        last_chance: bool = False,
        ticket: int = 0,
    ) -> bytes | None:
        width = self.width
        size = request.reply_length + width + 2
        unit = address.to_bytes(width, self.order)
        head = unit + request.head
        if len(buffer) == size and buffer.startswith(head) and crc16(buffer) == 0:
            pdu = bytes(buffer[width:-2])
            buffer.clear()
            return pdu
        refusal = unit + bytes((request.pdu[0] | 0x80,))
        shapes = ((head, size), (refusal, width + 4))
        found = _search(buffer, shapes, last_chance)
        if found is None:
            return None
        start, size = found
        pdu = bytes(buffer[start + width : start + size - 2])
        self.skipped = bytes(buffer[:start])
        del buffer[: start + size]
        return pdu


def _search(
    buffer: bytearray, shapes: Sequence[tuple[bytes, int]], last_chance: bool
) -> tuple[int, int] | None:
    """Where the first frame of one of these shapes starts, and its size."""
    for start in range(len(buffer)):
        for head, size in shapes:
            begun = buffer[start : start + len(head)]
            if not head.startswith(begun):
                continue
            frame = buffer[start : start + size]
            if len(frame) < size:
                if last_chance:
                    continue
                return None
            if crc16(frame) == 0:
                return start, size
    return None


class Mbap:
    """Modbus TCP: transaction id, protocol 0, length, unit id, PDU; no CRC.

    A reply counts only with the transaction id of the frame that was wrapped last.
    """

    overhead = 7
    paced = False
    numbered = True

    def __init__(self) -> None:
        self.ticket = 0
        self.skipped = b""

    def check(self, address: int) -> None:
        """1..247 behind a gateway, 255 for a device that is its own; 0 would be a broadcast."""
        if not (1 <= address <= 247 or address == 255):
            raise AddressRefused(
                N_("设备地址 %(address)d 不在 1～247 之内，Modbus TCP 不能使用"), address=address
            )

    def wrap(self, address: int, pdu: bytes) -> bytes:
        self.check(address)
        self.ticket = self.ticket % 0xFFFF + 1
        return struct.pack(">HHHB", self.ticket, 0, len(pdu) + 1, address) + pdu

    def may_hold(self, buffer: bytearray, address: int, request: Request, ticket: int) -> bool:
        return ticket.to_bytes(2, "big") + b"\0\0" in buffer

    def find(
        self,
        buffer: bytearray,
        address: int,
        request: Request,
        *,
        last_chance: bool = False,
        ticket: int = 0,
    ) -> bytes | None:
        ticket = ticket or self.ticket
        good = _mbap(ticket, address, request.reply_length) + request.head
        if len(buffer) == 7 + request.reply_length and buffer.startswith(good):
            pdu = bytes(buffer[7:])
            buffer.clear()
            return pdu
        refusal = _mbap(ticket, address, 2) + bytes((request.pdu[0] | 0x80,))
        found = [
            (start, start + size)
            for head, size in ((good, 7 + request.reply_length), (refusal, 9))
            if (start := buffer.find(head)) >= 0
        ]
        start, end = min(found, default=(0, len(buffer) + 1))
        if len(buffer) < end:
            return None
        pdu = bytes(buffer[start + 7 : end])
        del buffer[:end]
        return pdu


def _mbap(ticket: int, address: int, pdu_length: int) -> bytes:
    return struct.pack(">HHHB", ticket, 0, pdu_length + 1, address)
