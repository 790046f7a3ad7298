"""What anybody learns of a confirmation by its code, and what nobody does."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from devices.docking import codes, confirmations, public_page
from devices.models import Confirmation, ConfirmationState, Supplier
from households import clock
from households.uid import uuid7
from tests.cast import Cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def one(cast: Cast) -> Confirmation:
    """晨暖's standing confirmation."""
    return Confirmation.objects.get(model=cast.water.model)


def shown(client: Client, code: str, status: int = 200, **how: Any) -> str:
    answer = client.get(f"/confirm/{code}/", **how)
    assert answer.status_code == status
    text = answer.content.decode()
    main = text[text.index("<main") : text.index("</main>")]
    return re.sub(r"\s+", " ", main)


def test_it_says_that_it_is_valid_and_what_it_covers(client: Client, one: Confirmation) -> None:
    text = shown(client, one.code)
    assert "有效" in text and "st-ok" in text
    points = one.register_map
    assert points is not None
    for word in (one.number, one.issuer, "晨暖（虚构）", "CN-W10", "MB-1", points.digest):
        assert word in text
    assert one.test_digest in text


@pytest.mark.parametrize(
    ("state", "word", "shape"),
    [
        (ConfirmationState.SUSPENDED, "暂停使用", "st-warn"),
        (ConfirmationState.REVOKED, "已撤销", "st-bad"),
    ],
)
def test_a_change_is_seen_at_once(
    cast: Cast, client: Client, one: Confirmation, state: ConfirmationState, word: str, shape: str
) -> None:
    shown(client, one.code)
    confirmations.change(one, state, by=cast.service_unit, reason="抽检不符，张三经办")
    text = shown(client, one.code)
    assert word in text and shape in text and "不得据此新装" in text
    assert f"{clock.today():%Y-%m-%d}" in text
    assert "张三" not in text  # reasons are the offices' own
    if state == ConfirmationState.SUSPENDED:
        confirmations.change(one, ConfirmationState.VALID, by=cast.tester, reason="已整改")
        assert "st-ok" in shown(client, one.code)


def test_an_expired_and_a_superseded_one_say_so(client: Client, one: Confirmation) -> None:
    Confirmation.objects.update(valid_until=clock.today() - timedelta(days=1))
    assert "已过期" in shown(client, one.code)
    Confirmation.objects.update(state=ConfirmationState.SUPERSEDED)
    assert "已被替代" in shown(client, one.code)


def test_one_that_begins_later_says_so_and_what_it_will_supersede_too(
    client: Client, one: Confirmation
) -> None:
    begins = clock.today() + timedelta(days=30)
    later = Confirmation.objects.get(pk=one.pk)
    later.pk, later.uid, later.code, later.number = None, uuid7(), codes.draw(), "9 号"
    later.application, later.origin, later.valid_from = None, "city", begins
    later.save()
    text = shown(client, later.code)
    assert "未生效" in text and f"自 {begins} 起有效" in text and "st-ok" not in text
    assert "替代" not in shown(client, one.code)  # the city's does not supersede our own
    Confirmation.objects.filter(pk=one.pk).update(origin="city")
    text = shown(client, one.code)
    assert "st-ok" in text and f"自 {begins} 起由新的确认书替代" in text


def test_it_goes_on_naming_the_maker_as_the_letter_does(client: Client, one: Confirmation) -> None:
    Supplier.objects.filter(pk=one.model.supplier_id).update(name="改名厂商")
    text = shown(client, one.code)
    assert "晨暖（虚构）" in text and "改名厂商" not in text


def test_nobodys_name_is_told_to_whoever_asks(cast: Cast, client: Client) -> None:
    one = Confirmation.objects.get(model=cast.water.model)
    maker = one.model.supplier
    private = [cast.service_unit.name, cast.tester.name, maker.contact, maker.phone]
    for asker in (None, cast.clerk):
        if asker:
            client.force_login(asker)
        text = shown(client, one.code)
        assert not [word for word in private if word and word in text]


def test_whatever_is_not_there_looks_alike(client: Client, one: Confirmation) -> None:
    waiting = codes.draw()
    Confirmation.objects.filter(model__code="AirBox-3P").update(
        state=ConfirmationState.SIGNING, code=waiting
    )
    wrong = (waiting, codes.draw(), "x", one.code[:-1], str(one.uid), "数据" * 9)
    assert len({shown(client, code, 404) for code in wrong}) == 1


def test_a_code_is_found_however_it_is_typed(client: Client, one: Confirmation) -> None:
    one.code = "01" * 13
    one.save()
    spelt = codes.spaced(one.code)
    assert spelt == "0101-0101-0101-0101-0101-0101-01"
    for typed in (spelt, spelt.replace("-", " "), "oI" * 13, "Ol" * 13):
        answer = client.get("/confirm/", {"code": typed}, follow=True)
        assert answer.status_code == 200
        assert answer.redirect_chain == [(f"/confirm/{one.code}/", 302)]
    assert "核验码" in client.get("/confirm/", {"code": "—"}).content.decode()


def test_codes_are_random_and_of_128_bits_at_least() -> None:
    drawn = {codes.draw() for _ in range(200)}
    assert len(drawn) == 200
    assert all(re.fullmatch(r"[0-9a-hjkmnp-tv-z]{26}", code) for code in drawn)  # 5 bits each
    assert {codes.read(codes.spaced(code)) for code in drawn} == drawn


def test_the_page_is_neither_found_nor_kept_nor_told_on(client: Client, one: Confirmation) -> None:
    answer = client.get(f"/confirm/{one.code}/")
    assert answer["Referrer-Policy"] == "no-referrer"
    assert answer["X-Robots-Tag"] == "noindex, nofollow"
    assert "no-store" in answer["Cache-Control"]


def test_200_guesses_a_minute_are_refused_and_no_real_check(
    client: Client, one: Confirmation
) -> None:
    with clock.at(clock.now()):  # the same minute from the first to the last
        answers = [client.get(f"/confirm/{codes.draw()}/") for _ in range(200)]
        found = [answer.status_code for answer in answers]
        assert found == [404] * public_page.WRONG_A_MINUTE + [429] * (
            200 - public_page.WRONG_A_MINUTE
        )
        assert answers[-1]["Retry-After"] == "60"
        assert client.get(f"/confirm/{one.code}/").status_code == 200  # from the same place
        shown(client, codes.draw(), 404, REMOTE_ADDR="203.0.113.9")


def test_the_citys_is_called_a_confirmation_where_ours_is_a_report(
    client: Client, one: Confirmation, settings: Settings
) -> None:
    settings.APPOINTED_PLATFORM = False
    assert "数据对接测试报告核验" in shown(client, one.code)
    Confirmation.objects.update(origin=Confirmation.Origin.CITY)
    assert "数据对接确认书核验" in shown(client, one.code)
