from datetime import date

import pytest

from plans.models import PlanItem, TaskPlan
from tests import cast as make
from tests.cast import Cast


@pytest.fixture
def plan(cast: Cast) -> TaskPlan:
    """Two lines: 洞头村, and the scattered households of a town."""
    plan = TaskPlan.objects.create(
        district=cast.area("城区"),
        year=2026,
        basis="测试〔2026〕1号",
        starts_on=date(2026, 5, 28),
        works_done_by=date(2026, 10, 10),
        ends_on=date(2026, 10, 31),
    )
    for seq, name, column in ((9, "西上庄街道", "central"), (12, "洞头村", "electric")):
        by_method = {"central": "central_heating", "electric": "coal_to_electricity"}[column]
        PlanItem.objects.create(
            plan=plan, seq=seq, area=cast.area(name), households=26, **{by_method: 26}
        )
    return plan


@pytest.mark.parametrize(
    ("who", "seqs"),
    [
        ("district_officer", [9, 12]),
        ("town_officer", [12]),
        ("clerk", [12]),
        ("outsider", []),
        ("rival", []),
    ],
)
def test_each_sees_the_lines_of_his_place(
    cast: Cast, plan: TaskPlan, who: str, seqs: list[int]
) -> None:
    answer = make.program(getattr(cast, who), "plans:read").get("/api/plan-lines/")
    assert [line["seq"] for line in answer.json()["results"]] == seqs


def test_a_line_names_its_town_and_its_village(cast: Cast, plan: TaskPlan) -> None:
    scattered, village = make.program(cast.reader).get("/api/plan-lines/").json()["results"]
    assert (scattered["town"], scattered["village"]) == ("西上庄街道", None)
    assert (village["town"], village["village"]) == ("钟家庄街道", "洞头村")
    assert (village["year"], village["households"], village["coal_to_electricity"]) == (
        2026,
        26,
        26,
    )


def test_lines_can_be_narrowed_by_year_and_area(cast: Cast, plan: TaskPlan) -> None:
    client = make.program(cast.reader)
    assert client.get("/api/plan-lines/?year=2020").json()["count"] == 0
    village = cast.area("洞头村").pk
    assert client.get(f"/api/plan-lines/?year=2026&area={village}").json()["count"] == 1


def test_a_foreign_line_is_not_found(cast: Cast, plan: TaskPlan) -> None:
    line = plan.items.get(seq=9)
    assert make.program(cast.clerk).get(f"/api/plan-lines/{line.pk}/").status_code == 404


def test_a_token_without_the_scope_is_told_which_it_lacks(cast: Cast, plan: TaskPlan) -> None:
    answer = make.program(cast.reader, "units:read").get("/api/plan-lines/")
    assert answer.status_code == 403
    assert "plans:read" in answer.json()["detail"]


def test_the_number_of_queries_does_not_grow_with_the_lines(
    cast: Cast, plan: TaskPlan, django_assert_max_num_queries: object
) -> None:
    client = make.person(cast.reader)
    client.get("/api/plan-lines/")  # the first request begins the session's record
    with django_assert_max_num_queries(5):  # type: ignore[operator]
        client.get("/api/plan-lines/")
