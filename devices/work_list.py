"""安装与调试: which households wait for whom, and giving them to suppliers and installers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

import django_filters as filters
from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import (
    Case,
    CharField,
    Count,
    Exists,
    FilteredRelation,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Value,
    When,
)
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from devices import assigning
from devices.models import Assignment, DeviceModel, HeatConnection, Installation, Supplier
from devices.reach import NETWORK
from households import lists
from households.filters import HouseholdFilter, choice
from households.models import Household, State, User
from households.models.households import HouseholdQuerySet
from households.path import standing
from households.requests import SignedIn

T = TypeVar("T", User, Supplier)
STAGES = {
    "lack": (_lazy("手续不全"), "st-warn"),
    "assign": (_lazy("待分派"), "st-wait"),
    "install": (_lazy("待安装"), "st-run"),
    "commission": (_lazy("待调试"), "st-run"),
    "done": (_lazy("已完工"), "st-ok"),
}


def _given() -> QuerySet[Assignment]:
    """The assignment of the household in the query around it, if it has one."""
    return Assignment.objects.filter(household=OuterRef("pk"), withdrawn_at=None)


WAITING = (State.TO_SIGN, State.TO_INSTALL)
DONE = (State.TO_ACCEPT, State.ACCEPTED, State.PROVEN, State.STOVE_REMOVED)
UNDER_WAY = (State.PAPERS_INCOMPLETE, *WAITING, State.TO_COMMISSION, *DONE)
AT_STAGE = {
    "lack": Q(state=State.PAPERS_INCOMPLETE),
    "assign": Q(~Exists(_given()), state__in=WAITING) & ~Q(method__in=NETWORK),
    "install": Q(state__in=WAITING) & (Q(method__in=NETWORK) | Exists(_given())),
    "commission": Q(state=State.TO_COMMISSION),
    "done": Q(state__in=DONE),
}
STAGE_OF = {
    State.PAPERS_INCOMPLETE: "lack",
    State.TO_COMMISSION: "commission",
    **dict.fromkeys(DONE, "done"),
}
STAGE = Case(
    *(When(condition, then=Value(stage)) for stage, condition in AT_STAGE.items()),
    output_field=CharField(),
)


SORTS: dict[str, lists.Column] = {
    "number": "number",
    "area": "area__order",
    "householder": "householder_sound",
    "door": "door",
    "method": "method",
    "supplier": "given__supplier__name",
    "installer": "given__installer__name",
    "installed_on": "installed_on",
    "stage": STAGE,
}
KINDS = [("unit", _lazy("户内机组")), ("network", _lazy("集中供热、工业余热"))]


class WorkFilter(HouseholdFilter):
    """The ledger's conditions, and whose work it is."""

    kind = choice(_lazy("安装内容"), _lazy("安装内容：全部"), KINDS, method="of_kind")
    stage = filters.ChoiceFilter(
        choices=[(name, label) for name, (label, _shape) in STAGES.items()],
        method="at_stage",
        widget=forms.HiddenInput,
    )
    supplier = filters.NumberFilter(method="of_supplier", widget=forms.HiddenInput)
    installer = filters.NumberFilter(method="of_installer", widget=forms.HiddenInput)

    def of_any_stage(self) -> HouseholdQuerySet:
        """What all other conditions leave: the chips count these."""
        self.form.is_valid()
        rows: HouseholdQuerySet = self.queryset.all()
        for name, value in self.form.cleaned_data.items():
            if name != "stage":
                rows = self.filters[name].filter(rows, value)
        return rows

    def of_kind(self, rows: HouseholdQuerySet, name: str, kind: str) -> HouseholdQuerySet:
        return (
            rows.filter(method__in=NETWORK)
            if kind == "network"
            else rows.exclude(method__in=NETWORK)
        )

    def at_stage(self, rows: HouseholdQuerySet, name: str, stage: str) -> HouseholdQuerySet:
        return rows.filter(AT_STAGE[stage])

    def of_supplier(self, rows: HouseholdQuerySet, name: str, pk: int) -> HouseholdQuerySet:
        return rows.filter(Exists(_given().filter(supplier=pk)))

    def of_installer(self, rows: HouseholdQuerySet, name: str, pk: int) -> HouseholdQuerySet:
        return rows.filter(Exists(_given().filter(installer=pk)))


