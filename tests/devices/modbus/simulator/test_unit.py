"""Requests and replies as PDUs in hexadecimal, by the example maps and by small ones."""

import json
from typing import Any

import pytest

from devices.modbus.simulator import SimUnit
from devices.modbus.simulator.maps import RegisterMap
from tests.devices.modbus.simulator.tiny_maps import AIRBOX, CN_W10, map_of

START = 1_768_000_000.0


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now


def unit_of(register_map: Any, **options: Any) -> SimUnit:
    return SimUnit(register_map, 5, **{"seed": 3, "clock": Clock(), **options})


def ask(unit: SimUnit, pdu: str) -> str | None:
    reply = unit.answer(bytes.fromhex(pdu))[0]
    return None if reply is None else reply.hex()


# -- reads ---------------------------------------------------------------------------------


def test_a_read_answers_the_house_rounded_to_the_scale() -> None:
    unit = unit_of(CN_W10)
    reply, told = unit.answer(bytes.fromhex("0300640004"))
    assert reply is not None and reply[:2] == b"\x03\x08"
    words = [int.from_bytes(reply[at : at + 2], "big", signed=True) for at in (2, 4, 6, 8)]
    house = unit.house.signals()
    names = ["supply_temp", "return_temp", "outdoor_temp", "indoor_temp"]
    assert [word / 10 for word in words] == [round(house[name], 1) for name in names]
    record = json.loads("{" + told[0] + "}")
    expected = {name: round(house[name], 1) for name in names}
    assert record == {"key": "5", "signals": expected}


def test_the_record_names_only_the_signals_that_lie_whole_in_the_reply() -> None:
    unit = unit_of(CN_W10)
    told = unit.answer(bytes.fromhex("0300650002"))[1]
    assert set(json.loads("{" + told[0] + "}")["signals"]) == {"return_temp", "outdoor_temp"}
    assert unit.answer(bytes.fromhex("0300830001"))[1] == ()  # half of a 32-bit counter


def test_coils_and_discretes_are_packed_from_the_lowest_bit() -> None:
    unit = unit_of(AIRBOX)
    unit.plant("outdoor_sensor")
    unit.plant("fan_motor")
    assert ask(unit, "020064000a") == "02028400"
    assert ask(unit, "0100000002") == "010101"


@pytest.mark.parametrize(
    ("holes", "reply"), [("zero", "0306000700000009"), ("exception", "8302"), ("silent", None)]
)
def test_a_hole_is_read_over_refused_or_silent_as_the_map_says(
    holes: str, reply: str | None
) -> None:
    points = [
        {"signal": name, "address": at, "type": "uint16"} for name, at in (("a", 4), ("b", 6))
    ]
    unit = unit_of(map_of(*points, holes=holes))
    unit.set("a", 7.0)
    unit.set("b", 9.0)
    assert ask(unit, "0300040003") == reply
    assert ask(unit, "0300040001") == "03020007"
    assert ask(unit, "0300070001") == "8302"  # beyond the last point in every case


@pytest.mark.parametrize(
    ("pdu", "code"),
    [
        ("0400640001", "8401"),  # input registers are no function of this unit
        ("2b0e0100", "ab01"),
        ("0301f40001", "8302"),
        ("0300640021", "8303"),  # 33 registers, the map allows 32
        ("0300640000", "8303"),
        ("1000020001020015", "9001"),  # function 16 is no function of this unit
        ("0600640015", "8602"),  # a reading cannot be written
        ("0600020009", "8603"),  # below the minimum of 10
        ("0600010009", "8603"),  # no such mode
        ("06", "8603"),
    ],
)
def test_what_the_unit_cannot_do_is_answered_with_the_right_exception(pdu: str, code: str) -> None:
    unit = unit_of(CN_W10)
    before = unit.words("holding", 0, 4)
    assert ask(unit, pdu) == code
    assert unit.words("holding", 0, 4) == before


def test_a_silent_unit_says_nothing_until_it_is_woken() -> None:
    unit = unit_of(CN_W10, silent=True)
    assert ask(unit, "0300640001") is None
    unit.silent = False
    assert ask(unit, "0300640001") is not None


# -- writes --------------------------------------------------------------------------------


