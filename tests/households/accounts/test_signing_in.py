"""Signing in and out, and being locked out."""

import pytest
from django.test import Client

from tests.cast import PASSWORD, Cast


def sign_in(client: Client, username: str, password: str, **more: str) -> object:
    return client.post("/sign-in/", {"username": username, "password": password, **more})


def test_the_right_password_leads_to_the_dashboard(cast: Cast, client: Client) -> None:
    response = sign_in(client, "qu", PASSWORD)
    assert response["Location"] == "/"  # type: ignore[index]
    assert client.get("/").status_code == 200


def test_who_came_for_a_page_is_led_back_to_it(cast: Cast, client: Client) -> None:
    response = sign_in(client, "qu", PASSWORD, next="/units/?state=silent")
    assert response["Location"] == "/units/?state=silent"  # type: ignore[index]


def test_nobody_is_led_to_a_foreign_host(cast: Cast, client: Client) -> None:
    response = sign_in(client, "qu", PASSWORD, next="https://example.com/")
    assert response["Location"] == "/"  # type: ignore[index]


@pytest.mark.parametrize(("username", "password"), [("qu", "wrong"), ("nobody", PASSWORD)])
def test_a_wrong_name_and_a_wrong_password_look_the_same(
    cast: Cast, client: Client, username: str, password: str
) -> None:
    response = sign_in(client, username, password)
    assert "账号或密码不对" in response.content.decode()  # type: ignore[attr-defined]
    assert client.get("/").status_code == 302


def test_five_wrong_passwords_lock_the_account_here(cast: Cast, client: Client) -> None:
    for _attempt in range(5):
        response = sign_in(client, "qu", "wrong")
    assert response.status_code == 429  # type: ignore[attr-defined]
    assert "暂时锁定" in response.content.decode()  # type: ignore[attr-defined]
    assert sign_in(client, "qu", PASSWORD).status_code == 429  # type: ignore[attr-defined]
    assert sign_in(client, "nancun", PASSWORD).status_code == 302  # type: ignore[attr-defined]


def test_signing_out_takes_a_post(cast: Cast, client: Client) -> None:
    client.force_login(cast.district_officer)
    assert client.get("/sign-out/").status_code == 405
    client.post("/sign-out/")
    assert client.get("/").status_code == 302


def test_a_page_whose_session_ended_goes_to_sign_in_as_a_whole(cast: Cast, client: Client) -> None:
    page = f"http://testserver/units/{cast.water.pk}/?date=2026-11-22"
    headers = {"HX-Request": "true", "HX-Current-URL": page}
    response = client.get(f"/units/{cast.water.pk}/?part=values", headers=headers, follow=True)
    assert response.status_code == 204
    wanted = f"/sign-in/?next=%2Funits%2F{cast.water.pk}%2F%3Fdate%3D2026-11-22"
    assert response["HX-Redirect"] == wanted


def test_who_is_signed_in_already_is_not_asked_again(cast: Cast, client: Client) -> None:
    client.force_login(cast.district_officer)
    assert client.get("/sign-in/")["Location"] == "/"
