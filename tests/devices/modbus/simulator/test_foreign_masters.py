"""Masters that this project did not write ask simulated units: libmodbus and pymodbus, over a paced
pseudo-terminal and over Modbus TCP. mbpoll has a file of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from devices.modbus.simulator import SimUnit, serve_pty, serve_tcp
from tests.devices.modbus import libmodbus
from tests.devices.modbus.simulator.tiny_maps import map_of

UNIT = 9
ROWS: list[dict[str, Any]] = [
    {"signal": "indoor_temp", "address": 10, "type": "int16", "scale": 0.1},
    {"signal": "outdoor_temp", "area": "input", "address": 3, "type": "int16", "scale": 0.1},
    {"signal": "limit", "address": 2, "type": "float32", "access": "rw"},
    {"signal": "night", "address": 7, "type": "uint16", "access": "rw"},
    {"signal": "a", "area": "coil", "address": 0, "type": "bool", "access": "rw"},
    {"signal": "b", "area": "coil", "address": 1, "type": "bool", "access": "rw"},
    {"signal": "door", "area": "discrete", "address": 4, "type": "bool"},
]
Serve = Callable[[SimUnit], AbstractAsyncContextManager[str | int]]


def simulated() -> SimUnit:
    settings = {"read_functions": "1 2 3 4", "write_functions": "5 6 15 16"}
    return SimUnit(map_of(*ROWS, **settings), UNIT, seed=1, static=True)


def terminal(unit: SimUnit) -> AbstractAsyncContextManager[str | int]:
    return serve_pty([unit], baud=9600)


def modbus_tcp(unit: SimUnit) -> AbstractAsyncContextManager[str | int]:
    return serve_tcp([unit], framing="mbap")


def by_libmodbus(unit: SimUnit, place: str | int) -> None:
    """Everything that libmodbus can ask and write, in one visit."""
    master = libmodbus.Master(UNIT, place)
    try:
        assert master.registers("registers", 10, 1) == unit.words("holding", 10, 1)
        assert master.registers("input_registers", 3, 1) == unit.words("input", 3, 1)
        assert master.bits("input_bits", 4, 1) == [0]
        master.write_register(7, 3)
        master.write_registers(2, [0x422D, 0x0000])
        master.write_bit(0, 1)
        master.write_bits(0, [0, 1])
        assert master.registers("registers", 2, 2) == [0x422D, 0x0000]
        assert master.bits("bits", 0, 2) == [0, 1]
        with pytest.raises(OSError, match="Illegal data address"):
            master.registers("registers", 500, 1)
    finally:
        master.close()


@pytest.mark.parametrize("serve", [terminal, modbus_tcp])
def test_libmodbus_reads_and_writes_a_unit(serve: Serve) -> None:
    libmodbus.library()

    async def story() -> None:
        unit = simulated()
        async with serve(unit) as place:
            await asyncio.to_thread(by_libmodbus, unit, place)
        values = unit.values()
        assert (values["limit"], values["night"], values["a"], values["b"]) == (43.25, 3, 0, 1)

    asyncio.run(story())


def test_pymodbus_reads_and_writes_a_unit_over_a_paced_pseudo_terminal() -> None:
    pytest.importorskip("pymodbus", reason="pymodbus is not installed")
    from pymodbus.client import AsyncModbusSerialClient

    async def story() -> None:
        unit = simulated()
        async with serve_pty([unit], baud=9600) as path:
            client = AsyncModbusSerialClient(path, baudrate=9600, timeout=1)
            assert await client.connect()
            got: Any = await client.read_holding_registers(10, count=1, device_id=UNIT)
            assert got.registers == unit.words("holding", 10, 1)
            got = await client.read_discrete_inputs(4, count=1, device_id=UNIT)
            assert got.bits[:1] == [False]
            for write in (
                client.write_register(7, 3, device_id=UNIT),
                client.write_registers(2, [0x422D, 0x0000], device_id=UNIT),
                client.write_coil(0, False, device_id=UNIT),
                client.write_coils(1, [True], device_id=UNIT),
            ):
                assert not (await write).isError()
            refused: Any = await client.read_holding_registers(500, count=1, device_id=UNIT)
            assert refused.isError() and refused.exception_code == 2
            client.close()
        values = unit.values()
        assert (values["limit"], values["night"], values["a"], values["b"]) == (43.25, 3, 0, 1)

    asyncio.run(story())
