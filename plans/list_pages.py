"""The lists of villages: all of a year, one with its households beside the task, what is done."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from households import clock, lists
from households.models import (
    Area,
    Household,
    ListActKind,
    ListEntry,
    ListState,
    Method,
    User,
    VillageList,
)
from households.requests import SignedIn, whole_number
from households.village_lists import list_checks, village_list
from plans import list_forms
from plans.adjusted import adjustment
from plans.models import TaskPlan
from plans.village_places import SHAPES, WRITING, Place, place_of, places

# -- all lists of a year -------------------------------------------------------------------


@login_required
@require_safe
def village_lists(request: SignedIn) -> HttpResponseBase:
    """Every village of the year with its list, in the notice's order."""
    year = year_of(request)
    every = places(request.user, year)
    wanted = request.GET.get("state", "")
    shown = [place for place in every if not wanted or place.state == wanted]
    if request.GET.get("export") == "csv":
        return lists.csv_of(_("村级名单"), _head(), map(_csv_row, shown))
    context = {
        "places": shown,
        "year": year,
        "years": _years(request.user, year),
        "chips": _chips(every, wanted),
        "may_file": request.user.files_lists,
        "to_file": sum(place.state == ListState.REVIEWED for place in shown),
        "total": {name: sum(getattr(p, name) for p in shown) for name in FIGURES},
    }
    return render(request, "plans/village_lists.html", context)


def _years(user: User, year: int) -> list[int]:
    known = Household.objects.visible_to(user).order_by().values_list("year", flat=True)
    return sorted({year, *known.distinct()}, reverse=True)


FIGURES = ("task", "listed", "waiting")


def _chips(every: list[Place], wanted: str) -> list[lists.Chip]:
    counts = Counter(place.state for place in every)
    chips = [lists.Chip("", _("全部"), "", len(every), not wanted)]
    for state in (WRITING, *ListState):
        if counts[state] or state == wanted:
            label = _("编制中") if state == WRITING else str(ListState(state).label)
            chip = lists.Chip(state, label, SHAPES[state], counts[state], state == wanted)
            chips.append(chip)
    return chips


def _head() -> list[str]:
    return [_("改造主体"), _("村（社区）"), _("调整后任务"), _("名单户数"), _("未列入"), _("状态"),
            _("公示"), _("备案日期")]  # fmt: skip


def _csv_row(place: Place) -> list[object]:
    one, town = place.listing, place.area.town
    notice = f"{one.notice_from} — {one.notice_to}" if one and one.notice_from else ""
    return [town.name if town else "", place.area.as_village, place.task, place.listed,
            place.waiting, place.label, notice, one.filed_on if one else None]  # fmt: skip


# -- one list ------------------------------------------------------------------------------


@login_required
@require_safe
def village_list_page(request: SignedIn, year: int, pk: int) -> HttpResponse:
    """The list of one village with its households, beside its task; what can be done with it."""
    place = shown_place(request.user, year, pk)
    return render(request, "plans/village_list.html", context_of(request.user, place))


def shown_place(user: User, year: int, pk: int) -> Place:
    """The village, or 404 where the user may not see it."""
    try:
        return place_of(user, year, pk)
    except Area.DoesNotExist:
        raise Http404 from None


def context_of(user: User, place: Place, **more: Any) -> dict[str, Any]:
    """What the page of one village's list shows: the list as it stands, else its draft."""
    one = place.listing
    acts = village_list.acts(user, one.state if one else None)
    stands = one is not None and one.state != ListState.RETURNED
    draft = list_checks.draft(place.area, place.year)
    entries = list(one.entries.select_related("household__area")) if one else []
    homes = [entry.household for entry in entries] if stands else draft.households
    hindrances = list_checks.hindrances(one) if one and stands and not one.filed_on else []
    context = {
        "place": place,
        "one": one,
        "homes": _rows(homes, entries, [] if stands else draft.hindrances),
        "hindrances": hindrances if stands else draft.hindrances,
        "outside": [home for home in draft.households if home not in homes] if stands else [],
        "comparison": _comparison(place, homes),
        "acts": {str(act) for act in acts},
        "history": list(one.acts.select_related("by__area")) if one else [],
        "objections": list(one.objections.select_related("by__area")) if one else [],
        "papers": list(one.papers.all()) if one else [],
        "reasons": village_list.REASONS.items(),
        "may_prepare": village_list.prepares(user),
        "may_remark": bool(acts & {ListActKind.REVIEW, ListActKind.FILE}),
        "notice": list_forms.NoticeForm(initial=_hangs(one)),
        "objection_form": list_forms.ObjectionForm(),
    }
    return context | more


def _hangs(one: VillageList | None) -> dict[str, date]:
    """The days of the notice, where they are known."""
    if one is None or one.notice_from is None or one.notice_to is None:
        return {}
    return {"begin": one.notice_from, "end": one.notice_to}


@dataclass(frozen=True)
class Row:
    """One household of a list: as it is, the reviewer's remark, what hinders it."""

    household: Household
    entry: ListEntry | None
    hindrances: list[str]


def _rows(
    homes: list[Household], entries: list[ListEntry], found: list[list_checks.Hindrance]
) -> list[Row]:
    by_home = {entry.household_id: entry for entry in entries}
    words: dict[int, list[str]] = {}
    for one in found:
        if one.household:
            words.setdefault(one.household.pk, []).append(one.words)
    return [Row(home, by_home.get(home.pk), words.get(home.pk, [])) for home in homes]


def _comparison(place: Place, homes: list[Household]) -> list[tuple[Method, int, int, int]]:
    """Method, its task, how many the list has with those already in the plan, the difference."""
    plan = TaskPlan.objects.filter(year=place.year).first()
    wanted = adjustment(plan).task(place.item) if plan and place.item else {}
    listed = Household.objects.filter(area=place.area, year=place.year).in_task()
    counts = list_checks.by_method({home.pk: home for home in (*listed, *homes)}.values())
    rows = [(method, wanted.get(method, 0), counts[method]) for method in Method]
    return [(method, task, n, n - task) for method, task, n in rows if task or n]


def year_of(request: SignedIn) -> int:
    """The year that the address asks for; else that of the newest plan, else this one."""
    asked = whole_number(request.GET.get("year", ""), 2100)
    if asked and asked >= 2000:
        return asked
    plan = TaskPlan.objects.first()
    return plan.year if plan else clock.today().year