def test_setpoint_power_and_mode_reach_the_house() -> None:
    unit = unit_of(CN_W10)
    assert ask(unit, "0600020016") == "0600020016"
    assert ask(unit, "0600030028") == "0600030028"
    assert ask(unit, "0600010002") == "0600010002"
    assert ask(unit, "0600000000") == "0600000000"
    house = unit.house
    assert (house.room_set, house.supply_set, house.mode, house.power) == (22, 40, "auto", False)
    assert ask(unit, "0300000004") == "03080000000200160028"


def test_a_reset_pulse_keeps_the_power_bit_that_shares_its_register() -> None:
    unit = unit_of(CN_W10)
    unit.plant("high_pressure")
    assert unit.words("holding", 0) == [1]
    ask(unit, "0600000005")
    assert (unit.house.power, unit.house.faults) == (True, {})
    assert unit.words("holding", 0) == [5]
    ask(unit, "0600000001")
    assert unit.words("holding", 0) == [1] and unit.house.power


def test_a_panel_that_switches_off_during_a_pulse_is_seen_and_the_pulse_bit_stays() -> None:
    unit = unit_of(CN_W10)
    ask(unit, "0600000005")
    unit.set("power_state", False)
    assert unit.words("holding", 0) == [4]
    ask(unit, "0600000000")
    assert unit.words("holding", 0) == [0] and not unit.house.power


def test_a_reset_bit_that_stays_set_resets_only_once() -> None:
    unit = unit_of(CN_W10)
    ask(unit, "0600000005")
    unit.plant("high_pressure")
    ask(unit, "0600000005")
    assert "high_pressure" in unit.house.faults


def test_a_self_clearing_coil_resets_and_reads_zero_half_a_second_later() -> None:
    clock = Clock()
    unit = unit_of(AIRBOX, clock=clock)
    unit.plant("fan_motor")
    assert ask(unit, "050001ff00") == "050001ff00"
    assert unit.words("coil", 1) == [1] and not unit.house.faults
    clock.now += 0.6
    assert unit.words("coil", 1) == [0]


def test_functions_15_and_16_write_several_at_once_or_nothing() -> None:
    points = [
        {"signal": "indoor_temp_setpoint", "address": 2, "min": 10, "max": 30},
        {"signal": "supply_temp_setpoint", "address": 3, "min": 25, "max": 55},
    ]
    holding = [{**point, "type": "int16", "access": "rw"} for point in points]
    coils = [
        {"signal": name, "address": at, "area": "coil", "type": "bool", "access": "rw"}
        for name, at in (("power_state", 0), ("extra", 1))
    ]
    unit = unit_of(map_of(*holding, *coils, read_functions="1 3", write_functions="15 16"))
    assert ask(unit, "100002000204 0015 0028".replace(" ", "")) == "1000020002"
    assert unit.words("holding", 2, 2) == [21, 40]
    assert ask(unit, "100002000204 0016 0100".replace(" ", "")) == "9003"
    assert unit.words("holding", 2, 2) == [21, 40]
    assert ask(unit, "0f0000000201 02".replace(" ", "")) == "0f00000002"
    assert unit.words("coil", 0, 2) == [0, 1] and not unit.house.power
    assert ask(unit, "1000020002030015") == "9003"  # byte count that does not fit
    assert ask(unit, "0600020015") == "8601"


def test_one_byte_of_a_register_is_written_without_its_neighbour() -> None:
    unit = unit_of(
        map_of(
            {"signal": "indoor_temp_setpoint", "address": 0, "type": "uint8_hi", "access": "rw"},
            {"signal": "supply_temp_setpoint", "address": 0, "type": "uint8_lo", "access": "rw"},
        )
    )
    high, low = divmod(unit.words("holding", 0)[0], 256)
    assert (high, low) == (unit.house.room_set, unit.house.supply_set)
    ask(unit, f"060000{24:02x}{low:02x}")
    assert (unit.house.room_set, unit.house.supply_set) == (24, low)


def test_a_row_written_elsewhere_is_written_there_and_seen_where_it_is_read() -> None:
    unit = unit_of(
        map_of(
            {
                "signal": "indoor_temp_setpoint", "area": "input", "address": 1, "type": "int16",
                "scale": "0.1", "access": "rw", "write_area": "holding", "write_address": 101,
                "write_type": "uint16", "write_scale": "0.5",
            }
        )
    )  # fmt: skip
    ask(unit, "060065002b")
    assert unit.house.room_set == 21.5
    assert ask(unit, "0400010001") == "040200d7"
    assert ask(unit, "0300650001") == "0302002b"


