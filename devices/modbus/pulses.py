"""Releasing a pulse: the one write that may be repeated.

A reset pulse may share its register with the power bit, and the panel may have switched power off
meanwhile: before each attempt the register is read, and only our own field changes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from devices.modbus import owned
from devices.modbus.points import Point
from devices.modbus.registers import Registers
from devices.modbus.troubles import ExceptionReply, ExchangeFailed, NoAnswer
from devices.modbus.words import Sentence

_ATTEMPTS = 3
_PAUSE_S = 0.2


@dataclass(slots=True)
class Released:
    """How a release went.

    idle: the idle state was read; seen_set: the pulse was read as set; answered: a write of the
    idle state was; unreadable: the register is one that cannot be read.
    """

    idle: bool = False
    seen_set: bool = False
    answered: bool = False
    unreadable: bool = False


async def standing(registers: Registers, point: Point) -> Sequence[int] | None:
    """The registers to be written, as they are now.

    None where only whole registers are written and these cannot be read; else raises.
    """
    try:
        return await registers.read(point.write_area, point.write_address, point.write_count)
    except ExceptionReply:
        if owned.field_of(point) is not None:
            raise
    except NoAnswer:
        if owned.field_of(point) is not None or point.readable:
            raise
    return None


async def release(
    registers: Registers, point: Point, words: Sequence[int], idle: int, notes: list[Sentence]
) -> Released:
    """Put a pulse of `words` back to `idle` (our field as a number) until it reads so."""
    done = Released()
    for attempt in range(_ATTEMPTS + 1):
        await asyncio.sleep(_PAUSE_S * attempt)
        try:
            now = await standing(registers, point)
            done.unreadable = now is None
        except ExchangeFailed:
            if done.answered or owned.field_of(point) is not None:
                continue  # nothing to add, or the rest of the register is not known
            now = None
        if now is not None:
            done.idle = owned.own(point, now) == idle
            done.seen_set |= owned.own(point, now) == owned.own(point, words)
        if done.idle or (done.unreadable and done.answered):
            break
        if attempt < _ATTEMPTS:
            await _put_idle(registers, point, now, idle, done, notes)
    return done


async def _put_idle(
    registers: Registers,
    point: Point,
    now: Sequence[int] | None,
    idle: int,
    done: Released,
    notes: list[Sentence],
) -> None:
    try:
        words = owned.merged(point, now, owned.words_of(point, idle))
        await registers.put_words(point, words, concludes=True)
        done.answered = True
    except ExchangeFailed as failure:
        notes.append(failure.sentence)
