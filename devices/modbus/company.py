"""Who else is on a line: its own echo, a second master, two units at one address, poor wiring.

Everything here is concluded from bytes that were no answer to the request in flight.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Literal

from devices.modbus import strays
from devices.modbus.findings import Findings
from devices.modbus.frames import Framing, Request, Rtu
from devices.modbus.jobs import Job
from devices.modbus.strays import Stray
from devices.modbus.timing import UnitOnLine
from devices.modbus.words import N_, Sentence

EchoMode = Literal["auto", "on", "off"]

_WITHOUT_ECHO = 3  # reads answered without an echo, after which a line has none
_REPLY_S = 2.0  # within which what somebody else asked is answered, or never
_IDLE_S = 10.0  # after so much idleness a reply is not one of ours, though it looks like one
_GARBLED = 5  # damaged replies of one unit in a row, while as many of others are good
_SOLITARY = 3  # so few bytes of 00 and FF on an idle line are no data of anybody

ECHO = Sentence(N_("线上有本地回显：发出的报文被原样收回，已自动剔除"))
SECOND_MASTER = Sentence(N_("线上有另一台主站：收到不是平台发出的报文"))
BIAS = Sentence(N_("总线空闲电平不稳、帧头受损：请检查偏置电阻和终端电阻"))


class Echo:
    """Whether an adapter gives back what is sent; `is_heard` is None until it is known.

    `clock`: the time of a character and the silence between frames (s), where they are known.
    """

    __slots__ = (
        "_clock",
        "_findings",
        "_is_open",
        "_without",
        "is_heard",
    )

    def __init__(
        self, mode: EchoMode, findings: Findings, clock: tuple[float, float] | None
    ) -> None:
        self.is_heard: bool | None = {"on": True, "off": False}.get(mode)
        self._clock = clock
        self._is_open = mode == "auto"
        self._findings = findings
        self._without = 0

    def came(self) -> None:
        """What was sent came back."""
        self._findings.sign("echo", ECHO)
        self._without = 0
        if self._is_open:
            self.is_heard = True

    def stayed_away(self) -> None:
        """A read was answered, and its request had not come back."""
        self._without += 1
        if self._is_open and (self.is_heard is None or self._without >= _WITHOUT_ECHO):
            self.is_heard = False

    def is_sooner_than_a_reply(self, frame: bytes, after_s: float) -> bool:
        """Whether this frame, that came back as the answer to a write would, came before any unit
        could answer."""
        if self.is_heard is not None or self._clock is None:
            return False
        char_s, silence_s = self._clock
        if after_s > len(frame) * char_s + silence_s:
            return False
        self.came()
        return True


class Company:
    """What stray bytes tell of the others on a line.

    `is_clocked`: the bytes are those of a port of our own; a gateway may put in its own.
    """

    __slots__ = (
        "_findings",
        "_framing",
        "_is_clocked",
        "_loop",
        "_others",
        "_runs",
        "_sent",
        "_units",
        "_written",
    )

    def __init__(
        self,
        framing: Framing,
        units: Mapping[int, UnitOnLine],
        findings: Findings,
        *,
        is_clocked: bool,
    ) -> None:
        self._sent: list[bytes] = []
        self._framing = framing if isinstance(framing, Rtu) else None
        self._units = units
        self._findings = findings
        self._is_clocked = is_clocked
        self._loop = asyncio.get_running_loop()
        self._written: list[tuple[int, bytes]] = []
        self._others: list[tuple[float, Stray]] = []
        self._runs: dict[int, _Run] = {}

    def asked(self, frame: bytes) -> None:
        """A request of our own goes out."""
        self._sent.append(frame)
        if len(self._sent) > 32:
            del self._sent[:-16]

    def wrote(self, address: int, request: Request) -> None:
        """A write of our own goes out: its echo may be heard long after."""
        self._written.append((address, request.pdu[:5]))
        del self._written[:-64]

    def overheard(self, data: bytearray, *, in_quarantine: bool, idle_s: float) -> None:
        """Look for frames of others; what was looked at is cut off."""
        if self._framing is None:
            return
        seen = 0
        for stray in strays.frames_in(data, self._framing):
            seen = stray.end
            self._follow(stray)
            if (stray.asks or not in_quarantine) and not self._is_ours(stray, idle_s):
                self._findings.sign("second_master", SECOND_MASTER)
        del data[:seen]

    def _follow(self, stray: Stray) -> None:
        """Remember what is asked until it is answered."""
        if stray.asks:
            self._others = [*self._others[-15:], (self._loop.time(), stray)]
        else:
            self.answered(stray.address, stray.pdu)

    def answered(self, address: int, pdu: bytes) -> bool:
        """A reply came that was none of ours; tells whether another had asked for it."""
        left = [
            (at, other)
            for at, other in self._others
            if other.address != address or not strays.may_answer(pdu, other.pdu)
        ]
        found = len(left) < len(self._others)
        self._others = left
        return found

    def may_be_asked_by_another(self, job: Job, pdu: bytes) -> bool:
        """Whether this reply may be one to a request that was heard on the line and is not that
        of the job: one of another master, or a late echo of our own."""
        if not self._others:
            return False
        since = job.sent_at - _REPLY_S
        self._others = [(at, other) for at, other in self._others if at >= since]
        return any(
            other.address == job.address
            and other.pdu != job.request.pdu
            and strays.may_answer(pdu, other.pdu)
            for _, other in self._others
        )

    def solitary(self, data: bytes) -> None:
        """Bytes on an idle line."""
        if len(data) <= _SOLITARY:
            self.preceding(data)

    def preceding(self, data: bytes | bytearray) -> None:
        """Bytes before a good reply."""
        if self._is_clocked and strays.only_idle_levels(data):
            self._findings.sign("bias", BIAS)

    def garbled(self, address: int, data: bytearray, request: Request, line_answers: int) -> None:
        """Instead of a reply came this, and nothing that counts."""
        if self._framing is None:
            return
        if strays.is_hurt_at_its_start(data, self._framing, address, request):
            self._findings.sign("bias", BIAS)
        unit = self._units[address]
        run = self._runs.get(address)
        if run is None or run.answers != unit.answers:
            run = self._runs[address] = _Run(unit.answers, line_answers)
        run.count += 1
        if run.count >= _GARBLED and line_answers - run.line_answers >= _GARBLED:
            self._two_at(address, N_("地址 %(address)d 的应答总是受损，别的设备正常"), 3)

    def differed(self, address: int) -> None:
        """Two good replies to one request said different things."""
        self._two_at(address, N_("地址 %(address)d 对同一请求有两种应答"), 1)

    def _two_at(self, address: int, template: str, count: int) -> None:
        sentence = Sentence(
            N_("疑有两台设备共用一个地址：%(why)s"),
            why=Sentence(template, address=address),
        )
        if self._findings.sign("two_on_one", sentence, address, count=count):
            self._units[address].disputed_at = self._loop.time()

    def _is_ours(self, stray: Stray, idle_s: float) -> bool:
        """Whether it may be our own echo, or a reply to us that came at a wrong time."""
        if stray.asks:
            # A unit that answers a write under the function of a read seems to ask something.
            answers = any(one[1:5] == stray.pdu[1:5] for at, one in self._written
                          if at == stray.address)  # fmt: skip
            return answers or any(stray.pdu in frame for frame in self._sent)
        function = stray.pdu[0]
        if function in (5, 6, 15, 16):
            return (stray.address, stray.pdu[:5]) in self._written
        unit = self._units.get(stray.address)
        if unit is None or idle_s > _IDLE_S:
            return False
        return function >= 0x80 or stray.pdu[:2] in unit.known or stray.pdu[:2] in unit.owed


class _Run:
    """Damaged replies of one unit in a row: how often it and its line had answered before."""

    __slots__ = ("answers", "count", "line_answers")

    def __init__(self, answers: int, line_answers: int) -> None:
        self.answers = answers
        self.line_answers = line_answers
        self.count = 0
