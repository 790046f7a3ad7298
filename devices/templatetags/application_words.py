"""Signs of applications for docking."""

from __future__ import annotations

from django import template

from devices.models import DockingState

register = template.Library()
SHAPES = {
    DockingState.DRAFT: "st-wait",
    DockingState.RETURNED: "st-bad",
    DockingState.FAILED: "st-bad",
    DockingState.PASSED: "st-ok",
    DockingState.ISSUED: "st-ok",
    DockingState.WITHDRAWN: "st-off",
}


@register.filter
def docking_shape(state: str) -> str:
    """The sign of an application's state."""
    return SHAPES.get(DockingState(state), "st-run")
