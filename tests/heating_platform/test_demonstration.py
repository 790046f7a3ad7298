"""The demonstration district, loaded once with a short past for all tests of this file."""

from __future__ import annotations

import io
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import transaction
from django.db.models import QuerySet
from pytest_django.plugin import DjangoDbBlocker

from devices.docking import admission, confirmations
from devices.makers import credit_code, model_rules
from devices.modbus import signals
from devices.modbus.simulator import transmitters
from devices.modbus.simulator.farm import Farm
from devices.modbus.simulator.history import load_states, make_unit
from devices.modbus.urls import parse_url
from devices.models import (
    Confirmation,
    ConfirmationState,
    DeviceModel,
    DockingApplication,
    DockingState,
    Gateway,
    Installation,
    Supplier,
    Unit,
)
from heating_platform.demonstration import district, docking, farm, loading, people
from heating_platform.demonstration.history import Span
from households import clock, path
from households.models import (
    ChangeSlip,
    Household,
    ListState,
    Method,
    Notification,
    Role,
    SlipLine,
    State,
    Step,
    StepKind,
    User,
    VillageList,
)
from plans import progress
from plans.models import TaskPlan
from telemetry.models import (
    COLUMNS,
    Command,
    DockingTest,
    MissedPolls,
    Reading,
    UnitHour,
    UnitState,
)

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 23, 17, 12, 10, tzinfo=clock.SHANGHAI)
END = NOW - timedelta(seconds=10)
SPAN = Span(END - timedelta(hours=2, minutes=12), END - timedelta(minutes=12), END)


@dataclass(frozen=True)
class Loaded:
    said: list[str]
    state: Path


@pytest.fixture(scope="module", autouse=True)
def loaded(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: Any
) -> Iterator[Loaded]:
    state = tmp_path_factory.mktemp("demo") / "houses.json"
    said: list[str] = []
    with django_db_blocker.unblock(), transaction.atomic(), clock.at(NOW):
        loading.load_once(SPAN, state, said.append)
        yield Loaded(said, state)
        transaction.set_rollback(True)


def officer() -> User:
    return User.objects.get(username="quban")


# -- who and where -------------------------------------------------------------------------


def test_there_are_the_notices_households_by_town_and_by_method() -> None:
    assert Household.objects.count() == 820
    methods = Counter(Household.objects.values_list("method", flat=True))
    assert [methods[method] for method in Method] == [575, 185, 0, 60]
    homes = Household.objects.select_related("area__owner")
    towns = Counter(str(home.area.town) for home in homes)
    assert list(towns.values()) == [531, 80, 185, 19, 5]


def test_every_line_of_the_plan_has_its_households_with_the_lines_number() -> None:
    for item in TaskPlan.objects.get().items.all():
        numbers = list(item.area.households.values_list("number", flat=True))
        assert numbers == [f"26-{item.seq:02d}-{n:04d}" for n in range(1, item.households + 1)]


def test_progress_is_what_the_demonstration_tells() -> None:
    shown = progress.table(officer(), TaskPlan.objects.get()).total.figures
    assert (shown.task, shown.complete, shown.accepted) == (820, 681, 467)
    assert shown.papers_incomplete == 11
    assert shown.due == 820


def test_no_name_can_be_taken_for_a_real_persons() -> None:
    names = list(Household.objects.values_list("householder", flat=True))
    assert len(set(names)) == 820
    assert all(re.fullmatch(f"[{people.SURNAMES}]示[{people.CYCLE}]", name) for name in names)
    assert all(user.name.endswith(("示甲", "示乙")) for user in User.objects.all())
    assert all(supplier.name.endswith("（虚构）") for supplier in Supplier.objects.all())
    assert all(re.fullmatch(r"示范巷 \d+ 号", home.door) for home in Household.objects.all())


def test_no_phone_can_be_dialled() -> None:
    phones = [home.phone for home in Household.objects.all()]
    for supplier in Supplier.objects.all():
        phones += [supplier.phone, supplier.service_phone]
    assert len(set(phones)) == len(phones)
    # Jincheng's area code, then a subscriber's number that begins with the trunk prefix.
    assert all(re.fullmatch(r"0356000\d{4}", phone) for phone in phones)


