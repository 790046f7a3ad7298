"""How our workbooks look: one head, widths, formats and printed page for all that are written.

Works on ordinary sheets and on those that are only written: everything is set before the first row.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.page import PageMargins

from households.ledger.escaping import escape

if TYPE_CHECKING:
    from households.ledger.columns import Column
    from households.ledger.tables import Kind

TEXT = "@"
DAY = "yyyy-mm-dd"
GENERAL = "General"
# A required head is marked by its format: the cell itself holds the head and nothing else.
REQUIRED = '@" *"'
EXAMPLE = "示例"  # in the first cell of a row that an import passes over
OPTIONS = "选项"
WORDS = "说明"
PAGE_WIDTH = 160  # of columns that are still read on one A4 across

# Tokens of the look: ink, ink-2, line, sunk, brand-soft, brand, bad, bad-soft, warn, warn-soft.
INK, INK_2, LINE, SUNK, SOFT = "18242F", "45545F", "C9D2DA", "EDF1F4", "E6EFF8"
BRAND = "1559A6"
BAD, BAD_SOFT, WARN, WARN_SOFT = "B3261E", "FBE9E7", "8A5000", "FCF0D9"
THIN = Side(style="thin", color=LINE)
BOX = Border(left=THIN, right=THIN, top=THIN, bottom=THIN)


def fill(color: str) -> PatternFill:
    return PatternFill("solid", start_color=color, end_color=color)


def number_format(column: Column) -> str:
    """By the type of the column's example. Numbers of phones and papers are texts: a leading zero
    stays, and a long one never turns into 1.38E+10."""
    if isinstance(column.example, date) or column.key.endswith("_on"):
        return DAY
    return GENERAL if isinstance(column.example, int | float) else TEXT


def offered(kind: Kind) -> list[Column]:
    """The columns that templates and exports show; others are only understood at an import."""
    return [column for column in kind.columns if column.offered]


def set_up(sheet: Any, columns: Sequence[Column], frozen: str = "B2") -> None:
    """Widths, formats of the empty cells below, the head frozen and repeated, A4 across."""
    for place, column in enumerate(columns, start=1):
        dimension = sheet.column_dimensions[get_column_letter(place)]
        dimension.width = column.width
        dimension.number_format = number_format(column)
    sheet.freeze_panes = frozen
    print_across(sheet, pages=-(-sum(column.width for column in columns) // PAGE_WIDTH))


def print_across(sheet: Any, pages: int = 1) -> None:
    """A4 landscape, so many pages wide, the head on each and the first column on every one."""
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = 9
    sheet.page_setup.fitToWidth = pages
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.page_margins = PageMargins(left=0.47, right=0.47, top=0.59, bottom=0.7, footer=0.35)
    sheet.print_title_rows = "1:1"
    if pages > 1:
        sheet.print_title_cols = "A:A"
    sheet.oddFooter.center.text = "&P / &N"


def head(sheet: Any, columns: Iterable[Column]) -> list[Any]:
    """The cells of the head; a required one is tinted and marked with a star."""
    return [_head_cell(sheet, column.head, column.required) for column in columns]


def plain_head(sheet: Any, words: Iterable[str]) -> list[Any]:
    return [_head_cell(sheet, word, required=False) for word in words]


def _head_cell(sheet: Any, text: str, required: bool) -> Any:
    cell = WriteOnlyCell(sheet, text)
    cell.font = Font(bold=True, color=INK)
    cell.fill = fill(SOFT if required else SUNK)
    cell.border = BOX
    cell.alignment = Alignment(horizontal="center", vertical="center", wrap_text=True)
    cell.number_format = REQUIRED if required else GENERAL
    return cell


class Line:
    """One row's cells, made once and filled again for each row: styles are costly to make.

    For sheets that are only written: what was appended is on the disk already.
    """

    def __init__(self, sheet: Any, columns: Sequence[Column]) -> None:
        self.cells = [WriteOnlyCell(sheet) for _ in columns]
        for cell, column in zip(self.cells, columns, strict=True):
            cell.number_format = number_format(column)

    def filled(self, values: Sequence[Any]) -> list[Any]:
        """Nothing stands for an empty cell: its column has the format already."""
        for cell, value in zip(self.cells, values, strict=True):
            if value is not None:
                cell.value = escape(value) if isinstance(value, str) else value
        return [
            cell if value is not None else None
            for cell, value in zip(self.cells, values, strict=True)
        ]
