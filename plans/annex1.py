"""改造任务计划表 (Annex 1 of the notice): reading it from CSV and checking it.

The file has one line per village or per town's 散户, with English heads as in
`plans/data/annex1_2020.csv` or the notice's own: two-row head, town named only on its first line,
小计 and 总计 rows. Each number is held against every other that the file or the notice's sentence
(目标任务) gives. `plans.task_plan.store` keeps what is read here: without a mistake or not at all.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import zip_longest

from django.utils.translation import gettext as _

from households.models import Method

METHODS = {
    Method.CENTRAL_HEATING: ("集中供热",),
    Method.COAL_TO_ELECTRICITY: ("电代煤", "煤改电"),
    Method.COAL_TO_GAS: ("气代煤", "煤改气"),
    Method.INDUSTRIAL_WASTE_HEAT: ("工业余热",),
}
HEADS = {
    "seq": ("序号",),
    "town": ("改造主体",),
    "village": ("村（社区）",),
    "households": ("改造户数", "改造户数（户数）"),
    **{str(method.value): names for method, names in METHODS.items()},
    "note": ("备注",),
}
COLUMN_OF = {name: column for column, names in HEADS.items() for name in (column, *names)}
OPTIONAL = {"note"}
METHODS_HEAD = "改造方式"
SUBTOTAL = ("小计",)
TOTAL = ("总计", "合计")
WHOLE = ("全区", "全县", "全市")
SCATTERED = ("", "散户", "（散户）")
NUMBERS = ("households", *(str(method.value) for method in Method))
LARGEST = 999_999
LARGEST_SEQ = 9_999
Numbers = Counter[str]


@dataclass(frozen=True)
class Mistake:
    """What is wrong and where: row as a spreadsheet counts it, head of the column, the cell."""

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
    """What a file says: its lines, and every mistake in it."""

    lines: list[Line]
    mistakes: list[Mistake]


def load(data: bytes, sentence: str = "") -> list[Line]:
    """The lines of a file without mistakes; raises PlanRefused."""
    report = check(data, sentence)
    if report.mistakes:
        raise PlanRefused(report.mistakes)
    return report.lines


def check(data: bytes, sentence: str = "") -> Report:
    """Read the file and hold every number in it against the others and against the sentence."""
    try:
        rows = list(csv.reader(io.StringIO(_text(data), newline=""), strict=True))
        sheet = _Sheet.of(rows)
    except csv.Error as error:
        return Report([], [Mistake(None, "", "", _("不是完整的 CSV：%s") % error)])
    except PlanRefused as refused:
        return Report([], refused.mistakes)
    sheet.read()
    if sentence:
        sheet.mistakes += _against_sentence(sheet.lines, sentence)
    return Report(sheet.lines, sheet.mistakes)


def _text(data: bytes) -> str:
    if data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise PlanRefused([Mistake(None, "", "", _("这是 Excel 工作簿，请另存为 CSV 再导入"))])
    for encoding in ("utf-8-sig", "gb18030"):
        with suppress(UnicodeDecodeError):
            text = data.decode(encoding)
            if "\x00" not in text:  # as in UTF-16, which GB18030 may take for its own
                return text
    raise PlanRefused([Mistake(None, "", "", _("文字编码既不是 UTF-8 也不是 GB18030"))])


def _clean(cell: str) -> str:
    """The cell without the blanks and with the brackets that people type in different ways."""
    return "".join(cell.split()).replace("(", "（").replace(")", "）")


@dataclass
class _Sheet:
    """A file under reading: where its columns are, its lines and mistakes so far."""

    rows: Sequence[Sequence[str]]
    columns: list[str]
    heads: dict[str, str]
    first: int
    lines: list[Line] = field(default_factory=list)
    mistakes: list[Mistake] = field(default_factory=list)
    town: str = ""
    row_of_seq: dict[int, int] = field(default_factory=dict)
    row_of_place: dict[tuple[str, str], int] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: Sequence[Sequence[str]]) -> _Sheet:
        """Find the head, of one row or of the notice's two; raises PlanRefused."""
        top = next((n for n, row in enumerate(rows) if any(map(_clean, row))), None)
        if top is None:
            raise PlanRefused([Mistake(None, "", "", _("文件是空的"))])
        heads, first = [_clean(cell) for cell in rows[top]], top + 1
        if METHODS_HEAD in heads and first < len(rows):
            heads = _merged(heads, [_clean(cell) for cell in rows[first]])
            first += 1
        _check_heads(heads, top + 1)
        columns = [COLUMN_OF.get(head, "") for head in heads]
        return cls(rows, columns, dict(zip(columns, heads, strict=True)), first)

    def read(self) -> None:
        for number, row in enumerate(self.rows[self.first :], start=self.first + 1):
            cells = [
                cell.strip() if column == "note" else _clean(cell)
                for cell, column in zip_longest(row, self.columns[: len(row)], fillvalue="")
            ]
            if any(cells):
                self._read_row(number, cells)
        if not self.lines and not self.mistakes:
            self.mistakes.append(Mistake(None, "", "", _("没有任何计划行")))

    def _read_row(self, row: int, cells: list[str]) -> None:
        named = dict(zip(self.columns, cells, strict=False))
        beyond = "".join(cells[len(self.columns) :])
        marks = (named.get("seq", ""), named.get("town", ""), named.get("village", ""))
        if beyond:
            self._wrong(row, "", beyond, _("格数多于表头，请检查逗号和引号"))
        elif any(mark in SUBTOTAL for mark in marks):
            self._compare(row, named, [line for line in self.lines if line.town == self.town])
            self.town = ""
        elif any(mark in TOTAL for mark in marks):
            self._compare(row, named, self.lines)
        else:
            self._read_line(row, named)

    def _read_line(self, row: int, named: dict[str, str]) -> None:
        before = len(self.mistakes)
        seq = self._number(row, named, "seq", LARGEST_SEQ, required=True)
        numbers = self._numbers(row, named)
        self.town = self._words(row, named, "town", 40) or self.town
        village = self._words(row, named, "village", 40)
        village = "" if village in SCATTERED else village
        note = self._words(row, named, "note", 100)
        self._check_place(row, seq, village, named)
        if len(self.mistakes) == before:
            self._cross_foot(row, numbers, named)
        self.lines.append(Line(row, seq, self.town, village, numbers, note))

    def _check_place(self, row: int, seq: int, village: str, named: dict[str, str]) -> None:
        if not self.town:
            self._wrong(row, "town", "", _("没有写改造主体（镇、街道）"))
        twin = self.row_of_seq.setdefault(seq, row) if seq else row
        if twin != row:
            self._wrong(row, "seq", named["seq"], _("与第 %d 行的序号重复") % twin)
        twin = self.row_of_place.setdefault((self.town, village), row)
        if twin != row:
            self._wrong(row, "village", village, _("与第 %d 行是同一个地方") % twin)

    def _cross_foot(self, row: int, numbers: Numbers, named: dict[str, str]) -> None:
        total = sum(numbers[method] for method in Method)
        if numbers["households"] != total:
            reason = _("改造户数不等于各改造方式之和 %d") % total
            self._wrong(row, "households", named["households"], reason)

    def _compare(self, row: int, named: dict[str, str], lines: list[Line]) -> None:
        written = self._numbers(row, named)
        summed = _sum(lines)
        for column in NUMBERS:
            if written[column] != summed[column]:
                reason = _("与各行之和 %d 不符") % summed[column]
                self._wrong(row, column, named.get(column, ""), reason)

    def _numbers(self, row: int, named: dict[str, str]) -> Numbers:
        return Counter(
            {
                column: self._number(row, named, column, LARGEST, column == "households")
                for column in NUMBERS
            }
        )

    def _number(
        self, row: int, named: dict[str, str], column: str, most: int, required: bool
    ) -> int:
        """The cell as a whole number; a blank cell of a method is 0."""
        cell = named.get(column, "")
        if not cell and not required:
            return 0
        if not cell:
            self._wrong(row, column, "", _("没有填"))
        elif not cell.isdecimal():
            self._wrong(row, column, cell, _("要填不带小数和单位的数字"))
        elif len(cell) > 9 or int(cell) > most:
            self._wrong(row, column, cell, _("不能大于 %d") % most)
        else:
            return int(cell)
        return 0

    def _words(self, row: int, named: dict[str, str], column: str, longest: int) -> str:
        cell = named.get(column, "")
        if len(cell) > longest:
            self._wrong(row, column, cell, _("最多 %d 个字") % longest)
        return cell

    def _wrong(self, row: int, column: str, value: str, reason: str) -> None:
        self.mistakes.append(Mistake(row, self.heads.get(column, column), value, reason))


def _merged(upper: list[str], lower: list[str]) -> list[str]:
    """One head of two rows: the methods stand under 改造方式."""
    width = max(len(upper), len(lower))
    upper += [""] * (width - len(upper))
    lower += [""] * (width - len(lower))
    return [below or above for above, below in zip(upper, lower, strict=True)]


def _check_heads(heads: list[str], row: int) -> None:
    while heads and not heads[-1]:
        heads.pop()
    columns = [COLUMN_OF.get(head, "") for head in heads]
    mistakes = [
        Mistake(row, head, "", _("不认识的列，请对照任务计划表的表头"))
        for head, column in zip(heads, columns, strict=True)
        if not column
    ]
    for column, names in HEADS.items():
        if columns.count(column) > 1:
            mistakes.append(Mistake(row, names[0], "", _("这一列出现了不止一次")))
        elif column not in columns and column not in OPTIONAL:
            mistakes.append(Mistake(row, names[0], "", _("缺少这一列")))
    if mistakes:
        raise PlanRefused(mistakes)


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
