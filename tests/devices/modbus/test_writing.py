"""Writing visits: every method, every end, and what lines and panels do in between."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from devices.modbus import frames, pointmap, visits
from devices.modbus.frames import Rtu
from devices.modbus.line import Line
from devices.modbus.pointmap import PointMap
from tests.devices.modbus import own_time
from tests.devices.modbus.doubles import Device, FakeTransport

HEAD = """\
@maker,某厂
@model,W-1
@kind,ashp_water
@medium,water
@read_functions,1 3
@write_functions,5 6 15 16
@reply_timeout_ms,20
"""
ROWS = """\
signal,area,address,type,access,min,max,step,enum,bits,mask,write_method,write_value,write_delay_s,\
write_allowed,before,verify,write_function
power_state,holding,0,bits,rw,,,,,,0x0001,rmw,,0,,,,
alarm_reset,holding,0,bits,w,,,,,,0x0004,pulse,1,0.05,,,,
mode,holding,1,uint16,rw,,,,0=cooling;1=heating;2=auto,,,value,,0,heating;auto,,,
indoor_temp_setpoint,holding,2,int16,rw,10,30,1,,,,value,,0,,,,
supply_temp_setpoint,holding,3,float32,rw,25,55,0.5,,,,value,,0,,holding:9=1,,
night,coil,5,bool,rw,,,,,,,coil,,0,,,,
purge,coil,6,bool,w,,,,,,,coil_self_clearing,,0.02,,,,
start,holding,7,uint16,w,,,,,,,command,90,0.02,,,power_state=on,
beep,holding,8,uint16,w,,,,,,,command,1,0.02,,,,
fault_code,holding,20,uint16,r,,,,0=none;7=phase,,,,,,,,,
"""


def a_map(settings: str = "", rows: str = ROWS) -> PointMap:
    return pointmap.load((HEAD + settings + rows).encode(), "w1.csv")


MAP = a_map()
Story = Callable[["Unit"], Coroutine[Any, Any, None]]


class Unit:
    """A device, its line, and writes to it."""

    def __init__(self, map: PointMap) -> None:
        transport = FakeTransport()
        self.line = Line(transport, Rtu(), baud=1_000_000, frame_gap_ms=0, quiet_s=0.01)
        self.device = Device(transport)
        self.map = map
        self.device.holding.update(
            {0: 0x0001, 1: 1, 2: 20, 3: 0x4220, 4: 0, 7: 0, 8: 0, 9: 0, 20: 0}
        )
        self.device.holding.update({30: 1, 31: 0, 32: 0})
        self.device.coils.update({5: 0, 6: 0})

    async def write(self, signal: str, value: object) -> visits.WriteResult:
        again = (0.02, 0.05)
        return await visits.write(self.line, 5, self.map, signal, value, read_again_s=again)

    async def settle(self, signal: str, value: object) -> visits.WriteResult:
        return await visits.settle(self.line, 5, self.map, signal, value)

    def words_written(self) -> list[list[int]]:
        return [words for _, _, words in self.device.writes]

    def asked_to_write(self) -> int:
        """Requests to write, carried out or not."""
        return sum(pdu[0] in (5, 6, 15, 16) for pdu in self.device.requests)


def tell(story: Story, map: PointMap = MAP) -> None:
    async def run() -> None:
        await story(Unit(map))

    own_time.run(run())


# --- the methods ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("signal", "value", "write", "shown"),
    [
        ("indoor_temp_setpoint", 21, (6, 2, [21]), 21.0),
        ("indoor_temp_setpoint", "21.0", (6, 2, [21]), 21.0),
        ("mode", "auto", (6, 1, [2]), "auto"),
        ("power_state", False, (6, 0, [0]), False),
        ("night", "on", (5, 5, [1]), True),
    ],
)
def test_a_value_is_written_and_read_back(
    signal: str, value: object, write: tuple[int, int, list[int]], shown: object
) -> None:
    async def story(unit: Unit) -> None:
        result = await unit.write(signal, value)
        assert (result.state, result.sent, result.read_back) == ("verified", shown, shown)
        assert unit.device.writes == [write]

    tell(story)


def test_what_stands_before_a_write_goes_before_it_and_two_registers_go_together() -> None:
    async def story(unit: Unit) -> None:
        result = await unit.write("supply_temp_setpoint", 41.5)
        high, low = struct.unpack(">HH", struct.pack(">f", 41.5))
        assert (result.state, result.read_back) == ("verified", 41.5)
        assert unit.device.writes == [(6, 9, [1]), (16, 3, [high, low])]

    tell(story)


def test_what_reads_so_already_is_not_written() -> None:
    async def story(unit: Unit) -> None:
        result = await unit.write("indoor_temp_setpoint", 20)
        assert (result.state, result.sent, result.read_back) == ("verified", None, 20.0)
        assert unit.device.writes == [] and "没有再写" in result.detail

    tell(story)


def test_of_a_shared_register_only_the_own_bit_changes() -> None:
    async def story(unit: Unit) -> None:
        unit.device.holding[0] = 0xA5F9
        assert (await unit.write("power_state", "off")).state == "verified"
        assert unit.words_written() == [[0xA5F8]]

    tell(story)


def test_other_bits_that_change_meanwhile_are_told_and_are_no_failure() -> None:
    async def story(unit: Unit) -> None:
        unit.device.after_write = lambda address, words: unit.device.holding.update({0: 0x0100})
        result = await unit.write("power_state", "off")
        assert result.state == "verified" and "其他位也变了" in result.detail

    tell(story)


def test_an_alarm_reset_leaves_the_power_on() -> None:
    async def story(unit: Unit) -> None:
        result = await unit.write("alarm_reset", True)
        assert (result.state, result.sent, result.read_back) == ("verified", True, False)
        assert unit.words_written() == [[0x0005], [0x0001]]

    tell(story)


def test_an_alarm_reset_leaves_the_power_off_if_the_panel_turned_it_off_meanwhile() -> None:
    async def story(unit: Unit) -> None:
        def panel(address: int, words: list[int]) -> None:
            if words == [0x0005]:
                unit.device.holding[0] = 0x0004

        unit.device.after_write = panel
        assert (await unit.write("alarm_reset", True)).state == "verified"
        assert unit.words_written() == [[0x0005], [0x0000]]

    tell(story)


def test_a_pulse_that_the_device_clears_by_itself_needs_no_release() -> None:
    async def story(unit: Unit) -> None:
        unit.device.after_write = lambda address, words: unit.device.holding.update({0: 0x0001})
        assert (await unit.write("alarm_reset", True)).state == "verified"
        assert unit.words_written() == [[0x0005]]

    tell(story)


def test_a_fault_that_outlives_its_reset_is_told() -> None:
    async def story(unit: Unit) -> None:
        unit.device.holding[20] = 7
        result = await unit.write("alarm_reset", True)
        assert result.state == "verified" and "原因没有消除" in result.detail

    tell(story)


def test_a_self_clearing_coil_is_proven_by_its_rest() -> None:
    async def story(unit: Unit) -> None:
        unit.device.after_write = lambda address, words: unit.device.coils.update({6: 0})
        assert (await unit.write("purge", True)).state == "verified"
        assert unit.device.writes == [(5, 6, [1])]

    tell(story)


def test_a_coil_that_does_not_clear_itself_is_no_success() -> None:
    async def story(unit: Unit) -> None:
        result = await unit.write("purge", True)
        assert result.state == "failed" and "没有自动复位" in result.detail

    tell(story)


@pytest.mark.parametrize(("starts", "state"), [(True, "verified"), (False, "failed")])
def test_a_command_is_proven_by_the_signal_that_its_row_names(starts: bool, state: str) -> None:
    async def story(unit: Unit) -> None:
        unit.device.holding[0] = 0

        def obey(address: int, words: list[int]) -> None:
            unit.device.holding[0] = int(starts)

        unit.device.after_write = obey
        result = await unit.write("start", True)
        assert (result.state, unit.device.writes) == (state, [(6, 7, [90])])

    tell(story)


def test_a_command_that_nothing_proves_is_accepted_and_never_verified() -> None:
    async def story(unit: Unit) -> None:
        assert (await unit.write("beep", True)).state == "accepted"

    tell(story)


def test_a_row_may_name_its_function() -> None:
    rows = ROWS.replace(",10,30,1,,,,value,,0,,,,", ",10,30,1,,,,value,,0,,,,16")

    async def story(unit: Unit) -> None:
        assert (await unit.write("indoor_temp_setpoint", 21)).state == "verified"
        assert unit.device.writes == [(16, 2, [21])]

    tell(story, a_map(rows=rows))


# --- refusals ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("signal", "value"),
    [
        ("indoor_temp_setpoint", 31),
        ("indoor_temp_setpoint", 20.5),
        ("indoor_temp_setpoint", "nan"),
        ("mode", "cooling"),
        ("fault_code", 1),
        ("unheard_of", 1),
        ("alarm_reset", False),
    ],
)
def test_what_the_map_does_not_allow_is_refused_before_anything_is_sent(
    signal: str, value: object
) -> None:
    async def story(unit: Unit) -> None:
        result = await unit.write(signal, value)
        assert (result.state, result.sent) == ("refused", None) and result.notes
        assert unit.device.requests == []

    tell(story)


def test_a_unit_that_answers_an_exception_has_refused() -> None:
    async def story(unit: Unit) -> None:
        unit.device.before = lambda pdu: b"\x86\x03" if pdu[0] == 6 else None
        result = await unit.write("indoor_temp_setpoint", 21)
        assert result.state == "refused" and "异常码 3" in result.detail
        assert unit.asked_to_write() == 1

    tell(story)


def test_an_acknowledge_is_settled_by_reading_back() -> None:
    async def story(unit: Unit) -> None:
        def slowly(pdu: bytes) -> bytes | None:
            if pdu[0] != 6:
                return None
            unit.device.holding[2] = 21
            return b"\x86\x05"

        unit.device.before = slowly
        assert (await unit.write("indoor_temp_setpoint", 21)).state == "verified"

    tell(story)


def test_a_device_in_local_mode_is_not_written() -> None:
    async def story(unit: Unit) -> None:
        unit.device.holding[30] = 0
        result = await unit.write("indoor_temp_setpoint", 21)
        assert result.state == "refused" and "就地模式" in result.detail
        unit.device.holding[30] = 1
        assert (await unit.write("indoor_temp_setpoint", 21)).state == "verified"
        assert unit.device.writes == [(6, 2, [21])]

    tell(story, a_map("@require,holding:30=1\n"))


# --- the lock ------------------------------------------------------------------------------

UNLOCK = "@unlock,holding:31=1234;holding:32=1\n"


def test_a_panel_is_unlocked_for_the_write_and_locked_again_in_reverse() -> None:
    async def story(unit: Unit) -> None:
        assert (await unit.write("indoor_temp_setpoint", 21)).state == "verified"
        assert unit.device.writes == [
            (6, 31, [1234]),
            (6, 32, [1]),
            (6, 2, [21]),
            (6, 32, [0]),
            (6, 31, [0]),
        ]

    tell(story, a_map(UNLOCK))


def test_what_was_open_already_is_left_open() -> None:
    async def story(unit: Unit) -> None:
        unit.device.holding[31] = 1234
        await unit.write("indoor_temp_setpoint", 21)
        assert [address for _, address, _ in unit.device.writes] == [32, 2, 32]

    tell(story, a_map(UNLOCK))


def test_a_lock_that_is_to_stay_open_stays_open() -> None:
    async def story(unit: Unit) -> None:
        await unit.write("indoor_temp_setpoint", 21)
        assert [address for _, address, _ in unit.device.writes] == [31, 32, 2]

    tell(story, a_map(UNLOCK + "@unlock_keep,yes\n"))


@pytest.mark.parametrize("reply", [b"\x86\x04", b""])
def test_a_panel_is_locked_again_though_the_write_failed(reply: bytes) -> None:
    async def story(unit: Unit) -> None:
        unit.device.before = lambda pdu: reply if pdu[:3] == b"\x06\0\2" else None
        assert (await unit.write("indoor_temp_setpoint", 21)).state in ("refused", "failed")
        assert (unit.device.holding[31], unit.device.holding[32]) == (0, 0)

    tell(story, a_map(UNLOCK))


def test_a_panel_is_locked_again_though_the_caller_went_away() -> None:
    async def story(unit: Unit) -> None:
        writing = asyncio.ensure_future(unit.write("indoor_temp_setpoint", 21))
        while not unit.device.writes:
            await asyncio.sleep(0)
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
        while len(unit.device.writes) < 5:
            await asyncio.sleep(0.005)
        assert (unit.device.holding[31], unit.device.holding[32]) == (0, 0)
        assert unit.device.holding[2] == 21

    tell(story, a_map(UNLOCK))


# --- what never repeats --------------------------------------------------------------------


def lose_reply(unit: Unit, address: int, *, obeyed: bool) -> None:
    """The unit obeys a write to this address, or does not, and says nothing."""

    def silent(pdu: bytes) -> bytes | None:
        function, to, word = struct.unpack(">BHH", pdu[:5])
        if function != 6 or to != address:
            return None
        if obeyed:
            unit.device.holding[to] = word
        return b""

    unit.device.before = silent


@pytest.mark.parametrize(("obeyed", "state"), [(True, "verified"), (False, "failed")])
def test_a_timed_out_write_is_never_repeated_but_settled_by_reading(
    obeyed: bool, state: str
) -> None:
    async def story(unit: Unit) -> None:
        lose_reply(unit, 2, obeyed=obeyed)
        result = await unit.write("indoor_temp_setpoint", 21)
        assert (result.state, result.sent) == (state, 21.0)
        assert result.read_back == (21.0 if obeyed else 20.0)
        assert unit.asked_to_write() == 1

    tell(story)


def test_a_write_after_which_the_unit_is_silent_is_unknown() -> None:
    async def story(unit: Unit) -> None:
        def dies(pdu: bytes) -> bytes | None:
            return b"" if any(seen[0] == 6 for seen in unit.device.requests) else None

        unit.device.before = dies
        result = await unit.write("indoor_temp_setpoint", 21)
        assert (result.state, result.sent, result.read_back) == ("unknown", 21.0, None)
        assert unit.asked_to_write() == 1

    tell(story)


def test_a_write_that_never_left_failed_and_nothing_was_sent() -> None:
    async def story(unit: Unit) -> None:
        unit.device.before = lambda pdu: b""
        result = await unit.write("indoor_temp_setpoint", 21)
        assert (result.state, result.sent) == ("failed", None)
        assert unit.asked_to_write() == 0

    tell(story)


def test_a_command_without_an_answer_and_without_proof_is_unknown() -> None:
    async def story(unit: Unit) -> None:
        lose_reply(unit, 8, obeyed=True)
        assert (await unit.write("beep", True)).state == "unknown"
        assert unit.asked_to_write() == 1

    tell(story)


def test_an_echo_of_another_value_is_settled_by_reading_and_told() -> None:
    async def story(unit: Unit) -> None:
        def strange(pdu: bytes) -> bytes | None:
            if pdu[0] != 6:
                return None
            unit.device.holding[2] = 21
            return b"\x06\0\x02\0\x16"

        unit.device.before = strange
        result = await unit.write("indoor_temp_setpoint", 21)
        assert result.state == "verified" and "与请求不符" in result.detail

    tell(story)


def test_a_value_that_is_taken_slowly_is_read_back_again() -> None:
    async def story(unit: Unit) -> None:
        reads = 0

        def slow(pdu: bytes) -> bytes | None:
            nonlocal reads
            if pdu[:3] == b"\x06\0\2":
                reads = 1
                return pdu[:5]
            if pdu[:3] == b"\x03\0\2" and reads:
                reads += 1
                unit.device.holding[2] = 21 if reads > 3 else 20
            return None

        unit.device.before = slow
        result = await unit.write("indoor_temp_setpoint", 21)
        assert (result.state, result.read_back, reads) == ("verified", 21.0, 4)

    tell(story)


def test_a_value_that_is_not_taken_has_failed_and_shows_what_is_there() -> None:
    async def story(unit: Unit) -> None:
        unit.device.before = lambda pdu: pdu[:5] if pdu[0] == 6 else None
        result = await unit.write("indoor_temp_setpoint", 21)
        assert (result.state, result.sent, result.read_back) == ("failed", 21.0, 20.0)

    tell(story)


def test_the_release_of_a_pulse_is_the_one_write_that_is_repeated() -> None:
    async def story(unit: Unit) -> None:
        def drops_first_release(pdu: bytes) -> bytes | None:
            releases = [seen for seen in unit.device.requests if seen == b"\x06\0\0\0\x01"]
            return b"" if pdu == b"\x06\0\0\0\x01" and len(releases) == 1 else None

        unit.device.before = drops_first_release
        assert (await unit.write("alarm_reset", True)).state == "verified"
        assert unit.words_written() == [[0x0005], [0x0001]]
        assert unit.asked_to_write() == 3

    tell(story)


def test_a_pulse_is_released_though_the_caller_went_away() -> None:
    async def story(unit: Unit) -> None:
        writing = asyncio.ensure_future(unit.write("alarm_reset", True))
        while not unit.device.writes:
            await asyncio.sleep(0)
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
        while unit.device.holding[0] != 0x0001:
            await asyncio.sleep(0.005)

    tell(story)


# --- after a crash -------------------------------------------------------------------------


@pytest.mark.parametrize(("now", "state"), [(21, "verified"), (20, "failed")])
def test_a_write_whose_end_nobody_saw_is_settled_without_writing(now: int, state: str) -> None:
    async def story(unit: Unit) -> None:
        unit.device.holding[2] = now
        assert (await unit.settle("indoor_temp_setpoint", 21)).state == state
        assert unit.asked_to_write() == 0

    tell(story)


def test_a_pulse_left_set_by_a_crash_is_released() -> None:
    async def story(unit: Unit) -> None:
        unit.device.holding[0] = 0x0005
        assert (await unit.settle("alarm_reset", True)).state == "verified"
        assert unit.words_written() == [[0x0001]]

    tell(story)


def test_a_command_without_proof_stays_unknown_after_a_crash() -> None:
    async def story(unit: Unit) -> None:
        assert (await unit.settle("beep", True)).state == "unknown"
        assert unit.asked_to_write() == 0

    tell(story)


# --- together with others ------------------------------------------------------------------


def test_two_writes_to_one_unit_take_turns_and_neither_undoes_the_other() -> None:
    async def story(unit: Unit) -> None:
        results = await asyncio.gather(
            unit.write("alarm_reset", True), unit.write("power_state", "off")
        )
        assert [result.state for result in results] == ["verified", "verified"]
        assert unit.words_written() == [[0x0005], [0x0001], [0x0000]]

    tell(story)


def test_other_units_are_asked_while_a_write_waits_to_read_back() -> None:
    async def story(unit: Unit) -> None:
        writing = asyncio.ensure_future(unit.write("alarm_reset", True))
        while not unit.device.writes:
            await asyncio.sleep(0)
        words = await unit.line.exchange(5, frames.read("holding", 20, 1), timeout=0.02)
        assert words == (0,) and not writing.done()
        assert (await writing).state == "verified"

    tell(story)


# --- exceptions that are not the unit's last word ---------------------------------------------


@pytest.mark.parametrize(("taken", "state"), [(True, "verified"), (False, "failed")])
def test_a_gateway_that_heard_nothing_leaves_it_to_reading_back(taken: bool, state: str) -> None:
    async def story(unit: Unit) -> None:
        def lost_behind_the_gateway(pdu: bytes) -> bytes | None:
            if pdu[0] != 6:
                return None
            if taken:
                unit.device.holding[2] = 21
            return bytes([0x86, 11])

        unit.device.before = lost_behind_the_gateway
        result = await unit.write("indoor_temp_setpoint", 21)
        assert (result.state, result.sent) == (state, 21.0)
        assert unit.asked_to_write() == 1

    tell(story)


@pytest.mark.parametrize("code", [5, 6, 11])
def test_a_unit_too_busy_to_be_read_back_is_read_again(code: int) -> None:
    async def story(unit: Unit) -> None:
        busy = [bytes([0x83, code])]

        def busy_once_after_the_write(pdu: bytes) -> bytes | None:
            return busy.pop() if unit.device.writes and pdu[0] == 3 and busy else None

        unit.device.before = busy_once_after_the_write
        assert (await unit.write("indoor_temp_setpoint", 21)).state == "verified"

    tell(story)
