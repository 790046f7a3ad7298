"""Putting a unit into a household: the one door for form, phone and workbook.

A record finds or makes the transmitter's line and the unit, keeps the values of Annex 2 item 5 and
takes the household's step 安装. What the household itself says (village, door, name, phone) is
changed elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any
from urllib.parse import quote
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from devices import taken
from devices.connecting import LAST_ADDRESS, speech
from devices.installation_form import ADDS, REPLACES, InstallationForm, content_of, plain
from devices.modbus.registration import key
from devices.models import (
    DeviceModel,
    DockingState,
    Gateway,
    Installation,
    RegisterMap,
    Unit,
)
from households import clock, path, positions
from households.audit import history
from households.models import Household, Method, StepKind, User

Messages = dict[str, list[str]]

# Which line worker a transmitter dials in to already; asked in turn, filled by apps that know.
HEARD_BY: list[Callable[[str], str | None]] = []

KEPT = (
    "installed_on",
    "heated_area",
    "latitude",
    "longitude",
    "position_source",
    "accuracy_m",
    "factory_number",
    "transmitter_number",
    "note",
)


TESTED_IN = (DockingState.RECEIVED, DockingState.TESTING)  # a sample may be at the bench


class InstallationRefused(Exception):
    """Nothing was stored; `messages` say why by field, "" for what concerns the whole."""

    def __init__(self, messages: Mapping[str, list[str]]) -> None:
        self.messages: Messages = {field: list(told) for field, told in messages.items()}
        super().__init__("；".join(text for told in self.messages.values() for text in told))


def record(
    household: Household, values: Mapping[str, object], by: User, uid: UUID, *, reason: str = ""
) -> Installation:
    """Store what `values` (see InstallationForm) say of a unit in this household.

    The same `uid` with the same content is the same record; with other content it corrects it and
    needs a `reason`. Raises InstallationRefused.
    """
    try:
        return _record(household, values, by, uid, reason)
    except IntegrityError:  # somebody was quicker: look again, and say so
        return _record(household, values, by, uid, reason)


@transaction.atomic
def _record(
    household: Household, values: Mapping[str, object], by: User, uid: UUID, reason: str
) -> Installation:
    home = Household.objects.select_for_update(of=("self",)).get(pk=household.pk)
    _check_household(home, by)
    rows = Installation.objects.select_related("unit__gateway", "unit__model", "unit__register_map")
    kept = rows.filter(uid=uid).first()
    if kept and kept.household_id != home.pk:
        raise InstallationRefused({"": [_("这条记录已用于另一户：请重新填写")]})
    form = InstallationForm(values, home, by, kept)
    if not form.is_valid():
        raise InstallationRefused(told_by(form))
    said = form.cleaned_data
    if kept is None:
        return _install(home, said, by, uid)
    if kept.content == content_of(home, said) or not _differences(kept, said):
        return kept
    if not reason:
        raise InstallationRefused({"reason": [_("这条记录已按别的内容存过：要改请写明更正原因")]})
    with history.because(reason):
        return _correct(kept, said, by, reason)


def told_by(form: InstallationForm) -> Messages:
    """The form's mistakes by field, "" for what concerns the whole."""
    found = {field: [str(text) for text in told] for field, told in form.errors.items()}
    return {"" if field == "__all__" else field: told for field, told in found.items()}


def _check_household(home: Household, by: User) -> None:
    if not by.may_install:
        raise InstallationRefused({"": [_("您的账号不登记安装信息")]})
    if not Method(home.method).has_unit:
        told = {"method": home.get_method_display()}
        raise InstallationRefused({"": [_("%(method)s不在户内安装机组：请登记入网记录") % told]})


# -- a new record --------------------------------------------------------------------------


def _install(home: Household, said: dict[str, Any], by: User, uid: UUID) -> Installation:
    before = list(home.installations.standing().select_related("unit__model"))
    if before and said["many"] not in (REPLACES, ADDS):
        told = {"unit": f"{before[0].unit.model} {before[0].unit}", "on": before[0].installed_on}
        raise InstallationRefused(
            {"many": [_("该户已有机组 %(unit)s（%(on)s 安装）：请选更换还是加装") % told]}
        )
    if said["many"] == REPLACES:
        for old in before:
            _take_out(old, said["installed_on"])
    row = Installation(household=home, uid=uid, content=content_of(home, said), entered_by=by)
    row.unit = _unit(said, by)
    row.entered_at = clock.now()
    _write(row, said)
    _take_step(row, by)
    return row


