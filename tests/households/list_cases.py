"""What the database refuses of lists, change slips and their papers (see test_constraints)."""

from __future__ import annotations

from datetime import date
from typing import Any

from households.models import (
    ChangeSlip,
    ListAct,
    ListEntry,
    Objection,
    Paper,
    SlipAct,
    SlipLine,
    Step,
    VillageList,
)
from tests.cast import SERVICE_BEGAN, Cast
from tests.constraints import Case

DAY = date(2026, 6, 1)


def a_list(cast: Cast, **changes: Any) -> VillageList:
    fields = {"area": cast.area("洞头村"), "year": 2026, "state": "verified", "verified_on": DAY}
    return VillageList.objects.create(**fields | changes)


def a_slip(cast: Cast, **changes: Any) -> ChangeSlip:
    fields = {
        "year": 2026,
        "area": cast.area("洞头村"),
        "town": cast.area("钟家庄街道"),
        "serial": 1,
        "kind": "withdrawn",
        "basis": "钟街办〔2026〕3号",
        "basis_on": DAY,
        "reason": "自愿放弃",
        "drafted_by": cast.clerk,
        "drafted_at": SERVICE_BEGAN,
    }
    return ChangeSlip.objects.create(**fields | changes)


def of_list(**changes: Any) -> Case:
    return lambda cast: a_list(cast, **changes)


def of_slip(**changes: Any) -> Case:
    return lambda cast: a_slip(cast, **changes)


def twice_a_year(cast: Cast) -> object:
    return [a_list(cast), a_list(cast)]


def entered_twice(cast: Cast) -> object:
    listed = a_list(cast)
    for _ in range(2):
        ListEntry.objects.create(village_list=listed, household=cast.water_household)
    return listed


def an_act_of_no_kind(cast: Cast) -> object:
    who = {"by": cast.clerk, "at": SERVICE_BEGAN, "on": DAY}
    return ListAct.objects.create(village_list=a_list(cast), kind="bless", **who)


def an_objection(**changes: Any) -> Case:
    fields = {"raised_on": DAY, "text": "面积不对", "at": SERVICE_BEGAN} | changes
    return lambda cast: Objection.objects.create(village_list=a_list(cast), by=cast.clerk, **fields)


def a_paper_of_nothing(cast: Cast) -> object:
    return Paper.objects.create(title="x", size=1, added_by=cast.clerk, added_at=SERVICE_BEGAN)


def a_paper_of_both(cast: Cast) -> object:
    owners = {"village_list": a_list(cast), "slip": a_slip(cast)}
    return Paper.objects.create(size=1, added_by=cast.clerk, added_at=SERVICE_BEGAN, **owners)


def a_line(**fields: Any) -> Case:
    return lambda cast: SlipLine.objects.create(
        slip=a_slip(cast), household=cast.water_household, **fields
    )


def two_lines_of_one(cast: Cast) -> object:
    slip = a_slip(cast)
    for part in ("leaves", "joins"):
        SlipLine.objects.create(slip=slip, household=cast.water_household, part=part)
    return slip


def a_slip_act_of_no_kind(cast: Cast) -> object:
    who = {"by": cast.clerk, "at": SERVICE_BEGAN}
    return SlipAct.objects.create(slip=a_slip(cast), kind="bless", **who)


def two_of_a_number(cast: Cast) -> object:
    return [a_slip(cast), a_slip(cast)]


def later(**fields: Any) -> Case:
    who = {"on": DAY, "recorded_at": SERVICE_BEGAN, "kind": "surveyed"}
    return lambda cast: Step.objects.create(
        household=cast.water_household, recorded_by=cast.clerk, **who, **fields
    )


CASES: list[tuple[str, Case]] = [
    ("village_list_once_a_year", twice_a_year),
    ("village_list_state_known", of_list(state="lost")),
    ("village_list_notice_in_order", of_list(notice_from=DAY)),
    ("village_list_notice_in_order", of_list(notice_to=DAY)),
    ("village_list_notice_in_order", of_list(notice_from=DAY, notice_to=date(2026, 5, 31))),
    ("village_list_filed_on_a_day", of_list(state="filed")),
    ("village_list_filed_on_a_day", of_list(filed_on=DAY)),
    ("list_entry_once_per_household", entered_twice),
    ("list_act_kind_known", an_act_of_no_kind),
    ("objection_settled_whole", an_objection(outcome="已核实")),
    ("objection_settled_whole", an_objection(settled_on=DAY)),
    ("paper_of_one_list_or_slip", a_paper_of_nothing),
    ("paper_of_one_list_or_slip", a_paper_of_both),
    ("slip_number_once_per_town", two_of_a_number),
    ("slip_kind_known", of_slip(kind="whim")),
    ("slip_state_known", of_slip(state="lost")),
    ("slip_effective_on_a_day", of_slip(state="effective")),
    ("slip_effective_on_a_day", of_slip(effective_on=DAY)),
    ("slip_line_once_per_household", two_lines_of_one),
    ("slip_line_part_known", a_line(part="hides")),
    ("slip_line_methods_known", a_line(part="leaves", left="coal")),
    ("slip_line_methods_known", a_line(part="joins", joined="coal")),
    ("slip_act_kind_known", a_slip_act_of_no_kind),
    ("step_entered_later_says_who_and_why", later(entered_later=True)),
    ("step_entered_later_says_who_and_why", later(entered_later=True, done_by="村委")),
    ("step_entered_later_says_who_and_why", later(why="漏录")),
]
