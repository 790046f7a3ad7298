"""The named cast of the tests: who asks, where they belong, and two units that they ask about.

`gather()` makes all of it (fixture `cast`); the small functions make one thing more. People, makers
and numbers are invented; the villages are those of the notice's Annex 1.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import make_password
from rest_framework.test import APIClient

from devices.models import (
    GATING,
    Assignment,
    Confirmation,
    ConfirmationState,
    DeviceKind,
    DeviceModel,
    DockingApplication,
    DockingState,
    Gateway,
    HeatConnection,
    Installation,
    MakerPaper,
    Medium,
    RegisterMap,
    Supplier,
    SupplierMember,
    Unit,
)
from households import clock
from households.models import ApiToken, Area, Household, Method, Role, Step, StepKind, User
from telemetry import partitions
from telemetry.models import Reading, RemoteWriting, UnitState

PASSWORD = "yan-shi-2020"
MAPS = Path(__file__).parent.parent / "devices" / "modbus" / "maps"
SERVICE_BEGAN = datetime(2026, 10, 20, 8, tzinfo=UTC)
INSTALLED_ON = date(2026, 10, 20)
ADMITTED_FROM, ADMITTED_UNTIL = date(2016, 1, 1), date(2099, 12, 31)  # whatever day a test has
AGREED: dict[str, Any] = {"agreement": "phone", "agreed_on": INSTALLED_ON}  # of the resident

VILLAGES = {
    "南村镇": (
        "司匠村",
        "青杨掌村",
        "放马坪",
        "下庄",
        "浪井村",
        "夥窑河村",
        "南村村",
        "北东村",
    ),
    "西上庄街道": (),
    "钟家庄街道": ("时家岭社区", "泽州东社区", "洞头村"),
    "东街街道": ("南大街社区",),
    "南街街道": ("万苑社区",),
}


@dataclass(frozen=True)
class Cast:
    """Everybody and everything by name. `outsider` and `rival` may know nothing of the units.

    `water` (晨暖 CN-W10, in 洞头村) stands behind a trusted gateway, `air` (北岳 AirBox-3P, in
    时家岭社区) behind one that is only read. Both models are admitted; `tester` tested them for the
    platform's service unit, `service_unit` signed.
    """

    areas: dict[str, Area]
    district_officer: User
    town_officer: User
    outsider: User
    clerk: User
    supplier_member: User
    rival: User
    service_unit: User
    tester: User
    reader: User
    water: Unit
    air: Unit
    water_household: Household
    air_household: Household

    def area(self, name: str) -> Area:
        return self.areas[name]


def gather() -> Cast:
    RemoteWriting.objects.create(on=True, why="测试")
    places = areas()
    makers = [supplier("晨暖（虚构）"), supplier("北岳（虚构）")]
    models = [water_model(makers[0]), air_model(makers[1])]
    homes = [
        household(places["洞头村"], number="26-12-0001", householder="测试户甲"),
        household(places["时家岭社区"], number="26-10-0001", householder="测试户乙"),
    ]
    trusted = gateway("dial://QN-000101", trusted=True, proven_by="private_network")
    untrusted = gateway("dial://860000000000102", trusted=False)
    units = [
        unit(trusted, models[0], address=5, network_address=1205, factory_number="CN26100001"),
        unit(untrusted, models[1], address=1, network_address=1001, factory_number="AB26100001"),
    ]
    for home, thing in zip(homes, units, strict=True):
        install(home, thing)
    signer = user("pingtai", Role.SERVICE_UNIT, name="平台测试员")
    tester = user("ceshi", Role.SERVICE_UNIT, name="平台测试员乙")
    admit(*models, tester=tester, signer=signer)
    return Cast(
        areas=places,
        district_officer=user("qu", Role.DISTRICT, name="区办测试员"),
        town_officer=user("zhongjiazhuang", Role.TOWN, places["钟家庄街道"], name="钟家庄测试员"),
        outsider=user("nancun", Role.TOWN, places["南村镇"], name="南村测试员"),
        clerk=user("dongtou", Role.CLERK, places["洞头村"], name="洞头测试员"),
        supplier_member=member("chennuan", makers[0]),
        rival=member("beiyue", makers[1]),
        service_unit=signer,
        tester=tester,
        reader=user("zhidu", Role.READER, name="只读测试员"),
        water=units[0],
        air=units[1],
        water_household=homes[0],
        air_household=homes[1],
    )


def areas() -> dict[str, Area]:
    """The district, its towns and villages in the notice's order, by name."""
    district = Area.objects.create(level=Area.Level.DISTRICT, name="城区")
    places = {district.name: district}
    for name, villages in VILLAGES.items():
        town = _area(Area.Level.TOWN, name, district, len(places))
        places[name] = town
        for village in villages:
            places[village] = _area(Area.Level.VILLAGE, village, town, len(places))
    return places


