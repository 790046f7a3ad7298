"""Bits, codes and flags become one set, one list, and one yes or no."""

from __future__ import annotations

import pytest

from devices.modbus.blocks import plan
from devices.modbus.pointmap import PointMap, decode_words
from devices.modbus.points import Value, ValueRefused
from tests.devices.modbus.written_maps import Cells, map_of

BITS: Cells = {
    "signal": "fault_bits",
    "address": 0,
    "type": "bitfield16",
    "bits": "0=ice!critical;1=filter!info",
}
CODE: Cells = {"signal": "fault_code", "address": 1, "type": "uint16", "enum": "0=none;7=phase"}
PUMP: Cells = {"signal": "fault.pump", "address": 2, "type": "bits", "mask": "0x0010"}
FAN: Cells = {"signal": "fault.fan", "address": 2, "type": "bits", "mask": "0x0020"}


def read(map: PointMap, *words: int) -> dict[str, Value]:
    (block,) = plan(map).blocks
    assert block.count == len(words)
    return plan(map).decode([words])


def test_flags_show_as_one_sorted_set() -> None:
    assert read(map_of(PUMP, FAN), 0x0030) == {
        "fault_bits": Value(["fan", "pump"]),
        "fault_active": Value(True),
    }


def test_no_flag_is_an_empty_set_and_no_fault() -> None:
    assert read(map_of(PUMP, FAN), 0x000F) == {
        "fault_bits": Value([]),
        "fault_active": Value(False),
    }


def test_flags_join_the_bits_that_the_map_has() -> None:
    values = read(map_of(BITS, CODE, PUMP), 0b01, 0, 0x0010)
    assert values["fault_bits"] == Value(["ice", "pump"])
    assert values["fault_code"] == Value("none")
    assert "fault.pump" not in values


def test_several_bit_registers_are_one_set() -> None:
    map = map_of(
        {**BITS, "signal": "fault_bits.1"},
        {**BITS, "signal": "fault_bits.2", "address": 1, "bits": "3=phase"},
    )
    assert read(map, 0b10, 0b1000)["fault_bits"] == Value(["filter", "phase"])


def test_several_codes_are_the_list_of_those_that_are_active() -> None:
    map = map_of(
        {**CODE, "signal": "fault_code.1", "address": 0},
        {"signal": "fault_code.2", "address": 1, "type": "uint16"},
    )
    assert read(map, 7, 1_234)["fault_code"] == Value(["1234", "phase"])
    assert read(map, 0, 0) == {"fault_code": Value([]), "fault_active": Value(False)}


@pytest.mark.parametrize(("code", "active"), [(0, False), (7, True)])
def test_the_label_none_means_no_fault(code: int, active: bool) -> None:
    assert read(map_of(CODE), code)["fault_active"] == Value(active)


@pytest.mark.parametrize(("code", "active"), [(0, False), (12, True)])
def test_of_a_code_without_labels_zero_means_no_fault(code: int, active: bool) -> None:
    map = map_of({"signal": "fault_code", "address": 0, "type": "uint16"})
    assert read(map, code)["fault_active"] == Value(active)


@pytest.mark.parametrize(
    ("replies", "quality"),
    [
        (["not_answered", [7]], "not_answered"),
        ([[1], "exception:2"], "exception:2"),
        ([[1], [9]], "unknown_enum:9"),
    ],
)
def test_whether_there_is_a_fault_is_unknown_if_any_source_failed(
    replies: list[list[int] | str], quality: str
) -> None:
    map = map_of(BITS, {**CODE, "address": 5})
    assert plan(map).decode(replies)["fault_active"] == Value(None, quality)


def test_one_flag_that_failed_makes_the_whole_set_unknown() -> None:
    map = map_of(PUMP, {**FAN, "address": 9})
    values = plan(map).decode([[0x0010], "not_answered"])
    assert values["fault_bits"] == Value(None, "not_answered")


def test_the_makers_own_fault_signal_stands() -> None:
    map = map_of(BITS, {"signal": "fault_active", "address": 1, "type": "bool"})
    assert read(map, 1, 0)["fault_active"] == Value(False)


def test_a_flag_whose_condition_does_not_hold_is_no_failed_source() -> None:
    map = map_of(
        PUMP,
        {"signal": "mode", "address": 3, "type": "uint16", "enum": "1=heating;2=cooling"},
        {**FAN, "when": "mode=cooling"},
    )
    assert read(map, 0x0030, 1)["fault_bits"] == Value(["pump"])


def test_an_active_bit_without_a_label_leaves_its_words_as_evidence() -> None:
    assert read(map_of(BITS), 0x8001)["fault_bits"] == Value(["ice"], "good", "0x8001")


# --- words typed in --------------------------------------------------------------------------

ALL = (BITS, CODE, PUMP, FAN)


@pytest.mark.parametrize(
    ("signal", "words", "value"),
    [
        ("fault.pump", [0x0010], True),
        ("fault.fan", [0x0010], False),
        ("fault_bits", [1, 0x0020], ["fan", "ice"]),
        ("fault_code", [7], "phase"),
        ("fault_active", [0, 0, 0], False),
        ("fault_active", [0, 0, 0x10], True),
    ],
)
def test_merged_and_derived_signals_take_the_words_of_their_rows(
    signal: str, words: list[int], value: object
) -> None:
    assert decode_words(map_of(*ALL), signal, words) == Value(value)  # type: ignore[arg-type]


def test_coils_and_discrete_inputs_are_typed_as_bits() -> None:
    map = map_of(
        {"signal": "power_state", "area": "coil", "address": 3},
        {"signal": "fault.a", "area": "discrete", "address": 7},
        {"signal": "fault.b", "area": "discrete", "address": 2},
        {"signal": "alarm_reset", "area": "coil", "address": 9, "access": "w"},
    )
    assert decode_words(map, "power_state", [1]) == Value(True)
    assert decode_words(map, "fault_bits", [1, 0]) == Value(["a"])
    assert decode_words(map, "alarm_reset", [0]) == Value(False)


def test_a_scaled_value_needs_the_words_of_its_multiplier_behind_its_own() -> None:
    map = map_of(
        {"signal": "ct", "address": 0, "type": "uint16"},
        {"signal": "x", "address": 1, "type": "uint16", "scale": "0.1", "scale_from": "ct"},
    )
    assert decode_words(map, "x", [7]) == Value(None, "scale_from:ct", "0x0007")
    assert decode_words(map, "x", [7, 20]) == Value(14.0)


def test_of_rows_under_conditions_the_first_is_meant_unless_the_condition_is_given() -> None:
    map = map_of(
        {"signal": "mode", "address": 0, "type": "uint16", "enum": "1=heating;2=cooling"},
        {"signal": "x", "address": 1, "type": "uint16", "when": "mode=heating"},
        {"signal": "x", "address": 1, "type": "uint16", "scale": "0.1", "when": "mode=cooling"},
    )
    assert decode_words(map, "x", [50]) == Value(50.0)
    assert decode_words(map, "x", [50, 2]) == Value(5.0)


@pytest.mark.parametrize(
    ("signal", "words"),
    [
        ("nobody", [1]),
        ("fault_code", []),
        ("fault_code", [1, 2]),
        ("fault_code", [70_000]),
        ("fault_code", [-1]),
        ("fault_active", [1]),
    ],
)
def test_words_that_cannot_be_the_signals_are_refused(signal: str, words: list[int]) -> None:
    with pytest.raises(ValueRefused):
        decode_words(map_of(*ALL), signal, words)
