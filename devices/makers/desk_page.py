"""The supplier's desk (工作台): what waits for the company, what waits for others, what ends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from devices.docking import admission
from devices.docking.waiting import DUTIES
from devices.makers import access, expiry
from devices.makers.papers import SOON
from devices.models import (
    Assignment,
    Confirmation,
    DockingApplication,
    DockingState,
    Installation,
    MapDraft,
    Supplier,
    Unit,
)
from households import clock
from households.requests import SignedIn

MOST = 20  # lines of one kind: a desk is no list
MINE = {
    DockingState.FAILED: "st-bad",
    DockingState.RETURNED: "st-bad",
    DockingState.DRAFT: "st-wait",
}


@dataclass(frozen=True)
class Duty:
    """One thing that waits for the company; `url` is where it is done."""

    shape: str
    what: str
    words: str
    url: str
    since: datetime | None = None


@login_required
@require_safe
def desk(request: SignedIn) -> HttpResponse:
    """Where a supplier begins: headline figures, what to do next, what others are at, what ends."""
    company = access.own_company(request.user)
    context = {
        "company": company,
        "duties": duties(company),
        "figures": figures(company),
        "waiting": _applications(company).filter(state__in=DUTIES)[:MOST],
        "endings": expiry.endings(SOON, of=company)[:MOST],
    }
    return render(request, "devices/makers/desk.html", context)


def figures(company: Supplier) -> dict[str, int]:
    """The headline: each figure has its rows behind it."""
    today = clock.today()
    open_ones = Assignment.objects.open().filter(supplier=company)
    there = Installation.objects.standing().filter(unit__model__supplier=company)
    return {
        "models": company.device_models.count(),
        "admitted": company.device_models.admitted().count(),
        "applications": company.applications.open().count(),
        "confirmations": Confirmation.objects.valid_on(today)
        .filter(model__supplier=company)
        .count(),
        "assigned": open_ones.count(),
        "to_install": open_ones.filter(household__installed_on=None).count(),
        "units": Unit.objects.filter(model__supplier=company, retired_at=None).count(),
        "installed": there.count(),
    }


def duties(company: Supplier) -> list[Duty]:
    """What the company may do next, what failed first."""
    return [
        *_of_applications(company),
        *_of_models(company),
        *_of_drafts(company),
        *_of_the_company(company),
    ]


def _applications(company: Supplier) -> QuerySet[DockingApplication]:
    return company.applications.select_related("model").order_by("-year", "-serial")


def _of_applications(company: Supplier) -> Iterator[Duty]:
    rows = _applications(company).filter(state__in=MINE).prefetch_related("acts")
    for one in sorted(rows[:MOST], key=lambda one: list(MINE).index(DockingState(one.state))):
        acts = list(one.acts.all())
        last = acts[-1] if acts else None
        words = f"{one.model.code} {one.get_state_display()}"
        if last and last.reason:
            words += _("：%(reason)s") % {"reason": last.reason}
        yield Duty(
            MINE[DockingState(one.state)],
            one.number,
            words,
            reverse("docking_application", args=[one.number]),
            last.at if last else one.made_at,
        )


def _of_models(company: Supplier) -> Iterator[Duty]:
    """Models that may not be installed yet, each with what it lacks and the company can bring; of
    a confirmation that is under way its application tells."""
    admitted = company.device_models.admitted().values("pk")
    asked = set(company.applications.open().values_list("model", flat=True))
    for model in islice(company.device_models.exclude(pk__in=admitted), MOST):
        lacks = [lack for lack in admission.lacks(model, clock.today()) if lack.is_the_makers]
        if model.pk in asked:
            lacks = [lack for lack in lacks if lack.kind != admission.CONFIRMATION]
        if not lacks:
            continue
        words = _("；").join(lack.words for lack in lacks)
        url = reverse("device_model", args=[model.pk])
        yield Duty("st-warn", model.code, _("还不能安装：%(lacks)s") % {"lacks": words}, url)


def _of_drafts(company: Supplier) -> Iterator[Duty]:
    rows = MapDraft.objects.filter(model__supplier=company).select_related("model")
    for one in rows.order_by("-saved_at")[:MOST]:
        url = reverse("map_draft", args=[one.model_id])
        yield Duty("st-wait", one.model.code, _("点表草稿还没有提交"), url, one.saved_at)


def _of_the_company(company: Supplier) -> Iterator[Duty]:
    wanted = ("licence_number", "office", "service_head", "service_phone")
    empty = [name for name in wanted if not getattr(company, name)]
    if empty:
        labels = (str(Supplier._meta.get_field(name).verbose_name) for name in empty)  # type: ignore[union-attr]
        words = _("公司资料缺：%(what)s") % {"what": _("、").join(labels)}
        yield Duty("st-wait", company.name, words, reverse("edit_maker", args=[company.pk]))
