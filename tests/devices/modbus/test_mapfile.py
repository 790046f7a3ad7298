"""The bytes of a register-map file: encodings, sheets, sizes, and what is no such file."""

from __future__ import annotations

import io
import zipfile

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from devices.modbus import mapcolumns, mapfile, pointmap
from devices.modbus.pointmap import PointMap
from tests.devices.modbus.written_maps import Cells, csv_of, file_of, map_of, table_of

POINTS: tuple[Cells, ...] = (
    {"signal": "supply_temp", "address": 100, "type": "int16", "scale": "0.1", "name": "供水温度"},
    {"signal": "mode", "address": "0x64", "type": "uint16", "enum": "0=off;1=heating"},
)
MEANT = map_of(*POINTS)


def workbook_of(rows: list[list[object]]) -> bytes:
    book = Workbook()
    for row in rows:
        book.active.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def bare(**cells: object) -> list[list[object]]:
    """A file of one point with these cells, in numbers where a sheet has numbers."""
    return table_of({"signal": "x", "address": 7, "type": "uint16", **cells})


def loaded(data: bytes, filename: str = "map.csv") -> PointMap:
    return pointmap.load(data, filename)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_a_csv_file_of_either_encoding_means_the_same(encoding: str, line_end: str) -> None:
    text = file_of(*POINTS).decode().replace("\r\n", line_end)
    assert loaded(text.encode(encoding)) == MEANT


def test_the_first_sheet_of_a_workbook_means_the_same() -> None:
    book = Workbook()
    for row in table_of(*POINTS):
        book.active.append(row)
    book.create_sheet("说明").append(["signal", "nonsense"])
    file = io.BytesIO()
    book.save(file)
    assert loaded(file.getvalue(), "点表.xlsx") == MEANT


def test_what_a_file_is_follows_from_its_content_not_its_name() -> None:
    assert loaded(workbook_of(table_of(*POINTS)), "map.csv") == MEANT


def test_numbers_of_a_sheet_are_read_as_it_shows_them() -> None:
    rows = [["@baud", 4800.0], *bare(scale=0.1, offset=-50.0)]
    map = loaded(workbook_of(rows))
    point = map.points[0]
    assert map.settings.baud == 4800
    assert (point.address, str(point.scale), str(point.offset)) == (7, "0.1", "-50")


def test_a_formula_that_was_never_worked_out_is_shown_as_a_mistake() -> None:
    report = pointmap.check(workbook_of(bare(address="=A1+1")), "map.xlsx")
    assert [(found.column, found.value) for found in report.mistakes] == [("address", "=A1+1")]


@pytest.mark.parametrize("as_file", [csv_of, workbook_of])
def test_rows_are_numbered_as_the_file_shows_them(as_file: object) -> None:
    table = bare(scale="abc")
    heads = len(table) - 1
    rows = [[], *table[:1], [None, ""], *table[1:heads], [], *table[heads:]]
    report = pointmap.check(as_file(rows), "map")  # type: ignore[operator]
    assert [(found.row, found.column) for found in report.mistakes] == [(len(rows), "scale")]


def test_a_line_break_inside_a_cell_does_not_move_the_rows_behind_it() -> None:
    table = table_of(
        {"signal": "a", "address": 1, "type": "uint16", "note": "一\n二"},
        {"signal": "b", "address": 2, "type": "uint17"},
    )
    report = pointmap.check(csv_of(table), "map.csv")
    assert [found.row for found in report.mistakes] == [len(table)]


def test_trailing_empty_cells_mean_nothing() -> None:
    rows = [[*row, "", "", ""] for row in table_of(*POINTS)]
    assert loaded(csv_of(rows)) == MEANT


def test_a_setting_below_the_header_is_a_setting_too() -> None:
    map = loaded(csv_of([*table_of(*POINTS), ["@baud", 4800]]))
    assert map.settings.baud == 4800


# --- what is no such file ------------------------------------------------------------------------


