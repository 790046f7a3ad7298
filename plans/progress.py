"""How far the year's task has come: the figures of dashboard, table and curve.

What pages use::

    table(user, plan, on=None) -> Table         # six queries, whatever the number of households
        .plan .on (date) .moment (as-of) .towns: list[Town] .total: Row .outside: int
    Town    .area .lines: list[Row] .subtotal: Row
    Row     .item (PlanItem, None on subtotal and total) .area .figures: Figures
            .cells: list[tuple[Method, Figures]]  # all methods in the notice's order
    Figures .task (adjusted) .original .due .complete .accepted .papers_incomplete
            .complete_rate .accepted_rate  Decimal percent with one decimal, None without a task
            .behind  due − complete where positive, else 0;  .ahead likewise;  .to_accept
            .is_empty  nothing planned and nothing done: show "—"
    curves(user, plan) -> Curves                # four queries
        .days: list[date] .due: list[int] .complete, .accepted: list[int | None] (None: not yet)
        .gained("accepted", since=date) -> int   .forecast(task) -> date | None
    Schedule(plan): .days .day_number(on) .days_left(on) .due(task, on)
    households(user, plan) -> HouseholdQuerySet  # the rows behind every figure: .complete() etc.

`due` is the backward schedule (倒排工期): even steps from the plan's first day to the day by which
the works are done, rounded for each line and method, so that subtotals add up exactly.
A figure "on" a past day counts the steps dated up to that day among the rows as they stand now;
手续不全 has no past and is always today's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import accumulate, groupby
from typing import Literal

from django.db.models import Count
from django.db.models.functions import Greatest

from devices.reach import methods_of
from households import clock
from households.models import Area, Household, Method, StepKind, User
from households.models.households import HouseholdQuerySet
from plans.adjusted import Adjustment, adjustment
from plans.models import PlanItem, TaskPlan


def percent(part: int, whole: int) -> Decimal | None:
    """Percent with one decimal, half up; None where there is nothing to compare with."""
    if not whole:
        return None
    return (Decimal(100 * part) / whole).quantize(Decimal("0.1"), ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts of households of one cell, row or total.

    `task` is the task as change slips have adjusted it, which all rates are measured by; `original`
    is what the notice ordered.
    """

    task: int = 0
    due: int = 0
    complete: int = 0
    accepted: int = 0
    papers_incomplete: int = 0
    original: int = 0

    def __add__(self, other: Figures) -> Figures:
        return Figures(
            self.task + other.task,
            self.due + other.due,
            self.complete + other.complete,
            self.accepted + other.accepted,
            self.papers_incomplete + other.papers_incomplete,
            self.original + other.original,
        )

    @property
    def complete_rate(self) -> Decimal | None:
        return percent(self.complete, self.task)

    @property
    def accepted_rate(self) -> Decimal | None:
        return percent(self.accepted, self.task)

    @property
    def behind(self) -> int:
        return max(0, self.due - self.complete)

    @property
    def ahead(self) -> int:
        return max(0, self.complete - self.due)

    @property
    def to_accept(self) -> int:
        """Complete, and waiting for its acceptance (待验收)."""
        return self.complete - self.accepted

    @property
    def is_empty(self) -> bool:
        return self == Figures()


@dataclass(frozen=True)
class Row:
    """A plan line, a town's subtotal or the total, by method."""

    area: Area
    by_method: dict[Method, Figures]
    item: PlanItem | None = None
    bases: tuple[str, ...] = ()

    @property
    def cells(self) -> list[tuple[Method, Figures]]:
        return [(method, self.by_method[method]) for method in Method]

    @property
    def figures(self) -> Figures:
        return sum(self.by_method.values(), Figures())

    @classmethod
    def summed(cls, area: Area, rows: Iterable[Row]) -> Row:
        rows = list(rows)
        return cls(area, {m: sum((row.by_method[m] for row in rows), Figures()) for m in Method})


@dataclass(frozen=True)
class Town:
    """One responsible town (改造主体) with the lines that the user may see."""

    area: Area
    lines: list[Row]

    @property
    def subtotal(self) -> Row:
        return Row.summed(self.area, self.lines)


@dataclass(frozen=True)
class Table:
    """改造任务完成情况, as far as the user may see it.

    `outside` counts households of the year in areas without a plan line: they are in no row.
    """

    plan: TaskPlan
    on: date
    moment: datetime
    towns: list[Town]
    outside: int

    @property
    def total(self) -> Row:
        return Row.summed(self.plan.district, (line for town in self.towns for line in town.lines))


@dataclass(frozen=True)
class Schedule:
    """倒排工期 of a plan: from its first day to the day by which the works are done."""

    plan: TaskPlan

    @property
    def days(self) -> int:
        return (self.plan.works_done_by - self.plan.starts_on).days + 1

    def day_number(self, on: date) -> int:
        """1 on the first day, `days` on the last and after it, 0 before."""
        return min(max((on - self.plan.starts_on).days + 1, 0), self.days)

    def days_left(self, on: date) -> int:
        """Days until the works must be done; negative when that day has passed."""
        return (self.plan.works_done_by - on).days

    def due(self, task: int, on: date) -> int:
        """How many of `task` households should be complete at the end of that day."""
        return (2 * task * self.day_number(on) + self.days) // (2 * self.days)


