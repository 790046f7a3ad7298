"""One sheet for a building: tick its households, say once what is alike, save."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from devices import heat_network
from devices.heat_network import Said
from devices.models import HeatConnection
from devices.reach import NETWORK
from devices.work_list import as_read
from households.filters import CHOICE, FIELD, AreaChoice, areas_of
from households.models import Area, Household, State
from households.models.households import HouseholdQuerySet
from households.path import standing
from households.requests import SignedIn

AT_ONCE = 200
MOST_WHYS = 3  # of why papers are incomplete, in one sentence
BUILDING = re.compile(r"^.*?(?:号楼|楼|栋|幢|座)")
STREET = re.compile(r"^\D+")
DAY = {**FIELD, "type": "date"}


class SheetForm(forms.Form):
    """Which households the sheet shows: `area` and the beginning of their door numbers."""

    area = AreaChoice(
        queryset=Area.objects.none(),
        label=_lazy("村（社区）"),
        empty_label=_lazy("选择村（社区）"),
        widget=forms.Select({**CHOICE, "aria-label": _lazy("村（社区）")}),
    )
    building = forms.CharField(required=False, strip=True)

    def __init__(self, request: SignedIn) -> None:
        super().__init__(request.GET or None)
        self.fields["area"].queryset = areas_of(request)  # type: ignore[attr-defined]


class CommonForm(forms.Form):
    """What is alike for all that are ticked; what is left empty stays as it was."""

    station = forms.CharField(
        label=_lazy("换热站"), max_length=40, required=False, widget=forms.TextInput(FIELD)
    )
    riser = forms.CharField(
        label=_lazy("立管"), max_length=40, required=False, widget=forms.TextInput(FIELD)
    )
    agreement_number = forms.CharField(
        label=_lazy("入网（供用热）协议编号"),
        max_length=40,
        required=False,
        help_text=_lazy("全楼一份协议时填这里；一户一份时填在各户一行"),
        widget=forms.TextInput(FIELD),
    )
    agreement_on = forms.DateField(
        label=_lazy("协议日期"), required=False, widget=forms.DateInput(DAY, "%Y-%m-%d")
    )
    connected_on = forms.DateField(
        label=_lazy("接入日期"),
        required=False,
        help_text=_lazy("户内管道接通、试压合格的日期，作为“安装”"),
        widget=forms.DateInput(DAY, "%Y-%m-%d"),
    )
    heated_on = forms.DateField(
        label=_lazy("通热日期"),
        required=False,
        help_text=_lazy("供热企业确认散热器已热的日期，作为“调试合格”"),
        widget=forms.DateInput(DAY, "%Y-%m-%d"),
    )


@dataclass(frozen=True)
class Line:
    """One household of the sheet with what was typed for it, and what is wrong with that."""

    household: Household
    ticked: bool
    riser: str
    agreement_number: str
    wrong: str

    @property
    def state(self) -> str:
        return str(State(self.household.state).label)

    @property
    def connection(self) -> HeatConnection | None:
        return getattr(self.household, "heat_connection", None)


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def heat_connections(request: SignedIn) -> HttpResponse:
    """The sheet of a building; saving stores all ticked households or none."""
    if not request.user.may_connect:
        raise PermissionDenied
    sheet = SheetForm(request)
    area = sheet.cleaned_data["area"] if sheet.is_valid() else None
    building = sheet.cleaned_data.get("building", "") if area else ""
    everything = _households(request, area)
    homes = _in_order(everything.filter(door__startswith=building)[:AT_ONCE]) if area else []
    form, wrong = CommonForm(request.POST or None), {}
    if request.method == "POST":
        wrong = _save(request, form)
        if not wrong and form.is_valid():
            return redirect(request.get_full_path())
    context = {
        "sheet": sheet,
        "form": form,
        "area": area,
        "building": building,
        "buildings": _buildings(everything) if area else [],
        "lines": [_line(home, request, wrong) for home in homes],
        "more": len(homes) == AT_ONCE,
        "wrong": wrong,
    }
    return render(request, "devices/connections.html", context, status=422 if wrong else 200)


def _households(request: SignedIn, area: Area | None) -> HouseholdQuerySet:
    rows = Household.objects.visible_to(request.user).filter(method__in=NETWORK, withdrawn_on=None)
    rows = rows.filter(area__in=Area.objects.under(area)) if area else rows.none()
    return rows.select_related("area", "heat_connection").order_by("door", "number")


def _in_order(rows: Iterable[Household]) -> list[Household]:
    return sorted(rows, key=lambda home: (as_read(home.door), home.number))


def _buildings(rows: models.QuerySet[Household]) -> list[tuple[str, int]]:
    """Beginnings of door numbers with how many households have them: 3号楼, or else the street."""
    found: dict[str, int] = {}
    for door in rows.order_by("door").values_list("door", flat=True):
        match = BUILDING.match(door) or STREET.match(door)
        if match:
            found[match[0].strip()] = found.get(match[0].strip(), 0) + 1
    return list(found.items())


def _line(home: Household, request: SignedIn, wrong: dict[str, list[str]]) -> Line:
    kept = getattr(home, "heat_connection", None)
    typed = request.POST
    return Line(
        home,
        home.number in typed.getlist("household"),
        typed.get(f"riser-{home.number}", kept.riser if kept else ""),
        typed.get(f"agreement-{home.number}", kept.agreement_number if kept else ""),
        "；".join(wrong.get(home.number, [])),
    )


def _save(request: SignedIn, form: CommonForm) -> dict[str, list[str]]:
    """Mistakes by 户编号, "" for the whole sheet; stores where there are none."""
    numbers = request.POST.getlist("household")
    homes = list(
        Household.objects.visible_to(request.user).filter(number__in=numbers, method__in=NETWORK)
    )
    if len(homes) != len(set(numbers)):
        raise Http404
    if not homes:
        return {"": [_("请先勾选改造户")]}
    if not form.is_valid():
        return {"": [_("请改正标出的栏目")]}
    try:
        rows = heat_network.connect([_said(home, request, form) for home in homes], request.user)
    except heat_network.ConnectionRefused as refusal:
        return refusal.messages
    _tell(request, rows)
    return {}


def _said(home: Household, request: SignedIn, form: CommonForm) -> Said:
    common: dict[str, Any] = form.cleaned_data
    riser = request.POST.get(f"riser-{home.number}", "").strip()[:40]
    agreement = request.POST.get(f"agreement-{home.number}", "").strip()[:40]
    return Said(
        home,
        station=common["station"],
        riser=riser or common["riser"],
        agreement_number=agreement or common["agreement_number"],
        agreement_on=common["agreement_on"],
        connected_on=common["connected_on"],
        heated_on=common["heated_on"],
    )


def _tell(request: SignedIn, rows: list[HeatConnection]) -> None:
    n = len(rows)
    pks = [row.household_id for row in rows]
    lacking = list(
        Household.objects.filter(pk__in=pks).papers_incomplete().prefetch_related("steps")
    )
    said = ngettext("已登记 %(n)d 户入网记录", "已登记 %(n)d 户入网记录", n) % {"n": n}
    if lacking:
        more = ngettext("其中 %(n)d 户手续不全", "其中 %(n)d 户手续不全", len(lacking))
        said += _("，") + more % {"n": len(lacking)} + _("：") + _("；").join(_whys(lacking))
    messages.success(request, said)


def _whys(homes: list[Household]) -> list[str]:
    """What their steps lack, each reason once with how many households it holds back."""
    found: Counter[str] = Counter()
    for home in homes:
        found.update(dict.fromkeys((lack for step in standing(home) for lack in step.lacks), 1))
    return [
        ngettext("%(why)s（%(n)d 户）", "%(why)s（%(n)d 户）", n) % {"why": why, "n": n}
        for why, n in found.most_common(MOST_WHYS)
    ]