@dataclass(frozen=True)
class Line:
    """One household of the list with its work."""

    household: Household
    stage: str
    lacks: str

    @classmethod
    def of(cls, household: Household) -> Line:
        lacks = [lack for one in standing(household) for lack in one.lacks]
        return cls(household, household.stage, _("；").join(lacks))  # type: ignore[attr-defined]

    @property
    def label(self) -> str:
        return str(STAGES[self.stage][0])

    @property
    def shape(self) -> str:
        return STAGES[self.stage][1]

    @property
    def assignment(self) -> Assignment | None:
        return next(iter(self.household.assignments.all()), None)

    @property
    def installation(self) -> Installation | None:
        return next(iter(self.household.installations.all()), None)

    @property
    def connection(self) -> HeatConnection | None:
        return getattr(self.household, "heat_connection", None)


def work_of(user: User) -> HouseholdQuerySet:
    """Households that the user sees and that are to be equipped: on the list, or recorded ahead of
    it."""
    return Household.objects.visible_to(user).filter(state__in=UNDER_WAY)


def as_read(door: str) -> list[tuple[str, int]]:
    """9 号 before 10 号."""
    parts = re.split(r"(\d+)", door)
    return [(words, int(n or 0)) for words, n in zip(parts[::2], [*parts[1::2], ""], strict=True)]


def _whole(rows: QuerySet[Household]) -> QuerySet[Household]:
    standing_ones = Installation.objects.standing().select_related("unit__model__supplier")
    given = Assignment.objects.filter(withdrawn_at=None).select_related("supplier", "installer")
    return (
        rows.annotate(stage=STAGE)
        .select_related("area__owner", "heat_connection")
        .prefetch_related(
            "steps", Prefetch("installations", standing_ones), Prefetch("assignments", given)
        )
    )


@login_required
@require_safe
def installations(request: SignedIn) -> HttpResponseBase:
    """Households by the stage of their work, by page; `?export=csv` hands out all filtered."""
    found = WorkFilter(request.GET, work_of(request.user), request=request)
    # Joined only where the order asks for it; a subquery for each of 65,535 rows is slow.
    given = FilteredRelation("assignments", condition=Q(assignments__withdrawn_at=None))
    rows = found.qs.alias(given=given)
    rows, sort = lists.in_order(rows, request.GET.get("sort", ""), SORTS, "number")
    if request.GET.get("export") == "csv":
        return lists.csv_of(_("安装与调试"), _head(), _csv_rows(_whole(rows)))
    chips = _chips(request, found)
    page = lists.page_of(
        _whole(rows), request, next((chip.count for chip in chips if chip.is_on), None)
    )
    context = {
        "filters": found,
        "page": page,
        "lines": [Line.of(household) for household in page],
        "sort": sort,
        "chips": chips,
        "suppliers": _suppliers(request.user),
        "people": assigning.people_of(request.user) if assigning.may_give(request.user) else [],
        "narrowed": _narrowed(request),
    }
    return render(request, "devices/installations.html", context)


def _chips(request: SignedIn, found: WorkFilter) -> list[lists.Chip]:
    counts = _counts(found.of_any_stage().order_by())
    chosen = request.GET.get("stage", "")
    chips = [lists.Chip("", _("全部"), "", sum(counts.values()), not chosen)]
    for stage, (label, shape) in STAGES.items():
        if counts.get(stage) or stage == chosen:
            chips.append(
                lists.Chip(stage, str(label), shape, counts.get(stage, 0), stage == chosen)
            )
    return chips


def _counts(rows: HouseholdQuerySet) -> Counter[str]:
    """How many are at each stage. An index tells the states; only of those that wait for a unit is
    asked whether somebody has the work."""
    counts: Counter[str] = Counter()
    for method, state, n in rows.values_list("method", "state").annotate(n=Count("*")):
        waits = method in NETWORK and state in WAITING
        counts["install" if waits else STAGE_OF.get(state, "assign")] += n
    if counts["assign"]:
        given = rows.filter(Exists(_given()), state__in=WAITING).exclude(method__in=NETWORK)
        n = given.count()
        counts["assign"] -= n
        counts["install"] += n
    return counts


