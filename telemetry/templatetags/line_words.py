"""How lines, their frames and their figures are put into words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from devices.modbus.words import Sentence
from devices.models import Gateway
from households import clock
from households.templatetags.office import figure
from telemetry import lines
from telemetry.cadence import MEGABYTE

register = template.Library()
FEW = 2


@register.filter
def line_name(line: Gateway) -> str:
    """What people call the line: its name, else its transmitter, port or host."""
    return lines.shown_id(line)


@register.filter
def place(line: Gateway) -> str:
    """The transmitter's id, the serial port, or host and port."""
    return lines.place_of(line)


@register.filter
def villages(names: Sequence[str]) -> SafeString:
    """The first two, and how many more; all of them on hover."""
    shown = "、".join(names[:FEW])
    if len(names) > FEW:
        shown = _("%(shown)s等 %(n)d 处") % {"shown": shown, "n": len(names)}
    return format_html('<span title="{}">{}</span>', "、".join(names), shown)


@register.filter
def since(moment: datetime | None) -> SafeString | str:
    """How long something has stood as it is: 57 分钟, 3 小时 5 分, 4 天; the moment on hover."""
    if moment is None:
        return ""
    local = moment.astimezone(clock.SHANGHAI)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        local.isoformat(timespec="seconds"),
        local.strftime("%Y-%m-%d %H:%M:%S"),
        _length(max(0, int((clock.now() - moment).total_seconds()))),
    )


def _length(seconds: int) -> str:
    if seconds < 60:
        return _("%(n)d 秒") % {"n": seconds}
    if seconds < 3600:
        return _("%(n)d 分钟") % {"n": seconds // 60}
    if seconds < 48 * 3600:
        hours, rest = divmod(seconds, 3600)
        return _("%(hours)d 小时 %(minutes)d 分") % {"hours": hours, "minutes": rest // 60}
    return _("%(n)d 天") % {"n": seconds // 86400}


@register.filter
def say(sentence: Sentence) -> str:
    """A sentence of the wire's, in the reader's language."""
    return _(sentence.template) % sentence.params if sentence.params else _(sentence.template)


@register.filter
def milliseconds(moment: datetime) -> str:
    """10:26:14.102, Shanghai."""
    return moment.astimezone(clock.SHANGHAI).strftime("%H:%M:%S.%f")[:-3]


@register.filter
def volume(count: int) -> str:
    """Bytes as carriers count them: 12.34 MB, 8.1 kB."""
    if count >= MEGABYTE / 10:
        return f"{figure(count / MEGABYTE, 2)} MB"
    return f"{figure(count / 1000, 1)} kB"


@register.filter
def minus(whole: int, part: int) -> int:
    return whole - part


@register.filter
def seconds_short(value: float) -> str:
    """An interval: 10 秒, 5 分钟."""
    if value >= 120 and value % 60 == 0:
        return _("%(n)d 分钟") % {"n": value / 60}
    return _("%(n)d 秒") % {"n": value}


@register.filter
def minutes(length: timedelta) -> str:
    """What is left of a trace: 8 分 32 秒."""
    whole, seconds = divmod(int(length.total_seconds()), 60)
    return _("%(minutes)d 分 %(seconds)02d 秒") % {"minutes": whole, "seconds": seconds}