def _take_out(old: Installation, on: date) -> None:
    """The unit before has left the house and is asked no more; what it told stays."""
    if on < old.installed_on:
        told = {"date": old.installed_on}
        raise InstallationRefused(
            {"installed_on": [_("更换日期早于原机组的安装日期 %(date)s") % told]}
        )
    old.removed_on = on
    old.save(update_fields=["removed_on"])
    old.unit.retired_at = clock.now()
    old.unit.save(update_fields=["retired_at"])


def _write(row: Installation, said: dict[str, Any]) -> None:
    for field in KEPT:
        setattr(row, field, said[field])
    row.save()


def _take_step(row: Installation, by: User, note: str = "") -> None:
    """安装 counts from the first unit on; a step that counts already stays as it is."""
    if row.household.installed_on:
        return
    try:
        path.take(row.household, StepKind.INSTALLED, on=row.installed_on, by=by, note=note)
    except path.StepRefused as refusal:
        raise InstallationRefused({"": refusal.lacks}) from refusal


# -- the unit and its line -----------------------------------------------------------------


def _unit(said: dict[str, Any], by: User, moves: Unit | None = None) -> Unit:
    """The unit at this address: a spare that waits there, the one that moves there, or a new
    one."""
    model: DeviceModel = said["chosen"]
    gateway = _gateway(said["transmitter_number"])
    points = model.map_on(said["installed_on"])
    there = _there(gateway, said, by, moves)
    unit = moves or there or Unit(in_service_since=clock.now())
    _check_addresses(unit, gateway, points, said, by)
    unit.gateway = gateway or unit.gateway
    unit.address = said["address"] if gateway else unit.address
    unit.network_address = said["network_address"] or unit.network_address
    unit.factory_number = said["factory_number"] or unit.factory_number
    if unit.pk is None or unit.model_id != model.pk:
        unit.model, unit.register_map = model, points
        points.mark_used()
    unit.save()
    return unit


def _gateway(number: str) -> Gateway | None:
    """The line of the transmitter with this number, made where there is none; None for no
    number."""
    if not number:
        return None
    for gateway in Gateway.objects.filter(
        kind=Gateway.Kind.DIAL, url__icontains=quote(number, safe="")
    ):
        if key(gateway.transmitter) == key(number):
            return gateway
    url = f"dial://{quote(number, safe='')}"
    return Gateway.objects.create(url=url, kind=Gateway.Kind.DIAL, line_worker=_worker(number))


def _worker(number: str) -> str:
    """The line worker that holds the transmitter already, else the one with the most lines."""
    for heard in HEARD_BY:
        if name := heard(number):
            return name
    dialled = Gateway.objects.filter(kind=Gateway.Kind.DIAL).order_by()
    names = list(dialled.values_list("line_worker", flat=True))
    return max(sorted(set(names)), key=names.count, default="main")


def _there(
    gateway: Gateway | None, said: dict[str, Any], by: User, moves: Unit | None
) -> Unit | None:
    """Who is at this address, or has this plate where there is no transmitter, if it is free."""
    if moves and gateway is None:
        return None
    standing = Unit.objects.filter(retired_at=None).select_related("model", "register_map")
    model: DeviceModel = said["chosen"]
    if gateway is None:
        unit = standing.filter(model=model, factory_number=said["factory_number"]).first()
        if unit is None:
            raise InstallationRefused(
                {
                    "transmitter_number": [
                        _("请填装置编号；接在串口上的机组请先由平台服务单位登记，再按出厂编号安装")
                    ]
                }
            )
        what, value = _("设备出厂地址编号"), unit.factory_number
    else:
        at_address = standing.filter(gateway=gateway, address=said["address"], module=None)
        unit = at_address.first()
        what, value = _("线上地址"), said["address"]
    if unit is None or unit == moves:
        return None
    if moves or _is_taken(unit, said):
        field = "address" if gateway else "factory_number"
        raise InstallationRefused({field: [taken.sentence(what, value, unit, by)]})
    return unit


def _is_taken(unit: Unit, said: dict[str, Any]) -> bool:
    """It stands in a house, or has another plate than the one that was read."""
    plates = {plain(unit.factory_number), said["factory_number"]} - {""}
    if unit.model_id != said["chosen"].pk or len(plates) > 1:
        return True
    return unit.installations.standing().exists()


