"""Rows of the plan's table, each figure leading to its households."""

from django import template

from households.models import Area
from plans.models import TaskPlan
from plans.progress import Row

register = template.Library()


@register.inclusion_tag("plans/parts/row.html")
def plan_row(row: Row, plan: TaskPlan, low_rate: int) -> dict[str, object]:
    """The figures of a line, a subtotal or the total; `where` names the households behind them."""
    where = f"year={plan.year}"
    if row.item and row.area.level == Area.Level.TOWN:
        where += f"&exactly={row.area.pk}"
    elif row.area.level != Area.Level.DISTRICT:
        where += f"&area={row.area.pk}"
    return {"row": row, "where": where, "low_rate": low_rate}
