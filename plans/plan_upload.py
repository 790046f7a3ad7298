"""The task plan (Annex 1) that comes in as a workbook on the pages of import, for the district."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from itertools import chain
from pathlib import Path

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from openpyxl.utils import get_column_letter

from households import clock
from households.ledger.cells import Severity
from households.ledger.others import OTHERS, Found, NotTaken, Other
from households.ledger.remarks import Remark
from households.ledger.tables import Record, Table, tables
from households.models import Area, User
from households.requests import whole_number
from plans import annex1, task_plan

# The notice's days: begun, works done, over.
DAYS = {"starts_on": (5, 28), "works_done_by": (10, 10), "ends_on": (10, 31)}


def register() -> None:
    OTHERS["plan"] = Other(look, write, "dashboard")


def look(path: Path, filename: str, user: User) -> Found | None:
    """What the plan in the file says; None where there is none in it."""
    found = list(tables(path, filename, [annex1.KIND]))
    table = next((one.table for one in found if isinstance(one, Record)), None)
    if table is None:
        return None
    if not user.files_lists:
        raise NotTaken(_("这是改造任务计划表，由区领导小组办公室导入。"))
    report = annex1.judge(found)
    remarks = [
        *(_remark(one, table, "mistake") for one in report.mistakes),
        *(_remark(one, table, "reminder") for one in report.reminders),
    ]
    asks = (
        ("year", _("年度"), str(clock.today().year)),
        ("basis", _("依据（文号）"), ""),
    )
    return Found(len(report.lines), remarks, {table.sheet: table.row}, asks)


def _remark(told: annex1.Mistake, table: Table, severity: Severity) -> Remark:
    heads = {key: {table.heads.get(key), names[0]} for key, names in annex1.HEADS.items()}
    key = next((key for key, names in heads.items() if told.column in names), "")
    place = table.places.get(key, 0)
    letter = get_column_letter(place) if place else ""
    advice = (
        _("确认无误可继续，或改正") if severity == "reminder" else _("照通知的原表改正后重新上传")
    )
    return Remark(
        table.sheet,
        told.row,
        told.column,
        letter,
        told.value,
        told.reason,
        advice,
        "reminder" if severity == "reminder" else "mistake",
    )


def write(path: Path, filename: str, user: User, answers: Mapping[str, str]) -> dict[str, int]:
    """Make the year's plan say what the file says; answers how many of its lines changed."""
    year = _year(answers.get("year", ""))
    basis = answers.get("basis", "").strip()
    if not basis:
        raise NotTaken(_("请填依据（文号）。"))
    district = Area.objects.filter(level=Area.Level.DISTRICT).first()
    if district is None:
        raise NotTaken(_("平台里还没有区，请系统管理员先建立。"))
    days = {name: date(year, month, day) for name, (month, day) in DAYS.items()}
    try:
        lines = annex1.load(path, filename)
        stored = task_plan.store(lines, district=district, year=year, basis=basis, **days)
    except annex1.PlanRefused as refused:
        raise NotTaken(str(refused.mistakes[0])) from None
    except ValidationError as refused:
        raise NotTaken(_("；").join(chain(refused.messages))) from None
    return {
        "new": stored.added,
        "changed": stored.changed,
        "unchanged": stored.unchanged,
    }


def _year(text: str) -> int:
    year = whole_number(text, 2099)
    if year is None or year < 2000:
        raise NotTaken(_("年度要在 2000 到 2099 之间。"))
    return year
