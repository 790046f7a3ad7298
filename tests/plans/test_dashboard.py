"""The dashboard: figures that agree with each other and lead to their rows."""

from __future__ import annotations

import csv
import io
import re
from datetime import date, datetime, timedelta
from html import unescape

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import Client

from households import clock
from households.models import Area, Household, Role, StepKind, User
from plans.models import PlanItem, TaskPlan
from telemetry import alarms
from telemetry.models import Alarm, UnitState
from tests.cast import Cast, answered, household, reach
from tests.telemetry.lines import lost, works

PLAN_FILE = settings.BASE_DIR / "plans" / "data" / "annex1_2020.csv"


@pytest.fixture
def plan(cast: Cast) -> TaskPlan:
    plan = TaskPlan.objects.create(
        district=cast.area("城区"),
        year=2026,
        basis="示例〔2026〕17 号",
        starts_on=date(2026, 5, 28),
        works_done_by=date(2026, 10, 10),
        ends_on=date(2026, 10, 31),
    )
    lines = (("西上庄街道", "central_heating", 5), ("时家岭社区", "coal_to_electricity", 3),
             ("洞头村", "coal_to_electricity", 2))  # fmt: skip
    for seq, (area, method, task) in enumerate(lines, 1):
        tasks = {method: task, "households": task}
        PlanItem.objects.create(plan=plan, seq=seq, area=cast.area(area), **tasks)
    reach(cast.water_household, StepKind.ACCEPTED, cast.district_officer)
    reach(cast.air_household, StepKind.COMMISSIONED, cast.district_officer)
    return plan


@pytest.fixture
def officer(cast: Cast, plan: TaskPlan, client: Client) -> Client:
    client.force_login(cast.district_officer)
    return client


def figure_links(page: str) -> list[tuple[str, int]]:
    """Links of the ledger and the unit list with the first number that they show."""
    found = re.findall(r'<a class="rows[^"]*" href="(/(?:households|units)/[^"]*)">(.*?)</a>', page)
    numbers = (
        (unescape(url), re.search(r"\d+", re.sub("<[^>]+>", "", text))) for url, text in found
    )
    return [(url, int(number[0])) for url, number in numbers if number]


def test_every_figure_leads_to_just_as_many_rows(cast: Cast, officer: Client) -> None:
    answered(cast.water, clock.now(), supply_temp=43.1)
    answered(cast.air, clock.now(), fault_active=True, fault_bits=["fan_motor"])
    Household.objects.filter(pk=household(cast.area("洞头村"), number="26-12-0009").pk).update(
        listed_on=date(2026, 6, 1), papers_incomplete=True
    )
    links = figure_links(officer.get("/").content.decode())
    assert len(links) > 15
    for url, number in links:
        if "not_complete" in url:  # behind counts against the schedule, the rows are all not done
            continue
        assert officer.get(url).context["page"].paginator.count == number, url


def test_the_plans_table_has_subtotals_only_where_a_town_has_several_lines(
    officer: Client,
) -> None:
    page = officer.get("/").content.decode()
    assert page.count('<tr class="sub">') == 1
    assert page.count('<tr class="sum">') == 2
    assert "（散户）" in page


def test_a_town_sees_its_own_figures_only(cast: Cast, officer: Client) -> None:
    officer.force_login(cast.outsider)
    page = officer.get("/").content.decode()
    assert "洞头村" not in page
    assert officer.get("/").context["total"].figures.task == 0
    officer.force_login(cast.town_officer)
    assert officer.get("/").context["total"].figures.task == 5


def test_the_order_is_the_notices_and_ranking_a_switch(officer: Client) -> None:
    towns = [town.area.name for town in officer.get("/").context["towns"]]
    assert towns == ["西上庄街道", "钟家庄街道"]
    towns = [town.area.name for town in officer.get("/?rank=1").context["towns"]]
    assert towns == ["钟家庄街道", "西上庄街道"]


def test_units_are_counted_by_village(cast: Cast, officer: Client) -> None:
    answered(cast.water, clock.now(), supply_temp=43.1)
    units = officer.get("/").context["units"]
    by_name = {row.area.name: (row.installed, row.online, row.silent) for row in units.villages}
    assert by_name == {"时家岭社区": (1, 0, 1), "洞头村": (1, 1, 0)}
    assert (units.total.installed, units.total.online, units.total.in_fault) == (2, 1, 0)


