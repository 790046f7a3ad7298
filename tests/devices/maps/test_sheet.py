"""A register map as rows of text: what the editor gets and sends."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.maps import sheet
from devices.maps.sheet import COLUMNS, NoSheet, Sheet
from devices.modbus import pointmap
from devices.modbus.cells import CellRefused
from tests.cast import MAPS

FILES = sorted(MAPS.glob("*.csv"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_map_taken_into_the_editor_and_out_again_means_the_same(file: object) -> None:
    before = pointmap.load(file.read_bytes(), "map.csv")  # type: ignore[attr-defined]
    written = sheet.of_map(before)
    assert pointmap.load(written.content().encode(), "map.csv").digest == before.digest


def test_what_goes_without_saying_is_not_said() -> None:
    written = sheet.of_map(pointmap.load((MAPS / "chennuan-cn-w10.csv").read_bytes(), "a.csv"))
    row = next(n for n, point in enumerate(written.points) if point[0] == "indoor_temp_setpoint")
    cells = written.cells(written.first_row + row)
    assert cells["write_method"] == "value"
    assert (cells["write_address"], cells["write_type"], cells["offset"]) == ("", "", "")


def test_rows_have_the_numbers_that_the_file_has() -> None:
    written = sheet.of_map(pointmap.load((MAPS / "chennuan-cn-w10.csv").read_bytes(), "a.csv"))
    lines = list(csv.reader(io.StringIO(written.content())))
    assert lines[written.first_row - 1][0] == written.points[0][0] == "supply_temp"


def test_blank_rows_between_points_stay() -> None:
    text = "@maker,甲\nsignal,address\nsupply_temp,100\n,\nreturn_temp,101\n"
    assert [point[0] for point in sheet.read(text.encode(), "a.csv").points] == [
        "supply_temp",
        "",
        "return_temp",
    ]


def test_settings_unknown_and_repeated_stay_and_are_found() -> None:
    text = "@maker,甲\n@colour,red\n@maker,乙\nsignal,address\nsupply_temp,100\n"
    written = sheet.read(text.encode(), "a.csv")
    assert written.setting("maker") == "甲"
    assert written.settings[-2:] == [["colour", "red"], ["maker", "乙"]]


def test_function_codes_in_cells_of_their_own_come_together() -> None:
    written = sheet.read(b"@read_functions,3,4\nsignal,address\na,1\n", "a.csv")
    assert written.setting("read_functions") == "3 4"


@pytest.mark.parametrize(
    "text", ["名称,寄存器\n水温,100\n", "signal,address,颜色\na,1,红\n", "signal,name\na,b\n"]
)
def test_other_heads_make_no_sheet(text: str) -> None:
    with pytest.raises(NoSheet):
        sheet.read(text.encode(), "a.csv")


def point(**cells: str) -> list[str]:
    return [cells.get(column, "") for column in COLUMNS]


def sent(*points: list[str]) -> dict[str, object]:
    return {**Sheet().as_json(), "points": list(points)}


@pytest.mark.parametrize(
    "asked",
    [
        None,
        [],
        {"settings": [], "points": "x"},
        {"settings": [["baud"]], "points": []},
        sent(["too short"]),
        sent([1] * len(COLUMNS)),  # type: ignore[list-item]
        sent(*[point(signal="a")] * (sheet.MAX_POINTS + 1)),
        sent(point(note="x" * 4_001)),
        sent(*[point(**{column: "字" * 4_000 for column in COLUMNS[:20]})] * 10),
    ],
)
def test_anything_but_texts_in_bounds_is_refused(asked: object) -> None:
    with pytest.raises(CellRefused):
        sheet.of_json(asked)


CELLS = st.text(max_size=12)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(CELLS, min_size=35, max_size=35), max_size=4), CELLS, CELLS)
def test_whatever_is_typed_can_be_kept_and_read_again(
    points: list[list[str]], name: str, text: str
) -> None:
    assert len(COLUMNS) == 35
    asked = {"settings": [*Sheet().settings, [name, text]], "points": points}
    written = sheet.of_json(asked)
    again = sheet.read(written.content().encode(), "draft.csv")
    kept = [row for row in written.points if any(row)]
    assert [row for row in again.points if any(row)] == kept
    pointmap.check(written.content().encode(), "draft.csv")
