"""What is taken as read, what is looked at twice, and what is then believed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.modbus.points import Scalar, Value
from telemetry.judging import allowance, doubts, follows, overshadow, settle

OUT = Value(None, "out_of_range", "0x2710")


def good(**values: Scalar) -> dict[str, Value]:
    return {signal: Value(value) for signal, value in values.items()}


def test_small_steps_are_taken_and_jumps_are_looked_at_again() -> None:
    known = good(supply_temp=42.0, indoor_temp=18.0)
    assert doubts(good(supply_temp=50.0, indoor_temp=19.0), known) == []
    assert doubts(good(supply_temp=75.0, indoor_temp=19.5), known) == ["supply_temp"]
    assert known == good(supply_temp=50.0, indoor_temp=19.5)


@pytest.mark.parametrize(
    ("signal", "before", "after"),
    [
        ("power_state", True, False),
        ("mode", "heating", "off"),
        ("indoor_temp_setpoint", 18.0, 18.5),
        ("return_temp_setpoint", 40.0, 39.0),
        ("fault_active", False, True),
        ("fault_bits", [], ["low_pressure"]),
        ("fault_code", 0.0, 17.0),
        ("electric_energy", 100.0, 99.9),
        ("electric_energy", 100.0, 5000.0),
    ],
)
def test_every_change_of_settings_states_and_faults_and_a_counters_fall_is_looked_at_again(
    signal: str, before: Scalar, after: Scalar
) -> None:
    assert doubts({signal: Value(after)}, {signal: Value(before)}) == [signal]
    assert doubts({signal: Value(before)}, {signal: Value(before)}) == []


def test_what_switches_all_day_long_is_not_looked_at_twice() -> None:
    known = good(compressor_running=True, defrosting=False)
    assert doubts(good(compressor_running=False, defrosting=True), known) == []


def test_a_first_value_is_taken_but_not_one_out_of_range() -> None:
    known: dict[str, Value] = {}
    assert doubts(good(supply_temp=42.0) | {"return_temp": OUT}, known) == ["return_temp"]


def test_a_sensor_that_stays_out_of_range_is_looked_at_once_and_not_at_every_poll() -> None:
    known = {"return_temp": OUT}
    assert doubts({"return_temp": Value(None, "out_of_range", "0x2711")}, known) == []


def test_what_the_map_knows_as_no_value_is_no_jump_and_spoils_no_memory() -> None:
    known = good(supply_temp=42.0)
    assert doubts({"supply_temp": Value(None, "sensor_open", "0x7FFF")}, known) == []
    assert doubts(good(supply_temp=42.5), known) == []


def test_two_readings_that_agree_are_taken_with_the_newer_value() -> None:
    known = good(supply_temp=42.0)
    values = settle(good(supply_temp=75.0), good(supply_temp=74.5), ["supply_temp"], {}, known)
    assert values == good(supply_temp=74.5) == known


def test_two_readings_that_disagree_are_unconfirmed_with_their_evidence() -> None:
    known = good(supply_temp=42.0)
    first, second = good(supply_temp=75.0), good(supply_temp=42.5)
    values = settle(first, second, ["supply_temp"], {"supply_temp": "0x02EE"}, known)
    assert values == {"supply_temp": Value(None, "unconfirmed", "0x02EE")}
    assert known == good(supply_temp=42.0)


def test_out_of_range_twice_is_out_of_range() -> None:
    known = good(supply_temp=42.0)
    values = settle({"supply_temp": OUT}, {"supply_temp": OUT}, ["supply_temp"], {}, known)
    assert values == {"supply_temp": OUT} == known


def test_a_second_look_that_was_not_answered_leaves_the_doubt_and_spares_the_neighbours() -> None:
    nothing = Value(None, "not_answered")
    first = good(supply_temp=75.0, return_temp=38.0)
    second = {"supply_temp": nothing, "return_temp": nothing}
    values = settle(first, second, ["supply_temp"], {}, {})
    assert values == {"supply_temp": Value(None, "unconfirmed")} | good(return_temp=38.0)


def test_a_neighbour_that_the_second_look_contradicts_is_unconfirmed_too() -> None:
    first = good(supply_temp=75.0, return_temp=38.0)
    second = good(supply_temp=75.0, return_temp=72.0)
    values = settle(first, second, ["supply_temp"], {}, {})
    assert values == good(supply_temp=75.0) | {"return_temp": Value(None, "unconfirmed")}


def test_nothing_is_good_in_a_shadow_and_reasons_of_the_map_stay() -> None:
    values = good(supply_temp=0.0, power_state=False) | {"return_temp": OUT}
    assert overshadow(values, "starting", {"supply_temp": "0x0000"}) == {
        "supply_temp": Value(None, "starting", "0x0000"),
        "power_state": Value(None, "starting"),
        "return_temp": OUT,
    }


SIGNALS = ("supply_temp", "indoor_temp", "power_state", "mode", "electric_energy", "fault_bits")
numbers = st.floats(-10, 90)
any_value: dict[str, st.SearchStrategy[Any]] = {
    "supply_temp": numbers,
    "indoor_temp": st.floats(-5, 35),
    "power_state": st.booleans(),
    "mode": st.sampled_from(["off", "heating", "auto"]),
    "electric_energy": st.floats(0, 10_000),
    "fault_bits": st.lists(st.sampled_from(["low_pressure", "fan"]), unique=True).map(sorted),
}
bad = st.sampled_from([OUT, Value(None, "sensor_open", "0x7FFF"), Value(None, "not_answered")])


def visit(likely_good: bool = False) -> st.SearchStrategy[dict[str, Value]]:
    return st.fixed_dictionaries(
        {
            signal: value.map(Value) if likely_good else value.map(Value) | bad
            for signal, value in any_value.items()
        }
    )


@given(steady=visit(likely_good=True), corrupted=visit(), seen_before=st.booleans())
def test_one_wrong_frame_never_makes_a_value_that_is_far_from_the_truth(
    steady: dict[str, Value], corrupted: dict[str, Value], seen_before: bool
) -> None:
    """A unit that does not change, and one visit of which every word is wrong: what is taken is
    within what might have happened between two polls, or it is not good."""
    known = dict(steady)
    doubted = doubts(corrupted, known)
    values = settle(corrupted, steady, doubted, {}, known) if doubted else corrupted
    for signal, value in values.items():
        if value.quality == "good":
            assert follows(signal, steady[signal], value) or follows(signal, value, steady[signal])
        else:
            assert value.value is None


@given(before=visit(), truth=visit())
def test_a_change_that_is_real_is_taken_at_once(
    before: dict[str, Value], truth: dict[str, Value]
) -> None:
    known: dict[str, Value] = {}
    first = doubts(before, known)
    settle(before, before, first, {}, known)
    doubted = doubts(truth, known)
    assert settle(truth, truth, doubted, {}, known) == truth
    assert doubts(truth, known) == []


@given(st.lists(st.tuples(visit(), visit()), max_size=6))
def test_whatever_is_read_only_good_values_are_values(
    story: list[tuple[dict[str, Value], dict[str, Value]]],
) -> None:
    known: dict[str, Value] = {}
    for first, second in story:
        doubted = doubts(first, known)
        values = settle(first, second, doubted, {}, known) if doubted else first
        assert values.keys() == first.keys()
        assert all(v.value is None for v in values.values() if v.quality != "good")
        assert all(v.quality in ("good", "out_of_range") for v in known.values())


def test_every_canonical_signal_has_an_allowance_or_is_left_alone() -> None:
    assert allowance("supply_temp") == pytest.approx((10, 10))
    assert allowance("indoor_temp") == pytest.approx((4, 4))
    assert allowance("mode") == allowance("indoor_temp_setpoint") == (0, 0)
    assert allowance("compressor_running") is None is allowance("maker_word_7")
    assert allowance("electric_energy") == (0, 720)
    assert allowance("fault_code.2") == (0, 0)
