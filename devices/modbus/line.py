"""The master of one line: one request in flight, and only its own reply counts.

Why it is not a library's client: a master that goes on at once after a time-out takes the late
reply of one request for the answer to the next. Here every time-out is followed by a quarantine:
whatever arrives is dropped until the stray reply came, or until a quiet time has passed that is
longer than the worst lateness seen on this line. A reply may be later still: a request whose
reply would look like one that is owed goes out in another shape (see varying.py).

The line is driven by callbacks, not by its callers: a caller that is cancelled leaves, its
exchange runs to its end, and only then the next request goes out.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Literal, Protocol

from devices.modbus.company import SECOND_MASTER, Company, Echo, EchoMode
from devices.modbus.counters import Counters
from devices.modbus.findings import Finding, Findings
from devices.modbus.frames import Framing, Request
from devices.modbus.jobs import COMMAND, POLL, PROBE, Job, Outcome
from devices.modbus.lateness import Lateness
from devices.modbus.reception import Reception
from devices.modbus.timing import Budget, UnitOnLine
from devices.modbus.troubles import (
    ExceptionReply,
    LineDown,
    NoAnswer,
    Trouble,
    WritesHeld,
    WrongEcho,
)
from devices.modbus.words import N_, Sentence

__all__ = [
    "COMMAND",
    "POLL",
    "PROBE",
    "Counters",
    "ExceptionReply",
    "Line",
    "LineDown",
    "NoAnswer",
    "UnitOnLine",
    "WritesHeld",
    "WrongEcho",
]

Trace = Callable[[Literal["in", "out"], float, bytes], None]


class LineTransport(Protocol):
    """What a line needs of its transport; see transports.Transport."""

    connected: bool

    @property
    def holds_writes(self) -> Sentence | None: ...

    def attach(self, receiver: Line) -> None: ...
    def write(self, data: bytes) -> None: ...


class Line:
    """The master of the line behind one transport; made inside the event loop that owns it.

    baud and char_bits give the wire time that is added to every time-out and the silence of 3.5
    characters between frames (1.75 ms above 19,200 baud), to which frame_gap_ms is added.
    quiet_s is the least length of a quarantine, least_timeout_s the shortest that measuring may
    make a time-out. `is_clocked`: the port is our own, so that nothing comes faster than its
    baud rate. `echo`: whether what is sent is heard too. The line listens for listen_s after
    connecting before it speaks. `trace` hears every chunk of bytes with its time (Unix seconds).

    `generation` counts the connections; `up_at` is when the newest was made (loop time).
    """

    __slots__ = (
        "_budget",
        "_char_s",
        "_company",
        "_deadline",
        "_dozing",
        "_expiry",
        "_findings",
        "_free_at",
        "_gap_s",
        "_held",
        "_job",
        "_late",
        "_least_timeout_s",
        "_listen_s",
        "_loop",
        "_quarantined",
        "_queues",
        "_reception",
        "_units",
        "_waking",
        "counters",
        "framing",
        "generation",
        "trace",
        "transport",
        "up_at",
    )

    def __init__(
        self,
        transport: LineTransport,
        framing: Framing,
        *,
        baud: int = 9600,
        char_bits: int = 10,
        frame_gap_ms: float = 5.0,
        quiet_s: float = 1.0,
        least_timeout_s: float = 0.25,
        is_clocked: bool = False,
        echo: EchoMode = "auto",
        listen_s: float = 0.0,
        trace: Trace | None = None,
    ) -> None:
        self.transport = transport
        self.framing = framing
        self.trace = trace
        self.counters = Counters()
        self.generation = 0
        self.up_at = 0.0
        silence = _silence(baud, char_bits)
        self._char_s = char_bits / baud if framing.paced else 0.0
        self._gap_s = silence + frame_gap_ms / 1000 if framing.paced else 0.0
        self._least_timeout_s = least_timeout_s
        self._listen_s = listen_s
        self._loop = asyncio.get_running_loop()
        # Lists, for they are short: an empty deque takes ten times the room of one.
        self._queues: tuple[list[Job], ...] = ([], [], [])
        self._job: Job | None = None
        self._free_at = self._deadline = 0.0
        self._quarantined: UnitOnLine | None = None
        self._expiry: asyncio.TimerHandle | None = None
        self._waking: asyncio.Handle | None = None
        self._dozing: asyncio.TimerHandle | None = None
        self._held: tuple[float, Sentence] | None = None
        self._units: dict[int, UnitOnLine] = {}
        self._budget = Budget(self._loop.time())
        self._findings = Findings()
        self._late = Lateness(framing, quiet_s, self.counters)
        self._company = Company(framing, self._units, self._findings, is_clocked=is_clocked)
        self._reception = Reception(
            framing,
            self._units,
            self.counters,
            self._findings,
            self._late,
            Echo(echo, self._findings, (self._char_s, silence) if is_clocked else None),
            self._company,
        )
        transport.attach(self)
        if transport.connected:
            self.up()

    # What is known of the line and its units.

    def unit(self, address: int) -> UnitOnLine:
        """What this line remembers of the unit at an address."""
        known = self._units.get(address)
        if known is None:
            known = self._units[address] = UnitOnLine(self._budget)
        return known

    @property
    def worst_lateness(self) -> float:
        """The longest that a reply came after its time-out, in seconds."""
        return self._late.worst_s

    @property
    def turnaround_s(self) -> float | None:
        """What an exchange costs beyond its bytes: the units' median; None before any answer."""
        trips = (unit.round_trip_s for unit in self._units.values())
        known = sorted(trip for trip in trips if trip is not None)
        return known[len(known) // 2] if known else None

    @property
    def expects_reply(self) -> bool:
        """Whether bytes may be a reply now: what comes at other times is a heartbeat, or noise."""
        return self._job is not None or self._loop.time() < self._free_at

    @property
    def writes_held(self) -> Sentence | None:
        """Why nothing may be written now."""
        if self._held and self._loop.time() < self._held[0]:
            return self._held[1]
        return self.suspect or self.transport.holds_writes

    @property
    def suspect(self) -> Sentence | None:
        """Why values that are read now deserve no trust."""
        return SECOND_MASTER if self._findings.has("second_master") else None

    def hold_writes(self, until: float, why: Sentence) -> None:
        """Let nothing be written before `until` (loop time)."""
        self._held = (until, why)

    def findings(self) -> list[Finding]:
        """What this line has found out about itself and still holds for so."""
        return self._findings.current()

    async def exchange(
        self,
        address: int,
        request: Request,
        *,
        timeout: float = 1.0,
        priority: int = POLL,
        concludes: bool = False,
        spoiled: bool = False,
    ) -> tuple[int, ...]:
        """Send a request in its turn and return the words or bits of its reply.

        `timeout` (s) counts beyond the wire time of request and reply and is a first guess: polls
        and probes wait as long as this unit was seen to need, commands never less than the guess.
        A write returns (); one that `concludes` what another began (releasing, locking again) goes
        out although writes are held. A read that is `spoiled` goes out with a wrong check, which
        no unit may answer: a test of the unit, not to be had over a wire without checks.
        Raises NoAnswer, ExceptionReply, WrongEcho, LineDown, AddressRefused, WritesHeld.
        """
        if spoiled and (request.writes or not self.framing.paced):
            raise ValueError("only a read of a wire with checks can be spoiled")
        if not self.transport.connected:
            raise LineDown(N_("通信链路没有接通"))
        future: asyncio.Future[tuple[int, ...]] = self._loop.create_future()
        job = Job(
            address, self.unit(address), request, timeout, priority, concludes, future, spoiled
        )
        self._queues[priority].append(job)
        if self._job is None and self._waking is None:
            self._pump()
        return await future

    # The line's own course: pump → begin → (arrived | expire | lost) → end → pump.

    def _pump(self) -> None:
        self._waking = None
        now = self._loop.time()
        if self._free_at > now:
            self._waking = self._loop.call_at(self._free_at, self._pump)
            return
        for queue in self._queues:
            while queue:
                job = queue[0]
                if job.unit.quiet_until > now and self._waits(job):
                    break
                del queue[0]
                if job.is_wanted and self._begin(job, now):
                    return

    def _waits(self, job: Job) -> bool:
        """Whether only waiting keeps an owed reply from being taken for the one to this job."""
        if job.parts is not None or job.spoiled or not self._late.must_wait(job.unit, job.request):
            return False
        if self._dozing is None or self._dozing.when() > job.unit.quiet_until:
            if self._dozing:
                self._dozing.cancel()
            self._dozing = self._loop.call_at(job.unit.quiet_until, self._rouse)
        return True

    def _rouse(self) -> None:
        self._dozing = None
        if self._job is None and self._waking is None:
            self._pump()

    def _begin(self, job: Job, now: float) -> bool:
        if job.parts is None and not job.spoiled:
            known = job.unit.known.get(job.request.head)
            other = known and (self._late.copies or known.request is not job.request)
            if job.unit.owed or other:
                job.before = known
                self._vary(job)
        request = job.request
        try:
            if request.writes:
                self._check_write(job)
            frame = self.framing.wrap(job.address, request.pdu)
        except Trouble as refused:
            job.end(refused)
            return False
        if job.spoiled:
            frame = frame[:-1] + bytes((frame[-1] ^ 0xFF,))
        job.sent_at = now
        job.wire_s = (len(frame) + request.reply_length + self.framing.overhead) * self._char_s
        job.waited = self._patience(job)
        self._job = job
        self.counters.requests += 1
        self._reception.expect(job, frame)
        self._deadline = now + job.waited + job.wire_s
        if self._expiry is None or self._expiry.when() > self._deadline:
            self._watch()
        if self.trace:
            self.trace("out", time.time(), frame)
        self.transport.write(frame)
        return True

    def _vary(self, job: Job) -> None:
        """Ask so that no reply that is owed looks like the one that is wanted."""
        if self.framing.numbered:
            return
        parts = self._late.parts(job.unit, job.request) or []
        self.counters.varied += bool(parts)
        job.ask_in_parts(parts, self._late.repeats(job.unit, job.request, parts, self.up_at))
        job.masked = job.unit.owed.pop(job.request.head, None)

    def _check_write(self, job: Job) -> None:
        why = self.writes_held
        if why and not job.concludes:
            raise WritesHeld(why.template, **why.params)
        self._company.wrote(job.address, job.request)

    def _patience(self, job: Job) -> float:
        wait = job.unit.patience(job.timeout, self._least_timeout_s, self._reception.packing_s)
        return max(wait, job.timeout) if job.priority == COMMAND else wait

    def arrived(self, data: bytes) -> None:
        """Bytes from the transport."""
        if self.trace:
            self.trace("in", time.time(), data)
        job = self._job
        if job is None:
            self._astray(data)
            return
        outcome = self._reception.take(data, job)
        if outcome is not None:
            self._end(job, outcome)

    def _watch(self) -> None:
        """Look at the deadline then. A timer that is there and early enough does as well: most
        requests are answered, and a timer for each would cost more than all else of them."""
        if self._expiry:
            self._expiry.cancel()
        self._expiry = self._loop.call_at(self._deadline, self._expire)

    def _expire(self) -> None:
        self._expiry = None
        job = self._job
        if job is None:
            return
        if self._loop.time() < self._deadline:  # the timer was set for an earlier request
            self._watch()
            return
        outcome = self._reception.give_up(job)
        self._end(job, outcome)
        if isinstance(outcome, NoAnswer | WrongEcho):
            self._missed(job)

    def _missed(self, job: Job) -> None:
        """A time-out: the unit is left alone for a while, and a line that heard it until now keeps
        quiet, since its reply would collide with the next one's."""
        now, unit = self._loop.time(), job.unit
        quiet = self._late.quiet_s(job.waited)
        unit.quiet_until = now + quiet
        if unit.answers and not unit.misses:
            self._quarantined = unit
            self._free_at = max(self._free_at, unit.quiet_until)
        unit.missed(now, self._free_at - job.sent_at)
        if self._waking:
            self._waking.cancel()
            self._waking = self._loop.call_soon(self._pump)

    def _end(self, job: Job, outcome: Outcome) -> None:
        self._reception.end(job)
        self._job = self._quarantined = None
        self._free_at = max(self._loop.time() + self._gap_s, self._reception.hold_until)
        if isinstance(outcome, tuple):
            self._answered(job, outcome)
        else:
            job.end(outcome)
        # Not at once: the caller, who runs first, may go on with a request of higher priority.
        if self._waking is None and any(self._queues):
            self._waking = self._loop.call_soon(self._pump)

    def _answered(self, job: Job, values: tuple[int, ...]) -> None:
        """The next part of what was asked, or the end."""
        values = job.gather(values)
        if job.parts:
            job.next_part()
        elif job.said and job.said != values:  # which of them was owed, nobody knows
            job.end(NoAnswer(job.waited, job.request.reply_length + self.framing.overhead))
            return
        elif job.repeats and job.request.head in job.unit.owed:
            job.ask_again()
        else:
            self.counters.answers += 1
            job.end(values)
            return
        self._queues[job.priority].insert(0, job)

    def _astray(self, data: bytes) -> None:
        """Bytes that nobody asked for: what they complete may end a quarantine; else the line is
        not free before they end."""
        now = self._loop.time()
        quiet = self._quarantined is not None and now < self._free_at
        unit = self._reception.stray(data, in_quarantine=quiet)
        if unit and unit is self._quarantined:
            self._free_at = now
        self._free_at = max(self._free_at, now + self._gap_s, self._reception.hold_until)
        if self._waking:
            self._waking.cancel()
        if self._waking or self._dozing:
            self._pump()

    # Connection.

    def up(self) -> None:
        """The transport is connected; a reply still owed may come over the new connection too."""
        now = self._loop.time()
        self.generation += 1
        self.up_at = now
        self._reception.reset()
        self._quarantined = self._late.newest()
        quiet = self._late.quiet_s(0.0) if self._quarantined else 0.0
        self._free_at = max(self._free_at, now + self._listen_s, now + quiet)

    def lost(self, why: Trouble) -> None:
        """The transport lost its connection: whoever waits fails with LineDown."""
        for handle in (self._waking, self._dozing):
            if handle:
                handle.cancel()
        self._waking = self._dozing = None
        waiting = [job for queue in self._queues for job in queue]
        for queue in self._queues:
            queue.clear()
        if job := self._job:
            self._late.owe(job.address, job.unit, job.request, job.sent_at, job.wire_s)
            down = _down(why)
            down.sent = True
            self._end(job, down)
        for job in waiting:
            job.end(_down(why))


def _silence(baud: int, char_bits: int) -> float:
    """3.5 characters, fixed at 1.75 ms above 19,200 baud (Modbus over serial line V1.02)."""
    return 0.00175 if baud > 19200 else 3.5 * char_bits / baud


def _down(why: Trouble) -> LineDown:
    return LineDown(why.sentence.template, **why.sentence.params)
