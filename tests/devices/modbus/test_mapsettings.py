"""The settings of a register map."""

from __future__ import annotations

import pytest

from devices.modbus import pointmap
from tests.devices.modbus.written_maps import SETTINGS, Cells, csv_of, map_of, mistakes_of, table_of

X: Cells = {"signal": "x", "address": 1, "type": "uint16"}


def test_settings_left_out_stand_at_the_papers_defaults() -> None:
    lines: list[list[object]] = [
        ["@maker", "a"],
        ["@model", "b"],
        ["@kind", "other"],
        ["@medium", "air"],
    ]
    table: list[list[object]] = [
        *lines,
        ["signal", "area", "address", "type"],
        ["x", "holding", 0, "uint16"],
    ]
    stated = pointmap.load(csv_of(table), "x.csv").settings
    assert (stated.baud, stated.parity, stated.stop_bits) == (9600, "N", 1)
    assert (stated.address_width, stated.address_order, stated.address_base) == (1, "big", "0")
    assert (stated.max_read, stated.max_read_bits, stated.holes) == (32, 256, "exception")
    assert (stated.read_functions, stated.write_functions) == ((3, 4), (6, 16))
    assert (stated.reply_timeout_ms, stated.frame_gap_ms) == (1000, 5)
    assert (stated.min_write_interval_s, stated.persist) == (10, "unknown")
    assert (stated.require, stated.unlock, stated.unlock_keep) == ((), (), False)
    assert (stated.control_side, stated.indoor_source) == ("supply", "room")
    assert stated.module_stride is None


@pytest.mark.parametrize("protocol", ["DL/T 645-2007", "CJ/T 188-2004"])
def test_a_meter_that_speaks_no_modbus_is_refused_in_words(protocol: str) -> None:
    (found,) = mistakes_of(X, protocol=protocol)
    assert found[1] == "@protocol" and "只能接 Modbus" in found[2]


@pytest.mark.parametrize("name", SETTINGS)
def test_a_required_setting_is_missed(name: str) -> None:
    (absent,) = mistakes_of(X, **{name: None})
    assert absent[:2] == (None, f"@{name}")
    (blank,) = mistakes_of(X, **{name: ""})
    assert blank[1] == f"@{name}" and blank[0] is not None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("kind", "boiler"),
        ("medium", "steam"),
        ("baud", "9601"),
        ("baud", "fast"),
        ("parity", "X"),
        ("stop_bits", "3"),
        ("address_width", "4"),
        ("address_order", "middle"),
        ("address_base", "2"),
        ("max_read", "0"),
        ("max_read", "126"),
        ("max_read_bits", "2001"),
        ("holes", "maybe"),
        ("read_functions", "3 65"),
        ("read_functions", "6"),
        ("write_functions", "3"),
        ("reply_timeout_ms", "-1"),
        ("frame_gap_ms", "x"),
        ("min_write_interval_s", "-5"),
        ("persist", "flash"),
        ("require", "holding:5"),
        ("require", "5=1"),
        ("require", "holding:5=70000"),
        ("unlock", "coil:5=2"),
        ("unlock_keep", "perhaps"),
        ("control_side", "left"),
        ("indoor_source", "kitchen"),
        ("module_stride", "0"),
        ("wibble", "1"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_at_its_row(name: str, value: str) -> None:
    table = table_of(X, **{name: value})
    row = next(at for at, line in enumerate(table, 1) if line[0] == f"@{name}")
    found = [m for m in pointmap.check(csv_of(table), "x.csv").mistakes if m.column == f"@{name}"]
    assert [mistake.value for mistake in found] == [value]
    assert found[0].row in (row, None)


def test_a_setting_that_stands_twice_or_has_two_values_is_refused() -> None:
    table: list[list[object]] = [
        ["@baud", 9600],
        ["@baud", 4800],
        ["@parity", "N", "E"],
        *table_of(X),
    ]
    report = pointmap.check(csv_of(table), "x.csv")
    assert [(m.row, m.column) for m in report.mistakes] == [(2, "@baud"), (3, "@parity")]


def test_a_function_that_the_platform_does_not_speak_is_named() -> None:
    (found,) = mistakes_of(X, read_functions="3 4 65")
    assert "not supported: 65" in found[2]


@pytest.mark.parametrize("text", ["3 4", "3;4", "3,4", "4 3"])
def test_a_list_of_functions_takes_spaces_semicolons_and_commas(text: str) -> None:
    assert map_of(X, read_functions=text).settings.read_functions == (3, 4)


def test_the_side_of_control_may_be_a_signal_that_tells() -> None:
    assert map_of(X, control_side="x").settings.control_side == "x"
