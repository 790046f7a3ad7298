"""A writing visit to one unit: one signal, by the method of its map, until it is proven.

    value, rmw, coil       write, read back after write_delay_s, then at 5 and 10 s until equal
    pulse                  set, wait, release; the idle state reads back
    command                write; proven by `verify` or by the signal itself, else accepted
    coil_self_clearing     set; the idle state reads back

A fresh reading that already equals the target writes nothing. A write that brought no answer is
never repeated but settled by reading back; the one exception is the release of a pulse. Of a
register that is shared only the own field changes, read immediately before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Literal

from devices.modbus import blocks, locks, owned, pulses
from devices.modbus.encoding import encode
from devices.modbus.line import Line
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
)
from devices.modbus.words import N_, Sentence

READ_AGAIN_S = (5.0, 10.0)
_ACKNOWLEDGE = 5

State = Literal["verified", "accepted", "refused", "failed", "unknown"]


@dataclass(frozen=True, slots=True)
class WriteResult:
    """How a write ended.

    verified: read back equal; accepted: answered, and no proof is possible; refused: by limits,
    by `require`, or by the unit with an exception; failed: reads back another value, or nothing
    could be sent; unknown: sent, and neither answered nor settled by reading back.
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


async def write(
    line: Line,
    address: int,
    map: PointMap,
    signal: str,
    value: object,
    *,
    module: int | None = None,
    read_again_s: Sequence[float] = READ_AGAIN_S,
) -> WriteResult:
    """Write one signal and prove it; never raises for what units and lines do.

    Once begun it runs to its end although the caller is cancelled: a pulse is released, a panel
    unlocked for the write is put back. `read_again_s` are the later readings back, in seconds
    after the write.
    """
    visit = _Writing(line, address, map.for_module(module), read_again_s)
    return await _to_its_end(visit.write(signal, value))


async def settle(
    line: Line,
    address: int,
    map: PointMap,
    signal: str,
    value: object,
    *,
    module: int | None = None,
) -> WriteResult:
    """What became of a write whose end nobody saw: settled by reading, never by writing again.

    The one exception is a pulse that is still set, which is released.
    """
    visit = _Writing(line, address, map.for_module(module), ())
    return await _to_its_end(visit.settle(signal, value))


_running: set[asyncio.Task[WriteResult]] = set()


async def _to_its_end(visit: Coroutine[Any, Any, WriteResult]) -> WriteResult:
    task = asyncio.get_running_loop().create_task(visit)
    _running.add(task)
    task.add_done_callback(_running.discard)
    return await asyncio.shield(task)


