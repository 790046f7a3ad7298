"""设置/设备监测: who turns the switch of all remote writing, and what it says before."""

from __future__ import annotations

import pytest
from django.test import Client

from households import clock
from households.models import Role
from telemetry import commands
from telemetry.models import RemoteWriting
from tests.cast import Cast, answered, user

PAGE = "/settings/monitoring/"


@pytest.mark.parametrize("who", ["service_unit", "administrator"])
def test_who_tends_the_lines_turns_the_switch_and_says_why(
    cast: Cast, client: Client, who: str
) -> None:
    someone = user("guanli", Role.ADMINISTRATOR) if who == "administrator" else cast.service_unit
    client.force_login(someone)
    assert "远程设定：开" in client.get(PAGE).content.decode()
    assert client.post(PAGE, {"on": "no", "why": "检修期间停用"}).status_code == 302
    newest = RemoteWriting.newest()
    assert newest is not None
    assert (newest.on, newest.by, newest.why) == (False, someone, "检修期间停用")
    text = client.get(PAGE).content.decode()
    assert "远程设定：关" in text and "检修期间停用" in text
    client.post(PAGE, {"on": "yes", "why": "检修完成"})
    assert RemoteWriting.is_on()
    assert RemoteWriting.objects.count() == 3


@pytest.mark.parametrize("said", [{"on": "no", "why": "  "}, {"on": "maybe", "why": "试"}, {}])
def test_without_a_reason_it_stays_as_it_is(
    cast: Cast, client: Client, said: dict[str, str]
) -> None:
    client.force_login(cast.service_unit)
    answer = client.post(PAGE, said)
    assert answer.status_code == 422
    assert "请填写理由" in answer.content.decode()
    assert RemoteWriting.is_on()


@pytest.mark.parametrize("who", ["district_officer", "town_officer", "reader", "supplier_member"])
def test_nobody_else_turns_or_sees_it(cast: Cast, client: Client, who: str) -> None:
    client.force_login(getattr(cast, who))
    assert client.get(PAGE).status_code == 403
    assert client.post(PAGE, {"on": "no", "why": "试"}).status_code == 403
    assert RemoteWriting.is_on()
    assert PAGE not in client.get("/personal/").content.decode()


def test_anonymous_is_sent_to_sign_in(cast: Cast, client: Client) -> None:
    assert client.get(PAGE)["Location"].startswith("/sign-in/")


def test_before_it_is_turned_off_it_names_who_is_owed_a_value(cast: Cast, client: Client) -> None:
    answered(cast.water, clock.now(), indoor_temp_setpoint=20.0)
    commands.request(cast.water, "indoor_temp_setpoint", 21, by=cast.service_unit, purpose="test")
    client.force_login(cast.service_unit)
    text = client.get(PAGE).content.decode()
    assert "1 台机组正在测试" in text
    assert f"/units/{cast.water.pk}/" in text


def test_the_unit_page_says_that_the_switch_is_off(cast: Cast, client: Client) -> None:
    RemoteWriting.objects.create(on=False, by=cast.service_unit, why="检修")
    client.force_login(cast.district_officer)
    text = client.get(f"/units/{cast.water.pk}/").content.decode()
    assert "总开关" in text and "检修" in text
    assert "下发设定" not in text
