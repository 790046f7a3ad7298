"""What stops a house's heating in the cold: the second person, on the page and for programs."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from households import clock
from telemetry import commands
from telemetry.commands import CommandRefused
from telemetry.models import Command, CommandState, RemoteWriting
from tests.cast import AGREED, Cast, answered, person, program

COLD: dict[str, Any] = {
    "power_state": True,
    "mode": "heating",
    "supply_temp_setpoint": 40.0,
    "outdoor_temp": -6.0,
}


@pytest.fixture(autouse=True)
def winter(cast: Cast) -> None:
    answered(cast.water, clock.now(), **COLD)


def off(cast: Cast, **more: Any) -> Command:
    fields: dict[str, Any] = {"reason": "user", "by": cast.town_officer} | AGREED | more
    return commands.request(cast.water, "power_state", False, **fields)


def state_of(command: Command) -> str:
    return Command.objects.get(pk=command.pk).state


@pytest.mark.parametrize(
    ("signal", "target"), [("power_state", False), ("supply_temp_setpoint", 29)]
)
def test_it_waits_for_a_second_person_and_is_not_sent(
    cast: Cast, signal: str, target: bool | float
) -> None:
    command = commands.request(
        cast.water,
        signal,
        target,
        by=cast.town_officer,
        reason="frost",
    )
    assert command.state == CommandState.AWAITING
    assert "室外 −6.0 °C" in command.detail
    assert commands.claim("main", uuid.uuid4(), [cast.water.gateway_id]) == []


def test_nobody_needs_a_second_person_on_a_mild_day_or_to_heat(cast: Cast) -> None:
    heat = commands.request(cast.water, "power_state", True, by=cast.town_officer, reason="frost")
    assert heat.state == CommandState.QUEUED
    answered(cast.water, clock.now(), **COLD | {"outdoor_temp": 8.0})
    assert off(cast).state == CommandState.QUEUED


def test_another_one_agrees_and_the_command_is_queued_for_five_minutes(cast: Cast) -> None:
    command = off(cast)
    assert commands.approve(command, cast.district_officer)
    command.refresh_from_db()
    assert (command.state, command.approved_by) == (CommandState.QUEUED, cast.district_officer)
    assert command.approved_at is not None and command.expires_at is not None
    assert command.expires_at - command.approved_at == timedelta(minutes=5)
    assert not commands.approve(command, cast.service_unit)  # nothing waits for it any more


@pytest.mark.parametrize(("who", "says"), [("town_officer", "不能自己"), ("reader", "角色")])
def test_neither_the_asker_nor_who_may_not_command_agrees(cast: Cast, who: str, says: str) -> None:
    command = off(cast)
    with pytest.raises(CommandRefused, match=says):
        commands.approve(command, getattr(cast, who))
    assert state_of(command) == CommandState.AWAITING


def test_nobody_agrees_while_the_switch_is_off(cast: Cast) -> None:
    command = off(cast)
    RemoteWriting.objects.create(on=False, why="测试")
    with pytest.raises(CommandRefused, match="总开关"):
        commands.approve(command, cast.district_officer)


def test_agreement_comes_within_half_an_hour_or_not_at_all(cast: Cast) -> None:
    command = off(cast)
    with clock.at(clock.now() + timedelta(minutes=31)):
        assert not commands.approve(command, cast.district_officer)
        assert commands.expire() == 1
    command.refresh_from_db()
    assert (command.state, command.detail) == ("expired", "有效期内没有第二人同意")


def test_a_newer_wish_replaces_the_one_that_waits(cast: Cast) -> None:
    first = off(cast)
    second = commands.request(
        cast.water, "power_state", True, by=cast.district_officer, reason="frost"
    )
    assert (state_of(first), state_of(second)) == ("superseded", "queued")
    assert not commands.approve(first, cast.service_unit)


# The pages


def test_the_asker_is_told_and_the_other_one_finds_the_button(cast: Cast, client: Client) -> None:
    client.force_login(cast.town_officer)
    wish = {"signal": "power_state", "target": "False", "reason": "user"} | AGREED
    text = client.post(f"/units/{cast.water.pk}/command/", wish).content.decode()
    assert "待第二人同意" in text
    assert ">同意<" not in text
    assert "等另一人" in client.get("/commands/awaiting/").content.decode()
    client.force_login(cast.district_officer)
    assert "待我同意 1 条" in client.get("/units/").content.decode()
    assert ">同意<" in client.get(f"/units/{cast.water.pk}/").content.decode()
    command = Command.objects.get()
    assert client.post(f"/commands/{command.pk}/approve/").status_code == 302
    assert state_of(command) == CommandState.QUEUED


def test_the_form_warns_of_it_before_anybody_asks(cast: Cast, client: Client) -> None:
    client.force_login(cast.town_officer)
    page = f"/units/{cast.water.pk}/command/?signal="
    warns = "须第二人同意后才下发"
    assert warns in client.get(page + "power_state").content.decode()
    assert warns not in client.get(page + "indoor_temp_setpoint").content.decode()


@pytest.mark.parametrize(
    ("who", "code"),
    [
        ("town_officer", 422),
        ("reader", 403),
        ("outsider", 404),
        ("rival", 404),
        ("supplier_member", 302),
    ],
)
def test_who_agrees_on_the_page(cast: Cast, client: Client, who: str, code: int) -> None:
    command = off(cast)
    client.force_login(getattr(cast, who))
    assert client.post(f"/commands/{command.pk}/approve/").status_code == code
    agreed = state_of(command) == CommandState.QUEUED
    assert agreed == (code == 302)


@pytest.mark.parametrize(("who", "sees"), [("district_officer", 1), ("outsider", 0)])
def test_each_sees_what_waits_at_his_own_units(
    cast: Cast, client: Client, who: str, sees: int
) -> None:
    off(cast)
    client.force_login(getattr(cast, who))
    text = client.get("/commands/awaiting/").content.decode()
    assert text.count("26-12-0001") == sees


def test_nobody_unknown_sees_or_agrees(cast: Cast, client: Client) -> None:
    command = off(cast)
    for answer in (
        client.get("/commands/awaiting/"),
        client.post(f"/commands/{command.pk}/approve/"),
    ):
        assert answer["Location"].startswith("/sign-in/")
    assert state_of(command) == CommandState.AWAITING


# Programs


def test_a_program_agrees_as_the_person_it_belongs_to(cast: Cast) -> None:
    command = off(cast)
    url = f"/api/commands/{command.pk}/approve/"
    assert program(cast.town_officer).post(url).status_code == 403
    assert program(cast.outsider).post(url).status_code == 404
    assert program(cast.reader).post(url).status_code == 403
    made = program(cast.district_officer).post(url)
    assert (made.status_code, made.json()["state"]) == (200, "queued")
    assert made.json()["approved_by"] == "区领导小组办公室"
    assert program(cast.service_unit).post(url).status_code == 409


def test_a_program_says_how_the_resident_agreed(cast: Cast) -> None:
    wish = {"unit": cast.water.pk, "signal": "mode", "target": "auto", "reason": "user"}
    client = person(cast.town_officer)
    said = client.post("/api/commands/", wish, format="json")
    assert (said.status_code, said.json()["target"]) == (
        400,
        ["请登记住户同意（方式和日期）；只有防冻和测试不需要"],
    )
    day = str(AGREED["agreed_on"])
    whole = wish | {"agreement": "written", "agreed_on": day, "valid_minutes": 20}
    made = client.post("/api/commands/", whole, format="json").json()
    assert (made["agreement"], made["agreed_on"]) == ("written", day)
    row = Command.objects.get()
    assert row.expires_at is not None
    assert round((row.expires_at - row.requested_at).total_seconds()) == 1200


@pytest.mark.parametrize(
    ("consent", "says"),
    [
        ({"agreement": "phone"}, "一起填写"),
        ({"agreed_on": "2026-10-20"}, "一起填写"),
        ({"agreement": "phone", "agreed_on": "2999-01-01"}, "不能晚于今天"),
    ],
)
def test_half_an_agreement_is_none(cast: Cast, consent: dict[str, str], says: str) -> None:
    wish = {"unit": cast.water.pk, "signal": "mode", "target": "auto", "reason": "user"} | consent
    said = person(cast.town_officer).post("/api/commands/", wish, format="json")
    assert said.status_code == 400
    assert says in said.json()["target"][0]


def test_a_unit_that_stands_nowhere_has_no_resident_to_ask(cast: Cast) -> None:
    cast.water.installations.all().delete()
    command = commands.request(cast.water, "mode", "auto", by=cast.service_unit, reason="service")
    assert command.state == CommandState.QUEUED
