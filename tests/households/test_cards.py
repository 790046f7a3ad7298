"""The QR of a card: what it opens for anybody, and what it never tells."""

from __future__ import annotations

import re
from datetime import date

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from households import card_page, cards, clock
from households.models import CardCode, Change, Household
from tests.cast import Cast

HOME = "https://heating.example"


@pytest.fixture(autouse=True)
def service_phone(settings: Settings) -> None:
    settings.SERVICE_PHONE = "0356-0000000"


def scan(client: Client, household: Household) -> str:
    answer = client.get(f"/card/{cards.code_of(household)}/")
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_scanned_card_tells_number_method_acceptance_and_whom_to_call(
    cast: Cast, client: Client
) -> None:
    text = scan(client, cast.water_household)
    assert "26-12-0001" in text and "电代煤" in text
    assert "尚未验收" in text and "0356-0000000" in text
    Household.objects.filter(pk=cast.water_household.pk).update(accepted_on=date(2026, 11, 1))
    assert "2026-11-01" in scan(client, cast.water_household)


def test_a_scanned_card_tells_nothing_else(cast: Cast, client: Client) -> None:
    home = cast.water_household
    home.applicant, home.resident, home.note = "申请甲", "居住乙", "备注丙"
    home.electricity_account = "SF00009999"
    home.save()
    text = scan(client, home)
    private = [home.householder, home.phone, "130****", home.door, home.area.name, "钟家庄", "86"]
    private += [home.applicant, home.resident, home.note, home.electricity_account, str(home.uid)]
    main = text[text.index("<main") :]
    assert not [word for word in private if word in main]


def test_who_is_signed_in_is_told_no_more(cast: Cast, client: Client) -> None:
    client.force_login(cast.clerk)
    text = scan(client, cast.water_household)
    assert cast.clerk.name not in text and cast.water_household.householder not in text


def test_a_code_is_random_and_says_nothing_of_its_household(cast: Cast) -> None:
    codes = {cards.code_of(home) for home in (cast.water_household, cast.air_household)}
    assert len(codes) == 2 and all(re.fullmatch(r"[\w-]{32}", code) for code in codes)
    assert cards.code_of(cast.water_household) in codes


def test_unknown_and_revoked_codes_look_alike(cast: Cast, client: Client) -> None:
    old = cards.code_of(cast.water_household)
    new = cards.renew(cast.water_household)
    assert new != old and CardCode.objects.count() == 2
    pages = [client.get(f"/card/{code}/") for code in (old, "x" * 32, "26-12-0001")]
    bodies = {re.sub(r"csrf\S+|X-CSRFToken\S+ \S+", "", page.content.decode()) for page in pages}
    assert {page.status_code for page in pages} == {404} and len(bodies) == 1
    assert client.get(f"/card/{new}/").status_code == 200


def test_the_page_is_neither_found_nor_kept_nor_told_on(cast: Cast, client: Client) -> None:
    answer = client.get(f"/card/{cards.code_of(cast.water_household)}/")
    assert answer["Referrer-Policy"] == "no-referrer"
    assert answer["X-Robots-Tag"] == "noindex, nofollow"
    assert "no-store" in answer["Cache-Control"]


def test_whoever_tries_codes_is_held_up_and_others_are_not(
    cast: Cast, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(card_page, "WRONG_A_MINUTE", 3)
    with clock.at(clock.now()):  # the same minute from the first to the last
        answers = [client.get(f"/card/{n:032d}/") for n in range(4)]
        assert [answer.status_code for answer in answers] == [404, 404, 404, 429]
        assert answers[-1]["Retry-After"] == "60"
        assert client.get("/card/x/", REMOTE_ADDR="10.0.0.9").status_code == 404
        scan(client, cast.water_household)  # who holds the card is answered from anywhere


def test_the_qr_is_a_picture_of_the_address(cast: Cast) -> None:
    drawn = cards.qr(cast.water_household, HOME).decode()
    assert drawn.startswith("<svg") and "viewBox" in drawn
    code = cards.code_of(cast.water_household)
    assert cards.address(cast.water_household, f"{HOME}/") == f"{HOME}/card/{code}/"
    assert drawn != cards.qr(cast.air_household, HOME).decode()


def test_who_registers_there_renews_a_card_with_a_reason(cast: Cast, client: Client) -> None:
    home = cast.water_household
    old, path = cards.code_of(home), f"/households/{home.number}/card/renew/"
    client.force_login(cast.clerk)
    assert "更换档案卡二维码" in client.get(f"/households/{home.number}/").content.decode()
    client.post(path, {"why": "because"})
    assert cards.code_of(home) == old
    client.post(path, {"why": "lost"})
    assert client.get(f"/card/{old}/").status_code == 404
    assert client.get(f"/card/{cards.code_of(home)}/").status_code == 200
    told = Change.objects.filter(table="households_cardcode", household_id=home.pk)
    assert told.latest("pk").reason == "档案卡遗失"
    client.force_login(cast.reader)
    assert client.post(path, {"why": "lost"}).status_code == 403
    client.force_login(cast.outsider)
    assert client.post(path, {"why": "lost"}).status_code == 404


def test_the_reason_is_kept_in_the_platforms_language_whoever_picks_it(
    cast: Cast, client: Client
) -> None:
    cast.clerk.language = "en"
    cast.clerk.save()
    client.force_login(cast.clerk)
    client.post(f"/households/{cast.water_household.number}/card/renew/", {"why": "lost"})
    assert Change.objects.filter(table="households_cardcode").latest("pk").reason == "档案卡遗失"
