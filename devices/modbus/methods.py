"""How one signal is written, by the method of its map, and what its end is called.

    value, rmw, coil       write, read back after write_delay_s, then at 5 and 10 s until equal
    pulse                  set, wait, release; the idle state reads back
    command                write; proven by `verify` or by the signal itself, else accepted
    coil_self_clearing     set; the idle state reads back

Of a register that is shared only the own field changes, read immediately before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Literal

from devices.modbus import blocks, owned, pulses
from devices.modbus.encoding import encode
from devices.modbus.pointmap import PointMap
from devices.modbus.points import Point, Scalar, Value, ValueRefused
from devices.modbus.proving import Proof, Prover
from devices.modbus.registers import Registers
from devices.modbus.troubles import (
    ExceptionReply,
    ExchangeFailed,
    LineDown,
    Trouble,
    WriteRefused,
    WritesHeld,
)
from devices.modbus.words import N_, Sentence

_ACKNOWLEDGE = 5
UNANSWERED = N_("写入没有得到正确应答，读回确认已生效")
_SILENT_BEHIND_GATEWAY = 11  # the gateway's word, not the unit's: it may have taken the write

State = Literal["verified", "accepted", "refused", "failed", "unknown", "held"]


@dataclass(frozen=True, slots=True)
class WriteResult:
    """How a write ended.

    verified: read back equal; accepted: answered, and no proof is possible; refused: by limits,
    by `require`, or by the unit with an exception; failed: reads back another value, or nothing
    could be sent; unknown: sent, and neither answered nor settled by reading back; held: the line
    lets nothing be written now, and no byte has left.
    `sent` is None where nothing was sent. `notes` say why, one sentence each.
    """

    state: State
    sent: Scalar
    read_back: Scalar
    notes: tuple[Sentence, ...] = ()

    @property
    def detail(self) -> str:
        """The notes as one text."""
        return "；".join(self.notes)


@dataclass(slots=True)
class Wish:
    """What is to be written. `again`: even where it reads so already, as a test does."""

    signal: str
    value: object
    again: bool = False


@dataclass(slots=True)
class _Field:
    """A wish in the words of its row, and its end once it has one."""

    point: Point
    words: list[int]
    wanted: Scalar


class Writing:
    """One wish within a writing visit. `_sent` is None until the write itself has gone out."""

    def __init__(
        self, registers: Registers, map: PointMap, read_again_s: Sequence[float], wish: Wish
    ) -> None:
        self._map = map
        self.registers = registers
        self._wish = wish
        self.notes: list[Sentence] = []
        self._prover = Prover(registers, map, read_again_s, self.notes)
        self._beside: Sequence[Writing] = ()
        self._field: _Field | None = None
        self._sent: Scalar = None
        self._answered = False
        self.result: WriteResult | None = None

    @property
    def field(self) -> _Field:
        """The wish in words; prepared before."""
        assert self._field is not None
        return self._field

    async def prepare(self) -> None:
        """Find the row and the words of the wish; raises Trouble and ValueRefused."""
        point = await self._writer(self._wish.signal)
        words = encode(point, self._wish.value)
        self._field = _Field(point, words, owned.meaning(point, words, self._wish.value))

    async def write(self, beside: Sequence[Writing] = ()) -> None:
        """Write, with the fields `beside` it in the same register, and prove all of them."""
        self._beside = beside
        one = self.field
        try:
            by_its_method = _METHODS[one.point.write_method]
            self.result = await by_its_method(self, one.point, one.words, one.wanted)
        finally:
            for other in beside:
                other._sent = other.field.wanted if self._sent is not None else None
        for other in beside:
            await other._prove_beside(self._answered)
        if self._wish.signal == "alarm_reset" and self.result.state in ("verified", "accepted"):
            await self._note_lasting_fault()

    async def is_so(self) -> bool:
        """Whether nothing is to be written, because it reads so; then that is its end."""
        one = self.field
        if self._wish.again or not await self._prover.is_so(one.point, one.words, one.wanted):
            return False
        self._note(N_("读到的已经是目标值，没有再写"))
        self.result = self._result("verified", one.wanted)
        return True

    async def settle(self) -> None:
        """What became of this wish, by reading; a pulse that is still set is released."""
        try:
            await self.prepare()
            self.result = await self._settle(self.field)
        except (Trouble, ValueRefused) as failure:
            self.notes.append(failure.sentence)
            self.result = self._result("unknown")

    def fail(self, failure: Trouble | ValueRefused) -> None:
        """It ends by this."""
        self.notes.append(failure.sentence)
        if isinstance(failure, WritesHeld):
            self.result = self._result("held" if self._sent is None else "unknown")
            return
        nothing_came = isinstance(failure, ExchangeFailed) and not isinstance(
            failure, ExceptionReply
        )
        self.result = self._result("failed" if nothing_came else "refused")

    async def _prove_beside(self, answered: bool) -> None:
        """The register was written for another field too: was this one taken?"""
        one = self.field
        proof = await self._prover.read_back(
            0.0, lambda: self._prover.look(one.point, one.words, one.wanted)
        )
        self.result = self._judged(answered, proof, provable=one.point.readable)

    async def _settle(self, one: _Field) -> WriteResult:
        if one.point.write_method == "pulse":
            released = await pulses.release(self.registers, one.point, one.words, 0, self.notes)
            took_place = released.seen_set and released.idle
            return self._result("verified" if took_place else "unknown")
        look = self._prover.proof_of(one.point, one.words, one.wanted)
        if look is None:
            return self._result("unknown")
        proof = await self._prover.read_back(0.0, look)
        state: State = "verified" if proof.equal else "failed" if proof.read else "unknown"
        return self._result(state, proof.shown)

    # The methods.

    async def _set(self, point: Point, words: list[int], wanted: Scalar) -> WriteResult:
        """value, rmw, coil."""
        merged = await self._merged(point, words)
        answered = await self._send(point, merged, wanted)
        proof = await self._prover.read_back(
            point.write_delay_s,
            lambda: self._prover.look(point, merged, wanted, beside=True),
        )
        return self._judged(answered, proof, provable=point.readable)

    async def _command(self, point: Point, words: list[int], wanted: Scalar) -> WriteResult:
        answered = await self._send(point, await self._merged(point, words), wanted)
        look = self._prover.proof_of(point, words, wanted)
        if look is None:
            return self._result("accepted" if answered else "unknown")
        return self._judged(answered, await self._prover.read_back(point.write_delay_s, look))

    async def _self_clearing(self, point: Point, words: list[int], wanted: Scalar) -> WriteResult:
        answered = await self._send(point, words, wanted)

        async def is_idle() -> tuple[bool, Scalar]:
            now = await self.registers.read(point.write_area, point.write_address, len(words))
            return list(now) != words, bool(now[0])

        if not self.registers.can_read(point.write_area):
            return self._result("accepted" if answered else "unknown")
        proof = await self._prover.read_back(point.write_delay_s, is_idle)
        if proof.equal and not answered:
            return self._result("unknown", proof.shown)  # idle also where it was never set
        otherwise = N_("线圈没有自动复位")
        return self._judged(answered, proof, not proof.refused, otherwise)

    async def _pulse(self, point: Point, words: list[int], wanted: Scalar) -> WriteResult:
        former = await pulses.standing(self.registers, point)
        idle = 0 if former is None else owned.own(point, former)
        if idle == owned.own(point, words):
            idle = 0
        answered = await self._send(point, owned.merged(point, former, words), wanted)
        try:
            await asyncio.sleep(point.write_delay_s)
        finally:
            released = await pulses.release(self.registers, point, words, idle, self.notes)
        return self._pulsed(answered, released)

    def _pulsed(self, answered: bool, released: pulses.Released) -> WriteResult:
        if released.idle:
            took_place = answered or released.seen_set
            return self._result("verified" if took_place else "unknown", False)
        if released.unreadable:
            return self._result("accepted" if answered and released.answered else "unknown")
        self._note(N_("脉冲没有释放，请在现场检查"))
        ignored = released.seen_set and released.answered
        return self._result("failed" if ignored else "unknown")  # unknown is tried again later

    def _judged(
        self,
        answered: bool,
        proof: Proof,
        provable: bool = True,
        otherwise: str = N_("读回的值与写入的不同"),
    ) -> WriteResult:
        if proof.equal:
            if not answered:
                self._note(UNANSWERED)
            return self._result("verified", proof.shown)
        if not provable:
            return self._result("accepted" if answered else "unknown", proof.shown)
        if not proof.read:
            self._note(N_("写入后没能读回"))
            return self._result("unknown")
        self._note(otherwise)
        return self._result("failed", proof.shown)

    async def _note_lasting_fault(self) -> None:
        with suppress(ExchangeFailed):
            fault = (await self._prover.everything()).get("fault_active")
            if fault and fault.value is True:
                self._note(N_("复位后故障仍在：原因没有消除"))

    # What stands before a write.

    async def _writer(self, signal: str) -> Point:
        """The row that writes this signal now, with its scale as it is now."""
        rows = self._map.writers(signal)
        if not rows:
            raise WriteRefused(N_("点表里没有可写的信号 %(signal)s"), signal=signal)
        if not any(row.when or row.scale_from for row in rows):
            return rows[0]
        values = await self._prover.everything()
        for row in rows:
            if holds(row, values):
                return _scaled(row, values) if row.scale_from else row
        needed = " / ".join(
            f"{name}={'|'.join(labels)}" for row in rows for name, labels in row.when.items()
        )
        raise WriteRefused(
            N_("%(signal)s 现在不能写：点表要求 %(needed)s"), signal=signal, needed=needed
        )

    async def _merged(self, point: Point, words: list[int]) -> list[int]:
        """What to write: of a shared register the rest as it is at this moment."""
        if owned.field_of(point) is None:
            return words
        merged = owned.merged(point, await pulses.standing(self.registers, point), words)
        for other in self._beside:
            merged = owned.merged(other.field.point, merged, other.field.words)
        return merged

    async def _send(self, point: Point, words: Sequence[int], wanted: Scalar) -> bool:
        """Write; False where no right answer came and only reading back can tell.

        Raises ExceptionReply where the unit refuses, LineDown where nothing went out.
        """
        try:
            self._sent = wanted
            await self.registers.put_words(point, words)
        except ExceptionReply as exception:
            if exception.code not in (_ACKNOWLEDGE, _SILENT_BEHIND_GATEWAY):
                raise
            self.notes.append(exception.sentence)
            if exception.code == _SILENT_BEHIND_GATEWAY:
                return False
        except LineDown as down:
            if not down.sent:
                self._sent = None
                raise
            self.notes.append(down.sentence)
            return False
        except ExchangeFailed as failure:
            self.notes.append(failure.sentence)
            return False
        except Trouble:
            self._sent = None
            raise
        self._answered = True
        return True

    # Words about it.

    def _note(self, template: str, **params: object) -> None:
        self.notes.append(Sentence(template, **params))

    def _result(self, state: State, read_back: Scalar = None) -> WriteResult:
        return WriteResult(state, self._sent, read_back)

    @property
    def told(self) -> WriteResult:
        """Its end, with everything that was noted on the way."""
        assert self.result is not None
        return replace(self.result, notes=tuple(self.notes))


_METHODS: dict[
    str, Callable[[Writing, Point, list[int], Scalar], Coroutine[Any, Any, WriteResult]]
] = {
    "value": Writing._set,
    "rmw": Writing._set,
    "coil": Writing._set,
    "command": Writing._command,
    "coil_self_clearing": Writing._self_clearing,
    "pulse": Writing._pulse,
}


def holds(row: Point, values: Mapping[str, Value]) -> bool:
    """Whether the `when` of a row is fulfilled by these readings."""
    return all(
        values[signal].quality == "good"
        and any(blocks.shows(values[signal].value, label) for label in labels)
        for signal, labels in row.when.items()
    )


def _scaled(point: Point, values: dict[str, Value]) -> Point:
    """The point with what `scale_from` tells multiplied in, on the side that writes too."""
    source = values[str(point.scale_from)]
    if source.quality != "good" or not source.value:
        raise WriteRefused(
            N_("%(signal)s 现在不能写：倍率信号 %(source)s 没有读到"),
            signal=point.signal,
            source=point.scale_from,
        )
    factor = Decimal(repr(source.value))
    alike = point.write_scale == point.scale  # else the map says the write scale by itself
    return replace(
        point,
        scale=point.scale * factor,
        write_scale=point.write_scale * factor if alike else point.write_scale,
        scale_from=None,
    )
