"""Reading back: whether a unit shows what was written."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from devices.modbus import blocks, owned, reading
from devices.modbus.decoding import decode
from devices.modbus.line import COMMAND
from devices.modbus.pointmap import PointMap
from devices.modbus.points import Point, Scalar, Value
from devices.modbus.registers import Registers
from devices.modbus.signals import kind_of
from devices.modbus.troubles import ExceptionReply, ExchangeFailed, NoAnswer
from devices.modbus.words import N_, Sentence

_NEVER = (1, 2, 3)  # exceptions that will be the same the next time; a busy unit may answer later

Look = Callable[[], Awaitable[tuple[bool, Scalar]]]


@dataclass(frozen=True, slots=True)
class Proof:
    """What reading back showed.

    read: anything could be read; equal: it was as it should be; shown: the value last read;
    refused: the unit answers an exception to such a read.
    """

    read: bool = False
    equal: bool = False
    shown: Scalar = None
    refused: bool = False


class Prover:
    """Looks at a unit through its registers; what else it sees goes to the notes.

    `read_again_s`: when to look again, in seconds after the write.
    """

    def __init__(
        self,
        registers: Registers,
        map: PointMap,
        read_again_s: Sequence[float],
        notes: list[Sentence],
    ) -> None:
        self._registers = registers
        self._map = map
        self._read_again_s = read_again_s
        self._notes = notes

    async def everything(self) -> dict[str, Value]:
        """All points of the unit as they are now; raises NoAnswer."""
        visit = await reading.read(
            self._registers.line,
            self._registers.address,
            blocks.plan(self._map),
            timeout=self._registers.timeout,
            priority=COMMAND,
        )
        if not visit.answered:
            raise NoAnswer(self._registers.timeout, 0)
        return visit.points

    def proof_of(self, point: Point, words: Sequence[int], wanted: Scalar) -> Look | None:
        """How to see that a command was done, or a lost write; None where nothing tells."""
        if point.verify:
            signal, label = point.verify
            return lambda: self._look_at(signal, label)
        comparable = point.write_value is None or point.is_bool or point.write_enum
        no_trace = kind_of(point.signal) == "cmd" or point.write_method == "coil_self_clearing"
        if not point.readable or no_trace or not comparable:
            return None
        return lambda: self.look(point, words, wanted)

    async def look(
        self,
        point: Point,
        words: Sequence[int],
        wanted: Scalar,
        *,
        coarsely: bool = True,
        beside: bool = False,
    ) -> tuple[bool, Scalar]:
        """Whether the point reads as written, and the value read; raises ExchangeFailed.

        `coarsely`: as near as its reading side can show it. `beside`: `words` are the whole
        registers as written, and other bits that changed since are noted.
        """
        side = point if point.readable else owned.write_side(point)
        now = await self._registers.read(side.area, side.address, side.count)
        value = decode(side, now)
        equal = value.quality == "good" and owned.same(side, value.value, wanted, coarsely=coarsely)
        if owned.reads_where_it_writes(side) and point.write_method != "command":
            equal = equal or owned.own(point, now) == owned.own(point, words)
            if beside:
                self._note_other_bits(point, now, words)
        return equal, value.value if value.quality == "good" or not equal else wanted

    async def is_so(self, point: Point, words: Sequence[int], wanted: Scalar) -> bool:
        """Whether a write would change nothing; a trigger always does something."""
        if not point.readable or point.write_value is not None:
            return False
        try:
            equal, _ = await self.look(point, words, wanted, coarsely=False)
        except ExceptionReply:
            return False
        return equal

    async def read_back(self, delay: float, look: Look) -> Proof:
        """Look after a delay, and again later until it is as it should be."""
        loop = asyncio.get_running_loop()
        start = loop.time()
        proof = Proof()
        for due in (delay, *(later for later in self._read_again_s if later > delay)):
            await asyncio.sleep(start + due - loop.time())
            try:
                proof = Proof(True, *await look())
            except ExceptionReply as exception:
                if exception.sentence not in self._notes:
                    self._notes.append(exception.sentence)
                if exception.code in _NEVER:
                    return Proof(refused=True)
            except ExchangeFailed:
                continue
            if proof.equal:
                break
        return proof

    async def _look_at(self, signal: str, label: str) -> tuple[bool, Scalar]:
        value = (await self.everything())[signal]
        return value.quality == "good" and blocks.shows(value.value, label), value.value

    def _note_other_bits(self, point: Point, now: Sequence[int], words: Sequence[int]) -> None:
        field = owned.field_of(point)
        if field is None or not (now[0] ^ words[0]) & ~field:
            return
        note = Sentence(
            N_("同一寄存器的其他位也变了：写入 %(sent)s，读回 %(now)s"),
            sent=f"0x{words[0]:04X}",
            now=f"0x{now[0]:04X}",
        )
        if note not in self._notes:
            self._notes.append(note)
