"""What rows of a workbook claim for a unit: a model, plates and addresses still free."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple
from urllib.parse import quote

from django.db.models import Q
from django.utils.translation import gettext as _

from devices import taken
from devices.connecting import LAST_ADDRESS, speech
from devices.docking import admission
from devices.installation_form import is_admitted, known, plain
from devices.modbus.mapsettings import Settings
from devices.modbus.registration import key as same_id
from devices.models import DeviceModel, Gateway, Installation, Unit
from households.ledger.cells import Told, mistake, nearest
from households.ledger.lines import Line
from households.models import Household, User

ALIKE = str.maketrans("OIL", "011")  # letters that are read for figures


# -- models ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Refusal:
    """In which column there is no such model, and what to say."""

    key: str
    told: Told


class Models:
    """Models by maker, name and code as they are written, and what they lack. Five queries, and
    some for each model and each time in which its papers are the same: not for each day."""

    def __init__(self, user: User) -> None:
        self._all = known(user)
        self._turns: dict[int, list[date]] = {}
        self._known: dict[tuple[Any, ...], DeviceModel | Refusal] = {}
        self._lacks: dict[tuple[int, int], list[str]] = {}
        self._settings: dict[tuple[int, int], Settings] = {}

    def settings(self, model: DeviceModel, on: date) -> Settings:
        """How a unit of this model that is put in on that day speaks."""
        time = self._time(model, on)
        if time not in self._settings:
            self._settings[time] = model.map_on(on).parsed().settings
        return self._settings[time]

    def lacks(self, model: DeviceModel, on: date) -> list[str]:
        """Which papers the model lacks on that day, in words."""
        time = self._time(model, on)
        if time not in self._lacks:
            self._lacks[time] = admission.sentences(model, on)
        return self._lacks[time]

    def _time(self, model: DeviceModel, on: date) -> tuple[int, int]:
        """The time, between two turns of the model's papers, in which the day lies."""
        if not self._turns:
            self._turns = admission.turns([row.pk for row in self._all])
        return model.pk, bisect_right(self._turns[model.pk], on)

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
            offered = [row for row in rows if is_admitted(row)]
            names = _names(offered, key)
            typed = said[key]
            if typed is None and len(names) == 1:
                rows = offered
                continue
            fit = _called(rows, key, typed)
            if not fit:
                told = self._elsewhere(key, typed) or _no_such(
                    key, typed, names or _names(rows, key)
                )
                return Refusal(key, told)
            rows = fit
        return rows[0]

    def _elsewhere(self, key: str, typed: str | None) -> Told | None:
        """What to say of another maker's device or model."""
        found = _called(self._all, key, typed) if key != "maker" else []
        if not found:
            return None
        whose = {"maker": found[0].supplier.name, "device": found[0].name, "typed": typed}
        if key == "device":
            reason = _("“%(typed)s”是“%(maker)s”的设备") % whose
        else:
            reason = _("“%(typed)s”是“%(maker)s”“%(device)s”的型号") % whose
        return mistake(reason, _("按铭牌核对厂商、设备名称和型号"))


def _name(row: DeviceModel, key: str) -> str:
    return {"maker": row.supplier.name, "device": row.name, "model": row.code}[key]


def _names(rows: Iterable[DeviceModel], key: str) -> list[str]:
    return list(dict.fromkeys(_name(row, key) for row in rows))


def _called(rows: Iterable[DeviceModel], key: str, typed: str | None) -> list[DeviceModel]:
    return [row for row in rows if typed and _bare(_name(row, key)) == _bare(typed)]


def _bare(name: str) -> str:
    return plain(name).casefold()


def _no_such(key: str, typed: str | None, names: list[str]) -> Told:
    what = {"maker": _("设备厂商"), "device": _("设备名称"), "model": _("设备型号")}[key]
    if not names:
        return mistake(
            _("没有可以安装的型号"), _("请供应商先办齐点表、数据对接确认书、认证证书和保险单")
        )
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


class Claimant(NamedTuple):
    """The row that claims a number, and whose it is: rows of one household may repeat it."""

    sheet: str
    row: int
    household: int


Claims = dict[int, Claimant]  # by the hash of what is claimed: 100,000 rows claim 200,000 numbers


