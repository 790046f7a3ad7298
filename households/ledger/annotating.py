"""The officer's own workbook back, with every mistake and reminder at its cell.

A file that openpyxl can hold in memory keeps its layout; a large one, or a CSV, is written anew
with the same sheets and the same row numbers. In front stands 问题清单, a list that leads to the
cells; an import passes over it.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from zipfile import ZipFile, is_zipfile

from django.utils.translation import gettext as _
from openpyxl import Workbook, load_workbook
from openpyxl.cell import MergedCell, WriteOnlyCell
from openpyxl.comments import Comment
from openpyxl.styles import Font, PatternFill
from openpyxl.utils import column_index_from_string
from openpyxl.worksheet.hyperlink import Hyperlink

from households.ledger import sheets
from households.ledger.escaping import escape
from households.ledger.reading import Row, SheetBegin, rows
from households.ledger.remarks import Remark

log = logging.getLogger(__name__)

LIST = "问题清单"
UNNAMED = "Sheet1"  # a CSV's sheet has no name
LARGEST_KEPT = 16 * 2**20  # bytes of XML in a file that keeps its layout, unpacked: some 200 MB
MOST_COMMENTS = 5000
AUTHOR = "清洁取暖管理平台"
WIDTHS = (8, 16, 8, 6, 20, 24, 44, 44)
Marks = dict[tuple[str, int], dict[int, list[Remark]]]  # by sheet and row, then by column from 1


def write(source: Path, filename: str, target: Path, remarks: Sequence[Remark]) -> None:
    """Write the annotated workbook of `source` to `target`; raises reading.Unreadable."""
    if _fits(source):
        try:
            return _kept(source, target, remarks)
        except Exception:  # an odd file that our reader reads, and openpyxl does not
            log.warning("a workbook could not keep its layout", exc_info=True)
    _rebuilt(source, filename, target, remarks)


def _fits(source: Path) -> bool:
    """Whether it is a workbook that openpyxl may hold whole. Its parts are what they say they are:
    the reader would not have read it otherwise."""
    if not is_zipfile(source):
        return False
    with ZipFile(source) as parts:
        return sum(part.file_size for part in parts.infolist()) <= LARGEST_KEPT


def _kept(source: Path, target: Path, remarks: Sequence[Remark]) -> None:
    with source.open("rb") as file:
        book = load_workbook(file, keep_links=False)
    if LIST in book.sheetnames:
        del book[LIST]
    _forget(book)
    commented = 0
    for (name, row), columns in _by_row(remarks).items():
        if name not in book.sheetnames:
            continue
        for column, said in columns.items():
            _mark(_cell_at(book[name], row, column), said, commented < MOST_COMMENTS)
            commented += 1
    _list(book.create_sheet(LIST, 0), remarks)
    book.active = 0
    for sheet in book.worksheets:
        sheet.sheet_view.tabSelected = sheet.title == LIST
    book.save(target)


def _cell_at(sheet: Any, row: int, column: int) -> Any:
    """The cell, or the upper left one of the merged range that covers it."""
    cell = sheet.cell(row, column)
    if not isinstance(cell, MergedCell):
        return cell
    around = next(area for area in sheet.merged_cells.ranges if cell.coordinate in area)
    return sheet.cell(around.min_row, around.min_col)


def _forget(book: Any) -> None:
    """Take away the marks of an earlier check: what was mended must not stay red."""
    for sheet in book.worksheets:
        for row in sheet.iter_rows():
            for cell in row:
                if cell.comment and cell.comment.text.startswith((_mark_of(True), _mark_of(False))):
                    cell.comment = None
                    cell.fill = PatternFill()


def _by_row(remarks: Sequence[Remark]) -> Marks:
    """The remarks that have a cell, in the order of the sheet."""
    marks: Marks = defaultdict(lambda: defaultdict(list))
    for remark in remarks:
        if remark.row:
            column = column_index_from_string(remark.letter) if remark.letter else 1
            marks[remark.sheet, remark.row][column].append(remark)
    return marks


def _mark(cell: Any, said: Sequence[Remark], with_comment: bool) -> None:
    wrong = any(remark.severity == "mistake" for remark in said)
    cell.fill = sheets.fill(sheets.BAD_SOFT if wrong else sheets.WARN_SOFT)
    if with_comment:
        text = "\n".join(_sentence(remark) for remark in said)
        cell.comment = Comment(text, AUTHOR, height=120, width=280)


def _sentence(remark: Remark) -> str:
    words = _("；怎么改：").join(filter(None, [remark.reason, remark.advice]))
    return _mark_of(remark.severity == "mistake") + words


def _mark_of(mistake: bool) -> str:
    return _("【错误】") if mistake else _("【提醒】")


def _list(sheet: Any, remarks: Sequence[Remark]) -> None:
    """All remarks, each leading to its cell."""
    for letter, width in zip("ABCDEFGH", WIDTHS, strict=True):
        sheet.column_dimensions[letter].width = width
    sheet.freeze_panes = "A2"
    sheets.print_across(sheet)
    sheet.append(sheets.plain_head(sheet, list_head()))
    for row, remark in enumerate(remarks, start=2):
        linked = bool(remark.row) and row < MOST_COMMENTS
        sheet.append(_list_row(sheet, remark, f"C{row}" if linked else ""))


def _address(remark: Remark) -> str:
    name = _title(remark.sheet).replace("'", "''")
    return f"'{name}'!{remark.letter or 'A'}{remark.row}"


def list_head() -> list[str]:
    return [
        _("类别"),
        _("表"),
        _("行"),
        _("列"),
        _("栏目"),
        _("填的值"),
        _("问题"),
        _("怎么改"),
    ]


def _list_row(sheet: Any, remark: Remark, link: str) -> list[Any]:
    wrong = remark.severity == "mistake"
    kind = WriteOnlyCell(sheet, _("错误") if wrong else _("提醒"))
    kind.font = Font(bold=True, color=sheets.BAD if wrong else sheets.WARN)
    kind.fill = sheets.fill(sheets.BAD_SOFT if wrong else sheets.WARN_SOFT)
    place = WriteOnlyCell(sheet, remark.row)
    if link:  # cell.hyperlink = … would lead to another file
        place._hyperlink = Hyperlink(ref=link, location=_address(remark))
        place.font = Font(color=sheets.BRAND, underline="single")
    words = (remark.letter, remark.column, remark.value, remark.reason, remark.advice)
    return [kind, escape(remark.sheet), place, *(escape(str(word or "")) for word in words)]


def _rebuilt(source: Path, filename: str, target: Path, remarks: Sequence[Remark]) -> None:
    """The same sheets and rows, without the layout: as much as a file of any size can have."""
    book = Workbook(write_only=True)
    _list(book.create_sheet(LIST), remarks)
    marks, commented, sheet, last = _by_row(remarks), 0, None, 0
    for found in rows(source, filename):
        if isinstance(found, SheetBegin):
            sheet, last = book.create_sheet(_title(found.name)), 0
        elif isinstance(found, Row) and sheet is not None and sheet.title != LIST:
            for _gap in range(last + 1, found.number):
                sheet.append([])
            columns = marks.get((found.sheet, found.number), {})
            sheet.append(_marked(sheet, found, columns, commented < MOST_COMMENTS))
            commented += len(columns)
            last = found.number
    book.save(target)


def _title(name: str) -> str:
    return name or UNNAMED


def _marked(
    sheet: Any, row: Row, columns: dict[int, list[Remark]], with_comments: bool
) -> list[Any]:
    cells: list[Any] = [escape(cell) if isinstance(cell, str) else cell for cell in row.cells]
    cells += [None] * (max(columns, default=0) - len(cells))
    for column, said in columns.items():
        cell = WriteOnlyCell(sheet, cells[column - 1])
        _mark(cell, said, with_comments)
        cells[column - 1] = cell
    return cells
