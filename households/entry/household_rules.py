"""What is still missing of a household's record, and what in it should be looked at again.

What cannot be kept at all is told by `Household.mistakes`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _

from households import personal_numbers, phones, positions
from households.models import Household, Method, PositionSource
from households.models.households import FREE_TEXTS, PHONES
from households.sealing import SealBroken

SEASON_BEGINS = (11, 15)  # month and day: 采暖期 in Jincheng
LARGEST_USUAL_M2 = 500


@dataclass(frozen=True, slots=True)
class Missing:
    """One thing that is missing: at which field, in words, and whether 摸底登记 waits for it."""

    field: str
    words: str
    is_needed: bool = False

    def __str__(self) -> str:
        return self.words


def may_be_surveyed(household: Household) -> bool:
    """Whether 摸底登记 waits for nothing more: nothing of `missing` that is needed."""
    return not any(_needed(household).values())


def _needed(household: Household) -> dict[str, bool]:
    """The fields that 摸底登记 needs, and whether each is missing."""
    return {
        "householder": not household.householder,
        "door": not household.door and not household.place,
        "area": not household.area.town,
    }


def missing(household: Household) -> list[Missing]:
    """What a record still lacks, what 摸底登记 needs first. Asks nothing of the database but the
    household's area."""
    needed = _needed(household)
    asked = [
        (needed["householder"], Missing("householder", _("户主"), True)),
        (
            needed["door"],
            Missing("door", _("门牌号；没有门牌的写位置，例如庙东第三户"), True),
        ),
        (needed["area"], Missing("area", _("村（社区）；散户选镇（街道）"), True)),
        (not household.has_phone, Missing("phone", _("联系电话；没有电话的在备注里写明找谁"))),
        *((True, Missing(name, words)) for name, words in _wrong_phones(household)),
        (household.heated_area is None, Missing("heated_area", _("取暖面积"))),
        *_of_the_method(household),
        (
            household.in_demolition_plan and not household.demolition_on,
            Missing("demolition_on", _("预计拆迁日期")),
        ),
    ]
    return [one for is_missing, one in asked if is_missing]


def _wrong_phones(household: Household) -> list[tuple[str, str]]:
    """A draft may keep a number that is not right yet."""
    found = [(name, _phone_problem(household, name)) for name in PHONES]
    return [(name, words) for name, words in found if words]


def _phone_problem(household: Household, name: str) -> str | None:
    try:
        return phones.problem(getattr(household, name))
    except SealBroken:
        return _("号码无法解密，请重新填写")


def _of_the_method(household: Household) -> list[tuple[bool, Missing]]:
    """Annex 2 item 5 wants the position of every unit; the power company the account."""
    method = Method(household.method)
    return [
        (
            method.has_unit and household.latitude is None,
            Missing("latitude", _("安装位置经纬度")),
        ),
        (
            method == Method.COAL_TO_ELECTRICITY and not household.electricity_account,
            Missing("electricity_account", _("用电户号，见电费单")),
        ),
    ]


def reminders(household: Household, *, middle: positions.Middle | None = None) -> dict[str, str]:
    """What may be right, but should be looked at again: words by field.

    `middle` is the village's, where it is known (`positions.middle_of`).
    """
    found = {field: personal_numbers.warn(getattr(household, field)) for field in FREE_TEXTS}
    found["method"] = _network_first(household)
    found["demolition_on"] = _not_gone_by_winter(household)
    found["heated_area"] = _large(household)
    found["latitude"] = _far(household, middle)
    if household.latitude is not None and household.position_source == PositionSource.UNKNOWN:
        found["position_source"] = _("坐标来源不清楚：按填写的数保存，可能差几百米")
    return {field: words for field, words in found.items() if words}


def _network_first(household: Household) -> str | None:
    """Notice, duty 9: where the network reaches, central heating comes first."""
    if not household.in_network_area or household.method == Method.CENTRAL_HEATING:
        return None
    return _("供热管网已覆盖，通知要求优先集中供热；仍选%(method)s请在备注写明原因") % {
        "method": household.get_method_display()
    }


def _not_gone_by_winter(household: Household) -> str | None:
    """Notice, duty 46: what is not pulled down before the season is converted in this year."""
    if not household.in_demolition_plan or not household.demolition_on:
        return None
    if household.demolition_on < date(household.year, *SEASON_BEGINS) or household.listed_on:
        return None
    return _("采暖期前拆不了的，应纳入当年改造：请列入计划")


def _large(household: Household) -> str | None:
    if household.site_kind != "household" or not household.heated_area:
        return None
    if household.heated_area <= LARGEST_USUAL_M2:
        return None
    return _("取暖面积超过 %(limit)d m²，请核对") % {"limit": LARGEST_USUAL_M2}


def _far(household: Household, middle: positions.Middle | None) -> str | None:
    if middle is None or household.latitude is None or household.longitude is None:
        return None
    far = middle.metres_to(household.latitude, household.longitude)
    if far <= positions.FAR_M:
        return None
    return _("离本村其他住户约 %(km).1f 公里，请核对位置") % {"km": far / 1000}
