"""The rows that were not imported, as a workbook of their own: mended, it is sent in again.

Same kinds of sheets and heads as the template, cells as they were typed, and a column that says
what is wrong; an import passes over that column.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.utils import get_column_letter

from households.ledger import sheets
from households.ledger.columns import Column
from households.ledger.escaping import escape
from households.ledger.remarks import Remark
from households.ledger.tables import Record, tables

REMARKS = "问题说明"  # head of the column that an import passes over
WIDTH = 60
Wrong = tuple[Record, list[Remark]]


def write(source: Path, filename: str, target: Path, mistakes: Sequence[Remark]) -> int:
    """Write the rows of `source` that have one of these mistakes; answers how many."""
    wrong: dict[tuple[str, int], list[Remark]] = defaultdict(list)
    for remark in mistakes:
        if remark.row:
            wrong[remark.sheet, remark.row].append(remark)
    found: dict[str, list[Wrong]] = defaultdict(list)
    for record in tables(source, filename):
        if isinstance(record, Record) and (said := wrong.get((record.sheet, record.row))):
            found[record.kind.key].append((record, said))
    book = Workbook(write_only=True)
    for rows in found.values():
        _write_sheet(book, rows)
    if not found:
        book.create_sheet(sheets.WORDS)  # a workbook needs a sheet
    book.save(target)
    return sum(map(len, found.values()))


def _write_sheet(book: Any, rows: Sequence[Wrong]) -> None:
    """The rows of one kind, with the columns that any of their tables has."""
    kind = rows[0][0].kind
    there = {key for record, _said in rows for key in (*record.places, *record.values)}
    columns = [column for column in kind.columns if column.key in there]
    sheet = book.create_sheet(kind.label)
    sheets.set_up(sheet, columns)
    sheet.column_dimensions[get_column_letter(len(columns) + 1)].width = WIDTH
    sheet.append([*sheets.head(sheet, columns), *sheets.plain_head(sheet, [REMARKS])])
    for record, said in rows:
        heads = {remark.column for remark in said}
        cells = [_cell(sheet, record, column, heads) for column in columns]
        sheet.append([*cells, escape(_words(said))])


def _cell(sheet: Any, record: Record, column: Column, wrong: Collection[str]) -> Any:
    value = record.values.get(column.key)
    cell = WriteOnlyCell(sheet, escape(value) if isinstance(value, str) else value)
    if isinstance(value, str):
        cell.number_format = sheets.TEXT
    if {column.head, record.table.heads.get(column.key)} & set(wrong):
        cell.fill = sheets.fill(sheets.BAD_SOFT)
    return cell


def _words(said: Sequence[Remark]) -> str:
    form = _("%(head)s：%(reason)s，%(advice)s")
    return _("；").join(
        form % {"head": one.column, "reason": one.reason, "advice": one.advice} for one in said
    )