def _claimant(line: Line, home: Household) -> Claimant:
    place = line.record.sheet, line.record.row
    return Claimant(*place, home.pk or hash(("new", line.of or place)))


@dataclass
class Addresses:
    """Plates, addresses on transmitters and network addresses: whose they are in the ledger, and
    which earlier row of the file claims them (`claimed`, kept from batch to batch). Two queries."""

    lines: Sequence[Line]
    user: User
    claimed: Claims

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
        units = Unit.objects.filter(wanted, retired_at=None, module=None)
        rows = list(units.select_related("model", "gateway"))
        self._by_plate = {(u.model_id, u.factory_number): u for u in rows if u.factory_number}
        self._by_address = {(u.gateway_id, u.address): u for u in rows}
        self._settings: dict[int, Settings] = {}
        self._on_line: dict[int, list[Unit]] = defaultdict(list)
        for unit in rows:
            self._on_line[unit.gateway_id].append(unit)
        self._by_network = {u.network_address: u for u in rows if u.network_address}
        standing = Installation.objects.standing().filter(unit__in=rows)
        self._homes = dict(standing.values_list("unit", "household"))

    def _said(self, key: str) -> set[Any]:
        return {line.values[key] for line in self.lines if line.values.get(key) is not None}

    def clashes(
        self, line: Line, home: Household, model: DeviceModel, own: Collection[Unit]
    ) -> Iterable[tuple[str, Told]]:
        """What this row claims and another has: column and what to say. `own`: the unit that the
        row corrects, or those that it replaces."""
        values = line.values
        mine = _claimant(line, home)
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
            earlier = self.claimed.setdefault(hash(claim), mine)
            if earlier.household != mine.household:
                yield key, _claimed(mine, earlier)
            elif unit and unit not in own:
                yield key, mistake(taken.sentence(what, value, unit, self.user), _("核对标签"))

    def unfit(
        self, line: Line, model: DeviceModel, points: Settings, own: Collection[Unit]
    ) -> Iterable[tuple[str, Told]]:
        """Why a unit of this model cannot hang where the row says: column and what to say."""
        number = plain(line.values.get("transmitter_number") or "")
        if not number:
            plate = plain(line.values.get("factory_number") or "")
            if plate and not own and (model.pk, plate) not in self._by_plate:
                reason = _("没有装置编号，平台也没有登记过这台机组")
                advice = _("补填装置编号；接在串口上的先由平台服务单位登记")
                yield "transmitter_number", mistake(reason, advice)
            return
        last = LAST_ADDRESS[points.address_width]
        if (line.values.get("address") or 1) > last:
            reason = _("%(model)s 的线上地址应在 1 到 %(last)d 之间") % {
                "model": model.code,
                "last": last,
            }
            yield "address", mistake(reason, _("照机组设置的地址填"))
        line_there = self._on_line.get(self._gateways.get(same_id(number)) or 0, ())
        for unit in {unit.register_map_id: unit for unit in line_there if unit not in own}.values():
            theirs, mine = self._speech_of(unit), speech(unit.gateway.url, points)
            if theirs != mine:
                said = {"mine": mine, "theirs": theirs}
                reason = _("这个装置下的机组通信参数是 %(theirs)s，此型号是 %(mine)s") % said
                yield "transmitter_number", mistake(reason, _("核对装置编号；两种不能共用一个装置"))
                return

    def _speech_of(self, unit: Unit) -> str:
        """How a unit speaks; maps are long, so each is read once and only where it matters."""
        known = self._settings.get(unit.register_map_id)
        if known is None:
            known = self._settings[unit.register_map_id] = unit.register_map.parsed().settings
        return speech(unit.gateway.url, known)

    def _is_taken(self, unit: Unit, model: DeviceModel, plate: str) -> bool:
        """It stands in a house, or is another thing than the row tells of."""
        plates = {plain(unit.factory_number), plate} - {""}
        return unit.pk in self._homes or unit.model_id != model.pk or len(plates) > 1


def _claimed(mine: Claimant, earlier: Claimant) -> Told:
    told = {"sheet": earlier.sheet, "row": earlier.row}
    if earlier.sheet == mine.sheet:
        reason = _("与本表第 %(row)d 行重复") % told
    else:
        reason = _("与表“%(sheet)s”第 %(row)d 行重复") % told
    return mistake(reason, _("核对标签，一台机组只填一行"))