def _suppliers(user: User) -> list[Supplier]:
    """To whom the user may assign: makers with a model that may be installed."""
    if not assigning.may_assign(user):
        return []
    rows = Supplier.objects.filter(device_models__in=DeviceModel.objects.admitted())
    return list(rows.distinct().order_by("name"))


def _narrowed(request: SignedIn) -> bool:
    return any(key not in ("sort", "page") for key in request.GET)


def _head() -> list[str]:
    return [
        _("户编号"),
        _("改造主体"),
        _("村（社区）"),
        _("户主"),
        _("门牌号"),
        _("联系电话"),
        _("改造方式"),
        _("供应商"),
        _("安装人员"),
        _("设备型号"),
        _("设备出厂地址编号"),
        _("无线传输设备地址编号"),
        _("换热站"),
        _("安装日期"),
        _("状态"),
        _("缺什么、说明"),
    ]


def _csv_rows(rows: QuerySet[Household]) -> Iterator[list[object]]:
    for household in rows.iterator(chunk_size=500):
        line, town = Line.of(household), household.area.town
        given, record, connection = line.assignment, line.installation, line.connection
        yield [
            household.number,
            town.name if town else "",
            household.area.as_village,
            household.householder,
            household.door,
            household.masked_phone,
            household.get_method_display(),
            given.supplier.name if given else "",
            str(given.installer) if given and given.installer else "",
            record.unit.model.code if record else "",
            record.factory_number if record else "",
            record.transmitter_number if record else "",
            connection.station if connection else "",
            household.installed_on,
            line.label,
            line.lacks,
        ]


# -- giving work ---------------------------------------------------------------------------


@login_required
@require_POST
def assign(request: SignedIn) -> HttpResponse:
    """Give the ticked households to a supplier, or take them back (`withdraw`)."""
    if not assigning.may_assign(request.user):
        raise PermissionDenied
    homes = _ticked(request)
    if "withdraw" in request.POST:
        n = assigning.withdraw(homes)
        messages.success(request, ngettext("已收回 %(n)d 户", "已收回 %(n)d 户", n) % {"n": n})
        return _back(request)
    supplier = _chosen(request.POST.get("supplier"), _suppliers(request.user))
    if not homes or supplier is None:
        messages.error(request, _("请先勾选改造户，再选供应商"))
        return _back(request)
    try:
        n = assigning.assign(homes, supplier, request.user)
    except assigning.NotAssigned as refusal:
        messages.error(request, str(refusal))
        return _back(request)
    told = {"n": n, "supplier": supplier}
    said = ngettext("已分派 %(n)d 户给%(supplier)s", "已分派 %(n)d 户给%(supplier)s", n)
    messages.success(request, said % told)
    return _back(request)


@login_required
@require_POST
def give(request: SignedIn) -> HttpResponse:
    """Give the ticked households of the own company to one of its people, or to nobody yet."""
    if not assigning.may_give(request.user):
        raise PermissionDenied
    rows = Assignment.objects.of(request.user).filter(household__in=_ticked(request))
    installer = _chosen(request.POST.get("installer"), assigning.people_of(request.user))
    if not rows or (installer is None and "nobody" not in request.POST):
        messages.error(request, _("请先勾选改造户，再选安装人员"))
        return _back(request)
    n = assigning.give(rows, None if "nobody" in request.POST else installer)
    said = ngettext("已改派 %(n)d 户", "已改派 %(n)d 户", n)
    messages.success(request, said % {"n": n})
    return _back(request)


def _ticked(request: SignedIn) -> list[Household]:
    numbers = request.POST.getlist("household")
    return list(work_of(request.user).filter(number__in=numbers))


def _chosen(wanted: str | None, among: list[T]) -> T | None:
    return next((one for one in among if str(one.pk) == wanted), None)


def _back(request: SignedIn) -> HttpResponse:
    """To the list as it was narrowed."""
    back = request.POST.get("back", "")
    safe = url_has_allowed_host_and_scheme(back, {request.get_host()}, request.is_secure())
    return redirect(back if safe and back.startswith("/installations/") else "installations")
