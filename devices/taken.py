"""Addresses are one unit's: which unit has one already, told as far as the asker may know."""

from __future__ import annotations

from django.utils.translation import gettext as _

from devices.models import Installation, Unit
from households.models import Household, User


def who_has(unit: Unit, by: User) -> str:
    """“CN-W10 CN26100001（洞头村 26-12-0001 测试路 1 号）” for one who may see it, else nothing.

    Who sees the unit alone (its maker after acceptance) is told no more than the 户编号.
    """
    if not Unit.objects.visible_to(by).filter(pk=unit.pk).exists():
        return ""
    return f"{unit.model} {unit}{_place(unit, by)}"


def _place(unit: Unit, by: User) -> str:
    record = Installation.objects.standing().filter(unit=unit).select_related("household__area")
    home = next((one.household for one in record), None)
    if home is None:
        return ""
    where = f"{home.area} {home} {home.door or home.place}".strip()
    sees_home = Household.objects.visible_to(by).filter(pk=home.pk).exists()
    return _("（%(where)s）") % {"where": where if sees_home else home}


def sentence(what: str, value: object, unit: Unit, by: User) -> str:
    """That `what` (线上地址, 网络地址 …) has gone to another unit, and what to do."""
    told = {"what": what, "value": value, "who": who_has(unit, by)}
    if not told["who"]:
        return _("%(what)s %(value)s 已被占用：请核对标签，仍不符请联系平台服务单位") % told
    return _("%(what)s %(value)s 已由 %(who)s 使用：请核对标签，或先更正那一台") % told
