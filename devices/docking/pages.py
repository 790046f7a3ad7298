"""Pages of applications: their list, drafting, and one as the hub of everything about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import django_filters as filters
from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import (
    Count,
    ExpressionWrapper,
    F,
    IntegerField,
    OuterRef,
    Prefetch,
    Q,
    Subquery,
)
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from devices.docking import applications, confirmations, superseding, turn
from devices.docking.applications import DockingRefused
from devices.docking.forms import (
    ApplicationForm,
    IssueForm,
    ReasonForm,
    ReceivedForm,
    StepForm,
    step_form,
    usual_end,
)
from devices.makers import access
from devices.models import Confirmation, DeviceModel, DockingAct, DockingApplication, DockingState
from devices.models.docking import DockingApplicationQuerySet
from devices.templatetags.application_words import docking_shape
from households import lists
from households.filters import FIELD
from households.models import User
from households.requests import SignedIn

S = DockingState
SORTS: dict[str, lists.Column] = {
    "number": ExpressionWrapper(F("year") * 10_000 + F("serial"), IntegerField()),
    "model": "model__code",
    "supplier": "supplier__name",
}
# Taken by a button of the application's page; the bench takes the others.
BY_HAND = (S.SUBMITTED, S.RECEIVED, S.RETURNED, S.WITHDRAWN)
WAY = (S.SUBMITTED, S.RECEIVED, S.TESTING, S.PASSED, S.ISSUED)
# States beside the way: the step in whose place each is drawn, and the sign that it has there.
INSTEAD = {S.FAILED: S.PASSED, S.RETURNED: S.SUBMITTED, S.WITHDRAWN: S.SUBMITTED}
HERE = {S.FAILED: "st-bad", S.RETURNED: "st-bad", S.WITHDRAWN: "st-off", S.PASSED: "st-ok"}


@dataclass(frozen=True, slots=True)
class WayStep:
    """One step of the way as it is drawn."""

    sign: str
    shape: str
    words: str
    on: date | None


class ApplicationFilter(filters.FilterSet):
    q = filters.CharFilter(
        method="search",
        label=_lazy("申请编号、厂商、型号"),
        widget=forms.TextInput(
            {
                **FIELD,
                "type": "search",
                "placeholder": _lazy("申请编号、厂商、型号"),
                "maxlength": 60,
            }
        ),
    )
    unsigned = filters.BooleanFilter(method="only_unsigned", widget=forms.HiddenInput)
    state = filters.ChoiceFilter(choices=DockingState.choices, widget=forms.HiddenInput)

    class Meta:
        model = DockingApplication
        fields: list[str] = []

    def search(
        self, rows: DockingApplicationQuerySet, name: str, words: str
    ) -> DockingApplicationQuerySet:
        by_number = DockingApplication.objects.of_number(words.strip().upper())
        said = Q(supplier__name__icontains=words) | Q(model__code__icontains=words)
        return rows.filter(said | Q(model__name__icontains=words) | Q(pk__in=by_number))

    def only_unsigned(
        self, rows: DockingApplicationQuerySet, name: str, wanted: bool
    ) -> DockingApplicationQuerySet:
        """Those whose confirmation should have been signed by now."""
        late = confirmations.waiting_long().values("application")
        return rows.filter(pk__in=late) if wanted else rows


def found(user: User, number: str) -> DockingApplication:
    """The application, or 404 where the user may not learn of it."""
    rows = DockingApplication.objects.visible_to(user).of_number(number)
    rows = rows.select_related("supplier", "model", "register_map", "sample__gateway", "tested_by")
    return get_object_or_404(rows)


@login_required
@require_safe
def application_list(request: SignedIn) -> HttpResponseBase:
    """Applications, the newest first."""
    if not request.user.reads_docking:
        raise PermissionDenied(_("数据对接由供应商和平台服务单位办理。"))
    seen = DockingApplication.objects.visible_to(request.user)
    narrowed = ApplicationFilter(request.GET, seen, request=request)
    rows, sort = lists.in_order(narrowed.qs, request.GET.get("sort", ""), SORTS, "-number")
    rows = rows.select_related("supplier", "model", "register_map", "confirmation")
    acts = DockingAct.objects.filter(application=OuterRef("pk")).order_by("-pk")
    rows = rows.annotate(last_on=Subquery(acts.values("on")[:1]))
    if request.GET.get("export") == "csv":
        return lists.csv_of(_("数据对接"), _head(), map(_csv_row, rows.iterator(chunk_size=200)))
    context = {
        "filters": narrowed,
        "page": lists.page_of(rows, request),
        "sort": sort,
        "chips": list(_chips(request, narrowed)),
        "may_apply": request.user.is_maker,
        "may_enter_city": request.user.tests_docking and not settings.APPOINTED_PLATFORM,
    }
    return render(request, "devices/docking/list.html", context)


def _chips(request: SignedIn, narrowed: ApplicationFilter) -> Iterator[lists.Chip]:
    others = {key: value for key, value in request.GET.items() if key != "state"}
    rows = ApplicationFilter(others, narrowed.queryset, request=request).qs.order_by()
    counts = dict(rows.values_list("state").annotate(n=Count("pk", distinct=True)))
    chosen = request.GET.get("state", "")
    yield lists.Chip("", _("全部"), "", sum(counts.values()), not chosen)
    for state in DockingState:
        if counts.get(state) or state == chosen:
            count, is_on = counts.get(state, 0), state == chosen
            yield lists.Chip(state, str(state.label), docking_shape(state), count, is_on)


def _head() -> list[str]:
    return [_("申请编号"), _("设备厂商名称"), _("设备型号"), _("点表版本"), _("主控板型号"),
            _("主控板版本"), _("固件版本"), _("无线数据传输装置型号"), _("状态"),
            _("确认书文号")]  # fmt: skip


def _csv_row(one: DockingApplication) -> list[object]:
    confirmation = Confirmation.objects.filter(application=one).first()
    return [one.number, one.supplier.name, one.model.code, one.register_map.version, one.board,
            one.board_version, one.firmware, one.transmitter_model, one.get_state_display(),
            confirmation.number if confirmation else ""]  # fmt: skip


# -- drafting ------------------------------------------------------------------------------


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def new_application(request: SignedIn) -> HttpResponse:
    """Choose one of the own models (`?model=`), then say what is brought."""
    company = access.own_company(request.user)
    models = DeviceModel.objects.filter(supplier=company).annotate(maps=Count("register_maps"))
    models = models.order_by("code").prefetch_related(
        Prefetch("applications", DockingApplication.objects.open(), to_attr="under_way")
    )
    wanted = request.POST.get("model") or request.GET.get("model", "")
    if not wanted:
        return render(request, "devices/docking/choose_model.html", {"models": models})
    pk = int(wanted) if wanted.isascii() and wanted.isdecimal() and len(wanted) < 19 else 0
    model = get_object_or_404(models, pk=pk)
    form = ApplicationForm(model, request.POST or None)
    if form.is_valid():
        points = form.cleaned_data.pop("register_map")
        done = _kept(
            request, lambda: applications.draft(model, points, by=request.user, **form.said())
        )
        if done:
            return done
    return _form_page(request, form, model, None)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def edit_application(request: SignedIn, number: str) -> HttpResponse:
    """What the maker says, written anew while nobody tests it."""
    one = found(request.user, number)
    if not applications.acts_for(request.user, one) or one.state not in applications.EDITABLE:
        raise PermissionDenied(_("这份申请现在不能修改。"))
    form = ApplicationForm(one.model, request.POST or None, instance=one)
    if form.is_valid():
        done = _kept(request, lambda: applications.edit(one, by=request.user, **form.said()))
        if done:
            return done
    return _form_page(request, form, one.model, one)


def _kept(request: SignedIn, write: Callable[[], DockingApplication]) -> HttpResponse | None:
    """Keep what was written and, where that was asked, submit it; None where it is refused."""
    try:
        with transaction.atomic():
            one = write()
    except DockingRefused as refused:
        messages.error(request, refused.sentence)
        return None
    if request.POST.get("act") == "submit":
        if not _take(request, one, S.SUBMITTED):
            return redirect("edit_application", one.number)
    else:
        messages.success(request, _("已暂存 %(number)s。") % {"number": one.number})
    return redirect("docking_application", one.number)


def _form_page(
    request: SignedIn, form: ApplicationForm, model: DeviceModel, one: DockingApplication | None
) -> HttpResponse:
    context = {"form": form, "model": model, "application": one}
    status = 422 if form.is_bound else 200
    return render(request, "devices/docking/form.html", context, status=status)


# -- one application -----------------------------------------------------------------------


@login_required
@require_safe
def application(request: SignedIn, number: str) -> HttpResponse:
    """Where it stands, what comes next and whose it is, the sample, the test, the confirmation."""
    one = found(request.user, number)
    return render(request, "devices/docking/application.html", context_of(request.user, one))


def context_of(user: User, one: DockingApplication, **more: Any) -> dict[str, Any]:
    """What the page of an application shows to this user."""
    steps = applications.steps(user, one)
    acts = applications.acts_of(one)
    has_tested = one.state == S.PASSED and confirmations.has_tested(user, one)
    may_sign = S.ISSUED in steps and not has_tested
    return {
        "application": one,
        "way": list(_way(one, {act.state: act.on for act, is_step in acts if is_step})),
        "acts": acts,
        "steps": {str(step) for step in steps},
        "forms": [(step, step_form(step, None, one)) for step in BY_HAND if step in steps],
        "confirmation": Confirmation.objects.filter(application=one).first(),
        "issue": IssueForm(initial={"valid_until": usual_end()}) if may_sign else None,
        "conditions": confirmations.of_the_test(one) if may_sign else [],
        "is_tester": has_tested,
        "signers": signers_named(user, one),
        "turn": turn.said(user, one),
        "at_bench": user.tests_docking and one.state in applications.AT_BENCH,
        "qr_leads_to": settings.PUBLIC_URL,
        "may_edit": one.state in applications.EDITABLE and applications.acts_for(user, one),
        "missing": applications.lacks(one, S.SUBMITTED) if S.SUBMITTED in steps else [],
        "changes": superseding.scope_changes(one),
        "newer_map": one.model.register_maps.filter(version__gt=one.register_map.version).first(),
    } | more


def signers_named(user: User, one: DockingApplication) -> dict[str, Any] | None:
    """Who may sign, for the people of the service unit while it is on the way there: they keep one
    of them out of the test."""
    if not user.tests_docking or one.state not in applications.AT_BENCH:
        return None
    begun = one.state in (S.TESTING, S.PASSED)  # else a run is to come, of which nobody had a hand
    people = confirmations.signers(one) if begun else list(applications.service_unit())
    is_last = len(people) == 1 and one.state != S.PASSED
    return {"names": _("、").join(map(str, people)), "is_last": is_last}


def _way(one: DockingApplication, days: dict[str, date]) -> Iterator[WayStep]:
    """The lawful steps; in the place of one that went wrong stands what it came to."""
    state = S(one.state)
    at = WAY.index(INSTEAD.get(state, state)) if state != S.DRAFT else -1
    for place, step in enumerate(WAY):
        if place == at and state != S.ISSUED:
            yield WayStep("now", HERE.get(state, "st-run"), str(state.label), days.get(state))
        elif place <= at:
            yield WayStep("done", "st-ok", str(step.label), days.get(step))
        else:
            yield WayStep("open", "st-wait", str(step.label), None)


@login_required
@require_POST
def application_step(request: SignedIn, number: str) -> HttpResponse:
    """One step of the way, named by `state`; a refused one says why on the application's page."""
    one = found(request.user, number)
    mine = applications.ever(request.user, one)
    if not mine:
        raise PermissionDenied(_("数据对接由供应商和平台服务单位办理。"))
    asked = request.POST.get("state", "")
    if asked not in BY_HAND or asked not in mine:
        messages.error(request, _("没有这一步：请在本页选择要办理的。"))
        context = context_of(request.user, one)
        return render(request, "devices/docking/application.html", context, status=422)
    step = S(asked)
    form = step_form(step, request.POST, one)
    if form and not form.is_valid():
        context = context_of(request.user, one)
        context["forms"] = [
            (state, form if state == step else shown) for state, shown in context["forms"]
        ]
        return render(request, "devices/docking/application.html", context, status=422)
    if _take(request, one, step, form):
        return redirect("docking_application", number)
    context = context_of(request.user, found(request.user, number))
    return render(request, "devices/docking/application.html", context, status=422)


def _take(
    request: SignedIn,
    one: DockingApplication,
    step: DockingState,
    form: StepForm | None = None,
) -> bool:
    try:
        with transaction.atomic():
            if isinstance(form, ReceivedForm):
                applications.receive(one, by=request.user, **form.cleaned_data)
            else:
                reason = form.reason if isinstance(form, ReasonForm) else ""
                applications.take(one, step, by=request.user, reason=reason)
    except DockingRefused as refused:
        messages.error(request, refused.sentence)
        return False
    words = {"number": one.number, "state": one.get_state_display()}
    messages.success(request, _("%(number)s：%(state)s。") % words)
    return True
