"""Words of lists and change slips on pages."""

from __future__ import annotations

from django import template

from households.models import ChangeSlip, Household, SlipActKind, SlipState, User
from households.todo import todo
from households.village_lists import slips, village_list
from households.village_lists.later_entry import enterable

register = template.Library()
SLIP_SHAPES = {
    SlipState.DRAFT: "st-wait",
    SlipState.SUBMITTED: "st-run",
    SlipState.REVIEWED: "st-run",
    SlipState.EFFECTIVE: "st-ok",
    SlipState.RETURNED: "st-bad",
    SlipState.REFUSED: "st-bad",
    SlipState.CANCELLED: "st-off",
}


@register.filter
def list_reason(key: str) -> str:
    """A reason for returning a list, in words."""
    return str(village_list.REASONS.get(key, key))


@register.filter
def slip_reason(key: str) -> str:
    """A reason for returning or refusing a change slip, in words."""
    return str(slips.REASONS.get(key, key))


@register.filter
def slip_shape(state: str) -> str:
    """The sign of a slip's state."""
    return SLIP_SHAPES[SlipState(state)]


@register.filter
def absolute(value: int) -> int:
    """Without its sign: words tell more or less."""
    return abs(value)


@register.inclusion_tag("parts/todo.html")
def todo_now(user: User) -> dict[str, object]:
    """The row 待我处理: what waits for the user among lists and slips."""
    return {"waiting": todo(user)}


@register.inclusion_tag("households/parts/slip_links.html")
def slip_links(household: Household, user: User) -> dict[str, object]:
    """Buttons of a household's page: a change slip for it, a step entered later."""
    return {
        "h": household,
        "may_draft": bool(household.listed_on)
        and not household.withdrawn_on
        and SlipActKind.DRAFT in slips.acts(user, None),
        "may_enter": bool(enterable(household, user)),
    }


@register.inclusion_tag("households/parts/slips_of.html")
def slips_of(household: Household, user: User) -> dict[str, object]:
    """The household's change slips, for its page; nothing where there are none."""
    found = ChangeSlip.objects.visible_to(user).filter(lines__household=household)
    return {"slips": list(found.select_related("town"))}
