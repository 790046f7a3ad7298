"""Whole phone numbers: told to whom, why, and never without a record."""

from __future__ import annotations

import logging

import pytest
from django.db import connection
from django.test import Client

from households import reveals
from households.models import Household, PhoneReveal, RevealHow, Role, User
from households.reveals import ReasonNeeded
from tests import cast as make
from tests.cast import Cast

NUMBER = "13000000000"
REASON = {"reason": "trouble"}


def ask(client: Client, who: User, home: Household, **told: str) -> str:
    client.force_login(who)
    answer = client.post(f"/households/{home.number}/phone/", told)
    assert answer.status_code == 200, answer.status_code
    assert "no-store" in answer["Cache-Control"]
    return answer.content.decode()


@pytest.mark.parametrize("who", ["clerk", "town_officer"])
def test_an_office_of_the_area_is_told_at_one_tap(cast: Cast, client: Client, who: str) -> None:
    user = getattr(cast, who)
    assert f"tel:{NUMBER}" in ask(client, user, cast.water_household, how="show")
    entry = PhoneReveal.objects.get()
    assert (entry.user, entry.household, entry.how) == (user, cast.water_household, "show")
    assert (entry.number, entry.reason, entry.address) == ("26-12-0001", "", "127.0.0.1")


@pytest.mark.parametrize("who", ["district_officer", "service_unit", "reader"])
def test_across_areas_one_says_why_first(cast: Cast, client: Client, who: str) -> None:
    form = ask(client, getattr(cast, who), cast.water_household, how="show")
    assert NUMBER not in form and "<select" in form
    assert not PhoneReveal.objects.exists()
    assert NUMBER in ask(client, getattr(cast, who), cast.water_household, **REASON)
    assert PhoneReveal.objects.get().reason == "处理告警、投诉或安全隐患"


def test_another_reason_is_said_in_words(cast: Cast, client: Client) -> None:
    user, home = cast.district_officer, cast.water_household
    assert '<option value="">' in ask(client, user, home)  # nothing is picked for them
    assert "选“其他”时请写明" in ask(client, user, home, reason="other", words="  ")
    assert "选“其他”时请写明" in ask(client, user, home, reason="made-up", words="x")
    assert NUMBER in ask(client, user, home, reason="other", words=" 送达 通知 ")
    assert PhoneReveal.objects.get().reason == "其他：送达 通知"


def test_dialling_is_recorded_as_such_and_dials(cast: Cast, client: Client) -> None:
    client.force_login(cast.clerk)
    answer = client.post(f"/households/{cast.water_household.number}/phone/", {"how": "dial"})
    assert answer["HX-Trigger"] == f'{{"dial": "{NUMBER}"}}'
    assert PhoneReveal.objects.get().how == RevealHow.DIAL


@pytest.mark.parametrize("who", ["outsider", "rival"])
def test_to_a_foreigner_the_household_does_not_exist(cast: Cast, client: Client, who: str) -> None:
    client.force_login(getattr(cast, who))
    answer = client.post(f"/households/{cast.water_household.number}/phone/", REASON)
    assert answer.status_code == 404
    assert not PhoneReveal.objects.exists()


def test_nobody_is_told_without_signing_in(cast: Cast, client: Client) -> None:
    answer = client.post(f"/households/{cast.water_household.number}/phone/", REASON)
    assert answer.status_code == 302 and not PhoneReveal.objects.exists()


def test_looking_alone_tells_nothing(cast: Cast, client: Client) -> None:
    client.force_login(cast.clerk)
    assert client.get(f"/households/{cast.water_household.number}/phone/").status_code == 405


def test_an_installer_is_told_while_the_household_is_his_to_install(
    cast: Cast, client: Client
) -> None:
    company = cast.water.model.supplier
    installer = make.installer("azubi", company)
    url = f"/households/{cast.water_household.number}/phone/"
    client.force_login(installer)
    assert client.post(url).status_code == 404
    make.assign(cast.water_household, company, cast.town_officer, installer)
    assert NUMBER in client.post(url).content.decode()
    Household.objects.filter(pk=cast.water_household.pk).update(accepted_on=make.INSTALLED_ON)
    assert client.post(url).status_code == 404


def test_after_a_hundred_a_day_each_number_needs_a_reason_and_the_log_is_told(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(reveals, "A_DAY", 3)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            reveals.reveal(cast.clerk, cast.water_household)
        assert f"account {cast.clerk.pk} was told 3 phone numbers today" in caplog.text
    with pytest.raises(ReasonNeeded):
        reveals.reveal(cast.clerk, cast.water_household)
    assert reveals.reveal(cast.clerk, cast.water_household, reason="回访、抽查") == NUMBER


def test_a_number_that_does_not_open_says_so_and_is_recorded(cast: Cast, client: Client) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE households_household SET phone = '1:AAAA:0'")
    assert "无法解密" in ask(client, cast.clerk, cast.water_household)
    assert PhoneReveal.objects.count() == 1


def test_an_export_records_every_number_that_it_takes(cast: Cast) -> None:
    make.household(cast.area("洞头村"), number="26-12-0002", phone="")
    make.household(cast.area("洞头村"), number="26-12-0003", phone="", other_phone="2000007")
    homes = Household.objects.visible_to(cast.town_officer)
    with pytest.raises(ReasonNeeded):
        reveals.exported(cast.town_officer, homes, " ")
    assert reveals.exported(cast.town_officer, homes, "送审") == 3
    told = {entry.number for entry in PhoneReveal.objects.all()}
    assert told == {"26-10-0001", "26-12-0001", "26-12-0003"}
    assert reveals.told_today(cast.town_officer) == 0  # exports are counted apart


def test_the_record_outlives_household_and_not_its_reader(cast: Cast) -> None:
    home = make.household(cast.area("洞头村"), number="26-12-0002")
    reveals.reveal(cast.clerk, home)
    home.delete()
    entry = PhoneReveal.objects.get()
    assert (entry.household, entry.number) == (None, "26-12-0002")


def test_a_town_of_another_role_is_no_owner(cast: Cast) -> None:
    stranger = make.user("x", Role.TOWN, cast.area("南村镇"))
    assert not reveals.is_own(stranger, cast.water_household)
    assert reveals.is_own(cast.town_officer, cast.water_household)
