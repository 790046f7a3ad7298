"""A worksheet's rows as its XML streams by: exact places, values by type and format, marks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time
from math import isfinite

from households.ledger.bounded import formats, xml
from households.ledger.bounded.formats import Format
from households.ledger.bounded.merges import Merges
from households.ledger.bounded.places import DIGITS, MOST_COLUMNS, MOST_ROWS, column
from households.ledger.bounded.refusal import Refused
from households.ledger.bounded.strings import Strings, unescaped

LARGEST_ROW = 8 << 20
MOST_EXACT_DIGITS = 15  # of a whole number, in Excel
MOST_AT_HAND = 20_000  # texts: towns, methods and makers come again in every row
Attributes = dict[str, str]


@dataclass(slots=True)
class RawRow:
    """One row with something in it; marks as in `reading.Row`."""

    number: int
    is_hidden: bool
    cells: list[object]
    marks: dict[int, str] = field(default_factory=dict)


class Book:
    """What the cells of all sheets of a workbook need to be understood."""

    def __init__(self, strings: Strings, styles: Sequence[Format], is_1904: bool) -> None:
        self.strings, self.is_1904 = strings, is_1904
        self.formats = {str(number): how for number, how in enumerate(styles) if how}


class Worksheet:
    """Reads one sheet; `is_wide` says afterwards that something stood beyond the last column."""

    def __init__(self, book: Book, merges: Merges) -> None:
        self.is_wide = False
        self._book, self._merges = book, merges
        self._columns: dict[str, int] = {}
        self._texts_of: dict[str, str] = {}
        self._done: list[RawRow] = []
        self._row = RawRow(0, False, [])
        self._cell: Attributes = {}
        self._column = 0
        self._texts: list[str] = []
        self._has_formula = self._has_value = self._is_guide = self._is_over = False
        self._since = 0
        self._parser = xml.parser()
        self._parser.StartElementHandler = self._begin

    def rows(self, chunks: Iterable[bytes]) -> Iterator[RawRow]:
        """The rows that are not empty, in the sheet's order."""
        for length in xml.feed(self._parser, chunks):
            self._since += length
            if self._since > LARGEST_ROW:
                raise Refused("large_row", row=self._row.number + 1)
            yield from self._done
            self._done.clear()
            if self._is_over:
                return

    def _begin(self, name: str, _attributes: Attributes) -> None:
        """The root says by its namespace how all names that matter will be called."""
        space = name[: len(name) - len(xml.local(name))]
        self._c, self._v, self._t, self._f = (space + name for name in "cvtf")
        self._r, self._guide, self._data = space + "row", space + "rPh", space + "sheetData"
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end

    def _start(self, name: str, attributes: Attributes) -> None:
        if name == self._c:
            self._cell = attributes
        elif name == self._v or (name == self._t and not self._is_guide):
            self._has_value = True
            self._parser.CharacterDataHandler = self._texts.append
        elif name == self._r:
            self._begin_row(attributes)
        elif name == self._f:
            self._has_formula = True
        elif name == self._guide:
            self._is_guide = True

    def _end(self, name: str) -> None:
        if name == self._c:
            self._end_cell(self._cell)
        elif name == self._v or name == self._t:
            self._parser.CharacterDataHandler = None
        elif name == self._r:
            self._end_row()
        elif name == self._guide:
            self._is_guide = False
        elif name == self._data:
            self._is_over = True

    def _begin_row(self, attributes: Attributes) -> None:
        written = attributes.get("r", "")
        number = int(written[:9]) if written.isdecimal() else self._row.number + 1
        if not 1 <= number <= MOST_ROWS:
            raise Refused("row_out_of_range", row=number)
        self._row = RawRow(number, attributes.get("hidden") in ("1", "true"), [])
        self._column = 0

    def _end_row(self) -> None:
        self._since = 0
        row = self._row
        if row.cells and not self._is_over:
            self._merges.fill(row.number, row.cells, row.marks)
            self._done.append(row)

    def _end_cell(self, cell: Attributes) -> None:
        reference = cell.get("r")
        at = self._column = self._column_of(reference) if reference else self._column + 1
        texts = self._texts
        if not texts and not self._has_formula:
            self._has_value = False
            return
        text = texts[0] if len(texts) == 1 else "".join(texts)
        texts.clear()
        value = self._value(cell, text) if text else None
        if at > MOST_COLUMNS:
            self.is_wide = True
        elif self._has_formula or value is not None:
            self._put(at, value)
        if self._has_formula or cell.get("t") == "e":
            self._mark(at, cell.get("t"), value)
        self._has_value = self._has_formula = False

    def _put(self, at: int, value: object) -> None:
        cells = self._row.cells
        if at == len(cells) + 1:
            cells.append(value)
        else:
            cells += [None] * (at - len(cells))
            cells[at - 1] = value

    def _mark(self, at: int, kind: str | None, value: object) -> None:
        is_worked_out = value is not None or (kind == "str" and self._has_value)
        mark = "error" if kind == "e" else "formula" if is_worked_out else "uncached"
        self._row.marks[at] = mark

    def _column_of(self, reference: str) -> int:
        letters = reference.rstrip(DIGITS)
        known = self._columns.get(letters)
        if known is None:
            try:
                known = self._columns[letters] = column(letters)
            except ValueError:
                raise Refused("damaged") from None
        return known

    def _value(self, cell: Attributes, text: str) -> object:
        kind = cell.get("t")
        if kind == "s":
            return self._shared(text)
        if kind is None or kind == "n":
            return self._number(text, self._book.formats.get(cell.get("s", ""), ""))
        if kind == "b":
            return text in ("1", "true")
        if kind == "d":
            return _iso(text)
        return None if text.isspace() else unescaped(text) or None

    def _shared(self, number: str) -> str | None:
        known = self._texts_of.get(number)
        if known is None:
            try:
                known = self._book.strings[int(number)]
            except (IndexError, ValueError):
                raise Refused("damaged") from None
            if len(self._texts_of) < MOST_AT_HAND:
                self._texts_of[number] = known
        return None if known.isspace() else known or None

    def _number(self, text: str, how: Format) -> object:
        number: float
        if text.isdigit() and len(text) <= MOST_EXACT_DIGITS:
            number = int(text)
        else:
            try:
                number = float(text)
            except ValueError:
                return text
            if not isfinite(number):
                return text
        return formats.value(number, how, self._book.is_1904) if how else number


def _iso(text: str) -> object:
    for read in (datetime.fromisoformat, time.fromisoformat):
        try:
            found = read(text)
        except ValueError:
            continue
        return found.replace(tzinfo=None)
    return text
