"""The frames behind a step: what went over the line while it ran."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from devices.modbus.line import Line

FIRST, LAST = 100, 200


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
    def left_out(self) -> int:
        """How many more there were, between the first and the last."""
        return self.heard - len(self._first) - len(self._last)
