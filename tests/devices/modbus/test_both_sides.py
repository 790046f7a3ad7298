"""The platform's master against the simulated units, which share no code: both must agree."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from devices.modbus import blocks, frames, pointmap, visits
from devices.modbus.line import Line
from devices.modbus.pointmap import PointMap
from devices.modbus.simulator import Record, SimUnit, Transmitter, serve_pty, serve_tcp
from devices.modbus.simulator.maps import parse
from devices.modbus.switchboard import Switchboard
from devices.modbus.transports import Transport
from devices.modbus.transports import open as open_transport

MAPS = Path(pointmap.__file__).parent / "maps"
CN_W10, AIRBOX = MAPS / "chennuan-cn-w10.csv", MAPS / "beiyue-airbox3.csv"

PATIENCE_S = 5.0  # nobody here is late but the machine that the tests run on

# Every type, order and trick of the register-map paper that the examples lack.
EVERYTHING = """\
@maker,某厂
@model,ALL-1
@kind,ashp_water
@medium,water
@address_base,1
@max_read,20
@holes,exception
@read_functions,1 2 3 4
@write_functions,5 6 15 16
@min_write_interval_s,0
@persist,ram
signal,area,address,type,order,scale,offset,scale_from,unit,access,min,max,step,enum,bits,mask,when,write_method,write_value,write_delay_s
supply_temp,input,1,float32,CDAB,1,0,,°C,r,,,,,,,,,,
return_temp,input,3,sm16,,0.1,0,,°C,r,,,,,,,,,,
outdoor_temp,input,4,int16,BA,0.1,0,,°C,r,,,,,,,,,,
indoor_temp,input,5,float64,DCBA,1,0,,°C,r,,,,,,,,,,
electric_energy,input,9,dec32,CDAB,0.1,0,,kWh,r,,,,,,,,,,
valley_energy,input,11,uint64,BADC,0.01,0,,kWh,r,,,,,,,,,,
heat_energy,input,15,bcd32,ABCD,1,0,,kWh,r,,,,,,,,,,
runtime_hours,input,17,uint32,DCBA,1,0,,h,r,,,,,,,,,,
ct_ratio,input,30,uint16,,1,0,,,r,,,,,,,,,,
electric_power,input,31,uint16,,0.001,0,ct_ratio,kW,r,,,,,,,,,,
water_pressure,input,32,uint8_hi,,0.1,0,,bar,r,,,,,,,,,,
compressor_freq,input,32,uint8_lo,,1,0,,Hz,r,,,,,,,,,,
serial,input,40,ascii:9,,1,0,,,r,,,,,,,,,,
fault_code,input,50,uint16,,1,0,,,r,,,,0=none;7=phase!critical;9=filter!info,,,,,,
fault.ice,discrete,60,bool,,1,0,,,r,,,,,,,,,,
power_state,coil,1,bool,,1,0,,,rw,,,,0=on;1=off,,,,coil,,0
alarm_reset,coil,2,bool,,1,0,,,w,,,,,,,,coil_self_clearing,,0.7
mode,holding,1,bits,,1,0,,,rw,,,,0=cooling;1=heating;2=auto,,0x0300,,rmw,,0
local_remote,holding,1,bits,,1,0,,,r,,,,0=local;1=remote,,0x0001,,,,
indoor_temp_setpoint,holding,2,float32,BADC,1,0,,°C,rw,10,30,0.5,,,,,value,,0
supply_temp_setpoint,holding,4,int8_lo,,1,20,,°C,rw,25,55,1,,,,mode=heating,rmw,,0
supply_temp_setpoint,holding,5,uint16,,0.5,0,,°C,rw,25,55,1,,,,mode=auto,value,,0
"""


@asynccontextmanager
async def line_to(transport: Transport, framing: Any) -> AsyncIterator[Line]:
    line = Line(transport, framing, frame_gap_ms=0, quiet_s=0.1, least_timeout_s=PATIENCE_S)
    await transport.connect()
    try:
        yield line
    finally:
        await transport.close()


async def agree(line: Line, unit: SimUnit, map: PointMap) -> None:
    """Read the unit, and compare every value with what the unit says that it shows."""
    seen = await visits.read(line, unit.address, blocks.plan(map), timeout=PATIENCE_S)
    assert seen.errors == [] and seen.answered
    points = {name: point.value for name, point in seen.points.items()}
    shown = unit.values()
    flags = {name: value for name, value in shown.items() if name.startswith("fault.")}
    merged = set(points) - set(shown)
    assert merged <= {"fault_active", "fault_bits"}
    assert {name: points[name] for name in shown if name not in flags} == {
        name: value for name, value in shown.items() if name not in flags
    }
    if flags:
        active = {name.removeprefix("fault.") for name, on in flags.items() if on}
        listed = points["fault_bits"]
        assert isinstance(listed, list) and active <= set(listed)
    assert points["fault_active"] == bool(unit.house.faults)


async def write(line: Line, unit: SimUnit, map: PointMap, signal: str, value: object) -> str:
    result = await visits.write(line, unit.address, map, signal, value, read_again_s=(0.1,))
    return result.state


@pytest.mark.parametrize("path", [CN_W10, AIRBOX])
@pytest.mark.parametrize("framing", ["rtu", "mbap"])
def test_every_reading_of_the_example_maps_is_agreed_on(path: Path, framing: str) -> None:
    async def story() -> None:
        map = pointmap.load(path.read_bytes(), path.name)
        units = [
            SimUnit(path, address, seed=address, static=True, user="night") for address in (5, 6)
        ]
        units[1].plant(sorted(units[1].fault_labels())[0])
        async with serve_tcp(units, framing=framing) as port:
            url = f"{'mbap' if framing == 'mbap' else 'tcp'}://127.0.0.1:{port}"
            spoken = frames.Mbap() if framing == "mbap" else frames.Rtu()
            async with line_to(open_transport(url), spoken) as line:
                for unit in units:
                    await agree(line, unit, map)

    asyncio.run(story())


@asynccontextmanager
async def everything() -> AsyncIterator[tuple[Line, SimUnit, PointMap]]:
    map = pointmap.load(EVERYTHING.encode(), "all.csv")
    unit = SimUnit(parse(EVERYTHING.encode()), 9, seed=4, static=True)
    async with serve_tcp([unit]) as port:
        transport = open_transport(f"tcp://127.0.0.1:{port}")
        async with line_to(transport, frames.Rtu()) as line:
            yield line, unit, map


def test_every_type_of_the_paper_is_read_alike() -> None:
    async def story() -> None:
        async with everything() as (line, unit, map):
            unit.set("outdoor_temp", -16.7)
            unit.set("return_temp", -3.2)
            await agree(line, unit, map)
            for fault in ("phase", "ice"):
                unit.plant(fault)
                await agree(line, unit, map)

    asyncio.run(story())


def test_what_the_platform_writes_is_what_the_house_gets() -> None:
    async def story() -> None:
        async with everything() as (line, unit, map):
            house = unit.house
            unit.plant("phase")
            assert await write(line, unit, map, "alarm_reset", True) == "verified"
            assert house.faults == {}
            assert await write(line, unit, map, "indoor_temp_setpoint", 22.5) == "verified"
            assert await write(line, unit, map, "supply_temp_setpoint", 38) == "verified"
            assert (house.room_set, house.supply_set) == (22.5, 38)
            assert await write(line, unit, map, "mode", "auto") == "verified"
            assert house.mode == "auto"
            assert await write(line, unit, map, "supply_temp_setpoint", 44) == "verified"
            assert house.supply_set == 44
            assert await write(line, unit, map, "power_state", not house.power) == "verified"
            assert await write(line, unit, map, "indoor_temp_setpoint", 31) == "refused"
            await agree(line, unit, map)

    asyncio.run(story())


def test_a_serial_line_of_twelve_units_is_read_through_a_paced_pseudo_terminal() -> None:
    async def story() -> None:
        map = pointmap.load(CN_W10.read_bytes(), CN_W10.name)
        units = [SimUnit(CN_W10, address, seed=address, static=True) for address in range(1, 13)]
        record = Record()
        options: dict[str, Any] = {"turnround": (0.0, 0.0), "record": record}
        async with serve_pty(units, baud=115200, **options) as path:
            transport = open_transport(f"serial://{path}?baud=115200")
            async with line_to(transport, frames.Rtu()) as line:
                for unit in units:
                    await agree(line, unit, map)
        told = {json.loads(one)["key"] for one in record.lines}
        assert told == {unit.key for unit in units}

    asyncio.run(story())


@pytest.mark.parametrize(
    ("dialect", "identity"),
    [
        ("plain", "GW0001"),
        ("imei", "860000000000017"),
        ("prefix", "PX0001"),
        ("four_faith", "13800001234"),
    ],
)
def test_transmitters_of_each_dialect_are_polled_with_heartbeats_in_between(
    dialect: str, identity: str
) -> None:
    async def story() -> None:
        map = pointmap.load(AIRBOX.read_bytes(), AIRBOX.name)
        unit = SimUnit(AIRBOX, 7, seed=3, static=True)
        switchboard = Switchboard(["auto@127.0.0.1:0", "prefix@127.0.0.1:0"], settle_s=0.02)
        await switchboard.start()
        server = switchboard.addresses[dialect == "prefix"]
        options: dict[str, Any] = {"dialect": dialect, "heartbeat_s": 0.1, "latency": (0, 0.02)}
        transport = open_transport(f"dial://{identity}", switchboard)
        try:
            async with Transmitter([unit], server, identity, **options):
                while not transport.connected:
                    await asyncio.sleep(0.01)
                async with line_to(transport, frames.Rtu()) as line:
                    for _ in range(5):
                        await agree(line, unit, map)
        finally:
            await switchboard.close()

    asyncio.run(asyncio.wait_for(story(), 60))
