"""Words and signs of how a confirmation stands today."""

from __future__ import annotations

from django import template
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from devices.docking import codes, confirmations
from devices.makers import papers
from devices.models import EXPIRED, NOT_YET, Confirmation, ConfirmationState

register = template.Library()
SHAPES = {
    ConfirmationState.SIGNING: "st-run",
    ConfirmationState.VALID: "st-ok",
    ConfirmationState.SUSPENDED: "st-warn",
    ConfirmationState.REVOKED: "st-bad",
    ConfirmationState.SUPERSEDED: "st-none",
    NOT_YET: "st-wait",
    EXPIRED: "st-none",
}
BY_DATE = {NOT_YET: _lazy("未生效"), EXPIRED: _lazy("已过期")}


@register.filter
def standing_shape(one: Confirmation) -> str:
    return SHAPES[one.standing]


@register.filter
def standing_word(one: Confirmation) -> str:
    standing = one.standing
    return str(BY_DATE.get(standing) or ConfirmationState(standing).label)


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
    return codes.spaced(code)


@register.filter
def confirmation_standing(one: Confirmation) -> tuple[str, str]:
    """Shape and words of how a confirmation stands today, on the maker's pages: an end that is
    near is told."""
    if one.state == ConfirmationState.VALID:
        return papers.validity(one.valid_until, one.valid_from)
    return SHAPES[one.state], one.get_state_display()


@register.filter
def confirmation_scope(one: Confirmation) -> str:
    """What it was tested with: board, firmware, transmitter, register map."""
    board = f"{one.board} {one.board_version}".strip()
    parts = [
        _("主控板 %(board)s") % {"board": board} if board else "",
        _("固件 %(firmware)s") % {"firmware": one.firmware} if one.firmware else "",
        _("装置 %(model)s") % {"model": one.transmitter_model} if one.transmitter_model else "",
        _("点表第 %(n)d 版") % {"n": one.register_map.version} if one.register_map else "",
    ]
    return _("，").join(part for part in parts if part)
