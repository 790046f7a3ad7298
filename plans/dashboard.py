"""The dashboard (工作台): how far the year's task has come, and how the units stand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.contrib.auth.decorators import login_required
from django.db.models import Count, Q, QuerySet, Sum
from django.http import Http404, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from devices.models import Installation, Unit
from households import clock, lists
from households.models import Area, Method, Role, User
from households.requests import SignedIn
from plans import progress
from plans.models import TaskPlan
from telemetry import alarm_rows, partitions
from telemetry.filters import CAUSES, for_cause
from telemetry.models import UnitHour, UnitState

LOW_RATE = 80  # percent complete under which a rate carries a warning sign


@dataclass(frozen=True)
class UnitCounts:
    """Installed units of one village, or of all that the asker may see."""

    area: Area | None
    installed: int
    online: int
    in_fault: int

    @property
    def silent(self) -> int:
        return self.installed - self.online


@dataclass(frozen=True)
class Units:
    """The units' card: villages, their sum, today's polls, and why units are silent: cause, its
    words, how many."""

    villages: list[UnitCounts]
    due: int
    stored: int
    causes: list[tuple[str, str, int]]

    @property
    def total(self) -> UnitCounts:
        sums = (
            sum(getattr(village, name) for village in self.villages)
            for name in ("installed", "online", "in_fault")
        )
        return UnitCounts(None, *sums)


@login_required
@require_safe
def dashboard(request: SignedIn) -> HttpResponseBase:
    """The plan's table and figures of the newest year; `?rank=1` ranks towns by their rate.

    A supplier's people begin at their desk, his installers at what is to be installed.
    """
    if not request.user.follows_plan:
        return redirect("installations" if request.user.role == Role.INSTALLER else "desk")
    plan = TaskPlan.objects.select_related("district").first()
    if plan is None:
        return render(request, "plans/no_plan.html")
    table = progress.table(request.user, plan)
    if request.GET.get("export") == "csv":
        return lists.csv_of(_("改造任务完成情况"), _head(), _csv_rows(table))
    curves = progress.curves(request.user, plan)
    monday = table.on - timedelta(days=table.on.weekday())
    context = {
        "plan": plan,
        "table": table,
        "total": table.total,
        "towns": _towns(request, table),
        "ranked": "rank" in request.GET,
        "schedule": progress.Schedule(plan),
        "day_number": progress.Schedule(plan).day_number(table.on),
        "days_left": progress.Schedule(plan).days_left(table.on),
        "accepted_this_week": curves.gained("accepted", monday),
        "forecast": curves.forecast(table.total.figures.task),
        "units": installed_units(request.user),
        "alarms": alarm_rows.summary(request.user),
        "unit_task": _unit_task(table),
        "low_rate": LOW_RATE,
    }
    return render(request, "plans/dashboard.html", context)


def _newest_plan() -> TaskPlan:
    plan = TaskPlan.objects.select_related("district").first()
    if plan is None:
        raise Http404
    return plan


def _towns(request: SignedIn, table: progress.Table) -> list[progress.Town]:
    """In the notice's order, or ranked by the rate of completion."""
    if "rank" not in request.GET:
        return table.towns
    return sorted(table.towns, key=lambda town: -(town.subtotal.figures.complete_rate or 0))


def _unit_task(table: progress.Table) -> int:
    """Households of the methods that bring a unit of their own."""
    return sum(figures.task for method, figures in table.total.cells if method.has_unit)


def installed_units(user: User) -> Units:
    """How the installed units stand that the user may see."""
    seen = Unit.objects.visible_to(user).filter(retired_at=None).values("pk")
    here = Installation.objects.filter(removed_on=None, unit__in=seen)
    mine = here.values("unit")
    hours = UnitHour.objects.filter(
        unit__in=mine, hour__gte=partitions.bounds(clock.today())[0]
    ).aggregate(due=Sum("due", default=0), stored=Sum("stored", default=0))
    causes = list(_causes(Unit.objects.filter(pk__in=mine)))
    return Units(_villages(here), hours["due"], hours["stored"], causes)


