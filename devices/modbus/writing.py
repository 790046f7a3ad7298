"""A writing visit to one unit: written by the method of its map, until it is proven.

A fresh reading that already equals the target writes nothing. A write that brought no answer is
never repeated but settled by reading back; the one exception is the release of a pulse. Several
fields of one register go out in one write, and each ends by what its own field reads.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any

from devices.modbus import locks
from devices.modbus.line import Line
from devices.modbus.methods import State, Wish, WriteResult, Writing
from devices.modbus.pointmap import PointMap
from devices.modbus.points import ValueRefused
from devices.modbus.registers import Registers
from devices.modbus.troubles import Trouble

__all__ = ["READ_AGAIN_S", "State", "Wish", "WriteResult", "settle", "write", "write_together"]

READ_AGAIN_S = (5.0, 10.0)


async def write(
    line: Line,
    address: int,
    map: PointMap,
    signal: str,
    value: object,
    *,
    module: int | None = None,
    again: bool = False,
    read_again_s: Sequence[float] = READ_AGAIN_S,
) -> WriteResult:
    """Write one signal and prove it; never raises for what units and lines do.

    Once begun it runs to its end although the caller is cancelled: a pulse is released, a panel
    unlocked for the write is put back. `again` writes even what reads so already, as a test does.
    `read_again_s` are the later readings back, in seconds after the write.
    """
    wishes = [Wish(signal, value, again)]
    ends = await write_together(
        line, address, map, wishes, module=module, read_again_s=read_again_s
    )
    return ends[0]


async def write_together(
    line: Line,
    address: int,
    map: PointMap,
    wishes: Sequence[Wish],
    *,
    module: int | None = None,
    read_again_s: Sequence[float] = READ_AGAIN_S,
) -> tuple[WriteResult, ...]:
    """Write several fields of one register at once; the ends in the order of the wishes.

    They are those of `owned.share_a_write`; else as `write`.
    """
    here = map.for_module(module)
    registers = Registers(line, address, here.settings)
    fields = [Writing(registers, here, read_again_s, wish) for wish in wishes]
    return await _to_its_end(_write(line, address, fields))


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
    here = map.for_module(module)
    registers = Registers(line, address, here.settings)
    visit = Writing(registers, here, (), Wish(signal, value))
    return (await _to_its_end(_settle(line, address, visit)))[0]


Ends = tuple[WriteResult, ...]
_running: set[asyncio.Task[Ends]] = set()


async def _to_its_end(visit: Coroutine[Any, Any, Ends]) -> Ends:
    task = asyncio.get_running_loop().create_task(visit)
    _running.add(task)
    task.add_done_callback(_running.discard)
    return await asyncio.shield(task)


async def _settle(line: Line, address: int, visit: Writing) -> Ends:
    async with line.unit(address).turn:
        await visit.settle()
    return (visit.told,)


async def _write(line: Line, address: int, fields: Sequence[Writing]) -> Ends:
    async with line.unit(address).turn:
        for field in fields:
            try:
                await field.prepare()
            except (Trouble, ValueRefused) as failure:
                field.fail(failure)
        await _write_prepared([field for field in fields if field.result is None])
    return tuple(field.told for field in fields)


async def _write_prepared(fields: Sequence[Writing]) -> None:
    """One write for these fields, as far as they are not as wished already."""
    try:
        if fields:
            await locks.check_required(fields[0].registers)
        left = [field for field in fields if not await field.is_so()]
        if left:
            await _write_unlocked(left)
    except (Trouble, ValueRefused) as failure:
        for field in fields:
            if field.result is None:
                field.fail(failure)


async def _write_unlocked(fields: Sequence[Writing]) -> None:
    lead, *beside = fields
    async with locks.unlocked(lead.registers, lead.notes):
        for field in fields:
            for target in field.field.point.before:
                await lead.registers.put(target)
        await lead.write(beside)
