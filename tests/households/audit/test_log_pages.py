"""The pages of whoever reads the log."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.test import Client

from households import clock, reveals
from households.audit import history, seals
from households.models import Household, Role, User
from tests import cast as make
from tests.cast import Cast

PAGES = ("/log/", "/log/phones/", "/log/head/")


@pytest.fixture
def auditor(cast: Cast, client: Client) -> User:
    """Signed in; there is a change, a looked-up phone and a seal."""
    with history.acting(cast.clerk), history.because("现场核对"):
        Household.objects.filter(pk=cast.water_household.pk).update(door="示范巷 7 号")
    reveals.reveal(cast.district_officer, cast.water_household, reason="回访、抽查")
    seals.seal()
    user = make.user("shenji", Role.ADMINISTRATOR, name="审计测试员")
    user.keeps_log = True
    user.save()
    client.force_login(user)
    return user


def read(client: Client, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200
    body = answer.getvalue() if answer.streaming else answer.content
    return body.decode()


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("who", ["clerk", "town_officer", "district_officer", "reader", "rival"])
def test_nobody_else_reads_the_log(cast: Cast, client: Client, who: str, page: str) -> None:
    client.force_login(getattr(cast, who))
    assert client.get(page).status_code == 403


@pytest.mark.parametrize("page", PAGES)
def test_an_administrator_of_accounts_alone_does_not_read_it(
    cast: Cast, client: Client, page: str
) -> None:
    other = make.user("zhanghao", Role.ADMINISTRATOR)
    other.keeps_accounts = True
    other.save()
    client.force_login(other)
    assert client.get(page).status_code == 403


@pytest.mark.parametrize("page", PAGES)
def test_the_log_is_not_read_without_signing_in(client: Client, db: None, page: str) -> None:
    assert client.get(page)["Location"].startswith("/sign-in/")


def test_the_menu_leads_the_auditor_there(auditor: User, client: Client) -> None:
    assert 'href="/log/"' in read(client, "/log/")


def test_changes_are_told_with_who_and_why(auditor: User, client: Client) -> None:
    text = read(client, "/log/?table=households_household&kind=update")
    assert "洞头村 洞头测试员" in text
    assert "门牌号 测试路 1 号 → 示范巷 7 号" in text and "现场核对" in text


@pytest.mark.parametrize(
    ("query", "is_there"),
    [
        ("who=洞头测试员", True),
        ("who=dongtou", True),
        ("who=nancun", False),
        ("table=households_household", True),
        ("table=households_area", False),
        ("number=26-12-0001", True),
        ("number=26-10-0001", False),
        ("since=2000-01-01", True),
        ("until=2000-01-01", False),
        ("outside=true", False),
    ],
)
def test_changes_are_narrowed(auditor: User, client: Client, query: str, is_there: bool) -> None:
    assert ("示范巷 7 号" in read(client, f"/log/?{query}")) == is_there


def test_a_condition_that_is_none_is_told(auditor: User, client: Client) -> None:
    assert "有的筛选条件不认识" in read(client, "/log/?since=gestern")


def test_changes_are_exported(auditor: User, client: Client) -> None:
    rows = read(client, "/log/?export=csv&kind=update").splitlines()
    assert any("示范巷 7 号" in row and "现场核对" in row for row in rows[1:])


def test_looked_up_phones_are_told_without_the_number(auditor: User, client: Client) -> None:
    for page in ("/log/phones/", "/log/phones/?export=csv"):
        text = read(client, page)
        assert "26-12-0001" in text and "回访、抽查" in text and "区办测试员" in text
        assert "13000000000" not in text
    assert "没有符合这些条件的记录" in read(client, "/log/phones/?number=26-10-0001")
    assert "没有符合这些条件的记录" in read(client, "/log/phones/?how=dial")


def test_the_head_of_a_day_is_a_file(auditor: User, client: Client) -> None:
    answer = client.get("/log/head/")
    assert json.loads(answer.content)["number"] == 1
    assert answer["Content-Disposition"].startswith("attachment")
    before = clock.today() - timedelta(days=1)
    assert client.get(f"/log/head/?day={before}").status_code == 404
    assert client.get("/log/head/?day=2026-13-40").status_code == 404
    assert json.loads(client.get("/log/head/?day=9999-12-31").content)["number"] == 1
