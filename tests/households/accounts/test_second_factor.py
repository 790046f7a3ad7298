"""The second factor: set up by a QR code, asked for at signing in, never taken twice."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client

from households import clock
from households.accounts import second_factor
from households.accounts.second_factor import STEP
from households.models import RoleRule, SecondFactor, User
from tests.cast import PASSWORD, Cast


def code(person: User, steps: int = 0) -> str:
    factor = SecondFactor.objects.get(user=person)
    return second_factor.code_at(factor, int(clock.now().timestamp()) // STEP + steps)


def set_up(person: User) -> list[str]:
    """As the set-up page does; the codes are the backup codes."""
    factor = second_factor.begin(person)
    codes = second_factor.confirm(factor, code(person))
    SecondFactor.objects.filter(user=person).update(counter=0)  # as if it was long ago
    return codes


def give_password(client: Client) -> None:
    response = client.post("/sign-in/", {"username": "qu", "password": PASSWORD, "next": "/units/"})
    assert response["Location"] == "/sign-in/code/"
    assert client.get("/")["Location"].startswith("/sign-in/")


def enter(client: Client, text: str) -> int:
    return client.post("/sign-in/code/", {"code": text}).status_code


def test_the_page_sets_it_up_with_the_first_code(cast: Cast, client: Client) -> None:
    client.force_login(cast.district_officer)
    page = client.get("/personal/second-factor/").content.decode()
    assert "<svg" in page
    assert client.post("/personal/second-factor/", {"code": "000000"}).status_code == 422
    response = client.post("/personal/second-factor/", {"code": code(cast.district_officer)})
    assert "备用码" in response.content.decode()
    assert second_factor.stands(cast.district_officer)


def test_signing_in_asks_for_the_code_and_leads_on(cast: Cast, client: Client) -> None:
    set_up(cast.district_officer)
    give_password(client)
    response = client.post("/sign-in/code/", {"code": code(cast.district_officer)})
    assert response["Location"] == "/units/"
    assert client.get("/units/").status_code == 200


def test_a_way_on_that_is_no_page_of_ours_is_no_error(cast: Cast, client: Client) -> None:
    set_up(cast.district_officer)
    client.post("/sign-in/", {"username": "qu", "password": PASSWORD, "next": "nowhere"})
    assert enter(client, code(cast.district_officer)) == 302


@pytest.mark.parametrize("steps", [-1, 0, 1])
def test_a_phone_may_be_half_a_minute_off(cast: Cast, client: Client, steps: int) -> None:
    set_up(cast.district_officer)
    give_password(client)
    assert enter(client, code(cast.district_officer, steps)) == 302


@pytest.mark.parametrize("steps", [-3, 3])
def test_an_old_code_is_none(cast: Cast, client: Client, steps: int) -> None:
    set_up(cast.district_officer)
    give_password(client)
    assert enter(client, code(cast.district_officer, steps)) == 422


def test_no_code_is_taken_twice(cast: Cast) -> None:
    set_up(cast.district_officer)
    seen = code(cast.district_officer)
    for expected in (302, 422):
        client = Client()
        give_password(client)
        assert enter(client, seen) == expected


def test_a_backup_code_serves_once(cast: Cast) -> None:
    first = set_up(cast.district_officer)[0]
    for expected in (302, 422):
        client = Client()
        give_password(client)
        assert enter(client, first.upper()) == expected


def test_five_wrong_codes_lock_the_account_here(cast: Cast, client: Client) -> None:
    set_up(cast.district_officer)
    give_password(client)
    answers = [enter(client, "000000") for _n in range(5)]
    assert answers == [422] * 4 + [429]
    assert enter(client, code(cast.district_officer)) == 429
    response = client.post("/sign-in/", {"username": "qu", "password": PASSWORD})
    assert response.status_code == 429


def test_wrong_passwords_and_wrong_codes_count_together(cast: Cast, client: Client) -> None:
    set_up(cast.district_officer)
    for _n in range(2):
        client.post("/sign-in/", {"username": "qu", "password": "wrong"})
    give_password(client)
    assert [enter(client, "000000") for _n in range(3)] == [422, 422, 429]


def test_the_code_alone_signs_nobody_in(cast: Cast, client: Client) -> None:
    set_up(cast.district_officer)
    right = code(cast.district_officer)
    assert client.get("/sign-in/code/")["Location"] == "/sign-in/"
    wish = {"username": "qu", "code": right, "password": ""}
    assert client.post("/sign-in/code/", wish)["Location"] == "/sign-in/"
    client.post("/sign-in/", wish)
    assert client.get("/")["Location"].startswith("/sign-in/")


def test_the_code_must_follow_within_five_minutes(cast: Cast, client: Client) -> None:
    set_up(cast.district_officer)
    give_password(client)
    with clock.at(clock.now() + timedelta(minutes=6)):
        assert client.get("/sign-in/code/")["Location"] == "/sign-in/"


def test_a_role_that_needs_it_is_led_to_set_it_up_first(cast: Cast, client: Client) -> None:
    RoleRule.objects.create(role="district", needs_second_factor=True)
    client.force_login(cast.district_officer)
    assert client.get("/units/")["Location"] == "/personal/second-factor/"
    assert client.get("/api/units/").status_code == 403
    part = client.get("/units/", headers={"HX-Request": "true"})
    assert part["HX-Redirect"] == "/personal/second-factor/"
    assert client.get("/personal/second-factor/").status_code == 200
    set_up(cast.district_officer)
    assert client.get("/units/").status_code == 200


def test_the_secret_does_not_lie_in_plain_text(cast: Cast) -> None:
    set_up(cast.district_officer)
    secret = SecondFactor.objects.get().secret
    with connection.cursor() as cursor:
        cursor.execute("select secret from households_secondfactor")
        held = cursor.fetchone()[0]
    assert secret not in held and len(secret) == 32


def test_doing_without_takes_a_right_code(cast: Cast, client: Client) -> None:
    set_up(cast.district_officer)
    client.force_login(cast.district_officer)
    remove = "/personal/second-factor/remove/"
    assert client.post(remove, {"code": "000000"}).status_code == 422
    assert client.post(remove, {"code": code(cast.district_officer)}).status_code == 302
    assert not second_factor.stands(cast.district_officer)


def test_new_backup_codes_replace_the_old_ones(cast: Cast, client: Client) -> None:
    old = set_up(cast.district_officer)
    client.force_login(cast.district_officer)
    answer = client.post("/personal/second-factor/codes/", {"code": old[0]})
    assert answer.status_code == 200
    assert not second_factor.check(cast.district_officer, old[1])
