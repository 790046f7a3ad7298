"""Transmitters that dialled in and are on no record (未登记的装置), and taking one on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import django_filters as filters
from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from devices import transmitters
from devices.modbus.registration import key
from devices.models import Gateway
from households import lists
from households.filters import FIELD
from households.requests import SignedIn
from telemetry.line_forms import CardForm
from telemetry.models import UnknownTransmitter
from telemetry.unit_list import written

SORTS: dict[str, lists.Column] = {
    "name": "name",
    "since": "since",
    "seen": "seen_at",
    "bytes": "bytes_in",
    "peer": "peer",
}
HELD = [("held", _lazy("现在连着")), ("gone", _lazy("已断开"))]


class UnknownFilter(filters.FilterSet):
    q = filters.CharFilter(
        method="search",
        label=_lazy("查找"),
        widget=forms.TextInput(
            {**FIELD, "type": "search", "placeholder": _lazy("装置编号、来源地址")}
        ),
    )
    state = filters.ChoiceFilter(choices=HELD, method="stands", widget=forms.HiddenInput)

    class Meta:
        model = UnknownTransmitter
        fields: list[str] = []

    def search(self, rows: QuerySet[Any], name: str, words: str) -> QuerySet[Any]:
        for word in words.split():
            rows = rows.filter(Q(name__icontains=word) | Q(names__icontains=word) | Q(peer=word))
        return rows

    def stands(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        held = UnknownTransmitter.objects.held().values("pk")
        return rows.filter(pk__in=held) if value == "held" else rows.exclude(pk__in=held)


class TakeOnForm(CardForm):
    """What a transmitter needs to become a line."""

    identity = forms.ChoiceField(label=_lazy("无线传输设备地址编号"), widget=forms.RadioSelect)
    name = forms.CharField(
        label=_lazy("名称"),
        max_length=60,
        required=False,
        help_text=_lazy("写在编号前给人看的名字，如所在村组；可以不填"),
        widget=forms.TextInput(FIELD),
    )
    monthly_budget_mb = forms.IntegerField(
        label=_lazy("每月流量（MB）"),
        required=False,
        min_value=1,
        max_value=1_000_000,
        widget=forms.NumberInput(FIELD),
    )

    def __init__(self, row: UnknownTransmitter, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        choices = [(name, name) for name in row.names]
        self.fields["identity"].choices = choices  # type: ignore[attr-defined]
        self.fields["identity"].initial = row.name

    def clean_identity(self) -> str:
        """An id is one line's: it is compared as registrations are."""
        identity = self.cleaned_data["identity"]
        for line in Gateway.objects.filter(kind=Gateway.Kind.DIAL):
            if key(line.transmitter) == key(identity):
                raise forms.ValidationError(
                    _("编号 %(id)s 已登记为通信链路，由采集进程 %(worker)s 负责"),
                    params={"id": identity, "worker": line.line_worker},
                )
        return str(identity)


def _tends(request: SignedIn) -> None:
    if not request.user.tends_lines:
        raise PermissionDenied


@login_required
@never_cache
@require_safe
def unknown_transmitters(request: SignedIn) -> HttpResponseBase:
    """Who is held open and silent now, and who was lately."""
    _tends(request)
    found = UnknownFilter(request.GET, UnknownTransmitter.objects.all(), request=request)
    rows, sort = lists.in_order(found.qs, request.GET.get("sort", ""), SORTS, "-seen")
    if request.GET.get("export") == "csv":
        return lists.csv_of(_("未登记的装置"), _head(), _csv_rows(rows))
    page = lists.page_of(rows, request)
    context = {"filters": found, "page": page, "sort": sort, "chips": _chips(request, found)}
    return render(request, "telemetry/unknown.html", context)


def _chips(request: SignedIn, found: UnknownFilter) -> list[lists.Chip]:
    others = {key: value for key, value in request.GET.items() if key != "state"}
    rows = UnknownFilter(others, found.queryset, request=request).qs
    chosen, held = request.GET.get("state", ""), UnknownTransmitter.objects.held().values("pk")
    count = {"held": rows.filter(pk__in=held).count(), "gone": rows.exclude(pk__in=held).count()}
    shapes = {"held": "st-wait", "gone": "st-off"}
    return [
        lists.Chip("", _("全部"), "", sum(count.values()), not chosen),
        *(lists.Chip(n, str(label), shapes[n], count[n], n == chosen) for n, label in HELD),
    ]


def _head() -> list[str]:
    return [
        _("无线传输设备地址编号"),
        _("别的编号"),
        _("状态"),
        _("来自"),
        _("监听口"),
        _("采集进程"),
        _("连接时间"),
        _("最近"),
        _("收到字节"),
    ]


def _csv_rows(rows: QuerySet[UnknownTransmitter]) -> Iterator[list[object]]:
    for row in rows.iterator(chunk_size=500):
        state = HELD[0] if row.is_held else HELD[1]
        moments = (written(row.since), written(row.seen_at))
        others = "；".join(row.names[1:])
        place = (row.peer, row.listener, row.line_worker)
        yield [row.name, others, str(state[1]), *place, *moments, row.bytes_in]


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def take_on(request: SignedIn, pk: int) -> HttpResponse:
    """The form that makes a line of a transmitter; then its page."""
    _tends(request)
    row = get_object_or_404(UnknownTransmitter, pk=pk)
    form = TakeOnForm(row, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            line = _take_on(request, row, form.cleaned_data)
        except transmitters.NotChanged as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("已登记为通信链路，装置几秒内接上；身份确认前只读"))
            return redirect("line", line.pk)
    status = 422 if form.errors else 200
    return render(request, "telemetry/take_on.html", {"row": row, "form": form}, status=status)


@transaction.atomic
def _take_on(request: SignedIn, row: UnknownTransmitter, said: dict[str, Any]) -> Gateway:
    """Raises transmitters.NotChanged; nothing is stored then."""
    line = Gateway.objects.create(
        url=f"dial://{quote(said['identity'], safe='')}",
        kind=Gateway.Kind.DIAL,
        name=said["name"],
        line_worker=row.line_worker,
        monthly_budget_mb=said["monthly_budget_mb"],
    )
    card = {name: said[name] for name in ("imei", "iccid", "number")}
    transmitters.change(line, by=request.user, why=_("首次登记"), **card)
    row.delete()
    return line