def zip_of(name: str, content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return file.getvalue()


NO_MAPS = {
    "empty": b"",
    "blank": b" \r\n \n",
    "binary": bytes(range(256)) * 20,
    "utf16": "@maker,某厂\n".encode("utf-16"),
    "old xls": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600,
    "zip that is no workbook": zip_of("a.txt", b"hello"),
    "truncated workbook": workbook_of(table_of(*POINTS))[:900],
    "bomb": zip_of("xl/worksheets/sheet1.xml", b"0" * (mapfile.MAX_UNPACKED + 1)),
    "too big": b"a,b\n" * (mapfile.MAX_BYTES // 4 + 1),
    "too long": b"a,b\n" * (mapfile.MAX_ROWS + 1),
    "too wide": b",".join([b"x"] * (mapfile.MAX_COLUMNS + 1)),
    "huge cell": b"@maker," + b"x" * (mapfile.MAX_CELL + 1),
    "giant cell": b"@maker," + b"x" * 200_000,
    "open quote": b'@maker,"x\nsignal,area\n',
}


@pytest.mark.parametrize("what", NO_MAPS)
def test_what_is_no_register_map_gets_one_mistake_for_the_whole_file(what: str) -> None:
    report = pointmap.check(NO_MAPS[what], "点表.csv")
    (mistake,) = report.mistakes
    assert mistake.row is None and mistake.value == "点表.csv" and mistake.reason
    assert report.map is None


def test_a_bomb_is_refused_for_its_size_before_it_is_unpacked() -> None:
    (mistake,) = pointmap.check(NO_MAPS["bomb"], "点表.xlsx").mistakes
    assert mistake.reason == "XLSX 文件展开后过大"


def test_a_table_without_a_known_head_gets_one_mistake_for_its_header() -> None:
    data = csv_of([*table_of(*POINTS)[:4], ["北岳热泵点表", "", "2020"], ["x", "y", "z"]])
    mistakes = pointmap.check(data, "map.csv").mistakes
    assert [found.row for found in mistakes] == [5]


def test_no_header_and_no_points_is_said() -> None:
    settings_only = csv_of(table_of(*POINTS)[:6])
    with_header = csv_of(table_of(*POINTS)[:7])
    for data in (settings_only, with_header):
        assert [found.row for found in pointmap.check(data, "map.csv").mistakes] == [None]


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400))
@example(b"PK\x03\x04")
def test_no_bytes_whatever_make_the_check_fail(data: bytes) -> None:
    assert pointmap.check(data, "x.csv").mistakes


ODDITIES = """
0 1 -1 65535 65536 0x64 64H 1e9 nan inf 40001 １２ %s %(x)s @baud @ 5! !critical 1=a!b none
holding coil int16 float32 bits bitfield16 ascii:4 datetime:unix datetime:YMD rw CDAB BA pulse
0=off;1=on mode=heating holding:1=2 fault. fault_bits.1
"""
CELL = st.one_of(
    st.sampled_from([*mapcolumns.HEADS, *mapcolumns.HEADS.values()]),
    st.sampled_from(ODDITIES.split()),
    st.text(max_size=6),
)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.sampled_from(list(mapcolumns.HEADS)), unique=True, max_size=12),
    st.lists(st.lists(CELL, max_size=14), max_size=8),
)
def test_no_table_whatever_makes_the_check_fail(heads: list[str], rows: list[list[object]]) -> None:
    table: list[list[object]] = [
        *table_of()[:6],
        ["signal", "address", "type", "area", *heads],
        *rows,
    ]
    report = pointmap.check(csv_of(table), "x.csv")
    for found in report.mistakes + report.warnings:
        assert found.reason
        assert found.row is None or 1 <= found.row <= len(table)
    assert (report.map is None) == bool(report.mistakes)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 0xFFFF), st.integers(0, 255)), min_size=1, max_size=10))
def test_no_damage_to_a_workbook_makes_the_check_fail(damage: list[tuple[int, int]]) -> None:
    book = bytearray(workbook_of(table_of(*POINTS)))  # its size varies: it says when it was made
    for place, byte in damage:
        book[place % len(book)] = byte
    report = pointmap.check(bytes(book), "x.xlsx")
    assert (report.map is None) == bool(report.mistakes)
