"""The master against slaves that this project did not write: pymodbus's server and libmodbus.

A peer that is not installed skips with its reason.
"""

from __future__ import annotations

import asyncio
import os
import tty
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from typing import Any, cast

import pytest

from devices.modbus import blocks, frames, pointmap, transports, visits
from devices.modbus.line import Line
from devices.modbus.troubles import ExceptionReply, NoAnswer
from devices.modbus.wires import line_on, wire_of
from tests.devices.modbus import libmodbus

UNIT = 5
COILS = [1, 0, 1, 1, 0, 0, 1, 1, 1, 0, 1]
DISCRETES = [0, 1, 1, 0, 1, 0, 0, 0, 1]
HOLDING = [0x0001, 1, 20, 0x4220, 0x0000, 0xFFFF, 0x8000, 7, 8, 9]
INPUT = [0xFFBD, 186, 0x41AC, 0xCCCD]
AREAS = (COILS, DISCRETES, HOLDING, INPUT)

MAP = pointmap.load(
    """\
@maker,某厂
@model,P-1
@kind,ashp_water
@medium,water
@read_functions,1 2 3 4
@write_functions,5 6 15 16
@reply_timeout_ms,500
signal,area,address,type,scale,access,min,max,mask,write_method,write_value,write_delay_s,write_function
power_state,holding,0,bits,,rw,,,0x0001,rmw,,0,
alarm_reset,holding,0,bits,,w,,,0x0004,pulse,1,0.05,
indoor_temp_setpoint,holding,2,int16,1,rw,10,30,,value,,0,
supply_temp_setpoint,holding,3,float32,1,rw,25,55,,value,,0,
silent_mode,coil,1,bool,,rw,,,,coil,,0,
night,coil,4,bool,,rw,,,,coil,,0,15
door_open,discrete,1,bool,,r,,,,,,,
outdoor_temp,input,0,int16,0.1,r,,,,,,,
indoor_temp,input,1,int16,0.1,r,,,,,,,
supply_temp,input,2,float32,1,r,,,,,,,
""".encode(),
    "p1.csv",
)


# --- pymodbus ------------------------------------------------------------------------------


def _pymodbus_device() -> Any:
    simulator = pytest.importorskip("pymodbus.simulator", reason="pymodbus is not installed")
    data, kinds = simulator.SimData, simulator.DataType

    def bits(values: list[int]) -> list[Any]:
        return [
            data(address, values=bool(value), datatype=kinds.BITS)
            for address, value in enumerate(values)
        ]

    def words(values: list[int]) -> list[Any]:
        return [data(0, values=values, datatype=kinds.REGISTERS)]

    return simulator.SimDevice(
        UNIT, simdata=(bits(COILS), bits(DISCRETES), words(HOLDING), words(INPUT))
    )


@asynccontextmanager
async def pymodbus_over_tcp(scheme: str = "tcp", framer: str = "rtu") -> AsyncIterator[str]:
    device = _pymodbus_device()
    from pymodbus import FramerType
    from pymodbus.server import ModbusTcpServer

    server = ModbusTcpServer(device, framer=FramerType(framer), address=("127.0.0.1", 0))
    await server.serve_forever(background=True)
    try:
        listening = cast(asyncio.Server, server.transport)
        yield f"{scheme}://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    finally:
        await server.shutdown()


def pymodbus_over_modbus_tcp() -> AbstractAsyncContextManager[str]:
    return pymodbus_over_tcp("mbap", "socket")


@asynccontextmanager
async def pymodbus_over_a_terminal() -> AsyncIterator[str]:
    device = _pymodbus_device()
    from pymodbus.server import ModbusSerialServer

    with terminals() as (ours, theirs):
        server = ModbusSerialServer(device, port=theirs, baudrate=9600, timeout=1)
        await server.serve_forever(background=True)
        try:
            yield f"serial://{ours}?baud=9600"
        finally:
            await server.shutdown()


# --- libmodbus -----------------------------------------------------------------------------


@asynccontextmanager
async def libmodbus_over_a_terminal() -> AsyncIterator[str]:
    with terminals() as (ours, theirs):
        slave = libmodbus.Slave(AREAS, UNIT, theirs)
        await asyncio.to_thread(slave.start)
        try:
            yield f"serial://{ours}?baud=9600"
        finally:
            await asyncio.to_thread(slave.stop)


@asynccontextmanager
async def libmodbus_over_modbus_tcp() -> AsyncIterator[str]:
    slave = libmodbus.Slave(AREAS, UNIT, None)
    await asyncio.to_thread(slave.start)
    try:
        yield f"mbap://127.0.0.1:{slave.port}"
    finally:
        await asyncio.to_thread(slave.stop)


@contextmanager
def terminals() -> Iterator[tuple[str, str]]:
    """Two serial ports with a cable between them; gives their paths."""
    loop, pairs = asyncio.get_running_loop(), [os.openpty(), os.openpty()]
    (one, _), (other, _) = pairs

    def carry(source: int, sink: int) -> None:
        os.write(sink, os.read(source, 4096))

    for _, far in pairs:
        tty.setraw(far)
    loop.add_reader(one, carry, one, other)
    loop.add_reader(other, carry, other, one)
    try:
        yield os.ttyname(pairs[0][1]), os.ttyname(pairs[1][1])
    finally:
        for near, far in pairs:
            loop.remove_reader(near)
            os.close(far)
            os.close(near)


