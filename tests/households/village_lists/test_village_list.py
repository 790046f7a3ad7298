"""The list of a village on its way to the plan."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import settings as examples
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from households import clock
from households.models import (
    Household,
    ListAct,
    ListActKind,
    ListState,
    Role,
    Step,
    StepKind,
    VillageList,
)
from households.village_lists import list_checks, list_papers, objections, village_list
from households.village_lists.slips import Locks
from households.village_lists.village_list import ListRefused
from tests import cast as make
from tests.cast import Cast
from tests.households import list_scene
from tests.households.list_scene import after_notice, photo


@pytest.fixture(autouse=True)
def june() -> Iterator[None]:
    with clock.at(list_scene.JUNE):
        yield


@pytest.fixture
def homes(cast: Cast) -> list[Household]:
    """Three of a village that has no other household."""
    return list_scene.waiting(cast.area("泽州东社区"), by=cast.town_officer)


def refused(words: str) -> Any:
    return pytest.raises(ListRefused, match=words)


# -- the way -------------------------------------------------------------------------------


def test_a_list_goes_from_the_village_over_notice_and_town_into_the_plan(
    cast: Cast, homes: list[Household]
) -> None:
    one = list_scene.filed(cast, cast.area("泽州东社区"))
    filed_on = date(2026, 6, 10)
    assert (one.state, one.filed_on) == (ListState.FILED, filed_on)
    for home in homes:
        home.refresh_from_db()
        assert (home.listed_on, home.state) == (filed_on, "to_sign")
    acts = [(act.kind, act.by) for act in one.acts.all()]
    town, district = cast.town_officer, cast.district_officer
    assert acts == [
        ("verify", town),
        ("notice", town),
        ("submit", town),
        ("review", town),
        ("file", district),
    ]


def test_a_clerk_does_the_villages_part(cast: Cast) -> None:
    area = cast.area("洞头村")
    Household.objects.filter(area=area).update(withdrawn_on=date(2026, 6, 1))
    list_scene.waiting(area, by=cast.clerk)
    one = list_scene.noticed(cast, area, by=cast.clerk)
    with clock.at(after_notice()):
        village_list.submit(one, by=cast.clerk)
        with refused("不能"):
            village_list.review(one, by=cast.clerk)
    assert VillageList.objects.get().state == ListState.SUBMITTED


def test_a_town_verifies_for_its_scattered_households(cast: Cast) -> None:
    town = cast.area("钟家庄街道")
    scattered = list_scene.waiting(town, by=cast.town_officer)
    in_village = list_scene.waiting(cast.area("泽州东社区"), by=cast.town_officer)
    one = list_scene.verified(cast, town)
    listed = {entry.household for entry in one.entries.all()}
    assert listed == set(scattered)
    assert not listed & set(in_village)


def test_the_district_files_many_lists_at_once_or_none(cast: Cast, homes: list[Household]) -> None:
    list_scene.waiting(cast.area("钟家庄街道"), by=cast.town_officer)
    ready = [list_scene.reviewed(cast, cast.area(name)) for name in ("泽州东社区", "钟家庄街道")]
    Household.objects.filter(pk=homes[0].pk).update(householder="换了人")
    with clock.at(after_notice(9)):
        with refused(homes[0].number):
            village_list.file(ready, by=cast.district_officer)
        assert not Household.objects.exclude(listed_on=None).exists()
        Household.objects.filter(pk=homes[0].pk).update(householder=homes[0].householder)
        assert village_list.file(ready, by=cast.district_officer) == 6
    assert Step.objects.filter(kind=StepKind.LISTED).count() == 6


def test_filing_twice_takes_no_second_step(cast: Cast, homes: list[Household]) -> None:
    one = list_scene.filed(cast, cast.area("泽州东社区"))
    with refused("已备案"):
        village_list.file([one], by=cast.district_officer)
    assert Step.objects.filter(kind=StepKind.LISTED).count() == 3


# -- what hinders --------------------------------------------------------------------------


def test_a_draft_or_a_missing_value_keeps_the_whole_list_and_is_named(
    cast: Cast, homes: list[Household]
) -> None:
    area = cast.area("泽州东社区")
    make.household(area, number="26-11-9001", householder="暂存户")
    Household.objects.filter(pk=homes[1].pk).update(heated_area=None)
    found = list_checks.draft(area, 2026).hindrances
    assert [(one.household and one.household.number) for one in found] == [
        "26-11-9001",
        homes[1].number,
    ]
    with refused("暂存"):
        list_scene.verified(cast, area)
    assert not VillageList.objects.exists()


def test_a_village_without_households_has_no_list(cast: Cast) -> None:
    with refused("还没有登记"):
        list_scene.verified(cast, cast.area("泽州东社区"))


def test_a_notice_hangs_at_least_seven_days_both_counted(
    cast: Cast, homes: list[Household]
) -> None:
    one = list_scene.verified(cast, cast.area("泽州东社区"))
    today = clock.today()
    with refused("6 天"):
        village_list.announce(one, today, today + timedelta(days=5), by=cast.town_officer)
    with refused("早于核实"):
        begin = today - timedelta(days=1)
        village_list.announce(one, begin, today + timedelta(days=9), by=cast.town_officer)
    village_list.announce(one, today, today + timedelta(days=6), by=cast.town_officer)


def test_the_length_of_the_notice_is_a_setting(
    cast: Cast, homes: list[Household], settings: object
) -> None:
    settings.NOTICE_DAYS = 10  # type: ignore[attr-defined]
    one = list_scene.verified(cast, cast.area("泽州东社区"))
    with refused("不少于 10 天"):
        today = clock.today()
        village_list.announce(one, today, today + timedelta(days=6), by=cast.town_officer)


def test_nothing_is_submitted_before_the_notice_is_over(cast: Cast, homes: list[Household]) -> None:
    one = list_scene.noticed(cast, cast.area("泽州东社区"))
    with clock.at(after_notice(6)), refused("才结束"):
        village_list.submit(one, by=cast.town_officer)
    with clock.at(after_notice(7)):
        village_list.submit(one, by=cast.town_officer)


def test_a_notice_without_its_photo_is_not_enough(cast: Cast, homes: list[Household]) -> None:
    one = list_scene.verified(cast, cast.area("泽州东社区"))
    end = clock.today() + timedelta(days=6)
    village_list.announce(one, clock.today(), end, by=cast.town_officer)
    with clock.at(after_notice()):
        with refused("照片"):
            village_list.submit(one, by=cast.town_officer)
        list_papers.add(one, photo(), title="公示照片", by=cast.town_officer)
        village_list.submit(one, by=cast.town_officer)


def test_an_objection_must_be_settled_before_the_town_reviews(
    cast: Cast, homes: list[Household]
) -> None:
    one = list_scene.noticed(cast, cast.area("泽州东社区"))
    said = objections.object_to(one, on=clock.today(), text="面积不对", by=cast.town_officer)
    with clock.at(after_notice()):
        with refused("异议"):
            village_list.submit(one, by=cast.town_officer)
        objections.settle(said, outcome="复核属实", by=cast.town_officer)
        village_list.submit(one, by=cast.town_officer)
    said.refresh_from_db()
    assert (said.outcome, said.settled_by) == ("复核属实", cast.town_officer)


def test_an_objection_belongs_into_the_notice(cast: Cast, homes: list[Household]) -> None:
    one = list_scene.verified(cast, cast.area("泽州东社区"))
    with refused("公示期间"):
        objections.object_to(one, on=clock.today(), text="早了", by=cast.town_officer)


# -- what stands still ---------------------------------------------------------------------


def test_while_a_list_is_under_way_what_the_notice_shows_is_locked(
    cast: Cast, homes: list[Household]
) -> None:
    assert Locks().of(homes[0]) == {}
    one = list_scene.verified(cast, cast.area("泽州东社区"))
    locked = Locks().of(homes[0])
    assert set(locked) == {*list_checks.SHOWN, "area"}
    assert "撤回修改" in locked["householder"]
    village_list.take_back(one, by=cast.town_officer, text="错了")
    assert Locks().of(homes[0]) == {}


def test_locks_ask_the_database_once_for_any_number_of_households(
    cast: Cast, homes: list[Household], django_assert_num_queries: object
) -> None:
    list_scene.verified(cast, cast.area("泽州东社区"))
    with django_assert_num_queries(1):  # type: ignore[operator]
        locks = Locks()
        assert all(locks.of(home) for home in homes)


def test_a_row_that_changed_by_another_way_stops_the_list(
    cast: Cast, homes: list[Household]
) -> None:
    one = list_scene.noticed(cast, cast.area("泽州东社区"))
    Household.objects.filter(pk=homes[0].pk).update(householder="换了人")
    with clock.at(after_notice()), refused("与核实时的名单不同"):
        village_list.submit(one, by=cast.town_officer)


def test_who_registers_later_is_not_on_the_list(cast: Cast, homes: list[Household]) -> None:
    area = cast.area("泽州东社区")
    one = list_scene.reviewed(cast, area)
    late = make.household(area, number="26-11-9002", method="central_heating")
    with clock.at(after_notice(9)):
        village_list.file([one], by=cast.district_officer)
    late.refresh_from_db()
    assert late.listed_on is None


# -- returned ------------------------------------------------------------------------------


def test_a_return_names_its_reasons_and_the_village_mends_and_goes_on(
    cast: Cast, homes: list[Household]
) -> None:
    area = cast.area("泽州东社区")
    one = list_scene.noticed(cast, area)
    with clock.at(after_notice()):
        village_list.submit(one, by=cast.town_officer)
        with refused("请选择退回的原因"):
            village_list.send_back(one, by=cast.town_officer, reasons=[])
        with refused("写明原因"):
            village_list.send_back(one, by=cast.town_officer, reasons=["other"])
        village_list.send_back(one, by=cast.town_officer, reasons=["values"], text="见备注")
        assert Locks().of(homes[0]) == {}
        act = ListAct.objects.latest("pk")
        assert (act.kind, act.reasons, act.text) == ("return", ["values"], "见备注")
        Household.objects.filter(pk=homes[0].pk).update(householder="改过的")
        again = list_scene.verified(cast, area)
        assert again.state == ListState.VERIFIED  # another list than was shown: a new notice
        assert again.notice_from is None


def test_what_was_shown_unchanged_needs_no_second_notice(
    cast: Cast, homes: list[Household]
) -> None:
    area = cast.area("泽州东社区")
    one = list_scene.noticed(cast, area)
    with clock.at(after_notice()):
        village_list.submit(one, by=cast.town_officer)
        village_list.send_back(one, by=cast.town_officer, reasons=["objections"])
        Household.objects.filter(pk=homes[0].pk).update(note="补了备注")
        again = list_scene.verified(cast, area)
        assert again.state == ListState.NOTICE
        assert again.notice_from == date(2026, 6, 1)
        village_list.submit(again, by=cast.town_officer)


def test_a_returned_notice_is_hung_anew_with_a_photo_of_its_own(
    cast: Cast, homes: list[Household]
) -> None:
    one = list_scene.noticed(cast, cast.area("泽州东社区"))
    with clock.at(after_notice()):
        village_list.submit(one, by=cast.town_officer)
        village_list.send_back(one, by=cast.town_officer, reasons=["notice"])
    with clock.at(after_notice(9)):
        one = list_scene.verified(cast, cast.area("泽州东社区"))
        assert one.state == ListState.VERIFIED  # unchanged, and yet to be shown again
        today = clock.today()
        village_list.announce(one, today, today + timedelta(days=6), by=cast.town_officer)
    with clock.at(after_notice(17)):
        with refused("还没有这次公示的照片"):
            village_list.submit(one, by=cast.town_officer)
        list_papers.add(one, photo("grey"), title="公示照片", by=cast.town_officer)
        village_list.submit(one, by=cast.town_officer)


def test_mistyped_days_of_a_notice_are_mended_while_it_hangs(
    cast: Cast, homes: list[Household]
) -> None:
    one = list_scene.noticed(cast, cast.area("泽州东社区"))
    begin, shown = clock.today(), one.notice_digest
    late = begin + timedelta(days=365)
    one = village_list.announce(one, begin, late, by=cast.town_officer)
    Household.objects.filter(pk=homes[0].pk).update(householder="换了人")
    one = village_list.announce(one, begin, begin + timedelta(days=6), by=cast.town_officer)
    assert one.notice_to == begin + timedelta(days=6)
    assert one.notice_digest == shown  # what hangs is what was shown, not what stands there since
    with clock.at(after_notice()), refused("与核实时的名单不同"):
        village_list.submit(one, by=cast.town_officer)


def test_a_reviewers_remark_stays_beside_its_household(cast: Cast, homes: list[Household]) -> None:
    area = cast.area("泽州东社区")
    one = list_scene.noticed(cast, area)
    entry = one.entries.get(household=homes[0])
    with refused("审核时"):
        objections.remark(entry, "早了", by=cast.town_officer)
    with clock.at(after_notice()):
        village_list.submit(one, by=cast.town_officer)
        entry.refresh_from_db()
        objections.remark(one.entries.get(household=homes[0]), "核对面积", by=cast.town_officer)
        village_list.send_back(one, by=cast.town_officer, reasons=["values"])
        again = list_scene.verified(cast, area)
    assert again.entries.get(household=homes[0]).remark == "核对面积"


def test_the_district_returns_too(cast: Cast, homes: list[Household]) -> None:
    one = list_scene.reviewed(cast, cast.area("泽州东社区"))
    village_list.send_back(one, by=cast.district_officer, reasons=["plan"])
    one.refresh_from_db()
    assert (one.state, one.filed_on) == (ListState.RETURNED, None)


# -- who may do what: every state, every role, every act -------------------------------------

VILLAGE = {Role.CLERK, Role.TOWN}
LAWFUL: dict[tuple[str | None, ListActKind], set[Role]] = {
    (None, ListActKind.VERIFY): VILLAGE,
    ("returned", ListActKind.VERIFY): VILLAGE,
    ("verified", ListActKind.NOTICE): VILLAGE,
    ("verified", ListActKind.TAKE_BACK): VILLAGE,
    ("notice", ListActKind.NOTICE): VILLAGE,  # its days mended
    ("notice", ListActKind.SUBMIT): VILLAGE,
    ("notice", ListActKind.TAKE_BACK): VILLAGE,
    ("submitted", ListActKind.TAKE_BACK): VILLAGE,
    ("submitted", ListActKind.REVIEW): {Role.TOWN},
    ("submitted", ListActKind.RETURN): {Role.TOWN},
    ("reviewed", ListActKind.FILE): {Role.DISTRICT},
    ("reviewed", ListActKind.RETURN): {Role.DISTRICT},
}


@pytest.mark.parametrize("state", [None, *ListState.values])
@pytest.mark.parametrize("role", list(Role))
def test_each_role_has_just_its_acts_in_each_state(
    cast: Cast, state: str | None, role: Role
) -> None:
    area = cast.area("洞头村") if role in VILLAGE else None
    person = make.user("x", role, area)
    wanted = {kind for (at, kind), roles in LAWFUL.items() if at == state and role in roles}
    assert village_list.acts(person, state) == wanted
    person.is_active = False
    assert village_list.acts(person, state) == set()


NEXT = {"notice": ("submit",), "submitted": ("review",)}
FILED: list[bool] = []  # that the machine got there at all


class ListMachine(RuleBasedStateMachine):
    """Whatever is tried in whatever order, a list is filed only as the law wants it."""

    def __init__(self) -> None:
        super().__init__()
        self.undone = transaction.atomic()  # every example begins with nothing
        self.undone.__enter__()
        self.cast = make.gather()
        self.area = self.cast.area("泽州东社区")
        self.now = list_scene.JUNE
        with clock.at(self.now):
            self.homes = list_scene.waiting(self.area, 2, by=self.cast.town_officer)

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.undone.__exit__(None, None, None)

    def _try(self, act: object, *args: object, **options: object) -> bool:
        with clock.at(self.now):
            try:
                act(*args, **options)  # type: ignore[operator]
            except ListRefused:
                return False
        return True

    def _list(self) -> VillageList | None:
        return VillageList.objects.filter(area=self.area).first()

    @rule(days=st.integers(0, 9))
    def wait(self, days: int) -> None:
        self.now += timedelta(days=days)

    @rule()
    def verify(self) -> None:
        self._try(village_list.verify, self.area, 2026, by=self.cast.town_officer)

    @rule(days=st.integers(1, 12))
    def announce(self, days: int) -> None:
        if one := self._list():
            with clock.at(self.now):
                begin = clock.today()
            end = begin + timedelta(days=days - 1)
            if self._try(village_list.announce, one, begin, end, by=self.cast.town_officer):
                with clock.at(self.now):
                    list_papers.add(one, photo(), title="照片", by=self.cast.town_officer)

    @rule()
    def do_what_comes_next(self) -> None:
        """The lawful act of whoever it belongs to, or filing would seldom be reached."""
        one = self._list()
        if one is None or one.state == ListState.RETURNED:
            self.verify()
        elif one.state == ListState.VERIFIED:
            self.announce(7)
            self.now += timedelta(days=7)
        else:
            who = "district_officer" if one.state == ListState.REVIEWED else "town_officer"
            {"notice": self.go_on, "submitted": self.go_on, "reviewed": self.file}.get(
                one.state, lambda *_: None
            )(who, *NEXT.get(one.state, ()))

    @rule(who=st.sampled_from(["town_officer", "district_officer", "clerk", "reader"]),
          act=st.sampled_from(["submit", "review"]))  # fmt: skip
    def go_on(self, who: str, act: str) -> None:
        if one := self._list():
            self._try(getattr(village_list, act), one, by=getattr(self.cast, who))

    @rule(who=st.sampled_from(["town_officer", "district_officer", "clerk", "reader"]))
    def file(self, who: str) -> None:
        if one := self._list():
            self._try(village_list.file, [one], by=getattr(self.cast, who))

    @rule(who=st.sampled_from(["town_officer", "district_officer"]))
    def send_back(self, who: str) -> None:
        if one := self._list():
            by = getattr(self.cast, who)
            self._try(village_list.send_back, one, by=by, reasons=["values"])

    @rule()
    def take_back(self) -> None:
        if one := self._list():
            self._try(village_list.take_back, one, by=self.cast.town_officer, text="改")

    @rule(name=st.sampled_from(["甲", "乙"]))
    def rename(self, name: str) -> None:
        """An edit past all forms."""
        Household.objects.filter(pk=self.homes[0].pk).update(householder=name)

    @invariant()
    def listed_only_through_a_whole_review_of_what_was_shown(self) -> None:
        one = self._list()
        listed = Household.objects.filter(area=self.area).exclude(listed_on=None)
        if one is None or one.state != ListState.FILED:
            assert not listed.exists()
            return
        FILED.append(True)
        assert {home.pk for home in listed} == {home.pk for home in self.homes}
        assert one.notice_from and one.notice_to and one.filed_on
        assert (one.notice_to - one.notice_from).days >= 6
        assert one.submitted_on and one.submitted_on > one.notice_to
        last = {act.kind: act.by for act in one.acts.all()}
        assert last["review"] == self.cast.town_officer
        assert last["file"] == self.cast.district_officer


def test_no_order_of_acts_files_what_was_not_reviewed(db: None) -> None:
    run_state_machine_as_test(
        ListMachine, settings=examples(max_examples=12, stateful_step_count=14, deadline=None)
    )
    assert FILED
