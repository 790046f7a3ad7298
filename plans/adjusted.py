"""The adjusted task (调整后任务): the plan's lines with what change slips in effect did to them.

Nobody types it: each line of a slip says by which method a household left or joined the task.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass

from households.models import Method, SlipLine, SlipState
from plans.models import PlanItem, TaskPlan


@dataclass(frozen=True)
class Adjustment:
    """What the slips of a plan's year changed: households by area and method, and the bases."""

    changes: Counter[tuple[int, str]]
    bases: dict[int, list[str]]

    def task(self, item: PlanItem) -> dict[Method, int]:
        """The line's adjusted task by method; never less than none."""
        return {
            method: max(0, task + self.changes[item.area_id, method])
            for method, task in item.by_method.items()
        }

    def basis(self, item: PlanItem) -> list[str]:
        """The papers (文号) by which the line was adjusted, the oldest first."""
        return self.bases.get(item.area_id, [])


def adjustment(plan: TaskPlan) -> Adjustment:
    """All slips of the plan's year that are in effect. One query."""
    lines = SlipLine.objects.filter(slip__state=SlipState.EFFECTIVE, slip__year=plan.year)
    lines = lines.exclude(left="", joined="").order_by("slip__effective_on", "pk")
    changes: Counter[tuple[int, str]] = Counter()
    bases: dict[int, list[str]] = defaultdict(list)
    for area, left, joined, basis in lines.values_list(
        "slip__area_id", "left", "joined", "slip__basis"
    ):
        changes[area, left] -= 1
        changes[area, joined] += 1
        if basis not in bases[area]:
            bases[area].append(basis)
    return Adjustment(changes, dict(bases))