def _causes(units: QuerySet[Unit]) -> Iterator[tuple[str, str, int]]:
    for cause, words in CAUSES:
        if cause != "sensor" and (count := for_cause(units, cause).count()):
            yield cause, str(words), count


def _villages(here: QuerySet[Installation]) -> list[UnitCounts]:
    online, in_fault = UnitState.objects.online(), UnitState.objects.in_fault()
    rows = here.order_by("household__area__order").values("household__area")
    rows = rows.annotate(
        installed=Count("pk"),
        online=Count("pk", filter=Q(unit__in=online.values("unit"))),
        in_fault=Count("pk", filter=Q(unit__in=in_fault.values("unit"))),
    )
    areas = Area.objects.select_related("owner").in_bulk([row["household__area"] for row in rows])
    return [
        UnitCounts(areas[row["household__area"]], row["installed"], row["online"], row["in_fault"])
        for row in rows
    ]


def _head() -> list[str]:
    """Each figure in a column of its own: a workbook's cells are numbers."""
    forms = (_("%(method)s任务"), _("%(method)s完工"))
    both = [form % {"method": method.label} for method in Method for form in forms]
    figures = [
        _("原下达任务"),
        _("调整后任务"),
        _("调整依据（文号）"),
        _("完工"),
        *both,
        _("完工率"),
        _("验收"),
        _("验收率"),
        _("手续不全"),
    ]
    return [_("序号"), _("改造主体"), _("村（社区）"), *figures]


def _csv_rows(table: progress.Table) -> Iterator[list[object]]:
    for town in table.towns:
        for line in town.lines:
            seq = line.item.seq if line.item else ""
            yield [seq, town.area.name, line.area.as_village, *_csv_figures(line)]
        if len(town.lines) > 1:
            yield ["", town.area.name, _("小计"), *_csv_figures(town.subtotal)]
    yield ["", _("总计"), "", *_csv_figures(table.total)]


def _csv_figures(row: progress.Row) -> list[object]:
    figures = row.figures
    by_method = [count for _m, cell in row.cells for count in (cell.task, cell.complete)]
    return [
        figures.original,
        figures.task,
        _("；").join(row.bases),
        figures.complete,
        *by_method,
        figures.complete_rate,
        figures.accepted,
        figures.accepted_rate,
        figures.papers_incomplete,
    ]


@login_required
@require_safe
def progress_curves(request: SignedIn) -> JsonResponse:
    """Daily counts for the progress chart; what has not come yet is null.

    `forecast` is the day on which the task is complete at the recent pace, or null.
    """
    plan = _newest_plan()
    curves = progress.curves(request.user, plan)
    task = curves.due[-1]
    forecast = curves.forecast(task)
    return JsonResponse(
        {
            "days": [day.isoformat() for day in curves.days],
            "due": curves.due,
            "complete": curves.complete,
            "accepted": curves.accepted,
            "today": curves.today.isoformat(),
            "task": task,
            "forecast": forecast.isoformat() if forecast else None,
            "works_done_by": plan.works_done_by.isoformat(),
        }
    )


@login_required
@require_safe
def curves_table(request: SignedIn) -> HttpResponseBase:
    """The numbers of the progress chart, the newest day first."""
    plan = _newest_plan()
    curves = progress.curves(request.user, plan)
    rows = list(zip(curves.days, curves.due, curves.complete, curves.accepted, strict=True))[::-1]
    if request.GET.get("export") == "csv":
        head = [_("日期"), _("倒排工期"), _("完工"), _("验收")]
        return lists.csv_of(_("进度曲线"), head, rows)
    return render(request, "plans/curves_table.html", {"plan": plan, "rows": rows})


@login_required
@require_safe
def definitions(request: SignedIn) -> HttpResponse:
    """What each figure means."""
    plan = TaskPlan.objects.first()
    return render(request, "plans/definitions.html", {"plan": plan, "low_rate": LOW_RATE})
