"""The keeper of a line worker: a thread that talks with the database about all but readings.

It brings units and maps (when their fingerprint changed), claims commands and writes their ends,
and tells the database how gateways and the worker are. The database may be away at any time: what
could not be written is tried again in the next round, polling goes on.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Protocol

from django.db import Error as DatabaseError
from django.db import close_old_connections, connection

from devices.modbus.points import Scalar
from devices.modbus.switchboard import Unknown
from households import clock
from telemetry import alarms, commands, roster, tracing, unknown
from telemetry.carried import Meter
from telemetry.models import Command, GatewayState, TracedFrame, UnitState, WorkerState

log = logging.getLogger(__name__)

ROUND_S = 1.0
ROSTER_S = 2.0
FIGURES_S = 5.0
SWEEP_S = 600.0


@dataclass(frozen=True, slots=True)
class Order:
    """A command on its way to the loop: claimed to be written, or to be settled by reading."""

    id: uuid.UUID
    gateway_id: int
    unit_id: int
    signal: str
    target: Scalar
    settles: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an order, on its way back to its row."""

    order: Order
    state: str
    sent: Scalar
    read_back: Scalar
    detail: str


@dataclass(frozen=True, slots=True)
class LineCondition:
    """Whether a gateway's line is open, since when (Unix seconds), and if not why.

    `figures`: see GatewayState; what changes all the time makes no other condition.
    """

    connected: bool
    since: float
    problem: str
    figures: dict[str, Any] = field(default_factory=dict, compare=False)


class Loop(Protocol):
    """What the keeper needs of the event loop's side; every method may be called from a thread."""

    def take_up(self, news: roster.Roster) -> None: ...
    def execute(self, order: Order) -> None: ...
    def conditions(self) -> dict[int, LineCondition]: ...
    def figures(self) -> dict[str, float]: ...
    def unknown(self) -> list[Unknown]: ...
    def trace(self, gateways: set[int]) -> None: ...
    def traced(self) -> Mapping[int, Sequence[tracing.Chunk]]: ...


class Keeper(threading.Thread):
    def __init__(
        self,
        name: str,
        start_id: uuid.UUID,
        loop: Loop,
        load_state: Callable[[UnitState], None],
    ) -> None:
        super().__init__(name="keeper", daemon=True)
        self._worker = name
        self._start_id = start_id
        self._started_at = clock.now()
        self._loop = loop
        self._load_state = load_state
        self._outcomes: deque[Outcome] = deque()
        self._awake = threading.Event()
        self._ending = False
        self._fingerprint: tuple[int, ...] | None = None
        self._next_roster = self._next_figures = self._next_sweep = 0.0
        self._meter = Meter()
        self._tracing: set[int] = set()
        self._told: dict[int, LineCondition] = {}
        self._settling: set[uuid.UUID] = set()

    def wake(self) -> None:
        """Look for commands now and not at the next round."""
        self._awake.set()

    def done(self, outcome: Outcome) -> None:
        """Write this end as soon as the database takes it."""
        self._outcomes.append(outcome)
        self._awake.set()

    def end(self) -> None:
        self._ending = True
        self._awake.set()
        self.join(10)

    def run(self) -> None:
        away = False
        while not self._ending:
            try:
                close_old_connections()
                self.round()
                away = False
            except DatabaseError as error:
                if not away:
                    log.warning("the database is away, polling goes on: %s", error)
                away = True
            except Exception:
                log.exception("a round of the keeper failed")
            self._awake.wait(ROUND_S)
            self._awake.clear()
        self._last_words()
        connection.close()

    def round(self) -> None:
        """One look at the database: ends, roster, commands, conditions, figures."""
        self._write_outcomes()
        if self._due("_next_roster", ROSTER_S):
            self._read_roster()
            commands.disown(self._worker, self._start_id)
            commands.compare()
            self._settle()
        commands.expire()
        self._claim()
        self._tell_conditions()
        self._keep_traces()
        if self._due("_next_figures", FIGURES_S):
            self._tell_figures()
            self._tell_bytes()
            unknown.note(self._worker, self._loop.unknown())
            alarms.review(self._worker)
        if self._due("_next_sweep", SWEEP_S):
            TracedFrame.objects.sweep()

    def _due(self, name: str, every: float) -> bool:
        now = time.monotonic()
        if now < getattr(self, name):
            return False
        setattr(self, name, now + every)
        return True

    def _write_outcomes(self) -> None:
        while self._outcomes:
            self._write_outcome(self._outcomes[0])
            self._outcomes.popleft()  # only now: a lost connection leaves it for the next round

    def _write_outcome(self, end: Outcome) -> None:
        order = end.order
        if order.settles:
            commands.settled(order.id, end.state, end.read_back, end.detail)
            self._settling.discard(order.id)
        else:
            commands.finish(
                order.id,
                self._start_id,
                end.state,
                sent=end.sent,
                read_back=end.read_back,
                detail=end.detail,
            )

    def _read_roster(self) -> None:
        fingerprint = roster.fingerprint(self._worker)
        if fingerprint == self._fingerprint:
            return
        news = roster.read(self._worker)
        units = [unit.id for spec in news.gateways.values() for unit in spec.units]
        for state in UnitState.objects.filter(unit__in=units).iterator():
            self._load_state(state)
        self._loop.take_up(news)
        self._fingerprint = fingerprint

    def _claim(self) -> None:
        for row in commands.claim(self._worker, self._start_id, self._connected()):
            self._loop.execute(_order(row))

    def _settle(self) -> None:
        """Let the units that answer again say what became of writes whose end nobody saw."""
        for row in commands.unsettled(self._worker, self._connected()):
            if row.pk not in self._settling:
                self._settling.add(row.pk)
                self._loop.execute(replace(_order(row), settles=True))

    def _connected(self) -> list[int]:
        return [key for key, line in self._loop.conditions().items() if line.connected]

    def _tell_conditions(self) -> None:
        changed = {
            key: line
            for key, line in self._loop.conditions().items()
            if self._told.get(key) != line
        }
        for key, line in changed.items():
            GatewayState.objects.update_or_create(
                gateway_id=key,
                defaults={
                    "connected": line.connected,
                    "since": datetime.fromtimestamp(line.since, UTC),
                    "problem": line.problem[:200],
                },
            )
            self._told[key] = line

    def _tell_figures(self) -> None:
        WorkerState.objects.update_or_create(
            name=self._worker,
            defaults={
                "start_id": self._start_id,
                "started_at": self._started_at,
                "seen_at": clock.now(),
                "figures": self._loop.figures(),
            },
        )

    def _tell_bytes(self) -> None:
        """What the lines' transports counted goes to the month's bytes."""
        lines = self._loop.conditions().items()
        self._meter.read(
            {
                key: (line.figures["bytes_in"], line.figures["bytes_out"])
                for key, line in lines
                if line.figures
            }
        )

    def _keep_traces(self) -> None:
        """Store what was recorded, and let the loop know whose frames are wanted from now on."""
        wanted = tracing.wanted(self._worker)
        if wanted or self._tracing:
            tracing.keep(self._loop.traced())
            self._loop.trace(wanted)
        self._tracing = wanted

    def _last_words(self) -> None:
        """Ends that came while stopping; what still hangs is disowned by the next start."""
        try:
            self._write_outcomes()
        except DatabaseError as error:
            log.warning("%d ends of commands could not be written: %s", len(self._outcomes), error)


def _order(row: Command) -> Order:
    return Order(row.pk, row.unit.gateway_id, row.unit_id, row.signal, row.target)
