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
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any, Literal

from devices.modbus import blocks, frames, rawtypes, reading
from devices.modbus.cells import BIT_AREAS, Area, Target
from devices.modbus.decoding import decode
from devices.modbus.encoding import encode
from devices.modbus.line import COMMAND, Line
from devices.modbus.pointmap import PointMap
from devices.modbus.points import Point, Scalar, Value, ValueRefused
from devices.modbus.signals import kind_of
from devices.modbus.troubles import (
    ExceptionReply,
    ExchangeFailed,
    LineDown,
    NoAnswer,
    NotSupported,
    Trouble,
)
from devices.modbus.words import N_, Sentence

READ_AGAIN_S = (5.0, 10.0)
_RELEASES = 3
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


class _Refused(Trouble):
    """Nothing was changed, and this is why."""


@dataclass(frozen=True, slots=True)
class _Proof:
    """What reading back showed: whether anything could be read, whether it was as it should be."""

    read: bool
    equal: bool
    shown: Scalar = None
    refused: bool = False


_Look = Callable[[], Awaitable[tuple[bool, Scalar]]]


class _Writing:
    """One writing visit. `sent` is None until the write itself has gone out."""

    def __init__(
        self, line: Line, address: int, map: PointMap, read_again_s: Sequence[float]
    ) -> None:
        self._line = line
        self._address = address
        self._map = map
        self._timeout = map.settings.reply_timeout_ms / 1000
        self._read_again_s = read_again_s
        self._notes: list[Sentence] = []
        self._sent: Scalar = None

    async def write(self, signal: str, value: object) -> WriteResult:
        """See the function of this name."""
        async with self._line.unit(self._address).turn:
            try:
                point = await self._writer(signal)
                words = encode(point, value)
                result = await self._write(point, words, _wanted(point, words, value))
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
        async with self._line.unit(self._address).turn:
            try:
                point = await self._writer(signal)
                words = encode(point, value)
                result = await self._settle(point, words, _wanted(point, words, value))
            except (Trouble, ValueRefused) as failure:
                self._notes.append(failure.sentence)
                result = self._result("unknown")
            return replace(result, notes=tuple(self._notes))

    async def _write(self, point: Point, words: list[int], wanted: Scalar) -> WriteResult:
        await self._check_required()
        if point.readable and point.write_value is None and await self._is_so(point, words, wanted):
            self._note(N_("读到的已经是目标值，没有再写"))
            return self._result("verified", wanted)
        async with self._unlocked():
            for target in point.before:
                await self._exchange(self._request(target.area, target.address, [target.value]))
            return await _METHODS[point.write_method](self, point, words, wanted)

    async def _settle(self, point: Point, words: list[int], wanted: Scalar) -> WriteResult:
        if point.write_method == "pulse":
            released = await self._release(point, words, idle=0)
            return self._result("verified" if released.seen_set and released.idle else "unknown")
        look = self._proof_of(point, words, wanted)
        if look is None:
            return self._result("unknown")
        proof = await self._read_back(0.0, look)
        state: State = "verified" if proof.equal else "failed" if proof.read else "unknown"
        return self._result(state, proof.shown)

    # The methods.

    async def _set(self, point: Point, words: list[int], wanted: Scalar) -> WriteResult:
        """value, rmw, coil."""
        merged = await self._merged(point, words)
        answered = await self._send(point, merged, wanted)
        proof = await self._read_back(
            point.write_delay_s, lambda: self._look(point, merged, wanted)
        )
        return self._judged(answered, proof, provable=point.readable)

    async def _command(self, point: Point, words: list[int], wanted: Scalar) -> WriteResult:
        merged = await self._merged(point, words)
        answered = await self._send(point, merged, wanted)
        look = self._proof_of(point, words, wanted)
        if look is None:
            return self._result("accepted" if answered else "unknown")
        return self._judged(answered, await self._read_back(point.write_delay_s, look))

    async def _self_clearing(self, point: Point, words: list[int], wanted: Scalar) -> WriteResult:
        answered = await self._send(point, words, wanted)

        async def is_idle() -> tuple[bool, Scalar]:
            now = await self._read(point.write_area, point.write_address, len(words))
            return list(now) != words, bool(now[0])

        if not self._can_read(point.write_area):
            return self._result("accepted" if answered else "unknown")
        proof = await self._read_back(point.write_delay_s, is_idle)
        if proof.equal and not answered:
            return self._result("unknown", proof.shown)  # idle also where it was never set
        if proof.read and not proof.equal:
            self._note(N_("线圈没有自动复位"))
        return self._judged(answered, proof, provable=not proof.refused)

    async def _pulse(self, point: Point, words: list[int], wanted: Scalar) -> WriteResult:
        former = await self._former(point)
        idle = 0 if former is None else _own(point, former)
        if idle == _own(point, words):
            idle = 0
        answered = await self._send(point, _merge(point, former, words), wanted)
        try:
            await asyncio.sleep(point.write_delay_s)
        finally:
            released = await self._release(point, words, idle)
        took_effect = answered or released.seen_set
        if released.idle:
            return self._result("verified" if took_effect else "unknown", False)
        if released.unreadable:
            return self._result("accepted" if answered and released.answered else "unknown")
        self._note(N_("脉冲没有释放，请在现场检查"))
        return self._result("failed" if released.seen_set else "unknown")

    async def _release(self, point: Point, words: list[int], idle: int) -> _Released:
        """Put a pulse back to idle; read before each attempt, so that only our field changes."""
        released = _Released()
        for attempt in range(_RELEASES + 1):
            await asyncio.sleep(0.2 * attempt)
            now = await self._former_or_none(point, released)
            if now is not None:
                released.idle = _own(point, now) == idle
                released.seen_set |= _own(point, now) == _own(point, words)
                if released.idle:
                    break
            elif released.answered or _field(point) is not None:
                continue  # nothing to add, or the rest of the register is not known
            if attempt < _RELEASES:
                await self._put_idle(point, now, idle, released)
        return released

    async def _put_idle(
        self, point: Point, now: Sequence[int] | None, idle: int, released: _Released
    ) -> None:
        rest = _merge(point, now, _with_own(point, idle))
        try:
            await self._exchange(self._request_of(point, rest))
            released.answered = True
        except ExchangeFailed as failure:
            self._notes.append(failure.sentence)

    # Proof.

    def _proof_of(self, point: Point, words: list[int], wanted: Scalar) -> _Look | None:
        """How to see that a write was done; None where nothing tells."""
        if point.verify:
            signal, label = point.verify
            return lambda: self._look_at(signal, label)
        if point.readable and kind_of(point.signal) != "cmd":
            return lambda: self._look(point, words, wanted)
        return None

    async def _look_at(self, signal: str, label: str) -> tuple[bool, Scalar]:
        value = (await self._everything())[signal]
        return value.quality == "good" and blocks.shows(value.value, label), value.value

    async def _look(
        self, point: Point, words: Sequence[int], wanted: Scalar
    ) -> tuple[bool, Scalar]:
        """Whether the point reads as written; other bits of its register that changed are told."""
        side = point if point.readable else _write_side(point)
        now = await self._read(side.area, side.address, side.count)
        value = decode(side, now)
        if side.scale_from:
            value = (await self._everything())[point.signal]
        equal = value.quality == "good" and _close(side, value.value, wanted)
        if _reads_where_it_writes(side) and point.write_value is None:
            equal = equal or _own(point, now) == _own(point, words)
            self._note_other_bits(point, now, words)
        return equal, value.value if value.quality == "good" or not equal else wanted

    async def _is_so(self, point: Point, words: Sequence[int], wanted: Scalar) -> bool:
        try:
            equal, _ = await self._look(point, words, wanted)
        except ExceptionReply:
            return False
        return equal

    async def _read_back(self, delay: float, look: _Look) -> _Proof:
        loop = asyncio.get_running_loop()
        start = loop.time()
        proof = _Proof(read=False, equal=False)
        for due in (delay, *(later for later in self._read_again_s if later > delay)):
            await asyncio.sleep(start + due - loop.time())
            try:
                proof = _Proof(True, *await look())
            except ExceptionReply as exception:
                self._notes.append(exception.sentence)
                return _Proof(read=False, equal=False, refused=True)
            except ExchangeFailed:
                continue
            if proof.equal:
                break
        return proof

    def _judged(self, answered: bool, proof: _Proof, provable: bool = True) -> WriteResult:
        if proof.equal:
            if not answered:
                self._note(N_("写入没有得到正确应答，读回确认已生效"))
            return self._result("verified", proof.shown)
        if not provable:
            return self._result("accepted" if answered else "unknown", proof.shown)
        if not proof.read:
            self._note(N_("写入后没能读回"))
            return self._result("unknown")
        self._note(N_("读回的值与写入的不同"))
        return self._result("failed", proof.shown)

    async def _everything(self) -> dict[str, Value]:
        plan = blocks.plan(self._map)
        visit = await reading.read(
            self._line, self._address, plan, timeout=self._timeout, priority=COMMAND
        )
        if not visit.answered:
            raise NoAnswer(self._timeout, 0)
        return visit.points

    async def _note_lasting_fault(self) -> None:
        with suppress(ExchangeFailed):
            fault = (await self._everything()).get("fault_active")
            if fault and fault.value is True:
                self._note(N_("复位后故障仍在：原因没有消除"))

    # What stands before a write.

    async def _writer(self, signal: str) -> Point:
        """The row that writes this signal now."""
        rows = self._map.writers(signal)
        if not rows:
            raise _Refused(N_("点表里没有可写的信号 %(signal)s"), signal=signal)
        if not any(row.when for row in rows):
            return rows[0]
        values = await self._everything()
        for row in rows:
            if all(_holds(values[name], labels) for name, labels in row.when.items()):
                return row
        needed = " / ".join(
            f"{name}={'|'.join(labels)}" for row in rows for name, labels in row.when.items()
        )
        raise _Refused(
            N_("%(signal)s 现在不能写：点表要求 %(needed)s"), signal=signal, needed=needed
        )

    async def _check_required(self) -> None:
        for target in self._map.settings.require:
            (now,) = await self._read(target.area, target.address, 1)
            if now != target.value:
                raise _Refused(
                    N_(
                        "设备不允许远程写入：%(area)s %(address)d 应为 %(wanted)d，"
                        "现为 %(now)d（可能处于就地模式）"
                    ),
                    area=reading.AREA_NAMES[target.area],
                    address=target.address,
                    wanted=target.value,
                    now=now,
                )

    @asynccontextmanager
    async def _unlocked(self) -> AsyncIterator[None]:
        """Locks are opened where they are closed, and closed again whatever happens."""
        opened: list[Target] = []
        try:
            for target in self._map.settings.unlock:
                await self._unlock(target, opened)
            yield
        finally:
            if not self._map.settings.unlock_keep:
                for former in reversed(opened):
                    await self._put_back(former)

    async def _unlock(self, target: Target, opened: list[Target]) -> None:
        try:
            (now,) = await self._read(target.area, target.address, 1)
        except ExceptionReply:
            now = None  # a lock that only takes a password
        if now == target.value:
            return
        if now is not None:
            opened.append(Target(target.area, target.address, now))
        await self._exchange(self._request(target.area, target.address, [target.value]))

    async def _put_back(self, former: Target) -> None:
        for _ in range(_RELEASES):
            with suppress(ExchangeFailed):
                (now,) = await self._read(former.area, former.address, 1)
                if now == former.value:
                    return
                await self._exchange(self._request(former.area, former.address, [former.value]))
                return
        self._note(
            N_("%(area)s %(address)d 没能恢复为 %(value)d，请在现场检查"),
            area=reading.AREA_NAMES[former.area],
            address=former.address,
            value=former.value,
        )

    # Registers.

    async def _former(self, point: Point) -> Sequence[int] | None:
        """The registers to be written as they are; None where only a whole one is written and
        it cannot be read."""
        try:
            return await self._read(point.write_area, point.write_address, point.write_count)
        except ExceptionReply:
            if _field(point) is None:
                return None
            raise

    async def _former_or_none(self, point: Point, released: _Released) -> Sequence[int] | None:
        try:
            now = await self._former(point)
        except ExchangeFailed:
            return None
        released.unreadable = now is None
        return now

    async def _merged(self, point: Point, words: list[int]) -> list[int]:
        if _field(point) is None:
            return words
        return _merge(point, await self._former(point), words)

    async def _send(self, point: Point, words: Sequence[int], wanted: Scalar) -> bool:
        """Write; False where no right answer came and only reading back can tell.

        Raises ExceptionReply where the unit refuses, LineDown where nothing went out.
        """
        try:
            self._sent = wanted
            await self._exchange(self._request_of(point, words))
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
        return True

    async def _read(self, area: Area, address: int, count: int) -> tuple[int, ...]:
        return await self._exchange(frames.read(area, address, count))

    async def _exchange(self, request: frames.Request) -> tuple[int, ...]:
        return await self._line.exchange(
            self._address, request, timeout=self._timeout, priority=COMMAND
        )

    def _can_read(self, area: Area) -> bool:
        return frames.READ_FUNCTIONS[area] in self._map.settings.read_functions

    def _request_of(self, point: Point, words: Sequence[int]) -> frames.Request:
        return self._request(point.write_area, point.write_address, words, point.write_function)

    def _request(
        self, area: Area, address: int, words: Sequence[int], function: int | None = None
    ) -> frames.Request:
        """The request by the function that the row names, or by the device's usual one."""
        known = self._map.settings.write_functions
        single, several = (5, 15) if area == "coil" else (6, 16)
        if function is None:
            function = single if len(words) == 1 and single in known else several
            if function not in known and len(words) == 1:
                function = single
        if function == 5:
            return frames.write_coil(address, words[0])
        if function == 15:
            return frames.write_coils(address, words)
        if function == 6 and len(words) == 1:
            return frames.write_register(address, words[0])
        if function == 16 and (16 in known or len(words) == 1):
            return frames.write_registers(address, words)
        raise NotSupported(N_("设备不支持功能码 16，写不了 %(count)d 个寄存器"), count=len(words))

    # Words about it.

    def _note(self, template: str, **params: object) -> None:
        self._notes.append(Sentence(template, **params))

    def _note_other_bits(self, point: Point, now: Sequence[int], words: Sequence[int]) -> None:
        field = _field(point)
        if field is None or self._sent is None or not (now[0] ^ words[0]) & ~field:
            return
        note = Sentence(
            N_("同一寄存器的其他位也变了：写入 %(sent)s，读回 %(now)s"),
            sent=f"0x{words[0]:04X}",
            now=f"0x{now[0]:04X}",
        )
        if note not in self._notes:
            self._notes.append(note)

    def _result(self, state: State, read_back: Scalar = None) -> WriteResult:
        return WriteResult(state, self._sent, read_back)


