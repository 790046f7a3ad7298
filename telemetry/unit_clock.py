"""When one unit is due, how it is read, and what the loop remembers of it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from math import floor

from devices.modbus import looks
from devices.modbus.blocks import Block, Plan
from devices.modbus.points import Scalar, Value
from telemetry.judging import Known
from telemetry.roster import Before, UnitSpec

FIRST_ROUND_S = 20.0  # new units are spread over this, or over their interval where it is shorter
PATIENCE = 3  # unanswered polls in a row, after which a unit counts as silent
EVERY = 3  # which poll asks for slow signals too
STARTING_S = 120.0
HOLD_S = 180.0
UNKNOWN = Before()
NOTHING: Known = {}  # shared by thousands of units, never written to


@dataclass(frozen=True, slots=True)
class Changed:
    """Settings that were others before an outage: signal to value before and after."""

    unit_id: int
    away_since: datetime | None
    at: datetime
    settings: dict[str, tuple[Scalar, Scalar]]


class UnitClock:
    """The rhythm and the memory of one unit.

    Its beats are spread over the interval by the unit's id; a first round and a poll after a write
    come beside the rhythm and leave it as it is. `known` is what was last read beyond doubt.
    """

    __slots__ = (
        "answered_at",
        "away",
        "away_since",
        "before",
        "due",
        "heard_at",
        "held_until",
        "interval_s",
        "known",
        "misses",
        "plan",
        "quick",
        "spec",
        "splits",
        "starting_until",
        "timeout",
        "turn",
    )

    def __init__(self, spec: UnitSpec, plan: Plan, now: float, before: Before = UNKNOWN) -> None:
        self.spec = spec
        self.interval_s = spec.interval_s
        self.timeout = plan.map.settings.reply_timeout_ms / 1000
        self.splits: frozenset[Block] = frozenset()
        self.take_plan(plan)
        self.due = now + min(spec.interval_s, FIRST_ROUND_S) * phase(spec.id)
        self.turn = self.misses = 0
        self.known: Known = {
            s: Value(before.good[s]) for s in self._settings() if before.good.get(s) is not None
        }
        self.heard_at = now
        self.answered_at = before.answered_at
        self.away = before.was_silent
        self.starting_until = self.held_until = 0.0
        self.away_since: datetime | None = None
        self.before: Known = NOTHING

    def take_plan(self, plan: Plan) -> None:
        self.plan, self.quick = plan, looks.quick(plan)

    # When it is due.

    def next(self, now: float) -> None:
        """The next due time of the unit's rhythm, whatever was missed in between."""
        shift = phase(self.spec.id)
        beat = floor(now / self.interval_s - shift + 1e-6) + 1
        self.due = (beat + shift) * self.interval_s

    def pace(self, interval_s: float, now: float) -> bool:
        """Ask so often from now on; tells whether that is news."""
        if interval_s == self.interval_s:
            return False
        self.interval_s = interval_s
        self.next(now)
        return True

    @property
    def stated_interval_s(self) -> float:
        """The interval to tell silence by: a hurry that ends makes no unit silent."""
        return max(self.interval_s, self.spec.calm_s)

    # What it answered.

    def whole(self) -> bool:
        """Whether this poll asks for everything."""
        return self.turn % EVERY == 0 or self.quick is self.plan

    def missed(self) -> None:
        self.misses += 1
        if self.misses >= PATIENCE:
            self.away = True

    def answers(self, now: float, line_returned_at: float) -> None:
        """It answered. After a silence of its own or of its line its board may have been without
        power just before."""
        if self.away or line_returned_at > self.heard_at:
            self.starting_until = now + STARTING_S
            self.held_until = now + HOLD_S
            self._keep_settings()
            self.turn = -1  # the next poll asks for everything
        self.heard_at = now
        self.misses = 0
        self.away = False

    def heard(self, at: datetime) -> None:
        """Its answer was stored."""
        self.answered_at = at
        self.turn += 1

    def _settings(self) -> list[str]:
        return [point.signal for point in self.plan.points if point.writable]

    def _keep_settings(self) -> None:
        """Its settings of before the outage; of two outages in a row, of before the first."""
        if not self.before:
            self.away_since = self.answered_at
            known = {s: self.known[s] for s in self._settings() if s in self.known}
            self.before = {s: value for s, value in known.items() if value.quality == "good"}

    def is_written(self, signals: Collection[str]) -> None:
        """We set these ourselves now: what they were before an outage is of no interest."""
        if self.before:
            self.before = {s: old for s, old in self.before.items() if s not in signals}

    def changed(self, at: datetime, values: dict[str, Value]) -> Changed | None:
        """Which settings an outage changed, told once, when they have been read anew."""
        new = {s: values[s] for s in self.before if s in values and values[s].quality == "good"}
        found = {
            s: (old.value, new[s].value)
            for s, old in self.before.items()
            if s in new and old.value != new[s].value
        }
        self.before = {s: old for s, old in self.before.items() if s not in new}
        return Changed(self.spec.id, self.away_since, at, found) if found else None


def phase(unit_id: int) -> float:
    """A unit's share of its interval, spread evenly and the same at every start."""
    return (unit_id * 0.6180339887498949) % 1.0
