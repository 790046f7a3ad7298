"""The bytes of a register-map file as rows of text: CSV (UTF-8 or GB18030) or XLSX.

Rows carry the number that a spreadsheet shows beside them: blank rows count, and a cell with a
line break in it is still one row. Sizes are bounded before anything is unpacked.
"""

from __future__ import annotations

import csv
import io
import warnings
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice, zip_longest
from typing import Any

from openpyxl import load_workbook

from devices.modbus.cells import CellRefused
from devices.modbus.words import N_

MAX_BYTES = 2_000_000
MAX_UNPACKED = 16_000_000
MAX_ROWS = 5_000
MAX_COLUMNS = 100
MAX_CELL = 4_000


@dataclass(frozen=True, slots=True)
class Row:
    """One row that is not blank; `number` counts from 1."""

    number: int
    cells: tuple[str, ...]


def read_rows(data: bytes, filename: str) -> list[Row]:
    """The rows of a file that are not blank; raises CellRefused where it is no such file.

    The content decides what the file is; its name only words the refusal.
    """
    if not data.strip():
        raise CellRefused(N_("文件是空的"))
    if len(data) > MAX_BYTES:
        raise CellRefused(N_("文件超过 %(limit)s 字节"), limit=MAX_BYTES)
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _filled(_sheet(data))
    if data.startswith(b"\xd0\xcf\x11\xe0") or filename.lower().endswith((".xls", ".xlsx")):
        raise CellRefused(N_("不是可读的 XLSX 文件，请用表格软件另存为 XLSX 或 CSV"))
    return _filled(_lines(_text(data)))


def _text(data: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        text = text.removeprefix("\ufeff")
        if not any(ord(sign) < 32 and sign not in "\t\r\n" for sign in text):
            return text
    raise CellRefused(N_("不是文本文件，或编码不是 UTF-8、GB18030：请另存为 CSV UTF-8 或 XLSX"))


def _lines(text: str) -> Iterable[list[str]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        yield from reader
    except csv.Error as error:
        raise CellRefused(
            N_("第 %(line)s 行不是正确的 CSV（引号不成对）：%(error)s"),
            line=reader.line_num,
            error=error,
        ) from None


def _filled(rows: Iterable[Iterable[str]]) -> list[Row]:
    found = []
    for number, cells in enumerate(rows, 1):
        if number > MAX_ROWS:
            raise CellRefused(N_("文件超过 %(limit)s 行"), limit=MAX_ROWS)
        texts = [cell.strip() for cell in cells]
        while texts and not texts[-1]:
            texts.pop()
        if len(texts) > MAX_COLUMNS:
            raise CellRefused(N_("第 %(line)s 行超过 %(limit)s 列"), line=number, limit=MAX_COLUMNS)
        if any(len(text) > MAX_CELL for text in texts):
            raise CellRefused(
                N_("第 %(line)s 行有超过 %(limit)s 字的单元格"), line=number, limit=MAX_CELL
            )
        if texts:
            found.append(Row(number, tuple(texts)))
    return found


def _sheet(data: bytes) -> Iterable[list[str]]:
    """The first sheet. A formula stands for the result saved with it, if there is one."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(member.file_size for member in archive.infolist()) > MAX_UNPACKED:
                raise CellRefused(N_("XLSX 文件展开后过大"))
        results, formulas = (_cells(data, data_only=only) for only in (True, False))
    except CellRefused:
        raise
    except Exception:  # openpyxl and zipfile raise nearly anything on a damaged file
        raise CellRefused(N_("不是可读的 XLSX 文件，请用表格软件另存为 XLSX 或 CSV")) from None
    return [
        [_shown(value if value is not None else formula) for value, formula in zip_longest(*pair)]
        for pair in zip_longest(results, formulas, fillvalue=())
    ]


def _cells(data: bytes, *, data_only: bool) -> list[tuple[Any, ...]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about styles and extensions that nobody reads here
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=data_only)
        sheet = book.worksheets[0]
        sheet.reset_dimensions()
        rows = sheet.iter_rows(max_row=MAX_ROWS + 1, max_col=MAX_COLUMNS + 1, values_only=True)
        return list(islice(rows, MAX_ROWS + 1))


def _shown(value: object) -> str:
    """A cell as the sheet shows it: 100 of 100.0, 0.1 of 0.1."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.15g}"
    return str(value)


def written(rows: Iterable[Iterable[str]]) -> str:
    """Rows as CSV."""
    file = io.StringIO(newline="")
    csv.writer(file, lineterminator="\n").writerows(rows)
    return file.getvalue()
