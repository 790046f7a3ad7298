"""What a cell of the template takes: lengths, ranges, dates, told while it is being filled in.

These only help the hand; what counts is said by `checking` when the workbook comes back.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

if TYPE_CHECKING:
    from households.ledger.columns import Column

Check = dict[str, object]
EARLIEST = 36526  # 2000-01-01, as a spreadsheet counts days
LATEST = 73050  # 2099-12-31


def check_of(column: Column) -> Check | None:
    """The check of a column: by its key, or of any date; None where a cell may hold anything."""
    if made := CHECKS.get(column.key):
        return made()
    return _day() if isinstance(column.example, date) else None


def _phone() -> Check:
    # A warning, not a refusal: 0356-… and two numbers in a cell are told apart at the import.
    words = _("手机号 11 位；座机写区号-号码。确实如此可以继续。")
    return _between("textLength", 7, 16, words, _("联系电话"), style="warning")


def _area() -> Check:
    words = _("取暖面积填数字，单位 m²，一般在 10 到 500 之间。确实如此可以继续。")
    return _between("decimal", 10, 500, words, _("取暖面积"), style="warning")


def _longitude() -> Check:
    return _between("decimal", 73, 136, _("经度填小数，例如 112.8551。"), _("经度"))


def _latitude() -> Check:
    return _between("decimal", 3, 54, _("纬度填小数，例如 35.4903。"), _("纬度"))


def _day() -> Check:
    return _between("date", EARLIEST, LATEST, _("填 年-月-日，例如 2026-09-12。"), _("日期"))


def _between(
    what: str, low: float, high: float, words: str, title: str, *, style: str = "stop"
) -> Check:
    return {
        "type": what,
        "operator": "between",
        "formula1": str(low),
        "formula2": str(high),
        "allow_blank": True,
        "showErrorMessage": True,
        "errorStyle": style,
        "errorTitle": title,
        "error": words,
    }


CHECKS: dict[str, Callable[[], Check]] = {
    "phone": _phone,
    "other_phone": _phone,
    "heated_area": _area,
    "longitude": _longitude,
    "latitude": _latitude,
}
