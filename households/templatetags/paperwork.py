"""Words of lists and change slips on pages."""

from __future__ import annotations

from django import template

from households import slips, village_list
from households.models import SlipState

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
