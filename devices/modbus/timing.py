"""How long a line waits for a unit, and how often it asks one that is silent.

Time-outs follow the round trips of each unit as RFC 6298 has it: smoothed round trip and four
times its mean deviation, here beyond the wire time of request and reply. A silent unit is asked
again after pauses that double, and all silent units of a line together within a budget.
"""

from __future__ import annotations

import asyncio
from collections.abc import Hashable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from devices.modbus.varying import Cuts, Known, Owed

LONGEST_WAIT_S = 10.0
SILENT_SHARE = 0.05  # of a line's time, for asking units that are silent
_BURST_S = 1.0  # how much of it may be saved up
_MISSES = 2  # unanswered requests in a row, beyond which a unit counts as silent
_PAUSE = 10  # a first pause is that many times what asking cost
_LONGEST_PAUSE_S = 600.0


class Budget:
    """The time that a line may spend on asking silent units: SILENT_SHARE of what passes."""

    __slots__ = ("_at", "_left")

    def __init__(self, now: float) -> None:
        self._left = _BURST_S
        self._at = now

    def left(self, now: float) -> float:
        """Seconds that may be spent now; below 0 where too much was."""
        self._left = min(_BURST_S, self._left + (now - self._at) * SILENT_SHARE)
        self._at = now
        return self._left

    def spend(self, now: float, seconds: float) -> None:
        self._left = self.left(now) - seconds


@lru_cache(maxsize=1024)
def _once(blocks: frozenset[Hashable]) -> frozenset[Hashable]:
    return blocks


@dataclass(slots=True)
class UnitOnLine:
    """What a line remembers of one unit: state is kept per line and unit, never per address alone.

    `turn` lets one writing visit at a time do its reads and writes; `answered` holds the blocks
    that this unit has answered whole. `round_trip_s` is smoothed and counts beyond the wire time.
    `silent_since`, `disputed_at` (two units answer this address) and all other moments are loop
    time. `known` is what it has answered, by head; `owed` are replies that may still come, by head;
    `cuts` tells where a span of its registers may be cut without tearing a value.
    """

    budget: Budget
    answered: frozenset[Hashable] = frozenset()
    answers: int = 0
    timeouts: int = 0
    wrong_frames: int = 0
    late_replies: int = 0
    round_trip_s: float | None = None
    deviation_s: float = 0.0
    misses: int = 0
    silent_since: float | None = None
    disputed_at: float | None = None
    quiet_until: float = 0.0
    probe_at: float = 0.0
    known: dict[bytes, Known] = field(default_factory=dict)
    owed: dict[bytes, Owed] = field(default_factory=dict)
    cuts: Cuts | None = None
    _turn: asyncio.Lock | None = None

    @property
    def turn(self) -> asyncio.Lock:
        if self._turn is None:
            self._turn = asyncio.Lock()
        return self._turn

    def answers_whole(self, block: Hashable) -> None:
        """This block was answered; what many units answer alike is kept once."""
        if block not in self.answered:
            self.answered = _once(self.answered | {block})

    def may_probe(self, now: float) -> bool:
        """Whether the unit is to be asked now: one that answers always, a silent one when due."""
        if self.misses <= _MISSES:
            return True
        return now >= self.probe_at and self.budget.left(now) > 0

    def patience(self, first_guess: float, least: float, slack: float) -> float:
        """How long to wait beyond the wire time; the first guess until a reply was measured,
        and again after each time-out."""
        if self.round_trip_s is None:
            return first_guess
        wait = self.round_trip_s + 4 * self.deviation_s + slack
        floor = first_guess if self.misses or least > first_guess else least
        return min(wait, max(LONGEST_WAIT_S, first_guess)) if wait > floor else floor

    def took(self, seconds: float) -> None:
        """A reply came that many seconds beyond its wire time (RFC 6298, 2.2 and 2.3)."""
        smoothed = self.round_trip_s
        if smoothed is None:
            self.round_trip_s, self.deviation_s = seconds, seconds / 2
            return
        off = seconds - smoothed
        self.deviation_s += ((off if off > 0 else -off) - self.deviation_s) / 4
        self.round_trip_s = smoothed + off / 8

    def spoke(self) -> bool:
        """It answers again; tells whether it counted as silent."""
        was_silent = self.misses > _MISSES
        self.misses, self.silent_since = 0, None
        return was_silent

    def missed(self, now: float, cost: float) -> None:
        """A request brought nothing and cost the line that many seconds."""
        self.timeouts += 1
        self.misses += 1
        if self.silent_since is None:
            self.silent_since = now
        if self.misses >= _MISSES:
            doublings = min(self.misses - _MISSES, 10)
            self.probe_at = now + min(cost * _PAUSE * 2**doublings, _LONGEST_PAUSE_S)
        if self.misses > _MISSES:
            self.budget.spend(now, cost)
