"""The wall screen: what it shows, and the link that opens it and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from django.test import Client

from households import clock
from households.accounts import handover
from households.models import Role, StepKind, User
from plans import wall_drawing
from plans.models import PlanItem, TaskPlan, WallLink
from tests import cast as people
from tests.cast import Cast


@pytest.fixture
def plan(cast: Cast) -> TaskPlan:
    made = TaskPlan.objects.create(
        district=cast.area("城区"),
        year=2026,
        basis="示例〔2026〕17 号",
        starts_on=date(2026, 5, 28),
        works_done_by=date(2026, 10, 10),
        ends_on=date(2026, 10, 31),
    )
    for seq, (village, task) in enumerate((("时家岭社区", 89), ("洞头村", 26)), 1):
        PlanItem.objects.create(
            plan=made, seq=seq, area=cast.area(village), households=task, coal_to_electricity=task
        )
    people.reach(cast.water_household, StepKind.ACCEPTED, cast.district_officer)
    return made


@pytest.fixture(autouse=True)
def _autumn() -> Iterator[None]:
    with clock.at(clock.now().replace(month=10, day=21)):
        yield


def issue(by: User, days: int = 30) -> tuple[WallLink, str]:
    link, secret = WallLink.issue(by, "一楼大厅", days)
    return link, f"/wall/{secret}/"


def test_the_wall_shows_the_figures_and_no_name(cast: Cast, plan: TaskPlan, client: Client) -> None:
    client.force_login(cast.district_officer)
    page = client.get("/wall/").content.decode()
    assert re.search(r"1<small> / 115 户", page)
    assert "完工节点 10-10 已过" in page
    for secret in (cast.water_household.householder, cast.water_household.door, "26-12-0001"):
        assert secret not in page


def test_a_link_opens_the_wall_without_signing_in_and_nothing_else(
    cast: Cast, plan: TaskPlan, client: Client
) -> None:
    _link, address = issue(cast.district_officer)
    response = client.get(address)
    assert response.status_code == 200
    assert "115" in response.content.decode()
    assert response["Referrer-Policy"] == "no-referrer"
    assert "no-store" in response["Cache-Control"]
    assert not client.cookies
    for other in ("/", "/wall/", "/households/", "/api/units/"):
        assert client.get(other).status_code in (302, 401)
    for method in (client.post, client.put, client.delete):
        assert method(address).status_code == 405


def test_a_dead_link_shows_nothing(cast: Cast, plan: TaskPlan, client: Client) -> None:
    revoked, address = issue(cast.district_officer)
    WallLink.objects.filter(pk=revoked.pk).update(revoked_at=clock.now())
    assert client.get(address).status_code == 404
    _link, address = issue(cast.district_officer, days=30)
    with clock.at(clock.now() + timedelta(days=31)):
        assert client.get(address).status_code == 404
    User.objects.filter(pk=cast.district_officer.pk).update(is_active=False)
    response = client.get(address)
    assert response.status_code == 404
    assert "已失效" in response.content.decode() and "115" not in response.content.decode()


@pytest.mark.parametrize("token", ["x", "links", "%00", "’", "a" * 300])
def test_a_guessed_address_is_none(cast: Cast, client: Client, token: str) -> None:
    assert client.get(f"/wall/{token}/").status_code == 404


def test_the_use_of_a_link_is_noted_once_a_minute(
    cast: Cast, plan: TaskPlan, client: Client
) -> None:
    link, address = issue(cast.district_officer)
    client.get(address)
    link.refresh_from_db()
    first = link.last_used_at
    with clock.at(clock.now() + timedelta(seconds=30)):
        client.get(address)
    link.refresh_from_db()
    assert first is not None and link.last_used_at == first


def test_the_district_makes_and_revokes_links(cast: Cast, plan: TaskPlan) -> None:
    officer, anyone = Client(), Client()
    officer.force_login(cast.district_officer)
    page = officer.post("/wall-links/", {"name": "一楼大厅", "days": "30"}).content.decode()
    found = re.search(r"http://testserver(/wall/[^/]+/)<", page)
    assert found and anyone.get(found[1]).status_code == 200
    assert found[1] not in officer.get("/wall-links/").content.decode()
    link = WallLink.objects.get()
    officer.post(f"/wall-links/{link.pk}/revoke/")
    assert anyone.get(found[1]).status_code == 404
    assert officer.post(f"/wall-links/{link.pk}/revoke/").status_code == 404


@pytest.mark.parametrize("who", ["town_officer", "clerk", "reader", "service_unit"])
def test_others_make_no_links(cast: Cast, client: Client, who: str) -> None:
    client.force_login(getattr(cast, who))
    assert client.get("/wall-links/").status_code == 403
    assert client.post("/wall-links/", {"name": "x", "days": "30"}).status_code == 403
    assert not WallLink.objects.exists()


def test_a_town_sees_its_own_wall_and_a_supplier_none(
    cast: Cast, plan: TaskPlan, client: Client
) -> None:
    client.force_login(cast.outsider)
    assert "洞头村" not in client.get("/wall/").content.decode()
    client.force_login(cast.supplier_member)
    assert client.get("/wall/").status_code == 403


def test_links_go_to_the_successor(cast: Cast, plan: TaskPlan, client: Client) -> None:
    _link, address = issue(cast.district_officer)
    successor = people.user("qu2", Role.DISTRICT)
    moved = dict(handover.hand_over(cast.district_officer, successor, by=successor))
    assert moved["大屏链接"] == 1
    assert client.get(address).status_code == 200


def test_without_a_plan_the_wall_says_so(cast: Cast, client: Client) -> None:
    client.force_login(cast.district_officer)
    assert "还没有改造任务计划表" in client.get("/wall/").content.decode()


@pytest.mark.parametrize(
    ("highest", "step"), [(1, 1), (4, 1), (5, 2), (20, 5), (115, 50), (820, 500), (65_535, 20_000)]
)
def test_a_chart_has_few_round_steps(highest: int, step: int) -> None:
    assert wall_drawing._round_step(highest) == step
