"""The installation record at a desk: entered, corrected with a reason, by whom it is whose."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from devices.models import Installation
from households.models import Household, StepKind, User
from households.uid import uuid7
from tests import cast as make
from tests.cast import Cast
from tests.devices.test_installing import said


@pytest.fixture
def home(cast: Cast) -> Household:
    row = make.household(cast.area("洞头村"), number="26-12-0002", door="测试路 2 号")
    return make.reach(row, StepKind.SIGNED, cast.town_officer)


def client_of(user: User | None) -> Client:
    client = Client()
    if user:
        client.force_login(user)
    return client


def address(home: Household) -> str:
    return reverse("installation", args=[home.number])


def post(user: User, home: Household, **changes: Any) -> Any:
    return client_of(user).post(address(home), said(uid=str(uuid7())) | changes)


def test_a_new_record_leads_back_to_the_household(cast: Cast, home: Household) -> None:
    uid = str(uuid7())
    for _press in range(2):
        answer = post(cast.town_officer, home, uid=uid)
        assert answer["Location"] == reverse("household", args=[home.number])
    assert Installation.objects.filter(household=home).count() == 1


def test_the_record_stands_in_the_form_and_is_corrected_with_a_reason(cast: Cast) -> None:
    home = cast.water_household
    page = client_of(cast.town_officer).get(address(home)).content.decode()
    assert "更正安装记录" in page
    assert 'value="CN26100001"' in page
    row = home.installations.get()
    values = said(
        uid=str(row.uid),
        factory_number=row.factory_number,
        transmitter_number="QN-000101",
        address="5",
        heated_area="70",
    )
    answer = client_of(cast.town_officer).post(address(home), values)
    assert "要改请写明更正原因" in answer.content.decode()
    answer = client_of(cast.town_officer).post(address(home), values | {"reason": "面积不准"})
    assert answer.status_code == 302
    row.refresh_from_db()
    assert row.heated_area == 70


def test_a_mistake_is_told_at_its_field_once(cast: Cast, home: Household) -> None:
    answer = post(cast.town_officer, home, network_address="1205", latitude="")
    page = answer.content.decode()
    assert answer.status_code == 422
    assert page.count("要一起填") == 1


def test_a_clash_is_told_at_its_field(cast: Cast, home: Household) -> None:
    page = post(cast.town_officer, home, network_address="1205").content.decode()
    assert "网络地址 1205 已由" in page


def test_a_second_unit_asks_whether_it_replaces(cast: Cast) -> None:
    home = cast.water_household
    page = client_of(cast.town_officer).get(address(home), {"many": "replace"}).content.decode()
    assert "登记安装" in page
    answer = client_of(cast.town_officer).post(
        address(home) + "?many=replace", said(uid=str(uuid7()), many="replace")
    )
    assert answer.status_code == 302
    assert home.installations.standing().get().factory_number == "CN26100002"


def test_who_may_open_it(cast: Cast, home: Household) -> None:
    maker = cast.water.model.supplier
    owner, colleague = make.installer("jia", maker), make.installer("yi", maker)
    make.assign(home, maker, cast.town_officer, owner)
    codes = {
        who.username: client_of(who).get(address(home)).status_code
        for who in (owner, colleague, cast.rival, cast.town_officer, cast.outsider, cast.reader)
    }
    assert codes == {
        "jia": 200,
        "yi": 404,
        "beiyue": 404,
        "zhongjiazhuang": 200,
        "nancun": 404,
        "zhidu": 403,
    }
    assert client_of(None).get(address(home)).status_code == 302


def test_a_network_household_has_no_such_form(cast: Cast, home: Household) -> None:
    Household.objects.filter(pk=home.pk).update(method="central_heating")
    assert client_of(cast.town_officer).get(address(home)).status_code == 403


def test_what_is_no_uid_is_refused(cast: Cast, home: Household) -> None:
    assert post(cast.town_officer, home, uid="x").status_code == 422