LOCKED = {"signal": "indoor_temp_setpoint", "address": 1, "type": "int16", "access": "rw"}


def test_a_locked_panel_takes_a_write_only_after_the_unlocking_one() -> None:
    unit = unit_of(map_of(LOCKED, unlock="holding:9=0x55AA"))
    assert ask(unit, "0600010015") == "8603"
    ask(unit, "06000955aa")
    assert ask(unit, "0600010015") == "0600010015"
    ask(unit, "0600090000")
    assert ask(unit, "0600010016") == "8603"


def test_a_row_with_pre_writes_wants_them_first() -> None:
    unit = unit_of(map_of({**LOCKED, "before": "holding:8=2"}))
    assert ask(unit, "0600010015") == "8603"
    ask(unit, "0600080002")
    assert ask(unit, "0600010015") == "0600010015"


def test_in_local_mode_the_required_register_tells_and_writes_are_refused() -> None:
    local_remote = {
        "signal": "local_remote", "address": 9, "type": "uint16", "enum": "0=local;1=remote",
    }  # fmt: skip
    unit = unit_of(map_of(LOCKED, local_remote, require="holding:9=1"))
    assert unit.values()["local_remote"] == "remote"
    assert ask(unit, "0600010015") == "0600010015"
    unit.set_local(True)
    assert (unit.values()["local_remote"], unit.words("holding", 9)) == ("local", [0])
    assert ask(unit, "0600010016") == "8604"
    assert unit.house.room_set == 21


def test_a_command_does_its_proof_and_leaves_no_trace() -> None:
    row = {
        "signal": "switch_on", "address": 3, "type": "uint16", "access": "w",
        "write_method": "command", "write_value": "0xA5", "verify": "power_state=on",
    }  # fmt: skip
    state = {"signal": "power_state", "address": 4, "type": "uint16"}
    unit = unit_of(map_of(row, state), user="none")
    assert unit.words("holding", 3, 2) == [0, 0]
    ask(unit, "060003005a")
    assert not unit.house.power
    ask(unit, "06000300a5")
    assert unit.words("holding", 3, 2) == [0, 1]


def test_a_write_function_of_a_row_is_insisted_on() -> None:
    unit = unit_of(map_of({**LOCKED, "write_function": 16}))
    assert ask(unit, "0600010015") == "8601"
    assert ask(unit, "10000100010200 15".replace(" ", "")) == "1000010001"


# -- the map's other means -----------------------------------------------------------------


def moded() -> RegisterMap:
    mode = {"signal": "mode", "address": 0, "type": "uint16", "enum": "0=cooling;1=heating"}
    setpoint = {"signal": "indoor_temp_setpoint", "address": 1, "type": "uint16"}
    return map_of(
        {**mode, "access": "rw"},
        {**setpoint, "scale": "0.1", "when": "mode=heating", "access": "rw"},
        {**setpoint, "scale": "0.5", "when": "mode=cooling", "access": "rw"},
    )


def test_a_row_holds_only_when_its_condition_does() -> None:
    unit = unit_of(moded())
    unit.set("indoor_temp_setpoint", 20.0)
    assert unit.words("holding", 1) == [200]
    ask(unit, "0600000000")
    assert unit.words("holding", 1) == [40]
    ask(unit, "060001002b")
    assert unit.house.room_set == 21.5
    assert unit.values()["indoor_temp_setpoint"] == 21.5


def test_modules_lie_one_stride_apart_with_a_house_each() -> None:
    rows = [
        {"signal": "indoor_temp", "address": 10, "type": "int16", "scale": "0.1"},
        {"signal": "indoor_temp_setpoint", "address": 11, "type": "int16", "access": "rw"},
    ]
    unit = unit_of(map_of(*rows, module_stride=100), modules=3)
    ask(unit, "0600d30019")  # 211: the setpoint of the third module
    assert [module.house.room_set == 25 for module in unit.modules] == [False, False, True]
    told = [json.loads("{" + tail + "}") for tail in unit.answer(bytes.fromhex("0300d20002"))[1]]
    rooms = round(unit.modules[2].house.room, 1)
    expected = {"indoor_temp": rooms, "indoor_temp_setpoint": 25.0}
    assert told == [{"key": "5/2", "signals": expected}]


def test_a_map_that_says_it_has_no_modules_has_none() -> None:
    row = {"signal": "indoor_temp", "address": 10, "type": "int16", "scale": "0.1"}
    assert len(unit_of(map_of(row, module_stride="none")).modules) == 1


