"""The two-level ledger as a workbook: villages on the first sheet, households on the second.

Figures are numbers and dates are dates; a text that would run as a formula is told to stay one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import IO, Any

from django.db.models import Case, F, Q, When
from django.utils.translation import gettext as _
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter

from households import clock
from households.ledger.escaping import escape
from households.models import Area, Household, StepKind, User
from households.views import Line as HouseholdLine
from plans import progress
from plans.two_level import FIGURES, Ledger, Line

THIN = Side(style="thin", color="8492A0")
BORDER = Border(left=THIN, right=THIN, top=THIN, bottom=THIN)
TINT = {
    "head": PatternFill("solid", fgColor="EDF1F4"),
    "sub": PatternFill("solid", fgColor="F4F6F8"),
    "sum": PatternFill("solid", fgColor="E6ECF2"),
}


def write(file: IO[bytes], user: User, ledger: Ledger) -> None:
    """Both levels of what the user may see."""
    book = Workbook(write_only=True)
    towns = _Sheet(book, _("镇级台账"), _town_head(), TOWN_WIDTHS)
    title = _("%(year)d 年度清洁取暖改造（镇、村）两级管理台账") % {"year": ledger.plan.year}
    towns.title(title)
    for town in ledger.towns:
        for line in town.lines:
            towns.row(_town_row(line, town.area.name, line.village))
        if len(town.lines) > 1:
            towns.row(_town_row(town.subtotal, town.area.name, _("小计")), "sub")
    towns.row(_town_row(ledger.total, _("总计"), ""), "sum")
    towns.foot(user)
    villages = _Sheet(book, _("村级台账"), _home_head(), HOME_WIDTHS)
    villages.title(title)
    for n, home in enumerate(_homes(user, ledger), start=1):
        villages.row(_home_row(n, home))
    villages.foot(user)
    book.save(file)


def _homes(user: User, ledger: Ledger) -> Iterator[Household]:
    """In the notice's order: towns, in each its villages and last its 散户."""
    is_town = Q(area__level=Area.Level.TOWN)
    town = Case(When(is_town, then=F("area__order")), default=F("area__owner__order"))
    rows = progress.households(user, ledger.plan).annotate(town=town)
    rows = rows.order_by("town", "-area__level", "area__order", "number")
    rows = rows.select_related("area__owner").prefetch_related("steps")
    yield from rows.iterator(chunk_size=1000)


class _Sheet:
    """A table as offices print it: title, unit, head that repeats, rows with lines, foot."""

    def __init__(self, book: Workbook, name: str, head: list[str], widths: Sequence[float]) -> None:
        self.sheet = book.create_sheet(name)
        self.head = head
        for n, width in enumerate(widths, start=1):
            self.sheet.column_dimensions[get_column_letter(n)].width = width
        self.sheet.page_setup.orientation = "landscape"
        self.sheet.page_setup.paperSize = 9  # A4
        self.sheet.page_setup.fitToHeight = 0
        self.sheet.sheet_properties.pageSetUpPr.fitToPage = True
        self.sheet.print_title_rows = "1:3"
        self.sheet.oddFooter.center.text = "&P / &N"
        self.sheet.freeze_panes = "D4"

    def title(self, words: str) -> None:
        self.sheet.row_dimensions[1].height, self.sheet.row_dimensions[3].height = 28, 32
        title = WriteOnlyCell(self.sheet, words)
        title.font = Font(bold=True, size=16)
        across = [title, *(WriteOnlyCell(self.sheet, None) for _ in self.head[1:])]
        for cell in across:  # centred over the table without merging cells
            cell.alignment = Alignment(horizontal="centerContinuous", vertical="center")
        self.sheet.append(across)
        moment = clock.now().astimezone(clock.SHANGHAI)
        stamp = _("截止时间：%(time)s　单位：户") % {"time": f"{moment:%Y-%m-%d %H:%M}"}
        self.sheet.append([WriteOnlyCell(self.sheet, stamp)])
        self.row(self.head, "head")

    def row(self, values: Iterable[Any], kind: str = "") -> None:
        self.sheet.append([self._cell(value, kind) for value in values])

    def _cell(self, value: Any, kind: str) -> WriteOnlyCell:
        cell = WriteOnlyCell(self.sheet, escape(value) if isinstance(value, str) else value)
        cell.border = BORDER
        cell.alignment = Alignment(
            vertical="center",
            wrap_text=isinstance(value, str),
            horizontal="center" if kind == "head" else None,
        )
        if isinstance(value, date):
            cell.number_format = "yyyy-mm-dd"
        if kind:
            cell.font, cell.fill = Font(bold=True), TINT[kind]
        return cell

    def foot(self, user: User) -> None:
        words = [
            _("填报单位（盖章）：%(office)s") % {"office": user.office},
            _("填报人：%(name)s") % {"name": user},
            _("审核人："),
            _("联系电话："),
        ]
        self.sheet.append([])
        self.sheet.append([escape("　　".join(words))])


# -- villages ------------------------------------------------------------------------------

TOWN_WIDTHS = [6, 14, 14, 12, 12, 24, *([10] * len(FIGURES)), 12]


def _town_head() -> list[str]:
    return [
        _("序号"),
        _("改造主体"),
        _("村（社区）"),
        _("原下达任务"),
        _("调整后任务"),
        _("调整依据（文号）"),
        *(str(one.head) for one in FIGURES),
        _("最近变动"),
    ]


def _town_row(line: Line, town: str, village: str) -> list[Any]:
    return [
        line.item.seq if line.item else None,
        town,
        village,
        line.original,
        line.task,
        _("；").join(line.bases),
        *(line.counts[one.key] for one in FIGURES),
        line.changed_at.astimezone(clock.SHANGHAI).date() if line.changed_at else None,
    ]


# -- households ----------------------------------------------------------------------------

HOME_WIDTHS = [6, 14, 14, 13, 10, 18, 14, 10, 12, *([12] * len(StepKind)), 12, 14, 24, 8, 12]


def _home_head() -> list[str]:
    return [
        _("序号"),
        _("改造主体"),
        _("村（社区）"),
        _("户编号"),
        _("户主"),
        _("门牌号或位置"),
        _("联系电话"),
        _("取暖面积"),
        _("改造方式"),
        *(str(kind.label) for kind in StepKind),
        _("退出改造"),
        _("状态"),
        _("缺什么、说明"),
        _("补录"),
        _("最近变动"),
    ]


def _home_row(n: int, home: Household) -> list[Any]:
    line, town = HouseholdLine.of(home), home.area.town
    return [
        n,
        town.name if town else "",
        home.area.as_village,
        home.number,
        home.householder,
        home.door or home.place,
        home.masked_phone,
        home.heated_area,
        home.get_method_display(),
        *dates(home),
        home.withdrawn_on,
        line.label,
        line.lacks,
        _("补录") if line.entered_later else "",
        home.updated_at.astimezone(clock.SHANGHAI).date(),
    ]


def dates(home: Household) -> list[date | None]:
    """The valid dates of the household's steps, in lawful order."""
    return list(_dates(home))


def _dates(home: Household) -> Iterator[date | None]:
    for kind in StepKind:
        yield getattr(home, f"{kind}_on")
