"""Marks of open alarms on other pages."""

from __future__ import annotations

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from households.models import User
from telemetry.models import Alarm

register = template.Library()


@register.simple_tag
def alarm_count(user: User) -> SafeString | str:
    """How many alarms wait for somebody, as a small figure beside a menu entry; empty for none."""
    count = Alarm.objects.waiting().visible_to(user).count()
    if not count:
        return ""
    words = ngettext("%(n)d 条未处理告警", "%(n)d 条未处理告警", count) % {"n": count}
    return format_html(
        '<span class="count" title="{0}"><span aria-hidden="true">{1}</span>'
        '<span class="visually-hidden">{2}{0}</span></span>',
        words,
        count if count < 1000 else "999+",
        _("，"),
    )
