"""Register-map files of a few rows, written out as a supplier would."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

from devices.modbus import pointmap
from devices.modbus.pointmap import PointMap
from devices.modbus.points import Point

SETTINGS = {"maker": "某厂", "model": "M-1", "kind": "other", "medium": "water"}
ALL_FUNCTIONS = {"read_functions": "1 2 3 4", "write_functions": "5 6 15 16"}
Cells = dict[str, object]


def csv_of(rows: Sequence[Sequence[object]]) -> bytes:
    file = io.StringIO(newline="")
    csv.writer(file).writerows(rows)
    return file.getvalue().encode()


def table_of(*points: Cells, **settings: object) -> list[list[object]]:
    """The rows of a file: settings, heads, points. Heads are those that the points use."""
    stated = SETTINGS | ALL_FUNCTIONS | settings
    heads = list(
        dict.fromkeys(["signal", "area", "address", "type", *(h for p in points for h in p)])
    )
    usual: Cells = {"area": "holding"}
    return [
        *([f"@{name}", value] for name, value in stated.items() if value is not None),
        list(heads),
        *([(usual | point).get(head, "") for head in heads] for point in points),
    ]


def file_of(*points: Cells, **settings: object) -> bytes:
    return csv_of(table_of(*points, **settings))


def map_of(*points: Cells, **settings: object) -> PointMap:
    return pointmap.load(file_of(*points, **settings), "test.csv")


def point_of(**cells: Any) -> Point:
    """One point; of a holding register at 0 named x unless the cells say otherwise."""
    return map_of({"signal": "x", "address": 0, **cells}).points[0]


def mistakes_of(*points: Cells, **settings: object) -> list[tuple[int | None, str, str]]:
    """Row, column and reason of every mistake."""
    report = pointmap.check(file_of(*points, **settings), "test.csv")
    assert (report.map is None) == bool(report.mistakes)
    return [(found.row, found.column, found.reason) for found in report.mistakes]


def reminders_of(*points: Cells, **settings: object) -> list[tuple[int | None, str]]:
    """Row and column of every reminder about a map that is right."""
    report = pointmap.check(file_of(*points, **settings), "test.csv")
    assert report.mistakes == []
    return [(found.row, found.column) for found in report.warnings]
