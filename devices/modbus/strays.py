"""Bytes that belong to no reply: whole frames of somebody else, and signs of poor wiring."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from devices.modbus.frames import AREAS, Request, Rtu, crc16, read

_MOST = {1: 2000, 2: 2000, 3: 125, 4: 125}  # that one request may read
_READS = tuple(_MOST)
_SINGLE_WRITES = (5, 6)
_MULTIPLE_WRITES = (15, 16)
_FUNCTIONS = (*_READS, *_SINGLE_WRITES, *_MULTIPLE_WRITES)


@dataclass(frozen=True, slots=True)
class Stray:
    """A frame with a valid check among bytes that nobody asked for, and where it ended.

    `asks`: a request of a master; else a reply, or one of the writes whose echo looks alike.
    """

    address: int
    pdu: bytes
    asks: bool
    end: int


def frames_in(data: bytes | bytearray, framing: Rtu) -> Iterator[Stray]:
    """The RTU frames in some bytes, one behind the other."""
    width, start = framing.width, 0
    while start + width + 4 <= len(data):
        stray = _frame_at(data, start, width, framing)
        if stray:
            yield stray
        start = stray.end if stray else start + 1


def _frame_at(data: bytes | bytearray, start: int, width: int, framing: Rtu) -> Stray | None:
    address = int.from_bytes(data[start : start + width], framing.order)
    if width == 1 and address > 247:
        return None
    body = start + width
    for size, asks in _shapes(data[body : body + 7]):
        end = body + size + 2
        if end <= len(data) and crc16(data[start:end]) == 0:
            return Stray(address, bytes(data[body : end - 2]), asks, end)
    return None


def _shapes(body: bytes | bytearray) -> Iterator[tuple[int, bool]]:
    """Sizes that a PDU which begins like this may have, and whether it would be a request."""
    function, second = body[0], body[1]
    if function & 0x80 and function & 0x7F in _FUNCTIONS:
        yield 2, False
    elif function in _READS:
        if len(body) > 4 and 0 < int.from_bytes(body[3:5], "big") <= _MOST[function]:
            yield 5, True
        if second:
            yield 2 + second, False
    elif function in _SINGLE_WRITES:
        yield 5, False
    elif function in _MULTIPLE_WRITES:
        yield 5, False
        if len(body) > 5:
            yield 6 + body[5], True


def may_answer(reply: bytes, asked: bytes) -> bool:
    """Whether the PDU of a reply may be one to this request."""
    if reply[0] & 0x7F != asked[0] or reply[0] & 0x80:
        return reply[0] & 0x7F == asked[0]
    if asked[0] not in AREAS:
        return reply == asked[:5]
    first, count = struct.unpack_from(">HH", asked, 1)
    return reply.startswith(read(AREAS[asked[0]], first, count).head)


def only_idle_levels(data: bytes | bytearray) -> bool:
    """Nothing but 00 and FF: what a line without bias shows when nobody drives it."""
    return bool(data) and not data.strip(b"\x00\xff")


def is_hurt_at_its_start(
    data: bytes | bytearray, framing: Rtu, address: int, asked: Request
) -> bool:
    """Whether it is the reply that was wanted, but for a first byte that is wrong or missing."""
    size = asked.reply_length + framing.overhead
    first = address.to_bytes(framing.width, framing.order)[:1]
    if len(data) == size:
        data = first + data[1:]
    elif len(data) == size - 1:
        data = first + data
    else:
        return False
    return crc16(data) == 0
