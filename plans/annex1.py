"""改造任务计划表 (Annex 1 of the notice): reading it from a workbook or CSV, and checking it.

The file has one line per village or per town's 散户, with English heads as in
`plans/data/annex1_2020.csv` or as the notice prints it: title, unit, two-row head, town named only
on its first line or merged over its lines, 小计 and 总计 rows. Totals are worked out anew and never
read; those written are only compared. Each other number is held against every one that the file or
the notice's sentence (目标任务) gives. `plans.task_plan.store` keeps what is read here: without a
mistake or not at all.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from django.utils.translation import gettext as _

from households.ledger import cells
from households.ledger.columns import Column
from households.ledger.reading import Cell, Finding, Unreadable
from households.ledger.tables import Kind, Record, Table, tables
from households.models import Method

METHODS = {
    Method.CENTRAL_HEATING: ("集中供热",),
    Method.COAL_TO_ELECTRICITY: ("电代煤", "煤改电"),
    Method.COAL_TO_GAS: ("气代煤", "煤改气"),
    Method.INDUSTRIAL_WASTE_HEAT: ("工业余热",),
}
HEADS = {
    "seq": ("序号",),
    "town": ("改造主体", "镇（街道）", "责任主体"),
    "village": ("村（社区）", "村", "社区"),
    "households": ("改造户数", "户数", "计划户数", "计划改造户数", "任务数"),
    **{str(method.value): names for method, names in METHODS.items()},
    "note": ("备注",),
}
OPTIONAL = {"note"}
SUBTOTAL = "小计"
WHOLE = ("全区", "全县", "全市")
SCATTERED = ("", "散户", "（散户）")
NUMBERS = ("households", *(str(method.value) for method in Method))
LARGEST = 999_999
LARGEST_SEQ = 9_999
TOWN = re.compile(r".+(镇|街道|乡)")
Numbers = Counter[str]
KIND = Kind(
    "plan",
    "改造任务计划表",
    tuple(
        Column(key, names[0], cells.text(100), aliases=names[1:]) for key, names in HEADS.items()
    ),
    needs=(("town",), ("households",), NUMBERS[1:]),
    keeps_totals=True,
)


@dataclass(frozen=True)
class Mistake:
    """What is wrong, or to be known, and where: row as a spreadsheet counts it, head, cell."""

    row: int | None
    column: str
    value: str
    reason: str

    def __str__(self) -> str:
        place = [_("第 %(row)d 行") % {"row": self.row}] if self.row else []
        place += [f"“{self.column}”"] if self.column else []
        shown = [_("（填的是“%(value)s”）") % {"value": self.value}] if self.value else []
        return " ".join(place) + "：" * bool(place) + self.reason + "".join(shown)


class PlanRefused(Exception):
    """The file cannot be taken; `mistakes` has every reason."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        super().__init__("\n".join(map(str, mistakes)))
        self.mistakes = mistakes


@dataclass(frozen=True)
class Line:
    """One line of the plan; `village` is empty for a town's scattered households (散户)."""

    row: int
    seq: int
    town: str
    village: str
    numbers: Numbers
    note: str


@dataclass(frozen=True)
class Report:
    """What a file says: its lines, every mistake in it, what was read otherwise than written."""

    lines: list[Line]
    mistakes: list[Mistake]
    reminders: list[Mistake] = field(default_factory=list)


def load(path: Path, filename: str = "", sentence: str = "") -> list[Line]:
    """The lines of a file without mistakes; raises PlanRefused."""
    report = check(path, filename, sentence)
    if report.mistakes:
        raise PlanRefused(report.mistakes)
    return report.lines


def check(path: Path, filename: str = "", sentence: str = "") -> Report:
    """Read the file and hold every number in it against the others and against the sentence."""
    try:
        return judge(tables(path, filename or path.name, [KIND]), sentence)
    except Unreadable as refused:
        return Report([], [Mistake(None, "", "", refused.sentence)])


