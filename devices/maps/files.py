"""Register maps as files to take away: CSV and XLSX, the template too."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Sequence

from django.http import HttpResponse
from django.utils.http import content_disposition_header
from openpyxl import Workbook
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from devices.modbus import mapcolumns, mapfile, rawtypes
from devices.modbus.cells import AREAS
from devices.modbus.mapcolumns import METHODS, column_of
from households.ledger.escaping import escape

KINDS = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_CHOICES: dict[str, Sequence[str]] = {
    "area": [word for word in AREAS if word.isascii()],
    "type": rawtypes.NUMBER_TYPES,
    "order": (*rawtypes.ORDERS_32, *rawtypes.ORDERS_16),
    "access": ("r", "w", "rw"),
    "write_method": METHODS,
}
_LIST_ROWS = 500  # rows under the head that have drop-downs


def response(content: str, name: str, kind: str) -> HttpResponse:
    """A map's CSV text as a download. CSV bears the mark by which office programs know UTF-8; in
    XLSX every cell is text, so that `@baud` or `=1+1` is nothing to be worked out."""
    data = _escaped(content).encode("utf-8-sig") if kind == "csv" else workbook(content)
    answer = HttpResponse(data, content_type=KINDS[kind])
    answer["Content-Disposition"] = str(content_disposition_header(True, f"{name}.{kind}"))
    return answer


def _escaped(content: str) -> str:
    """CSV text without formulas, which `sheet.of_rows` undoes; settings and numbers stay."""
    rows = mapfile.read_rows(content.encode(), "map.csv")
    return mapfile.written([_safe(text, place) for place, text in enumerate(r.cells)] for r in rows)


def _safe(text: str, place: int) -> str:
    is_setting = place == 0 and re.fullmatch(r"@\w+", text)
    is_number = re.fullmatch(r"[+-]?\d+(\.\d+)?", text)
    return text if is_setting or is_number else escape(text)


def template(kind: str) -> HttpResponse:
    """An empty map to fill in."""
    return response(mapcolumns.template(), "点表模板", kind)


def workbook(content: str) -> bytes:
    """CSV text as a workbook of one sheet, with drop-downs for the columns that have choices."""
    rows = mapfile.read_rows(content.encode(), "map.csv")
    book = Workbook()
    sheet = book.active
    sheet.title = "点表"
    head = next((row for row in rows if not row.cells[0].startswith("@")), None)
    for row in rows:
        for place, text in enumerate(row.cells, 1):
            cell = sheet.cell(row.number, place)
            cell.value, cell.data_type = text, "s"
            cell.font = Font(bold=row is head)
    if head is not None:
        for validation in _drop_downs(head.cells, head.number):
            sheet.add_data_validation(validation)
    for place in range(1, sheet.max_column + 1):
        sheet.column_dimensions[get_column_letter(place)].width = 22 if place <= 2 else 13
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _drop_downs(heads: Sequence[str], number: int) -> Iterable[DataValidation]:
    """Suggestions: what else may stand there (ascii:16) is not refused by the workbook."""
    for place, head in enumerate(heads, 1):
        choices = _CHOICES.get(column_of(head) or "")
        if choices:
            letter = get_column_letter(place)
            validation = DataValidation("list", f'"{",".join(choices)}"', showErrorMessage=False)
            validation.add(f"{letter}{number + 1}:{letter}{number + _LIST_ROWS}")
            yield validation