@dataclass(slots=True)
class _Released:
    """How the release of a pulse went."""

    idle: bool = False
    seen_set: bool = False
    answered: bool = False
    unreadable: bool = False


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


def _write_side(point: Point) -> Point:
    """The point as it would be if it read where it writes."""
    return replace(
        point,
        area=point.write_area,
        address=point.write_address,
        type=point.write_type,
        order=point.write_order,
        scale=point.write_scale,
        offset=point.write_offset,
        mask=point.write_mask,
        enum=point.write_enum,
        invalid={},
        scale_from=None,
    )


def _wanted(point: Point, words: Sequence[int], value: object) -> Scalar:
    """The value that the words stand for, as a reading of them would show it."""
    if point.write_value is not None:
        return True
    side = _write_side(point)
    field = _field(point)
    read = decode(side, words if field is None else [words[0] & field])
    if read.quality == "good":
        return read.value
    try:
        return float(str(value))
    except ValueError:
        return str(value)


def _reads_where_it_writes(side: Point) -> bool:
    def place(point: Point) -> tuple[object, ...]:
        return (
            point.area,
            point.address,
            point.type,
            point.order,
            point.scale,
            point.offset,
            point.mask,
        )

    return place(side) == place(_write_side(side))


def _close(side: Point, read: Scalar, wanted: Scalar) -> bool:
    """Equal, or as near as the reading side can show the value."""
    if isinstance(read, bool | str | list) or isinstance(wanted, bool | str | list):
        return read == wanted
    if read is None or wanted is None:
        return False
    finest = 1e-6 * max(1.0, abs(wanted)) if side.type in rawtypes.FLOATS else float(side.scale) / 2
    return abs(read - wanted) <= abs(finest) + 1e-9


def _field(point: Point) -> int | None:
    """The bits, as they lie on the wire, that a write of this point may change; None for all."""
    if point.write_area in BIT_AREAS or point.write_field is None:
        return None
    return rawtypes.cut(point.write_field, 1, point.write_order)[0]


def _own(point: Point, words: Sequence[int]) -> int:
    """Our part of some registers, as one number."""
    field = _field(point)
    if field is not None:
        return words[0] & field
    number = 0
    for word in words:
        number = number << 16 | word
    return number


def _with_own(point: Point, number: int) -> list[int]:
    """The registers of a number that `_own` gave."""
    count = point.write_count
    return [number >> 16 * place & 0xFFFF for place in range(count - 1, -1, -1)]


def _merge(point: Point, former: Sequence[int] | None, words: Sequence[int]) -> list[int]:
    """Our field of the words, the rest of the register as it was."""
    field = _field(point)
    if field is None or former is None:
        return list(words)
    return [former[0] & ~field & 0xFFFF | words[0] & field]
