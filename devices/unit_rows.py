"""Rows of a workbook that tell of heating units: held against models, addresses and households.

What is right goes through `installing.record`, as from the form and from the phone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from urllib.parse import quote

from django.db.models import Q
from django.utils.translation import gettext as _

from devices import installing, taken
from devices.installation_form import ADDS, REPLACES, admitted, plain
from devices.modbus.registration import key as same_id
from devices.models import DeviceModel, Gateway, Installation, Unit
from households import clock
from households.ledger.cells import Told, mistake, nearest, reminder
from households.ledger.coordinates import Pair, as_of_source, position
from households.ledger.importing import RowRefused
from households.ledger.lines import Kept, Line
from households.ledger.remarks import Remarks
from households.models import Household, Method, StepKind, User
from households.uid import uuid7

KEYS = (
    "maker", "device", "model", "factory_number", "transmitter_number", "address",
    "network_address",
)  # fmt: skip
ALIKE = str.maketrans("OIL", "011")  # letters that are read for figures
IMEI = 15


class UnitRows:
    """The part of a household's row that tells of a unit (households.ledger.lines.Part)."""

    key = "unit"

    def judge(self, lines: Sequence[Line], user: User, remarks: Remarks) -> None:
        told = [line for line in lines if line.home is not None and _tells(line)]
        if told:
            _Judge(told, user, remarks).judge()

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

    def __init__(self, lines: Sequence[Line], user: User, remarks: Remarks) -> None:
        self.lines, self.user, self.remarks = lines, user, remarks
        self.models = Models(user)
        self.standing = _standing_in([line.home.pk for line in lines if line.home and line.home.pk])
        self.addresses = Addresses(lines, user)

    def judge(self) -> None:
        for line in self.lines:
            home = line.home
            assert home is not None
            line.steps.pop(StepKind.INSTALLED, None)  # the record takes it
            kept = self._meant(line, self.standing.get(home.pk or 0, []))
            if kept is None or _differs(line, kept):
                self._judge_one(line, home, kept)

    def _meant(self, line: Line, standing: list[Installation]) -> Installation | None:
        """The record that the row corrects, if it is about one."""
        values = line.values
        for record in standing:
            numbers = (record.factory_number, record.transmitter_number)
            said = (values.get("factory_number"), values.get("transmitter_number"))
            if any(a and b and plain(a) == plain(b) for a, b in zip(numbers, said, strict=True)):
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
            for key, told in self.addresses.clashes(line, home, model, kept):
                self._told(line, key, told)
            names = {"maker": model.supplier.name, "device": model.name, "model": model.code}
            line.parts[UnitRows.key] = said | names
        return None

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
                self._told(line, "latitude", found)
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
        if number.isdecimal() and number.startswith("86") and len(number) in (IMEI - 1, IMEI + 1):
            told = {"n": len(number), "due": IMEI}
            reason = _("%(n)d 位，应为 %(due)d 位") % told
            self._told(line, "transmitter_number", mistake(reason, _("按装置铭牌补全")))

    def _check_many(self, line: Line, home: Household, kept: Installation | None) -> None:
        others = self.standing.get(home.pk or 0, [])
        if kept or not others or line.values.get("many") in (REPLACES, ADDS):
            return
        told = {"unit": f"{others[0].unit.model} {others[0].unit}", "on": others[0].installed_on}
        reason = _("该户已有机组 %(unit)s（%(on)s 安装）") % told
        advice = _("更换或加装在“安装记录”表的“更换或加装”栏写明")
        self._told(line, "factory_number", mistake(reason, advice))

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


# -- models ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Refusal:
    """In which column there is no such model, and what to say."""

    key: str
    told: Told


class Models:
    """Admitted models by maker, name and code as they are written; one query."""

    def __init__(self, user: User) -> None:
        self._all = admitted(user)
        self._known: dict[tuple[Any, ...], DeviceModel | Refusal] = {}

    def find(self, values: Mapping[str, Any]) -> DeviceModel | Refusal:
        """The model that a row means: an empty cell is what is left to choose."""
        said = tuple(values.get(key) for key in ("maker", "device", "model"))
        if said not in self._known:
            self._known[said] = self._find(
                dict(zip(("maker", "device", "model"), said, strict=True))
            )
        return self._known[said]

    def _find(self, said: Mapping[str, Any]) -> DeviceModel | Refusal:
        rows = self._all
        for key in ("maker", "device", "model"):
            names = list(dict.fromkeys(_name(row, key) for row in rows))
            typed = said[key]
            if typed is None and len(names) == 1:
                continue
            fit = [row for row in rows if typed and _bare(_name(row, key)) == _bare(typed)]
            if not fit:
                return Refusal(key, _no_such(key, typed, names))
            rows = fit
        return rows[0]


def _name(row: DeviceModel, key: str) -> str:
    return {"maker": row.supplier.name, "device": row.name, "model": row.code}[key]


def _bare(name: str) -> str:
    return plain(name).casefold()


