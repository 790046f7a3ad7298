"""（镇、村）两级管理台账: the same rows at the level of villages and at that of their households.

Every figure of a village is the count of rows that the ledger shows for the same condition.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Count, Max
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _lazy

from households.models import Area, Household, StepKind, User
from households.models.households import HouseholdQuerySet
from plans import progress
from plans.models import PlanItem, TaskPlan


@dataclass(frozen=True)
class Figure:
    """One column: its head, which households it counts, and how the ledger's address asks it."""

    key: str
    head: Promise
    of: Callable[[HouseholdQuerySet], HouseholdQuerySet]
    query: str


def _through(kind: StepKind) -> Callable[[HouseholdQuerySet], HouseholdQuerySet]:
    return lambda rows: rows.through(kind)


FIGURES = (
    Figure("listed", _lazy("列入计划"), HouseholdQuerySet.in_task, "progress=listed"),
    Figure("signed", _lazy("签订协议"), _through(StepKind.SIGNED), "progress=signed"),
    Figure("installed", _lazy("安装"), _through(StepKind.INSTALLED), "progress=installed"),
    Figure("complete", _lazy("完工"), HouseholdQuerySet.complete, "progress=complete"),
    Figure("accepted", _lazy("验收"), HouseholdQuerySet.accepted, "progress=accepted"),
    Figure("proven", _lazy("运行检验合格"), _through(StepKind.PROVEN), "progress=proven"),
    Figure(
        "withdrawn",
        _lazy("退出改造"),
        lambda rows: rows.exclude(withdrawn_on=None),
        "state=withdrawn",
    ),
    Figure(
        "papers_incomplete",
        _lazy("手续不全"),
        HouseholdQuerySet.papers_incomplete,
        "state=papers_incomplete",
    ),
)


@dataclass
class Line:
    """A village (or a town's 散户), a subtotal or the total."""

    area: Area
    item: PlanItem | None = None
    village: str = ""
    original: int = 0
    task: int = 0
    bases: tuple[str, ...] = ()
    counts: dict[str, int] = field(default_factory=dict)
    changed_at: datetime | None = None
    where: str = ""  # the households behind its figures, as the ledger's address asks them

    @classmethod
    def summed(cls, area: Area, lines: Iterable[Line], where: str) -> Line:
        every = list(lines)
        return cls(
            area,
            original=sum(line.original for line in every),
            task=sum(line.task for line in every),
            counts={one.key: sum(line.counts[one.key] for line in every) for one in FIGURES},
            changed_at=max((line.changed_at for line in every if line.changed_at), default=None),
            where=where,
        )

    @property
    def cells(self) -> list[tuple[int, str]]:
        """Each figure with the address of its rows."""
        return [(self.counts[one.key], f"{self.where}&{one.query}") for one in FIGURES]


@dataclass(frozen=True)
class Town:
    """A town with its lines; the subtotal stands where there are several."""

    area: Area
    lines: list[Line]
    subtotal: Line


@dataclass(frozen=True)
class Ledger:
    """The first level. `outside` households lie in areas without a line of the plan."""

    plan: TaskPlan
    towns: list[Town]
    total: Line
    outside: int


def ledger(user: User, plan: TaskPlan) -> Ledger:
    """The plan's lines that the user may see, with what has been reached."""
    table = progress.table(user, plan)
    rows = progress.households(user, plan)
    counts = {one.key: _by_area(one.of(rows)) for one in FIGURES}
    changed = dict(rows.order_by().values_list("area_id").annotate(last=Max("updated_at")))
    year = f"year={plan.year}"
    towns = []
    for town in table.towns:
        lines = [_line(row, counts, changed, year) for row in town.lines]
        subtotal = Line.summed(town.area, lines, f"{year}&area={town.area.pk}")
        towns.append(Town(town.area, lines, subtotal))
    every = (line for town in towns for line in town.lines)
    total = Line.summed(plan.district, every, year)
    return Ledger(plan, towns, total, table.outside)


def _by_area(rows: HouseholdQuerySet) -> dict[int, int]:
    return dict(rows.order_by().values_list("area_id").annotate(n=Count("pk")))


def _line(
    row: progress.Row,
    counts: dict[str, dict[int, int]],
    changed: dict[int, datetime],
    year: str,
) -> Line:
    pk = row.area.pk
    figures = row.figures
    return Line(
        row.area,
        row.item,
        row.area.as_village,
        figures.original,
        figures.task,
        row.bases,
        {key: n.get(pk, 0) for key, n in counts.items()},
        changed.get(pk),
        f"{year}&exactly={pk}",
    )


def homes(user: User, area: Area, year: int) -> HouseholdQuerySet:
    """The second level: the households of one village (of a town: its 散户), by number."""
    rows = Household.objects.visible_to(user).filter(area=area, year=year)
    return rows.select_related("area__owner").prefetch_related("steps").order_by("number")
