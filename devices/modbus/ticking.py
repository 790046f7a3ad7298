"""An event loop whose timers cost little: uvloop's own make a libuv handle each, and a line needs
several for every exchange, most of them cancelled.

Timers lie in one heap behind one handle. Time is exact, not that of the loop's last turn; a timer
never fires early, and on a busy loop it fires as soon as its time has come and not at the next
whole millisecond.
"""

from __future__ import annotations

import asyncio
import heapq
import math
import time
from collections.abc import Callable
from contextvars import Context, copy_context
from itertools import count
from typing import Any

import uvloop

_MANY = 1000  # cancelled timers that may lie in the heap


class Timer:
    """A call at its time, unless cancelled before."""

    __slots__ = ("_args", "_callback", "_context", "_loop", "_when", "waits")

    def __init__(
        self,
        loop: Loop,
        when: float,
        callback: Callable[..., object],
        args: tuple[Any, ...],
        context: Context | None,
    ) -> None:
        self.waits = True  # in the heap
        self._loop = loop
        self._when = when
        self._callback: Callable[..., object] | None = callback
        self._args = args
        self._context = copy_context() if context is None else context

    def when(self) -> float:
        return self._when

    def cancelled(self) -> bool:
        return self._callback is None

    def cancel(self) -> None:
        if self._callback is not None:
            self._callback = None
            self._args = ()
            self._loop.forget(self)

    def run(self) -> None:
        """Its time has come."""
        callback, self._callback = self._callback, None
        if callback is None:
            return
        try:
            self._context.run(callback, *self._args)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:
            told = f"Exception in callback {callback!r}"
            self._loop.call_exception_handler({"message": told, "exception": error})


class Loop(uvloop.Loop):
    """uvloop with its timers in one heap."""

    def __init__(self) -> None:
        super().__init__()
        self._heap: list[tuple[float, int, Timer]] = []
        self._number = count()
        self._cancelled = 0
        self._armed = math.inf
        self._handle: asyncio.TimerHandle | None = None
        self._firing = False

    time = staticmethod(time.monotonic)

    def call_later(  # type: ignore[override]
        self,
        delay: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> Timer:
        return self.call_at(time.monotonic() + delay, callback, *args, context=context)

    def call_at(  # type: ignore[override]
        self,
        when: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> Timer:
        timer = Timer(self, when, callback, args, context)
        heapq.heappush(self._heap, (when, next(self._number), timer))
        if self._heap[0][0] <= time.monotonic():
            self._soon()
        elif when < self._armed:
            self._arm(when)
        return timer

    def _soon(self) -> None:
        if not self._firing:
            self._firing = True
            self.call_soon(self._fire)

    def _arm(self, when: float) -> None:
        """Wake up then; whole milliseconds are all that libuv knows."""
        if self._handle is not None:
            self._handle.cancel()
        wait = math.ceil(max(0.0, when - time.monotonic()) * 1000) / 1000
        self._armed = when
        self._handle = super().call_later(wait, self._wake)

    def _wake(self) -> None:
        self._handle, self._armed = None, math.inf
        self._fire()

    def _fire(self) -> None:
        self._firing = False
        now, heap = time.monotonic(), self._heap
        due: list[Timer] = []
        while heap and (heap[0][0] <= now or heap[0][2].cancelled()):
            timer = heapq.heappop(heap)[2]
            timer.waits = False
            if timer.cancelled():
                self._cancelled -= 1
            else:
                due.append(timer)
        for timer in due:  # not while they are gathered: they set and cancel others
            timer.run()
        heap = self._heap
        if heap and heap[0][0] < self._armed:
            self._arm(heap[0][0])

    def forget(self, timer: Timer) -> None:
        """A timer was cancelled: once they are many and most, the heap is made anew."""
        self._cancelled += timer.waits
        if self._cancelled > _MANY and self._cancelled * 2 > len(self._heap):
            self._heap = [entry for entry in self._heap if not entry[2].cancelled()]
            heapq.heapify(self._heap)
            self._cancelled = 0
