"""The loop with cheap timers: it keeps asyncio's promises, and is never early."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextvars import ContextVar

import pytest

pytest.importorskip("uvloop")

from devices.modbus.ticking import Loop


def run(story: Callable[[], Awaitable[None]]) -> None:
    with asyncio.Runner(loop_factory=Loop) as runner:
        runner.run(story())  # type: ignore[arg-type]


def test_timers_fire_in_their_order_and_never_early() -> None:
    fired: list[tuple[str, float]] = []

    async def story() -> None:
        loop, start = asyncio.get_running_loop(), time.monotonic()

        def fire(name: str) -> None:
            fired.append((name, time.monotonic() - start))

        for name, delay in (("c", 0.012), ("a", 0.00175), ("b", 0.006), ("d", 0.012)):
            loop.call_later(delay, fire, name)
        await asyncio.sleep(0.03)

    run(story)
    assert [name for name, _ in fired] == ["a", "b", "c", "d"]
    assert all(
        at >= due for (_, at), due in zip(fired, (0.00175, 0.006, 0.012, 0.012), strict=True)
    )


def test_a_cancelled_timer_never_fires_and_many_of_them_are_forgotten() -> None:
    fired: list[int] = []

    async def story() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, Loop)
        timers = [loop.call_later(0.01, fired.append, n) for n in range(5000)]
        for timer in timers[1:]:
            timer.cancel()
            timer.cancel()
        assert timers[1].cancelled() and not timers[0].cancelled()
        assert len(loop._heap) < 2500
        await asyncio.sleep(0.03)

    run(story)
    assert fired == [0]


def test_a_callback_may_set_and_cancel_timers_itself() -> None:
    fired: list[str] = []

    async def story() -> None:
        loop = asyncio.get_running_loop()
        later = loop.call_later(0.002, fired.append, "never")

        def first() -> None:
            fired.append("first")
            later.cancel()
            loop.call_later(0.0, fired.append, "second")
            loop.call_at(loop.time() - 1, fired.append, "third")

        loop.call_later(0.001, first)
        await asyncio.sleep(0.2)

    run(story)
    assert fired[0] == "first"
    assert sorted(fired[1:]) == ["second", "third"]


def test_sleeps_time_outs_and_contexts_work_as_ever() -> None:
    told: ContextVar[str] = ContextVar("told", default="nothing")
    heard: list[str] = []

    async def story() -> None:
        told.set("here")
        asyncio.get_running_loop().call_later(0.001, lambda: heard.append(told.get()))
        told.set("later")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await asyncio.sleep(5)
        assert await asyncio.wait_for(asyncio.sleep(0.001, "woken"), 1) == "woken"

    run(story)
    assert heard == ["here"]


def test_an_error_in_a_callback_stops_no_other() -> None:
    fired: list[str] = []
    problems: list[str] = []

    async def story() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: problems.append(str(context["exception"])))
        loop.call_later(0.001, lambda: [][0])
        loop.call_later(0.001, fired.append, "next")
        await asyncio.sleep(0.02)

    run(story)
    assert fired == ["next"]
    assert problems == ["list index out of range"]
