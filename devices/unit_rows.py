"""Rows of a workbook that tell of heating units: held against models, addresses and households.

What is right goes through `installing.record`, as from the form and from the phone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any
from weakref import WeakKeyDictionary

from django.utils.translation import gettext as _

from devices import installing
from devices.installation_form import ADDS, REPLACES, TRANSMITTER_NUMBER, plain
from devices.models import DeviceModel, Installation, Unit
from devices.unit_claims import Addresses, Claims, Models, Refusal
from households import clock
from households.ledger.cells import Told, mistake, reminder
from households.ledger.coordinates import Pair, as_of_source, faulty, position
from households.ledger.importing import RowRefused
from households.ledger.lines import Kept, Line
from households.ledger.remarks import Remarks
from households.models import Household, Method, StepKind, User
from households.uid import uuid7

KEYS = (
    "maker", "device", "model", "factory_number", "transmitter_number", "address",
    "network_address",
)  # fmt: skip
IMEI = 15


class UnitRows:
    """The part of a household's row that tells of a unit (households.ledger.lines.Part)."""

    key = "unit"

    def __init__(self) -> None:
        # What earlier batches of each check that is under way have claimed.
        self._claimed: WeakKeyDictionary[Remarks, Claims] = WeakKeyDictionary()

    def judge(self, lines: Sequence[Line], user: User, remarks: Remarks) -> None:
        told = [line for line in lines if line.home is not None and _tells(line)]
        if told:
            _Judge(told, user, remarks, self._claimed.setdefault(remarks, {})).judge()

    def write(self, rows: Sequence[tuple[Kept, Household]], by: User) -> int:
        for row, home in rows:
            part = dict(row.parts[self.key])
            uid, reason = part.pop("uid") or uuid7(), part.pop("reason")
            try:
                installing.record(home, part, by, uid, reason=reason)
            except installing.InstallationRefused as refused:
                raise RowRefused(row, str(refused)) from refused
        return len(rows)


def _tells(line: Line) -> bool:
    return any(line.values.get(key) is not None for key in KEYS)


