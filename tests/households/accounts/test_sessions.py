"""How long a session lasts, what ends it, and where one is led back to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from households import clock
from households.accounts import sessions
from households.accounts.own_sessions import device
from households.models import RoleRule, SignIn, User
from tests.cast import Cast

PHONE = "Mozilla/5.0 (Linux; Android 14) AppleWebKit Chrome/120 MicroMessenger/8.0"


@contextmanager
def later(**passed: float) -> Iterator[None]:
    with clock.at(clock.now() + timedelta(**passed)):
        yield


def signed_in(who: User, **headers: str) -> Client:
    client = Client(headers=headers)
    client.force_login(who)
    assert client.get("/personal/").status_code == 200
    return client


def is_open(client: Client) -> bool:
    return bool(client.get("/personal/").status_code == 200)


def test_a_desk_is_left_after_half_an_hour(cast: Cast) -> None:
    client = signed_in(cast.district_officer)
    with later(minutes=29):
        assert is_open(client)
    with later(minutes=31 + 29):
        response = client.get("/households/?q=x")
    assert response["Location"] == "/sign-in/?next=%2Fhouseholds%2F%3Fq%3Dx"
    assert "没有操作" in client.get("/sign-in/").text
    assert not is_open(client)


@pytest.mark.parametrize("who", ["clerk", "installer"])
def test_in_the_field_a_session_lasts_a_working_day(cast: Cast, who: str) -> None:
    person = cast.clerk
    User.objects.filter(pk=person.pk).update(role=who)
    client = signed_in(person)
    with later(hours=7.9):
        assert is_open(client)


def test_no_session_is_older_than_the_limit(cast: Cast) -> None:
    client = signed_in(cast.clerk)
    for hour in (4, 8, 11.9):
        with later(hours=hour):
            assert is_open(client)
    with later(hours=12.1):
        assert not is_open(client)
    assert "登录的时间已满" in client.get("/sign-in/").text


def test_a_rule_of_the_role_comes_before_the_settings(cast: Cast) -> None:
    RoleRule.objects.create(role=cast.clerk.role, idle_minutes=10)
    client = signed_in(cast.clerk)
    with later(minutes=11):
        assert not is_open(client)


def test_what_refreshes_itself_keeps_nothing_alive(cast: Cast) -> None:
    client = signed_in(cast.district_officer)
    for minute in range(2, 30, 4):
        with later(minutes=minute):
            page = client.get(f"/units/{cast.water.pk}/?part=values", headers={"X-Polled": "1"})
            assert page.status_code == 200
    with later(minutes=31):
        assert not is_open(client)


@pytest.mark.parametrize(
    "change", [{"role": "reader", "area": None}, {"area": None, "role": "district"}]
)
def test_another_role_or_area_ends_the_session_at_once(cast: Cast, change: dict[str, Any]) -> None:
    client = signed_in(cast.town_officer)
    User.objects.filter(pk=cast.town_officer.pk).update(**change)
    assert not is_open(client)
    assert "已被结束" in client.get("/sign-in/").text


def test_why_it_ended_is_said_to_whichever_part_of_the_page_leads_to_sign_in(cast: Cast) -> None:
    client = signed_in(cast.district_officer)
    cookies = {name: cookie.value for name, cookie in client.cookies.items()}
    SignIn.objects.all().end()
    first = client.get("/units/")
    also = Client()  # asked at the same time: it has the cookies of before
    also.cookies.load(cookies)
    assert also.get("/units/")["Location"] == first["Location"]
    client.cookies.update(also.cookies)
    assert "已被结束" in client.get(first["Location"]).text


def test_why_it_ended_is_forgotten_with_the_next_sign_in(cast: Cast) -> None:
    client = signed_in(cast.district_officer)
    SignIn.objects.all().end()
    assert not is_open(client)
    client.force_login(cast.town_officer)
    assert is_open(client)
    client.logout()
    assert "已被结束" not in client.get("/sign-in/").text


def test_a_disabled_account_is_out_at_once(cast: Cast) -> None:
    client = signed_in(cast.town_officer)
    User.objects.filter(pk=cast.town_officer.pk).update(is_active=False)
    assert not is_open(client)


def test_a_form_that_meets_an_ended_session_leads_back_to_its_page(cast: Cast) -> None:
    client = signed_in(cast.clerk)
    SignIn.objects.all().end()
    page = "http://testserver/personal/?a=1"
    response = client.post("/personal/tokens/", {"name": "x"}, headers={"Referer": page})
    assert response["Location"] == "/sign-in/?next=%2Fpersonal%2F%3Fa%3D1"
    assert not cast.clerk.api_tokens.exists()


@pytest.mark.parametrize("page", ["/households/", "/slips/", "/units/", "/api/households/"])
def test_what_was_seen_lies_in_no_cache_after_signing_out(cast: Cast, page: str) -> None:
    assert "no-store" in signed_in(cast.clerk).get(page)["Cache-Control"]


def test_a_foreign_page_is_never_led_back_to(cast: Cast, client: Client) -> None:
    response = client.post("/personal/tokens/", headers={"Referer": "https://example.com/x"})
    assert response["Location"] == "/sign-in/?next=%2F"


def test_one_sees_and_ends_ones_own_sign_ins(cast: Cast) -> None:
    here, there = signed_in(cast.clerk), signed_in(cast.clerk, **{"User-Agent": PHONE})
    page = here.get("/personal/").content.decode()
    assert "安卓手机，微信" in page and "本机" in page
    row = cast.clerk.sign_ins.get(agent=PHONE)
    here.post(f"/personal/sessions/{row.pk}/end/")
    assert is_open(here) and not is_open(there)


def test_all_other_sign_ins_end_together(cast: Cast) -> None:
    here, *others = (signed_in(cast.clerk) for _n in range(3))
    here.post("/personal/sessions/others/end/")
    assert is_open(here) and not any(is_open(one) for one in others)


def test_nobody_ends_anothers_sign_in(cast: Cast) -> None:
    theirs = signed_in(cast.town_officer)
    row = cast.town_officer.sign_ins.get()
    client = signed_in(cast.clerk)
    assert client.post(f"/personal/sessions/{row.pk}/end/").status_code == 404
    assert is_open(theirs)


def test_the_address_is_what_the_outermost_trusted_proxy_saw(cast: Cast, settings: Any) -> None:
    settings.TRUSTED_PROXIES = 1
    signed_in(cast.clerk, **{"X-Forwarded-For": "1.2.3.4, 10.20.3.68"})
    assert cast.clerk.sign_ins.get().address == "10.20.3.68"


def test_without_proxies_nobody_chooses_his_address(cast: Cast) -> None:
    signed_in(cast.clerk, **{"X-Forwarded-For": "1.2.3.4"})
    assert cast.clerk.sign_ins.get().address == "127.0.0.1"


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/120 Safari/537 Edg/120", "Windows 电脑，Edge"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17) Version/17 Safari/604", "iPhone，Safari"),
        ("curl/8", "未知设备"),
        ("", "未知设备"),
    ],
)
def test_a_device_is_named_in_words(agent: str, words: str) -> None:
    assert device(agent) == words


def test_old_sign_ins_are_forgotten_and_new_ones_kept(cast: Cast) -> None:
    signed_in(cast.clerk)
    SignIn.objects.update(at=clock.now() - timedelta(days=181))
    client = signed_in(cast.clerk)
    sessions.forget()
    assert SignIn.objects.count() == 1 and is_open(client)