# --- what both must agree on ---------------------------------------------------------------

Peer = Callable[[], AbstractAsyncContextManager[str]]
every_peer = pytest.mark.parametrize(
    "peer",
    [
        pymodbus_over_tcp,
        pymodbus_over_modbus_tcp,
        pymodbus_over_a_terminal,
        libmodbus_over_a_terminal,
        libmodbus_over_modbus_tcp,
    ],
)


def tell(peer: Peer, story: Callable[[Line], Any]) -> None:
    async def run() -> None:
        async with peer() as url:
            wire = wire_of(url)
            transport = transports.open(wire.url)
            line = line_on(transport, wire, quiet_s=0.05, listen_s=0)
            await transport.connect()
            try:
                await asyncio.wait_for(story(line), 30)
            finally:
                await transport.close()

    asyncio.run(run())


async def ask(line: Line, request: frames.Request) -> list[int]:
    return list(await line.exchange(UNIT, request, timeout=0.5))


@every_peer
def test_all_four_areas_are_read(peer: Peer) -> None:
    async def story(line: Line) -> None:
        assert await ask(line, frames.read("coil", 0, len(COILS))) == COILS
        assert await ask(line, frames.read("discrete", 0, len(DISCRETES))) == DISCRETES
        assert await ask(line, frames.read("holding", 0, len(HOLDING))) == HOLDING
        assert await ask(line, frames.read("input", 0, len(INPUT))) == INPUT
        assert await ask(line, frames.read("coil", 2, 2)) == COILS[2:4]
        assert await ask(line, frames.read("holding", 5, 1)) == [0xFFFF]

    tell(peer, story)


@every_peer
def test_functions_5_6_15_and_16_write(peer: Peer) -> None:
    async def story(line: Line) -> None:
        # These peers answer sooner than 9600 baud allow: a write that comes first of all would
        # pass for the echo of an adapter.
        assert await ask(line, frames.read("coil", 0, 4)) == [1, 0, 1, 1]
        assert await ask(line, frames.write_coil(1, 1)) == []
        assert await ask(line, frames.write_coil(2, 0)) == []
        assert await ask(line, frames.read("coil", 0, 4)) == [1, 1, 0, 1]
        assert await ask(line, frames.write_coils(0, [0, 1, 0, 1, 1, 0, 0, 0, 0, 1])) == []
        bits = [0, 1, 0, 1, 1, 0, 0, 0, 0, 1, 1]
        assert await ask(line, frames.read("coil", 0, 11)) == bits
        assert await ask(line, frames.write_register(7, 0xFFBD)) == []
        assert await ask(line, frames.write_registers(8, [0x1234, 0xFDFE])) == []
        assert await ask(line, frames.read("holding", 6, 4)) == [0x8000, 0xFFBD, 0x1234, 0xFDFE]

    tell(peer, story)


@every_peer
@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (frames.read("holding", 900, 2), 2),
        (frames.read("input", 3, 5), 2),
        (frames.read("coil", 900, 1), 2),
        (frames.read("discrete", 900, 1), 2),
        (frames.write_register(900, 1), 2),
        (frames.write_registers(9, [1, 2]), 2),
        (frames.write_coil(900, 1), 2),
        (frames.write_coils(900, [1, 1]), 2),
    ],
)
def test_exceptions_are_understood(peer: Peer, request_: frames.Request, code: int) -> None:
    async def story(line: Line) -> None:
        with pytest.raises(ExceptionReply) as refusal:
            await ask(line, request_)
        assert refusal.value.code == code
        assert await ask(line, frames.read("holding", 0, 1)) == HOLDING[:1], "it goes on"

    tell(peer, story)


@every_peer
def test_a_map_is_read_and_written(peer: Peer) -> None:
    async def story(line: Line) -> None:
        visit = await visits.read(line, UNIT, blocks.plan(MAP))
        assert visit.errors == []
        assert {name: point.value for name, point in visit.points.items()} == {
            "power_state": True,
            "indoor_temp_setpoint": 20.0,
            "supply_temp_setpoint": 40.0,
            "silent_mode": False,
            "night": False,
            "door_open": True,
            "outdoor_temp": -6.7,
            "indoor_temp": 18.6,
            "supply_temp": pytest.approx(21.6, abs=1e-5),
        }
        for signal, value in (
            ("indoor_temp_setpoint", 21),
            ("supply_temp_setpoint", 41.5),
            ("silent_mode", True),
            ("night", "on"),
            ("alarm_reset", True),
            ("power_state", False),
        ):
            result = await visits.write(line, UNIT, MAP, signal, value, read_again_s=())
            assert result.state == "verified", (signal, result)
        assert await ask(line, frames.read("holding", 0, 5)) == [0, 1, 21, 0x4226, 0]
        assert await ask(line, frames.read("coil", 0, 5)) == [1, 1, 1, 1, 1]

    tell(peer, story)


@pytest.mark.parametrize("peer", [libmodbus_over_a_terminal])
def test_a_slave_that_is_not_there_is_silence(peer: Peer) -> None:
    async def story(line: Line) -> None:
        with pytest.raises(NoAnswer):
            await line.exchange(UNIT + 1, frames.read("holding", 0, 1), timeout=0.1)
        assert await ask(line, frames.read("holding", 0, 1)) == HOLDING[:1]

    tell(peer, story)