class _Judge:
    """Lines that tell of units, all with a household."""

    def __init__(
        self, lines: Sequence[Line], user: User, remarks: Remarks, claimed: Claims
    ) -> None:
        self.lines, self.user, self.remarks = lines, user, remarks
        self.models = Models(user)
        self.standing = _standing_in([line.home.pk for line in lines if line.home and line.home.pk])
        self.addresses = Addresses(lines, user, claimed)

    def judge(self) -> None:
        for line in self.lines:
            home = line.home
            assert home is not None
            line.steps.pop(StepKind.INSTALLED, None)  # the record takes it
            kept = self._meant(line, self.standing.get(home.pk or 0, []))
            if kept is None or _differs(line, kept):
                self._judge_one(line, home, kept)

    def _meant(self, line: Line, standing: list[Installation]) -> Installation | None:
        """The record that the row corrects, if it is about one: a row that says 更换 or 加装 and
        gives another plate tells of another unit on the same transmitter."""
        values = line.values
        for record in standing:
            numbers = (record.factory_number, record.transmitter_number)
            said = (values.get("factory_number"), values.get("transmitter_number"))
            same = [plain(a) == plain(b) for a, b in zip(numbers, said, strict=True) if a and b]
            if any(same) and not (values.get("many") and not all(same)):
                return record
        return None

    def _judge_one(self, line: Line, home: Household, kept: Installation | None) -> None:
        if why := self._not_here(home):
            return self._told(line, _first_key(line), why)
        model = self.models.find(line.values)
        if isinstance(model, Refusal):
            self._told(line, model.key, model.told)
        said = self._said(line, home, kept)
        self._check_numbers(line)
        self._check_many(line, home, kept)
        if isinstance(model, DeviceModel):
            own = self._own(line, home, kept)
            points = self.models.settings(model, said["installed_on"])
            for key, told in self.addresses.clashes(line, home, model, own):
                self._told(line, key, told)
            for key, told in self.addresses.unfit(line, model, points, own):
                self._told(line, key, told)
            if kept is None or kept.unit.model_id != model.pk:
                said |= self._papers(line, model, said["installed_on"])
            names = {"maker": model.supplier.name, "device": model.name, "model": model.code}
            line.parts[UnitRows.key] = said | names
        return None

    def _own(self, line: Line, home: Household, kept: Installation | None) -> list[Unit]:
        """Units whose numbers the row may have: the one that it corrects, those it replaces."""
        if kept:
            return [kept.unit]
        replaced = line.values.get("many") == REPLACES
        return [row.unit for row in self.standing.get(home.pk or 0, [])] if replaced else []

    def _papers(self, line: Line, model: DeviceModel, on: date) -> dict[str, Any]:
        """A unit that was put in on a day of its own is told as it is, whatever its model lacks."""
        lacking = _("；").join(self.models.lacks(model, on))
        if not lacking:
            return {}
        key = f"{StepKind.INSTALLED}_on"
        is_wrong = key in line.record.places and key not in line.values  # told already
        if line.values.get(key) or is_wrong:
            kept = _("%(lacks)s；按手续不全记") % {"lacks": lacking}
            self._told(line, "model", reminder(model.code, kept))
        else:
            advice = _("不能新装；已经装好的请填安装日期，按手续不全记")
            self._told(line, "model", mistake(lacking, advice))
        return {"existing": True}

    def _not_here(self, home: Household) -> Told | None:
        if not self.user.may_install:
            return mistake(
                _("您的账号不登记安装信息"), _("由镇（街道）或供应商导入；删去设备各栏可继续")
            )
        if home.method and not Method(home.method).has_unit:
            told = {"method": home.get_method_display()}
            reason = _("%(method)s不在户内安装机组") % told
            return mistake(reason, _("核对改造方式；网络供热请登记入网记录"))
        return None

    def _said(self, line: Line, home: Household, kept: Installation | None) -> dict[str, Any]:
        """The values for `installing.record`."""
        values, names_only = line.values, line.shape.names_only
        said: dict[str, Any] = {
            key: values.get(key) for key in (*KEYS, "many") if values.get(key) is not None
        }
        said["installed_on"] = self._day(line, kept)
        said["heated_area"] = values.get("heated_area") or (kept or home).heated_area
        if not said["heated_area"]:
            lacking = mistake(_("没有取暖面积"), _("填数字，单位 m²，例如 92"))
            self._told(line, "heated_area", lacking)
        said |= self._place(line, home, kept)
        said["note"] = (values.get("note") or "") if names_only else kept.note if kept else ""
        if kept:
            said.setdefault("address", kept.unit.address)
        said |= {"uid": kept.uid if kept else None, "reason": _("按导入的表更正") if kept else ""}
        return said

    def _day(self, line: Line, kept: Installation | None) -> date:
        on = line.values.get(f"{StepKind.INSTALLED}_on")
        if isinstance(on, date):
            if on > clock.today():
                told = mistake(_("日期还没有到"), _("填实际办理的日期"))
                self._told(line, f"{StepKind.INSTALLED}_on", told)
            return on
        if kept:
            return kept.installed_on
        today = clock.today()
        reason = _("没有安装日期，按 %(day)s 记") % {"day": today}
        self._told(line, f"{StepKind.INSTALLED}_on", reminder(today, reason))
        return today

    def _place(self, line: Line, home: Household, kept: Installation | None) -> dict[str, Any]:
        """Where the unit stands, as the form takes it: in the system of its source."""
        if not line.shape.names_only:
            known = home
            point = (home.longitude, home.latitude)
            source = home.position_source
        else:
            values = line.values
            both = values.get("position")
            x, y = (
                both
                if isinstance(both, Pair)
                else (values.get("longitude"), values.get("latitude"))
            )
            source = values.get("position_source") or ""
            found = position(x, y, source)
            if isinstance(found, Told):
                self._told(line, faulty(values), found)
                found = found.value
            point = found or (None, None)
            known = None
        if (point[0] is None or point[1] is None) and kept:
            point, source = (kept.longitude, kept.latitude), kept.position_source
        if point[0] is None or point[1] is None:
            return {}
        shown = point if known is not None else as_of_source(point[0], point[1], source)
        return {"longitude": shown[0], "latitude": shown[1], "position_source": source}

    def _check_numbers(self, line: Line) -> None:
        number = plain(line.values.get("transmitter_number") or "")
        if not number and not line.values.get("factory_number"):
            reason = _("装置编号和设备出厂地址编号都没有")
            self._told(line, "transmitter_number", mistake(reason, _("至少填一个")))
        elif not line.values.get("factory_number"):
            lacking = reminder(None, _("没有设备出厂地址编号"), _("按机组铭牌补填"))
            self._told(line, "factory_number", lacking)
        if number and not TRANSMITTER_NUMBER.fullmatch(number):
            reason = _("不是装置编号：只会有字母、数字和半角符号")
            self._told(line, "transmitter_number", mistake(reason, _("按装置铭牌填写")))
        elif number.isdecimal() and number.startswith("86") and len(number) in (IMEI - 1, IMEI + 1):
            told = {"n": len(number), "due": IMEI}
            reason = _("%(n)d 位，应为 %(due)d 位") % told
            self._told(line, "transmitter_number", mistake(reason, _("按装置铭牌补全")))

    def _check_many(self, line: Line, home: Household, kept: Installation | None) -> None:
        others = self.standing.get(home.pk or 0, [])
        if kept or not others:
            return
        if line.values.get("many") in (REPLACES, ADDS):
            self._check_replaced(line, others)
            return
        told = {"unit": f"{others[0].unit.model} {others[0].unit}", "on": others[0].installed_on}
        reason = _("该户已有机组 %(unit)s（%(on)s 安装）") % told
        advice = _("更换或加装在“安装记录”表的“更换或加装”栏写明")
        self._told(line, "factory_number", mistake(reason, advice))

    def _check_replaced(self, line: Line, others: Sequence[Installation]) -> None:
        on, last = line.values.get(f"{StepKind.INSTALLED}_on"), max(r.installed_on for r in others)
        if line.values["many"] == REPLACES and isinstance(on, date) and on < last:
            reason = _("更换日期早于原机组的安装日期 %(date)s") % {"date": last}
            told = mistake(reason, _("填实际办理的日期"))
            self._told(line, f"{StepKind.INSTALLED}_on", told)

    def _told(self, line: Line, key: str, told: Told) -> None:
        self.remarks.tell(line.record, key, told)


