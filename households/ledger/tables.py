"""From rows to records: the tables of a file, found by their heads.

Each app puts its kinds of tables into `KINDS` at ready(). A head is a row (or two, one above the
other) in which the kind's columns are found by their heads and aliases; titles above it, totals and
notes among and under its rows are passed over, and so are sheets that only explain.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path

from django.utils.translation import gettext as _

from households.ledger import heads, reading
from households.ledger.heads import Finder, Head
from households.ledger.kinds import KINDS, Kind, Record, Table
from households.ledger.reading import Finding, Row, SheetBegin
from households.ledger.table_rows import TableReader

__all__ = ["KINDS", "Kind", "Record", "Table", "tables"]

ROWS_TO_A_HEAD = 30  # that are not empty
MOST_IN_A_TITLE = 3  # cells: 填报单位, 填报日期
LONGEST_NAME = 4  # characters of a usual person's name
IGNORED_SHEETS = ("说明", "选项", "问题清单")  # of our own workbooks


def tables(
    path: Path, filename: str, kinds: Collection[Kind] | None = None
) -> Iterator[Record | Finding]:
    """Every record of the file, in its order, with what there is to say of places.

    Only tables of `kinds` (default: all of KINDS) are looked for. Raises reading.Unreadable.
    """
    finder = Finder(KINDS.values() if kinds is None else kinds)
    with closing(reading.rows(path, filename)) as rows:
        yield from found_in(rows, finder)


def found_in(
    rows: Iterable[SheetBegin | Row | Finding], finder: Finder
) -> Iterator[Record | Finding]:
    """The records among rows that are read already; see `tables`."""
    headless: list[Finding] = []
    is_any = False
    for begin, content in _sheets(rows):
        if isinstance(begin, Finding):
            yield begin
            continue
        if begin.name.strip() in IGNORED_SHEETS:
            continue
        sheet = _Sheet(begin, finder)
        yield from sheet.read(content)
        is_any = is_any or sheet.has_table
        headless += sheet.headless
    if not is_any and not headless:
        headless = [Finding("", None, None, "", "", _("文件里没有表格，是空的"))]
    for found in headless:
        yield found if is_any else replace(found, severity="mistake")


def _sheets(
    rows: Iterable[SheetBegin | Row | Finding],
) -> Iterator[tuple[SheetBegin | Finding, Iterator[Row]]]:
    """Each sheet with its rows, to be used up before the next; findings come between."""
    ahead: deque[SheetBegin | Finding] = deque()
    source = iter(rows)

    def content() -> Iterator[Row]:
        for item in source:
            if isinstance(item, Row):
                yield item
            else:
                ahead.append(item)
                if isinstance(item, SheetBegin):
                    return

    while True:
        if not ahead:
            item = next(source, None)
            if item is None:
                return
            assert not isinstance(item, Row)
            ahead.append(item)
        begin = ahead.popleft()
        if isinstance(begin, Finding):
            yield begin, iter(())
            continue
        rest = content()
        yield begin, rest
        deque(rest, maxlen=0)


class _Sheet:
    """The tables of one sheet, from above to below."""

    def __init__(self, begin: SheetBegin, finder: Finder) -> None:
        self.has_table = False
        self.headless: list[Finding] = []
        self._begin, self._finder = begin, finder
        self._place = heads.place_of(begin.name)
        self._title = ""  # the line that names the place, where the sheet's name does not
        self._next_title: tuple[str, str] | None = None  # of the table that begins next
        self._reader: TableReader | None = None

    def read(self, rows: Iterator[Row]) -> Iterator[Record | Finding]:
        first = list(islice(rows, ROWS_TO_A_HEAD + 1))
        start, head = self._first_head(first)
        if head is None:
            if first and not self._begin.hidden:
                self.headless.append(self._headless(first))
            return
        self.has_table = True
        if self._begin.hidden:
            yield self._told(first[start], _("这个工作表是隐藏的，也读取了"))
        yield from self._read_on(_Ahead(chain(first[start:], rows)), head)

    def _first_head(self, rows: Sequence[Row]) -> tuple[int, Head | None]:
        place = self._place
        for at in range(min(len(rows), ROWS_TO_A_HEAD)):
            head = self._head(rows[at], rows[at + 1] if at + 1 < len(rows) else None)
            if head is None:
                self._look_for_place(rows[at])
                continue
            if at + 1 < len(rows):
                after = self._head(rows[at + 1], rows[at + 2] if at + 2 < len(rows) else None)
                if after and after.fit > head.fit:
                    self._look_for_place(rows[at])
                    return at + 1, after
            return at, head
        return (0, None) if self._place == place else self._first_head(rows)

    def _look_for_place(self, row: Row) -> None:
        """A line above (or, as a first group, below) the head may name the village of a table that
        has no column for it."""
        if not self._place:
            self._place, self._title = _named_in(row) or ("", "")

    def _head(self, row: Row, below: Row | None) -> Head | None:
        return self._finder.head(row.own, below.own if below else (), self._place)

    def _read_on(self, rows: _Ahead, head: Head | None) -> Iterator[Record | Finding]:
        for row in rows:
            if head is None and self._finder.may_be_head(row.cells):
                head = self._head(row, rows.next())
            if head is not None:
                yield from self._begin_table(row, head)
                if head.height == 2:
                    rows.skip()
                head = None
            elif self._reader:
                yield from self._read_row(row, rows.next())
        if self._reader:
            yield from self._reader.end()

    def _read_row(self, row: Row, below: Row | None) -> Iterator[Record | Finding]:
        """A row under a head; what is none of its records may be the title of the next table."""
        assert self._reader
        is_title = _is_long_and_alone(row) and below and self._finder.may_be_head(below.cells)
        is_record = False
        for found in self._reader.pass_over(row) if is_title else self._reader.read(row):
            is_record = is_record or isinstance(found, Record)
            yield found
        self._next_title = None if is_record else _named_in(row) or self._next_title

    def _begin_table(self, row: Row, head: Head) -> Iterator[Finding]:
        if self._next_title and (self._title or not self._place):
            self._place, self._title = self._next_title
        reader = TableReader(row, head, self._place, self._title)
        is_titled, self._next_title = self._next_title is not None, None
        if self._reader and self._reader.is_same(reader, is_titled):
            self._reader.begin_again()
            return
        if self._reader:
            yield from self._reader.end()
        self._reader = reader
        yield from reader.begin()

    def _headless(self, rows: Sequence[Row]) -> Finding:
        """What to say of a sheet without a head: the row that came nearest, and what it lacks."""
        near = [
            (self._finder.nearest(row.own, "" if self._title else self._place), row) for row in rows
        ]
        best = max(
            ((head, row) for head, row in near if head and head.missing),
            key=lambda pair: len(pair[0].places),
            default=None,
        )
        advice = _("请用模板的表头；不导入的工作表可以不管")
        if best is None:
            reason = _("没有认出表头，这个工作表没有读取")
            return Finding(self._begin.name, None, None, "", "", reason, advice)
        head, row = best
        reason = _("没有认出表头，这个工作表没有读取；第 %(row)d 行最像，但缺少 %(columns)s") % {
            "row": row.number,
            "columns": "、".join(_names(head.kind, group) for group in head.missing),
        }
        return Finding(self._begin.name, row.number, None, "", "", reason, advice)

    def _told(self, row: Row, reason: str) -> Finding:
        return Finding(row.sheet, None, None, "", "", reason)


def _named_in(row: Row) -> tuple[str, str] | None:
    """The village that a title names, with the title."""
    filled = [cell for cell in row.own if cell is not None]
    if len(filled) <= MOST_IN_A_TITLE:
        for cell in filled:
            if isinstance(cell, str) and (place := heads.place_in(cell)):
                return place, cell
    return None


def _is_long_and_alone(row: Row) -> bool:
    """One text, longer than people's names are: a title wherever it stands."""
    filled = [cell for cell in row.own if cell is not None]
    return len(filled) == 1 and len(str(filled[0])) > LONGEST_NAME


def _names(kind: Kind, keys: Sequence[str]) -> str:
    named = {column.key: f"“{column.head}”" for column in kind.columns}
    return _("或").join(named[key] for key in keys)


class _Ahead:
    """Rows, with a look at the next one."""

    def __init__(self, rows: Iterator[Row]) -> None:
        self._rows = rows
        self._next = next(rows, None)

    def __iter__(self) -> Iterator[Row]:
        while (row := self._next) is not None:
            self.skip()
            yield row

    def next(self) -> Row | None:
        return self._next

    def skip(self) -> None:
        self._next = next(self._rows, None)
