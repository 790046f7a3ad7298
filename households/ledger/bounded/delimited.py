"""Tables in text (CSV): their encoding, their delimiter, their rows as Excel counts them."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator
from typing import BinaryIO

from households.ledger.bounded.places import MOST_COLUMNS
from households.ledger.bounded.refusal import Refused
from households.ledger.bounded.worksheet import RawRow

PIECE = 1 << 20
LONGEST_LINE = 1 << 20
MOST_LINES_IN_A_CELL = 200
DELIMITERS = ",\t;|"
SAMPLE_ROWS = 30
FEWEST_NOUGHTS = 3
MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
QUOTED_AS_FORMULA = re.compile('="(.*)"', re.DOTALL)  # ="0356": how some programs keep noughts
TAB_BEHIND = re.compile(r"\t(?=[,;|]|\s*$)")  # some programs put one behind every number
DECLARED = re.compile(r"sep=(.)\s*", re.IGNORECASE)


def rows(file: BinaryIO) -> Iterator[RawRow]:
    """The rows that are not empty; raises Refused for what is no table in text."""
    encoding = encoding_of(file)
    delimiter, is_declared = _delimiter(file, encoding)
    file.seek(0)
    text = io.TextIOWrapper(file, encoding, newline="")
    try:
        yield from _records(_Lines(text), delimiter, is_declared)
    finally:
        text.detach()


def _records(lines: _Lines, delimiter: str, is_declared: bool) -> Iterator[RawRow]:
    csv.field_size_limit(MOST_LINES_IN_A_CELL * LONGEST_LINE)
    for number, cells in enumerate(csv.reader(lines, delimiter=delimiter), start=1):
        lines.end_record()
        values = [_value(cell) for cell in cells[:MOST_COLUMNS]]
        while values and values[-1] is None:
            values.pop()
        if values and not (is_declared and number == 1):
            yield RawRow(number, False, [*values])
    if lines.has_open_quote():
        raise Refused("open_quote", row=lines.records)


def encoding_of(file: BinaryIO) -> str:
    """UTF-8, UTF-16 or GB18030; raises Refused for anything else."""
    file.seek(0)
    head = file.read(4096)
    for mark, encoding in MARKS:
        if head.startswith(mark):
            return _checked(file, encoding)
    if b"\0" in head:
        return _checked(file, _of_noughts(head))
    if _is(file, "utf-8"):
        return "utf-8"
    if _begins_as_utf_8(head):  # and is spoilt further on: GB18030 would make words of it
        raise Refused("encoding")
    return _checked(file, "gb18030")


def _begins_as_utf_8(head: bytes) -> bool:
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeError:
        return False
    return not text.isascii()


def _of_noughts(head: bytes) -> str:
    """UTF-16 without its mark has a nought in every second byte of Latin letters and commas."""
    odd, even = head[1::2].count(0), head[0::2].count(0)
    if max(odd, even) < max(FEWEST_NOUGHTS, len(head) // 50) or max(odd, even) < 4 * min(odd, even):
        raise Refused("not_a_table")
    return "utf-16-le" if odd > even else "utf-16-be"


def _checked(file: BinaryIO, encoding: str) -> str:
    if not _is(file, encoding):
        raise Refused("encoding")
    return encoding


def _is(file: BinaryIO, encoding: str) -> bool:
    file.seek(0)
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        while piece := file.read(PIECE):
            decoder.decode(piece)
        decoder.decode(b"", True)
    except UnicodeError:
        return False
    return True


def _delimiter(file: BinaryIO, encoding: str) -> tuple[str, bool]:
    """What parts the cells, and whether a first line `sep=;` says so (Excel's own custom)."""
    file.seek(0)
    text = io.TextIOWrapper(file, encoding, newline="")
    try:
        lines = [text.readline(LONGEST_LINE) for _row in range(SAMPLE_ROWS)]
    finally:
        text.detach()
    if declared := DECLARED.fullmatch(lines[0]):
        return declared[1], True
    lines = [TAB_BEHIND.sub("", line) for line in lines]
    counts = {one: _cells(lines, one) for one in DELIMITERS}
    return max(DELIMITERS, key=lambda one: counts[one]), False


def _cells(lines: list[str], delimiter: str) -> int:
    try:
        return sum(len(row) - 1 for row in csv.reader(lines, delimiter=delimiter) if row)
    except csv.Error:
        return 0


def _value(cell: str) -> str | None:
    if cell.startswith('="') and (found := QUOTED_AS_FORMULA.fullmatch(cell)):
        return found[1] or None
    return None if cell.isspace() else cell or None


class _Lines:
    """The file's lines for the reader, with an eye on quotes that are never closed."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self.records = 0
        self._text = text
        self._since: list[str] = []
        self._last: list[str] = []

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._text.readline(LONGEST_LINE + 1)
        if not line:
            raise StopIteration
        if len(line) > LONGEST_LINE:
            raise Refused("long_line", row=self.records + 1)
        if "\0" in line:
            raise Refused("not_a_table")
        self._since.append(line)
        if len(self._since) > MOST_LINES_IN_A_CELL:
            raise Refused("open_quote", row=self.records + 1)
        return line

    def end_record(self) -> None:
        self.records += 1
        self._last, self._since = self._since, []

    def has_open_quote(self) -> bool:
        """Whether the last record took lines until the file was over for want of a quote."""
        return len(self._last) > 1 and "".join(self._last).count('"') % 2 == 1
