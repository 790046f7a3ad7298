"""The page of a checked import: which remarks it lists, and the piece of the sheet beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from django.core.paginator import Page, Paginator
from django.utils.translation import gettext as _
from openpyxl.utils import column_index_from_string, get_column_letter

from households.ledger.remarks import Remark
from households.ledger.reports import AFTER, BEFORE, Report, kind_of
from households.lists import Chip
from households.models import WorkbookImport

ROWS_PER_PAGE = 50
WINDOW = 10  # columns of the sheet that are shown at once


@dataclass(frozen=True)
class Entry:
    """One remark in the list: its place among all that are listed, and its state."""

    remark: Remark
    at: int
    is_here: bool
    is_confirmed: bool

    @property
    def is_mistake(self) -> bool:
        return self.remark.severity == "mistake"


@dataclass(frozen=True)
class Cell:
    text: str
    is_number: bool
    mark: str  # "", "mistake" or "reminder"
    is_here: bool  # the one that the page is about


@dataclass(frozen=True)
class Line:
    """A row of the piece; the head's is shown above whatever follows."""

    number: int
    is_head: bool
    cells: list[Cell]


@dataclass(frozen=True)
class Place:
    """The piece of the sheet around a remark."""

    sheet: str
    first: int
    last: int
    letters: list[str]
    lines: list[Line]
    before: int | None
    after: int | None


@dataclass(frozen=True)
class Result:
    """Everything on the page that is not the row's own."""

    chips: list[Chip]
    page: Page[Entry]
    place: Place | None
    groups: list[tuple[str, str, int]]  # of reminders not confirmed yet: kind, words, how many
    confirmed: int  # reminders
    left: int  # reminders that are not confirmed yet
    left_right: int  # those of them on rows without a mistake
    severity: str

    @classmethod
    def of(cls, job: WorkbookImport, report: Report, query: Mapping[str, str]) -> Result:
        severity = query.get("severity", "")
        listed = [one for one in report.remarks if severity in ("", one.severity)]
        at = min(_whole(query.get("at"), 0), max(len(listed) - 1, 0))
        confirmed = set(job.confirmed)
        pages = Paginator(
            [_entry(one, n, n == at, confirmed) for n, one in enumerate(listed)], ROWS_PER_PAGE
        )
        page = pages.get_page(_whole(query.get("page"), at // ROWS_PER_PAGE + 1))
        groups = _groups(report, confirmed)
        return cls(
            chips=_chips(report, severity),
            page=page,
            place=_place(report, listed, at),
            groups=groups,
            confirmed=len(report.reminder_keys & confirmed),
            left=len(report.reminder_keys - confirmed),
            left_right=len(to_confirm(report, only_right=True) - confirmed),
            severity=severity,
        )


def refusal(job: WorkbookImport, report: Report, only_right: bool) -> str:
    """Why the choice cannot be carried out, in words; empty where it can."""
    if job.counts["mistakes"] and not only_right:
        return _("还有 %(n)d 处错误。改正后重新上传，或者只导入没有错误的行。") % {
            "n": job.counts["mistakes"]
        }
    if left := len(to_confirm(report, only_right) - set(job.confirmed)):
        return _("还有 %(n)d 处提醒没有确认。") % {"n": left}
    if not job.counts["new"] + job.counts["changed"]:
        return _("没有可以导入的行。")
    for name, label, _example in job.counts.get("asks", ()):
        if not job.counts["answers"].get(name):
            return _("请填“%(label)s”。") % {"label": label}
    return ""


def to_confirm(report: Report, only_right: bool) -> set[str]:
    """Names of the reminders on rows that would be imported."""
    wrong = {(one.sheet, one.row) for one in report.remarks if one.severity == "mistake"}
    return {
        one.key
        for one in report.remarks
        if one.severity == "reminder" and not (only_right and (one.sheet, one.row) in wrong)
    }


def query_of(posted: Mapping[str, str]) -> str:
    """The part of the address that a form on the page keeps."""
    kept = {name: posted[name] for name in ("severity", "page", "at") if posted.get(name)}
    return f"?{urlencode(kept)}#remarks" if kept else "#remarks"


def _whole(text: str | None, otherwise: int) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 8 else otherwise


def _entry(remark: Remark, at: int, is_here: bool, confirmed: set[str]) -> Entry:
    return Entry(remark, at, is_here, remark.key in confirmed)


def _chips(report: Report, severity: str) -> list[Chip]:
    mistakes = sum(remark.severity == "mistake" for remark in report.remarks)
    reminders = len(report.remarks) - mistakes
    return [
        Chip("", _("全部"), "", mistakes + reminders, not severity),
        Chip("mistake", _("错误"), "st-bad", mistakes, severity == "mistake"),
        Chip("reminder", _("提醒"), "st-warn", reminders, severity == "reminder"),
    ]


def _groups(report: Report, confirmed: set[str]) -> list[tuple[str, str, int]]:
    counted: dict[str, tuple[str, int]] = {}
    for remark in report.remarks:
        if remark.severity == "reminder" and remark.key not in confirmed:
            words = _("%(head)s：%(reason)s") % {"head": remark.column, "reason": remark.reason}
            first, count = counted.get(kind_of(remark), (words, 0))
            counted[kind_of(remark)] = (first, count + 1)
    return [(kind, words, count) for kind, (words, count) in counted.items()]


def _place(report: Report, listed: list[Remark], at: int) -> Place | None:
    """None for a remark about no row, or one too far down for its piece to be kept."""
    remark = listed[at] if listed else None
    piece = report.pieces.get(remark.sheet, {}) if remark else {}
    if remark is None or not remark.row or remark.row not in piece:
        return None
    marks = _marks(report, remark.sheet)
    first, last = max(1, remark.row - BEFORE), remark.row + AFTER
    head = report.heads.get(remark.sheet)
    numbers = [n for n in sorted(piece) if first <= n <= last and n != head]
    shown = ([head] if head in piece else []) + numbers
    left = _leftmost(remark)
    widest = max((len(piece[n]) for n in shown if n is not None), default=0)
    span = range(left, max(min(left + WINDOW - 1, widest), _column(remark)) + 1)
    return Place(
        sheet=remark.sheet,
        first=numbers[0] if numbers else remark.row,
        last=numbers[-1] if numbers else remark.row,
        letters=[get_column_letter(n) for n in span],
        lines=[
            Line(n, n == head, [_cell(piece[n], marks, remark, n, column) for column in span])
            for n in shown
            if n is not None
        ],
        before=at - 1 if at else None,
        after=at + 1 if at + 1 < len(listed) else None,
    )


def _marks(report: Report, sheet: str) -> dict[tuple[int, int], str]:
    """By row and column; a mistake covers a reminder."""
    marks: dict[tuple[int, int], str] = {}
    for remark in reversed(report.remarks):
        if remark.sheet == sheet and remark.row:
            marks[remark.row, _column(remark)] = remark.severity
    return marks


def _column(remark: Remark) -> int:
    return column_index_from_string(remark.letter) if remark.letter else 1


def _leftmost(remark: Remark) -> int:
    """From A on where the marked cell is then in sight, else with two columns before it."""
    column = _column(remark)
    return 1 if column <= WINDOW else column - WINDOW + 3


def _cell(
    cells: list[tuple[str, bool]],
    marks: Mapping[tuple[int, int], str],
    here: Remark,
    row: int,
    column: int,
) -> Cell:
    text, is_number = cells[column - 1] if column <= len(cells) else ("", False)
    is_here = (row, column) == (here.row, _column(here))
    return Cell(text, is_number, marks.get((row, column), ""), is_here)
