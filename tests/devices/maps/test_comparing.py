"""Two versions beside each other."""

from __future__ import annotations

from devices.maps import comparing, sheet
from devices.maps.sheet import Sheet
from devices.modbus import pointmap
from tests.cast import MAPS

FILE = (MAPS / "chennuan-cn-w10.csv").read_text(encoding="utf-8")


def of(text: str) -> Sheet:
    return sheet.of_map(pointmap.load(text.encode(), "map.csv"))


def compared(changed: str) -> comparing.Comparison:
    return comparing.compare(of(FILE), of(changed))


def test_a_map_is_the_same_as_itself() -> None:
    assert compared(FILE).is_same


def test_other_looks_are_no_difference() -> None:
    assert compared(FILE.replace("0x7FFF", "32767").replace("℃", "°C")).is_same


def test_the_order_of_rows_is_no_difference() -> None:
    lines = FILE.splitlines()
    assert compared("\n".join([*lines[:17], *reversed(lines[17:])])).is_same


def test_a_changed_cell_is_named_with_its_row() -> None:
    found = compared(
        FILE.replace(
            "outdoor_temp,室外环境温度,holding,102,int16",
            "outdoor_temp,室外环境温度,holding,104,uint16",
        )
    )
    assert [(row.signal, row.row) for row in found.changed] == [("outdoor_temp", 29)]
    assert [(c.column, c.before, c.after) for c in found.changed[0].cells] == [
        ("address", "102", "104"),
        ("type", "int16", "uint16"),
    ]
    assert not (found.added or found.gone or found.settings)


def test_rows_that_came_and_went() -> None:
    found = compared(FILE.replace("defrosting,化霜中", "aux_heater_on,电辅热"))
    assert [row["signal"] for row in found.added] == ["aux_heater_on"]
    assert [row["signal"] for row in found.gone] == ["defrosting"]


def test_a_changed_setting() -> None:
    found = compared(FILE.replace("@baud,9600", "@baud,19200"))
    assert [(c.column, c.before, c.after) for c in found.settings] == [("baud", "9600", "19200")]


def test_rows_of_one_signal_are_told_apart_by_their_condition() -> None:
    more = "\n".join(
        [
            "supply_temp_setpoint,制热,holding,3,int16,,1,0,°C,rw,25,55,1,,,,,,,,,value,,,,,mode=heating",
            "supply_temp_setpoint,自动,holding,4,int16,,1,0,°C,rw,25,55,1,,,,,,,,,value,,,,,mode=auto",
        ]
    )
    rows = [line for line in FILE.splitlines() if not line.startswith("supply_temp_setpoint")]
    before = "\n".join([*rows, more]).replace(",write_allowed,note", ",write_allowed,note,when")
    assert comparing.compare(of(before), of(before)).is_same
    found = comparing.compare(of(before), of(before.replace("holding,4,int16", "holding,5,int16")))
    assert [[c.column for c in row.cells] for row in found.changed] == [["address"]]
    assert found.changed[0].name == "自动"