@dataclass(frozen=True)
class Curves:
    """Cumulative counts at the end of each day; what has not come yet is None."""

    days: list[date]
    due: list[int]
    complete: list[int | None]
    accepted: list[int | None]
    today: date = field(default_factory=clock.today)

    def at(self, line: Literal["complete", "accepted"], day: date) -> int:
        """The count at the end of `day`; 0 before the first day, the newest after today."""
        if day < self.days[0]:
            return 0
        counts = getattr(self, line)
        return counts[(min(day, self.today) - self.days[0]).days] or 0

    def gained(self, line: Literal["complete", "accepted"], since: date) -> int:
        """New since the beginning of that day."""
        return self.at(line, self.today) - self.at(line, since - timedelta(days=1))

    def forecast(self, task: int, window: int = 14) -> date | None:
        """The day on which `task` is complete at the pace of the last `window` days, if ever."""
        left = task - self.at("complete", self.today)
        if left <= 0:
            return None
        gained = self.gained("complete", self.today - timedelta(days=window - 1))
        return self.today + timedelta(days=-(-left * window // gained)) if gained else None


def households(user: User, plan: TaskPlan) -> HouseholdQuerySet:
    """The plan year's households that the user may see."""
    return Household.objects.visible_to(user).filter(year=plan.year)


def table(user: User, plan: TaskPlan, on: date | None = None) -> Table:
    """The plan's lines with what has been reached by the end of `on` (today)."""
    on = on or clock.today()
    rows = households(user, plan)
    counts = {
        "complete": _counts(rows.complete(on)),
        "accepted": _counts(rows.accepted(on)),
        "papers_incomplete": _counts(rows.papers_incomplete()),
    }
    items = plan.items.visible_to(user).select_related("area__owner")
    adjusted = adjustment(plan)
    methods = methods_of(user)
    lines = sorted((_line(item, on, counts, adjusted, methods) for item in items), key=_in_order)
    if len(methods) < len(Method):  # a company's: where it has nothing to do is no line of its own
        lines = [line for line in lines if not line.figures.is_empty]
    towns = [Town(town, list(group)) for town, group in groupby(lines, key=_town)]
    outside = rows.in_task().exclude(area__plan_items__plan=plan).count()
    return Table(plan, on, clock.now(), towns, outside)


def _counts(rows: HouseholdQuerySet) -> Counter[tuple[int, str]]:
    counted = rows.order_by().values_list("area_id", "method").annotate(n=Count("pk"))
    return Counter({(area, method): n for area, method, n in counted})


def _line(
    item: PlanItem,
    on: date,
    counts: dict[str, Counter[tuple[int, str]]],
    adjusted: Adjustment,
    methods: tuple[Method, ...],
) -> Row:
    schedule = Schedule(item.plan)
    by_method = {
        method: Figures(
            task=task,
            original=item.by_method[method],
            due=schedule.due(task, on),
            **{name: counted[item.area_id, method] for name, counted in counts.items()},
        )
        if method in methods
        else Figures()
        for method, task in adjusted.task(item).items()
    }
    return Row(item.area, by_method, item, tuple(adjusted.basis(item)))


def _town(row: Row) -> Area:
    return row.area.town or row.area


def _in_order(row: Row) -> tuple[int, int, int]:
    town = _town(row)
    return town.order, town.pk, row.item.seq if row.item else 0


def curves(user: User, plan: TaskPlan) -> Curves:
    """Daily counts from the plan's first day to its last, or to today if that is later."""
    today = clock.today()
    span = (max(plan.ends_on, today) - plan.starts_on).days + 1
    days = [plan.starts_on + timedelta(days=n) for n in range(span)]
    rows = households(user, plan)
    tasks = _tasks(user, plan)
    schedule = Schedule(plan)
    return Curves(
        days=days,
        due=[sum(schedule.due(task, day) for task in tasks) for day in days],
        complete=_cumulative(rows.complete(), StepKind.COMMISSIONED, days, today),
        accepted=_cumulative(rows.accepted(), StepKind.ACCEPTED, days, today),
        today=today,
    )


def _tasks(user: User, plan: TaskPlan) -> list[int]:
    """The visible task, line by line and method by method: rounded as the table rounds it."""
    adjusted = adjustment(plan)
    methods = methods_of(user)
    items = plan.items.visible_to(user)
    tasks = (adjusted.task(item) for item in items)
    return [task[method] for task in tasks for method in methods if task[method]]


def _cumulative(
    rows: HouseholdQuerySet, last: StepKind, days: list[date], today: date
) -> list[int | None]:
    """A step counts from the day on which the latest of the steps up to it was taken."""
    kinds = list(StepKind)[: list(StepKind).index(last) + 1]
    reached = rows.order_by().annotate(day=Greatest(*(f"{kind}_on" for kind in kinds)))
    gained: Counter[date] = Counter()
    for day, n in reached.values_list("day").annotate(n=Count("pk")):
        gained[max(day, days[0])] += n
    totals = accumulate(gained[day] for day in days)
    return [total if day <= today else None for day, total in zip(days, totals, strict=True)]
