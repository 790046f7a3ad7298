from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from households import clock
from households.models import Area, Household, Method, Role, State, StepKind, User
from plans import annex1, progress, task_plan
from plans.models import TaskPlan
from tests import cast
from tests.plans.test_annex1 import FILE

YEAR = 2026
TODAY = date(YEAR, 9, 28)
NOON = datetime.combine(TODAY, datetime.min.time(), clock.SHANGHAI) + timedelta(hours=12)
REACHED = [*State][:9]


@pytest.fixture
def district(db: None) -> Area:
    return Area.objects.create(level=Area.Level.DISTRICT, name="城区")


@pytest.fixture
def plan(district: Area) -> TaskPlan:
    return task_plan.store(
        annex1.load(FILE),
        district=district,
        year=YEAR,
        basis="示例",
        starts_on=date(YEAR, 5, 28),
        works_done_by=date(YEAR, 10, 10),
        ends_on=date(YEAR, 10, 31),
    ).plan


@pytest.fixture
def officer(db: None) -> User:
    return cast.user("qu", Role.DISTRICT)


def scatter(plan: TaskPlan, seed: int = 20) -> list[Household]:
    """Ten households a line, each somewhere on its path; some withdrawn, some lacking papers."""
    chance = random.Random(seed)
    homes = [
        _household(item.seq, n, item.area, chance)
        for item in plan.items.select_related("area")
        for n in range(1, 11)
    ]
    Household.objects.bulk_create(homes)
    return list(Household.objects.select_related("area__owner"))


def _household(seq: int, n: int, area: Area, chance: random.Random) -> Household:
    days = sorted(chance.randrange(0, 150) for _ in StepKind)
    reached = chance.randrange(0, 9)
    home = Household(
        number=f"26-{seq:02d}-{n:04d}",
        year=YEAR,
        area=area,
        method=chance.choice(list(Method)),
        householder="测试户",
        papers_incomplete=chance.random() < 0.1,
        withdrawn_on=TODAY if chance.random() < 0.05 else None,
    )
    for kind, day in list(zip(StepKind, days, strict=True))[:reached]:
        setattr(home, f"{kind}_on", date(YEAR, 5, 10) + timedelta(days=day))
    return home


def reached(home: Household, last: StepKind, by: date) -> bool:
    """The rule told once more, household by household."""
    kinds = list(StepKind)[: list(StepKind).index(last) + 1]
    days = [getattr(home, f"{kind}_on") for kind in kinds]
    counts = home.withdrawn_on is None and not home.papers_incomplete
    return counts and all(day is not None and day <= by for day in days)


def lacks(home: Household) -> bool:
    return home.papers_incomplete and home.withdrawn_on is None


def assert_counts(figures: progress.Figures, homes: list[Household], on: date) -> None:
    assert figures.complete == sum(reached(h, StepKind.COMMISSIONED, on) for h in homes)
    assert figures.accepted == sum(reached(h, StepKind.ACCEPTED, on) for h in homes)
    assert figures.papers_incomplete == sum(map(lacks, homes))


@pytest.mark.parametrize("on", [date(YEAR, 6, 30), date(YEAR, 8, 15), TODAY])
def test_every_row_and_cell_is_what_counting_household_by_household_gives(
    plan: TaskPlan, officer: User, on: date
) -> None:
    homes = scatter(plan)
    shown = progress.table(officer, plan, on)
    for town in shown.towns:
        for line in town.lines:
            mine = [home for home in homes if home.area == line.area]
            assert_counts(line.figures, mine, on)
            for method, cell in line.cells:
                assert_counts(cell, [home for home in mine if home.method == method], on)
        assert_counts(
            town.subtotal.figures,
            [home for home in homes if town.area in (home.area, home.area.owner)],
            on,
        )
    assert_counts(shown.total.figures, homes, on)
    assert shown.total.figures.complete > 0


def test_the_tasks_are_the_notices(plan: TaskPlan, officer: User) -> None:
    shown = progress.table(officer, plan)
    assert [town.subtotal.figures.task for town in shown.towns] == [531, 80, 185, 19, 5]
    assert [cell.task for _method, cell in shown.total.cells] == [575, 185, 0, 60]
    assert shown.total.figures.task == 820
    assert [line.item.seq for town in shown.towns for line in town.lines if line.item] == list(
        range(1, 15)
    )
    assert [line.area.as_village for town in shown.towns for line in town.lines][7:10] == [
        "北东村",
        "（散户）",
        "时家岭社区",
    ]


def test_the_figures_take_six_queries_however_many_households(
    plan: TaskPlan, officer: User
) -> None:
    scatter(plan)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        progress.table(officer, plan).total  # noqa: B018
    assert len(queries) == 6


def test_a_town_sees_its_lines_and_a_village_its_own(plan: TaskPlan) -> None:
    scatter(plan)
    town = Area.objects.get(name="钟家庄街道")
    officer = cast.user("zjz", Role.TOWN, town)
    clerk = cast.user("dongtou", Role.CLERK, Area.objects.get(name="洞头村"))
    seen = progress.table(officer, plan)
    assert [t.area for t in seen.towns] == [town]
    assert seen.total.figures.task == 185
    assert progress.table(clerk, plan).total.figures.task == 26
    assert progress.curves(clerk, plan).due[-1] == 26


