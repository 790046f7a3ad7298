"""Heads and words of a register map, in either language."""

from __future__ import annotations

import pytest

from devices.modbus import mapcolumns, pointmap
from tests.devices.modbus.written_maps import (
    SETTINGS,
    Cells,
    csv_of,
    map_of,
    mistakes_of,
    point_of,
    table_of,
)

X: Cells = {"signal": "x", "address": 1, "type": "uint16"}
MODE: Cells = {"signal": "mode", "address": 9, "type": "uint16", "enum": "0=off;1=heating"}
HEADER_ROW = len(table_of(X)) - 1  # in a file with the usual settings


def test_chinese_heads_and_words_mean_the_same() -> None:
    english = map_of({**MODE, "name": "模式", "access": "rw", "write_allowed": "heating"})
    table = table_of({**MODE, "name": "模式", "access": "读写", "write_allowed": "heating"})
    table[-2] = [mapcolumns.HEADS[str(head)] for head in table[-2]]
    table[-1] = ["运行模式状态" if cell == "mode" else cell for cell in table[-1]]
    table[-1] = ["保持寄存器" if cell == "holding" else cell for cell in table[-1]]
    assert pointmap.load(csv_of(table), "x.csv") == english


@pytest.mark.parametrize(
    ("text", "access"),
    [("R", "r"), ("W", "w"), ("RW", "rw"), ("只读", "r"), ("只写", "w"), ("读写", "rw"), ("", "r")],
)
def test_access_is_told_in_either_language(text: str, access: str) -> None:
    assert point_of(type="uint16", access=text).access == access


@pytest.mark.parametrize("column", mapcolumns.HEADS)
def test_every_column_has_a_chinese_head_and_both_may_stand_together(column: str) -> None:
    chinese = mapcolumns.HEADS[column]
    for head in (column, column.upper(), chinese, f"{chinese} {column}", f"{chinese}（{column}）"):
        assert mapcolumns.column_of(head) == column


def test_the_template_carries_both_heads_and_becomes_a_map_once_filled_in() -> None:
    lines = mapcolumns.template().splitlines()
    assert "信号 signal,名称 name" in lines[4]
    filled = [f"{line}{SETTINGS[line.strip('@,')]}" for line in lines[:4]]
    text = "\n".join([*filled, lines[4], "supply_temp,供水,holding,100,int16"])
    assert pointmap.load(text.encode(), "x.csv").point("supply_temp").address == 100


@pytest.mark.parametrize("separator", [";", "; ", " ", "；"])
def test_members_of_a_list_stand_apart_by_semicolon_or_space(separator: str) -> None:
    point = point_of(type="uint16", enum=separator.join(["0=off", "0x01=heating!warn", "2=a b"]))
    assert dict(point.enum) == {0: "off", 1: "heating", 2: "a b"}
    assert dict(point.severity) == {"heating": "warn"}


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("℃", "°C"),
        ("°C", "°C"),
        ("degC", "°C"),
        ("m³", "m3"),
        ("m^3", "m3"),
        ("m3", "m3"),
        ("kWh", "kWh"),
    ],
)
def test_spellings_of_a_unit_are_one(written: str, shown: str) -> None:
    assert point_of(type="uint16", unit=written).unit == shown


def test_a_unit_left_blank_is_the_platforms() -> None:
    assert map_of({**X, "signal": "electric_energy", "type": "uint32"}).points[0].unit == "kWh"


def test_an_unknown_column_is_refused_by_its_own_name() -> None:
    (found,) = mistakes_of({**X, "colour": "red"})
    assert found[:2] == (HEADER_ROW, "colour")


def test_a_column_that_stands_twice_is_refused() -> None:
    table = table_of(X)
    table[-2].append("地址")
    (found,) = pointmap.check(csv_of(table), "x.csv").mistakes
    assert (found.row, found.column) == (HEADER_ROW, "地址")


@pytest.mark.parametrize("column", ["signal", "address"])
def test_a_column_that_no_map_can_lack_is_asked_for(column: str) -> None:
    table = table_of(X)
    place = table[-2].index(column)
    report = pointmap.check(
        csv_of([[*r[:place], *r[place + 1 :]] if len(r) > 2 else r for r in table]), "x.csv"
    )
    assert [(found.row, found.column) for found in report.mistakes] == [(HEADER_ROW, column)]


def test_a_cell_under_no_head_is_refused() -> None:
    table = table_of(X)
    table[-1].append("9")
    (found,) = pointmap.check(csv_of(table), "x.csv").mistakes
    assert (found.row, found.value) == (HEADER_ROW + 1, "9")


def test_a_mistake_names_the_column_as_the_file_heads_it() -> None:
    table = table_of({**X, "scale": "abc"})
    table[-2] = [mapcolumns.HEADS[str(head)] for head in table[-2]]
    (found,) = pointmap.check(csv_of(table), "x.csv").mistakes
    assert (found.row, found.column, found.value) == (HEADER_ROW + 1, "倍率", "abc")
    assert found.reason == "应为数字"