def _no_such(key: str, typed: str | None, names: list[str]) -> Told:
    what = {"maker": _("设备厂商"), "device": _("设备名称"), "model": _("设备型号")}[key]
    if not names:
        return mistake(_("没有可以安装的型号"), _("请供应商先登记型号和点表"))
    choose = _("可选：%(names)s") % {"names": _("、").join(names[:8])}
    if typed is None:
        return mistake(_("没有填%(what)s") % {"what": what}, choose)
    return mistake(_("没有此%(what)s") % {"what": what}, _suggested(typed, names) or choose)


def _suggested(typed: str, names: list[str]) -> str:
    """是否“CN-W10”（数字 0）？ where only letters stand for figures, else the nearest name."""
    for name in names:
        if plain(typed).upper().translate(ALIKE) == plain(name).upper().translate(ALIKE):
            figure = "0" if "O" in plain(typed).upper() else "1"
            return _("是否“%(name)s”（数字 %(figure)s）？") % {"name": name, "figure": figure}
    return nearest(typed, names)


# -- addresses -------------------------------------------------------------------------------


@dataclass
class Addresses:
    """Plates, addresses on transmitters and network addresses: whose they are in the ledger, and
    which earlier row of the file claims them. Two queries."""

    lines: Sequence[Line]
    user: User
    claimed: dict[tuple[Any, ...], Line] = field(default_factory=dict)

    def __post_init__(self) -> None:
        plates = {plain(str(n)) for n in self._said("factory_number")}
        ids = {same_id(plain(str(n))) for n in self._said("transmitter_number")}
        urls = {f"dial://{quote(one, safe='')}" for one in ids}
        urls |= {
            f"dial://{quote(plain(str(n)), safe='')}" for n in self._said("transmitter_number")
        }
        self._gateways = {
            same_id(gateway.transmitter): gateway.pk
            for gateway in Gateway.objects.filter(kind=Gateway.Kind.DIAL, url__in=urls)
        }
        wanted = Q(factory_number__in=plates) | Q(gateway__in=self._gateways.values())
        wanted |= Q(network_address__in=self._said("network_address"))
        units = Unit.objects.filter(wanted, retired_at=None, module=None).select_related("model")
        rows = list(units)
        self._by_plate = {(u.model_id, u.factory_number): u for u in rows if u.factory_number}
        self._by_address = {(u.gateway_id, u.address): u for u in rows}
        self._by_network = {u.network_address: u for u in rows if u.network_address}
        standing = Installation.objects.standing().filter(unit__in=rows)
        self._homes = dict(standing.values_list("unit", "household"))

    def _said(self, key: str) -> set[Any]:
        return {line.values[key] for line in self.lines if line.values.get(key) is not None}

    def clashes(
        self, line: Line, home: Household, model: DeviceModel, kept: Installation | None
    ) -> Iterable[tuple[str, Told]]:
        """What this row claims and another has: column and what to say."""
        values, own = line.values, kept.unit if kept else None
        plate = plain(values.get("factory_number") or "")
        number = plain(values.get("transmitter_number") or "")
        address, network = values.get("address") or 1, values.get("network_address")
        there = self._by_address.get((self._gateways.get(same_id(number), 0), address))
        claims: list[tuple[str, tuple[Any, ...], Unit | None, str, Any]] = []
        if number:
            taken_by = there if there and self._is_taken(there, model, plate) else None
            claims.append(
                (
                    "transmitter_number",
                    ("line", same_id(number), address),
                    taken_by,
                    _("线上地址"),
                    address,
                )
            )
        if plate:
            twin = self._by_plate.get((model.pk, plate))
            twin = None if twin == there or not number else twin
            claims.append(
                ("factory_number", ("plate", model.pk, plate), twin, _("设备出厂地址编号"), plate)
            )
        if network:
            twin = self._by_network.get(network)
            twin = None if twin == there else twin
            claims.append(("network_address", ("net", network), twin, _("网络地址"), network))
        for key, claim, unit, what, value in claims:
            earlier = self.claimed.setdefault(claim, line)
            if earlier.home is not home and earlier is not line:
                yield key, _claimed(line, earlier)
            elif unit and unit != own:
                yield key, mistake(taken.sentence(what, value, unit, self.user), _("核对标签"))

    def _is_taken(self, unit: Unit, model: DeviceModel, plate: str) -> bool:
        """It stands in a house, or is another thing than the row tells of."""
        plates = {plain(unit.factory_number), plate} - {""}
        return unit.pk in self._homes or unit.model_id != model.pk or len(plates) > 1


def _claimed(line: Line, earlier: Line) -> Told:
    told = {"sheet": earlier.record.sheet, "row": earlier.record.row}
    if earlier.record.sheet == line.record.sheet:
        reason = _("与本表第 %(row)d 行重复") % told
    else:
        reason = _("与表“%(sheet)s”第 %(row)d 行重复") % told
    return mistake(reason, _("核对标签，一台机组只填一行"))