def judge(found: Iterable[Record | Finding], sentence: str = "") -> Report:
    """The same of records that were read already."""
    plan = _Plan()
    for item in found:
        plan.take(item)
    if not plan.lines and not plan.mistakes:
        plan.mistakes.append(Mistake(None, "", "", _("没有任何计划行")))
    if sentence:
        plan.mistakes += _against_sentence(plan.lines, sentence)
    return Report(plan.lines, plan.mistakes, plan.reminders)


def _text(cell: Cell) -> str:
    """The cell without blanks and with the brackets that people type in different ways."""
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    text = "" if cell is None else str(cell)
    return "".join(text.split()).replace("(", "（").replace(")", "）")


@dataclass
class _Plan:
    """A plan under reading: its lines so far and what is wrong with them."""

    lines: list[Line] = field(default_factory=list)
    mistakes: list[Mistake] = field(default_factory=list)
    reminders: list[Mistake] = field(default_factory=list)
    town: str = ""
    table: Table | None = None
    row_of_seq: dict[int, int] = field(default_factory=dict)
    row_of_place: dict[tuple[str, str], int] = field(default_factory=dict)

    def take(self, found: Record | Finding) -> None:
        if isinstance(found, Finding):
            told = Mistake(found.row, found.head, found.value, found.reason)
            (self.mistakes if found.severity == "mistake" else self.reminders).append(told)
            return
        if self.table is not found.table:
            self.table = found.table
            self._check_heads(found.table)
        if found.is_total:
            self._compare(_Cells(found))
        else:
            self._read_line(self._straightened(_Cells(found)))

    def _check_heads(self, table: Table) -> None:
        for key, names in HEADS.items():
            if key not in table.places and key not in OPTIONAL:
                self.mistakes.append(Mistake(table.row, names[0], "", _("缺少这一列")))

    def _read_line(self, line: _Cells) -> None:
        before = len(self.mistakes)
        seq = self._number(line, "seq", LARGEST_SEQ, required=True)
        numbers = self._numbers(line)
        self.town = self._words(line, "town", 40) or self.town
        village = self._words(line, "village", 40)
        village = "" if village in SCATTERED else village
        note = self._words(line, "note", 100)
        self._check_place(line, seq, village)
        if len(self.mistakes) == before:
            self._cross_foot(line, numbers)
        self.lines.append(Line(line.row, seq, self.town, village, numbers, note))

    def _straightened(self, line: _Cells) -> _Cells:
        """A line that was typed one column too far to the right, as the notice prints one."""
        is_late = not line["town"] and TOWN.fullmatch(line["village"])
        if not is_late or line["households"] not in SCATTERED[1:]:
            return line
        reason = _("这一行从“改造主体”起向右错了一列，已按左移一列读取")
        self.reminders.append(Mistake(line.row, "", "", reason))
        return line.moved_left()

    def _check_place(self, line: _Cells, seq: int, village: str) -> None:
        if not self.town:
            self._wrong(line, "town", _("没有写改造主体（镇、街道）"))
        twin = self.row_of_seq.setdefault(seq, line.row) if seq else line.row
        if twin != line.row:
            self._wrong(line, "seq", _("与第 %d 行的序号重复") % twin)
        twin = self.row_of_place.setdefault((self.town, village), line.row)
        if twin != line.row:
            self._wrong(line, "village", _("与第 %d 行是同一个地方") % twin)

    def _cross_foot(self, line: _Cells, numbers: Numbers) -> None:
        total = sum(numbers[method] for method in Method)
        if numbers["households"] != total:
            self._wrong(line, "households", _("改造户数不等于各改造方式之和 %d") % total)

    def _compare(self, line: _Cells) -> None:
        """A total is never read: where it says otherwise, the officer is told."""
        is_subtotal = any(SUBTOTAL in text for text in line.texts.values())
        lines = [one for one in self.lines if one.town == self.town] if is_subtotal else self.lines
        summed = _sum(lines)
        if any(line[column] != str(summed[column]) for column in NUMBERS if line[column]) or (
            summed["households"] and not line["households"]
        ):
            written = "、".join(line[column] for column in NUMBERS if line[column])
            reason = _("这一行的合计与各行之和（%d 户）不符或错了列，按各行之和计算")
            told = Mistake(line.row, "", written, reason % summed["households"])
            self.reminders.append(told)
        if is_subtotal:
            self.town = ""

    def _numbers(self, line: _Cells) -> Numbers:
        return Counter(
            {
                column: self._number(line, column, LARGEST, column == "households")
                for column in NUMBERS
            }
        )

    def _number(self, line: _Cells, column: str, most: int, required: bool) -> int:
        """The cell as a whole number; a blank cell of a method is 0."""
        cell = line[column]
        if column in line.wrong or (not cell and not required):
            return 0
        if not cell:
            self._wrong(line, column, _("没有填"))
        elif not cell.isdecimal():
            self._wrong(line, column, _("要填不带小数和单位的数字"))
        elif len(cell) > 9 or int(cell) > most:
            self._wrong(line, column, _("不能大于 %d") % most)
        else:
            return int(cell)
        return 0

    def _words(self, line: _Cells, column: str, longest: int) -> str:
        cell = line[column]
        if len(cell) > longest:
            self._wrong(line, column, _("最多 %d 个字") % longest)
        return cell

    def _wrong(self, line: _Cells, column: str, reason: str) -> None:
        self.mistakes.append(Mistake(line.row, line.heads[column], line[column], reason))


