"""The ledger of households (改造台账)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from django.contrib.auth.decorators import login_required
from django.db.models import Count, QuerySet
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from households import lists
from households.filters import HouseholdFilter
from households.models import Household, State
from households.path import by_whom, standing
from households.requests import SignedIn

SHAPES = {
    State.PAPERS_INCOMPLETE: "st-warn",
    State.DRAFT: "st-wait",
    State.ACCEPTED: "st-ok",
    State.PROVEN: "st-ok",
    State.STOVE_REMOVED: "st-ok",
    State.WITHDRAWN: "st-off",
}
CHIPS = [State.PAPERS_INCOMPLETE, *(state for state in State if state != "papers_incomplete")]
SORTS = {
    "number": "number",
    "area": "area__order",
    "householder": "householder_sound",
    "door": "door",
    "heated_area": "heated_area",
    "method": "method",
    "state": "state",
}


@dataclass(frozen=True)
class Line:
    """One line of the ledger: the household, its newest date, what it lacks and who is next."""

    household: Household
    label: str
    shape: str
    on: date | None
    lacks: str
    next_by: str

    @property
    def entered_later(self) -> bool:
        """Whether a step that counts was entered later (补录)."""
        return any(step.entered_later for step in self.household.steps.all())

    @classmethod
    def of(cls, household: Household) -> Line:
        standings = standing(household)
        due = next((one for one in standings if one.sign in ("lack", "now")), None)
        return cls(
            household,
            str(State(household.state).label),
            SHAPES.get(State(household.state), "st-run"),
            household.withdrawn_on or max((one.on for one in standings if one.on), default=None),
            _("；").join(lack for one in standings for lack in one.lacks),
            by_whom(household, due.kind) if due else "",
        )


@login_required
@require_safe
def ledger(request: SignedIn) -> HttpResponseBase:
    """Households with their state, by page; `?export=csv` hands out all rows that are filtered."""
    everything = Household.objects.visible_to(request.user)
    filters = HouseholdFilter(request.GET, everything, request=request)
    rows, sort = lists.in_order(filters.qs, request.GET.get("sort", ""), SORTS, "number")
    rows = rows.select_related("area__owner").prefetch_related("steps")
    if request.GET.get("export") == "csv":
        return lists.csv_of(_("改造台账"), _head(), _csv_rows(rows))
    chips = _chips(request, filters)
    page = lists.page_of(rows, request, next((chip.count for chip in chips if chip.is_on), None))
    context = {
        "filters": filters,
        "page": page,
        "lines": [Line.of(household) for household in page],
        "sort": sort,
        "chips": chips,
    }
    return render(request, "households/ledger.html", context)


def _chips(request: SignedIn, filters: HouseholdFilter) -> list[lists.Chip]:
    """All other conditions kept, how many rows each state would show."""
    # COUNT(*): the index on the state is enough, no row has to be fetched.
    rows = filters.of_any_state().order_by()
    counts = dict(rows.values_list("state").annotate(n=Count("*")))
    chosen = request.GET.get("state", "")
    chips = [lists.Chip("", _("全部"), "", sum(counts.values()), not chosen)]
    for state in CHIPS:
        if counts.get(state) or state == chosen:
            shape = SHAPES.get(state, "st-run")
            count = counts.get(state, 0)
            chips.append(lists.Chip(state, str(state.label), shape, count, state == chosen))
    return chips


def _head() -> list[str]:
    return [
        _("户编号"),
        _("改造主体"),
        _("村（社区）"),
        _("户主"),
        _("门牌号"),
        _("联系电话"),
        _("取暖面积") + " m²",
        _("改造方式"),
        _("状态"),
        _("日期"),
        _("缺什么、说明"),
        _("由谁办"),
    ]


def _csv_rows(rows: QuerySet[Household]) -> Iterator[list[object]]:
    for household in rows.iterator(chunk_size=500):
        line, town = Line.of(household), household.area.town
        yield [
            household.number,
            town.name if town else "",
            household.area.as_village,
            household.householder,
            household.door,
            household.masked_phone,
            household.heated_area,
            household.get_method_display(),
            line.label,
            line.on,
            line.lacks,
            line.next_by,
        ]
