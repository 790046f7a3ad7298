"""Who gets through the API's door: tokens, their scopes, their end, their rate."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from rest_framework.test import APIClient

from households import clock
from households.door import TokenThrottle
from households.models import ApiToken
from tests import cast as make
from tests.cast import Cast

AREAS = "/api/areas/"


def bearer(secret: str) -> APIClient:
    return APIClient(headers={"Authorization": f"Bearer {secret}"})


@pytest.fixture
def issued(cast: Cast) -> tuple[ApiToken, str]:
    return ApiToken.issue(cast.clerk, "测试", ["areas:read"], days=1)


def test_a_token_opens_what_its_owner_sees(issued: tuple[ApiToken, str]) -> None:
    answer = bearer(issued[1]).get(AREAS)
    assert answer.status_code == 200
    assert [area["name"] for area in answer.json()["results"]] == ["洞头村"]
    assert "no-store" in answer["Cache-Control"]


def test_nobody_gets_in_without_token_or_session(cast: Cast) -> None:
    answer = APIClient().get(AREAS)
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "header", ["Bearer qn_wrong", "Bearer", "Bearer a b", "Bearer ", "bearer qn_ÿ"]
)
def test_a_wrong_token_is_401(cast: Cast, header: str) -> None:
    assert APIClient(headers={"Authorization": header}).get(AREAS).status_code == 401


def test_an_expired_token_is_401_and_says_so(issued: tuple[ApiToken, str]) -> None:
    token, secret = issued
    with clock.at(token.expires_at):
        answer = bearer(secret).get(AREAS)
    assert (answer.status_code, answer.json()["detail"]) == (401, "令牌已过期")


def test_a_revoked_token_is_401_and_says_so(issued: tuple[ApiToken, str]) -> None:
    token, secret = issued
    ApiToken.objects.filter(pk=token.pk).update(revoked_at=clock.now())
    answer = bearer(secret).get(AREAS)
    assert (answer.status_code, answer.json()["detail"]) == (401, "令牌已吊销")


def test_a_locked_accounts_token_is_401(cast: Cast, issued: tuple[ApiToken, str]) -> None:
    type(cast.clerk).objects.filter(pk=cast.clerk.pk).update(is_active=False)
    assert bearer(issued[1]).get(AREAS).status_code == 401


def test_a_missing_scope_is_403_and_named(cast: Cast) -> None:
    answer = make.program(cast.district_officer, "plans:read").get(AREAS)
    assert answer.status_code == 403
    assert answer.json()["detail"] == "令牌缺少权限范围：areas:read"


def test_a_session_needs_no_scope(cast: Cast) -> None:
    assert make.person(cast.clerk).get(AREAS).status_code == 200


def test_the_secret_itself_is_stored_nowhere(issued: tuple[ApiToken, str]) -> None:
    token, secret = issued
    stored = ApiToken.objects.filter(pk=token.pk).values_list()[0]
    assert secret not in map(str, stored)
    assert secret.removeprefix("qn_") not in map(str, stored)


def test_use_is_noted_at_most_once_a_minute(issued: tuple[ApiToken, str]) -> None:
    token, secret = issued
    moments = [clock.now() + timedelta(seconds=s) for s in (0, 30, 61)]
    noted = []
    for moment in moments:
        with clock.at(moment):
            bearer(secret).get(AREAS)
        token.refresh_from_db()
        noted.append(token.last_used_at)
    assert noted == [moments[0], moments[0], moments[2]]


def test_a_token_asks_so_often_and_no_more(
    cast: Cast, issued: tuple[ApiToken, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.clear()
    monkeypatch.setattr(TokenThrottle, "rate", "2/min", raising=False)
    codes = [bearer(issued[1]).get(AREAS).status_code for _ in range(3)]
    assert codes == [200, 200, 429]
    assert make.program(cast.clerk).get(AREAS).status_code == 200  # another token of his
    cache.clear()


def test_an_unknown_scope_is_never_issued(cast: Cast) -> None:
    with pytest.raises(ValueError, match="units:burn"):
        ApiToken.issue(cast.clerk, "x", ["units:read", "units:burn"])
    with pytest.raises(ValueError, match="choose from"):
        ApiToken.issue(cast.clerk, "x", [])
