"""Change slips: what each kind does, that it happens once, and who may do what."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from households import clock
from households.archive import documents
from households.models import (
    Area,
    ChangeSlip,
    Document,
    Household,
    Method,
    Part,
    Role,
    SlipActKind,
    SlipKind,
    SlipState,
    StepKind,
)
from households.village_lists import list_papers, slips
from households.village_lists.slip_effects import SlipRefused
from households.village_lists.slips import LOCKED, Locks, why_locked
from tests import cast as make
from tests.cast import Cast
from tests.households import list_scene
from tests.households.archive.test_pdf_files import PAGE, pdf
from tests.households.list_scene import photo


@pytest.fixture(autouse=True)
def june() -> Iterator[None]:
    with clock.at(list_scene.JUNE):
        yield


@pytest.fixture
def area(cast: Cast) -> Area:
    return cast.area("泽州东社区")


@pytest.fixture
def homes(cast: Cast, area: Area) -> Iterator[list[Household]]:
    """Three households in the plan; the days go on after their list is filed."""
    homes = list_scene.waiting(area, by=cast.town_officer)
    list_scene.filed(cast, area)
    with clock.at(list_scene.JUNE + timedelta(days=20)):
        for home in homes:
            home.refresh_from_db()
        yield homes


def candidate(cast: Cast, area: Area, number: str = "26-90-0001") -> Household:
    """Registered and in no plan."""
    home = make.household(area, number=number, method=Method.COAL_TO_ELECTRICITY)
    make.reach(home, StepKind.SURVEYED, cast.town_officer, on=clock.today())
    return home


def drafted(cast: Cast, kind: SlipKind, *lines: tuple[Household | None, Part],
            **values: Any) -> ChangeSlip:  # fmt: skip
    slip = slips.draft(
        kind,
        lines,
        by=cast.town_officer,
        basis="钟街办〔2026〕12 号",
        basis_on=clock.today(),
        reason=ChangeSlip.Why.GIVEN_UP,
        values=values,
    )
    list_papers.add(slip, photo(), title="依据", by=cast.town_officer)
    return slip


def brought(cast: Cast, slip: ChangeSlip) -> ChangeSlip:
    """Before the district."""
    slips.submit(slip, by=cast.town_officer)
    return slips.review(slip, by=cast.town_officer)


def effective(cast: Cast, slip: ChangeSlip) -> ChangeSlip:
    return slips.approve(brought(cast, slip), by=cast.district_officer)


def change_of_task(slip: ChangeSlip) -> list[tuple[str, str]]:
    return [(line.left, line.joined) for line in slip.lines.all()]


def refused(words: str) -> Any:
    return pytest.raises(SlipRefused, match=words)


# -- what each kind does --------------------------------------------------------------------


def test_a_household_that_gives_up_leaves_the_task_and_keeps_its_history(
    cast: Cast, homes: list[Household]
) -> None:
    slip = effective(cast, drafted(cast, SlipKind.WITHDRAWN, (homes[0], Part.LEAVES)))
    gone = Household.objects.get(pk=homes[0].pk)
    assert (gone.withdrawn_on, gone.state) == (clock.today(), "withdrawn")
    assert gone.steps.count() == 2
    assert change_of_task(slip) == [("central_heating", "")]
    assert slips.told(slip.lines.get().after) == [("退出改造", str(clock.today()))]


def test_a_new_household_joins_the_filed_list(
    cast: Cast, area: Area, homes: list[Household]
) -> None:
    new = candidate(cast, area)
    slip = effective(cast, drafted(cast, SlipKind.ADDED, (new, Part.JOINS)))
    new.refresh_from_db()
    assert (new.listed_on, new.state) == (clock.today(), "to_sign")
    assert slip.number in new.steps.get(kind="listed").note
    assert change_of_task(slip) == [("", "coal_to_electricity")]


def test_a_swap_takes_one_out_and_one_in(cast: Cast, area: Area, homes: list[Household]) -> None:
    new = candidate(cast, area)
    lines = ((homes[0], Part.LEAVES), (new, Part.JOINS))
    slip = effective(cast, drafted(cast, SlipKind.SWAPPED, *lines))
    states = {home.number: home.state for home in Household.objects.filter(area=area)}
    assert (states[homes[0].number], states[new.number]) == ("withdrawn", "to_sign")
    assert sorted(change_of_task(slip)) == [("", "coal_to_electricity"), ("central_heating", "")]


def test_a_changed_method_moves_the_task_from_one_method_to_the_other(
    cast: Cast, homes: list[Household]
) -> None:
    lines = [(home, Part.CHANGES) for home in homes[:2]]
    new = Method.INDUSTRIAL_WASTE_HEAT
    slip = effective(cast, drafted(cast, SlipKind.METHOD, *lines, method=new.value))
    assert set(Household.objects.filter(pk__in=[h.pk for h in homes[:2]]).values_list(
        "method", flat=True)) == {new}  # fmt: skip
    assert change_of_task(slip) == [("central_heating", new.value)] * 2
    line = slip.lines.first()
    assert line is not None
    assert slips.told(line.before) == [("改造方式", "集中供热")]
    assert slips.told(line.after) == [("改造方式", "工业余热")]


def test_another_householder_changes_no_task(cast: Cast, homes: list[Household]) -> None:
    line = (homes[0], Part.CHANGES)
    slip = effective(cast, drafted(cast, SlipKind.HOUSEHOLDER, line, householder="新户主"))
    homes[0].refresh_from_db()
    assert homes[0].householder == "新户主"
    assert homes[0].householder_sound == "xin hu zhu"
    assert change_of_task(slip) == [("", "")]


def test_a_split_makes_a_second_household_with_a_number_of_its_own(
    cast: Cast, area: Area, homes: list[Household]
) -> None:
    values = {"householder": "分出户", "door": "测试路 1 号西", "heated_area": "36.0"}
    lines = ((homes[0], Part.STAYS), (None, Part.JOINS))
    slip = effective(cast, drafted(cast, SlipKind.SPLIT, *lines, **values))
    homes[0].refresh_from_db()
    new = slip.lines.get(part=Part.JOINS).household
    assert new is not None
    assert (new.householder, new.heated_area, new.method) == (
        "分出户",
        Decimal(36),
        homes[0].method,
    )
    assert new.number not in {home.number for home in homes}
    assert new.state == "to_sign"
    assert homes[0].heated_area == Decimal("50.0")
    assert sorted(change_of_task(slip)) == [("", ""), ("", "central_heating")]


def test_a_split_gives_no_more_than_there_is(cast: Cast, homes: list[Household]) -> None:
    values = {"householder": "分出户", "door": "x", "heated_area": "86.0"}
    lines = ((homes[0], Part.STAYS), (None, Part.JOINS))
    slip = brought(cast, drafted(cast, SlipKind.SPLIT, *lines, **values))
    with refused("不能大于"):
        slips.approve(slip, by=cast.district_officer)
    assert Household.objects.filter(area=homes[0].area).count() == 3


def test_two_become_one_and_the_other_stays_readable(cast: Cast, homes: list[Household]) -> None:
    lines = ((homes[0], Part.STAYS), (homes[1], Part.LEAVES))
    slip = effective(cast, drafted(cast, SlipKind.MERGED, *lines))
    for home in homes:
        home.refresh_from_db()
    assert homes[0].heated_area == 172
    assert homes[1].withdrawn_on == clock.today()
    assert sorted(change_of_task(slip)) == [("", ""), ("central_heating", "")]


def test_what_a_slip_rests_on_lies_in_the_file_of_each_of_its_households(
    cast: Cast, homes: list[Household]
) -> None:
    slip = drafted(cast, SlipKind.WITHDRAWN, *((home, Part.LEAVES) for home in homes))
    scan = list_papers.add(slip, io.BytesIO(pdf(PAGE, PAGE)), title="批复", by=cast.town_officer)
    assert not Document.objects.exists()
    effective(cast, slip)
    for home in homes:
        entries = [entry for entry in documents.contents(home) if entry.document]
        assert {entry.label for entry in entries} == {f"变更依据（{slip.number}）"}
        assert {entry.pages for entry in entries} == {1, 2}
        assert scan.file in {entry.document.file for entry in entries if entry.document}


def test_vacant_and_to_be_pulled_down_are_marked_and_stay_in_the_task(
    cast: Cast, homes: list[Household]
) -> None:
    effective(cast, drafted(cast, SlipKind.VACANT, (homes[0], Part.CHANGES)))
    line = (homes[1], Part.CHANGES)
    effective(cast, drafted(cast, SlipKind.DEMOLITION, line, demolition_on="2027-05-01"))
    for home in homes:
        home.refresh_from_db()
    assert homes[0].vacant
    assert (homes[1].in_demolition_plan, homes[1].demolition_on) == (True, date(2027, 5, 1))
    assert not any(home.withdrawn_on for home in homes)


# -- what cannot be ------------------------------------------------------------------------


def test_what_is_not_filed_needs_no_slip(cast: Cast, area: Area, homes: list[Household]) -> None:
    with refused("还没有备案"):
        drafted(cast, SlipKind.WITHDRAWN, (candidate(cast, area), Part.LEAVES))


def test_who_is_in_the_plan_cannot_join_it(cast: Cast, homes: list[Household]) -> None:
    with refused("已经在名单里"):
        drafted(cast, SlipKind.ADDED, (homes[0], Part.JOINS))


def test_a_draft_joins_nothing(cast: Cast, area: Area, homes: list[Household]) -> None:
    home = make.household(area, number="26-90-0002")
    with refused("暂存"):
        drafted(cast, SlipKind.ADDED, (home, Part.JOINS))


def test_while_the_list_is_under_way_a_new_household_goes_with_it(cast: Cast, area: Area) -> None:
    list_scene.waiting(area, by=cast.town_officer)
    list_scene.verified(cast, area)
    with refused("随名单一起报"):
        drafted(cast, SlipKind.ADDED, (candidate(cast, area), Part.JOINS))


def test_a_slip_is_of_one_village(cast: Cast, area: Area, homes: list[Household]) -> None:
    other = candidate(cast, cast.area("洞头村"), "26-91-0001")
    lines = ((homes[0], Part.LEAVES), (other, Part.JOINS))
    with refused("一张变更单只办一个村"):
        drafted(cast, SlipKind.SWAPPED, *lines)


def test_an_accepted_household_does_not_leave(cast: Cast, homes: list[Household]) -> None:
    make.reach(homes[0], StepKind.ACCEPTED, cast.town_officer, on=clock.today())
    with refused("已竣工验收"):
        drafted(cast, SlipKind.WITHDRAWN, (homes[0], Part.LEAVES))


def test_after_the_installation_the_method_stays(cast: Cast, homes: list[Household]) -> None:
    make.reach(homes[0], StepKind.INSTALLED, cast.town_officer, on=clock.today())
    with refused("已记录安装"):
        method = Method.COAL_TO_GAS.value
        drafted(cast, SlipKind.METHOD, (homes[0], Part.CHANGES), method=method)


@pytest.mark.parametrize(
    ("kind", "values"),
    [(SlipKind.METHOD, {}), (SlipKind.HOUSEHOLDER, {}), (SlipKind.DEMOLITION, {})],
)
def test_a_kind_asks_for_its_values(
    cast: Cast, homes: list[Household], kind: SlipKind, values: dict[str, str]
) -> None:
    with refused("没有填"):
        drafted(cast, kind, (homes[0], Part.CHANGES), **values)


def test_a_swap_wants_both_of_its_households(cast: Cast, homes: list[Household]) -> None:
    with refused("不全"):
        drafted(cast, SlipKind.SWAPPED, (homes[0], Part.LEAVES))


def test_a_refused_draft_leaves_nothing_behind(cast: Cast, homes: list[Household]) -> None:
    with refused("已经在名单里"):
        drafted(cast, SlipKind.ADDED, (homes[0], Part.JOINS))
    assert not ChangeSlip.objects.exists()


def test_no_slip_goes_on_without_a_scan_of_its_basis(cast: Cast, homes: list[Household]) -> None:
    slip = drafted(cast, SlipKind.WITHDRAWN, (homes[0], Part.LEAVES))
    slip.papers.all().delete()
    with refused("扫描件"):
        slips.submit(slip, by=cast.town_officer)


# -- once ----------------------------------------------------------------------------------


def test_a_slip_takes_effect_exactly_once(cast: Cast, homes: list[Household]) -> None:
    slip = effective(cast, drafted(cast, SlipKind.WITHDRAWN, (homes[0], Part.LEAVES)))
    with refused("已生效"):
        slips.approve(slip, by=cast.district_officer)
    assert slip.lines.count() == 1


def test_two_slips_about_one_household_cannot_both_take_effect(
    cast: Cast, homes: list[Household]
) -> None:
    first, second = (
        brought(cast, drafted(cast, SlipKind.WITHDRAWN, (homes[0], Part.LEAVES))) for _ in range(2)
    )
    slips.approve(first, by=cast.district_officer)
    with refused("退出改造"):
        slips.approve(second, by=cast.district_officer)
    second.refresh_from_db()
    assert second.state == SlipState.REVIEWED


def test_of_many_households_all_change_or_none(cast: Cast, homes: list[Household]) -> None:
    lines = [(home, Part.LEAVES) for home in homes]
    slip = brought(cast, drafted(cast, SlipKind.WITHDRAWN, *lines))
    make.reach(homes[2], StepKind.ACCEPTED, cast.town_officer, on=clock.today())
    with refused(homes[2].number):
        slips.approve(slip, by=cast.district_officer)
    assert not Household.objects.filter(area=homes[0].area).exclude(withdrawn_on=None).exists()


def test_numbers_go_on_within_town_and_year_and_are_never_used_again(
    cast: Cast, homes: list[Household]
) -> None:
    first = drafted(cast, SlipKind.VACANT, (homes[0], Part.CHANGES))
    slips.cancel(first, by=cast.town_officer)
    second = drafted(cast, SlipKind.VACANT, (homes[0], Part.CHANGES))
    assert (first.number, second.number) == ("2026-钟家庄街道-001", "2026-钟家庄街道-002")


def test_a_returned_slip_is_written_anew_and_goes_on(cast: Cast, homes: list[Household]) -> None:
    slip = brought(cast, drafted(cast, SlipKind.WITHDRAWN, (homes[0], Part.LEAVES)))
    with refused("请选择原因"):
        slips.send_back(slip, by=cast.district_officer, reasons=[])
    slips.send_back(slip, by=cast.district_officer, reasons=["basis"], text="缺签字")
    lines = [(homes[1], Part.LEAVES)]
    again = slips.draft(SlipKind.WITHDRAWN, lines, by=cast.town_officer, slip=slip, note="改")
    assert again.number == slip.number
    effective(cast, again)
    assert [home.state for home in Household.objects.filter(area=homes[0].area)] == [
        "to_sign",
        "withdrawn",
        "to_sign",
    ]


def test_a_refused_slip_is_at_its_end(cast: Cast, homes: list[Household]) -> None:
    slip = drafted(cast, SlipKind.WITHDRAWN, (homes[0], Part.LEAVES))
    slips.submit(slip, by=cast.town_officer)
    slips.refuse(slip, by=cast.town_officer, reasons=["policy"])
    for act in (slips.submit, slips.review, slips.cancel):
        with refused("不予变更"):
            act(slip, by=cast.town_officer)
    assert not ChangeSlip.objects.open().exists()


# -- what is locked ------------------------------------------------------------------------


def test_what_a_slip_changes_is_locked_once_the_list_is_filed(
    cast: Cast, area: Area, homes: list[Household]
) -> None:
    assert set(Locks().of(homes[0])) == set(LOCKED)
    assert Locks().of(candidate(cast, area)) == {}
    assert why_locked("householder") == "名单已备案，“户主”只能用变更单（户主变更）修改"


@pytest.mark.parametrize("field", LOCKED)
def test_every_lock_names_its_kind_of_slip(field: str) -> None:
    assert str(LOCKED[field].label) in why_locked(field)


# -- who may do what: every state, every role, every act -------------------------------------

DRAFTERS = {Role.CLERK, Role.TOWN}
LAWFUL: dict[tuple[str | None, SlipActKind], set[Role]] = {
    (None, SlipActKind.DRAFT): DRAFTERS,
    ("draft", SlipActKind.DRAFT): DRAFTERS,
    ("draft", SlipActKind.SUBMIT): DRAFTERS,
    ("draft", SlipActKind.CANCEL): DRAFTERS,
    ("returned", SlipActKind.DRAFT): DRAFTERS,
    ("returned", SlipActKind.SUBMIT): DRAFTERS,
    ("returned", SlipActKind.CANCEL): DRAFTERS,
    ("submitted", SlipActKind.CANCEL): DRAFTERS,
    ("submitted", SlipActKind.REVIEW): {Role.TOWN},
    ("submitted", SlipActKind.RETURN): {Role.TOWN},
    ("submitted", SlipActKind.REFUSE): {Role.TOWN},
    ("reviewed", SlipActKind.APPROVE): {Role.DISTRICT},
    ("reviewed", SlipActKind.RETURN): {Role.DISTRICT},
    ("reviewed", SlipActKind.REFUSE): {Role.DISTRICT},
}


@pytest.mark.parametrize("state", [None, *SlipState.values])
@pytest.mark.parametrize("role", list(Role))
def test_each_role_has_just_its_acts_in_each_state(
    cast: Cast, state: str | None, role: Role
) -> None:
    person = make.user("x", role, cast.area("洞头村") if role in DRAFTERS else None)
    wanted = {kind for (at, kind), roles in LAWFUL.items() if at == state and role in roles}
    assert slips.acts(person, state) == wanted
    person.is_active = False
    assert slips.acts(person, state) == set()
