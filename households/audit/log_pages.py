"""The pages of whoever reads the log (审计): changes of all records, looked-up phones, seals."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, time, timedelta
from functools import wraps
from typing import Any

import django_filters as filters
from django import forms
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.http import require_safe

from households import clock, lists
from households.audit import seals, story
from households.filters import CHOICE, FIELD
from households.models import (
    Change,
    ChangeKind,
    HistorySeal,
    Household,
    PhoneReveal,
    RevealHow,
    User,
)
from households.requests import SignedIn
from households.searching import WordsFilter

View = Callable[..., HttpResponseBase]
EXPORTED_AT_MOST = 20_000  # rows of one file


def for_readers_of_the_log(view: View) -> View:
    @wraps(view)
    def guarded(request: SignedIn, *args: Any) -> HttpResponseBase:
        if not request.user.reads_log:
            raise PermissionDenied(_("审计记录只给审计管理员查看。"))
        return view(request, *args)

    return login_required(guarded)


def _tables() -> list[tuple[str, str]]:
    names = Change.objects.order_by("table").values_list("table", flat=True).distinct()
    return [(name, story.record_label(name)) for name in names]


class _InTime(filters.FilterSet):
    """By person and days, which both lists have."""

    who = WordsFilter(_lazy("姓名或账号"), method="by_whom", label=_lazy("经办人"))
    since = filters.DateFilter(
        method="from_day", label=_lazy("自"), widget=forms.DateInput({**FIELD, "type": "date"})
    )
    until = filters.DateFilter(
        method="to_day", label=_lazy("至"), widget=forms.DateInput({**FIELD, "type": "date"})
    )

    def by_whom(self, rows: QuerySet[Any], name: str, words: str) -> QuerySet[Any]:
        people = User.objects.filter(Q(name__icontains=words) | Q(username__icontains=words))
        return rows.filter(user_id__in=people.values("pk"))

    def from_day(self, rows: QuerySet[Any], name: str, day: Any) -> QuerySet[Any]:
        return rows.filter(at__gte=datetime.combine(day, time(), clock.SHANGHAI))

    def to_day(self, rows: QuerySet[Any], name: str, day: Any) -> QuerySet[Any]:
        after = datetime.combine(day + timedelta(days=1), time(), clock.SHANGHAI)
        return rows.filter(at__lt=after)


class ChangeFilter(_InTime):
    table = filters.ChoiceFilter(
        label=_lazy("记录"),
        empty_label=_lazy("记录：全部"),
        choices=_tables,
        widget=forms.Select({**CHOICE, "aria-label": _lazy("记录")}),
    )
    kind = filters.ChoiceFilter(
        label=_lazy("变更"),
        empty_label=_lazy("变更：全部"),
        choices=ChangeKind.choices,
        widget=forms.Select({**CHOICE, "aria-label": _lazy("变更")}),
    )
    number = filters.CharFilter(
        method="of_household",
        label=_lazy("户编号"),
        widget=forms.TextInput({**FIELD, "placeholder": _lazy("户编号")}),
    )
    outside = filters.BooleanFilter(
        field_name="user_id", lookup_expr="isnull", widget=forms.HiddenInput
    )

    def of_household(self, rows: QuerySet[Change], name: str, number: str) -> QuerySet[Change]:
        return rows.filter(household_id__in=Household.objects.filter(number=number).values("pk"))


class RevealFilter(_InTime):
    how = filters.ChoiceFilter(
        label=_lazy("方式"),
        empty_label=_lazy("方式：全部"),
        choices=RevealHow.choices,
        widget=forms.Select({**CHOICE, "aria-label": _lazy("方式")}),
    )
    number = filters.CharFilter(
        label=_lazy("户编号"), widget=forms.TextInput({**FIELD, "placeholder": _lazy("户编号")})
    )


@for_readers_of_the_log
@require_safe
def log(request: SignedIn) -> HttpResponseBase:
    """Changes of all records, the newest first."""
    narrowed = ChangeFilter(request.GET, Change.objects.order_by("-pk"), request=request)
    if request.GET.get("export") == "csv":
        return lists.csv_of(_("变更记录"), _change_head(), _change_rows(narrowed.qs))
    page = lists.page_of(narrowed.qs, request)
    context = {
        "filters": narrowed,
        "page": page,
        "events": story.told(list(page)),
        "seal": HistorySeal.objects.order_by("-number").first(),
    }
    return render(request, "households/log.html", context)


@for_readers_of_the_log
@require_safe
def reveal_log(request: SignedIn) -> HttpResponseBase:
    """Who was told whose phone number, the newest first."""
    everything = PhoneReveal.objects.select_related("user__area").order_by("-at", "-pk")
    narrowed = RevealFilter(request.GET, everything, request=request)
    if request.GET.get("export") == "csv":
        return lists.csv_of(_("电话查看记录"), _reveal_head(), _reveal_rows(narrowed.qs))
    page = lists.page_of(narrowed.qs, request)
    return render(request, "households/reveal_log.html", {"filters": narrowed, "page": page})


@for_readers_of_the_log
@require_safe
def seal_head(request: SignedIn) -> HttpResponse:
    """The head of the chain at the end of `?day=YYYY-MM-DD` (today by default), as a file."""
    today = clock.today()
    try:
        day = parse_date(request.GET.get("day", "")) or today
    except ValueError:  # 2026-13-40
        raise Http404 from None
    head = seals.head_of(min(day, today))
    if head is None:
        raise Http404
    response = HttpResponse(head.to_json() + "\n", content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="history-head-{day}.json"'
    return response


def _change_head() -> list[str]:
    return [_("时间"), _("经办人"), _("变更"), _("记录"), _("内容"), _("原因")]


def _change_rows(rows: QuerySet[Change]) -> Iterator[list[object]]:
    for start in range(0, EXPORTED_AT_MOST, 500):
        some = list(rows[start : start + 500])
        for event in story.told(some):
            for part in event.parts:
                when = event.at.astimezone(clock.SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")
                yield [when, event.who, part.kind, part.record, part.words, event.reason]
        if len(some) < 500:
            return


def _reveal_head() -> list[str]:
    return [_("时间"), _("查看人"), _("户编号"), _("方式"), _("原因"), _("网络地址")]


def _reveal_rows(rows: QuerySet[PhoneReveal]) -> Iterator[list[object]]:
    for one in rows[:EXPORTED_AT_MOST].iterator(chunk_size=500):
        when = one.at.astimezone(clock.SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")
        who = f"{one.user.office} {one.user}"
        yield [when, who, one.number, one.get_how_display(), one.reason, one.address]