class _Writing:
    """One writing visit. `_sent` is None until the write itself has gone out."""

    def __init__(
        self, line: Line, address: int, map: PointMap, read_again_s: Sequence[float]
    ) -> None:
        self._map = map
        self._registers = Registers(line, address, map.settings)
        self._turn = line.unit(address).turn
        self._notes: list[Sentence] = []
        self._prover = Prover(self._registers, map, read_again_s, self._notes)
        self._sent: Scalar = None

    async def write(self, signal: str, value: object) -> WriteResult:
        """See the function of this name."""
        async with self._turn:
            try:
                point = await self._writer(signal)
                words = encode(point, value)
                result = await self._write(point, words, owned.meaning(point, words, value))
                if signal == "alarm_reset" and result.state in ("verified", "accepted"):
                    await self._note_lasting_fault()
            except (Trouble, ValueRefused) as failure:
                self._notes.append(failure.sentence)
                nothing_came = isinstance(failure, ExchangeFailed) and not isinstance(
                    failure, ExceptionReply
                )
                result = self._result("failed" if nothing_came else "refused")
            return replace(result, notes=tuple(self._notes))

    async def settle(self, signal: str, value: object) -> WriteResult:
        """See the function of this name."""
        async with self._turn:
            try:
                point = await self._writer(signal)
                words = encode(point, value)
                result = await self._settle(point, words, owned.meaning(point, words, value))
            except (Trouble, ValueRefused) as failure:
                self._notes.append(failure.sentence)
                result = self._result("unknown")
            return replace(result, notes=tuple(self._notes))

    async def _write(self, point: Point, words: list[int], wanted: Scalar) -> WriteResult:
        await locks.check_required(self._registers)
        if await self._prover.is_so(point, words, wanted):
            self._note(N_("读到的已经是目标值，没有再写"))
            return self._result("verified", wanted)
        async with locks.unlocked(self._registers, self._notes):
            for target in point.before:
                await self._registers.put(target)
            return await _METHODS[point.write_method](self, point, words, wanted)

    async def _settle(self, point: Point, words: list[int], wanted: Scalar) -> WriteResult:
        if point.write_method == "pulse":
            released = await pulses.release(self._registers, point, words, 0, self._notes)
            took_place = released.seen_set and released.idle
            return self._result("verified" if took_place else "unknown")
        look = self._prover.proof_of(point, words, wanted)
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
            now = await self._registers.read(point.write_area, point.write_address, len(words))
            return list(now) != words, bool(now[0])

        if not self._registers.can_read(point.write_area):
            return self._result("accepted" if answered else "unknown")
        proof = await self._prover.read_back(point.write_delay_s, is_idle)
        if proof.equal and not answered:
            return self._result("unknown", proof.shown)  # idle also where it was never set
        otherwise = N_("线圈没有自动复位")
        return self._judged(answered, proof, not proof.refused, otherwise)

    async def _pulse(self, point: Point, words: list[int], wanted: Scalar) -> WriteResult:
        former = await pulses.standing(self._registers, point)
        idle = 0 if former is None else owned.own(point, former)
        if idle == owned.own(point, words):
            idle = 0
        answered = await self._send(point, owned.merged(point, former, words), wanted)
        try:
            await asyncio.sleep(point.write_delay_s)
        finally:
            released = await pulses.release(self._registers, point, words, idle, self._notes)
        return self._pulsed(answered, released)

    def _pulsed(self, answered: bool, released: pulses.Released) -> WriteResult:
        if released.idle:
            took_place = answered or released.seen_set
            return self._result("verified" if took_place else "unknown", False)
        if released.unreadable:
            return self._result("accepted" if answered and released.answered else "unknown")
        self._note(N_("脉冲没有释放，请在现场检查"))
        return self._result("failed" if released.seen_set else "unknown")

    def _judged(
        self,
        answered: bool,
        proof: Proof,
        provable: bool = True,
        otherwise: str = N_("读回的值与写入的不同"),
    ) -> WriteResult:
        if proof.equal:
            if not answered:
                self._note(N_("写入没有得到正确应答，读回确认已生效"))
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
            if all(_holds(values[name], labels) for name, labels in row.when.items()):
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
        return owned.merged(point, await pulses.standing(self._registers, point), words)

    async def _send(self, point: Point, words: Sequence[int], wanted: Scalar) -> bool:
        """Write; False where no right answer came and only reading back can tell.

        Raises ExceptionReply where the unit refuses, LineDown where nothing went out.
        """
        try:
            self._sent = wanted
            await self._registers.put_words(point, words)
        except ExceptionReply as exception:
            if exception.code != _ACKNOWLEDGE:
                raise
            self._notes.append(exception.sentence)
        except LineDown as down:
            if not down.sent:
                self._sent = None
                raise
            self._notes.append(down.sentence)
            return False
        except ExchangeFailed as failure:
            self._notes.append(failure.sentence)
            return False
        except Trouble:
            self._sent = None
            raise
        return True

    # Words about it.

    def _note(self, template: str, **params: object) -> None:
        self._notes.append(Sentence(template, **params))

    def _result(self, state: State, read_back: Scalar = None) -> WriteResult:
        return WriteResult(state, self._sent, read_back)


_METHODS: dict[
    str, Callable[[_Writing, Point, list[int], Scalar], Coroutine[Any, Any, WriteResult]]
] = {
    "value": _Writing._set,
    "rmw": _Writing._set,
    "coil": _Writing._set,
    "command": _Writing._command,
    "coil_self_clearing": _Writing._self_clearing,
    "pulse": _Writing._pulse,
}


def _holds(value: Value, labels: Sequence[str]) -> bool:
    return value.quality == "good" and any(blocks.shows(value.value, label) for label in labels)


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