def test_a_supplier_learns_nothing_of_the_districts_progress(plan: TaskPlan) -> None:
    scatter(plan)
    member = cast.member("chennuan", cast.supplier("晨暖（虚构）"))
    shown = progress.table(member, plan)
    assert shown.towns == []
    assert shown.total.figures.is_empty
    assert shown.outside == 0


def test_households_without_a_plan_line_are_counted_apart(plan: TaskPlan, officer: User) -> None:
    village = Area.objects.create(
        level=Area.Level.VILLAGE, name="新村", owner=Area.objects.get(name="南村镇")
    )
    listed: dict[str, Any] = {"area": village, "surveyed_on": TODAY, "listed_on": TODAY}
    cast.household(**listed, number="26-99-0001")
    cast.household(**listed, number="26-99-0002", withdrawn_on=TODAY)
    cast.household(**listed, number="25-99-0003", year=2025)
    shown = progress.table(officer, plan)
    assert shown.outside == 1
    assert shown.total.figures.task == 820


def test_curves_end_where_the_table_stands_on_every_day(plan: TaskPlan, officer: User) -> None:
    scatter(plan)
    with clock.at(NOON):
        lines = progress.curves(officer, plan)
    assert (lines.days[0], lines.days[-1]) == (plan.starts_on, plan.ends_on)
    for day in (date(YEAR, 5, 28), date(YEAR, 7, 31), TODAY):
        figures = progress.table(officer, plan, day).total.figures
        at = lines.days.index(day)
        shown = (lines.complete[at], lines.accepted[at], lines.due[at])
        assert shown == (figures.complete, figures.accepted, figures.due)
    assert lines.complete[lines.days.index(TODAY) + 1 :] == [None] * 33


def test_what_was_gained_since_a_day_is_the_difference_of_two_tables(
    plan: TaskPlan, officer: User
) -> None:
    scatter(plan)
    monday = date(YEAR, 9, 21)
    with clock.at(NOON):
        gained = progress.curves(officer, plan).gained("accepted", since=monday)
    now = progress.table(officer, plan, TODAY).total.figures.accepted
    assert (
        gained
        == now - progress.table(officer, plan, monday - timedelta(days=1)).total.figures.accepted
    )


def test_the_backward_schedule_starts_at_nothing_and_ends_with_everything(plan: TaskPlan) -> None:
    schedule = progress.Schedule(plan)
    assert schedule.days == 136
    assert schedule.due(820, date(YEAR, 5, 27)) == 0
    assert schedule.due(820, date(YEAR, 10, 10)) == 820
    assert schedule.due(820, date(YEAR, 12, 31)) == 820
    assert schedule.due(136, date(YEAR, 5, 28)) == 1
    assert schedule.day_number(TODAY) == 124
    assert (schedule.days_left(TODAY), schedule.days_left(date(YEAR, 10, 12))) == (12, -2)


def test_what_is_due_never_falls_from_one_day_to_the_next(plan: TaskPlan, officer: User) -> None:
    due = progress.curves(officer, plan).due
    assert due == sorted(due)
    assert due[-1] == 820


def test_the_heat_company_follows_the_task_of_its_own_methods(
    plan: TaskPlan, district: Area
) -> None:
    company = cast.user("reli", Role.HEAT_COMPANY)
    with clock.at(NOON):
        table, curves = progress.table(company, plan), progress.curves(company, plan)
    figures = dict(table.total.cells)
    assert table.total.figures.task == curves.due[-1] == 635
    assert figures[Method.CENTRAL_HEATING].task == 575
    assert figures[Method.COAL_TO_ELECTRICITY].is_empty
    assert "时家岭社区" not in {line.area.name for town in table.towns for line in town.lines}


@pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.POWER_COMPANY])
def test_who_belongs_to_no_area_follows_the_plan_too(plan: TaskPlan, role: Role) -> None:
    task = progress.table(cast.user("x", role), plan).total.figures.task
    assert task == (185 if role == Role.POWER_COMPANY else 820)


def test_being_behind_and_ahead_exclude_each_other() -> None:
    late = progress.Figures(task=100, due=80, complete=60, accepted=50)
    assert (late.behind, late.ahead, late.to_accept) == (20, 0, 10)
    early = progress.Figures(task=100, due=40, complete=60)
    assert (early.behind, early.ahead) == (0, 20)


def test_a_percentage_is_rounded_half_up_and_needs_a_denominator() -> None:
    assert progress.percent(683, 820) == Decimal("83.3")
    assert progress.percent(1, 16) == Decimal("6.3")
    assert progress.percent(0, 0) is None


def test_the_forecast_goes_on_at_the_pace_of_the_last_days() -> None:
    days = [date(YEAR, 6, 1) + timedelta(days=n) for n in range(60)]
    today = days[19]
    done: list[int | None] = [10 * (n + 1) if n < 20 else None for n in range(60)]
    lines = progress.Curves(days, [0] * 60, done, done, today)
    assert lines.forecast(300) == today + timedelta(days=10)
    assert lines.forecast(200) is None
    still = progress.Curves(days, [0] * 60, [7] * 60, [7] * 60, today)
    assert still.forecast(300) is None
