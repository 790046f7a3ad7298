"""The adjusted task: the plan's lines and what slips in effect did to them."""

from __future__ import annotations

import pytest

from households import clock
from households.models import ChangeSlip, Household, Method, Part, SlipKind, StepKind
from households.village_lists import slips
from plans import progress
from plans.adjusted import adjustment
from plans.models import TaskPlan
from tests import cast as make
from tests.cast import Cast
from tests.plans.slip_scene import plan_of, withdrawn


@pytest.fixture
def plan(cast: Cast) -> TaskPlan:
    plan = plan_of(cast)
    for home in (cast.water_household, cast.air_household):
        make.reach(home, StepKind.LISTED, cast.town_officer)
    return plan


def task(plan: TaskPlan, place: str) -> dict[str, int]:
    item = plan.items.get(area__name=place)
    return {str(method.label): n for method, n in adjustment(plan).task(item).items() if n}


def test_without_slips_it_is_the_plans_own(plan: TaskPlan) -> None:
    assert task(plan, "时家岭社区") == {"电代煤": 3}
    assert adjustment(plan).basis(plan.items.get(area__name="时家岭社区")) == []


def test_only_a_slip_in_effect_adjusts_and_only_its_own_village(cast: Cast, plan: TaskPlan) -> None:
    slips.draft(
        SlipKind.WITHDRAWN,
        [(cast.water_household, Part.LEAVES)],
        by=cast.town_officer,
        basis="草稿",
        basis_on=clock.today(),
        reason=ChangeSlip.Why.GIVEN_UP,
        values={},
    )
    withdrawn(cast, cast.air_household)
    assert task(plan, "时家岭社区") == {"电代煤": 2}
    assert task(plan, "洞头村") == {"电代煤": 2}
    assert adjustment(plan).basis(plan.items.get(area__name="洞头村")) == []


def test_another_method_moves_between_the_columns(cast: Cast, plan: TaskPlan) -> None:
    slip = withdrawn(cast, cast.air_household)
    slip.lines.update(joined=Method.CENTRAL_HEATING)
    assert task(plan, "时家岭社区") == {"电代煤": 2, "集中供热": 1}


def test_it_never_falls_below_none(cast: Cast, plan: TaskPlan) -> None:
    withdrawn(cast, cast.air_household)
    plan.items.filter(area__name="时家岭社区").update(households=0, coal_to_electricity=0)
    assert task(plan, "时家岭社区") == {}


def test_a_slip_of_another_year_adjusts_nothing(cast: Cast, plan: TaskPlan) -> None:
    slip = withdrawn(cast, cast.air_household)
    slip.year = 2025
    slip.save()
    assert task(plan, "时家岭社区") == {"电代煤": 3}


def test_rates_and_schedule_are_measured_by_it(cast: Cast, plan: TaskPlan) -> None:
    Household.objects.filter(pk=cast.water_household.pk).update(listed_on=clock.today())
    withdrawn(cast, cast.air_household)
    total = progress.table(cast.district_officer, plan).total.figures
    assert (total.original, total.task) == (5, 4)
    assert total.due == 4
    assert progress.curves(cast.district_officer, plan).due[-1] == 4
