"""The master of one line: one request in flight, and only its own reply counts.

Why it is not a library's client: a master that goes on at once after a time-out takes the late
reply of one request for the answer to the next. Here every time-out is followed by a quarantine:
whatever arrives is dropped until the stray reply came, or until a quiet time has passed that is
longer than the worst lateness seen on this line.

The line is driven by callbacks, not by its callers: a caller that is cancelled leaves, its
exchange runs to its end, and only then the next request goes out.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, Protocol

from devices.modbus.findings import Finding
from devices.modbus.frames import Framing, Request
from devices.modbus.troubles import (
    AddressRefused,
    ExceptionReply,
    ExchangeFailed,
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
    "ExceptionReply",
    "Line",
    "LineDown",
    "NoAnswer",
    "WritesHeld",
    "WrongEcho",
]

COMMAND, PROBE, POLL = range(3)

QUIET_CEILING_S = 10.0
_BUFFER_LIMIT = 2048

Echo = Literal["auto", "on", "off"]
Trace = Callable[[Literal["in", "out"], float, bytes], None]


class LineTransport(Protocol):
    """What a line needs of its transport; see transports.Transport."""

    connected: bool

    @property
    def holds_writes(self) -> Sentence | None: ...

    def attach(self, receiver: Line) -> None: ...
    def write(self, data: bytes) -> None: ...


@dataclass(slots=True)
class Counters:
    """What happened on a line since it was made."""

    requests: int = 0
    answers: int = 0
    exceptions: int = 0
    timeouts: int = 0
    garbled: int = 0
    wrong_echoes: int = 0
    late_replies: int = 0
    stray_bytes: int = 0


@dataclass(slots=True)
class UnitOnLine:
    """What a line remembers of one unit: state is kept per line and unit, never per address alone.

    `turn` lets one writing visit at a time do its reads and writes; `answered` holds the blocks
    that this unit has answered whole.
    """

    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    answered: set[object] = field(default_factory=set)
    answers: int = 0
    timeouts: int = 0
    wrong_frames: int = 0
    round_trip_s: float | None = None
    silent_since: float | None = None
    disputed_at: float | None = None

    def may_probe(self, now: float) -> bool:
        """Whether a silent unit is due for being asked again; always so for one that answers."""
        return True


class _Job:
    """One exchange: waiting, in flight, or owed its reply after a time-out."""

    __slots__ = ("address", "future", "request", "sent_at", "timeout")

    def __init__(
        self,
        address: int,
        request: Request,
        timeout: float,
        future: asyncio.Future[tuple[int, ...]],
    ) -> None:
        self.address = address
        self.request = request
        self.timeout = timeout
        self.future = future
        self.sent_at = 0.0


class Line:
    """The master of the line behind one transport; made inside the event loop that owns it.

    baud and char_bits give the wire time that is added to every time-out and the silence of 3.5
    characters between frames (1.75 ms above 19,200 baud), to which frame_gap_ms is added.
    quiet_s is the least length of a quarantine. `trace` hears every chunk of bytes with its
    time (Unix seconds).
    """

    def __init__(
        self,
        transport: LineTransport,
        framing: Framing,
        *,
        baud: int = 9600,
        char_bits: int = 10,
        frame_gap_ms: float = 5.0,
        quiet_s: float = 1.0,
        echo: Echo = "auto",
        listen_s: float = 0.0,
        trace: Trace | None = None,
    ) -> None:
        self.transport = transport
        self.generation = int(transport.connected)
        self.up_at = asyncio.get_running_loop().time()
        self._echo = echo
        self._listen_s = listen_s
        self._held: tuple[float, Sentence] | None = None
        self.framing = framing
        self.trace = trace
        self.counters = Counters()
        self.worst_lateness = 0.0
        self._char_s = char_bits / baud if framing.paced else 0.0
        self._gap_s = _silence(baud, char_bits) + frame_gap_ms / 1000 if framing.paced else 0.0
        self._quiet_s = quiet_s
        self._loop = asyncio.get_running_loop()
        self._queues: tuple[deque[_Job], ...] = (deque(), deque(), deque())
        self._buffer = bytearray()
        self._job: _Job | None = None
        self._last: _Job | None = None
        self._last_pdu = b""
        self._owed: _Job | None = None
        self._owed_at = 0.0
        self._owed_is_masked = False
        self._wrong_echo: WrongEcho | None = None
        self._free_at = 0.0
        self._expiry: asyncio.TimerHandle | None = None
        self._waking: asyncio.Handle | None = None
        self._units: dict[int, UnitOnLine] = {}
        transport.attach(self)

    def unit(self, address: int) -> UnitOnLine:
        """What this line remembers of the unit at an address."""
        known = self._units.get(address)
        if known is None:
            known = self._units[address] = UnitOnLine()
        return known

    @property
    def turnaround_s(self) -> float | None:
        """What an exchange costs beyond its bytes, as measured; None until an answer came."""
        known = [unit.round_trip_s for unit in self._units.values() if unit.round_trip_s]
        return sorted(known)[len(known) // 2] if known else None

    @property
    def writes_held(self) -> Sentence | None:
        """Why nothing may be written now."""
        held = self._held
        if held and self._loop.time() < held[0]:
            return held[1]
        return self.transport.holds_writes

    @property
    def expects_reply(self) -> bool:
        """Whether bytes may be a reply now: what comes at other times is a heartbeat, or noise."""
        return self._job is not None or self._loop.time() < self._free_at

    @property
    def suspect(self) -> Sentence | None:
        """Why values that are read now deserve no trust."""
        return None

    def hold_writes(self, until: float, why: Sentence) -> None:
        """Let nothing be written before `until` (loop time)."""
        self._held = (until, why)

    def findings(self) -> list[Finding]:
        """What this line has found out about itself and still holds for so."""
        return []

    async def exchange(
        self, address: int, request: Request, *, timeout: float = 1.0, priority: int = POLL
    ) -> tuple[int, ...]:
        """Send a request in its turn and return the words or bits of its reply.

        `timeout` (s) counts beyond the wire time of request and reply. A write returns ().
        Raises NoAnswer, ExceptionReply, WrongEcho, LineDown, AddressRefused, WritesHeld.
        """
        if request.writes and (why := self.writes_held):
            raise WritesHeld(why.template, **why.params)
        if not self.transport.connected:
            raise LineDown(N_("通信链路没有接通"))
        job = _Job(address, request, timeout, self._loop.create_future())
        self._queues[priority].append(job)
        if self._job is None and self._waking is None:
            self._pump()
        return await job.future

    # The line's own course: pump → begin → (arrived | expire | lost) → end → pump.

    def _pump(self) -> None:
        self._waking = None
        wait = self._free_at - self._loop.time()
        if wait > 0:
            self._waking = self._loop.call_later(wait, self._pump)
            return
        for queue in self._queues:
            while queue:
                job = queue.popleft()
                if not job.future.done() and self._begin(job):
                    return

    def _begin(self, job: _Job) -> bool:
        try:
            frame = self.framing.wrap(job.address, job.request.pdu)
        except AddressRefused as refused:
            job.future.set_exception(refused)
            return False
        job.sent_at = self._loop.time()
        if self._owed:
            self._owe_on(self._owed, job)
        wire = (len(frame) + job.request.reply_length + self.framing.overhead) * self._char_s
        self._buffer.clear()
        self._wrong_echo = None
        self._job = job
        self.counters.requests += 1
        self._expiry = self._loop.call_later(job.timeout + wire, self._expire)
        if self.trace:
            self.trace("out", time.time(), frame)
        self.transport.write(frame)
        return True

    def arrived(self, data: bytes) -> None:
        """Bytes from the transport."""
        if self.trace:
            self.trace("in", time.time(), data)
        self._buffer += data
        if self._job is None:
            self._astray(len(data))
        elif not self._answered(self._job):
            self._learn_lateness(bytearray(self._buffer))
            del self._buffer[:-_BUFFER_LIMIT]

    def _answered(self, job: _Job, last_chance: bool = False) -> bool:
        while True:
            pdu = self.framing.find(self._buffer, job.address, job.request, last_chance=last_chance)
            if pdu is None:
                return False
            self._last_pdu = pdu
            try:
                values = job.request.parse(pdu)
            except WrongEcho as wrong:
                self._wrong_echo = wrong  # the right one may still come: wait for the time-out
            except ExceptionReply as exception:
                self.counters.exceptions += 1
                self._end(job, exception)
                return True
            else:
                self.counters.answers += 1
                self._end(job, values)
                return True

    def _expire(self) -> None:
        job = self._job
        if job is None or self._answered(job, last_chance=True):
            return
        heard = len(self._buffer)
        self.counters.timeouts += 1
        self.counters.garbled += bool(heard)
        self.counters.wrong_echoes += self._wrong_echo is not None
        self._owe(job)
        self._end(job, self._wrong_echo or NoAnswer(job.timeout, heard))
        self._quarantine(job)

    def _end(self, job: _Job, outcome: tuple[int, ...] | ExchangeFailed) -> None:
        if self._expiry:
            self._expiry.cancel()
        self.counters.stray_bytes += len(self._buffer)
        self._buffer.clear()
        self._job, self._last = None, job
        self._free_at = self._loop.time() + self._gap_s
        if not job.future.done():
            if isinstance(outcome, ExchangeFailed):
                job.future.set_exception(outcome)
            else:
                job.future.set_result(outcome)
        # Not at once: the caller, who runs first, may go on with a request of higher priority.
        if self._waking is None and any(self._queues):
            self._waking = self._loop.call_soon(self._pump)

    # Quarantine and bytes that nobody asked for.

    def _owe(self, job: _Job) -> None:
        self._owed, self._owed_at = job, self._loop.time()
        self._owed_is_masked = False

    def _owe_on(self, owed: _Job, job: _Job) -> None:
        """Is the reply still owed while this job is in flight? Masked, if it would pass for the
        job's own; the job after that can no longer tell."""
        if self._owed_is_masked or job.sent_at - self._owed_at > QUIET_CEILING_S:
            self._owed = None
        self._owed_is_masked = (owed.address, owed.request.head) == (job.address, job.request.head)

    def _quarantine(self, job: _Job) -> None:
        quiet = max(self._quiet_s, job.timeout, 1.5 * self.worst_lateness + 0.1)
        self._free_at = self._loop.time() + min(quiet, QUIET_CEILING_S)

    def _astray(self, count: int) -> None:
        self.counters.stray_bytes += count
        if self._learn_lateness(self._buffer):
            self._free_at = self._loop.time() + self._gap_s
            if self._waking:
                self._waking.cancel()
                self._pump()
        elif self._last and not self._is_owed() and self._repeats(self._last):
            self._quarantine(self._last)
        else:
            self._free_at = max(self._free_at, self._loop.time() + self._gap_s)
        del self._buffer[:-_BUFFER_LIMIT]

    def _is_owed(self) -> bool:
        """Is a reply owed that can be told from others?"""
        return self._owed is not None and not self._owed_is_masked

    def _learn_lateness(self, heard: bytearray) -> bool:
        owed = self._owed
        if owed is None or not self._is_owed():
            return False
        if self.framing.find(heard, owed.address, owed.request) is None:
            return False
        self._came_late()
        return True

    def _came_late(self) -> None:
        self._owed = None
        self.counters.late_replies += 1
        self.worst_lateness = max(self.worst_lateness, self._loop.time() - self._owed_at)

    def _repeats(self, last: _Job) -> bool:
        """A second reply to the last request: the line may be one reply behind.

        If it says something else, the first was the late one of the request before.
        """
        pdu = self.framing.find(self._buffer, last.address, last.request)
        if pdu is not None and self._owed and pdu != self._last_pdu:
            self._came_late()
        return pdu is not None

    # Connection.

    def up(self) -> None:
        """The transport is connected; a reply still owed may come over the new connection too."""
        self.generation += 1
        self.up_at = self._loop.time()
        self._buffer.clear()
        if self._owed:
            self._quarantine(self._owed)

    def lost(self, why: Trouble) -> None:
        """The transport lost its connection: whoever waits fails with LineDown."""
        if self._waking:
            self._waking.cancel()
            self._waking = None
        waiting = [job for queue in self._queues for job in queue]
        for queue in self._queues:
            queue.clear()
        if self._job:
            self._owe(self._job)
            down = _down(why)
            down.sent = True
            self._end(self._job, down)
        for job in waiting:
            if not job.future.done():
                job.future.set_exception(_down(why))


def _silence(baud: int, char_bits: int) -> float:
    """3.5 characters, fixed at 1.75 ms above 19,200 baud (Modbus over serial line V1.02)."""
    return 0.00175 if baud > 19200 else 3.5 * char_bits / baud


def _down(why: Trouble) -> LineDown:
    return LineDown(why.sentence.template, **why.sentence.params)
