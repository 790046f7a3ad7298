from datetime import timedelta
from io import StringIO
from unittest.mock import ANY

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from households import clock
from households.models import ApiToken
from tests.cast import Cast


def token(*words: str) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command("token", *words, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def issue(cast: Cast, *words: str) -> tuple[str, str]:
    scopes = ("--scope", "units:read", "readings:read")
    return token("issue", cast.clerk.username, "--name", "市平台", *scopes, *words)


def test_an_issued_token_stands_alone_on_stdout_and_opens_the_api(
    cast: Cast, client: Client
) -> None:
    out, err = issue(cast)
    headers = {"Authorization": f"Bearer {out.strip()}"}
    assert client.get("/api/units/", headers=headers).status_code == 200
    assert client.get("/api/areas/", headers=headers).status_code == 403
    assert "只显示这一次" in err


def test_the_token_is_of_that_account_with_those_scopes_for_those_days(cast: Cast) -> None:
    before = clock.now()
    issue(cast, "--days", "7")
    row = ApiToken.objects.get()
    assert (row.user, row.name) == (cast.clerk, "市平台")
    assert row.scopes == ["readings:read", "units:read"]
    assert abs(row.expires_at - before - timedelta(days=7)) < timedelta(seconds=10)


def test_a_revoked_token_is_over_at_once(cast: Cast, client: Client) -> None:
    secret = issue(cast)[0].strip()
    token("revoke", str(ApiToken.objects.get().pk))
    headers = {"Authorization": f"Bearer {secret}"}
    assert client.get("/api/units/", headers=headers).status_code == 401
    with pytest.raises(CommandError, match="早已吊销"):
        token("revoke", str(ApiToken.objects.get().pk))


def test_the_list_shows_each_token_and_where_it_stands_but_no_secret(cast: Cast) -> None:
    secret = issue(cast)[0].strip()
    issue(cast)
    token("revoke", str(ApiToken.objects.order_by("pk")[0].pk))
    lines = [line.split("\t") for line in token("list")[0].splitlines()]
    scopes = "readings:read units:read"
    assert [line[1:4] for line in lines] == [[cast.clerk.username, "市平台", scopes]] * 2
    assert [line[4] for line in lines] == ["已吊销", ANY]
    assert lines[1][4].startswith("有效期至 20")
    assert secret not in token("list")[0]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["issue", "nobody", "--name", "x", "--scope", "units:read"], "没有账号 nobody"),
        (["issue", "dongtou", "--name", " ", "--scope", "units:read"], "名称应为"),
        (["issue", "dongtou", "--name", "x", "--scope", "units:burn"], "units:burn"),
        (
            ["issue", "dongtou", "--name", "x", "--scope", "units:read", "--days", "0"],
            "应为 1～366",
        ),
        (
            ["issue", "dongtou", "--name", "x", "--scope", "units:read", "--days", "x"],
            "应为 1～366",
        ),
        (["revoke", "987654321"], "没有令牌 987654321"),
    ],
)
def test_what_cannot_be_done_is_said(cast: Cast, words: list[str], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        token(*words)
    assert not ApiToken.objects.exists()


def test_a_locked_account_gets_no_token(cast: Cast) -> None:
    cast.clerk.is_active = False
    cast.clerk.save()
    with pytest.raises(CommandError, match="已停用"):
        issue(cast)