def test_a_fault_code_without_labels_shows_no_fault() -> None:
    unit = unit_of(map_of({"signal": "fault_code", "address": 3, "type": "uint16"}))
    assert ask(unit, "0300030001") == "03020000"


def test_what_the_house_has_no_physics_for_is_steady_and_plausible() -> None:
    rows = [
        {"signal": "voltage", "address": 0, "type": "uint16", "unit": "V", "scale": "0.1"},
        {"signal": "serial", "address": 1, "type": "ascii:8"},
        {"signal": "fan", "address": 5, "type": "uint16", "enum": "1=low;2=high"},
        {"signal": "local_remote", "address": 6, "type": "uint16", "enum": "0=local;1=remote"},
        {"signal": "clock", "address": 7, "type": "datetime:Y-M-D-h-m-s"},
    ]
    values = unit_of(map_of(*rows)).values()
    clock = values.pop("clock")
    assert values == {
        "voltage": 228.0, "serial": "SIM00003", "fan": "low", "local_remote": "remote",
    }  # fmt: skip
    assert clock == "2026-01-10T07:06:40"


def test_a_multiplied_counter_shows_its_energy() -> None:
    unit = unit_of(
        map_of(
            {"signal": "ct_ratio", "address": 0, "type": "uint16", "min": 20, "max": 60},
            {"signal": "electric_energy", "address": 1, "type": "uint32", "scale": "0.01",
             "scale_from": "ct_ratio"},
        )
    )  # fmt: skip
    assert unit.values()["ct_ratio"] == 40.0
    assert unit.values()["electric_energy"] == pytest.approx(unit.house.kwh, abs=0.21)


def test_a_fault_shows_by_bits_by_code_and_by_flag_alike() -> None:
    unit = unit_of(
        map_of(
            {"signal": "fault_bits.1", "address": 0, "type": "bitfield16", "bits": "2=phase;5=ice"},
            {"signal": "fault_code", "address": 1, "type": "uint16", "enum": "0=none;31=phase"},
            {"signal": "fault.phase", "address": 2, "type": "uint16"},
            {"signal": "fault_active", "address": 3, "type": "uint16"},
        )
    )
    assert unit.words("holding", 0, 4) == [0, 0, 0, 0]
    unit.plant("phase")
    assert unit.words("holding", 0, 4) == [4, 31, 1, 1]
    with pytest.raises(ValueError, match="no fault 'frost'"):
        unit.plant("frost")


def test_a_sensor_fault_or_a_mild_one_does_not_stop_the_heating() -> None:
    unit = unit_of(
        map_of(
            {"signal": "fault_bits", "address": 0, "type": "bitfield16",
             "bits": "0=room_sensor;1=filter!warn;2=phase!critical"}
        )
    )  # fmt: skip
    assert unit.fault_labels() == {"room_sensor": False, "filter": False, "phase": True}


# -- the test's own means ------------------------------------------------------------------


def test_a_pinned_register_holds_its_raw_word_and_a_held_reading_its_value() -> None:
    unit = unit_of(CN_W10)
    unit.pin("holding", 102, 0x7FFF)
    assert unit.words("holding", 102) == [0x7FFF]
    assert unit.values()["outdoor_temp"] is None
    unit.pin("holding", 102, None)
    unit.set("outdoor_temp", -20.3)
    assert unit.words("holding", 102) == [0xFF35]
    unit.set("outdoor_temp", None)
    assert unit.values()["outdoor_temp"] == round(unit.house.signals()["outdoor_temp"], 1)


def test_time_moves_the_registers_but_never_those_of_a_static_unit() -> None:
    for static in (False, True):
        clock = Clock()
        unit = unit_of(CN_W10, clock=clock, static=static)
        before = unit.values()
        clock.now += 6 * 3600
        assert (unit.values() == before) is static


def test_a_unit_goes_on_from_its_state_with_settings_and_counter() -> None:
    clock = Clock()
    unit = unit_of(CN_W10, clock=clock)
    ask(unit, "0600020018")
    unit.plant("water_flow")
    clock.now += 3600
    values = unit.values()
    again = unit_of(CN_W10, clock=clock, state=json.loads(json.dumps(unit.state())))
    assert again.values() == values
    assert values["fault_bits"] == ["water_flow"] and values["indoor_temp_setpoint"] == 24.0
