"""An event loop whose timers cost little and are exact, for the silence between two frames.

uvloop's own timers make a libuv handle each, and know whole milliseconds since the loop's last turn
only. Here timers lie in one heap behind one timer of the kernel (timerfd; where there is none,
behind one of libuv). Time is that of the clock, and a timer never fires early.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import heapq
import math
import os
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


class Alarm:
    """A timer of Linux that makes a file readable at its time, to the microsecond."""

    def __init__(self, libc: ctypes.CDLL) -> None:
        self._settime = libc.timerfd_settime
        self._spec = (ctypes.c_long * 4)()  # interval and value, seconds and nanoseconds each
        self.fd: int = libc.timerfd_create(time.CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC)
        if self.fd < 0:
            raise OSError("no timer")

    @classmethod
    def of_kernel(cls) -> Alarm | None:
        try:
            return cls(ctypes.CDLL(None))
        except (OSError, AttributeError, TypeError):  # not Linux
            return None

    def set(self, when: float) -> None:
        """Ring at this moment of the monotonic clock, and at no other."""
        seconds = max(0.0, when)
        self._spec[2] = int(seconds)
        self._spec[3] = min(max(1, math.ceil(seconds % 1 * 1e9)), 999_999_999)
        self._settime(self.fd, 1, self._spec, None)  # 1: an absolute time

    def heard(self) -> None:
        """Be silent until set again."""
        with contextlib.suppress(BlockingIOError):
            os.read(self.fd, 8)


class Loop(uvloop.Loop):
    """uvloop with its timers in one heap."""

    def __init__(self) -> None:
        super().__init__()
        self._heap: list[tuple[float, int, Timer]] = []
        self._number = count()
        self._cancelled = 0
        self._armed = math.inf
        self._firing = False
        self._handle: asyncio.TimerHandle | None = None
        self._alarm: Alarm | None = None  # only while the loop runs

    time = staticmethod(time.monotonic)

    def run_forever(self) -> None:
        alarm = self._alarm = Alarm.of_kernel()
        if alarm:
            self.add_reader(alarm.fd, self._rings)
        if self._heap:
            self._arm(self._heap[0][0])
        try:
            super().run_forever()
        finally:
            self._alarm, self._armed = None, math.inf
            if alarm:
                self.remove_reader(alarm.fd)
                os.close(alarm.fd)

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
        """Wake up then; of libuv, at the next of its milliseconds."""
        self._armed = when
        if self._alarm:
            self._alarm.set(when)
            return
        if self._handle is not None:
            self._handle.cancel()
        wait = max(0, math.ceil(when * 1000) - round(super().time() * 1000))
        self._handle = super().call_later(wait / 1000, self._wake)

    def _rings(self) -> None:
        if self._alarm:
            self._alarm.heard()
        self._wake()

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
