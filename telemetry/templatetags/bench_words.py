"""How pages of docking tests say when."""

from __future__ import annotations

from django import template

from households import clock
from households.templatetags.office import full_time

register = template.Library()


@register.simple_tag
def moment_now() -> str:
    """The moment for which a live page holds, to the second: 2026-09-28 10:26:17."""
    return full_time(clock.now())
