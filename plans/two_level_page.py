"""Pages and workbook of the two-level ledger."""

from __future__ import annotations

import tempfile

from django.contrib.auth.decorators import login_required
from django.db.models import Q
from django.http import FileResponse, Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from households import clock, downloads
from households.models import Area, StepKind
from households.requests import SignedIn
from households.views import Line
from plans import two_level, two_level_workbook
from plans.list_pages import year_of
from plans.models import PlanItem, TaskPlan


@login_required
@require_safe
def two_level_page(request: SignedIn) -> HttpResponseBase:
    """Villages with their figures; `?export=xlsx` is both levels as a workbook."""
    year = year_of(request)
    plan = TaskPlan.objects.select_related("district").filter(year=year).first()
    if plan is None:
        return render(request, "plans/two_level_empty.html", {"year": year})
    found = two_level.ledger(request.user, plan)
    if request.GET.get("export") == "xlsx":
        return _workbook(request, found)
    context = {"ledger": found, "plan": plan, "figures": two_level.FIGURES}
    return render(request, "plans/two_level.html", context)


def _workbook(request: SignedIn, found: two_level.Ledger) -> FileResponse:
    file = tempfile.TemporaryFile()  # noqa: SIM115  closed with the response
    two_level_workbook.write(file, request.user, found)
    file.seek(0)
    moment = clock.now().astimezone(clock.SHANGHAI)
    name = f"{_('两级台账')}-{found.plan.year}-{moment:%Y%m%d-%H%M}.xlsx"
    return downloads.workbook(file, name)


@login_required
@require_safe
def two_level_village(request: SignedIn, pk: int) -> HttpResponse:
    """The households of one village (of a town: its 散户) with the dates of their steps."""
    in_plan = PlanItem.objects.visible_to(request.user).values("area")
    seen = Area.objects.visible_to(request.user).values("pk")
    areas = Area.objects.filter(Q(pk__in=seen) | Q(pk__in=in_plan))
    area = get_object_or_404(areas.select_related("owner"), pk=pk)
    if area.level == Area.Level.DISTRICT:
        raise Http404
    year = year_of(request)
    homes = list(two_level.homes(request.user, area, year))
    context = {
        "area": area,
        "year": year,
        "lines": [(Line.of(home), two_level_workbook.dates(home)) for home in homes],
        "kinds": list(StepKind),
    }
    return render(request, "plans/two_level_village.html", context)
