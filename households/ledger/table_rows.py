"""The rows of one table as records, and what is to be told of its head and its columns."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from households.ledger import asides, heads
from households.ledger.heads import Head
from households.ledger.kinds import Record, Table
from households.ledger.reading import Cell, Finding, Row, Severity

NEVER_TOLD = ("序号", "序", "no", "行号", "问题说明")
DITTO = ("同上", "同上行", "上同", "〃", "″", "々", '"', "''", "“", "”")
LONGEST_DITTO = 5
OF_COLUMNS = {
    "formula": lazy("这一列有 %(count)d 格是公式，按上次算好的结果读取"),
    "merged": lazy("这一列有 %(count)d 格是合并的单元格，按合并的内容读取"),
    "ditto": lazy("这一列有 %(count)d 格写的是“同上”，按上一行读取"),
}
NO_COLUMN = 0
FEWEST_BESIDE_A_NOTE = 5  # cells of a row that is a record whatever its first word
VILLAGE = re.compile(r".{1,20}(村|社区|小区|庄)")


@dataclass(slots=True)
class _Tally:
    """How often something was met, and where first."""

    row: int
    count: int = 1


class TableReader:
    """Turns the rows under a head into records until the table ends."""

    def __init__(self, row: Row, head: Head, place: str = "", title: str = "") -> None:
        """`place`: the village that the sheet's name, or the `title` above the head, names."""
        self._table = Table(head.kind, row.sheet, row.number, head.places, head.heads)
        self._head = head
        self._labels = {column.key: column.head for column in head.kind.columns}
        self._key_of = {column: key for key, column in head.places.items()}
        self._named = {*self._key_of, *head.others, *head.doubled, *head.beside, *head.ticks}
        self._village, self._title = self._village_of(place), title
        self._above: dict[str, Cell] = {}
        self._tallies: dict[tuple[str, int], _Tally] = {}
        self._is_at_top = True

    def is_same(self, other: TableReader, is_titled: bool) -> bool:
        """Whether the other's head is this one's again, as at the top of a printed page; one that
        `is_titled`, with a village, may be another village's."""
        mine, theirs = self._table, other._table
        is_like = mine.kind is theirs.kind and mine.places == theirs.places
        return is_like and (not is_titled or self._village == other._village)

    def begin_again(self) -> None:
        self._is_at_top = True

    def begin(self) -> Iterator[Finding]:
        """What is to be told of the head."""
        head = self._head
        labels = self._labels
        for column, key in head.doubled.items():
            reason = _("表头“%s”出现了不止一次") % head.heads[key]
            yield self._of_head(column, labels[key], reason, _("请只留一列"), is_mistake=True)
        for column, key in head.beside.items():
            reason = _("“%(label)s”已按“%(head)s”这一列读取，这一列没有读取") % {
                "label": labels[key],
                "head": head.heads[key],
            }
            yield self._of_head(column, labels[key], reason)
        for column, text in head.others.items():
            if heads.bare(text) not in NEVER_TOLD:
                yield self._of_head(column, text, _("不认识“%s”这一列，没有读取") % text)
        if self._village:
            label = labels[head.kind.sheet_names]
            words = {"label": label, "name": self._village}
            if self._title:
                reason = _("没有“%(label)s”这一列，按标题里的“%(name)s”读取") % words
            else:
                reason = _("没有“%(label)s”这一列，按工作表名“%(name)s”读取") % words
            yield self._of_head(None, label, reason)

    def read(self, row: Row) -> Iterator[Record | Finding]:
        """The row as a record, if it is one."""
        cells = row.own
        if self._is_at_top and (asides.is_numbering(cells) or asides.is_units(cells)):
            return
        self._is_at_top = False
        is_total = asides.is_total(cells)
        if asides.is_example(cells) or (is_total and not self._table.kind.keeps_totals):
            return
        if not is_total and not self._is_filled(row, cells):
            yield from self.pass_over(row)
            return
        yield from self._record(row, cells, is_total)

    def end(self) -> Iterator[Finding]:
        """What is to be told of whole columns, and of hidden rows."""
        for (what, column), tally in self._tallies.items():
            counts = {"count": tally.count}
            if what == "hidden":
                reason = _("有 %(count)d 行是隐藏的，也读取了") % counts
                yield Finding(self._table.sheet, tally.row, None, "", "", reason)
            else:
                head = self._labels[self._key_of[column]]
                reason = str(OF_COLUMNS[what]) % counts
                yield Finding(self._table.sheet, tally.row, column, head, "", reason)

    def _village_of(self, place: str) -> str:
        key = self._table.kind.sheet_names
        is_needed = bool(key) and key not in self._table.places
        return place if is_needed else ""

    def _is_filled(self, row: Row, cells: Sequence[Cell]) -> bool:
        """Whether the row says something of its own: more than a note or one lonely word."""
        own = [
            column
            for column in self._key_of
            if column <= len(cells)
            and cells[column - 1] is not None
            and row.marks.get(column) != "merged"
        ]
        if asides.is_signed(cells) or (len(own) < FEWEST_BESIDE_A_NOTE and asides.is_note(cells)):
            return False
        marked = any(mark in ("error", "uncached") for mark in row.marks.values())
        if len(own) > 1 or marked:
            return True
        is_alone = sum(cell is not None for cell in cells) == 1
        return bool(own) and (not is_alone or self._key_of[own[0]] in self._keys())

    def _keys(self) -> Sequence[str]:
        """The columns that a record hardly is one without: those of the last group needed."""
        return self._table.kind.needs[-1] if self._table.kind.needs else ()

    def pass_over(self, row: Row) -> Iterator[Finding]:
        """A title between the rows may name the village of those that follow; a lonely word that
        is neither note nor title may have been meant as a record."""
        cells = row.own
        filled = [n for n, cell in enumerate(cells, start=1) if cell is not None]
        if len(filled) != 1 or asides.is_note(cells):
            return
        column, text = filled[0], str(cells[filled[0] - 1]).strip()
        village = heads.place_of(text)
        if VILLAGE.fullmatch(village) and self._table.kind.sheet_names not in self._table.places:
            self._village = heads.place_in(text) or village
            reason = _("以下各行按“%s”读取") % self._village
        elif "spanned" in row.marks.values() or (text.isdecimal() and column not in self._key_of):
            return
        else:
            reason = _("这一行只有“%s”，没有当作一户读取") % text
        yield Finding(row.sheet, row.number, column, "", text, reason)

    def _record(
        self, row: Row, cells: Sequence[Cell], is_total: bool
    ) -> Iterator[Record | Finding]:
        values: dict[str, Cell] = {
            key: cells[column - 1] if column <= len(cells) else None
            for key, column in self._table.places.items()
        }
        if self._village:
            values[self._table.kind.sheet_names] = self._village
        wrong = frozenset[str]()
        if row.marks:
            broken = self._broken(row, values)
            wrong = frozenset(self._key_of[found.column or NO_COLUMN] for found in broken)
            values.update(dict.fromkeys(wrong))
            yield from broken
        if self._head.ticks:
            many = self._read_ticks(row, cells, values)
            wrong |= {self._key_of[found.column or NO_COLUMN] for found in many}
            yield from many
        if row.hidden:
            self._count("hidden", NO_COLUMN, row)
        self._fill_dittos(row, values)
        yield from self._headless_cells(row, cells)
        yield Record(self._table, row.number, values, wrong, is_total)

    def _broken(self, row: Row, values: dict[str, Cell]) -> list[Finding]:
        """Cells that have no value to read; marks of the others are counted."""
        found = []
        for column, mark in row.marks.items():
            key = self._key_of.get(column)
            if key is None or mark == "spanned":
                continue
            if mark in OF_COLUMNS:
                self._count(mark, column, row)
            elif mark == "error":
                found.append(self._of_cell(row, column, str(values[key]), _("公式的结果是错误值")))
            else:
                found.append(self._of_cell(row, column, "", _("公式还没有算出结果")))
        return found

    def _read_ticks(
        self, row: Row, cells: Sequence[Cell], values: dict[str, Cell]
    ) -> list[Finding]:
        """The one choice that is ticked becomes the value; several are a mistake."""
        ticked: dict[str, list[str]] = {key: [] for key, _choice in self._head.ticks.values()}
        for column, (key, choice) in self._head.ticks.items():
            if column <= len(cells) and asides.is_tick(cells[column - 1]):
                ticked[key].append(choice)
        found = []
        for key, choices in ticked.items():
            values[key] = choices[0] if len(choices) == 1 else None
            if len(choices) > 1:
                column, head = self._table.places[key], self._labels[key]
                reason, told = _("只能勾选一项"), "、".join(choices)
                advice = _("请只留一项")
                found.append(
                    Finding(row.sheet, row.number, column, head, told, reason, advice, "mistake")
                )
        return found

    def _of_cell(self, row: Row, column: int, value: str, reason: str) -> Finding:
        head = self._labels[self._key_of[column]]
        advice = _("请改填数值或文字；或在 Excel 中打开，算好后保存")
        return Finding(row.sheet, row.number, column, head, value, reason, advice, "mistake")

    def _fill_dittos(self, row: Row, values: dict[str, Cell]) -> None:
        for key, value in values.items():
            if type(value) is not str or len(value) > LONGEST_DITTO or value.strip() not in DITTO:
                continue
            if (above := self._above.get(key)) is not None:
                values[key] = above
                self._count("ditto", self._table.places[key], row)
        self._above = values

    def _headless_cells(self, row: Row, cells: Sequence[Cell]) -> Iterator[Finding]:
        """Cells in columns without a head: told of once for each column."""
        if len(cells) <= len(self._named) == max(self._named):
            return
        for column, cell in enumerate(cells, start=1):
            if cell is not None and column not in self._named:
                self._named.add(column)
                reason = _("这一列没有表头，没有读取")
                yield Finding(row.sheet, row.number, column, "", str(cell), reason)

    def _count(self, what: str, column: int, row: Row) -> None:
        tally = self._tallies.get((what, column))
        if tally is None:
            self._tallies[what, column] = _Tally(row.number)
        else:
            tally.count += 1

    def _of_head(
        self, column: int | None, head: str, reason: str, advice: str = "", is_mistake: bool = False
    ) -> Finding:
        severity: Severity = "mistake" if is_mistake else "reminder"
        table = self._table
        return Finding(table.sheet, table.row, column, head, "", reason, advice, severity)
