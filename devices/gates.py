"""What `devices` asks before a household counts as installed: Annex 2 items 4 to 8 of the notice.

The twelve values are town, village, door, resident's name and phone, heated area, position, maker,
name and model of the unit, its factory address and its transmitter's address.
"""

from __future__ import annotations

from datetime import date

from django.utils.translation import gettext as _

from devices.docking import admission
from devices.models import Gateway, HeatConnection, Installation
from households.models import Area, Household, Method, StepKind
from households.path import GATES


def register() -> None:
    """Put the gates of this app in; done once, when the app is ready."""
    GATES[StepKind.INSTALLED] += [installed, connected]
    GATES[StepKind.COMMISSIONED].append(heated)


def installed(household: Household, on: date) -> list[str]:
    """A household with a unit of its own needs its installation record of that day, complete, of
    a model that is admitted on that day."""
    if not Method(household.method).has_unit:
        return []
    standing = Installation.objects.open_on(on).filter(household=household)
    rows = standing.select_related("unit__model__supplier", "unit__gateway", "household__area")
    record = rows.first()
    if record is None:
        return [_("当日没有在用的安装记录：请安装人员登记安装信息")]
    return _lacking(record) + admission.sentences(record.unit.model, on)


def connected(household: Household, on: date) -> list[str]:
    """A household on the heat network needs the heat company's record of its connection."""
    if Method(household.method).has_unit:
        return []
    record = HeatConnection.objects.filter(household=household).order_by().first()
    if record is None:
        return [_("没有入网记录：请供热企业登记")]
    if record.connected_on is None or record.connected_on > on:
        return [_("入网记录缺接入日期：请供热企业补录")]
    return []


def heated(household: Household, on: date) -> list[str]:
    """It was found warm by the heat company: there is no unit that would tell so itself."""
    if Method(household.method).has_unit:
        return []
    warm = HeatConnection.objects.filter(household=household, heated_on__lte=on)
    return [] if warm.exists() else [_("入网记录缺通热日期：请供热企业补录")]


def _lacking(record: Installation) -> list[str]:
    """The values that are missing, together for each who can bring them."""
    home, model, gateway = record.household, record.unit.model, record.unit.gateway
    village: dict[str, object] = {
        _("镇（街道）、村（社区）"): home.area.level != Area.Level.DISTRICT,
        _("门牌号"): home.door,
        _("住户姓名"): home.householder,
        _("联系电话"): home.phone,
    }
    supplier: dict[str, object] = {
        _("设备厂商名称"): model.supplier.name,
        _("设备名称"): model.name,
        _("设备型号"): model.code,
    }
    # Only a transmitter has an address of its own; a unit on a serial port has none to record.
    dials_in = gateway.kind == Gateway.Kind.DIAL
    installer: dict[str, object] = {
        _("取暖面积"): record.heated_area,
        _("安装位置经纬度"): record.latitude is not None,
        _("设备出厂地址编号"): record.factory_number,
        _("无线传输设备地址编号"): record.transmitter_number or not dials_in,
    }
    asked: dict[str, dict[str, object]] = {
        _("村（社区）"): village,
        _("供应商"): supplier,
        _("安装人员"): installer,
    }
    found = {who: [name for name, value in of.items() if not value] for who, of in asked.items()}
    return [
        _("安装信息缺%(values)s：请%(who)s补录") % {"values": "、".join(names), "who": who}
        for who, names in found.items()
        if names
    ]
