"""The mark of unread messages in the top bar."""

from __future__ import annotations

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import ngettext

from households.accounts.sessions import UNREAD

register = template.Library()


@register.simple_tag(takes_context=True)
def unread_messages(context: template.Context) -> SafeString | str:
    """How many messages the person has not seen, as a small figure; empty for none."""
    count = getattr(context.get("request"), UNREAD, 0)
    if not count:
        return ""
    words = ngettext("%(n)d 条未读", "%(n)d 条未读", count) % {"n": count}
    return format_html(
        '<span class="count" title="{0}"><span aria-hidden="true">{1}</span>'
        '<span class="visually-hidden">{0}</span></span>',
        words,
        count if count < 100 else "99+",
    )
