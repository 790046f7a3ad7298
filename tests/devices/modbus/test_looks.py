"""Which blocks a quick look and a second look need."""

from __future__ import annotations

import pytest

from devices.modbus import blocks, looks
from devices.modbus.blocks import Block, Plan
from tests.devices.modbus.written_maps import Cells, map_of

TEMPERATURE: Cells = {"signal": "supply_temp", "address": 10, "type": "int16", "scale": "0.1"}
POWER: Cells = {"signal": "power_state", "address": 40, "type": "bool"}
SETPOINT: Cells = {"signal": "indoor_temp_setpoint", "address": 80, "type": "int16"}
ENERGY: Cells = {"signal": "electric_energy", "address": 90, "type": "uint32"}
HISTORY: Cells = {"signal": "fault_history_1", "address": 200, "type": "uint16"}


def plan_of(*points: Cells) -> Plan:
    return blocks.plan(map_of(*points, holes="exception"))


def first_registers(plan: Plan) -> list[int]:
    return [block.address for block in plan.blocks]


def test_a_quick_look_leaves_setpoints_counters_and_the_history_of_faults_out() -> None:
    plan = plan_of(TEMPERATURE, POWER, SETPOINT, ENERGY, HISTORY)
    quick = looks.quick(plan)
    assert first_registers(quick) == [10, 40]
    assert set(quick.decode([[430], [1]])) == {"supply_temp", "power_state"}


def test_a_block_with_anything_that_changes_fast_stays_whole() -> None:
    plan = plan_of(TEMPERATURE | {"address": 81}, SETPOINT, ENERGY)
    quick = looks.quick(plan)
    assert quick.blocks == (Block("holding", 80, 2),)
    assert set(quick.decode([[20, 430]])) == {"supply_temp", "indoor_temp_setpoint"}


@pytest.mark.parametrize("points", [(TEMPERATURE, POWER), (SETPOINT, ENERGY)])
def test_where_all_is_fast_or_all_is_slow_the_quick_look_is_the_whole(
    points: tuple[Cells, ...],
) -> None:
    plan = plan_of(*points)
    assert looks.quick(plan) is plan


def test_a_slow_block_that_others_depend_on_stays() -> None:
    scale: Cells = {"signal": "meter_history_scale", "address": 300, "type": "uint16"}
    scaled = TEMPERATURE | {"scale": "", "scale_from": "meter_history_scale"}
    plan = plan_of(scaled, ENERGY, scale)
    assert first_registers(looks.quick(plan)) == [10, 300]


def test_a_slow_signal_with_rows_in_a_fast_block_keeps_all_of_them() -> None:
    here = SETPOINT | {"address": 41, "when": "power_state=on"}
    there = SETPOINT | {"address": 80, "when": "power_state=off"}
    plan = plan_of(POWER, here, there, ENERGY)
    assert first_registers(looks.quick(plan)) == [40, 80]


def test_a_quick_look_goes_on_without_slow_blocks_when_another_is_read_apart() -> None:
    plan = plan_of(TEMPERATURE, TEMPERATURE | {"signal": "return_temp", "address": 11}, ENERGY)
    quick = looks.quick(plan)
    apart = quick.split(quick.blocks[0])
    assert first_registers(apart) == [10, 11]


def test_a_second_look_reads_the_blocks_of_the_doubtful_signals_alone() -> None:
    plan = plan_of(TEMPERATURE, POWER, SETPOINT)
    assert looks.blocks_of(plan, ["power_state"]) == {Block("holding", 40, 1)}
    assert looks.blocks_of(plan, []) == set()


def test_a_second_look_at_a_derived_fault_reads_all_that_it_is_made_of() -> None:
    flags = [
        {"signal": f"fault.{name}", "address": address, "type": "bool", "area": "discrete"}
        for name, address in (("pump", 100), ("fan", 120))
    ]
    plan = plan_of(TEMPERATURE, *flags)
    both = {Block("discrete", 100, 1), Block("discrete", 120, 1)}
    assert looks.blocks_of(plan, ["fault_active"]) == both
    assert looks.blocks_of(plan, ["fault_bits"]) == both


def test_evidence_is_the_words_as_they_were_read_and_none_of_what_was_not() -> None:
    plan = plan_of(TEMPERATURE, POWER, ENERGY)
    raw = looks.raw_of(plan, [[0x01AF], "not_answered", [0x0001, 0x86A0]])
    assert raw == {"supply_temp": "0x01AF", "electric_energy": "0x0001 0x86A0"}
