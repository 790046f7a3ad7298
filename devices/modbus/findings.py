"""What a line finds out about itself: somebody else on it, echoes, wiring, two on one address."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Literal

from devices.modbus.words import Sentence

Code = Literal["echo", "second_master", "two_on_one", "bias", "wrong_echo"]

# After how many signs something counts as found, and after how long without one it is forgotten.
_ENOUGH: dict[Code, int] = {"two_on_one": 3, "bias": 5}
_KEPT_S: dict[Code, float] = {
    "echo": 86_400.0,
    "second_master": 900.0,
    "two_on_one": 600.0,
    "bias": 3600.0,
    "wrong_echo": 3600.0,
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found: since when (Unix seconds), at which unit address if at one, in words."""

    code: Code
    since: float
    address: int | None
    sentence: Sentence


@dataclass(slots=True)
class _Signs:
    """The signs of one finding: the first in Unix time, the newest in loop time."""

    finding: Finding
    seen_at: float
    count: int = 0


class Findings:
    """The signs that a line has seen, each forgotten when no further one comes."""

    __slots__ = (
        "_loop",
        "_signs",
    )

    def __init__(self) -> None:
        self._signs: dict[tuple[Code, int | None], _Signs] = {}
        self._loop = asyncio.get_running_loop()

    def sign(
        self, code: Code, sentence: Sentence, address: int | None = None, *, count: int = 1
    ) -> bool:
        """One more sign, or several; tells whether there are enough of them now."""
        now = self._loop.time()
        signs = self._signs.get((code, address))
        if signs is None or self._is_over(signs, now):
            signs = _Signs(Finding(code, time.time(), address, sentence), now)
            self._signs[code, address] = signs
        signs.seen_at = now
        signs.count += count
        return self._is_found(signs)

    def current(self) -> list[Finding]:
        """What is held for so now."""
        if not self._signs:
            return []
        now = self._loop.time()
        for key in [key for key, signs in self._signs.items() if self._is_over(signs, now)]:
            del self._signs[key]
        return [signs.finding for signs in self._signs.values() if self._is_found(signs)]

    def has(self, code: Code) -> bool:
        """Whether this is held for so now, at whatever address."""
        return bool(self._signs) and any(finding.code == code for finding in self.current())

    def _is_found(self, signs: _Signs) -> bool:
        return signs.count >= _ENOUGH.get(signs.finding.code, 1)

    def _is_over(self, signs: _Signs, now: float) -> bool:
        return now - signs.seen_at > _KEPT_S[signs.finding.code]
