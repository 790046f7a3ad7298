"""How offices write times, figures and states (look.md, 2 to 4)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django import template
from django.conf import settings
from django.core.paginator import Page
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import ngettext

from households import clock
from households.models import Household
from households.path import standing

register = template.Library()
HOUR = 3600
MINI = {"done": "d", "now": "n", "lack": "x", "open": ""}
SIGN_WORDS = {
    "done": _lazy("已完成"),
    "now": _lazy("办理中"),
    "lack": _lazy("手续不全"),
    "open": _lazy("未开始"),
}


@register.filter
def age(moment: datetime | None) -> SafeString | str:
    """How long ago, all of it on hover: 24 秒前, 38 分钟前, 昨天 16:05, 10-20 08:00."""
    if moment is None:
        return "—"
    local = moment.astimezone(clock.SHANGHAI)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        local.isoformat(timespec="seconds"),
        local.strftime("%Y-%m-%d %H:%M:%S"),
        _age(local),
    )


def _age(local: datetime) -> str:
    seconds = int((clock.now() - local).total_seconds())
    days = (clock.today() - local.date()).days
    if seconds < 1:
        return _("刚刚")
    if seconds < 60:
        return ngettext("%(n)d 秒前", "%(n)d 秒前", seconds) % {"n": seconds}
    if seconds < HOUR:
        return ngettext("%(n)d 分钟前", "%(n)d 分钟前", seconds // 60) % {"n": seconds // 60}
    if days == 0 or seconds < 6 * HOUR:
        return ngettext("%(n)d 小时前", "%(n)d 小时前", seconds // HOUR) % {"n": seconds // HOUR}
    if days == 1:
        return _("昨天 %(time)s") % {"time": local.strftime("%H:%M")}
    return day_time(local)


@register.filter
def day_time(moment: datetime | None) -> str:
    """Month, day, hour and minute; with the year where it is not this year's."""
    return _written(moment, "%H:%M")


@register.filter
def day_time_seconds(moment: datetime | None) -> str:
    """As `day_time`, to the second: for readings and commands."""
    return _written(moment, "%H:%M:%S")


def _written(moment: datetime | None, clock_form: str) -> str:
    if moment is None:
        return "—"
    local = moment.astimezone(clock.SHANGHAI)
    return f"{day(local.date())} {local.strftime(clock_form)}"


@register.filter
def full_time(moment: datetime | None) -> str:
    """2026-11-23 09:41:36, Shanghai."""
    return moment.astimezone(clock.SHANGHAI).strftime("%Y-%m-%d %H:%M:%S") if moment else "—"


@register.filter
def day(value: date | None) -> str:
    """09-18 in this year, else 2025-09-18; "—" for no date."""
    if value is None:
        return "—"
    return value.strftime("%m-%d" if value.year == clock.today().year else "%Y-%m-%d")


@register.filter
def short_town(name: str) -> str:
    """钟家庄 for 钟家庄街道, where room is short; 南村镇 stays, or it would be a village's name."""
    return name.removesuffix("街道")


@register.simple_tag
def as_of() -> SafeString:
    """The moment for which a page's figures hold: 2026-09-28 09:30."""
    local = clock.now().astimezone(clock.SHANGHAI)
    stamp = local.isoformat(timespec="seconds")
    text = local.strftime("%Y-%m-%d %H:%M")
    return format_html('<time datetime="{}">{}</time>', stamp, text)


@register.filter
def span(seconds: float | timedelta | None) -> str:
    """A length of time: 8 小时 11 分, 57 分钟, 3.4 秒."""
    if seconds is None:
        return "—"
    if isinstance(seconds, timedelta):
        seconds = seconds.total_seconds()
    if seconds < 60:
        return _("%(n)s 秒") % {"n": f"{seconds:.1f}".removesuffix(".0")}
    hours, minutes = divmod(round(seconds / 60), 60)
    if not hours:
        return _("%(n)d 分钟") % {"n": minutes}
    return _("%(hours)d 小时 %(minutes)d 分") % {"hours": hours, "minutes": minutes}


@register.filter
def figure(value: float | Decimal | None, digits: int = 0) -> str:
    """A number with comma from 1,000 on and a typographic minus; "—" for none."""
    return "—" if value is None else f"{value:,.{digits}f}".replace("-", "−")


@register.simple_tag
def percent(part: float, whole: float) -> str:
    """Percent with one decimal, half up; empty where there is nothing to compare with."""
    if not whole:
        return ""
    share = Decimal(100) * Decimal(part) / Decimal(whole)
    return f"{share.quantize(Decimal('0.1'), ROUND_HALF_UP)}%"


@register.simple_tag
def bar(whole: float, done: float, inner: float = 0, due: float | None = None) -> SafeString:
    """A progress bar of `done` in `whole`, `inner` darker within it and a tick where `due` is.

    Drawn with SVG attributes, because the content policy lets no style stand in a page.
    """
    if not whole:
        return SafeString('<svg class="pbar" aria-hidden="true"></svg>')
    parts = [("done", done), ("inner", inner)]
    rects = format_html_join(
        "",
        '<rect class="{}" y="3" height="10" width="{}%"/>',
        ((name, _share(value, whole)) for name, value in parts if value),
    )
    tick = ""
    if due is not None:
        form = '<line class="tick" x1="{0}%" x2="{0}%" y1="0" y2="16"/>'
        tick = format_html(form, _share(due, whole))
    return format_html(
        '<svg class="pbar" aria-hidden="true"><rect class="track" y="3" width="100%"'
        ' height="10" rx="2"/>{}{}</svg>',
        rects,
        tick,
    )


def _share(part: float, whole: float) -> str:
    return f"{min(max(100 * part / whole, 0), 100):.2f}"


@register.simple_tag(takes_context=True)
def sort_head(context: template.Context, name: str, label: str) -> SafeString:
    """A table head that sorts by `name`, and by it downwards when pressed again."""
    request: HttpRequest = context["request"]
    now = context["sort"]
    query = request.GET.copy()
    for other in ("page", "part"):  # a part of a page that came by itself leads to the whole
        query.pop(other, None)
    query["sort"] = f"-{name}" if now == name else name
    arrow = {name: " ↑", f"-{name}": " ↓"}.get(now, "")
    return format_html('<a class="rows" href="?{}">{}{}</a>', query.urlencode(), label, arrow)


@register.filter
def minip(household: Household) -> SafeString:
    """The path in eight small signs; the words are read out."""
    standings = standing(household)
    words = _("，").join(f"{one.kind.label} {SIGN_WORDS[one.sign]}" for one in standings)
    signs = format_html_join("", '<i class="{}"></i>', ((MINI[one.sign],) for one in standings))
    return format_html('<span class="minip" role="img" aria-label="{}">{}</span>', words, signs)


@register.filter
def sign_shape(sign: str) -> str:
    """Shape class of a step's sign on the path."""
    return {"done": "st-ok", "now": "st-run", "lack": "st-warn"}.get(sign, "st-wait")


@register.simple_tag
def languages() -> list[tuple[str, str]]:
    return list(settings.LANGUAGES)


@register.inclusion_tag("parts/pages.html", takes_context=True)
def pages(context: template.Context, page: Page[Any]) -> dict[str, object]:
    """Links to the pages of a list, the far ones left out."""
    numbers = page.paginator.get_elided_page_range(page.number, on_each_side=2, on_ends=1)
    return {"request": context["request"], "page": page, "numbers": list(numbers)}
