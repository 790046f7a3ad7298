"""The two-level ledger: figures that lead to their rows, subtotals, a workbook of numbers."""

from __future__ import annotations

import io
import re
from datetime import date
from html import unescape
from typing import Any

import pytest
from django.test import Client
from openpyxl import load_workbook

from households import clock, path
from households.models import Household, StepKind
from plans.models import TaskPlan
from tests import cast as make
from tests.cast import Cast, reach
from tests.plans.slip_scene import plan_of, withdrawn

YEAR = "year=2026"


@pytest.fixture
def plan(cast: Cast) -> TaskPlan:
    plan = plan_of(cast)
    reach(cast.water_household, StepKind.ACCEPTED, cast.town_officer)
    reach(cast.air_household, StepKind.SIGNED, cast.town_officer)
    return plan


@pytest.fixture
def page(cast: Cast, plan: TaskPlan, client: Client) -> Client:
    client.force_login(cast.town_officer)
    return client


def lines(client: Client) -> dict[str, Any]:
    ledger = client.get(f"/two-level/?{YEAR}").context["ledger"]
    return {line.village: line for town in ledger.towns for line in town.lines}


def book(client: Client) -> Any:
    answer = client.get(f"/two-level/?{YEAR}&export=xlsx")
    return load_workbook(io.BytesIO(b"".join(answer)))


def test_a_village_tells_how_far_its_households_are(page: Client) -> None:
    dongtou, shijialing = lines(page)["洞头村"], lines(page)["时家岭社区"]
    assert dongtou.counts == {
        "listed": 1, "signed": 1, "installed": 1, "complete": 1, "accepted": 1, "proven": 0,
        "withdrawn": 0, "papers_incomplete": 0,
    }  # fmt: skip
    assert (shijialing.counts["signed"], shijialing.counts["installed"]) == (1, 0)
    assert (shijialing.original, shijialing.task) == (3, 3)


def test_every_figure_leads_to_just_as_many_households(cast: Cast, page: Client) -> None:
    withdrawn(cast, cast.air_household)
    text = page.get(f"/two-level/?{YEAR}").content.decode()
    links = re.findall(r'<a class="rows" href="(/households/[^"]*)">(\d+)</a>', text)
    assert len(links) > 10
    for url, number in links:
        assert page.get(unescape(url)).context["page"].paginator.count == int(number), url


def test_a_slip_in_effect_adjusts_the_task_and_names_its_basis(cast: Cast, page: Client) -> None:
    withdrawn(cast, cast.air_household)
    line = lines(page)["时家岭社区"]
    assert (line.original, line.task, line.bases) == (3, 2, ("钟街办〔2026〕12 号",))
    assert line.counts["withdrawn"] == 1
    total = page.get(f"/two-level/?{YEAR}").context["ledger"].total
    assert (total.original, total.task) == (5, 4)


def test_a_village_opens_into_its_households(cast: Cast, page: Client) -> None:
    text = page.get(f"/two-level/{cast.area('洞头村').pk}/?{YEAR}").content.decode()
    assert "26-12-0001" in text
    assert "26-10-0001" not in text


def test_a_step_entered_later_is_marked(cast: Cast, page: Client) -> None:
    later = path.Later("村委会", "当时没有平台")
    home = make.household(cast.area("洞头村"), number="26-12-0007")
    on = date(2026, 11, 1)
    path.take(home, StepKind.SURVEYED, on=on, by=cast.town_officer, later=later)
    assert "补录" in page.get(f"/two-level/{cast.area('洞头村').pk}/?{YEAR}").content.decode()
    sheet = book(page)["村级台账"]
    head = [cell.value for cell in sheet[3]]
    rows = {row[head.index("户编号")]: row for row in sheet.iter_rows(4, values_only=True)}
    assert rows["26-12-0007"][head.index("补录")] == "补录"
    assert not rows["26-12-0001"][head.index("补录")]


def test_the_workbook_holds_both_levels_with_numbers_as_numbers(page: Client) -> None:
    workbook = book(page)
    assert workbook.sheetnames == ["镇级台账", "村级台账"]
    rows = list(workbook["镇级台账"].iter_rows(3, values_only=True))
    head = list(rows[0])
    assert head[:6] == [
        "序号", "改造主体", "村（社区）", "原下达任务", "调整后任务", "调整依据（文号）",
    ]  # fmt: skip
    assert [row[2] for row in rows[1:4]] == ["时家岭社区", "洞头村", "小计"]
    assert rows[3][3:5] == (5, 5)
    assert rows[4][1] == "总计"
    homes = list(workbook["村级台账"].iter_rows(4, values_only=True))
    accepted = [cell.value for cell in workbook["村级台账"][3]].index("竣工验收")
    assert homes[1][accepted].date() == make.INSTALLED_ON
    assert homes[1][7] == 86


def test_the_second_level_follows_the_notice_with_scattered_households_last(
    cast: Cast, page: Client
) -> None:
    for place, number in (("钟家庄街道", "26-15-0001"), ("西上庄街道", "26-09-0001")):
        make.household(cast.area(place), number=number)
    page.force_login(cast.district_officer)
    numbers = [row[3] for row in book(page)["村级台账"].iter_rows(4, values_only=True) if row[0]]
    assert numbers[:4] == ["26-09-0001", "26-10-0001", "26-12-0001", "26-15-0001"]


def test_the_workbook_runs_no_formula_and_shows_no_whole_phone(cast: Cast, page: Client) -> None:
    Household.objects.filter(pk=cast.water_household.pk).update(householder="=1+1")
    sheet = book(page)["村级台账"]
    values = [cell for row in sheet.iter_rows(values_only=True) for cell in row]
    assert "'=1+1" in values
    assert "130****0000" in values
    assert "13000000000" not in values


def test_the_paper_says_who_fills_it_in_and_until_when(page: Client) -> None:
    text = page.get(f"/two-level/?{YEAR}").content.decode()
    for words in ("填报单位（盖章）", "填报人", "审核人", "联系电话", "截止时间", "单位：户"):
        assert words in text
    foot = [row[0] for row in book(page)["镇级台账"].iter_rows(values_only=True) if row][-1]
    assert str(foot).startswith("填报单位（盖章）：钟家庄街道")


def test_everybody_sees_the_villages_of_his_own_reach(cast: Cast, page: Client) -> None:
    address = f"/two-level/{cast.area('洞头村').pk}/?{YEAR}"
    for who, seen in (
        (cast.district_officer, {"时家岭社区", "洞头村"}),
        (cast.clerk, {"洞头村"}),
        (cast.outsider, set()),
        (cast.rival, set()),
    ):
        page.force_login(who)
        assert set(lines(page)) == seen
        assert page.get(address).status_code == (200 if "洞头村" in seen else 404)
    page.logout()
    assert page.get(f"/two-level/?{YEAR}").status_code == 302
    assert page.get(address).status_code == 302


def test_a_year_without_a_plan_says_so(page: Client) -> None:
    assert "没有改造任务计划表" in page.get("/two-level/?year=2031").content.decode()


def test_the_moment_of_the_newest_change_is_told(cast: Cast, page: Client) -> None:
    cast.water_household.refresh_from_db()
    cast.water_household.save()
    changed = lines(page)["洞头村"].changed_at
    assert (clock.now() - changed).total_seconds() < 60
