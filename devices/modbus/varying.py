"""Asking so that a reply which may still come cannot be taken for the one that is wanted.

An RTU reply names its unit, its function and its length, not its request. As long as a reply to
an earlier request may come, or a duplicate of one, a request whose reply would look the same goes
out in another shape: as two pieces of different length; as a longer piece of what the unit is
known to answer; or, where its length cannot vary, behind a read of another length, since a unit
and the way to it keep the order of what they carry.
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from devices.modbus.cells import Area
from devices.modbus.frames import AREAS, Request, read

Part = tuple[Request, int, int]  # a request, and from where to where its words or bits are wanted
Known = Mapping[bytes, tuple[Request, bytes]]

_MOST_OWED = 8


@dataclass(slots=True)
class Owed:
    """A reply that may still come: to a request that timed out, or once more (`again`).

    `since` is when it should have come, `until` when it is no longer to be expected (loop time).
    """

    request: Request
    ticket: int
    sent_at: float
    wire_s: float
    since: float
    until: float
    again: bool = False


def add(owed: dict[bytes, Owed], new: Owed) -> None:
    """Remember a reply that may come, and forget the oldest where they are too many."""
    owed.pop(new.request.head, None)
    owed[new.request.head] = new
    if len(owed) > _MOST_OWED:
        del owed[next(iter(owed))]


def varied(request: Request, owed: Collection[bytes], known: Known) -> list[Part] | None:
    """The parts that bring what `request` would, none of whose replies looks like an owed one.

    `owed` are heads, the oldest first. None: as it is. Where no shape is free of all heads, the
    oldest are held for lost.
    """
    heads = list(owed)
    while request.head in heads:
        for parts in _shapes(request, known):
            if all(part.head not in heads for part, _, _ in parts[:2]):
                return parts
        if fence := _fence(request, heads, known):
            return fence
        del heads[0]
    return None


def _shapes(request: Request, known: Known) -> Iterator[list[Part]]:
    if request.writes:
        return
    yield from _pieces(request)
    yield from _longer(request, known)


def _pieces(request: Request) -> Iterator[list[Part]]:
    area, address, count = _span(request)
    for first in range(1 if request.function > 2 else 8, count, 1 if request.function > 2 else 8):
        pieces = read(area, address, first), read(area, address + first, count - first)
        if pieces[0].head != pieces[1].head:
            yield [(pieces[0], 0, first), (pieces[1], 0, count - first)]


def _longer(request: Request, known: Known) -> Iterator[list[Part]]:
    area, address, count = _span(request)
    for other, _ in known.values():
        if other.writes or other.function != request.function:
            continue
        _, start, most = _span(other)
        if start <= address and address + count <= start + most:
            for size in range(count + 1, most + 1):
                at = max(start, address + count - size)
                yield [(read(area, at, size), address - at, address - at + count)]


def _fence(request: Request, heads: Collection[bytes], known: Known) -> list[Part] | None:
    for head, (other, _) in known.items():
        if head not in heads and not other.writes:
            return [(other, 0, 0), (request, 0, request.reply_length * 8)]
    return None


def _span(request: Request) -> tuple[Area, int, int]:
    function, address, count = struct.unpack(">BHH", request.pdu[:5])
    return AREAS[function], address, count
