"""The world of the matrix of rights: a person of every role, and a thing of each kind in three
places: the person's own, a colleague's of the same town, a foreign one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from django.test import Client

from devices.models import (
    Assignment,
    Confirmation,
    DockingApplication,
    DockingState,
    MakerPaper,
    MapDraft,
    MapUpload,
    RegisterMap,
    SupplierMember,
    Unit,
)
from households import cards, clock, vault
from households.ledger import reports
from households.ledger.remarks import Remark
from households.models import (
    ApiToken,
    ChangeSlip,
    Document,
    DocumentKind,
    HistorySeal,
    Household,
    ListEntry,
    Paper,
    Role,
    SignIn,
    SlipLine,
    User,
    WorkbookExport,
    WorkbookImport,
)
from plans.models import PlanItem, TaskPlan, WallLink
from telemetry.models import (
    Alarm,
    AlarmKind,
    Command,
    DockingTest,
    GroupCommand,
    UnknownTransmitter,
)
from tests import cast as people
from tests.cast import Cast
from tests.households import list_cases

VILLAGES = {"own": "洞头村", "colleague": "时家岭社区", "foreign": "司匠村"}
PLACES = tuple(VILLAGES)
NORMAL: dict[str, Any] = {"power_state": True, "mode": "heating", "supply_temp_setpoint": 40.0}


@dataclass
class World:
    """`things[kind][place]` is what an address of that kind names; a function where it depends on
    who asks. `sessions` are cookies of signed-in browsers."""

    cast: Cast
    users: dict[Role, User]
    homes: dict[str, Household]
    units: dict[str, Unit]
    sessions: dict[Role, str] = field(default_factory=dict)
    things: dict[str, dict[str, Any]] = field(default_factory=dict)

    def thing(self, kind: str, place: str, asker: User | None) -> Any:
        thing = self.things[kind][place]
        return thing(asker) if callable(thing) else thing

    def add(self, kind: str, make: Callable[[str], Any]) -> None:
        """A thing in every place; `make` gets the place."""
        self.things[kind] = {place: make(place) for place in PLACES}

    def everywhere(self, kind: str, thing: Any) -> None:
        """The same thing whatever the place."""
        self.things[kind] = dict.fromkeys(PLACES, thing)


def make() -> World:
    cast = people.gather()
    world = World(cast, _users(cast), {}, {})
    _homes_and_units(world)
    _of_households(world)
    _of_units(world)
    _of_lines(world)
    _of_accounts(world)
    _of_workbooks(world)
    _of_papers(world)
    _of_docking(world)
    _of_maps(world)
    for role, user in world.users.items():
        world.sessions[role] = _signed_in(user)
    return world


def _users(cast: Cast) -> dict[Role, User]:
    installer = people.user("anzhuang", Role.INSTALLER)
    SupplierMember.objects.create(
        user=installer, supplier=cast.supplier_member.supplier_member.supplier
    )
    keeper = people.user("guanli", Role.ADMINISTRATOR)
    keeper.keeps_accounts = keeper.keeps_rights = keeper.keeps_log = True
    keeper.save()
    return {
        Role.CLERK: cast.clerk,
        Role.TOWN: cast.town_officer,
        Role.DISTRICT: cast.district_officer,
        Role.INSTALLER: installer,
        Role.SUPPLIER: cast.supplier_member,
        Role.SERVICE_UNIT: cast.service_unit,
        Role.HEAT_COMPANY: people.user("reli", Role.HEAT_COMPANY),
        Role.POWER_COMPANY: people.user("gongdian", Role.POWER_COMPANY),
        Role.SUPERVISOR: people.user("jianli", Role.SUPERVISOR),
        Role.READER: cast.reader,
        Role.ADMINISTRATOR: keeper,
    }


def _signed_in(user: User) -> str:
    client = Client()
    client.force_login(user)
    # Any address will do: the sign-in is written down before anything is rolled back.
    client.get("/install/worker.js")
    return client.cookies["sessionid"].value


def _homes_and_units(world: World) -> None:
    cast = world.cast
    home = people.household(cast.area("司匠村"), number="26-01-0001", householder="测试户丙")
    line = people.gateway("dial://QN-000109", trusted=True, proven_by="private_network")
    unit = people.unit(line, cast.air.model, address=9, factory_number="AB26100009")
    people.install(home, unit)
    world.homes = dict(zip(PLACES, (cast.water_household, cast.air_household, home), strict=True))
    world.units = dict(zip(PLACES, (cast.water, cast.air, unit), strict=True))
    for place in PLACES:
        people.answered(world.units[place], clock.now(), **NORMAL)
        world.homes[place].save()
    Assignment.objects.create(
        household=cast.water_household,
        supplier=cast.water.model.supplier,
        installer=world.users[Role.INSTALLER],
        assigned_by=cast.town_officer,
        assigned_at=clock.now(),
    )


def _of_households(world: World) -> None:
    plan = TaskPlan.objects.create(
        district=world.cast.area("城区"),
        year=2026,
        basis="示例〔2026〕17 号",
        starts_on=clock.today().replace(month=5, day=28),
        works_done_by=clock.today().replace(month=10, day=10),
        ends_on=clock.today().replace(month=10, day=31),
    )
    areas = {place: world.cast.area(village) for place, village in VILLAGES.items()}

    def line(place: str) -> PlanItem:
        seq, area = PLACES.index(place) + 1, areas[place]
        return PlanItem.objects.create(
            plan=plan, seq=seq, area=area, households=9, coal_to_electricity=9
        )

    world.everywhere("-", None)
    world.everywhere("card", SimpleNamespace(code=cards.code_of(world.homes["own"])))
    world.things["household"] = world.homes
    world.things["area"] = world.things["planned-area"] = areas
    world.add("plan-line", line)


def _of_units(world: World) -> None:
    def alarm(place: str) -> Alarm:
        unit, now = world.units[place], clock.now()
        return Alarm.objects.create(
            kind=AlarmKind.FAULT,
            severity="critical",
            unit=unit,
            sample_at=now,
            seen_at=now,
            raised_at=now,
        )

    asker = people.user("qu2", Role.DISTRICT)

    def command(place: str) -> Command:
        return Command.objects.create(
            unit=world.units[place],
            signal="indoor_temp_setpoint",
            target=20,
            reason="frost",
            requested_by=asker,
            expires_at=clock.now(),
        )

    world.things["unit"] = world.units
    world.add("alarm", alarm)
    world.add("command", command)


def _of_lines(world: World) -> None:
    world.add("line", lambda place: world.units[place].gateway)
    now = clock.now()
    unknown = UnknownTransmitter.objects.create(
        line_worker="main", name="QN-999999", names=["QN-999999"], since=now, seen_at=now
    )
    world.everywhere("transmitter", unknown)
    group = GroupCommand.objects.create(
        signal="supply_temp_setpoint",
        target=45,
        area=world.cast.area("洞头村"),
        model=world.cast.water.model,
        reason="frost",
        requested_by=world.cast.service_unit,
    )
    world.everywhere("group", group)


def _of_accounts(world: World) -> None:
    def own(asker: User | None) -> ApiToken:
        return ApiToken.issue(asker or world.cast.reader, "甲", ["units:read"])[0]

    stranger = people.user("bieren", Role.READER)
    others = ApiToken.issue(stranger, "乙", ["units:read"])[0]
    world.things["token"] = {"own": own, "colleague": others, "foreign": others}
    world.everywhere("account", stranger)

    def session(asker: User | None) -> SignIn:
        now = clock.now()
        return SignIn.objects.create(user=asker or stranger, at=now, last_seen=now)

    theirs = session(stranger)
    world.things["session"] = {"own": session, "colleague": theirs, "foreign": theirs}
    sealed = {"ids": [1], "leaves": bytes(32), "previous": "", "head": "0" * 64}
    HistorySeal.objects.create(number=1, after_id=0, last_id=1, made_at=clock.now(), **sealed)
    link, secret = WallLink.issue(world.cast.district_officer, "一楼", 30)
    world.everywhere("wall-link", SimpleNamespace(pk=link.pk, token=secret))


def _of_workbooks(world: World) -> None:
    """Checked imports and written exports; the colleague is an officer of the same town."""

    def workbook() -> str:
        return vault.put(b"PK", purpose="annotated")

    def upload(by: User | None) -> WorkbookImport:
        remark = Remark("改造户", 2, "联系电话", "F", "1380", "少 7 位", "填 11 位")
        job = WorkbookImport(
            by=by or world.cast.clerk, filename="台账.xlsx", size=2, state="checked"
        )
        job.file, job.annotated, job.returned = workbook(), workbook(), workbook()
        job.report = reports.keep(reports.Report([remark], {}, {}))
        numbers: tuple[str, ...] = (
            "rows",
            "sheets",
            "new",
            "changed",
            "unchanged",
            "right_rows",
            "wrong_rows",
        )
        numbers += ("mistakes", "reminders", "reminded_rows", "seconds")
        job.counts = dict.fromkeys(numbers, 0) | {"by_sheet": {}}
        job.save()
        return job

    def download(by: User | None) -> WorkbookExport:
        whose = by or world.cast.clerk
        return WorkbookExport.objects.create(by=whose, state="ready", file=workbook())

    town = world.cast.area("钟家庄街道")
    colleague, foreign = people.user("tongshi", Role.TOWN, town), world.cast.outsider
    for kind, made in (("import", upload), ("export", download)):
        world.things[kind] = {"own": made, "colleague": made(colleague), "foreign": made(foreign)}


def _of_papers(world: World) -> None:
    """Papers of households, village lists under way, slips in draft, and their papers."""

    def document(place: str) -> Document:
        return Document.objects.create(
            household=world.homes[place],
            kind=DocumentKind.HOUSE_PHOTO,
            on=clock.today(),
            content_type="image/jpeg",
            size=2,
            digest=place,
            file=vault.put(b"JP", purpose="document"),
            thumbnail=vault.put(b"JP", purpose="document"),
            added_by=world.cast.district_officer,
            added_at=clock.now(),
        )

    def listing(place: str) -> SimpleNamespace:
        area = world.things["area"][place]
        one = list_cases.a_list(world.cast, area=area, state="notice")
        ListEntry.objects.create(village_list=one, household=world.homes[place])
        uid = world.homes[place].uid
        return SimpleNamespace(year=one.year, pk=area.pk, listing=one, uid=uid)

    def slip(place: str) -> ChangeSlip:
        area = world.things["area"][place]
        serial = PLACES.index(place) + 1
        fields = {"town": area.town, "serial": serial, "reason": ChangeSlip.Why.GIVEN_UP}
        made = list_cases.a_slip(world.cast, area=area, **fields)
        SlipLine.objects.create(slip=made, household=world.homes[place], part="leaves")
        return made

    def paper(place: str) -> Paper:
        return Paper.objects.create(
            village_list=world.things["list"][place].listing,
            title="公示照片",
            content_type="image/jpeg",
            size=2,
            digest=place,
            file=vault.put(b"JP", purpose="document"),
            added_by=world.cast.district_officer,
            added_at=clock.now(),
        )

    def two(place: str) -> SimpleNamespace:
        number = world.homes[place].number
        return SimpleNamespace(number=number, other=number)

    for kind, make_one in (
        ("document", document),
        ("list", listing),
        ("slip", slip),
        ("paper", paper),
        ("two-households", two),
    ):
        world.add(kind, make_one)


def _of_docking(world: World) -> None:
    """The own maker's application, and two of a competitor's."""
    cast = world.cast
    models = {"own": cast.water.model, "colleague": cast.air.model, "foreign": cast.air.model}

    def application(place: str) -> DockingApplication:
        model, now = models[place], clock.now()
        one = DockingApplication.objects.create(
            year=now.year,
            serial=900 + PLACES.index(place),
            supplier=model.supplier,
            model=model,
            register_map=model.register_maps.order_by("-version")[0],
            state=DockingState.SUBMITTED,
            made_by=cast.supplier_member,
            made_at=now,
        )
        fields = {"on": now.date(), "at": now, "by": cast.supplier_member}
        one.acts.create(state=DockingState.SUBMITTED, **fields)
        return one

    def docking_test(place: str) -> SimpleNamespace:
        one, now = world.things["application"][place], clock.now()
        run = DockingTest.objects.create(
            application=one,
            sample=world.units[place],
            started_by=cast.tester,
            started_at=now,
            judged_at=now,
            passed=False,
            digest="d" * 64,
            report="{}",
        )
        photo = vault.put(b"JP", purpose="document")
        run.steps.create(place=1, key="panel", photos=[photo])
        return SimpleNamespace(number=one.number, key="panel", n=1)

    def drafted(place: str) -> DockingApplication:
        model = models[place]
        return DockingApplication.objects.create(
            year=clock.today().year,
            serial=910 + PLACES.index(place),
            supplier=model.supplier,
            model=model,
            register_map=model.register_maps.order_by("-version")[0],
            made_by=cast.supplier_member,
            made_at=clock.now(),
        )

    def confirmation(place: str) -> Confirmation:
        one = Confirmation.objects.get(model=models[place])
        one.paper = one.stamped = vault.put(b"JP", purpose="document")
        one.paper_type = one.stamped_type = "image/jpeg"
        one.save()
        return one

    world.add("application", application)
    world.add("drafted", drafted)
    world.add("confirmation", confirmation)
    world.everywhere("code", world.things["confirmation"]["own"])
    world.add("docking-test", docking_test)
    world.things["model"] = models
    world.things["maker"] = {place: model.supplier for place, model in models.items()}

    def maker_paper(place: str) -> MakerPaper:
        fields = {"content_type": "image/jpeg", "size": 2, "digest": place}
        return MakerPaper.objects.create(
            supplier=models[place].supplier,
            model=models[place],
            kind="manual",
            file=vault.put(b"JP", purpose="document"),
            thumbnail=vault.put(b"JP", purpose="document"),
            added_by=cast.supplier_member,
            added_at=clock.now(),
            **fields,
        )

    world.add("maker-paper", maker_paper)


def _of_maps(world: World) -> None:
    """Of each maker a second version of its register map, a draft, and a list of its own."""
    by, now = world.cast.supplier_member, clock.now()

    def register_map(place: str) -> SimpleNamespace:
        first = world.things["model"][place].register_maps.order_by("version")[0]
        changed = first.content.replace("@reply_timeout_ms,1000", "@reply_timeout_ms,900")
        second = RegisterMap.objects.add(first.model, changed.encode(), "map.csv")
        return SimpleNamespace(pk=second.pk, suffix="csv", version=second)

    def draft(place: str) -> SimpleNamespace:
        version = world.things["register-map"][place].version
        fields = {"content": version.content, "saved_by": by, "saved_at": now}
        MapDraft.objects.update_or_create(model=version.model, defaults=fields)
        return SimpleNamespace(pk=version.model_id, suffix="csv")

    def upload(place: str) -> MapUpload:
        model = world.things["model"][place]
        text = "地址,名称\n100,供水温度\n"
        return MapUpload.objects.create(
            model=model, filename="a.csv", content=text, uploaded_by=by, uploaded_at=now
        )

    world.add("register-map", register_map)
    world.add("map-draft", draft)
    world.add("map-upload", upload)
    world.everywhere("map-template", SimpleNamespace(suffix="csv"))
