"""Which registers and which bits a write touches, whatever a map makes of them."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from devices.modbus import pointmap, visits
from devices.modbus.frames import Rtu
from devices.modbus.line import Line
from devices.modbus.pointmap import PointMap
from devices.modbus.visits import WriteResult
from tests.devices.modbus import own_time
from tests.devices.modbus.doubles import Device, FakeTransport
from tests.devices.modbus.written_maps import map_of

CN_W10 = Path(pointmap.__file__).parent / "maps" / "chennuan-cn-w10.csv"
Story = Callable[[Line, Device], Coroutine[Any, Any, None]]


def tell(story: Story, **holding: int) -> None:
    """Run a story on a line with one device; `holding` are its registers, as `_2=20`."""

    async def run() -> None:
        transport = FakeTransport()
        line = Line(transport, Rtu(), baud=1_000_000, frame_gap_ms=0, quiet_s=0.01)
        device = Device(transport)
        device.holding.update({int(name[1:]): word for name, word in holding.items()})
        await story(line, device)

    own_time.run(run())


def quick(*points: dict[str, object], **settings: object) -> PointMap:
    """A map whose time-outs and delays suit a test."""
    usual: dict[str, object] = {"access": "rw", "write_delay_s": 0}
    return map_of(*(usual | point for point in points), reply_timeout_ms=20, **settings)


async def write(
    line: Line, map: PointMap, signal: str, value: object, **options: Any
) -> WriteResult:
    return await visits.write(line, 5, map, signal, value, read_again_s=(0.03, 0.06), **options)


def silent_after(device: Device, function: int, times: int = 1, *, carried_out: bool) -> None:
    """The next writes of a function bring no reply, whether or not they are carried out."""
    left = times

    def before(pdu: bytes) -> bytes | None:
        nonlocal left
        if pdu[0] != function or not left:
            return None
        left -= 1
        if carried_out:
            device._answer(pdu)
        return b""

    device.before = before


SETPOINT = {
    "signal": "indoor_temp_setpoint",
    "address": 2,
    "type": "int16",
    "scale": 0.5,
    "min": 10,
    "max": 30,
    "step": 0.5,
}
RESET = {"signal": "alarm_reset", "access": "w", "type": "uint16", "write_value": 1}


def test_a_reading_too_coarse_to_tell_does_not_spare_the_write() -> None:
    point = SETPOINT | {"scale": 1, "write_address": 3, "write_scale": 0.5}

    async def story(line: Line, device: Device) -> None:
        device.after_write = lambda address, words: device.holding.update({2: words[0] // 2})
        result = await write(line, quick(point), "indoor_temp_setpoint", 21.5)
        assert (result.state, result.sent, result.read_back) == ("verified", 21.5, 21.0)
        assert device.writes == [(6, 3, [43])]

    tell(story, _2=21, _3=0)


@pytest.mark.parametrize(
    ("type_", "order", "before", "after"),
    [
        ("uint8_hi", "AB", 0x1234, 0x2834),
        ("uint8_lo", "AB", 0x1234, 0x1228),
        ("uint8_hi", "BA", 0x1234, 0x1228),
    ],
)
def test_one_byte_of_a_register_is_written_beside_the_other(
    type_: str, order: str, before: int, after: int
) -> None:
    point = {"signal": "curve", "address": 7, "type": type_, "order": order}

    async def story(line: Line, device: Device) -> None:
        assert (await write(line, quick(point), "curve", 40)).state == "verified"
        assert device.writes == [(6, 7, [after])]

    tell(story, _7=before)


def test_a_value_of_two_registers_is_written_by_one_request() -> None:
    point = {"signal": "curve", "address": 7, "type": "uint32", "order": "CDAB"}

    async def story(line: Line, device: Device) -> None:
        assert (await write(line, quick(point), "curve", 100_000)).state == "verified"
        assert device.writes == [(16, 7, [0x86A0, 1])]

    tell(story, _7=0, _8=0)


@pytest.mark.parametrize(
    ("functions", "override", "used"), [("6 16", "", 6), ("16", "", 16), ("6 16", 16, 16)]
)
def test_one_register_is_written_by_6_else_16_unless_the_map_says_which(
    functions: str, override: object, used: int
) -> None:
    map = quick(SETPOINT | {"write_function": override}, write_functions=functions)

    async def story(line: Line, device: Device) -> None:
        assert (await write(line, map, "indoor_temp_setpoint", 21)).state == "verified"
        assert device.writes == [(used, 2, [42])]

    tell(story, _2=40)


@pytest.mark.parametrize(("functions", "used"), [("5 6", 5), ("6 15", 15)])
def test_a_coil_is_written_by_5_else_15(functions: str, used: int) -> None:
    point = {"signal": "power_state", "area": "coil", "address": 3, "type": "bool"}

    async def story(line: Line, device: Device) -> None:
        device.coils[3] = 1
        result = await write(line, quick(point, write_functions=functions), "power_state", "off")
        assert (result.state, result.read_back) == ("verified", False)
        assert device.writes == [(used, 3, [0])]

    tell(story)


def test_what_may_only_be_written_is_accepted_and_not_called_proven() -> None:
    point = SETPOINT | {"access": "w"}

    async def story(line: Line, device: Device) -> None:
        device.before = lambda pdu: bytes((0x83, 2)) if pdu[0] == 3 else None
        result = await write(line, quick(point), "indoor_temp_setpoint", 21)
        assert (result.state, result.sent, result.read_back) == ("accepted", 21.0, None)

    tell(story, _2=40)


# --- pulse --------------------------------------------------------------------------------------


def cn_w10() -> PointMap:
    """The example map with a pulse of 50 ms instead of a second."""
    text = CN_W10.read_bytes().replace(b"pulse,1,1.0", b"pulse,1,0.05")
    return pointmap.load(text.replace(b"@holes", b"@reply_timeout_ms,20\n@holes"), "w10.csv")


def registers_0(device: Device) -> list[int]:
    return [words[0] for _, address, words in device.writes if address == 0]


def cold(device: Device, control: int) -> None:
    device.holding.update(dict.fromkeys([*range(4), *range(100, 132)], 0) | {0: control})


@pytest.mark.parametrize(("stuck_for", "state"), [(1, "verified"), (99, "failed")])
def test_a_release_that_did_not_take_is_repeated_and_a_stuck_pulse_is_told(
    stuck_for: int, state: str
) -> None:
    async def story(line: Line, device: Device) -> None:
        cold(device, 0x0001)
        device.after_write = lambda address, words: (
            device.holding.update({0: 5}) if len(device.writes) <= 1 + stuck_for else None
        )
        result = await write(line, cn_w10(), "alarm_reset", True)
        assert result.state == state
        assert registers_0(device) == [5, 1, 1] if stuck_for == 1 else [5, 1, 1, 1]
        assert ("脉冲没有释放" in result.detail) == (state == "failed")

    tell(story)


def test_a_pulse_whose_setting_brought_no_reply_is_seen_set_and_released() -> None:
    async def story(line: Line, device: Device) -> None:
        cold(device, 0x0001)
        silent_after(device, 6, carried_out=True)
        assert (await write(line, cn_w10(), "alarm_reset", True)).state == "verified"
        assert device.holding[0] == 0x0001

    tell(story)


def test_a_pulse_that_nobody_saw_set_is_unknown() -> None:
    async def story(line: Line, device: Device) -> None:
        cold(device, 0x0001)
        silent_after(device, 6, carried_out=False)
        assert (await write(line, cn_w10(), "alarm_reset", True)).state == "unknown"
        assert registers_0(device) == []

    tell(story)


def test_a_pulse_into_a_register_that_stays_silent_when_read_is_released_all_the_same() -> None:
    point = RESET | {"address": 9, "write_method": "pulse", "write_delay_s": 0.01}

    async def story(line: Line, device: Device) -> None:
        device.before = lambda pdu: b"" if pdu[0] == 3 else None
        result = await write(line, quick(point), "alarm_reset", True)
        assert (result.state, result.read_back) == ("accepted", None)
        assert device.writes == [(6, 9, [1]), (6, 9, [0])]

    tell(story, _9=0)


STATUS = {
    "signal": "power_state",
    "address": 0,
    "type": "uint16",
    "enum": "0=off;1=on",
    "write_address": 9,
    "write_enum": "0xAA=on;0x55=off",
}


@pytest.mark.parametrize(
    "method", [{"write_method": "value"}, {"write_method": "command", "write_value": "0xAA"}]
)
def test_codes_of_their_own_for_writing_are_proven_by_the_status(method: dict[str, object]) -> None:
    map = quick(STATUS | method)

    async def story(line: Line, device: Device) -> None:
        device.after_write = lambda address, words: device.holding.update({0: int(words == [0xAA])})
        result = await write(line, map, "power_state", "on")
        assert (result.state, result.read_back) == ("verified", True)
        assert device.writes == [(6, 9, [0xAA])]

    tell(story, _0=0, _9=0)


COIL_RESET = RESET | {
    "area": "coil",
    "address": 1,
    "type": "bool",
    "write_method": "coil_self_clearing",
}


def test_a_self_clearing_coil_that_cannot_be_read_is_accepted() -> None:
    async def story(line: Line, device: Device) -> None:
        device.coils[1] = 0
        map = quick(COIL_RESET, read_functions="3")
        assert (await write(line, map, "alarm_reset", True)).state == "accepted"
        device.before = lambda pdu: bytes((0x81, 2)) if pdu[0] == 1 else None
        assert (await write(line, quick(COIL_RESET), "alarm_reset", True)).state == "accepted"

    tell(story)


def test_a_lock_that_cannot_be_put_back_is_told() -> None:
    map = quick(SETPOINT, unlock="holding:70=9")

    async def story(line: Line, device: Device) -> None:
        device.before = lambda pdu: b"" if pdu == bytes((6, 0, 70, 0, 3)) else None
        result = await write(line, map, "indoor_temp_setpoint", 21)
        assert result.state == "verified" and "保持寄存器 70 没能恢复为 3" in result.detail

    tell(story, _2=40, _70=3)


HEATING = {
    "signal": "supply_temp_setpoint",
    "address": 3,
    "type": "int16",
    "when": "mode=heating",
}
COOLING = HEATING | {"address": 4, "when": "mode=cooling"}
MODE = {
    "signal": "mode",
    "access": "r",
    "address": 1,
    "type": "uint16",
    "enum": "0=off;1=heating;2=cooling",
    "write_delay_s": "",
}


def test_the_row_that_holds_now_is_written() -> None:
    map = quick(HEATING, COOLING, MODE)

    async def story(line: Line, device: Device) -> None:
        assert (await write(line, map, "supply_temp_setpoint", 41)).state == "verified"
        device.holding[1] = 2
        assert (await write(line, map, "supply_temp_setpoint", 38)).state == "verified"
        assert device.writes == [(6, 3, [41]), (6, 4, [38])]
        device.holding[1] = 0
        result = await write(line, map, "supply_temp_setpoint", 35)
        assert result.state == "refused" and "mode=heating" in result.detail

    tell(story, _1=1, _3=40, _4=40)


def test_a_value_is_written_by_the_scale_that_another_signal_tells() -> None:
    digits = {"signal": "unit_step", "access": "r", "address": 8, "type": "uint16", "scale": 0.1}
    point = SETPOINT | {"scale": 1, "scale_from": "unit_step"}
    map = quick(point, digits | {"write_delay_s": ""})

    async def story(line: Line, device: Device) -> None:
        result = await write(line, map, "indoor_temp_setpoint", 21.5)
        assert (result.state, result.sent, result.read_back) == ("verified", 21.5, 21.5)
        assert device.writes == [(6, 2, [43])]

    tell(story, _2=40, _8=5)


def test_a_module_is_written_where_its_registers_lie() -> None:
    map = quick(SETPOINT, module_stride=100)

    async def story(line: Line, device: Device) -> None:
        result = await write(line, map, "indoor_temp_setpoint", 21, module=3)
        assert result.state == "verified" and device.writes == [(6, 202, [42])]

    tell(story, _202=40)
