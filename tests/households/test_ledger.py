"""The ledger: states, filters, order, pages, file."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from django.test import Client

from households.models import Household, Method, Step, StepKind
from tests.cast import INSTALLED_ON, SERVICE_BEGAN, Cast, household, reach


@pytest.fixture
def officer(cast: Cast, client: Client) -> Client:
    client.force_login(cast.district_officer)
    return client


def numbers(client: Client, query: str) -> list[str]:
    context = client.get(f"/households/?{query}").context
    return [line.household.number for line in context["lines"]]


def table(client: Client, query: str) -> list[dict[str, str]]:
    content = b"".join(client.get(f"/households/?export=csv&{query}")).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(content)))


def test_the_chips_count_every_household_once(cast: Cast, officer: Client) -> None:
    reach(cast.water_household, StepKind.ACCEPTED, cast.district_officer)
    chips = officer.get("/households/").context["chips"]
    assert {chip.label: chip.count for chip in chips} == {"全部": 2, "竣工验收": 1, "暂存": 1}


def test_a_chips_count_is_the_length_of_its_list(cast: Cast, officer: Client) -> None:
    reach(cast.water_household, StepKind.SIGNED, cast.district_officer)
    for chip in officer.get("/households/").context["chips"]:
        assert len(numbers(officer, f"state={chip.value}")) == chip.count


@pytest.mark.parametrize(
    "query",
    [
        "q=测试户甲",
        "q=26-12",
        "q=测试路 甲",
        "area={village}",
        "progress=complete",
        "exactly={village}",
    ],
)
def test_every_filter_finds_the_one_it_means(cast: Cast, officer: Client, query: str) -> None:
    reach(cast.water_household, StepKind.COMMISSIONED, cast.district_officer)
    query = query.format(village=cast.area("洞头村").pk)
    assert numbers(officer, query) == ["26-12-0001"]


def test_a_town_means_all_of_its_villages(cast: Cast, officer: Client) -> None:
    assert len(numbers(officer, f"area={cast.area('钟家庄街道').pk}")) == 2
    assert numbers(officer, f"area={cast.area('南村镇').pk}") == []


def test_scattered_households_are_those_of_the_town_itself(cast: Cast, officer: Client) -> None:
    town = cast.area("西上庄街道")
    household(town, number="26-09-0001", method=Method.CENTRAL_HEATING)
    assert numbers(officer, f"exactly={town.pk}") == ["26-09-0001"]
    assert "（散户）" in officer.get("/households/").content.decode()


def test_complete_and_waiting_are_apart(cast: Cast, officer: Client) -> None:
    reach(cast.water_household, StepKind.COMMISSIONED, cast.district_officer)
    reach(cast.air_household, StepKind.ACCEPTED, cast.district_officer)
    assert numbers(officer, "progress=to_accept") == ["26-12-0001"]
    assert numbers(officer, "progress=accepted") == ["26-10-0001"]
    assert numbers(officer, "progress=not_complete") == []


def test_an_unknown_filter_is_told_and_an_unknown_order_ignored(officer: Client) -> None:
    response = officer.get("/households/?method=magic&sort=password&page=99")
    assert "有的筛选条件不认识" in response.content.decode()
    assert response.context["sort"] == "number"
    assert len(response.context["lines"]) == 2


def test_the_order_follows_the_wish_and_rows_without_a_value_come_last(
    cast: Cast, officer: Client
) -> None:
    household(cast.area("洞头村"), number="26-12-0002", heated_area=None)
    Household.objects.filter(pk=cast.water_household.pk).update(heated_area=120)
    assert numbers(officer, "sort=-number")[0] == "26-12-0002"
    assert numbers(officer, "sort=-heated_area")[0] == "26-12-0001"
    assert numbers(officer, "sort=-heated_area")[-1] == "26-12-0002"
    assert numbers(officer, "sort=heated_area")[-1] == "26-12-0002"


def test_a_step_without_its_papers_is_marked_and_says_who_brings_them(
    cast: Cast, officer: Client
) -> None:
    home = reach(cast.water_household, StepKind.SIGNED, cast.district_officer)
    Step.objects.create(
        household=home,
        kind=StepKind.INSTALLED,
        on=INSTALLED_ON,
        lacks=["缺室外机照片"],
        recorded_by=cast.district_officer,
        recorded_at=SERVICE_BEGAN,
    )
    Household.objects.filter(pk=home.pk).update(papers_incomplete=True)
    page = officer.get("/households/?state=papers_incomplete").content.decode()
    assert 'class="lack"' in page
    assert "缺室外机照片" in page
    assert (
        '<i class="d"></i><i class="d"></i><i class="d"></i><i class="x"></i><i class="">' in page
    )
    assert table(officer, "state=papers_incomplete")[0]["由谁办"] == "供应商"


def test_a_list_shows_no_whole_phone_number(officer: Client) -> None:
    text = officer.get("/households/").content.decode()
    assert "130****0000" in text
    assert "13000000000" not in text
    assert "13000000000" not in str(table(officer, ""))


def test_the_file_holds_the_filtered_rows_and_no_formula(cast: Cast, officer: Client) -> None:
    Household.objects.filter(pk=cast.water_household.pk).update(householder="=1+1")
    rows = table(officer, "q=26-12")
    assert [row["户编号"] for row in rows] == ["26-12-0001"]
    assert rows[0]["户主"] == "'=1+1"
    assert rows[0]["改造主体"] == "钟家庄街道"


def test_an_empty_list_says_what_to_do(cast: Cast, officer: Client) -> None:
    assert "没有符合这些条件" in officer.get("/households/?q=没有的").content.decode()
    officer.force_login(cast.outsider)
    assert "还没有登记任何一户" in officer.get("/households/").content.decode()


def test_long_lists_come_in_pages(cast: Cast, officer: Client) -> None:
    for n in range(60):
        household(cast.area("洞头村"), number=f"26-12-1{n:03d}")
    assert len(numbers(officer, "")) == 50
    assert len(numbers(officer, "page=2")) == 12


@pytest.mark.parametrize("query", ["", "?q=测试", "?sort=-householder", "?state=draft&page=9"])
def test_the_list_costs_at_most_ten_queries(
    cast: Cast, officer: Client, query: str, django_assert_max_num_queries: Any
) -> None:
    village = cast.area("洞头村")
    for n in range(60):
        household(village, number=f"26-12-{n + 100:04d}")
    officer.get("/households/")  # the first request begins the session's record
    with django_assert_max_num_queries(10):
        officer.get(f"/households/{query}")
