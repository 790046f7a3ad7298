"""The list of lines (通信链路): transmitters, serial ports, converters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import django_filters as filters
from django import forms
from django.contrib.auth.decorators import login_required
from django.db.models import FloatField, OuterRef, Q, QuerySet, Subquery
from django.db.models.fields.json import KT
from django.db.models.functions import Cast
from django.http import Http404
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.http import require_safe

from devices.models import Gateway, Installation
from households import lists
from households.filters import FIELD, AreaFilter, choice
from households.models import Area, User
from households.requests import SignedIn
from telemetry import lines
from telemetry.models import GatewayState, UnknownTransmitter
from telemetry.unit_list import written


def _figure(name: str) -> Subquery:
    """A figure of the line worker's, as a number to sort by."""
    states = GatewayState.objects.filter(gateway=OuterRef("pk"))
    number = Cast(KT(f"figures__{name}"), FloatField())
    return Subquery(states.annotate(number=number).values("number"))


SORTS: dict[str, lists.Column] = {
    "line": "url",
    "since": "state__since",
    "units": "units_total",
    "round_trip": _figure("round_trip_ms"),
    "timeouts": _figure("timeouts"),
    "wrong": _figure("wrong_frames"),
    "bytes": "month_bytes",
}


class StandingArea(AreaFilter):
    """Lines with a unit that stands there now."""

    def filter(self, rows: Any, area: Area | None) -> Any:
        if area is None:
            return rows
        here = Installation.objects.filter(
            removed_on=None, household__area__in=Area.objects.under(area)
        )
        return rows.filter(pk__in=here.values("unit__gateway"))


class LineFilter(filters.FilterSet):
    q = filters.CharFilter(
        method="search",
        label=_lazy("查找"),
        widget=forms.TextInput(
            {**FIELD, "type": "search", "placeholder": _lazy("装置编号、串口、地址、名称")}
        ),
    )
    area = StandingArea("units")
    kind = choice(_lazy("接入方式"), _lazy("接入方式：全部"), Gateway.Kind.choices)
    worker = filters.CharFilter(field_name="line_worker", label=_lazy("采集进程"))
    state = filters.ChoiceFilter(
        choices=[(name, label) for name, (_shape, label) in lines.STANDINGS.items()],
        method="stands",
        widget=forms.HiddenInput,
    )

    class Meta:
        model = Gateway
        fields: list[str] = []

    def search(self, rows: QuerySet[Any], name: str, words: str) -> QuerySet[Any]:
        for word in words.split():
            rows = rows.filter(Q(url__icontains=word) | Q(name__icontains=word))
        return rows

    def stands(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return lines.in_standing(rows, value)


@dataclass(frozen=True)
class Row:
    """One line of the list."""

    line: Any
    standing: lines.Standing
    exchanges: lines.Exchanges
    budget: lines.Budget
    problems: list[lines.Problem]

    @classmethod
    def of(cls, line: Gateway, user: User) -> Row:
        return cls(
            line,
            lines.standing_of(line),
            lines.exchanges_of(line),
            lines.budget_of(line),
            lines.problems_of(line, user),
        )


@login_required
@require_safe
def line_list(request: SignedIn) -> HttpResponseBase:
    """Lines by page; `?export=csv` hands out all that are filtered."""
    seen = lines.lines_of(request.user)
    if not request.user.tends_lines and not seen.exists():
        raise Http404
    found = LineFilter(request.GET, seen, request=request)
    rows, sort = lists.in_order(found.qs, request.GET.get("sort", ""), SORTS, "line")
    if request.GET.get("export") == "csv":
        return lists.csv_of(_("通信链路"), _head(), _csv_rows(rows, request.user))
    page = lists.page_of(rows, request)
    context = {
        "filters": found,
        "page": page,
        "rows": [Row.of(line, request.user) for line in page],
        "sort": sort,
        "chips": _chips(request, found),
        "workers": _workers(request.user),
        "strangers": _strangers(request.user),
    }
    return render(request, "telemetry/lines.html", context)


def _workers(user: User) -> list[str]:
    names = Gateway.objects.visible_to(user).order_by("line_worker")
    return list(names.values_list("line_worker", flat=True).distinct())


def _strangers(user: User) -> int:
    """How many transmitters that nobody knows are held open now."""
    return UnknownTransmitter.objects.held().count() if user.tends_lines else 0


def _chips(request: SignedIn, found: LineFilter) -> list[lists.Chip]:
    """All other conditions kept, how many lines stand where."""
    others = {key: value for key, value in request.GET.items() if key != "state"}
    rows = LineFilter(others, found.queryset, request=request).qs
    chosen = request.GET.get("state", "")
    each = [
        lists.Chip(name, str(label), shape, lines.in_standing(rows, name).count(), name == chosen)
        for name, (shape, label) in lines.STANDINGS.items()
    ]
    shown = [chip for chip in each if chip.count or chip.is_on or chip.value in ("well", "away")]
    return [lists.Chip("", _("全部"), "", rows.count(), not chosen), *shown]


def _head() -> list[str]:
    return [
        _("通信链路"),
        _("接入方式"),
        _("村（社区）"),
        _("采集进程"),
        _("状态"),
        _("自"),
        _("原因"),
        _("机组"),
        _("在线"),
        _("应答时间 ms"),
        _("请求"),
        _("超时"),
        _("错帧"),
        _("本月流量（MB）"),
        _("每月流量（MB）"),
        _("问题"),
    ]


def _csv_rows(rows: QuerySet[Gateway], user: User) -> Iterator[list[object]]:
    for line in rows.iterator(chunk_size=500):
        row = Row.of(line, user)
        yield [
            lines.shown_id(line),
            line.get_kind_display(),
            _joined(row.line.villages or ()),
            line.line_worker,
            row.standing.label,
            written(row.standing.since),
            row.standing.why,
            row.line.units_total,
            row.line.units_online,
            row.exchanges.round_trip_ms,
            row.exchanges.requests,
            row.exchanges.timeouts,
            row.exchanges.wrong_frames,
            round(row.budget.megabytes, 3),
            line.monthly_budget_mb,
            _joined(problem.words for problem in row.problems),
        ]


def _joined(words: Iterable[str]) -> str:
    return "；".join(words)
