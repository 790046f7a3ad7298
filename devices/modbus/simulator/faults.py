"""Replies that go astray at stated rates: dropped, late, garbled. Seeded, and it keeps a record."""

from __future__ import annotations

import time
from collections import Counter, deque
from random import Random

OK, DROP, LATE, GARBLED = "ok", "drop", "late", "garbled"
KEPT = 100_000


class Faults:
    """Decides the fate of every reply. Rates are shares of all replies, 0..1.

    A late reply comes `late_by` seconds (from, to) after its due time.
    """

    def __init__(
        self,
        drop: float = 0.0,
        late: float = 0.0,
        garbled: float = 0.0,
        *,
        late_by: tuple[float, float] = (2.5, 4.0),
        seed: int = 0,
    ) -> None:
        self.rate(drop, late, garbled)
        self.late_by = late_by
        self.dice = Random(seed)
        self.counts: Counter[str] = Counter()
        self.done: deque[tuple[float, str, str]] = deque(maxlen=KEPT)  # Unix time, unit key, fate

    def rate(self, drop: float, late: float, garbled: float) -> None:
        """Change the rates. Raises ValueError unless each and their sum lie in 0..1."""
        if min(drop, late, garbled) < 0 or drop + late + garbled > 1:
            raise ValueError(f"fault rates {drop}, {late}, {garbled}: each and all within 0..1")
        self.drop, self.late, self.garbled = drop, late, garbled

    @property
    def none(self) -> bool:
        """Whether every reply goes its way."""
        return not (self.drop or self.late or self.garbled)

    def fate(self, key: str) -> str:
        """What becomes of this reply."""
        chance = self.dice.random()
        if chance < self.drop:
            fate = DROP
        elif chance < self.drop + self.late:
            fate = LATE
        else:
            fate = GARBLED if chance < self.drop + self.late + self.garbled else OK
        self.counts[fate] += 1
        if fate != OK:
            self.done.append((time.time(), key, fate))
        return fate

    def lateness(self) -> float:
        return self.dice.uniform(*self.late_by)

    def spoil(self, frame: bytes) -> bytes:
        """The frame with one to three bytes changed, or cut short."""
        if self.dice.random() < 0.25:
            return frame[: self.dice.randrange(1, len(frame))]
        spoilt = bytearray(frame)
        for at in self.dice.sample(range(len(frame)), self.dice.randint(1, min(3, len(frame)))):
            spoilt[at] ^= self.dice.randint(1, 255)
        return bytes(spoilt)
