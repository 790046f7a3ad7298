"""A register map as the editor shows it: every setting, then rows of all columns as text.

Unlike a `PointMap` it may be full of mistakes. As a file it has each known setting in its own row,
so that the rows of the points have the same numbers in the editor, in the findings and in what is
downloaded.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from itertools import pairwise
from typing import Any

from devices.modbus import mapfile, pointmap
from devices.modbus.cells import CellRefused
from devices.modbus.mapcolumns import HEADS, column_of
from devices.modbus.mapfile import Row
from devices.modbus.mapsettings import Settings
from devices.modbus.words import N_

COLUMNS = tuple(HEADS)
SETTINGS = tuple(item.name for item in fields(Settings))
MAX_POINTS = 1_000
MAX_SETTINGS = 60
_NEEDED = {"signal", "address"}


class NoSheet(Exception):
    """These rows have no head that makes them a register map: they are a maker's own list."""


@dataclass
class Sheet:
    """`settings` are pairs of name and text, the known ones first and in their order; `points`
    have a text for each of COLUMNS."""

    settings: list[list[str]] = field(default_factory=lambda: [[name, ""] for name in SETTINGS])
    points: list[list[str]] = field(default_factory=list)

    @property
    def first_row(self) -> int:
        """The number of the first point's row."""
        return len(self.settings) + 2

    def content(self) -> str:
        """As a file."""
        rows = [list(row) for row in self.points]
        used = [n for n, column in enumerate(COLUMNS) if column in _NEEDED or _filled(rows, n)]
        head = [COLUMNS[n] for n in used]
        settings = [[f"@{name}", text] for name, text in self.settings]
        return mapfile.written([*settings, head, *([row[n] for n in used] for row in rows)])

    def setting(self, name: str) -> str:
        """A setting's text; "" where it is not given."""
        return next((text for known, text in self.settings if known == name), "")

    def cells(self, row: int) -> dict[str, str]:
        """The cells of a point by column; `row` as in the file."""
        return dict(zip(COLUMNS, self.points[row - self.first_row], strict=True))

    def as_json(self) -> dict[str, object]:
        """For the editor."""
        return {"settings": self.settings, "points": self.points}


def _filled(rows: list[list[str]], n: int) -> bool:
    return any(row[n] for row in rows)


def read(data: bytes, filename: str) -> Sheet:
    """The sheet of a register-map file; raises CellRefused of a file that cannot be read, and
    NoSheet where its heads are not ours."""
    return of_rows(mapfile.read_rows(data, filename))


def of_rows(rows: Sequence[Row]) -> Sheet:
    """The sheet of a file's rows; raises NoSheet, and CellRefused where there are too many."""
    table = [row for row in rows if not row.cells[0].startswith("@")]
    if not table:
        raise NoSheet
    heads = [column_of(head) if head else None for head in table[0].cells]
    known = [head for head in heads if head]
    strange = [text for text, head in zip(table[0].cells, heads, strict=True) if text and not head]
    if strange or len(set(known)) < len(known) or _NEEDED - set(known):
        raise NoSheet
    settings = [row.cells for row in rows if row.cells[0].startswith("@")]
    return Sheet(_settings(settings), _points(table, heads))


def _settings(rows: Sequence[tuple[str, ...]]) -> list[list[str]]:
    given = [[_plain_name(row[0]), clean(_first(row[1:]))] for row in rows]
    first: dict[str, str] = {}
    more = []
    for name, text in given:
        if name in SETTINGS and name not in first:
            first[name] = text
        else:
            more.append([name, text])
    if len(SETTINGS) + len(more) > MAX_SETTINGS:
        raise CellRefused(N_("设置项过多：请删去平台没有的"))
    return [[name, first.get(name, "")] for name in SETTINGS] + more


def _first(cells: Sequence[str]) -> str:
    """Function codes are seen in cells of their own: `@read_functions,3,4`."""
    return " ".join(cell for cell in cells if cell)


def _points(table: Sequence[Row], heads: Sequence[str | None]) -> list[list[str]]:
    points: list[list[str]] = []
    for before, row in pairwise(table):
        points += [[""] * len(COLUMNS)] * (row.number - before.number - 1)
        found = dict(zip(heads, row.cells, strict=False))
        points.append([clean(found.get(column) or "") for column in COLUMNS])
    return _bounded(points)


def _bounded(points: list[list[str]]) -> list[list[str]]:
    if len(points) > MAX_POINTS:
        raise CellRefused(N_("点超过 %(limit)s 行：请只留平台要读写的"), limit=MAX_POINTS)
    return points


def of_json(asked: Any) -> Sheet:
    """What the editor sent; raises CellRefused for anything but texts in bounds."""
    settings, points = (
        asked.get(key) if isinstance(asked, dict) else None for key in ("settings", "points")
    )
    rows = _texts(settings, 2, MAX_SETTINGS), _texts(points, len(COLUMNS), MAX_POINTS)
    sheet = Sheet([[_plain_name(name), text] for name, text in rows[0]], rows[1])
    for point in sheet.points:
        point[0] = point[0].lstrip("@")  # that begins a setting
    if len(sheet.content().encode()) > mapfile.MAX_BYTES:
        raise CellRefused(N_("文件超过 %(limit)s 字节"), limit=mapfile.MAX_BYTES)
    return sheet


def _plain_name(text: str) -> str:
    return clean(text.removeprefix("@")).lower()


def clean(text: str) -> str:
    """A cell on one line, without signs that a text file cannot have."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())


def _texts(rows: object, columns: int, most: int) -> list[list[str]]:
    """Rows of so many texts each."""
    if not isinstance(rows, list):
        raise CellRefused(N_("不是点表的内容"))
    if len(rows) > most:
        raise CellRefused(N_("点超过 %(limit)s 行：请只留平台要读写的"), limit=most)
    found = []
    for row in rows:
        if not (isinstance(row, list) and len(row) == columns and all(map(_is_text, row))):
            raise CellRefused(N_("不是点表的内容"))
        found.append([clean(text) for text in row])
    return found


def _is_text(cell: object) -> bool:
    return isinstance(cell, str) and len(cell) <= mapfile.MAX_CELL


def of_map(point_map: pointmap.PointMap) -> Sheet:
    """A finished map, to be read and written on: what goes without saying is not said."""
    whole = read(point_map.to_csv().encode(), "map.csv")
    brief = Sheet(whole.settings, [_brief(point) for point in whole.points])
    again = pointmap.check(brief.content().encode(), "map.csv").map
    return brief if again and again.digest == point_map.digest else whole


# What a cell says when it is blank: as another column, or one of these texts.
_AS = {
    "write_area": "area",
    "write_address": "address",
    "write_type": "type",
    "write_order": "order",
    "write_scale": "scale",
    "write_offset": "offset",
    "write_mask": "mask",
    "write_enum": "enum",
}
_USUAL = {"order": ("AB",), "offset": ("0",), "write_delay_s": ("2", "1")}


def _brief(point: list[str]) -> list[str]:
    cells = dict(zip(COLUMNS, point, strict=True))
    for column, other in _AS.items():
        if _labels(cells[column]) == _labels(cells[other]):
            cells[column] = ""
    for column, usual in _USUAL.items():
        is_pulse = cells["write_method"] == "pulse"
        if cells[column] in (usual[is_pulse:][:1] if column == "write_delay_s" else usual):
            cells[column] = ""
    return list(cells.values())


def _labels(text: str) -> str:
    """A list without severities, which are not written to a device."""
    return re.sub(r"!(critical|warn|info)(?=;|$)", "", text)
