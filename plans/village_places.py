"""The villages of a year (and the 散户 of towns) with their lists, tasks and households."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from django.db.models import Count
from django.utils.translation import gettext as _

from households.models import Area, Household, ListState, User, VillageList
from households.models.households import HouseholdQuerySet
from plans.adjusted import adjustment
from plans.models import PlanItem, TaskPlan

WRITING = "writing"  # a list that the village has not checked yet has no row and no state
SHAPES = {
    WRITING: "st-wait",
    ListState.VERIFIED: "st-run",
    ListState.NOTICE: "st-run",
    ListState.SUBMITTED: "st-run",
    ListState.REVIEWED: "st-run",
    ListState.FILED: "st-ok",
    ListState.RETURNED: "st-bad",
}


@dataclass(frozen=True)
class Place:
    """A village (or a town's 散户) of a year: its list, its task and its households."""

    area: Area
    year: int
    listing: VillageList | None = None
    item: PlanItem | None = None
    task: int = 0
    listed: int = 0  # households of the list, or of the plan where it is filed
    waiting: int = 0  # registered and on no list yet

    @property
    def state(self) -> str:
        """The list's state; one without a list whose households are all in the plan already
        (before there were lists) counts as filed."""
        if self.listing:
            return self.listing.state
        return ListState.FILED if self.listed and not self.waiting else WRITING

    @property
    def label(self) -> str:
        return _("编制中") if self.state == WRITING else str(ListState(self.state).label)

    @property
    def shape(self) -> str:
        return SHAPES[self.state]

    @property
    def difference(self) -> int:
        """Households beyond the task; negative where some are missing."""
        return self.listed + self.waiting - self.task

    @property
    def next_by(self) -> str:
        """Who has it now."""
        village = _("镇（街道）") if self.area.level == Area.Level.TOWN else _("村（社区）")
        others: dict[str, str] = {
            ListState.SUBMITTED: _("镇（街道）"),
            ListState.REVIEWED: _("区领导小组办公室"),
            ListState.FILED: "",
        }
        return others.get(self.state, village)


def places(user: User, year: int) -> list[Place]:
    """The year's villages that the user may see, in the notice's order: those with a list, with
    households or with a task. Six queries."""
    areas = Area.objects.visible_to(user).exclude(level=Area.Level.DISTRICT)
    found = VillageList.objects.filter(year=year).select_related("area")
    listings = {one.area_id: one for one in found}
    on_list = Counter(
        dict(found.under_way().order_by().values_list("area_id").annotate(n=Count("entries")))
    )
    items, tasks = _tasks(year)
    rows = Household.objects.filter(year=year, withdrawn_on=None)
    waiting, in_plan = _counts(rows.filter(listed_on=None)), _counts(rows.in_task())
    every = [
        Place(
            area,
            year,
            listings.get(area.pk),
            items.get(area.pk),
            tasks.get(area.pk, 0),
            listed=in_plan[area.pk] + on_list[area.pk],
            waiting=waiting[area.pk] - on_list[area.pk],
        )
        for area in sorted(areas.select_related("owner"), key=_in_order)
    ]
    return [one for one in every if one.listing or one.listed or one.waiting or one.item]


def place_of(user: User, year: int, pk: int) -> Place:
    """One village of a year. Raises Area.DoesNotExist for one that the user may not see."""
    areas = Area.objects.visible_to(user).exclude(level=Area.Level.DISTRICT)
    area = areas.select_related("owner").get(pk=pk)
    one = VillageList.objects.filter(area=area, year=year).select_related("area__owner").first()
    items, tasks = _tasks(year)
    return Place(area, year, one, items.get(area.pk), tasks.get(area.pk, 0))


def _in_order(area: Area) -> tuple[int, int, bool, int]:
    """Towns in the notice's order, each with its villages, its 散户 last."""
    town = area.town or area
    return town.order, town.pk, area.level == Area.Level.TOWN, area.order


def _counts(rows: HouseholdQuerySet) -> Counter[int]:
    return Counter(dict(rows.order_by().values_list("area_id").annotate(n=Count("pk"))))


def _tasks(year: int) -> tuple[dict[int, PlanItem], dict[int, int]]:
    plan = TaskPlan.objects.filter(year=year).first()
    if plan is None:
        return {}, {}
    adjusted = adjustment(plan)
    items = {item.area_id: item for item in plan.items.select_related("plan")}
    return items, {pk: sum(adjusted.task(item).values()) for pk, item in items.items()}
