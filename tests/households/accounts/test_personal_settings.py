"""Personal settings: language, password, keys to the API."""

from datetime import timedelta

import pytest
from django.test import Client

from households import clock
from households.models import ApiToken
from tests.cast import PASSWORD, Cast

NEW = "qing-jie-qu-nuan-7"


@pytest.fixture
def officer(cast: Cast, client: Client) -> Client:
    client.force_login(cast.district_officer)
    return client


def change(client: Client, old: str, new: str, again: str) -> object:
    words = {"old_password": old, "new_password1": new, "new_password2": again}
    return client.post("/personal/password/", words)


def test_the_language_is_the_accounts_own(cast: Cast, officer: Client) -> None:
    officer.post("/language/", {"language": "en", "next": "/personal/"})
    cast.district_officer.refresh_from_db()
    assert cast.district_officer.language == "en"
    other = Client()
    other.force_login(cast.district_officer)
    assert 'lang="en"' in other.get("/personal/").content.decode()


def test_a_visitor_chooses_a_language_before_signing_in(cast: Cast, client: Client) -> None:
    client.post("/language/", {"language": "en", "next": "/sign-in/"})
    assert 'lang="en"' in client.get("/sign-in/").content.decode()


def test_an_english_browser_still_gets_chinese(cast: Cast, client: Client) -> None:
    page = client.get("/sign-in/", headers={"accept-language": "en-US,en;q=0.9"})
    assert "登录" in page.content.decode()


def test_an_unknown_language_changes_nothing(cast: Cast, officer: Client) -> None:
    officer.post("/language/", {"language": "tlh"})
    cast.district_officer.refresh_from_db()
    assert cast.district_officer.language == "zh-hans"


def test_a_language_never_leads_to_a_foreign_host(officer: Client) -> None:
    words = {"language": "en", "next": "https://example.com/"}
    assert officer.post("/language/", words)["Location"] == "/"


@pytest.mark.parametrize("strange", ["personal", "nowhere", "²", "//example.com", "javascript:1"])
def test_a_strange_way_back_is_no_error(officer: Client, strange: str) -> None:
    for answer in (
        officer.post("/language/", {"language": "en", "next": strange}),
        officer.get("/sign-in/", {"next": strange}),
        officer.get("/sign-in/", {"next": "/sign-in/"}),
    ):
        assert answer.status_code == 302
        assert "example.com" not in answer["Location"] and "javascript" not in answer["Location"]


def test_a_new_password_ends_all_other_sessions(cast: Cast, officer: Client) -> None:
    elsewhere = Client()
    elsewhere.force_login(cast.district_officer)
    change(officer, PASSWORD, NEW, NEW)
    assert officer.get("/personal/").status_code == 200
    assert elsewhere.get("/personal/").status_code == 302


@pytest.mark.parametrize(
    ("old", "new", "again"),
    [("wrong", NEW, NEW), (PASSWORD, NEW, NEW + "x"), (PASSWORD, "12345678", "12345678")],
)
def test_a_password_is_not_changed_for_wrong_or_weak_words(
    cast: Cast, officer: Client, old: str, new: str, again: str
) -> None:
    response = change(officer, old, new, again)
    assert 'class="wrong"' in response.content.decode()  # type: ignore[attr-defined]
    cast.district_officer.refresh_from_db()
    assert cast.district_officer.check_password(PASSWORD)


def test_guessing_the_old_password_locks_as_signing_in_does(cast: Cast, officer: Client) -> None:
    answers = [change(officer, f"wrong {n}", NEW, NEW) for n in range(5)]
    assert answers[-1].status_code == 429  # type: ignore[attr-defined]
    assert change(officer, PASSWORD, NEW, NEW).status_code == 429  # type: ignore[attr-defined]
    cast.district_officer.refresh_from_db()
    assert cast.district_officer.check_password(PASSWORD)


def issue(client: Client, **changes: object) -> object:
    words = {"name": "报表程序", "scopes": ["units:read"], "days": 30}
    return client.post("/personal/tokens/", words | changes)


def test_a_keys_secret_is_shown_once_and_kept_as_a_hash(cast: Cast, officer: Client) -> None:
    page = issue(officer).content.decode()  # type: ignore[attr-defined]
    token = ApiToken.objects.get()
    secret = page.split('class="secret mono">')[1].split("<")[0]
    assert ApiToken.digest_of(secret) == token.digest
    assert token.user == cast.district_officer
    assert timedelta(days=29) < token.expires_at - clock.now() <= timedelta(days=30)
    assert secret not in officer.get("/personal/").content.decode()


@pytest.mark.parametrize("changes", [{"scopes": []}, {"scopes": ["everything"]}, {"days": 9999}])
def test_a_key_needs_a_known_scope_and_an_end(officer: Client, changes: dict[str, object]) -> None:
    page = issue(officer, **changes).content.decode()  # type: ignore[attr-defined]
    assert 'class="wrong"' in page
    assert not ApiToken.objects.exists()


def test_a_revoked_key_is_no_longer_valid(officer: Client) -> None:
    issue(officer)
    token = ApiToken.objects.get()
    officer.post(f"/personal/tokens/{token.pk}/revoke/")
    token.refresh_from_db()
    assert not token.is_valid


def test_nobody_revokes_or_sees_anothers_key(cast: Cast, officer: Client) -> None:
    issue(officer)
    token = ApiToken.objects.get()
    officer.force_login(cast.outsider)
    assert officer.post(f"/personal/tokens/{token.pk}/revoke/").status_code == 404
    assert "报表程序" not in officer.get("/personal/").content.decode()
