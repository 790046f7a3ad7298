"""What the wall screen (调度大屏) shows: the figures of the dashboard, large and without names."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Avg, Count
from django.utils.translation import gettext as _

from households import clock
from households.models import Method, User
from plans import dashboard, progress
from plans.models import TaskPlan
from plans.progress import Figures, Row, Table, Town

MOST_LINES = 19  # rows of the table for which the wall has room
PACE_DAYS = 14  # a forecast goes on at the pace of so many days


@dataclass(frozen=True)
class Pace:
    """A town against its backward schedule, and when it is done at the pace of late."""

    town: Town
    figures: Figures
    ready_on: date | None
    late_days: int

    @property
    def is_done(self) -> bool:
        return self.figures.complete >= self.figures.task


@dataclass(frozen=True)
class Spot:
    """Where a plan line's households are, on average, and how far they are."""

    row: Row
    longitude: float
    latitude: float


@dataclass(frozen=True)
class Wall:
    """`lines_fit`: the table shows every line, else only towns."""

    plan: TaskPlan
    table: Table
    curves: progress.Curves
    units: dashboard.Units
    paces: list[Pace]
    spots: list[Spot]
    accepted_this_week: int

    @property
    def total(self) -> Row:
        return self.table.total

    @property
    def schedule(self) -> progress.Schedule:
        return progress.Schedule(self.plan)

    @property
    def day_number(self) -> int:
        return self.schedule.day_number(self.table.on)

    @property
    def days_left(self) -> int:
        return self.schedule.days_left(self.table.on)

    @property
    def days_past(self) -> int:
        """Days since the works should have been done."""
        return -self.days_left

    @property
    def methods(self) -> list[Method]:
        """Methods of the year's task; a column of dashes tells nothing at three metres."""
        return [method for method, cell in self.total.cells if not cell.is_empty]

    @property
    def shown(self) -> list[tuple[Method, Figures]]:
        return [(method, cell) for method, cell in self.total.cells if not cell.is_empty]

    @property
    def lines_fit(self) -> bool:
        rows = sum(len(town.lines) + (len(town.lines) > 1) for town in self.table.towns)
        return rows < MOST_LINES


def look(user: User, plan: TaskPlan) -> Wall:
    """Everything of the wall as far as this user sees it."""
    table, curves = progress.table(user, plan), progress.curves(user, plan)
    before = progress.table(user, plan, table.on - timedelta(days=PACE_DAYS))
    monday = table.on - timedelta(days=table.on.weekday())
    return Wall(
        plan,
        table,
        curves,
        dashboard.installed_units(user),
        [_pace(plan, now, then) for now, then in zip(table.towns, before.towns, strict=True)],
        _spots(user, plan, table),
        curves.gained("accepted", monday),
    )


def _pace(plan: TaskPlan, now: Town, then: Town) -> Pace:
    figures = now.subtotal.figures
    left = figures.task - figures.complete
    gained = figures.complete - then.subtotal.figures.complete
    ready = clock.today() + timedelta(days=-(-left * PACE_DAYS // gained)) if gained > 0 else None
    late = max(0, (ready - plan.works_done_by).days) if ready else 0
    return Pace(now, figures, ready, late)


def _spots(user: User, plan: TaskPlan, table: Table) -> list[Spot]:
    rows = progress.households(user, plan).exclude(latitude=None).order_by().values("area_id")
    rows = rows.annotate(x=Avg("longitude"), y=Avg("latitude"), n=Count("pk"))
    middle = {row["area_id"]: (float(row["x"]), float(row["y"])) for row in rows}
    lines = [line for town in table.towns for line in town.lines]
    return [Spot(line, *middle[line.area.pk]) for line in lines if line.area.pk in middle]


def forecast_words(wall: Wall) -> str:
    """预测 10-24, at the pace of late; empty where all is done or nothing moves."""
    ready = wall.curves.forecast(wall.total.figures.task, PACE_DAYS)
    done = wall.total.figures.complete >= wall.total.figures.task
    return _("预测 %(day)s") % {"day": ready.strftime("%m-%d")} if ready and not done else ""
