"""Every page, asked for by everybody: owner, colleague, outsider, anonymous."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.test import Client

from telemetry import commands
from telemetry.models import Command
from tests.cast import Cast, answered

OWNERS = ("district_officer", "town_officer", "clerk", "service_unit", "reader")
FOREIGN = {
    "household": lambda cast: f"/households/{cast.water_household.number}/",
    "unit": lambda cast: f"/units/{cast.water.pk}/",
    "values": lambda cast: f"/units/{cast.water.pk}/?part=values",
    "commands": lambda cast: f"/units/{cast.water.pk}/?part=commands",
    "chart": lambda cast: f"/units/{cast.water.pk}/chart/",
    "readings": lambda cast: f"/units/{cast.water.pk}/readings/",
    "readings as a file": lambda cast: f"/units/{cast.water.pk}/readings/?export=csv",
    "command form": lambda cast: f"/units/{cast.water.pk}/command/",
    "outcome": lambda cast: f"/commands/{_command(cast).pk}/",
}
OPEN_TO_ALL = ("/", "/households/", "/units/", "/alarms/", "/personal/", "/progress/definitions/")


def _command(cast: Cast) -> Command:
    return commands.request(
        cast.water, "indoor_temp_setpoint", 20, by=cast.district_officer, reason="frost"
    )


@pytest.mark.parametrize("page", FOREIGN)
@pytest.mark.parametrize("who", OWNERS)
def test_whoever_answers_for_a_household_sees_it_and_its_unit(
    cast: Cast, client: Client, who: str, page: str
) -> None:
    answered(cast.water, datetime.now(UTC), supply_temp=43.1)
    client.force_login(getattr(cast, who))
    assert client.get(FOREIGN[page](cast)).status_code == 200


@pytest.mark.parametrize("page", FOREIGN)
@pytest.mark.parametrize("who", ["outsider", "rival"])
def test_a_foreign_object_does_not_exist_for_others(
    cast: Cast, client: Client, who: str, page: str
) -> None:
    client.force_login(getattr(cast, who))
    assert client.get(FOREIGN[page](cast)).status_code == 404


@pytest.mark.parametrize("page", FOREIGN)
def test_nobody_reads_anything_without_signing_in(cast: Cast, client: Client, page: str) -> None:
    response = client.get(FOREIGN[page](cast))
    assert response.status_code == 302
    assert response["Location"].startswith("/sign-in/")


@pytest.mark.parametrize("page", OPEN_TO_ALL)
def test_lists_open_to_every_account_and_to_nobody_else(
    cast: Cast, client: Client, page: str
) -> None:
    assert client.get(page)["Location"].startswith("/sign-in/")
    for who in (*OWNERS, "outsider"):
        client.force_login(getattr(cast, who))
        assert client.get(page).status_code == 200, who
    for who in ("supplier_member", "rival"):
        client.force_login(getattr(cast, who))
        assert client.get(page, follow=True).status_code == 200, who


def test_a_suppliers_people_begin_at_their_desk(cast: Cast, client: Client) -> None:
    client.force_login(cast.supplier_member)
    page = client.get("/", follow=True)
    assert page.redirect_chain == [("/makers/desk/", 302)]
    assert "改造台账" not in page.content.decode()


@pytest.mark.parametrize("page", ["unit", "values", "chart", "readings", "command form"])
def test_a_supplier_sees_his_own_units(cast: Cast, client: Client, page: str) -> None:
    client.force_login(cast.supplier_member)
    assert client.get(FOREIGN[page](cast)).status_code == 200


def test_a_supplier_sees_no_household_and_no_name(cast: Cast, client: Client) -> None:
    client.force_login(cast.supplier_member)
    assert client.get(FOREIGN["household"](cast)).status_code == 404
    page = client.get(FOREIGN["unit"](cast)).content.decode()
    assert cast.water_household.householder not in page
    assert "/households/26-12-0001/" not in page


@pytest.mark.parametrize(
    ("who", "sees", "not_this"),
    [
        ("town_officer", ("26-12-0001", "26-10-0001"), ()),
        ("clerk", ("26-12-0001",), ("26-10-0001",)),
        ("outsider", (), ("26-12-0001", "26-10-0001")),
    ],
)
def test_lists_and_their_files_hold_only_what_the_asker_may_see(
    cast: Cast, client: Client, who: str, sees: tuple[str, ...], not_this: tuple[str, ...]
) -> None:
    client.force_login(getattr(cast, who))
    for page in ("/households/", "/units/", "/households/?export=csv", "/units/?export=csv"):
        response = client.get(page)
        text = b"".join(response).decode()
        assert all(number in text for number in sees), page
        assert not any(number in text for number in not_this), page


def test_a_supplier_learns_of_no_other_maker(cast: Cast, client: Client) -> None:
    client.force_login(cast.supplier_member)
    page = client.get("/units/").content.decode()
    assert "CN-W10" in page
    assert "AirBox-3P" not in page
    assert "北岳" not in page


@pytest.mark.parametrize("page", ["/households/", "/units/", "/"])
def test_a_page_costs_few_queries(
    cast: Cast,
    client: Client,
    page: str,
    django_assert_max_num_queries: Callable[[int], object],
) -> None:
    for thing in (cast.water, cast.air):
        answered(thing, datetime.now(UTC), supply_temp=43.1, indoor_temp=19.4)
    client.force_login(cast.district_officer)
    client.get(page)
    with django_assert_max_num_queries(20):  # type: ignore[attr-defined]
        client.get(page)


def test_no_page_lets_a_foreign_host_or_an_inline_script_in(cast: Cast, client: Client) -> None:
    client.force_login(cast.district_officer)
    policy = client.get("/")["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe-inline" not in policy
    assert "http" not in policy


@pytest.mark.parametrize("page", ["/no-such-page/", "/units/999999/", "/commands/x/"])
def test_an_unknown_address_says_what_to_do(cast: Cast, client: Client, page: str) -> None:
    client.force_login(cast.district_officer)
    response = client.get(page)
    assert response.status_code == 404
    assert "没有这一页" in response.content.decode()


def test_a_fault_of_the_platform_is_owned_up_to(
    cast: Cast, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plans.dashboard.TaskPlan", None)
    client.raise_request_exception = False
    client.force_login(cast.district_officer)
    response = client.get("/")
    assert response.status_code == 500
    assert "平台出错" in response.content.decode()


def test_a_form_without_its_token_is_refused_with_advice(cast: Cast) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.district_officer)
    response = client.post(f"/units/{cast.water.pk}/command/", {"signal": "mode"})
    assert response.status_code == 403
    assert "页面已过期" in response.content.decode()


STRANGE = (
    "99999999999999999999999",
    "1e400",
    "NaN",
    "-1",
    "%00",
    "abc",
    "1;2",
    "'",
    "%F0%9F%98%80",
)
QUERIES = {
    "/households/": "q area method progress year exactly state sort page export",
    "/alarms/": "q area kind severity unit state sort page export",
    "/units/": "q area model kind state installed sort page export",
    "/units/{unit}/": "date part signal",
    "/units/{unit}/chart/": "date",
    "/units/{unit}/readings/": "date page",
    "/units/{unit}/command/": "signal",
    "/": "rank export",
}


@pytest.mark.parametrize("value", STRANGE)
def test_no_strange_address_is_a_fault_of_the_platform(
    cast: Cast, client: Client, value: str
) -> None:
    client.force_login(cast.district_officer)
    paths = [f"/households/{value}/", f"/units/{value}/", f"/commands/{value}/"]
    for path, names in QUERIES.items():
        path = path.format(unit=cast.water.pk)
        paths += [f"{path}?{name}={value}" for name in names.split()]
    for path in paths:
        assert client.get(path).status_code in (200, 404), path