def _area(level: Area.Level, name: str, owner: Area, order: int) -> Area:
    return Area.objects.create(level=level, name=name, owner=owner, order=order)


@cache
def _password_hash(_hasher: str) -> str:
    """Made once for each hasher: a test that takes a quicker one leaves none of its behind."""
    return make_password(PASSWORD)


def user(username: str, role: Role, area: Area | None = None, *, name: str = "") -> User:
    """An account that signs in with PASSWORD."""
    return User.objects.create(
        username=username,
        role=role,
        area=area,
        name=name,
        password=_password_hash(settings.PASSWORD_HASHERS[0]),
    )


def member(username: str, of: Supplier) -> User:
    """A supplier's person."""
    person = user(username, Role.SUPPLIER, name=of.name)
    SupplierMember.objects.create(user=person, supplier=of)
    return person


def installer(username: str, of: Supplier) -> User:
    """One who puts in a supplier's units."""
    person = user(username, Role.INSTALLER, name=of.name)
    SupplierMember.objects.create(user=person, supplier=of)
    return person


def assign(home: Household, to: Supplier, by: User, installer: User | None = None) -> Assignment:
    """The household is the supplier's to equip, and the installer's if one is named."""
    return Assignment.objects.create(
        household=home, supplier=to, installer=installer, assigned_by=by, assigned_at=SERVICE_BEGAN
    )


def supplier(name: str) -> Supplier:
    return Supplier.objects.create(name=name, contact="联系人", phone="03560000000")


def water_model(maker: Supplier) -> DeviceModel:
    """CN-W10 with its register map: registers 3/6, power and reset in one register."""
    model = DeviceModel.objects.create(
        supplier=maker,
        name="空气源热泵热水机组",
        code="CN-W10",
        kind=DeviceKind.ASHP_WATER,
        medium=Medium.WATER,
    )
    register_map(model, "chennuan-cn-w10.csv")
    return model


def air_model(maker: Supplier) -> DeviceModel:
    """AirBox-3P with its register map: coils, discrete inputs, 4800 baud with even parity."""
    model = DeviceModel.objects.create(
        supplier=maker,
        name="空气源热泵热风机",
        code="AirBox-3P",
        kind=DeviceKind.ASHP_AIR,
        medium=Medium.AIR,
    )
    register_map(model, "beiyue-airbox3.csv")
    return model


def register_map(model: DeviceModel, filename: str) -> RegisterMap:
    return RegisterMap.objects.add(model, (MAPS / filename).read_bytes(), filename)


def admit(*models: DeviceModel, tester: User, signer: User) -> list[Confirmation]:
    """Give the models all that the gates ask for: gating papers of the maker and a confirmation,
    by rows alone, without a file behind them."""
    MakerPaper.objects.bulk_create(
        _paper(model, kind, tester) for model in models for kind in GATING
    )
    first = DockingApplication.objects.filter(year=ADMITTED_FROM.year).count() + 1
    applications = DockingApplication.objects.bulk_create(
        _tested(model, serial, tester) for serial, model in enumerate(models, start=first)
    )
    return Confirmation.objects.bulk_create(_confirmed(one, signer) for one in applications)


def unconfirmed(model: DeviceModel) -> DeviceModel:
    """The model as if its confirmation had never held."""
    model.confirmations.update(state=ConfirmationState.REVOKED)
    return model


def _paper(model: DeviceModel, kind: str, by: User) -> MakerPaper:
    return MakerPaper(
        supplier_id=model.supplier_id,
        model=model,
        kind=kind,
        number=f"{model.code}-{kind}",
        issuer="测试机构",
        valid_from=ADMITTED_FROM,
        valid_until=ADMITTED_UNTIL,
        content_type="application/pdf",
        size=1000,
        digest="0" * 64,
        file=secrets.token_hex(16),
        added_by=by,
        added_at=SERVICE_BEGAN,
    )


def _tested(model: DeviceModel, serial: int, tester: User) -> DockingApplication:
    return DockingApplication(
        year=ADMITTED_FROM.year,
        serial=serial,
        supplier_id=model.supplier_id,
        model=model,
        register_map=model.register_maps.order_by("-version")[0],
        state=DockingState.ISSUED,
        board="MB-1",
        board_version="A",
        firmware="1.0",
        transmitter_model="DTU-1",
        test_digest="0" * 64,
        tested_by=tester,
        made_by=tester,
        made_at=SERVICE_BEGAN,
    )


