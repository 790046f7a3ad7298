"""A bus behind a pseudo-terminal, paced as if it had a baud rate.

A pseudo-terminal passes bytes at once; a serial line does not. So a request counts as heard only
after its wire time, and a reply's bytes trickle out one character time apart. What the master
sends while a reply is on the wire collides with it and is lost, as on RS-485.
"""

from __future__ import annotations

import asyncio
import os
import time
import tty
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from devices.modbus.simulator.unit import SimUnit
from devices.modbus.simulator.wire import Bus, Range

FINEST_S = 0.002  # bytes due within this time leave together
TURNROUND: Range = (0.02, 0.06)


def char_time(baud: int, parity: str = "N", stop_bits: int = 1) -> float:
    """Seconds of one character: start bit, 8 data bits, parity bit, stop bits."""
    return (9 + (parity != "N") + stop_bits) / baud


class Terminal:
    """The simulator's end of a pseudo-terminal; `path` is the end that a master opens."""

    def __init__(self, bus: Bus, char_s: float, link: str | Path | None = None) -> None:
        self.bus, self.char_s = bus, char_s
        self.buffer = bytearray()
        self.busy_until = 0.0  # of the loop's clock
        self.collisions = 0
        # Both ends stay open here: without a master the line is idle, not hung up.
        self.near, self.far = os.openpty()
        tty.setraw(self.far)
        os.set_blocking(self.near, False)
        self.link = Path(link) if link else None
        self.path = os.ttyname(self.far)
        if self.link:
            self.link.unlink(missing_ok=True)
            self.link.symlink_to(self.path)
        self.loop = asyncio.get_running_loop()
        self.loop.add_reader(self.near, self._heard)

    def close(self) -> None:
        self.loop.remove_reader(self.near)
        os.close(self.near)
        os.close(self.far)
        self.near = -1
        if self.link:
            self.link.unlink(missing_ok=True)

    def _heard(self) -> None:
        data = os.read(self.near, 4096)
        if self.loop.time() < self.busy_until - FINEST_S / 2:  # the last byte may leave so early
            self.collisions += 1
            return
        self.buffer += data
        self.bus.hear(self.buffer, self.send)

    def send(self, frame: bytes) -> float | None:
        """Queue a frame behind what is on the wire; the time when its last byte will be out."""
        if self.near < 0:
            return None
        now = self.loop.time()
        start = max(now, self.busy_until)
        self.busy_until = start + len(frame) * self.char_s
        self.loop.call_at(start, self._trickle, frame, 0, start)
        return time.time() + self.busy_until - now

    def _trickle(self, frame: bytes, sent: int, start: float) -> None:
        if self.near < 0:
            return
        if self.char_s:
            elapsed = self.loop.time() - start
            due = min(len(frame), int((elapsed + FINEST_S / 2) / self.char_s))
        else:
            due = len(frame)
        if due > sent:
            try:
                sent += os.write(self.near, frame[sent:due])
            except BlockingIOError:
                return  # nobody reads: the rest is lost, as on a line
        if sent < len(frame):
            later = start + max((sent + 1) * self.char_s, self.loop.time() - start + FINEST_S)
            self.loop.call_at(later, self._trickle, frame, sent, start)


@asynccontextmanager
async def serve_pty(
    units: Iterable[SimUnit],
    *,
    baud: int = 9600,
    parity: str = "N",
    stop_bits: int = 1,
    link: str | Path | None = None,
    turnround: Range = TURNROUND,
    **options: Any,
) -> AsyncIterator[str]:
    """Serve units on a pseudo-terminal; gives the path that a master opens.

    `baud=0` paces nothing. Further options as of `Bus`.
    """
    char_s = char_time(baud, parity, stop_bits) if baud else 0.0
    terminal = Terminal(
        Bus(units, char_s=char_s, trickles=True, turnround=turnround, **options), char_s, link
    )
    try:
        yield str(terminal.link or terminal.path)
    finally:
        terminal.close()
