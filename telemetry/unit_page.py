"""One heating unit: its newest values, its day, its readings."""

from __future__ import annotations

from datetime import date, timedelta

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from devices.models import Unit
from households import clock, lists
from households.models import Household
from households.requests import SignedIn
from telemetry import alarm_list, alarm_rows, cadence, history, points, returns
from telemetry.command_form import command_context
from telemetry.filters import for_cause
from telemetry.interval_form import interval_context
from telemetry.latest import Form, form_of, values_of
from telemetry.models import COLUMNS, Command, Reading, UnitState
from telemetry.unit_list import household_of, seen_by, state_of, written

COMMAND_DAYS = 7


@login_required
@never_cache
@require_safe
def unit(request: SignedIn, pk: int) -> HttpResponse:
    """One unit: newest values, a day's chart, the form to set something, its commands.

    htmx asks again for the parts that change, each by its own name in `?part=`. While the page is
    open the unit is asked more often.
    """
    thing = get_object_or_404(seen_by(request), pk=pk)
    context: dict[str, object] = {
        "unit": thing,
        "state": state_of(thing),
        "household": household_of(thing),
    }
    if request.GET.get("part") == "commands":
        context["commands"] = _commands(thing)
        return render(request, "telemetry/parts/commands.html", context)
    context |= _now(thing) | interval_context(request, thing)
    if request.GET.get("part") == "values":
        cadence.still_watches(thing)
        return render(request, "telemetry/parts/refresh.html", context)
    cadence.watch(thing)
    context |= command_context(request, thing) | _chosen_day(request)
    context |= {
        "commands": _commands(thing),
        "installation": next(iter(thing.installations.all()), None),
        "settings_changed": returns.changed_lately(thing),
        "may_see_household": _may_see(request, household_of(thing)),
        "alarms": alarm_rows.about(thing, request.user),
        "suggestions": alarm_list.SUGGESTIONS,
    }
    return render(request, "telemetry/unit.html", context)


def _now(thing: Unit) -> dict[str, object]:
    """Newest values, why nothing comes now, and today's figures."""
    state = state_of(thing)
    return {
        "values": values_of(thing, state),
        "today": history.day_run(thing, clock.today()),
        "cause": "" if state and state.is_online else _why_silent(thing, state),
    }


def _why_silent(thing: Unit, state: UnitState | None) -> str:
    """A line worker that is gone says nothing of its lines any more."""
    if for_cause(Unit.objects.filter(pk=thing.pk), "worker_gone").exists():
        return _("采集进程停止")
    return history.cause_words(state.missed_cause, thing) if state and state.missed_cause else ""


def _commands(thing: Unit) -> QuerySet[Command]:
    since = clock.now() - timedelta(days=COMMAND_DAYS)
    rows = thing.commands.filter(requested_at__gt=since)
    return rows.select_related("requested_by__area", "unit__model")


def _may_see(request: SignedIn, household: Household | None) -> bool:
    """A supplier sees his units, but no household's papers."""
    if household is None:
        return False
    return Household.objects.visible_to(request.user).filter(pk=household.pk).exists()


def _chosen_day(request: SignedIn) -> dict[str, object]:
    day = _day(request)
    return {"day": day, "today_date": clock.today()}


def _day(request: SignedIn) -> date | None:
    """The day that the address asks for; None for none, a wrong one, or one to come."""
    try:
        day = parse_date(request.GET.get("date", ""))
    except ValueError:
        return None
    return day if day and day <= clock.today() else None


@login_required
@never_cache
@require_safe
def unit_chart(request: SignedIn, pk: int) -> JsonResponse:
    """Temperatures of one day or of the last 24 hours, for chart.js."""
    thing = get_object_or_404(seen_by(request), pk=pk)
    return JsonResponse(history.chart(thing, *history.window(_day(request))))


@login_required
@require_safe
def unit_readings(request: SignedIn, pk: int) -> HttpResponseBase:
    """The numbers behind the chart, newest first, by page; `?export=csv` all of the day."""
    thing = get_object_or_404(seen_by(request), pk=pk)
    start, end = history.window(_day(request))
    rows = history.readings(thing, start, end).order_by("-at")
    form = form_of(thing.register_map)
    signals = [signal for signal in COLUMNS if signal in form.digits or signal == "fault_active"]
    if request.GET.get("export") == "csv":
        head = [_("时间"), *(_with_unit(thing, signal, form.units) for signal in signals)]
        lines = ([written(row[0]), *row[1:]] for row in rows.values_list("at", *signals))
        return lists.csv_of(_("读数"), head, lines)
    page = lists.page_of(rows, request)
    context = {
        "unit": thing,
        "household": household_of(thing),
        "page": page,
        "heads": [_with_unit(thing, signal, form.units) for signal in signals],
        "lines": [(row.at, _reading_cells(row, signals, form)) for row in page],
    }
    return render(request, "telemetry/readings.html", context | _chosen_day(request))


def _with_unit(thing: Unit, signal: str, units: dict[str, str]) -> str:
    return f"{points.label(signal, thing.model.medium)} {units.get(signal, '')}".strip()


def _reading_cells(row: Reading, signals: list[str], form: Form) -> list[str]:
    """One reading as texts: the value, or why there is none."""
    why = row.not_good or {}
    return [
        points.quality_label(why[signal][0])[1]
        if signal in why
        else points.show(signal, getattr(row, signal), form.digits.get(signal))
        for signal in signals
    ]