def _confirmed(one: DockingApplication, signer: User) -> Confirmation:
    return Confirmation(
        code=secrets.token_hex(16),
        number=f"测对接〔{one.year}〕{one.serial}号",
        issuer="测试平台",
        application=one,
        maker=one.model.supplier.name,
        model=one.model,
        register_map=one.register_map,
        board=one.board,
        board_version=one.board_version,
        firmware=one.firmware,
        transmitter_model=one.transmitter_model,
        test_digest=one.test_digest,
        issued_on=ADMITTED_FROM,
        valid_from=ADMITTED_FROM,
        valid_until=ADMITTED_UNTIL,
        state=ConfirmationState.VALID,
        tester=one.tested_by,
        signer=signer,
        paper=secrets.token_hex(16),
        paper_type="application/pdf",
        made_at=SERVICE_BEGAN,
    )


def gateway(url: str, **changes: Any) -> Gateway:
    return Gateway.objects.create(url=url, kind=url.split("://")[0], **changes)


def unit(behind: Gateway, model: DeviceModel, *, address: int, **changes: Any) -> Unit:
    """A unit in service, with the newest register map of its model."""
    points = model.register_maps.order_by("-version")[0]
    fields = {"in_service_since": SERVICE_BEGAN, "register_map": points} | changes
    return Unit.objects.create(gateway=behind, model=model, address=address, **fields)


def household(area: Area, **changes: Any) -> Household:
    """A coal-to-electricity household with everything of it that Annex 2 item 5 wants."""
    fields = {
        "number": "26-10-0099",
        "year": 2026,
        "method": Method.COAL_TO_ELECTRICITY,
        "householder": "测试户",
        "phone": "13000000000",
        "door": "测试路 1 号",
        "heated_area": 86,
    }
    return Household.objects.create(area=area, **fields | changes)


def install(home: Household, thing: Unit, **changes: Any) -> Installation:
    """An installation record with all of its values."""
    fields = {
        "installed_on": INSTALLED_ON,
        "heated_area": home.heated_area,
        "latitude": 35.5,
        "longitude": 112.85,
        "factory_number": thing.factory_number,
        "transmitter_number": thing.gateway.transmitter,
    }
    return Installation.objects.create(household=home, unit=thing, **fields | changes)


def connect(home: Household, by: User, **changes: Any) -> HeatConnection:
    """The heat company's record of a household that was connected and found warm."""
    fields: dict[str, Any] = {
        "station": "测试换热站",
        "connected_on": INSTALLED_ON,
        "heated_on": INSTALLED_ON,
        "entered_at": SERVICE_BEGAN,
    }
    return HeatConnection.objects.create(household=home, entered_by=by, **fields | changes)


def reach(home: Household, last: StepKind, by: User, on: date = INSTALLED_ON) -> Household:
    """Bring the household to `last` without asking the gates: every step valid on that day."""
    for kind in list(StepKind)[: list(StepKind).index(last) + 1]:
        Step.objects.create(
            household=home, kind=kind, on=on, recorded_by=by, recorded_at=SERVICE_BEGAN
        )
        setattr(home, f"{kind}_on", on)
    home.save()
    return home


def reading(thing: Unit, at: datetime, **columns: Any) -> Reading:
    """One stored poll; makes the day's partition where it is missing."""
    day = at.astimezone(clock.SHANGHAI).date()
    partitions.ensure(day, day)
    return Reading.objects.create(unit_id=thing.pk, at=at, **columns)


def answered(thing: Unit, at: datetime, **values: Any) -> UnitState:
    """The unit's latest state: it answered at that moment with these values, all of them good."""
    state, _ = UnitState.objects.update_or_create(
        unit=thing,
        defaults={
            "answered_at": at,
            "polled_at": at,
            "interval_s": 60,
            "missed_cause": "",
            "fault_active": values.get("fault_active"),
            "values": values,
            "aside": {},
        },
    )
    return state


def turned_bad(state: UnitState, signal: str, quality: str) -> UnitState:
    """The newest of a signal is not good any more (or never was); the last good value stays."""
    before = state.entry(signal)
    kept = {name: before[name] for name in ("good", "good_at") if name in before}
    at = state.polled_at.astimezone(UTC).isoformat()
    state.values.pop(signal, None)
    state.aside[signal] = {"value": None, "quality": quality, "at": at} | kept
    state.save()
    return state


def program(of: User, *scopes: str) -> APIClient:
    """A client that shows a token of `of` with these scopes, or with all where none is named."""
    _, secret = ApiToken.issue(of, "测试令牌", list(scopes or ApiToken.SCOPES))
    return APIClient(headers={"Authorization": f"Bearer {secret}"})


def person(who: User) -> APIClient:
    """A client that is signed in with a session, as a browser is."""
    client = APIClient()
    client.force_login(who)
    return client


def get(client: APIClient, url: str, code: int = 200, **query: Any) -> Any:
    """What the API answers, as parsed JSON; the answer must have this code."""
    answer = client.get(url, query)
    assert answer.status_code == code, answer.content
    return answer.json()
