"""Asking so that a reply which may still come cannot be taken for the one that is wanted.

An RTU reply names its unit, its function and its length, not its request. As long as a reply to
an earlier request may come, or a copy of one, a request whose reply would look the same goes out
in another shape: as a longer piece of what the unit is known to answer; as two pieces of different
length, cut where no value is torn; or, where its length cannot vary, behind a read of another
length, since a unit and the way to it keep the order of what they carry. Not every way does: what
is asked so while a reply like it is owed is asked until it has said the same more often than owed
replies can (see lateness.py).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from devices.modbus.cells import Area
from devices.modbus.frames import AREAS, Request, read

Part = tuple[Request, int, int]  # a request, and from where to where its words or bits are wanted
Cuts = Callable[[Area, int, int], Sequence[int]]

_MOST_OWED = 8


@dataclass(slots=True)
class Owed:
    """A reply to a request that timed out, which may still come.

    `since` is when it should have come, `until` when it is no longer to be expected (loop time);
    `count` with all that look alike.
    """

    request: Request
    ticket: int
    sent_at: float
    wire_s: float
    since: float
    until: float
    count: int = 1


class Known(NamedTuple):
    """A request that was answered, with the newest reply to it and when that came (loop time)."""

    request: Request
    pdu: bytes
    at: float


def add(owed: dict[bytes, Owed], new: Owed) -> None:
    """Remember a reply that may come, and forget the oldest where they are too many."""
    if older := owed.pop(new.request.head, None):
        new.count += older.count
    owed[new.request.head] = new
    if len(owed) > _MOST_OWED:
        del owed[next(iter(owed))]


class Vary:
    """How a unit may be asked now.

    `owed`: heads of replies that may come, the oldest first. `known`: what the unit answers, by
    head; of what it answered after `recent` a copy may come, even of the same request's answer on a
    line that has shown `copies`. `cuts` tells where a span may be cut.
    """

    def __init__(
        self,
        owed: Collection[bytes],
        known: Mapping[bytes, Known],
        recent: float,
        cuts: Cuts | None,
        *,
        copies: bool = False,
    ) -> None:
        self._owed = list(owed)
        self._known = known
        self._recent = recent
        self._cuts = cuts
        self._copies = copies

    def parts(self, request: Request) -> list[Part] | None:
        """The parts that bring what the request would, none of whose replies can be mistaken.

        None: as it is. Where no shape is free, the oldest replies are held for lost.
        """
        while self._is_taken(request):
            for parts in self._shapes(request):
                if not any(self._is_taken(part) for part, _, _ in parts):
                    return parts
            if fence := self._fence(request):
                return fence
            if request.head not in self._owed:
                return None
            del self._owed[0]
        return None

    def _is_taken(self, request: Request) -> bool:
        if request.head in self._owed:
            return True
        known = self._known.get(request.head)
        if known is None or known.at <= self._recent:
            return False
        return self._copies or known.request.pdu != request.pdu

    def _shapes(self, request: Request) -> Iterator[list[Part]]:
        if request.function in AREAS:
            yield from self._longer(request)
            yield from self._pieces(request)

    def _longer(self, request: Request) -> Iterator[list[Part]]:
        area, address, count = _span(request)
        for other, _, _ in self._known.values():
            if other.function != request.function:
                continue
            _, start, most = _span(other)
            if start <= address and address + count <= start + most:
                for size in range(count + 1, most + 1):
                    at = max(start, address + count - size)
                    yield [(read(area, at, size), address - at, address - at + count)]

    def _pieces(self, request: Request) -> Iterator[list[Part]]:
        if self._cuts is None:
            return
        area, address, count = _span(request)
        for cut in self._cuts(area, address, count):
            first, second = read(area, address, cut), read(area, address + cut, count - cut)
            if first.head != second.head:
                yield [(first, 0, cut), (second, 0, count - cut)]

    def _fence(self, request: Request) -> list[Part] | None:
        """Behind the answer to something else, no copy of the answer just heard can come, nor a
        late one."""
        known = sorted(self._known.values(), key=lambda answer: answer.at)
        if request.head not in self._owed and known[-1].request.head != request.head:
            return None  # something else was answered since
        for other, _, _ in known:
            if not other.writes and other.head != request.head and other.head not in self._owed:
                return [(other, 0, 0), (request, 0, request.reply_length * 8)]
        return None


def _span(request: Request) -> tuple[Area, int, int]:
    function, address, count = struct.unpack(">BHH", request.pdu[:5])
    return AREAS[function], address, count
