"""What a device asks for around a write: `require`, which is only checked, and `unlock`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from devices.modbus.cells import Target
from devices.modbus.reading import AREA_NAMES
from devices.modbus.registers import Registers
from devices.modbus.troubles import ExceptionReply, Trouble, WriteRefused
from devices.modbus.words import N_, Sentence

_TRIES = 3


async def check_required(registers: Registers) -> None:
    """Raises WriteRefused where a device does not stand as its map requires (local mode)."""
    for target in registers.settings.require:
        now = await registers.read_target(target)
        if now != target.value:
            raise WriteRefused(
                N_(
                    "设备不允许远程写入：%(area)s %(address)d 应为 %(wanted)d，"
                    "现为 %(now)d（可能处于就地模式）"
                ),
                area=AREA_NAMES[target.area],
                address=target.address,
                wanted=target.value,
                now=now,
            )


@asynccontextmanager
async def unlocked(registers: Registers, notes: list[Sentence]) -> AsyncIterator[None]:
    """Locks are opened where they are closed, and closed again whatever happens.

    A lock that cannot be put back is told in `notes`.
    """
    opened: list[Target] = []
    try:
        for target in registers.settings.unlock:
            await _unlock(registers, target, opened)
        yield
    finally:
        if not registers.settings.unlock_keep:
            for former in reversed(opened):
                await _put_back(registers, former, notes)


async def _unlock(registers: Registers, target: Target, opened: list[Target]) -> None:
    try:
        now = await registers.read_target(target)
    except ExceptionReply:
        await registers.put(target)  # a lock that only takes a password: nothing to put back
        return
    if now != target.value:
        opened.append(Target(target.area, target.address, now))
        await registers.put(target)


async def _put_back(registers: Registers, former: Target, notes: list[Sentence]) -> None:
    for _ in range(_TRIES):
        with suppress(Trouble):
            if await registers.read_target(former) == former.value:
                return
            await registers.put(former, concludes=True)
            return
    notes.append(
        Sentence(
            N_("%(area)s %(address)d 没能恢复为 %(value)d，请在现场检查"),
            area=AREA_NAMES[former.area],
            address=former.address,
            value=former.value,
        )
    )