def _check_addresses(
    unit: Unit, gateway: Gateway | None, points: RegisterMap, said: dict[str, Any], by: User
) -> None:
    others = Unit.objects.filter(retired_at=None).exclude(pk=unit.pk).select_related("model")
    messages: Messages = {}
    if number := said["factory_number"]:
        twin = others.filter(model=said["chosen"], factory_number=number, module=None).first()
        if twin:
            told = taken.sentence(_("设备出厂地址编号"), number, twin, by)
            messages["factory_number"] = [told]
    if number := said["network_address"]:
        twin = others.filter(network_address=number).first()
        if twin:
            messages["network_address"] = [taken.sentence(_("网络地址"), number, twin, by)]
    if gateway and (sample := _at_bench(gateway)):
        number = gateway.transmitter
        messages["transmitter_number"] = [taken.sentence(_("装置编号"), number, sample, by)]
    if gateway and (told := _why_not_there(unit, gateway, points, said["address"])):
        messages["address"] = [told]
    if messages:
        raise InstallationRefused(messages)


def _at_bench(gateway: Gateway) -> Unit | None:
    """A sample under test on this line: the bench switches off and on what hangs there."""
    samples = gateway.units.filter(retired_at=None, applications__state__in=TESTED_IN)
    return samples.select_related("model").first()


def _why_not_there(unit: Unit, gateway: Gateway, points: RegisterMap, address: int) -> str:
    """An address that the model cannot have, or neighbours on the line that speak otherwise."""
    settings = points.parsed().settings
    last = LAST_ADDRESS[settings.address_width]
    if not 1 <= address <= last:
        return _("线上地址应为 1～%(last)s 的整数") % {"last": last}
    others = gateway.units.filter(retired_at=None).exclude(pk=unit.pk)
    for other in others.select_related("register_map"):
        theirs, mine = (
            speech(gateway.url, one) for one in (other.register_map.parsed().settings, settings)
        )
        if theirs != mine:
            told = {"mine": mine, "theirs": theirs}
            return (
                _(
                    "这个装置下已有的机组通信参数是 %(theirs)s，"
                    "这个型号是 %(mine)s，不能共用一个装置"
                )
                % told
            )
    return ""


# -- correcting one ------------------------------------------------------------------------


def _differences(row: Installation, said: dict[str, Any]) -> list[str]:
    """Fields that `said` would change."""
    unit = row.unit
    found = [field for field in KEPT if not _alike(getattr(row, field), said[field])]
    if unit.model_id != said["chosen"].pk:
        found.append("model")
    if said["transmitter_number"] and unit.address != said["address"]:
        found.append("address")
    if said["network_address"] not in (None, unit.network_address):
        found.append("network_address")
    return found


def _alike(kept: object, wanted: object) -> bool:
    """Degrees that went out and came back may differ in the last digit: a decimetre is none."""
    if isinstance(kept, float) and isinstance(wanted, float):
        return abs(kept - wanted) < 1e-6
    return kept == wanted


def _correct(row: Installation, said: dict[str, Any], by: User, reason: str) -> Installation:
    changes = _differences(row, said)
    if "model" in changes:  # what the unit told was decoded by the other model's map
        row.unit.retired_at = clock.now()
        row.unit.save(update_fields=["retired_at"])
        row.unit = _unit(said, by)
    else:
        row.unit = _unit(said, by, moves=row.unit)
    _write(row, said)
    if "installed_on" in changes:
        row.household.installed_on = None
    _take_step(row, by, note=reason)
    return row


# -- what to look at again -----------------------------------------------------------------


def reminders(row: Installation) -> list[str]:
    """What is stored as it was said, and looks wrong all the same."""
    found = []
    number, home = row.transmitter_number, row.household
    if len(number) == 15 and number.isdecimal() and not _luhn(number):
        found.append(_("装置编号像 IMEI，但校验位不对：请再核对一次标签"))
    if row.latitude is not None and row.longitude is not None:
        far = positions.far_from_village(home.area, row.latitude, row.longitude)
        if far:
            told = {"km": f"{far / 1000:.1f}", "village": home.area}
            found.append(_("位置离%(village)s其他户约 %(km)s 公里：请核对") % told)
    if home.heated_area and abs(row.heated_area - home.heated_area) > home.heated_area / 5:
        found.append(
            _("取暖面积与登记的 %(area)s m² 相差超过两成：请核对") % {"area": home.heated_area}
        )
    return found


def _luhn(digits: str) -> bool:
    doubled = [int(digit) * (1 + n % 2) for n, digit in enumerate(digits)]
    return sum(one // 10 + one % 10 for one in doubled) % 10 == 0
