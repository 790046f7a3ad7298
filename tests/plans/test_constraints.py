from datetime import date

import pytest

from households import clock
from plans.models import PlanItem, TaskPlan, WallLink
from tests.cast import Cast
from tests.constraints import Case, named, refused


def plan(cast: Cast, **changes: object) -> TaskPlan:
    fields = {
        "district": cast.area("城区"),
        "year": 2026,
        "basis": "测试〔2026〕1号",
        "starts_on": date(2026, 5, 28),
        "works_done_by": date(2026, 10, 10),
        "ends_on": date(2026, 10, 31),
    }
    return TaskPlan.objects.create(**fields | changes)


def item(cast: Cast, **changes: object) -> PlanItem:
    fields = {"seq": 12, "area": cast.area("洞头村"), "households": 26, "coal_to_electricity": 26}
    of = TaskPlan.objects.first() or plan(cast)
    return PlanItem.objects.create(plan=of, **fields | changes)


def wall_link_without_a_day(cast: Cast) -> object:
    now = clock.now()
    return WallLink.objects.create(
        name="一楼", created_by=cast.district_officer, created_at=now, expires_at=now
    )


def two(make: Case, **changes: object) -> Case:
    """Once as it should be, then again but for `changes`."""

    def case(cast: Cast) -> object:
        make(cast)
        return make(cast, **changes)

    return case


CASES: list[tuple[str, Case]] = [
    ("plan_once_a_year", two(plan, basis="测试〔2026〕2号")),
    ("plan_dates_in_order", lambda cast: plan(cast, starts_on=date(2026, 10, 10))),
    ("plan_dates_in_order", lambda cast: plan(cast, ends_on=date(2026, 10, 9))),
    ("plan_item_seq_once", two(item)),
    ("plan_item_area_once", two(item, seq=13)),
    ("plan_item_methods_add_up", lambda cast: item(cast, households=27)),
    ("plan_item_methods_add_up", lambda cast: item(cast, central_heating=1)),
    ("wall_link_ends_after_it_begins", wall_link_without_a_day),
]


@pytest.mark.parametrize(("name", "case"), CASES)
def test_the_database_refuses(cast: Cast, name: str, case: Case) -> None:
    with refused(name):
        case(cast)


def test_no_constraint_is_left_untried() -> None:
    assert {name for name, _ in CASES} == named("plans")


def test_a_line_knows_its_households_by_method(cast: Cast) -> None:
    assert list(item(cast).by_method.values()) == [0, 26, 0, 0]


@pytest.mark.parametrize(
    ("who", "lines"),
    [("district_officer", 1), ("town_officer", 1), ("clerk", 1), ("outsider", 0), ("rival", 0)],
)
def test_each_sees_the_lines_of_his_place(cast: Cast, who: str, lines: int) -> None:
    item(cast)
    assert PlanItem.objects.visible_to(getattr(cast, who)).count() == lines
