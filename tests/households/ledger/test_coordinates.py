"""Positions in cells."""

from typing import Any

import pytest

from households.ledger.cells import Told
from households.ledger.coordinates import as_of_source, coordinate, faulty, is_same, position


@pytest.mark.parametrize(
    "raw",
    [112.855, "112.855", "112.855°", "东经112.855", "112°51′18″", "112度51分18秒", "112 51 18"],
)
def test_degrees_are_read_however_they_are_written(raw: Any) -> None:
    assert coordinate(raw) == pytest.approx(112.855)


@pytest.mark.parametrize(
    "raw",
    ["112.85,35.49", "35.49，112.85", "112.85 35.49", "东经112.85 北纬35.49", "(112.85,35.49)"],
)
def test_one_cell_may_hold_both(raw: str) -> None:
    assert coordinate(raw) == (112.85, 35.49)
    assert position(coordinate(raw), None, "browser") == (112.85, 35.49)


def test_what_is_no_position_is_told_with_an_example() -> None:
    for raw in ("东边", "abc", True):
        assert coordinate(raw).severity == "mistake"


def test_one_without_the_other_is_a_mistake() -> None:
    assert position(112.85, None, "").reason == "缺纬度"
    assert position(None, 35.49, "").reason == "缺经度"
    assert position(None, None, "") is None


def test_a_pair_in_the_wrong_order_is_put_right_and_said() -> None:
    told = position(35.49, 112.85, "")
    assert isinstance(told, Told)
    assert (told.severity, told.value) == ("reminder", (112.85, 35.49))


def test_a_position_outside_the_district_is_a_mistake() -> None:
    assert position(112.85, 39.9, "").severity == "mistake"


@pytest.mark.parametrize("source", ["browser", "amap", "wechat", "baidu", "unknown", ""])
def test_what_is_exported_comes_back_as_it_was(source: str) -> None:
    kept = (112.8551234, 35.4903217)
    shown = as_of_source(*kept, source)
    assert is_same(position(*shown, source), kept)
    assert (shown == (112.855123, 35.490322)) is (source not in ("amap", "wechat", "baidu"))


@pytest.mark.parametrize(
    ("x", "y", "column"),
    [
        (12.85, 35.49, "longitude"),
        (121.47, 35.49, "longitude"),
        (None, 35.49, "longitude"),
        (112.85, 31.2, "latitude"),
        (112.85, None, "latitude"),
    ],
)
def test_the_axis_that_cannot_be_is_to_blame(x: Any, y: Any, column: str) -> None:
    assert faulty({"longitude": x, "latitude": y}) == column


def test_a_cell_that_holds_both_is_to_blame_for_both() -> None:
    assert faulty({"longitude": coordinate("112.85,39.9"), "latitude": None}) == "longitude"
    assert faulty({"position": coordinate("112.85,39.9")}) == "position"
