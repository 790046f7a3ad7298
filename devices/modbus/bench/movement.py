"""How the readings of a soak moved: one that stands still beside its fellow, all of them, or all
that are brought up to date only now and then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median

MOVES = ("supply_temp", "return_temp")  # of them one must not stand still alone
_MOVED_K = 3.0  # one of them went that far while the other never changed: it is stuck
_STALE_S = 60.0  # fresh is what is brought up to date at least so often
_JUMPS = 5  # so many changes tell how often
_STEPS = 3  # times the resolution: what really drifts moves by less between two looks


@dataclass
class Movement:
    """What was seen of supply and return, °C; `resolution` are their smallest changes, K."""

    resolution: Mapping[str, float] = field(default_factory=dict)
    low: dict[str, float] = field(default_factory=dict)
    high: dict[str, float] = field(default_factory=dict)
    _last: dict[str, float] = field(default_factory=dict)
    _jumps: list[tuple[float, float]] = field(default_factory=list)

    def add(self, at: float, readings: Mapping[str, float]) -> None:
        """Some readings, taken at `at` (s)."""
        jump = 0.0
        for name, value in readings.items():
            self.low[name] = min(value, self.low.get(name, value))
            self.high[name] = max(value, self.high.get(name, value))
            step = self.resolution.get(name) or 1.0
            jump = max(jump, abs(value - self._last.get(name, value)) / step)
            self._last[name] = value
        if jump:
            self._jumps.append((at, jump))

    @property
    def stuck(self) -> str | None:
        """The one that never changed while the other went far."""
        spans = {name: self.high[name] - self.low[name] for name in self.low}
        for name in spans:
            if spans[name] == 0 and any(span >= _MOVED_K for span in spans.values()):
                return name
        return None

    @property
    def is_still(self) -> bool:
        """Whether nothing ever changed."""
        return bool(self.low) and not self._jumps

    @property
    def stale_s(self) -> float | None:
        """How often the readings are brought up to date (s), where that is seldom: they stand for
        long, then leap, time and again."""
        if len(self._jumps) < _JUMPS:
            return None
        gaps = [later - earlier for (earlier, _), (later, _) in pairwise(self._jumps)]
        leaps = median(jump for _, jump in self._jumps) >= _STEPS
        return median(gaps) if leaps and min(gaps) >= _STALE_S else None
