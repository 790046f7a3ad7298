"""Way 1 of the house: the process that owns lines, polls units and stores what they say.

One event loop owns serial ports, outgoing connections and dialled-in transmitters and polls on
its own clock. It never touches the database: a writer thread stores (telemetry.storing), a keeper
thread brings units and commands (telemetry.keeping). It knows nothing of Celery; the bootstep
starts it, and so may a test or a bench.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import threading
import uuid
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from django.conf import settings

from devices.modbus.switchboard import Switchboard, Unknown
from telemetry.docking.benches import Benches
from telemetry.keeping import Keeper, LineCondition, Order, Outcome
from telemetry.polling import Poller
from telemetry.roster import Roster
from telemetry.rows import LatestStates, Missed, Polled
from telemetry.spool import Spool
from telemetry.storing import Store, Writer, connect
from telemetry.tracing import Chunk

log = logging.getLogger(__name__)

running: list[LineWorker] = []  # the line workers of this process, for the task that wakes them


def new_event_loop() -> asyncio.AbstractEventLoop:
    """uvloop with cheap timers where it installs, else asyncio's own."""
    try:
        from devices.modbus.ticking import Loop
    except ImportError:
        return asyncio.new_event_loop()
    return Loop()


def calm_collector() -> None:
    """Let Python look for garbage in circles seldom: the process is a line worker's own, its rows
    are in no circles, and looking through all that it holds cost a sixth of its time."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 100)


class LineWorker:
    """All lines of one name. `start` returns at once; `end` stores what is there and stops."""

    def __init__(self, name: str, *, listeners: str | None = None, var: Path | None = None) -> None:
        self.name = name
        self.start_id = uuid.uuid4()
        self._listeners = settings.LINE_LISTENERS if listeners is None else listeners
        directory = (var or settings.VAR_DIR) / "spool" / name
        latest = LatestStates()
        self._writer = Writer(Store(connect, directory / "rejects.jsonl"), Spool(directory), latest)
        self._loop = new_event_loop()
        self._pollers: dict[int, Poller] = {}
        self.benches = Benches(self._loop, self._pollers, self.wake)
        self._keeper = Keeper(name, self.start_id, self, latest.load)
        self._thread = threading.Thread(target=self._run, name="lines", daemon=True)
        self._switchboard: Switchboard | None = None
        self._ending: asyncio.Event | None = None
        self._expecting: asyncio.Event | None = None
        self.polls = self.misses = 0

    def start(self) -> None:
        calm_collector()
        self._writer.start()
        self._thread.start()

    def end(self) -> None:
        """Stop polling, write the ends of commands, store or spool the last readings."""
        if self._ending is not None:
            self._loop.call_soon_threadsafe(self._end)
        self._thread.join(15)
        self._keeper.end()
        self._writer.end()

    def wake(self) -> None:
        self._keeper.wake()

    # What the keeper calls, from its thread.

    def take_up(self, news: Roster) -> None:
        self._loop.call_soon_threadsafe(self._take_up, news)

    def pace(self, intervals: Mapping[int, float]) -> None:
        self._loop.call_soon_threadsafe(self._pace, intervals)

    def execute(self, order: Order) -> None:
        self._loop.call_soon_threadsafe(self._execute, order)

    def conditions(self) -> dict[int, LineCondition]:
        return {key: poller.condition() for key, poller in tuple(self._pollers.items())}

    def line_figures(self, keys: Iterable[int]) -> dict[int, dict[str, object]]:
        pollers = dict(self._pollers)
        return {key: pollers[key].figures() for key in keys if key in pollers}

    def figures(self) -> dict[str, float]:
        return {**self._writer.figures(), "polls": self.polls, "misses": self.misses}

    def unknown(self) -> list[Unknown]:
        return list(self._switchboard.unknown) if self._switchboard else []

    def trace(self, gateways: set[int]) -> None:
        self._loop.call_soon_threadsafe(self._trace, gateways)

    def traced(self) -> Mapping[int, Sequence[Chunk]]:
        pollers = tuple(self._pollers.items())
        return {key: chunks for key, poller in pollers if (chunks := poller.recorded())}

    # In the loop's thread.

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._live())
        except BaseException:
            log.exception("the loop of line worker %s died: ending the process", self.name)
            os._exit(1)  # whoever supervises us starts a whole one; the spool has what was stored

    async def _live(self) -> None:
        self._ending, self._expecting = asyncio.Event(), asyncio.Event()
        self._switchboard = Switchboard(filter(None, self._listeners.split(",")))
        self._keeper.start()
        # Nobody dials in before it is known who is expected, and by which private texts.
        await self._expecting.wait()
        if not self._ending.is_set():
            await self._switchboard.start()
        await self._ending.wait()
        await self.benches.close()
        for poller in self._pollers.values():
            await poller.close()
        await self._switchboard.close()

    def _end(self) -> None:
        if self._ending and self._expecting:
            self._ending.set()
            self._expecting.set()

    def _take_up(self, news: Roster) -> None:
        if self._switchboard:
            self._switchboard.secrets = news.secrets
        for key in set(self._pollers) - set(news.gateways):
            self._let_go(key)
        for key, spec in news.gateways.items():
            poller = self._pollers.get(key)
            if poller is not None and not poller.fits(spec, news.maps):
                self._let_go(key)
                poller = None
            if poller is None:
                self._pollers[key] = Poller(
                    spec,
                    news.maps,
                    self._switchboard,
                    self._sink,
                    before=news.before,
                    tell=self._keeper.changed,
                )
            else:
                poller.take_up(spec, news.maps, news.before)
        if self._expecting:
            self._expecting.set()

    def _trace(self, gateways: set[int]) -> None:
        for key, poller in self._pollers.items():
            poller.trace(key in gateways)

    def _pace(self, intervals: Mapping[int, float]) -> None:
        for poller in self._pollers.values():
            poller.pace(intervals)

    def _let_go(self, key: int) -> None:
        task = self._loop.create_task(self._pollers.pop(key).close())
        task.add_done_callback(lambda done: done.exception())

    def _sink(self, row: Polled | Missed) -> None:
        if isinstance(row, Polled):
            self.polls += 1
        else:
            self.misses += 1
        self._writer.put(row)

    def _execute(self, order: Order) -> None:
        poller = self._pollers.get(order.gateway_id)
        if poller is None:
            end = "unknown" if order.settles else "held"
            for one in order.all:
                self._keeper.done(Outcome(one, end, None, None, ""))
            return
        task = self._loop.create_task(poller.carry_out(order))
        task.add_done_callback(self._told)

    def _told(self, done: asyncio.Task[list[Outcome]]) -> None:
        for end in done.result():
            self._keeper.done(end)
