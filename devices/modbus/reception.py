"""What a line makes of the bytes that arrive: the answer to its request, or strays.

Late replies, copies, echoes and frames of others are told from answers here, and learned from.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from devices.modbus.company import Company, Echo
from devices.modbus.counters import Counters
from devices.modbus.findings import Findings
from devices.modbus.frames import Framing
from devices.modbus.jobs import Job, Outcome
from devices.modbus.lateness import Lateness
from devices.modbus.timing import UnitOnLine
from devices.modbus.troubles import ExceptionReply, NoAnswer, WrongEcho
from devices.modbus.varying import Known, Owed

_BUFFER_LIMIT = 2048
_LONGEST_PACKING_GAP_S = 0.5


class Reception:
    """The receiving side of one line.

    `packing_s` is the longest pause within a reply so far; before `hold_until` nothing is to be
    sent, because further copies of a reply may come (loop time).
    """

    __slots__ = (
        "_buffer",
        "_chunk_at",
        "_company",
        "_counters",
        "_doubtful",
        "_echo",
        "_echo_due",
        "_ended_at",
        "_findings",
        "_frame",
        "_framing",
        "_last",
        "_last_pdu",
        "_late",
        "_loop",
        "_prior_pdu",
        "_units",
        "_wrong_echo",
        "hold_until",
        "packing_s",
    )

    def __init__(
        self,
        framing: Framing,
        units: Mapping[int, UnitOnLine],
        counters: Counters,
        findings: Findings,
        late: Lateness,
        echo: Echo,
        company: Company,
    ) -> None:
        self.packing_s = 0.0
        self.hold_until = 0.0
        self._framing = framing
        self._units = units
        self._counters = counters
        self._findings = findings
        self._late = late
        self._echo = echo
        self._company = company
        self._loop = asyncio.get_running_loop()
        self._buffer = bytearray()
        self._frame = b""
        self._echo_due = b""
        self._chunk_at = 0.0
        self._wrong_echo: WrongEcho | None = None
        self._doubtful = b""
        self._last: Job | None = None
        self._last_pdu = b""
        self._prior_pdu = b""
        self._ended_at = 0.0

    # While a request is in flight.

    def expect(self, job: Job, frame: bytes) -> None:
        """The frame of this job goes out now."""
        self._buffer.clear()
        self._wrong_echo = None
        self._doubtful = self._last_pdu = b""
        self._chunk_at = 0.0
        self._frame = frame
        self._company.asked(frame)
        self._echo_due = frame if self._echo.is_heard else b""

    def take(self, data: bytes, job: Job) -> Outcome | None:
        """The answer to the job, once these bytes complete it."""
        self._buffer += data
        if not self._echo_due or self._drop_echo(job):
            outcome = self._answer(job)
            if outcome is not None:
                return outcome
        if self._buffer:
            self._chunk_at = self._loop.time()
        outcome = None
        if self._late.owing and self._late_unit(self._buffer):
            outcome = self._answer(job)
        del self._buffer[:-_BUFFER_LIMIT]
        return outcome

    def give_up(self, job: Job) -> Outcome:
        """The answer behind an unfinished frame, if any; else why there is none."""
        outcome = self._answer(job, last_chance=True)
        if outcome is None and self._doubtful and not self._is_for_another(job, self._doubtful):
            self._spoke(job)
            outcome = job.request.parse(self._doubtful)  # no other came: it was no copy
        if outcome is not None:
            return outcome
        heard = self._hear_out(job)
        self._counters.timeouts += 1
        if not job.spoiled:  # nobody owes a reply to what was no request
            self._late.owe(job.address, job.unit, job.request, job.sent_at, job.wire_s)
        if self._wrong_echo:
            self._counters.wrong_echoes += 1
            self._findings.sign("wrong_echo", self._wrong_echo.sentence, job.address)
        return self._wrong_echo or NoAnswer(job.waited, heard)

    def end(self, job: Job) -> None:
        """The job is over; what is left in the buffer belongs to nobody."""
        if self._buffer:
            self._counters.stray_bytes += len(self._buffer)
            self._look_for_copy(self._buffer)
            self._look_at(self._buffer)
            self._buffer.clear()
        self._prior_pdu = self._last_pdu
        self._last, self._ended_at = job, self._loop.time()

    def _drop_echo(self, job: Job) -> bool:
        """Cut the echo off; a write is not answered before its echo has come."""
        at = self._buffer.find(self._echo_due)
        if at < 0:
            return not job.request.writes
        if at:
            self._look_at(self._buffer[:at])
        del self._buffer[: at + len(self._echo_due)]
        self._echo_due = b""
        self._echo.came()
        return True

    def _answer(self, job: Job, last_chance: bool = False) -> Outcome | None:
        request = job.request
        while True:
            pdu = self._framing.find(self._buffer, job.address, request, last_chance=last_chance)
            if pdu is None:
                return None
            if self._is_for_another(job, pdu):
                continue
            if self._buffer and not request.writes:
                pdu = self._newest(job, pdu)
                if pdu is None:
                    return None
            self._last_pdu = pdu
            try:
                values = request.parse(pdu)
            except WrongEcho as wrong:
                self._wrong_echo = wrong  # the right one may still come: wait for the time-out
            except ExceptionReply as exception:
                self._counters.exceptions += 1
                self._spoke(job)
                return exception
            else:
                if request.writes and self._is_own_echo(job):
                    continue
                if job.before and self._late.may_be_copy(pdu, job.before):
                    self._doubtful = pdu
                    continue
                job.unit.known[request.head] = Known(request, pdu, self._spoke(job))
                return values

    def _is_own_echo(self, job: Job) -> bool:
        after = self._loop.time() - job.sent_at
        return self._echo.is_sooner_than_a_reply(self._frame, after)

    def _is_for_another(self, job: Job, pdu: bytes) -> bool:
        """Whether what was heard before this reply shows that another may have asked for it."""
        if self._framing.skipped:
            self._look_at_skipped(job)
        return self._company.may_be_asked_by_another(job, pdu)

    def _newest(self, job: Job, pdu: bytes) -> bytes | None:
        """Of several replies that came together the last, where what came before it is known to
        be late or a copy; else none."""
        before = job.unit.known.get(job.request.head)
        while (newer := self._framing.find(self._buffer, job.address, job.request)) is not None:
            if self._is_for_another(job, newer):
                return None
            if newer == pdu or (before and before.pdu == pdu):
                self._copied(0.0)
            elif job.masked:
                self._was_late(job.masked)
            else:
                self._company.differed(job.address)
                return None
            pdu = newer
        return pdu

    def _spoke(self, job: Job) -> float:
        """A reply of the unit came: what it teaches. Returns the time of now."""
        unit, now = job.unit, self._loop.time()
        unit.answers += 1
        if job.masked is None:
            took = now - job.sent_at - job.wire_s
            unit.took(took if took > 0 else 0.0)
        if unit.misses and unit.spoke():
            self.wake_the_silent()
        if self._chunk_at:
            gap = min(now - self._chunk_at, _LONGEST_PACKING_GAP_S)
            self.packing_s = max(self.packing_s, gap)
        if unit.owed:
            self._late.answered(unit, job.sent_at)
        if (self._echo_due or self._echo.is_heard is None) and not job.request.writes:
            self._echo.stayed_away()
        return now

    def _look_at_skipped(self, job: Job) -> None:
        """What stood before a reply: an echo, somebody else's frames, levels of an idle line."""
        skipped, self._framing.skipped = bytearray(self._framing.skipped), b""
        if not job.request.writes and self._frame in skipped:
            self._echo.came()
            self._echo_due = b""
        self._look_for_copy(skipped)
        self._company.preceding(skipped)
        self._look_at(skipped)

    def _look_at(self, data: bytearray) -> None:
        """Frames that are no answer to the request in flight."""
        self._late_unit(data)
        self._company.overheard(data, in_quarantine=True, idle_s=0.0)

    def _look_for_copy(self, data: bytearray) -> None:
        """Beside the reply that is wanted, or instead: the one before once more?"""
        if self._prior_pdu and self._prior_pdu in data:
            self._copied(self._loop.time() - self._ended_at)

    def _hear_out(self, job: Job) -> int:
        """How many bytes were heard instead of a reply, our own echo not counted."""
        data = self._buffer
        if not job.request.writes and (at := data.find(self._frame)) >= 0:
            self._echo.came()
            del data[at : at + len(self._frame)]
        heard = len(data)
        if heard:
            self._counters.garbled += 1
            job.unit.wrong_frames += 1
            self._company.garbled(job.address, data, job.request, self._counters.answers)
        return heard

    # Bytes that nobody asked for.

    def stray(self, data: bytes, *, in_quarantine: bool) -> UnitOnLine | None:
        """Bytes while no request is in flight; the unit whose owed reply they complete."""
        self._buffer += data
        self._counters.stray_bytes += len(data)
        unit = self._late_unit(self._buffer)
        if unit is None and not (self._last and self._repeats(self._last)):
            self._company.solitary(data)
            idle = self._loop.time() - self._ended_at
            self._company.overheard(self._buffer, in_quarantine=in_quarantine, idle_s=idle)
        del self._buffer[:-_BUFFER_LIMIT]
        return unit

    def _late_unit(self, data: bytearray) -> UnitOnLine | None:
        """The unit whose owed reply is among the bytes, which are cut off up to its end."""
        found = None
        while unit := self._late.come(data):
            self._counters.late_replies += 1
            found = unit
            before, self._framing.skipped = bytearray(self._framing.skipped), b""
            self._company.overheard(before, in_quarantine=True, idle_s=0.0)
        return found

    def _repeats(self, last: Job) -> bool:
        """A second reply to the last request: the first was late, or this is a copy of it, or
        that of another unit."""
        pdu = self._framing.find(self._buffer, last.address, last.request)
        if pdu is None:
            return False
        skipped, self._framing.skipped = bytearray(self._framing.skipped), b""
        self._look_at(skipped)
        if self._company.answered(last.address, pdu):
            return True
        if self._last_pdu in (pdu, b""):
            self._copied(self._loop.time() - self._ended_at)
        elif last.before and last.before.pdu == self._last_pdu:
            self._copied(self._ended_at - last.before.at)
        elif last.masked:
            self._was_late(last.masked)
            self.hold_until = self._loop.time() + self._late.quiet_s(last.waited)
        else:
            self._company.differed(last.address)
        return True

    def _copied(self, after_s: float) -> None:
        self._counters.duplicates += 1
        self.hold_until = self._loop.time() + self._late.copied(after_s)

    def _was_late(self, owed: Owed) -> None:
        """A late reply was taken for another one, which came behind it."""
        self._counters.late_replies += 1
        self._late.came(owed)

    # Connections.

    def reset(self) -> None:
        """A new connection: nothing that was begun on the old one is finished."""
        self._buffer.clear()
        self.wake_the_silent()

    def wake_the_silent(self) -> None:
        """One that was silent is back, or the line is: all that are silent are due."""
        now = self._loop.time()
        for unit in self._units.values():
            unit.probe_at = now
