"""A loop with a time of its own: where nothing is left to do before the next timer, it is then.

A story told on it takes as long as it says, however slow or busy the machine
is, and no time at all of the clock's. For what asks `loop.time()` alone: no sockets, no threads.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any

_TURN_S = 1e-5  # what a turn of the loop takes, so that who only waits for turns waits some time


class OwnTime(asyncio.SelectorEventLoop):
    """asyncio's own loop, its clock put forward instead of waited for."""

    def __init__(self) -> None:
        self.now = 1000.0
        super().__init__(_Skipping(self))

    def time(self) -> float:
        return self.now


class _Skipping(selectors.DefaultSelector):
    def __init__(self, loop: OwnTime) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        assert timeout is not None, "nothing will ever happen again"
        self._loop.now += max(timeout, _TURN_S)
        return super().select(0)


def run(story: Coroutine[Any, Any, None], within: float = 4) -> None:
    """Tell a story, which must come to its end within so many seconds of its time."""

    async def told() -> None:
        await asyncio.wait_for(story, within)

    with asyncio.Runner(loop_factory=OwnTime) as runner:
        runner.run(told())
