"""Keeping the year's task plan: areas in the notice's order, one plan a year, one line a place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.db import transaction
from django.db.models import F

from households import numbering
from households.models import Area
from plans.annex1 import LARGEST_SEQ, NUMBERS, Line
from plans.models import PlanItem, TaskPlan


@dataclass(frozen=True)
class Stored:
    """What an import did to the plan's lines."""

    plan: TaskPlan
    added: int
    changed: int
    removed: int
    unchanged: int


@transaction.atomic
def store(
    lines: Sequence[Line],
    *,
    district: Area,
    year: int,
    basis: str,
    starts_on: date,
    works_done_by: date,
    ends_on: date,
) -> Stored:
    """Make the year's plan say what the lines say; what already says so is not touched.

    Areas that are missing are made, with their owner and the notice's order. Raises
    ValidationError for a basis or dates that cannot be.
    """
    Area.objects.select_for_update().get(pk=district.pk)  # two imports: one after the other
    plan = TaskPlan.objects.filter(district=district, year=year).first()
    plan = plan or TaskPlan(district=district, year=year)
    plan.basis, plan.starts_on = basis, starts_on
    plan.works_done_by, plan.ends_on = works_done_by, ends_on
    plan.full_clean()
    plan.save()
    areas = _areas(lines, district)
    wanted = {areas[line.town, line.village].pk: line for line in lines}
    for line in lines:
        numbering.lay(areas[line.town, line.village], year, line.seq)
    return _items(plan, wanted)


def _areas(lines: Sequence[Line], district: Area) -> dict[tuple[str, str], Area]:
    areas: dict[tuple[str, str], Area] = {}
    for line in lines:
        town = areas.get((line.town, ""))
        if town is None:
            order = sum(not village for _town, village in areas) + 1
            town = _area(Area.Level.TOWN, district, line.town, order)
            areas[line.town, ""] = town
        if line.village:
            village = _area(Area.Level.VILLAGE, town, line.village, line.seq)
            areas[line.town, line.village] = village
    return areas


def _area(level: Area.Level, owner: Area, name: str, order: int) -> Area:
    defaults = {"level": level, "order": order}
    area, made = Area.objects.get_or_create(owner=owner, name=name, defaults=defaults)
    if not made and area.order != order:
        area.order = order
        area.save(update_fields=["order"])
    return area


def _items(plan: TaskPlan, wanted: dict[int, Line]) -> Stored:
    there = {item.area_id: item for item in plan.items.all()}
    gone = [item.pk for area, item in there.items() if area not in wanted]
    changed = [
        _item(plan, area, line, there[area])
        for area, line in wanted.items()
        if area in there and not _says(there[area], line)
    ]
    added = [
        _item(plan, area, line, PlanItem()) for area, line in wanted.items() if area not in there
    ]
    plan.items.filter(pk__in=gone).delete()
    # First out of each other's way: a changed order must not meet a serial number still in use.
    plan.items.filter(pk__in=[item.pk for item in changed]).update(seq=F("seq") + LARGEST_SEQ)
    PlanItem.objects.bulk_update(changed, ["seq", *NUMBERS, "note"])
    PlanItem.objects.bulk_create(added)
    return Stored(
        plan, len(added), len(changed), len(gone), len(wanted) - len(added) - len(changed)
    )


def _says(item: PlanItem, line: Line) -> bool:
    return all(getattr(item, name) == value for name, value in _values(line).items())


def _item(plan: TaskPlan, area: int, line: Line, item: PlanItem) -> PlanItem:
    item.plan, item.area_id = plan, area
    for name, value in _values(line).items():
        setattr(item, name, value)
    return item


def _values(line: Line) -> dict[str, int | str]:
    numbers = {column: line.numbers[column] for column in NUMBERS}
    return {"seq": line.seq, "note": line.note, **numbers}
