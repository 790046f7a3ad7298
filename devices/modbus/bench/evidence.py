"""The frames behind a step: what went over the line while it ran."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from devices.modbus.frames import Framing, Mbap, Rtu, crc16
from devices.modbus.line import Line

FIRST, LAST = 100, 200
_DEAF = 2  # questions unanswered behind a write: of one the line may have lost the reply
_WRITING = (5, 6, 15, 16)
_LEAST_REPLY = 4  # bytes behind the address: what is shorter is noise, or a heartbeat


class Evidence:
    """Hears a line; of very many frames the first and the last are kept and the rest counted."""

    def __init__(self) -> None:
        self._first: list[tuple[str, float, bytes]] = []
        self._last: deque[tuple[str, float, bytes]] = deque(maxlen=LAST)
        self.heard = 0
        self.bytes_in = self.bytes_out = 0

    @contextmanager
    def of(self, line: Line) -> Iterator[Evidence]:
        """Hear what goes over a line meanwhile; whoever traces it hears it still."""
        former = line.trace

        def trace(direction: Literal["in", "out"], at: float, data: bytes) -> None:
            self.hear(direction, at, data)
            if former:
                former(direction, at, data)

        line.trace = trace
        try:
            yield self
        finally:
            if line.trace is trace:
                line.trace = former

    def hear(self, direction: Literal["in", "out"], at: float, data: bytes) -> None:
        """One chunk of bytes; `at` in Unix seconds."""
        self.heard += 1
        if direction == "in":
            self.bytes_in += len(data)
        else:
            self.bytes_out += len(data)
        kept = self._first if len(self._first) < FIRST else self._last
        kept.append((direction, at, data))

    @property
    def frames(self) -> list[list[str | float]]:
        """[direction, Unix seconds, hexadecimal] of each chunk that is kept, in their order."""
        return [[way, round(at, 4), data.hex()] for way, at, data in (*self._first, *self._last)]

    @property
    def incoming(self) -> bytes:
        """What arrived, as far as it is kept, one behind the other."""
        return b"".join(data for way, _, data in (*self._first, *self._last) if way == "in")

    @property
    def exchanges(self) -> list[tuple[float, bytes, bytes]]:
        """Each frame that went out and when (Unix seconds), with what arrived before the next one,
        as far as kept."""
        found: list[tuple[float, bytes, bytes]] = []
        for way, at, data in (*self._first, *self._last):
            if way == "out":
                found.append((at, data, b""))
            elif found:
                found[-1] = (*found[-1][:2], found[-1][2] + data)
        return found

    @property
    def replies(self) -> bytes:
        """What arrived and may be replies, hurt or not: no text, as the heartbeats of transmitters
        are, since no function code is a letter, and nothing shorter than a reply."""
        heard = (heard for _, _, heard in self.exchanges)
        return b"".join(one for one in heard if len(one) >= _LEAST_REPLY and not _is_text(one))

    @property
    def left_out(self) -> int:
        """How many more there were, between the first and the last."""
        return self.heard - len(self._first) - len(self._last)


def unanswered_writes(framing: Framing, heard_all: Evidence) -> Iterator[tuple[bytes, bytes]]:
    """The writes that went out and had no right reply, nor an exception: each frame, and what
    arrived in the place of a reply; nothing, or too little for one, is b""."""
    for _, sent, heard in heard_all.exchanges:
        address, pdu = _parts(framing, sent)
        if pdu[0] not in _WRITING:
            continue
        refused = bytes((pdu[0] | 0x80,))
        rights = [pdu[:5], *(refused + bytes((code,)) for code in range(1, 16))]
        if any(_checked(framing, address + right) in heard for right in rights):
            continue
        heard = heard.removeprefix(sent)  # a local echo, which of functions 5 and 6 looks right
        looks_like_one = address in heard and len(heard) >= len(address) + _LEAST_REPLY
        yield sent, heard if looks_like_one else b""


def deaf_after_writes(framing: Framing, heard_all: Evidence) -> float:
    """The longest time (s) after a write in which a unit left several questions without a word,
    and then answered again; 0 where it was not so."""
    longest, missed, written = 0.0, 0, (b"", 0.0)
    for at, sent, heard in heard_all.exchanges:
        address, pdu = _parts(framing, sent)
        if pdu[0] in _WRITING:
            missed, written = 0, (address, at)
        elif address == written[0]:
            if heard and missed >= _DEAF:
                longest = max(longest, at - written[1])
            missed = 0 if heard else missed + 1
    return longest


def _is_text(data: bytes) -> bool:
    return data.isascii() and data.decode("ascii").isprintable()


def _parts(framing: Framing, frame: bytes) -> tuple[bytes, bytes]:
    """Unit address and PDU of a frame of our own."""
    if isinstance(framing, Mbap):
        return frame[framing.overhead - 1 : framing.overhead], frame[framing.overhead :]
    width = framing.width if isinstance(framing, Rtu) else 1
    return frame[:width], frame[width:-2]


def _checked(framing: Framing, reply: bytes) -> bytes:
    """As it is found on the wire, with its check."""
    return reply if isinstance(framing, Mbap) else reply + crc16(reply).to_bytes(2, "little")
