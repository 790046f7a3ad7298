"""One household with its path, what stands in it and how it runs."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_safe

from devices.docking import admission
from devices.models import HeatConnection, Installation
from households import clock
from households.entry import household_parts, merging
from households.models import (
    Household,
    ListState,
    Method,
    SlipActKind,
    StepKind,
    User,
    VillageList,
)
from households.path import by_whom, lacks, standing
from households.requests import SignedIn
from households.views import Line
from households.village_lists import slips
from telemetry import history
from telemetry.latest import value_of
from telemetry.unit_list import state_of


@login_required
@require_safe
def household(request: SignedIn, number: str) -> HttpResponse:
    """The household's path, what comes next and what it lacks, its people and papers, its
    installation. A number from before a merge leads to the household that stands."""
    rows = Household.objects.visible_to(request.user).select_related("area__owner")
    if kept := merging.standing_number(request.user, number):
        return redirect("household", kept)
    home = get_object_or_404(rows.prefetch_related("steps__recorded_by__area"), number=number)
    standings = standing(home)
    due = next((one for one in standings if one.sign in ("lack", "now")), None)
    context = {
        "household": home,
        "line": Line.of(home),
        "standings": standings,
        "next": due,
        "next_by": by_whom(home, due.kind) if due else "",
        "by_list": due is not None and _is_listed_with_its_village(home, due.kind, request.user),
        "by_slip": due is not None and _waits_for_a_slip(home, due.kind, request.user),
        "lacks": lacks(home, due.kind, clock.today()) if due else [],
        "steps": list(home.steps.all())[::-1],
    }
    context |= household_parts.facts(home, request.user) | _installed(home)
    return render(request, "telemetry/household.html", context)


def _is_listed_with_its_village(home: Household, kind: StepKind, user: User) -> bool:
    """Whether the step is taken on a village list that the user sees: of this year's it is."""
    sees_lists = user.sees_whole_district or user.area_id
    return kind == StepKind.LISTED and home.year >= clock.today().year and bool(sees_lists)


def _waits_for_a_slip(home: Household, kind: StepKind, user: User) -> bool:
    """Whether its village's list is filed without it, so that the user adds it by a slip."""
    if kind != StepKind.LISTED or SlipActKind.DRAFT not in slips.acts(user, None):
        return False
    lists = VillageList.objects.filter(area=home.area_id, year=home.year)
    return lists.filter(state=ListState.FILED).exists()


def _installed(home: Household) -> dict[str, object]:
    """Whose work it is, its connection or its unit with what that told last."""
    given = home.assignments.filter(withdrawn_at=None).select_related("supplier", "installer")
    found: dict[str, object] = {
        "assignment": given.first(),
        "connection": HeatConnection.objects.filter(household=home).first(),
        "has_unit": Method(home.method).has_unit,
    }
    return found | _unit(home)


def _unit(home: Household) -> dict[str, object]:
    records = Installation.objects.filter(household=home, removed_on=None).select_related(
        "unit__model__supplier",
        "unit__gateway",
        "unit__register_map",
        "unit__state",
        "entered_by",
    )
    record = records.first()
    if record is None:
        return {}
    unit, state = record.unit, state_of(record.unit)
    signals = ("supply_temp", "return_temp", "indoor_temp")
    return {
        "installation": record,
        "confirmation": admission.confirmation_under(record),
        "state": state,
        "values": [value_of(unit, state, signal) for signal in signals],
        "today": history.day_run(unit, clock.today()),
    }
