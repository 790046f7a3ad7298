"""Reading visits: blocks read together, read apart where that helps, and given up in time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from devices.modbus import blocks, pointmap, visits
from devices.modbus.blocks import Block
from devices.modbus.frames import Rtu
from devices.modbus.line import Line
from tests.devices.modbus import own_time
from tests.devices.modbus.doubles import Device, FakeTransport

MAP = pointmap.load(
    """\
@maker,某厂
@model,R-1
@kind,ashp_water
@medium,water
@read_functions,1 3 4
@write_functions,5 6
signal,area,address,type,scale,access
supply_temp,holding,10,int16,0.1,r
return_temp,holding,11,int16,0.1,r
outdoor_temp,holding,12,int16,0.1,r
indoor_temp,input,20,int16,0.1,r
water_pressure,input,21,uint16,0.01,r
power_state,coil,30,bool,,r
""".encode(),
    "r1.csv",
)
HOLDING, INPUT, COIL = (
    Block("holding", 10, 3),
    Block("input", 20, 2),
    Block("coil", 30, 1),
)
Story = Callable[[Line, Device], Coroutine[Any, Any, None]]


def tell(story: Story) -> None:
    async def run() -> None:
        transport = FakeTransport()
        line = Line(transport, Rtu(), baud=1_000_000, frame_gap_ms=0, quiet_s=0.01)
        device = Device(transport)
        device.holding.update({10: 431, 11: 0xFFBD, 12: 0})
        device.areas["input"].update({20: 186, 21: 150})
        device.coils[30] = 1
        await story(line, device)

    own_time.run(run())


async def read(line: Line, plan: blocks.Plan | None = None, **options: Any) -> visits.UnitRead:
    return await visits.read(line, 5, plan or blocks.plan(MAP), timeout=0.02, **options)


def values(visit: visits.UnitRead) -> dict[str, Any]:
    return {name: point.value for name, point in visit.points.items()}


def qualities(visit: visits.UnitRead) -> dict[str, str]:
    return {name: point.quality for name, point in visit.points.items()}


GOOD = {
    "supply_temp": 43.1,
    "return_temp": -6.7,
    "outdoor_temp": 0.0,
    "indoor_temp": 18.6,
    "water_pressure": 1.5,
    "power_state": True,
}


def test_neighbours_are_read_together() -> None:
    async def story(line: Line, device: Device) -> None:
        visit = await read(line)
        assert values(visit) == GOOD
        assert (visit.requests, visit.errors, visit.answered, visit.splits) == (3, [], True, ())

    tell(story)


@pytest.mark.parametrize("code", [2, 3, 4])
def test_a_missing_register_does_not_lose_its_neighbours(code: int) -> None:
    async def story(line: Line, device: Device) -> None:
        del device.holding[11]
        device.before = lambda pdu: (
            bytes([0x83, code]) if pdu[0] == 3 and pdu[2] <= 11 < pdu[2] + pdu[4] else None
        )
        visit = await read(line)
        assert values(visit) == GOOD | {"return_temp": None}
        assert visit.points["return_temp"].quality == f"exception:{code}"
        assert visit.splits == (HOLDING,) and visit.requests == 6
        assert len(visit.errors) == 1 and f"异常码 {code}" in visit.errors[0]
        device.requests.clear()
        await read(line, blocks.plan(MAP, splits=visit.splits))
        assert bytes.fromhex("03 000A 0003") not in device.requests, "what was learned stays so"

    tell(story)


def test_a_block_that_stays_silent_while_single_registers_answer_is_read_apart() -> None:
    async def story(line: Line, device: Device) -> None:
        device.before = lambda pdu: b"" if pdu[:3] == b"\x03\0\x0a" and pdu[4] > 1 else None
        visit = await read(line)
        assert values(visit) == GOOD and visit.splits == (HOLDING,)

    tell(story)


def test_a_block_that_was_once_read_whole_is_not_read_apart_for_one_silence() -> None:
    async def story(line: Line, device: Device) -> None:
        await read(line)
        device.before = lambda pdu: b"" if pdu[:3] == b"\x03\0\x0a" else None
        visit = await read(line)
        assert visit.requests == 3 and visit.splits == ()
        assert qualities(visit)["supply_temp"] == "not_answered"
        assert values(visit)["indoor_temp"] == 18.6
        assert len(visit.errors) == 1 and "保持寄存器 10 起 3 个" in visit.errors[0]

    tell(story)


def test_an_exception_of_another_kind_is_the_quality_of_the_whole_block() -> None:
    async def story(line: Line, device: Device) -> None:
        device.before = lambda pdu: b"\x83\x06" if pdu[0] == 3 else None
        visit = await read(line)
        assert visit.requests == 3 and visit.answered
        assert qualities(visit)["supply_temp"] == "exception:6"

    tell(story)


@pytest.mark.parametrize("patience", [2, 1])
def test_a_silent_unit_costs_no_more_requests_than_the_callers_patience(patience: int) -> None:
    async def story(line: Line, device: Device) -> None:
        device.before = lambda pdu: b""
        visit = await read(line, patience=patience)
        assert len(device.requests) == visit.requests == patience
        assert not visit.answered
        assert set(qualities(visit).values()) == {"not_answered"}
        assert values(visit) == dict.fromkeys(GOOD), "nothing is made up"
        assert len(visit.errors) == 1 and "设备 5 没有应答" in visit.errors[0]

    tell(story)


def test_with_little_patience_a_unit_that_answers_again_is_read_whole() -> None:
    async def story(line: Line, device: Device) -> None:
        assert values(await read(line, patience=1)) == GOOD

    tell(story)


def test_a_unit_that_falls_silent_in_the_middle_is_given_up_in_time() -> None:
    async def story(line: Line, device: Device) -> None:
        device.before = lambda pdu: None if len(device.requests) == 1 else b""
        visit = await read(line)
        assert visit.answered and visit.requests <= 5

    tell(story)


def test_a_line_that_is_down_is_said_once_and_nothing_is_sent() -> None:
    async def story(line: Line, device: Device) -> None:
        device.transport.lose()
        visit = await read(line)
        assert (visit.requests, visit.answered, device.requests) == (0, False, [])
        assert len(visit.errors) == 1

    tell(story)


def test_a_line_that_breaks_in_the_middle_keeps_what_was_read() -> None:
    async def story(line: Line, device: Device) -> None:
        def breaks(pdu: bytes) -> bytes | None:
            if len(device.requests) == 2:
                asyncio.get_running_loop().call_soon(device.transport.lose)
                return b""
            return None

        device.before = breaks
        visit = await read(line)
        assert visit.answered and len(visit.errors) == 1
        read_now = [name for name, quality in qualities(visit).items() if quality == "good"]
        assert len(read_now) in (1, 2, 3)

    tell(story)
