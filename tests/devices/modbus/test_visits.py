"""Visits beside each other: one unit's turns, other units in between, callers that go away."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from devices.modbus import frames, pointmap, visits
from devices.modbus.frames import Rtu
from devices.modbus.line import Line
from devices.modbus.visits import WriteResult
from tests.devices.modbus import own_time
from tests.devices.modbus.doubles import Device, FakeTransport

MAP = pointmap.load(
    """\
@maker,某厂
@model,V-1
@kind,ashp_water
@medium,water
@reply_timeout_ms,20
@unlock,holding:31=1234;holding:32=1
signal,area,address,type,access,min,max,mask,write_method,write_value,write_delay_s
power_state,holding,0,bits,rw,,,0x0001,rmw,,0
alarm_reset,holding,0,bits,w,,,0x0004,pulse,1,0.05
indoor_temp_setpoint,holding,2,int16,rw,10,30,,value,,0
""".encode(),
    "v1.csv",
)
Story = Callable[[Line, Device], Coroutine[Any, Any, None]]


def tell(story: Story) -> None:
    async def run() -> None:
        transport = FakeTransport()
        line = Line(transport, Rtu(), baud=1_000_000, frame_gap_ms=0, quiet_s=0.01)
        device = Device(transport)
        device.holding.update({0: 0x0001, 2: 20, 31: 0, 32: 0})
        await story(line, device)

    own_time.run(run())


async def write(line: Line, signal: str, value: object) -> WriteResult:
    return await visits.write(line, 5, MAP, signal, value, read_again_s=(0.02,))


def written(device: Device, address: int) -> list[list[int]]:
    return [words for _, at, words in device.writes if at == address]


async def begun(device: Device, address: int) -> None:
    while not written(device, address):
        await asyncio.sleep(0)


def test_two_writes_to_one_unit_take_turns_and_neither_undoes_the_other() -> None:
    async def story(line: Line, device: Device) -> None:
        results = await asyncio.gather(
            write(line, "alarm_reset", True), write(line, "power_state", "off")
        )
        assert [result.state for result in results] == ["verified", "verified"]
        assert written(device, 0) == [[0x0005], [0x0001], [0x0000]]
        assert written(device, 31) == [[1234], [0], [1234], [0]]

    tell(story)


def test_others_on_the_line_are_asked_while_a_write_waits() -> None:
    async def story(line: Line, device: Device) -> None:
        writing = asyncio.ensure_future(write(line, "alarm_reset", True))
        await begun(device, 0)
        words = await line.exchange(5, frames.read("holding", 2, 1), timeout=0.02)
        assert words == (20,) and not writing.done()
        assert (await writing).state == "verified"

    tell(story)


def test_a_panel_is_locked_again_though_the_caller_went_away() -> None:
    async def story(line: Line, device: Device) -> None:
        writing = asyncio.ensure_future(write(line, "indoor_temp_setpoint", 21))
        await begun(device, 31)
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
        while len(written(device, 31)) < 2:
            await asyncio.sleep(0.005)
        assert (device.holding[31], device.holding[32], device.holding[2]) == (0, 0, 21)

    tell(story)


def test_a_panel_is_locked_again_though_the_unit_refused_the_write() -> None:
    async def story(line: Line, device: Device) -> None:
        device.before = lambda pdu: b"\x86\x04" if pdu[:3] == b"\x06\0\2" else None
        assert (await write(line, "indoor_temp_setpoint", 21)).state == "refused"
        assert (device.holding[31], device.holding[32]) == (0, 0)

    tell(story)
