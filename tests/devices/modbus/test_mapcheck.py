"""What is doubtful in a register map, and what of Annex 2 is missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from devices.modbus import pointmap
from tests.devices.modbus.written_maps import Cells, file_of, reminders_of, table_of

MAPS = sorted((Path(pointmap.__file__).parent / "maps").glob("*.csv"))
X: Cells = {"signal": "x", "address": 1, "type": "uint16"}
MODE: Cells = {"signal": "mode", "address": 9, "type": "uint16", "enum": "0=off;1=heating"}
HEADER_ROW = len(table_of(X)) - 1  # in a file with the usual settings


# --- reminders ------------------------------------------------------------------------------------

DOUBTFUL: list[tuple[list[Cells], str]] = [
    ([X, {**X, "signal": "y"}], "address"),
    ([X, {**X, "signal": "y", "address": 0, "type": "uint32"}], "address"),
    ([{**X, "signal": "electric_energy"}], "type"),
    ([{**X, "signal": "outdoor_temp"}], "type"),
    ([{**X, "signal": "outdoor_temp", "offset": "5"}], "type"),
    ([{**X, "signal": "supply_temp", "unit": "°F"}], "unit"),
    ([{**X, "signal": "suply_temp"}], "signal"),
    ([{**MODE, "enum": "1=warming"}], "enum"),
    ([{**X, "signal": "fault_code", "enum": "1=E1"}], "enum"),
    ([{**X, "signal": "power_state", "enum": "0=off;1=on;2=standby"}], "enum"),
    ([{**X, "access": "rw", "max": 5}], "min"),
    ([{**X, "write_method": "value"}], "write_method"),
    ([{**X, "access": "rw", "min": 0, "max": 9, "write_value": "1"}], "write_value"),
]


@pytest.mark.parametrize(("points", "column"), DOUBTFUL)
def test_what_is_doubtful_is_a_reminder_and_no_mistake(points: list[Cells], column: str) -> None:
    assert reminders_of(*points) == [(HEADER_ROW + len(points), column)]


@pytest.mark.parametrize(
    "points",
    [
        [{**X, "type": "bits", "mask": 1}, {**X, "signal": "y", "type": "bits", "mask": 2}],
        [{**X, "type": "uint8_hi"}, {**X, "signal": "y", "type": "uint8_lo"}],
        [X, {**X, "signal": "y", "area": "input"}],
        [{**X, "signal": "electric_energy", "type": "uint32"}],
        [{**X, "signal": "outdoor_temp", "offset": "-50"}],
        [{**X, "signal": "outdoor_temp", "type": "int16"}],
        [{**X, "signal": "fault_code", "enum": "0=none;1=E1"}],
        [{**X, "access": "rw", "min": 0, "max": 9}],
    ],
)
def test_what_is_usual_is_no_reminder(points: list[Cells]) -> None:
    assert reminders_of(*points) == []


# --- Annex 2 --------------------------------------------------------------------------------------


def missing(*points: Cells) -> tuple[list[str], list[str]]:
    report = pointmap.check(file_of(*points), "x.csv")
    return report.missing_readings, report.missing_writings


def test_the_examples_lack_nothing_of_annex_2() -> None:
    for path in MAPS:
        report = pointmap.check(path.read_bytes(), path.name)
        assert report.mistakes == []
        assert (report.missing_readings, report.missing_writings) == ([], [])


def test_what_is_missing_of_annex_2_is_shown_and_no_mistake() -> None:
    readings, writings = missing({**X, "signal": "supply_temp"})
    assert readings == [
        *("return_temp", "outdoor_temp", "indoor_temp_setpoint", "power_state", "mode", "fault")
    ]
    assert writings == [
        *("indoor_temp_setpoint", "supply_temp_setpoint", "alarm_reset", "power_state", "mode")
    ]


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        ({"signal": "fault_code"}, True),
        ({"signal": "fault_code.1"}, True),
        ({"signal": "fault.pump"}, True),
        ({"signal": "fault_bits", "type": "bitfield16", "bits": "0=a"}, True),
        ({"signal": "fault_active"}, False),
    ],
)
def test_a_fault_is_told_by_bits_code_or_flags(cells: Cells, told: bool) -> None:
    assert ("fault" not in missing({**X, **cells})[0]) is told


def test_the_setpoint_of_either_side_serves() -> None:
    writable: Cells = {**X, "access": "rw", "min": 20, "max": 60}
    for signal in ("supply_temp_setpoint", "return_temp_setpoint"):
        assert "supply_temp_setpoint" not in missing({**writable, "signal": signal})[1]
    assert "supply_temp_setpoint" in missing({**X, "signal": "return_temp_setpoint"})[1]