def test_silent_units_are_split_by_cause_and_lead_to_their_rows(
    cast: Cast, officer: Client
) -> None:
    works()
    lost(cast.water.gateway)
    assert not UnitState.objects.exists()  # neither ever answered
    causes = officer.get("/").context["units"].causes
    assert sum(count for *_rest, count in causes) == 2
    for cause, _words, count in causes:
        listed = officer.get(f"/units/?installed=true&cause={cause}")
        assert listed.context["page"].paginator.count == count


def test_alarms_that_wait_are_counted_and_stand_in_words(cast: Cast, officer: Client) -> None:
    for second in (0, 1):
        at = clock.now() + timedelta(seconds=second)
        answered(cast.air, at, fault_active=True, fault_bits=["fan_motor"])
        with clock.at(at):
            alarms.review()
    summary = officer.get("/").context["alarms"]
    assert (summary.total, [row.sentence for row in summary.gravest]) == (1, ["风机电机故障"])
    assert "风机电机故障" in officer.get("/").content.decode()
    Alarm.objects.open().get().acknowledge(cast.town_officer, "已通知供应商")
    assert officer.get("/").context["alarms"].total == 0


def test_the_file_has_a_column_for_every_number(officer: Client) -> None:
    content = b"".join(officer.get("/?export=csv")).decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(content)))
    assert all(len(row) == len(rows[0]) for row in rows)
    total = dict(zip(rows[0], rows[-1], strict=True))
    assert (total["原下达任务"], total["调整后任务"]) == ("10", "10")
    assert (total["完工"], total["验收"]) == ("2", "1")


def test_the_curves_end_today_and_rise_with_the_steps(officer: Client) -> None:
    curves = officer.get("/progress/curves/").json()
    today = curves["days"].index(curves["today"])
    assert (curves["complete"][today], curves["accepted"][today]) == (2, 1)
    assert all(count is None for count in curves["complete"][today + 1 :])
    assert curves["due"][curves["days"].index("2026-10-10")] == 10


def test_the_curves_numbers_are_a_table_and_a_file(officer: Client) -> None:
    assert "倒排工期" in officer.get("/progress/table/").content.decode()
    content = b"".join(officer.get("/progress/table/?export=csv")).decode("utf-8-sig")
    assert len(content.splitlines()) == len(officer.get("/progress/curves/").json()["days"]) + 1


def test_the_definitions_tell_the_schedules_shape(officer: Client) -> None:
    page = officer.get("/progress/definitions/").content.decode()
    assert "按天平均推进（直线）" in page
    assert "示例〔2026〕17 号" in page


def test_without_a_plan_the_page_says_what_to_do_first(cast: Cast, client: Client) -> None:
    client.force_login(cast.district_officer)
    assert "还没有改造任务计划表" in client.get("/").content.decode()
    assert client.get("/progress/curves/").status_code == 404
    assert client.get("/progress/definitions/").status_code == 200


@pytest.mark.django_db
def test_the_command_of_an_empty_platforms_page_makes_district_towns_and_plan(
    client: Client,
) -> None:
    client.force_login(User.objects.create(username="first", role=Role.ADMINISTRATOR))
    page = client.get("/").content.decode()
    words = re.search(r"manage (plan import [^<]*)<", page)
    assert words is not None
    given = {"FILE": str(PLAN_FILE), "Y": "2026", "NUMBER": "文号", "NAME": "城区"}
    call_command(*(given.get(word, word) for word in words[1].split()), stdout=io.StringIO())
    assert Area.objects.count() == 1 + 5 + 13
    assert "820" in client.get("/").content.decode()


def on(month: int, day: int) -> datetime:
    """That day at noon in Shanghai."""
    return datetime(2026, month, day, 12, tzinfo=clock.SHANGHAI)


@pytest.mark.parametrize(
    ("today", "words"), [((9, 28), "完工节点 <b>12 天</b>"), ((10, 14), "已过")]
)
def test_the_days_left_and_the_days_gone_are_told(
    cast: Cast, officer: Client, today: tuple[int, int], words: str
) -> None:
    with clock.at(on(*today)):
        officer.force_login(cast.district_officer)  # as of that day: sessions do not last so long
        assert words in officer.get("/").content.decode()


def test_the_forecast_follows_the_last_fortnight(cast: Cast, officer: Client) -> None:
    assert officer.get("/progress/curves/").json()["forecast"] is None
    with clock.at(on(10, 22)):  # two of ten within the last 14 days: 56 days for the other eight
        curves = officer.get("/progress/curves/").json()
        assert (curves["task"], curves["forecast"]) == (10, "2026-12-17")
        assert "按近 14 天预测" in officer.get("/").content.decode()