def test_transmitters_have_ids_that_no_real_one_has() -> None:
    for plan in farm.planned():
        name = plan.transmitter
        if plan.dialect == "imei":
            digits = [int(digit) * (1 + n % 2) for n, digit in enumerate(name)]
            assert len(name) == 15
            assert name.startswith("00")  # the range of test devices
            assert sum(digit // 10 + digit % 10 for digit in digits) % 10 == 0
        else:
            assert name.startswith(("SF-", "0356000", "0200"))  # 02: an address of one's own giving


def test_there_is_a_sign_in_for_every_kind_of_user() -> None:
    roles = Counter(User.objects.values_list("role", flat=True))
    assert roles[Role.TOWN] == 5
    assert roles[Role.SUPPLIER] == 2
    assert roles[Role.SERVICE_UNIT] == 2  # one tests, the other signs
    for role in (Role.DISTRICT, Role.CLERK, Role.INSTALLER, Role.READER):
        assert roles[role] == 1
    assert roles[Role.ADMINISTRATOR] == 1
    sign_ins = {account["username"]: account["password"] for account in people.sign_ins()}
    assert sign_ins.keys() == set(User.objects.values_list("username", flat=True))
    assert len(set(User.objects.values_list("password", flat=True))) == 1  # hashing takes long
    assert officer().check_password(sign_ins["quban"])


# -- steps ---------------------------------------------------------------------------------


def test_every_household_obeys_the_order_of_the_path() -> None:
    for home in Household.objects.all():
        days = [getattr(home, f"{kind}_on") for kind in StepKind]
        taken = [day for day in days if day]
        assert taken == sorted(taken)
        assert taken == days[: len(taken)]  # no gap
        assert taken[-1] <= NOW.date()


def test_every_step_was_recorded_on_or_after_its_day_and_not_in_the_future() -> None:
    for step in Step.objects.all():
        assert step.on <= step.recorded_at.astimezone(clock.SHANGHAI).date()
        assert step.recorded_at <= NOW


def test_what_lacks_a_paper_says_which() -> None:
    lacking = Household.objects.papers_incomplete()
    assert lacking.count() == 11
    for home in lacking:
        assert [step.kind for step in home.steps.all() if step.lacks] == [StepKind.INSTALLED]
    assert not Step.objects.exclude(household__in=lacking).exclude(lacks=[]).exists()


def test_households_stand_at_many_places_of_the_path() -> None:
    states = set(Household.objects.values_list("state", flat=True))
    assert states >= {
        State.TO_SIGN,
        State.TO_INSTALL,
        State.TO_COMMISSION,
        State.TO_ACCEPT,
        State.ACCEPTED,
        State.PROVEN,
        State.STOVE_REMOVED,
        State.PAPERS_INCOMPLETE,
    }


def test_every_step_that_counts_passes_the_gates_of_every_app() -> None:
    with docking.in_force():
        for kind, gates in path.GATES.items():
            for home in Household.objects.exclude(**{f"{kind}_on": None}):
                on = getattr(home, f"{kind}_on")
                assert not [lack for gate in gates for lack in gate(home, on)]


def test_units_heard_of_for_two_hours_only_are_not_proven() -> None:
    proven = Household.objects.exclude(proven_on=None)
    assert proven.exists()
    assert not proven.filter(method=Method.COAL_TO_ELECTRICITY).exists()


@pytest.mark.parametrize("today", [(1, 1), (2, 29), (6, 30), (11, 17), (11, 23), (12, 31)])
def test_whatever_the_day_of_the_year_no_step_lies_in_the_future(today: tuple[int, int]) -> None:
    with clock.at(datetime(2028, *today, 9, tzinfo=clock.SHANGHAI)):
        days = [district.day(number, 2028) for number in range(district.LAST + 1)]
        assert days == sorted(days)
        assert days[-1] <= clock.today()
        assert days[0] >= date(2028, 1, 1)


# -- lists and slips -----------------------------------------------------------------------


def test_the_lists_are_filed_on_the_day_from_which_their_households_are_in_the_plan() -> None:
    filed = VillageList.objects.filter(state=ListState.FILED)
    assert filed.count() == 13
    for one in filed:
        days = Household.objects.filter(list_entries__village_list=one).values_list("listed_on")
        assert set(days) == {(one.filed_on,)}
        assert [act.kind for act in one.acts.all()] == [
            "verify",
            "notice",
            "submit",
            "review",
            "file",
        ]


def test_one_list_still_hangs_out() -> None:
    hanging = VillageList.objects.get(state=ListState.NOTICE)
    assert hanging.area.name == "万苑社区"
    assert hanging.notice_to is not None
    assert hanging.notice_to > NOW.date()
    assert hanging.papers.count() == 1
    assert not Household.objects.filter(list_entries__village_list=hanging).exclude(listed_on=None)


def test_slips_stand_in_several_states_and_none_changes_the_task() -> None:
    states = Counter(ChangeSlip.objects.values_list("state", flat=True))
    assert states == {"effective": 2, "reviewed": 1, "submitted": 1, "draft": 1}
    assert not SlipLine.objects.exclude(left="", joined="").exists()


# -- units ---------------------------------------------------------------------------------


def test_173_units_dial_in_and_12_of_dongtou_share_one_serial_line() -> None:
    assert Unit.objects.installed().count() == 185
    kinds = Counter(Unit.objects.values_list("gateway__kind", flat=True))
    assert kinds == {"dial": 173 + len(farm.SAMPLES), "serial": 12}
    serial = Gateway.objects.get(kind=Gateway.Kind.SERIAL)
    villages = Installation.objects.filter(unit__gateway=serial)
    assert set(villages.values_list("household__area__name", flat=True)) == {"洞头村"}
    assert sorted(unit.address for unit in serial.units.all()) == list(range(1, 13))


def test_every_household_with_coal_to_electricity_has_its_unit() -> None:
    counts = Counter(Installation.objects.values_list("household__area__name", flat=True))
    assert counts == {"时家岭社区": 89, "泽州东社区": 70, "洞头村": 26}
    methods = Installation.objects.values_list("household__method", flat=True)
    assert set(methods) == {Method.COAL_TO_ELECTRICITY}
    addresses = (
        Unit.objects.installed()
        .order_by("network_address")
        .values_list("network_address", flat=True)
    )
    assert list(addresses) == list(range(1, 186))


def test_both_models_every_dialect_and_a_few_untrusted_lines_are_there() -> None:
    models = Counter(Unit.objects.values_list("model__code", flat=True))
    assert min(models["CN-W10"], models["AirBox-3P"]) > 50
    dialled = [plan for plan in farm.planned() if not plan.on_rs485]
    assert {plan.dialect for plan in dialled} == set(transmitters.DIALECTS)
    assert Gateway.objects.filter(trusted=False).count() == 5


def test_the_farm_file_runs_the_units_of_the_database_on_their_lines(loaded: Loaded) -> None:
    described = farm.description(loaded.state)
    Farm(described)  # no unknown setting
    dialled = [line["id"] for line in described["lines"] if line["transport"] == "dial"]
    known = [row.transmitter for row in Gateway.objects.filter(kind=Gateway.Kind.DIAL)]
    assert sorted(dialled) == sorted([*known, farm.UNKNOWN])
    (pty,) = [line for line in described["lines"] if line["transport"] == "pty"]
    serial = parse_url(Gateway.objects.get(kind=Gateway.Kind.SERIAL).url)
    assert serial.device == pty["link"]
    keys = {unit["key"] for line in described["lines"] for unit in line["units"]}
    assert keys == {str(n) for n in range(1, 186)} | {one.key for one in farm.SAMPLES}


# -- docking -------------------------------------------------------------------------------


def test_both_makers_brought_every_paper_and_their_confirmations_wait_for_the_signing_worker() -> (
    None
):
    for model in DeviceModel.objects.filter(units__installations__isnull=False).distinct():
        assert [str(lack) for lack in admission.lacks(model)] == [
            "数据对接确认书签发中：请平台服务单位办理"
        ]
    waiting = Confirmation.objects.filter(state=ConfirmationState.SIGNING)
    assert {one.model.code for one in waiting} == {"CN-W10", "AirBox-3P"}
    assert all(one.tester_id != one.signer_id for one in waiting)


def test_companies_and_models_say_what_their_pages_ask() -> None:
    for maker in Supplier.objects.all():
        assert credit_code.is_right(maker.licence_number)
        assert maker.office and maker.service_head and maker.service_people
    for model in DeviceModel.objects.all():
        assert model.capacity_kw and model.voltage == 220 and model.standards
        assert not model_rules.remarks(model)


def test_once_signed_they_hold_for_every_installation_and_one_ends_soon() -> None:
    for one in Confirmation.objects.filter(state=ConfirmationState.SIGNING):
        confirmations.sign(one.pk, lambda _one: b"%PDF-1.7 signed")
    first = Installation.objects.order_by("installed_on")[0].installed_on
    assert DeviceModel.objects.admitted(first).count() == 2
    assert DeviceModel.objects.admitted(NOW.date()).count() == 2
    ends = sorted(Confirmation.objects.values_list("valid_until", flat=True))
    assert ends[0] == NOW.date() + docking.ENDS_SOON


def test_applications_stand_at_every_stage_and_each_step_was_told() -> None:
    states = set(DockingApplication.objects.values_list("state", flat=True))
    assert states == set(DockingState.values)
    told = Notification.objects.values_list("to__username", flat=True)
    assert set(told) == {"pingtai", "qianfa", "chennuan", "beiyue"}
    unread = Notification.objects.unread().filter(to__username="pingtai")
    assert 0 < unread.count() < 10


def test_a_test_is_under_way_on_two_samples_behind_one_transmitter() -> None:
    test = DockingTest.objects.get()
    assert test.application.state == DockingState.TESTING
    pair = (test.application.sample, test.application.second_sample)
    assert [unit.address for unit in pair if unit] == [one.address for one in farm.SAMPLES]
    assert not Unit.objects.installed().filter(pk__in=[unit.pk for unit in pair if unit]).exists()
    states = Counter(test.steps.values_list("state", flat=True))
    assert states["queued"] > states["open"] > 0  # those by hand wait for a hand


# -- history -------------------------------------------------------------------------------


def test_every_unit_was_polled_each_quarter_hour_and_at_last_each_minute() -> None:
    stored = Reading.objects.filter(at__lt=SPAN.fine_from).count()
    due = sum(UnitHour.objects.filter(hour__lt=SPAN.fine_from).values_list("due", flat=True))
    assert due == 185 * 8
    assert 0.95 * due < stored < due
    polls = Reading.objects.filter(unit_id=Unit.objects.get(network_address=1).pk)
    assert polls.filter(at__gte=SPAN.fine_from).count() >= 11


def test_hours_agree_with_the_readings_and_the_misses() -> None:
    stored = Reading.objects.count()
    assert sum(UnitHour.objects.values_list("stored", flat=True)) == stored
    missed = sum(MissedPolls.objects.values_list("count", flat=True))
    summed = UnitHour.objects.values_list("missed__not_answered", flat=True)
    assert sum(n or 0 for n in summed) == missed > 0


def test_every_stored_figure_is_one_that_the_register_map_can_say() -> None:
    for number in (1, 2, 185):
        unit = Unit.objects.get(network_address=number)
        points = unit.register_map.parsed()
        readings = Reading.objects.filter(unit_id=unit.pk)
        for name in COLUMNS:
            values = set(readings.values_list(name, flat=True))
            if not points.rows_of(name):
                assert name == signals.FAULT_ACTIVE or values == {None}
            elif isinstance(next(iter(values)), float):
                point = points.point(name)
                raws = [(Decimal(str(value)) - point.offset) / point.scale for value in values]
                assert all(raw == raw.to_integral_value() for raw in raws)


def test_the_latest_state_is_the_last_reading_and_silent_units_are_silent() -> None:
    states = UnitState.objects.select_related("unit")
    assert states.count() == 185
    for state in states.exclude(answered_at=None):
        assert state.answered_at is not None
        last = Reading.objects.get(unit_id=state.unit_id, at=state.answered_at)
        assert state.entry("supply_temp")["value"] == last.supply_temp
        assert state.fault_active == last.fault_active
    silent = _indices(UnitState.objects.silent())
    assert silent >= set(farm.SILENT_SINCE)
    assert len(silent) < 10
    assert _indices(UnitState.objects.in_fault()) == set(farm.FAULTS)


def _indices(states: QuerySet[UnitState]) -> set[int]:
    """The units of these states by their place in the demonstration's list."""
    addresses = states.values_list("unit__network_address", flat=True)
    return {address - 1 for address in addresses if address is not None}


def test_the_live_units_go_on_where_the_history_stops(loaded: Loaded) -> None:
    states = load_states(loaded.state)
    later = END.timestamp() + 60
    for spec in farm.specs()[:3]:
        live = make_unit(spec, states, clock=lambda: later).values()
        unit = Unit.objects.get(network_address=int(spec["key"]))
        told = {name: entry["value"] for name, entry in unit.state.entries.items()}
        assert live["indoor_temp_setpoint"] == told["indoor_temp_setpoint"]
        assert live["power_state"] == told["power_state"]
        assert live["indoor_temp"] == pytest.approx(told["indoor_temp"], abs=0.3)
        if "electric_energy" in told:
            assert 0 <= live["electric_energy"] - told["electric_energy"] <= 0.2


def test_past_commands_have_ended_in_many_ways_and_contradict_no_reading() -> None:
    ended = list(Command.objects.select_related("unit__state"))
    assert len({command.state for command in ended}) >= 8
    assert not Command.objects.open().exists()
    for command in ended:
        assert command.finished_at is not None
        assert command.requested_at < command.finished_at < NOW
        assert command.requested_by.may_command
        told = command.unit.state.entry(command.signal).get("value")
        if command.state == "verified" and command.signal != "alarm_reset":
            assert command.read_back == command.target == told


def test_the_command_writes_the_farm_and_the_sign_ins(settings: Any, tmp_path: Path) -> None:
    settings.VAR_DIR, settings.DEMO = tmp_path, True
    call_command("demo", stdout=io.StringIO())
    described = json.loads((tmp_path / "demo" / "farm.json").read_text())
    assert len(described["lines"]) == 176
    accounts = json.loads((tmp_path / "demo" / "accounts.json").read_text())
    assert {"username", "password", "name", "role"} == set(accounts[0])
    (tmp_path / "demo" / "farm.json").unlink()
    call_command("demo", "--farm-only")
    assert json.loads((tmp_path / "demo" / "farm.json").read_text()) == described


def test_the_past_is_as_long_as_the_settings_say(settings: Any) -> None:
    settings.DEMO_PAST_HOURS = 30
    with clock.at(NOW):
        span = Span.of_the_past()
    assert span == Span(
        NOW.replace(hour=11, minute=0, second=0) - timedelta(days=1),
        NOW.replace(minute=0, second=0) - timedelta(days=1),
        END,
    )


def test_loading_again_changes_nothing(loaded: Loaded) -> None:
    before = Household.objects.count(), Step.objects.count(), Reading.objects.count()
    said: list[str] = []
    loading.load_once(SPAN, loaded.state, said.append)
    assert (Household.objects.count(), Step.objects.count(), Reading.objects.count()) == before
    assert said == []
    assert len(loaded.said) == 3


def test_a_moved_directory_of_sockets_is_followed(settings: Any, tmp_path: Path) -> None:
    settings.RUN_DIR = tmp_path / "另一处 目录"
    farm.repoint()
    url = Gateway.objects.get(kind=Gateway.Kind.SERIAL).url
    assert parse_url(url).device == str(settings.RUN_DIR / "rs485")
