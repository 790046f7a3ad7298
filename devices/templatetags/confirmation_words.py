"""Words and signs of how a confirmation stands today."""

from __future__ import annotations

from django import template
from django.utils.translation import gettext as _

from devices.docking import confirmations
from devices.models import EXPIRED, Confirmation, ConfirmationState

register = template.Library()
SHAPES = {
    ConfirmationState.SIGNING: "st-run",
    ConfirmationState.VALID: "st-ok",
    ConfirmationState.SUSPENDED: "st-warn",
    ConfirmationState.REVOKED: "st-bad",
    ConfirmationState.SUPERSEDED: "st-none",
    EXPIRED: "st-none",
}


@register.filter
def standing_shape(one: Confirmation) -> str:
    return SHAPES[one.standing]


@register.filter
def standing_word(one: Confirmation) -> str:
    standing = one.standing
    return _("已过期") if standing == EXPIRED else str(ConfirmationState(standing).label)


@register.filter
def act_shape(state: str) -> str:
    """The sign of what was done to a confirmation."""
    return SHAPES[state]


@register.filter
def paper_title(one: Confirmation) -> str:
    """What the paper is called; the city's is always a confirmation."""
    own = one.origin == Confirmation.Origin.OWN
    return confirmations.title() if own else _("数据对接确认书")


@register.filter
def spaced(code: str) -> str:
    """A code in fours."""
    return confirmations.spaced(code)
