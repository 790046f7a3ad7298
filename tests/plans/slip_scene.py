"""A plan of two villages, and a household that has left its task by change slip."""

from __future__ import annotations

from datetime import date

from households import clock
from households.models import ChangeSlip, Household, Part, SlipKind
from households.village_lists import list_papers, slips
from plans.models import PlanItem, TaskPlan
from tests.cast import Cast
from tests.households.list_scene import photo


def plan_of(cast: Cast) -> TaskPlan:
    plan = TaskPlan.objects.create(
        district=cast.area("城区"),
        year=2026,
        basis="示例〔2026〕17 号",
        starts_on=date(2026, 5, 28),
        works_done_by=date(2026, 10, 10),
        ends_on=date(2026, 10, 31),
    )
    for seq, (area, task) in enumerate((("时家岭社区", 3), ("洞头村", 2)), 1):
        tasks = {"coal_to_electricity": task, "households": task}
        PlanItem.objects.create(plan=plan, seq=seq, area=cast.area(area), **tasks)
    return plan


def withdrawn(cast: Cast, home: Household) -> ChangeSlip:
    """The household, which is in the plan, gives up; the slip is in effect."""
    slip = slips.draft(
        SlipKind.WITHDRAWN,
        [(home, Part.LEAVES)],
        by=cast.town_officer,
        basis="钟街办〔2026〕12 号",
        basis_on=clock.today(),
        reason=ChangeSlip.Why.GIVEN_UP,
        values={},
    )
    list_papers.add(slip, photo(), title="依据", by=cast.town_officer)
    slips.submit(slip, by=cast.town_officer)
    slips.review(slip, by=cast.town_officer)
    return slips.approve(slip, by=cast.district_officer)
