"""Connections by building: all that are ticked or none; the steps for which they are ground."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from devices import heat_network
from devices.heat_network import ConnectionRefused, Said
from devices.models import HeatConnection
from households import clock, path
from households.models import Household, Method, Role, State, StepKind, User
from tests import cast as make
from tests.cast import INSTALLED_ON, Cast

SHEET = reverse("heat_connections")
SIGNED_ON = INSTALLED_ON - timedelta(days=9)
WARM_ON = INSTALLED_ON + timedelta(days=9)


@pytest.fixture
def company(cast: Cast) -> User:
    return make.user("reli", Role.HEAT_COMPANY)


@pytest.fixture
def building(cast: Cast) -> list[Household]:
    """Forty households of one house, on the list and without agreement."""
    rows = [
        make.household(
            cast.area("洞头村"),
            number=f"26-12-{n:04d}",
            method=Method.CENTRAL_HEATING,
            door=f"3号楼{n:02d}室",
        )
        for n in range(10, 50)
    ]
    for row in rows:
        make.reach(row, StepKind.LISTED, cast.town_officer, on=SIGNED_ON)
    return rows


def said(home: Household, **changes: Any) -> Said:
    known: dict[str, Any] = {
        "station": "1 号换热站",
        "agreement_number": "RW-1",
        "agreement_on": SIGNED_ON,
        "connected_on": INSTALLED_ON,
    }
    return Said(home, **known | changes)


def test_a_record_is_ground_for_agreement_and_installation(
    company: User, building: list[Household]
) -> None:
    heat_network.connect([said(home) for home in building], company)
    for home in Household.objects.filter(pk__in=[home.pk for home in building]):
        assert (home.signed_on, home.installed_on) == (SIGNED_ON, INSTALLED_ON)
        assert home.state == State.TO_COMMISSION


def test_warm_is_commissioned(company: User, building: list[Household]) -> None:
    heat_network.connect([said(building[0])], company)
    heat_network.connect([Said(building[0], heated_on=WARM_ON)], company)
    building[0].refresh_from_db()
    assert (building[0].commissioned_on, building[0].state) == (WARM_ON, State.TO_ACCEPT)
    assert building[0].heat_connection.station == "1 号换热站"


def test_a_corrected_day_is_the_steps_day(company: User, building: list[Household]) -> None:
    heat_network.connect([said(building[0])], company)
    later = INSTALLED_ON + timedelta(days=1)
    heat_network.connect([Said(building[0], connected_on=later)], company)
    building[0].refresh_from_db()
    assert building[0].installed_on == later
    assert building[0].steps.filter(kind=StepKind.SIGNED).count() == 1


def test_what_comes_ahead_of_its_agreement_is_kept_as_incomplete(
    company: User, building: list[Household]
) -> None:
    heat_network.connect([said(building[0], agreement_on=None)], company)
    building[0].refresh_from_db()
    assert building[0].state == State.PAPERS_INCOMPLETE


def test_without_a_record_neither_step_counts(cast: Cast, building: list[Household]) -> None:
    home = make.reach(building[0], StepKind.SIGNED, cast.town_officer)
    step = path.take(home, StepKind.INSTALLED, on=INSTALLED_ON, by=cast.town_officer)
    assert step.lacks == ["没有入网记录：请供热企业登记"]
    assert "入网记录缺通热日期：请供热企业补录" in path.lacks(
        home, StepKind.COMMISSIONED, INSTALLED_ON
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"station": ""}, "没有写换热站"),
        ({"connected_on": date(2999, 1, 1)}, "日期还没有到"),
        ({"heated_on": SIGNED_ON}, "通热日期应在接入日期当天或之后"),
        ({"connected_on": None, "heated_on": WARM_ON}, "通热日期应在接入日期当天或之后"),
    ],
)
def test_one_mistake_stores_none(
    company: User, building: list[Household], changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(ConnectionRefused) as told:
        heat_network.connect([said(building[0]), said(building[1], **changes)], company)
    assert told.value.messages == {building[1].number: [words]}
    assert not HeatConnection.objects.exists()


def test_a_household_with_a_unit_has_no_connection(cast: Cast, company: User) -> None:
    with pytest.raises(ConnectionRefused, match="请登记安装信息"):
        heat_network.connect([said(cast.water_household)], company)


# -- the sheet -----------------------------------------------------------------------------


def client_of(user: User | None) -> Client:
    client = Client()
    if user:
        client.force_login(user)
    return client


def filled(homes: list[Household], **changes: Any) -> dict[str, Any]:
    return {
        "household": [home.number for home in homes],
        "station": "1 号换热站",
        "agreement_on": str(SIGNED_ON),
        "connected_on": str(INSTALLED_ON),
        **{f"agreement-{home.number}": f"RW-{home.number}" for home in homes},
    } | changes


def test_a_building_is_found_by_its_door(
    cast: Cast, company: User, building: list[Household]
) -> None:
    other = make.household(
        cast.area("洞头村"), number="26-12-0090", method=Method.CENTRAL_HEATING, door="4号楼1室"
    )
    query: dict[str, Any] = {"area": cast.area("洞头村").pk, "building": "3号楼"}
    answer = client_of(company).get(SHEET, query)
    assert answer.context["buildings"] == [("3号楼", 40), ("4号楼", 1)]
    assert len(answer.context["lines"]) == 40
    assert other.number not in answer.content.decode()


def test_forty_households_are_one_press(company: User, building: list[Household]) -> None:
    answer = client_of(company).post(SHEET, filled(building))
    assert answer.status_code == 302
    assert HeatConnection.objects.count() == 40
    assert building[7].heat_connection.agreement_number == f"RW-{building[7].number}"


def test_why_papers_are_incomplete_is_said_with_how_many(
    company: User, building: list[Household]
) -> None:
    early = (SIGNED_ON - timedelta(days=1)).isoformat()
    sent = filled(building[:3], agreement_on=early)
    shown = client_of(company).post(SHEET, sent, follow=True).content.decode()
    assert f"其中 3 户手续不全：日期早于“列入计划”（{SIGNED_ON}）（3 户）" in shown


def test_a_mistake_is_shown_at_its_row(
    cast: Cast, company: User, building: list[Household]
) -> None:
    body = filled(building[:2], station="")
    address = f"{SHEET}?area={cast.area('洞头村').pk}&building=3号楼"
    answer = client_of(company).post(address, body)
    assert answer.status_code == 422
    assert answer.content.decode().count("没有写换热站") == 4  # on top and at the row, of both
    assert f'value="RW-{building[0].number}"' in answer.content.decode()


def test_nothing_ticked_is_said(company: User, building: list[Household]) -> None:
    assert client_of(company).post(SHEET, filled([])).status_code == 422


def test_a_town_enters_for_the_company_and_nobody_else(
    cast: Cast, building: list[Household]
) -> None:
    assert client_of(cast.outsider).post(SHEET, filled(building)).status_code == 404
    assert client_of(cast.reader).get(SHEET).status_code == 403
    assert client_of(cast.supplier_member).get(SHEET).status_code == 403
    assert client_of(None).get(SHEET).status_code == 302
    assert client_of(cast.town_officer).post(SHEET, filled(building)).status_code == 302
    assert clock.today() >= INSTALLED_ON


def test_a_company_sees_network_households_alone(
    cast: Cast, company: User, building: list[Household]
) -> None:
    seen = Household.objects.visible_to(company)
    assert seen.count() == 40
    assert not seen.filter(pk=cast.water_household.pk).exists()
