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
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, Protocol

from django.db import Error as DatabaseError
from django.db import close_old_connections, connection

from devices.modbus.points import Scalar
from devices.modbus.switchboard import Unknown
from devices.models import Gateway
from households import clock
from telemetry import (
    alarms,
    cadence,
    commands,
    groups,
    obligations,
    returns,
    roster,
    tracing,
    unknown,
)
from telemetry.carried import Bytes, Meter
from telemetry.docking.benches import Benches
from telemetry.docking.runner import Runner
from telemetry.line_figures import Problem
from telemetry.line_states import FiguresTold
from telemetry.models import Command, GatewayState, TracedFrame, UnitState, WorkerState
from telemetry.unit_clock import Changed

log = logging.getLogger(__name__)

ROUND_S = 1.0
ROSTER_S = 2.0
FIGURES_S = 5.0
REVIEW_S = 60.0
SWEEP_S = 600.0


@dataclass(frozen=True, slots=True)
class Order:
    """A command on its way to the loop: claimed to be written, or to be settled by reading.

    `again`: written even where it reads so already. `beside` it go the other fields of the same
    register, in one write.
    """

    id: uuid.UUID
    gateway_id: int
    unit_id: int
    signal: str
    target: Scalar
    settles: bool = False
    again: bool = False
    beside: tuple[Order, ...] = ()

    @property
    def all(self) -> tuple[Order, ...]:
        """This one and those beside it."""
        return (self, *self.beside)


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

    `problems`: see GatewayState. `figures`: bytes_in and bytes_out; what changes all the time makes
    no other condition.
    """

    connected: bool
    since: float
    problem: str
    proof: str | None = None  # how the transmitter of now proved whose it is, "" not at all
    problems: tuple[Problem, ...] = ()
    figures: dict[str, Any] = field(default_factory=dict, compare=False)


class Loop(Protocol):
    """What the keeper needs of the event loop's side; every method may be called from a thread."""

    @property
    def benches(self) -> Benches: ...
    def take_up(self, news: roster.Roster) -> None: ...
    def pace(self, intervals: Mapping[int, float]) -> None: ...
    def execute(self, order: Order) -> None: ...
    def conditions(self) -> dict[int, LineCondition]: ...
    def line_figures(self, keys: Iterable[int]) -> dict[int, dict[str, Any]]: ...
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
        self._changes: deque[Changed] = deque()
        self._polled: set[int] = set()
        self._figures_told = FiguresTold()
        self._awake = threading.Event()
        self._ending = False
        self._fingerprint: tuple[int, ...] | None = None
        self._next_roster = self._next_review = self._next_figures = self._next_sweep = 0.0
        self._meter = Meter()
        self._tracing: set[int] = set()
        self._told: dict[int, LineCondition] = {}
        self._settling: set[uuid.UUID] = set()
        self._docking = Runner(name, start_id, loop.benches)

    def wake(self) -> None:
        """Look for commands now and not at the next round."""
        self._awake.set()

    def done(self, outcome: Outcome) -> None:
        """Write this end as soon as the database takes it."""
        self._outcomes.append(outcome)
        self._awake.set()

    def changed(self, changed: Changed) -> None:
        """Tell of settings that an outage changed."""
        self._changes.append(changed)

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
        self._write_changes()
        self._pace()
        if self._due("_next_roster", ROSTER_S):
            self._read_roster()
            commands.disown(self._worker, self._start_id)
            commands.compare()
            self._settle()
            obligations.carry_out(self._worker, self._connected())
            groups.look_after()
        self._dock()
        commands.expire()
        self._claim()
        self._tell_conditions()
        self._keep_traces()
        if self._due("_next_figures", FIGURES_S):
            self._tell_figures()
            self._tell_bytes()
            self._tell_line_figures()
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
        elif end.state == "held":
            commands.hand_back(order.id, self._start_id, end.detail)
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
        cadence.review(self._worker)
        news = roster.read(self._worker)
        units = {unit.id for spec in news.gateways.values() for unit in spec.units}
        before = {}
        for state in UnitState.objects.filter(unit__in=units - self._polled).iterator():
            self._load_state(state)
            before[state.unit_id] = roster.before(state)
        self._loop.take_up(replace(news, before=before))
        self._polled = units
        self._fingerprint = fingerprint

    def _pace(self) -> None:
        """Let the loop ask as often as is in force: who is watched at once, all once a minute."""
        all_of_them = self._due("_next_review", REVIEW_S)
        review = cadence.review if all_of_them else cadence.review_watched
        if intervals := review(self._worker):
            self._loop.pace(intervals)

    def _write_changes(self) -> None:
        while self._changes:
            returns.keep(self._changes[0])
            self._changes.popleft()

    def _claim(self) -> None:
        """Give the loop what may be written now; rows of one unit go out in one write."""
        rows = commands.claim(self._worker, self._start_id, self._connected())
        for _unit, together in groupby(rows, key=lambda row: row.unit_id):
            order, *beside = map(_order, together)
            self._loop.execute(replace(order, beside=tuple(beside)))

    def _dock(self) -> None:
        """The test bench; what fails there holds up no command."""
        try:
            self._docking.round(self._connected())
        except DatabaseError:
            raise
        except Exception:
            log.exception("a round of the test bench failed")

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
                    "problems": list(line.problems),
                },
            )
            if line.connected and line.proof is not None:
                proven = Gateway.objects.filter(pk=key).exclude(proven_by=line.proof)
                proven.update(proven_by=line.proof)
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

    def _carried(self) -> dict[int, Bytes]:
        lines = self._loop.conditions().items()
        return {
            key: (line.figures["bytes_in"], line.figures["bytes_out"])
            for key, line in lines
            if line.figures
        }

    def _tell_bytes(self) -> None:
        """What the lines' transports counted goes to the month's bytes."""
        self._meter.read(self._carried())

    def _tell_line_figures(self) -> None:
        carried, now = self._carried(), time.monotonic()
        if due := self._figures_told.due(carried, now):
            self._figures_told.tell(self._loop.line_figures(due), carried, now)

    def _keep_traces(self) -> None:
        """Store what was recorded, and let the loop know whose frames are wanted from now on."""
        wanted = tracing.wanted(self._worker)
        if wanted or self._tracing:
            tracing.keep(self._loop.traced())
            self._loop.trace(wanted)
        self._tracing = wanted

    def _last_words(self) -> None:
        """Ends and bytes that came while stopping; what still hangs is disowned by the next
        start."""
        try:
            self._write_outcomes()
            self._docking.write_ends()
            self._tell_bytes()
        except DatabaseError as error:
            log.warning("%d ends of commands could not be written: %s", len(self._outcomes), error)


def _order(row: Command) -> Order:
    return Order(
        row.pk,
        row.unit.gateway_id,
        row.unit_id,
        row.signal,
        row.target,
        again=row.reason == Command.Reason.TEST,
    )
