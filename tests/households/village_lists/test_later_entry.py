"""Steps entered later (补录): the actual day, by whom, why; the gates ask what they always ask."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.test import Client

from households import clock, path
from households.models import Household, Step, StepKind
from households.path import Later, StepRefused
from households.uid import uuid7
from households.village_lists.later_entry import enterable
from tests import cast as make
from tests.cast import Cast

TOLD = {"done_by": "村委会", "why": "before"}


@pytest.fixture
def old(cast: Cast) -> Household:
    """Converted in 2023."""
    return make.household(
        cast.area("洞头村"), number="23-12-0001", year=2023, method="central_heating"
    )


def enter(client: Client, home: Household, kind: str, on: str, **fields: Any) -> Any:
    return client.post(
        f"/households/{home.number}/later/", {"kind": kind, "on": on, **TOLD, **fields}
    )


def test_a_step_keeps_its_day_who_took_it_and_why_it_came_late(cast: Cast, old: Household) -> None:
    later = Later("村委会", "当时没有平台")
    on = date(2023, 9, 1)
    step = path.take(old, StepKind.SURVEYED, on=on, by=cast.clerk, later=later)
    assert (step.on, step.entered_later, step.done_by, step.why) == (
        on,
        True,
        "村委会",
        "当时没有平台",
    )
    assert step.recorded_by == cast.clerk
    old.refresh_from_db()
    assert old.surveyed_on == on


def test_the_reason_is_picked_or_written(cast: Cast, old: Household, client: Client) -> None:
    client.force_login(cast.clerk)
    assert enter(client, old, "surveyed", "2023-08-01", why="other").status_code == 422
    enter(client, old, "surveyed", "2023-08-01", why="other", note="旧台账移交较晚")
    enter(client, old, "signed", "2023-08-02", note="协议在村委会")
    told = [(step.why, step.note) for step in old.steps.order_by("on")]
    assert told == [("旧台账移交较晚", ""), ("改造在先，当时没有平台", "协议在村委会")]


def test_the_gates_hold_for_what_is_entered_later(cast: Cast, old: Household) -> None:
    later = Later("施工单位", "漏录")
    step = path.take(old, StepKind.SIGNED, on=date(2023, 9, 1), by=cast.clerk, later=later)
    assert step.lacks
    with pytest.raises(StepRefused):
        path.take(old, StepKind.ACCEPTED, on=date(2023, 10, 1), by=cast.clerk, later=later)
    with pytest.raises(StepRefused, match="还没有到"):
        path.take(old, StepKind.SURVEYED, on=date(2099, 1, 1), by=cast.clerk, later=later)


def test_what_a_late_step_lacks_is_named_at_once(
    cast: Cast, old: Household, client: Client
) -> None:
    client.force_login(cast.clerk)
    done = enter(client, old, "signed", "2023-09-01")
    shown = client.get(done["Location"]).content.decode()
    assert f"补齐前不计入：{'；'.join(Step.objects.get().lacks)}。" in shown


def test_an_earlier_years_conversion_is_entered_step_by_step(
    cast: Cast, old: Household, client: Client
) -> None:
    client.force_login(cast.town_officer)
    for kind, on in (("surveyed", "2023-06-01"), ("listed", "2023-06-20")):
        assert enter(client, old, kind, on).status_code == 302
    old.refresh_from_db()
    assert (old.surveyed_on, old.listed_on) == (date(2023, 6, 1), date(2023, 6, 20))
    page = client.get(f"/households/{old.number}/").content.decode()
    assert "补录" in page
    assert "当时由村委会办" in page
    assert "补录" in client.get("/households/?year=2023").content.decode()


def test_an_earlier_year_counts_nothing_in_this_years_task(cast: Cast, old: Household) -> None:
    make.reach(old, StepKind.ACCEPTED, cast.town_officer, on=date(2023, 9, 1))
    from plans import progress
    from tests.plans.slip_scene import plan_of

    assert progress.table(cast.district_officer, plan_of(cast)).total.figures.accepted == 0


def test_what_refuses_the_step_is_said_in_the_form(
    cast: Cast, old: Household, client: Client
) -> None:
    client.force_login(cast.town_officer)
    answer = enter(client, old, "accepted", "2023-10-01")
    assert answer.status_code == 422
    assert "还没有有效日期" in answer.content.decode()
    assert "还没有到" in enter(client, old, "surveyed", "2099-01-01").content.decode()
    assert enter(client, old, "surveyed", "2023-06-01", done_by="").status_code == 422
    assert not Step.objects.exists()


def test_this_years_households_come_into_the_plan_by_their_list_alone(cast: Cast) -> None:
    assert StepKind.LISTED not in enterable(cast.water_household, cast.town_officer)
    assert StepKind.SURVEYED in enterable(cast.water_household, cast.town_officer)


def test_a_clerk_enters_what_was_done_in_the_village(
    cast: Cast, old: Household, client: Client
) -> None:
    assert enterable(old, cast.clerk) == [StepKind.SURVEYED, StepKind.SIGNED, StepKind.INSTALLED]
    client.force_login(cast.clerk)
    assert enter(client, old, "surveyed", "2023-06-01").status_code == 302
    assert enter(client, old, "accepted", "2023-10-01").status_code == 422


def test_only_offices_of_the_own_area_enter(cast: Cast, old: Household, client: Client) -> None:
    for who, code in (
        (cast.reader, 403),
        (cast.service_unit, 403),
        (cast.outsider, 404),
        (cast.rival, 404),
    ):
        client.force_login(who)
        assert client.get(f"/households/{old.number}/later/").status_code == code, who
        assert enter(client, old, "surveyed", "2023-06-01").status_code == code, who
    client.logout()
    assert enter(client, old, "surveyed", "2023-06-01").status_code == 302
    assert not Step.objects.exists()


def test_a_household_of_an_earlier_year_is_entered_and_goes_on_to_its_steps(
    cast: Cast, client: Client
) -> None:
    client.force_login(cast.clerk)
    assert "/households/new/?year=2023" in client.get("/households/earlier/").content.decode()
    page = client.get("/households/new/?year=2023").content.decode()
    assert 'name="year" value="2023"' in page
    sent = {
        "uid": str(uuid7()),
        "year": "2023",
        "area": cast.area("洞头村").pk,
        "householder": "往年户",
        "door": "示范巷 9 号",
        "method": "central_heating",
        "site_kind": "household",
        "heated_area": "80",
        "phone": "13000000009",
    }
    answer = client.post("/households/new/", sent)
    home = Household.objects.get(householder="往年户")
    assert (home.year, home.surveyed_on, home.number[:2]) == (2023, None, "23")
    assert answer["Location"] == f"/households/{home.number}/later/"


@pytest.mark.parametrize("year", ["1999", "2099", "x", ""])
def test_another_year_than_an_earlier_one_means_this_one(
    cast: Cast, client: Client, year: str
) -> None:
    client.force_login(cast.clerk)
    page = client.get(f"/households/new/?year={year}").content.decode()
    assert f'name="year" value="{clock.today().year}"' in page


def test_who_registers_no_household_enters_none_of_earlier_years(
    cast: Cast, client: Client
) -> None:
    client.force_login(cast.reader)
    assert client.get("/households/earlier/").status_code == 403