def _first_key(line: Line) -> str:
    return next(key for key in KEYS if line.values.get(key) is not None)


def _standing_in(households: Iterable[int]) -> dict[int, list[Installation]]:
    found: dict[int, list[Installation]] = defaultdict(list)
    wanted = list(households)
    if wanted:
        rows = Installation.objects.standing().filter(household__in=wanted).order_by("pk")
        for row in rows.select_related("unit__model__supplier", "unit__gateway"):
            found[row.household_id].append(row)
    return found


def _differs(line: Line, kept: Installation) -> bool:
    """Whether the row says anything else than the record."""
    unit, model = kept.unit, kept.unit.model
    known: dict[str, Any] = {
        "maker": model.supplier.name,
        "device": model.name,
        "model": model.code,
        "factory_number": kept.factory_number,
        "transmitter_number": kept.transmitter_number,
        "address": unit.address,
        "network_address": unit.network_address,
        "installed_on": kept.installed_on,
    }
    if line.shape.names_only:
        known |= {"heated_area": kept.heated_area, "note": kept.note}
        x, y = (
            as_of_source(kept.longitude, kept.latitude, kept.position_source)
            if (kept.longitude is not None and kept.latitude is not None)
            else (None, None)
        )
        known |= {"longitude": x, "latitude": y, "position_source": kept.position_source}
    said = {key: line.values.get(key) for key in known}
    return any(value is not None and value != known[key] for key, value in said.items())
