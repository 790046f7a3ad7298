"""Fields of one register in one write, and lines that hold their writes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from devices.modbus import owned, pointmap, visits
from devices.modbus.frames import Rtu
from devices.modbus.line import Line
from devices.modbus.visits import Wish, WriteResult
from devices.modbus.words import N_, Sentence
from tests.devices.modbus import own_time
from tests.devices.modbus.doubles import Device, FakeTransport

FILE = """\
@maker,某厂
@model,W-2
@kind,ashp_water
@medium,water
@read_functions,1 3
@write_functions,5 6 16
@reply_timeout_ms,20
signal,area,address,type,access,min,max,step,enum,mask,write_method,write_value,write_delay_s,before
power_state,holding,0,bits,rw,,,,,0x0001,rmw,,0,
alarm_reset,holding,0,bits,w,,,,,0x0004,pulse,1,0.02,
mode,holding,0,bits,rw,,,,1=heating;2=auto,0x0030,rmw,,0,holding:9=1
indoor_temp_setpoint,holding,2,uint8_hi,rw,10,30,1,,,value,,0,
supply_temp_setpoint,holding,2,uint8_lo,rw,25,55,1,,,value,,0,
night,holding,0,bits,rw,,,,,0x0003,rmw,,0,
whole,holding,0,uint16,rw,,,,,,value,,0,
"""
MAP = pointmap.load(FILE.encode(), "w2.csv")
HELD = Sentence(N_("线上有另一个主站"))


class Unit:
    def __init__(self) -> None:
        transport = FakeTransport()
        self.line = Line(transport, Rtu(), baud=1_000_000, frame_gap_ms=0, quiet_s=0.01)
        self.device = Device(transport)
        self.device.holding.update({0: 0x0011, 2: 0x1428, 9: 0})

    async def write(self, *wishes: tuple[str, object]) -> tuple[WriteResult, ...]:
        asked = [Wish(*wish) for wish in wishes]
        return await visits.write_together(self.line, 5, MAP, asked, read_again_s=(0.02, 0.05))

    def hold(self) -> None:
        self.line.hold_writes(asyncio.get_running_loop().time() + 60, HELD)


def tell(story: Callable[[Unit], Coroutine[Any, Any, None]]) -> None:
    async def run() -> None:
        await story(Unit())

    own_time.run(run())


def states(ends: tuple[WriteResult, ...]) -> list[str]:
    return [end.state for end in ends]


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        ("power_state", "mode", True),
        ("indoor_temp_setpoint", "supply_temp_setpoint", True),
        ("power_state", "alarm_reset", False),  # a pulse is a transaction of its own
        ("power_state", "night", False),  # their bits overlap
        ("power_state", "whole", False),
        ("power_state", "indoor_temp_setpoint", False),
    ],
)
def test_only_different_fields_of_one_register_share_a_write(
    one: str, other: str, together: bool
) -> None:
    points = MAP.writers(one)[0], MAP.writers(other)[0]
    assert owned.share_a_write(*points) == owned.share_a_write(*points[::-1]) == together


def test_two_fields_of_one_register_are_one_write_and_two_ends() -> None:
    async def story(unit: Unit) -> None:
        ends = await unit.write(("indoor_temp_setpoint", 21), ("supply_temp_setpoint", 45))
        assert unit.device.writes == [(6, 2, [0x152D])]
        assert states(ends) == ["verified", "verified"]
        assert [(end.sent, end.read_back) for end in ends] == [(21.0, 21.0), (45.0, 45.0)]

    tell(story)


def test_what_stands_before_the_second_field_goes_before_the_one_write() -> None:
    async def story(unit: Unit) -> None:
        ends = await unit.write(("power_state", False), ("mode", "auto"))
        assert unit.device.writes == [(6, 9, [1]), (6, 0, [0x0020])]
        assert states(ends) == ["verified", "verified"]

    tell(story)


def test_a_field_that_is_so_already_is_left_as_the_panel_has_it() -> None:
    async def story(unit: Unit) -> None:
        ends = await unit.write(("indoor_temp_setpoint", 20), ("supply_temp_setpoint", 45))
        assert unit.device.writes == [(6, 2, [0x142D])]
        assert [end.sent for end in ends] == [None, 45.0]
        assert states(ends) == ["verified", "verified"]

    tell(story)


def test_each_field_ends_by_what_its_own_bits_read() -> None:
    async def story(unit: Unit) -> None:
        def keeps_its_supply(address: int, words: list[int]) -> None:
            unit.device.holding[2] = words[0] & 0xFF00 | 0x28

        unit.device.after_write = keeps_its_supply
        ends = await unit.write(("indoor_temp_setpoint", 21), ("supply_temp_setpoint", 45))
        assert states(ends) == ["verified", "failed"]
        assert ends[1].read_back == 40.0

    tell(story)


def test_a_refusal_ends_both_and_a_wrong_value_only_its_own() -> None:
    async def story(unit: Unit) -> None:
        ends = await unit.write(("indoor_temp_setpoint", 99), ("supply_temp_setpoint", 45))
        assert states(ends) == ["refused", "verified"]
        assert unit.device.writes == [(6, 2, [0x142D])]
        unit.device.before = lambda pdu: bytes([0x86, 4]) if pdu[0] == 6 else None
        ends = await unit.write(("indoor_temp_setpoint", 22), ("supply_temp_setpoint", 50))
        assert states(ends) == ["refused", "refused"]
        assert all("异常码 4" in end.detail for end in ends)

    tell(story)


def test_a_write_without_an_answer_is_settled_for_both_and_never_repeated() -> None:
    async def story(unit: Unit) -> None:
        def taken_silently(pdu: bytes) -> bytes | None:
            if pdu[0] != 6:
                return None
            unit.device.holding[2] = 0x152D
            return b""

        unit.device.before = taken_silently
        ends = await unit.write(("indoor_temp_setpoint", 21), ("supply_temp_setpoint", 45))
        assert states(ends) == ["verified", "verified"]
        assert sum(pdu[0] == 6 for pdu in unit.device.requests) == 1

    tell(story)


def test_a_test_writes_even_what_reads_so_already() -> None:
    async def story(unit: Unit) -> None:
        end = await visits.write(unit.line, 5, MAP, "power_state", True, again=True)
        assert (end.state, end.sent) == ("verified", True)
        assert unit.device.writes == [(6, 0, [0x0011])]

    tell(story)


def test_a_line_that_holds_its_writes_takes_none_and_says_why() -> None:
    async def story(unit: Unit) -> None:
        unit.hold()
        ends = await unit.write(("indoor_temp_setpoint", 21), ("supply_temp_setpoint", 45))
        assert states(ends) == ["held", "held"]
        assert [end.sent for end in ends] == [None, None]
        assert all("另一个主站" in end.detail for end in ends)
        assert not unit.device.writes

    tell(story)


@pytest.mark.parametrize("signal", ["mode", "alarm_reset"])
def test_nothing_is_written_of_any_method_while_the_line_holds(signal: str) -> None:
    async def story(unit: Unit) -> None:
        unit.hold()
        value = True if signal == "alarm_reset" else "auto"
        assert states(await unit.write((signal, value))) == ["held"]
        assert not unit.device.writes

    tell(story)


def test_a_pulse_that_was_begun_is_released_although_the_line_holds_by_then() -> None:
    async def story(unit: Unit) -> None:
        def hold_once_set(address: int, words: list[int]) -> None:
            unit.hold()

        unit.device.after_write = hold_once_set
        (end,) = await unit.write(("alarm_reset", True))
        assert (end.state, end.sent) == ("verified", True)
        assert unit.device.holding[0] == 0x0011

    tell(story)


def test_a_pulse_whose_release_gets_no_answer_is_settled_by_the_next_visit() -> None:
    async def story(unit: Unit) -> None:
        deaf = False

        def deaf_once_set(pdu: bytes) -> bytes | None:
            return b"" if unit.device.writes and deaf else None

        def set_(address: int, words: list[int]) -> None:
            nonlocal deaf
            deaf = words == [0x0015]

        unit.device.before, unit.device.after_write = deaf_once_set, set_
        (end,) = await unit.write(("alarm_reset", True))
        assert (end.state, end.sent) == ("unknown", True)
        assert "脉冲没有释放" in end.detail
        assert unit.device.holding[0] == 0x0015

        deaf = False
        settled = await visits.settle(unit.line, 5, MAP, "alarm_reset", True)
        assert settled.state == "verified"
        assert unit.device.holding[0] == 0x0011

    tell(story)
