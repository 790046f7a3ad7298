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
from devices.modbus.counters import Counters
from devices.modbus.frames import Framing, Request
from devices.modbus.timing import LONGEST_WAIT_S, UnitOnLine
from devices.modbus.varying import Known, Owed, Part, Vary

LONGEST_QUARANTINE_S = 10.0
# How long at least a reply may be late, even if the unit answered something else meanwhile: on
# the ways that we know a later answer proves that an earlier one is lost.
_MEMORY_S = 60.0
_COPY_S = 3.0  # how long after a reply a copy of it may come, unless a line has shown worse
_CLEAN = 500  # answers without any copy, after which a line is held for one that makes none

_OVERTAKING_S = 10.0  # how long after it was due a reply may come behind newer ones
_MOST_REPEATS = 3
_DISTINCT = 4  # bytes in a reply, beyond which two different blocks do not hold the same by chance


class Lateness:
    """What one line knows of late and repeated replies.

    `copies`: it has shown copies of replies; `copy_s` is how long after them these may come.
    """

    __slots__ = (
        "_counters",
        "_framing",
        "_loop",
        "_quiet_s",
        "copies",
        "copy_s",
        "owing",
        "worst_s",
    )

    def __init__(self, framing: Framing, quiet_s: float, counters: Counters) -> None:
        self.worst_s = 0.0
        self.copies = False
        self.copy_s = 0.0 if framing.numbered else _COPY_S
        self.owing: dict[int, UnitOnLine] = {}
        self._framing = framing
        self._quiet_s = quiet_s
        self._counters = counters
        self._loop = asyncio.get_running_loop()

    def quiet_s(self, waited: float) -> float:
        """How long a quarantine lasts after a time-out of so many seconds."""
        if self._framing.numbered:
            return 0.0
        quiet = max(self._quiet_s, waited, 1.5 * self.worst_s + 0.1)
        return min(quiet, LONGEST_QUARANTINE_S)

    def owe(
        self, address: int, unit: UnitOnLine, request: Request, sent_at: float, wire_s: float
    ) -> None:
        """The reply to this request may still come."""
        owed = Owed(request, self._framing.ticket, sent_at, wire_s, self._loop.time(), math.inf)
        varying.add(unit.owed, owed)
        self.owing[address] = unit

    def answered(self, unit: UnitOnLine, sent_at: float) -> None:
        """A reply came: older ones are lost before long."""
        for owed in unit.owed.values():
            if owed.sent_at < sent_at:
                owed.until = min(owed.until, owed.since + _MEMORY_S)

    def copied(self, after_s: float) -> float:
        """A copy of a reply came, so many seconds after it; how long to wait for further ones."""
        if self._framing.numbered:
            return 0.0
        wait = min(1.5 * after_s + 0.1, LONGEST_QUARANTINE_S)
        self.copies = True
        self.copy_s = max(self.copy_s, wait)
        return wait

    def may_be_copy(self, pdu: bytes, before: Known) -> bool:
        """Whether this reply to one request may be a copy of that reply to another: a line has
        shown copies, or two blocks would hold the same by chance."""
        if pdu != before.pdu or self._loop.time() - before.at > self.copy_s:
            return False
        return self.copies or len(set(pdu[2:])) >= _DISTINCT

    def parts(self, unit: UnitOnLine, request: Request) -> list[Part] | None:
        """What to ask, so that no reply that may come looks like the one that is wanted."""
        if self._framing.numbered:
            return None
        self._forget_old(unit)
        is_wary = self.copies or self._counters.answers < _CLEAN
        recent = self._loop.time() - self.copy_s if is_wary else math.inf
        return Vary(unit.owed, unit.known, recent, unit.cuts, copies=self.copies).parts(request)

    def repeats(self, unit: UnitOnLine, request: Request, parts: list[Part], up_at: float) -> int:
        """How often what is asked in parts that look like owed replies is to be asked once more.

        Of one reply more than is owed, all saying the same, one at least is no late one, even if a
        late one overtook others on its way. So it may for a while after it was due, or after the
        connection was made over which it comes.
        """
        owed = unit.owed.get(request.head)
        if owed is None or request.writes or not any(part is request for part, _, _ in parts):
            return 0
        due_at = max(owed.since, up_at)
        return min(owed.count, _MOST_REPEATS) if self._loop.time() - due_at < _OVERTAKING_S else 0

    def must_wait(self, unit: UnitOnLine, request: Request) -> bool:
        """Whether a request can only be told from an owed one by waiting."""
        self._forget_old(unit)
        return request.head in unit.owed and self.parts(unit, request) is None

    def newest(self) -> UnitOnLine | None:
        """The unit whose reply was due last, where it may still come."""
        due = [
            (owed.since, address)
            for address, unit in self.owing.items()
            for owed in unit.owed.values()
            if self._loop.time() - owed.since < _MEMORY_S
        ]
        return self.owing[max(due)[1]] if due else None

    def come(self, buffer: bytearray) -> UnitOnLine | None:
        """The unit whose owed reply is in the buffer, which is cut off up to its end."""
        for address, unit in self.owing.items():
            for head, owed in unit.owed.items():
                if pdu := self._found(buffer, address, owed):
                    unit.known[head] = Known(owed.request, pdu, self._loop.time())
                    owed.count -= 1
                    if not owed.count:
                        del unit.owed[head]
                    if not unit.owed:
                        del self.owing[address]
                    self._learn(unit, owed)
                    return unit
        return None

    def came(self, owed: Owed) -> None:
        """An owed reply has come."""
        self.worst_s = max(self.worst_s, self._loop.time() - owed.since)

    def _found(self, buffer: bytearray, address: int, owed: Owed) -> bytes | None:
        request, ticket = owed.request, owed.ticket
        if not self._framing.may_hold(buffer, address, request, ticket):
            return None
        return self._framing.find(buffer, address, request, ticket=ticket)

    def _learn(self, unit: UnitOnLine, owed: Owed) -> None:
        self.came(owed)
        unit.late_replies += 1
        unit.quiet_until = 0.0
        took = self._loop.time() - owed.sent_at - owed.wire_s
        unit.took(min(max(0.0, took), LONGEST_WAIT_S))

    def _forget_old(self, unit: UnitOnLine) -> None:
        now = self._loop.time()
        for head in [head for head, owed in unit.owed.items() if owed.until < now]:
            del unit.owed[head]