class _Cells:
    """A record's cells as texts, "" for those that are empty or have no column."""

    def __init__(self, record: Record) -> None:
        self.row, self.wrong = record.row, record.wrong
        self.heads = {key: names[0] for key, names in HEADS.items()} | dict(record.table.heads)
        self.texts = {
            key: str(value or "").strip() if key == "note" else _text(value)
            for key, value in record.values.items()
        }
        self._order = sorted(record.places, key=lambda key: record.places[key])

    def __getitem__(self, key: str) -> str:
        return self.texts.get(key, "")

    def moved_left(self) -> _Cells:
        """The same cells, all behind 序号 one column further to the left."""
        behind = [key for key in self._order if key not in ("seq", "note")]
        moved = [self.texts[key] for key in behind[1:]] + [""]
        self.texts |= dict(zip(behind, moved, strict=True))
        return self


def _sum(lines: Iterable[Line]) -> Numbers:
    return sum((line.numbers for line in lines), Counter())


NUMBER_IN_SENTENCE = re.compile(r"([^\d\s，,。．、：:；;（）()]+?)(?:共?计划完成)?(\d{1,9})户")


def _against_sentence(lines: list[Line], sentence: str) -> list[Mistake]:
    """Compare with a sentence such as 全区共计划完成820户，其中：南村镇531户…集中供热计划完成575户.

    Where it names towns (or methods) at all, those that it does not name have none.
    """
    canonical = {name: names[0] for names in METHODS.values() for name in names}
    canonical |= dict.fromkeys(WHOLE, WHOLE[0])
    numbers = NUMBER_IN_SENTENCE.findall(sentence)
    given = {canonical.get(name, name): int(number) for name, number in numbers}
    if not given:
        return [Mistake(None, "", sentence[:40], _("句子里没有找到“…户”的数字"))]
    found = {
        name: n
        for group in _groups(lines)
        if group.keys() & given.keys()
        for name, n in group.items()
    }
    return [
        Mistake(None, name, str(given.get(name, 0)), _("与表里的 %d 户不符") % found.get(name, 0))
        for name in given | found
        if given.get(name, 0) != found.get(name, 0)
    ]


def _groups(lines: list[Line]) -> list[dict[str, int]]:
    """The sums that a sentence may give: of the whole, by town, by method."""
    total = _sum(lines)
    by_town: Numbers = Counter()
    for line in lines:
        by_town[line.town] += line.numbers["households"]
    by_method = {names[0]: total[method] for method, names in METHODS.items()}
    return [{WHOLE[0]: total["households"]}, by_town, by_method]
