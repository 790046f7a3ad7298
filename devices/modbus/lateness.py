"""Replies that come after their time-out, or once more: remembered, recognised, learned from.

A reply that may still come is owed. One that is recognised sizes the quarantine of its line and
teaches how long its unit takes. What cannot be known: a reply that comes after the quarantine,
looks exactly like the one that is wanted, and belongs to a request that could be asked in no other
shape (see varying.py), or to one that was asked more than eight shapes ago.
"""

from __future__ import annotations

import asyncio
import math

from devices.modbus import varying
from devices.modbus.frames import Framing, Request
from devices.modbus.timing import LONGEST_WAIT_S, UnitOnLine
from devices.modbus.varying import Owed

LONGEST_QUARANTINE_S = 10.0
# How long at least a reply may be late, even if the unit answered something else meanwhile: on
# the ways that we know a later answer proves that an earlier one is lost.
_MEMORY_S = 60.0
_REPEATS_S = 600.0  # so long after a duplicate a line is held for one that duplicates


class Lateness:
    """What one line knows of late and repeated replies."""

    def __init__(self, framing: Framing, quiet_s: float) -> None:
        self.worst_s = 0.0
        self.owing: dict[int, UnitOnLine] = {}
        self._framing = framing
        self._quiet_s = quiet_s
        self._repeat_s = 0.0
        self._repeats_until = -math.inf
        self._loop = asyncio.get_running_loop()

    def quiet_s(self, waited: float) -> float:
        """How long a quarantine lasts after a time-out of so many seconds."""
        if self._framing.ticket:
            return 0.0  # replies bear numbers
        quiet = max(self._quiet_s, waited, 1.5 * self.worst_s + 0.1)
        return min(quiet, LONGEST_QUARANTINE_S)

    def owe(
        self, address: int, unit: UnitOnLine, request: Request, sent_at: float, wire_s: float
    ) -> None:
        """The reply to this request may still come."""
        now = self._loop.time()
        self._add(
            address, unit, Owed(request, self._framing.ticket, sent_at, wire_s, now, math.inf)
        )

    def answered(self, address: int, unit: UnitOnLine, request: Request, sent_at: float) -> None:
        """A reply came: older ones are lost before long; this one may be repeated."""
        for owed in unit.owed.values():
            if owed.sent_at < sent_at:
                owed.until = min(owed.until, owed.since + _MEMORY_S)
        now = self._loop.time()
        if now < self._repeats_until and not self._framing.ticket:
            until = now + 1.5 * self._repeat_s + 0.1
            self._add(address, unit, Owed(request, 0, sent_at, 0.0, now, until, again=True))

    @property
    def is_watchful(self) -> bool:
        """Whether `answered` has anything to do for units that are owed nothing."""
        return self._repeat_s > 0

    def repeated(self, address: int, unit: UnitOnLine, request: Request, after_s: float) -> None:
        """A second copy of a reply came, so many seconds after the first."""
        now = self._loop.time()
        self._repeat_s = min(max(self._repeat_s, after_s, 1e-3), LONGEST_QUARANTINE_S)
        self._repeats_until = now + _REPEATS_S
        self.answered(address, unit, request, now)
        unit.quiet_until = max(unit.quiet_until, now + 1.5 * self._repeat_s + 0.1)

    def forget_old(self, unit: UnitOnLine) -> None:
        """Drop what can no longer come."""
        now = self._loop.time()
        for head in [head for head, owed in unit.owed.items() if owed.until < now]:
            del unit.owed[head]

    def must_wait(self, unit: UnitOnLine, request: Request) -> bool:
        """Whether a request can only be told from an owed one by waiting."""
        self.forget_old(unit)
        if request.head not in unit.owed:
            return False
        return varying.varied(request, unit.owed, unit.known) is None

    def newest(self) -> UnitOnLine | None:
        """The unit whose reply was due last, where it may still come."""
        due = [
            (owed.since, unit)
            for unit in self.owing.values()
            for owed in unit.owed.values()
            if not owed.again and self._loop.time() - owed.since < _MEMORY_S
        ]
        return max(due, key=lambda pair: pair[0])[1] if due else None

    def come(self, buffer: bytearray) -> tuple[UnitOnLine, Owed] | None:
        """The owed reply that is in the buffer, cut out of it with all before it."""
        for address, unit in self.owing.items():
            for head, owed in unit.owed.items():
                if self._is_in(buffer, address, owed):
                    del unit.owed[head]
                    self._learn(unit, owed)
                    if not unit.owed:
                        del self.owing[address]
                    return unit, owed
        return None

    def came(self, owed: Owed) -> None:
        """A late reply came that was recognised too late to be told from another."""
        self.worst_s = max(self.worst_s, self._loop.time() - owed.since)

    def _is_in(self, buffer: bytearray, address: int, owed: Owed) -> bool:
        request, ticket = owed.request, owed.ticket
        if not self._framing.may_hold(buffer, address, request, ticket):
            return False
        return self._framing.find(buffer, address, request, ticket=ticket) is not None

    def _learn(self, unit: UnitOnLine, owed: Owed) -> None:
        now = self._loop.time()
        if owed.again:
            self._repeat_s = min(max(self._repeat_s, now - owed.since), LONGEST_QUARANTINE_S)
            self._repeats_until = now + _REPEATS_S
            return
        self.came(owed)
        unit.late_replies += 1
        unit.quiet_until = 0.0
        unit.took(min(max(0.0, now - owed.sent_at - owed.wire_s), LONGEST_WAIT_S))

    def _add(self, address: int, unit: UnitOnLine, owed: Owed) -> None:
        varying.add(unit.owed, owed)
        self.owing[address] = unit
