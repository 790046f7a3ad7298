"""Words and signs of applications and confirmations on the supplier's pages."""

from __future__ import annotations

from django import template
from django.utils.translation import gettext as _

from devices.makers import papers
from devices.models import Confirmation, ConfirmationState, DockingState

register = template.Library()
APPLICATIONS = {
    DockingState.DRAFT: "st-wait",
    DockingState.RETURNED: "st-bad",
    DockingState.FAILED: "st-bad",
    DockingState.PASSED: "st-ok",
    DockingState.ISSUED: "st-ok",
    DockingState.WITHDRAWN: "st-off",
}
CONFIRMATIONS = {
    ConfirmationState.SIGNING: "st-run",
    ConfirmationState.SUSPENDED: "st-warn",
    ConfirmationState.REVOKED: "st-bad",
    ConfirmationState.SUPERSEDED: "st-none",
}


@register.filter
def docking_shape(state: str) -> str:
    """The sign of an application's state."""
    return APPLICATIONS.get(DockingState(state), "st-run")


@register.filter
def confirmation_standing(one: Confirmation) -> tuple[str, str]:
    """Shape and words of how a confirmation stands today."""
    if one.state == ConfirmationState.VALID:
        return papers.validity(one.valid_until, one.valid_from)
    return CONFIRMATIONS[ConfirmationState(one.state)], one.get_state_display()


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
