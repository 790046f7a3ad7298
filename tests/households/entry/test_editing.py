"""Weaving two officers' changes together; the pages are in test_household_pages."""

from __future__ import annotations

import copy
import random
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, connections, transaction

from households.audit import history
from households.entry import editing
from households.entry.editing import MINE, THEIRS, Opened, weave
from households.models import Household, Method, PositionSource
from tests import cast as make
from tests.cast import Cast


def changed(home: Household, **values: object) -> Household:
    other = copy.copy(home)
    for name, value in values.items():
        setattr(other, name, value)
    return other


@pytest.fixture
def home(cast: Cast) -> Household:
    return Household.objects.get(pk=cast.water_household.pk)


def test_what_only_i_changed_is_mine(home: Household) -> None:
    woven = weave(Opened.of(home), home, changed(home, note="院内有狗"), {})
    assert (woven.changed, woven.taken, woven.clashes) == (["note"], {}, [])
    assert woven.columns == ["note", "updated_at"]


def test_what_only_the_other_changed_stays(home: Household) -> None:
    theirs = changed(home, door="测试路 2 号")
    woven = weave(Opened.of(home), theirs, changed(home), {})
    assert woven.household.door == "测试路 2 号"
    assert (woven.changed, woven.taken) == ([], {"door": "测试路 1 号"})


def test_the_same_change_by_both_is_no_clash(home: Household) -> None:
    theirs, mine = changed(home, note="一"), changed(home, note="一")
    woven = weave(Opened.of(home), theirs, mine, {})
    assert (woven.changed, woven.clashes) == ([], [])


def test_different_changes_are_asked_back_with_all_three(home: Household) -> None:
    theirs, mine = changed(home, heated_area=90), changed(home, heated_area=92)
    [clash] = weave(Opened.of(home), theirs, mine, {}).clashes
    assert (clash.label, clash.was, clash.theirs, clash.mine) == (
        "取暖面积",
        "86 m²",
        "90 m²",
        "92 m²",
    )


def test_a_clash_tells_who_changed_it_and_when(cast: Cast, home: Household) -> None:
    opened = Opened.of(home)
    with history.acting(cast.town_officer), transaction.atomic():
        Household.objects.filter(pk=home.pk).update(note="二")
    theirs = Household.objects.get(pk=home.pk)
    [clash] = weave(opened, theirs, changed(home, note="三"), {}).clashes
    assert clash.who == "钟家庄街道 钟家庄测试员"
    assert clash.at is not None


@pytest.mark.parametrize(("answer", "kept"), [(MINE, "三"), (THEIRS, "二")])
def test_what_was_asked_back_is_as_it_was_answered(home: Household, answer: str, kept: str) -> None:
    theirs = changed(home, note="二")
    asked = Opened.of(theirs, {"note": "一"})
    woven = weave(asked, theirs, changed(home, note="三"), {"note": answer})
    assert (woven.household.note, woven.clashes) == (kept, [])


def test_a_question_without_an_answer_is_asked_again(home: Household) -> None:
    theirs = changed(home, note="二")
    asked = Opened.of(theirs, {"note": "一"})
    [clash] = weave(asked, theirs, changed(home, note="三"), {}).clashes
    assert clash.was == "一"


def test_an_answer_to_an_older_state_does_not_count(home: Household) -> None:
    asked = Opened.of(changed(home, note="二"), {"note": "一"})
    woven = weave(asked, changed(home, note="新"), changed(home, note="三"), {"note": MINE})
    assert [clash.theirs for clash in woven.clashes] == ["新"]


def test_a_position_is_one_thing(home: Household) -> None:
    start = changed(home, latitude=35.5, longitude=112.85, position_source=PositionSource.RTK)
    theirs, mine = changed(start, latitude=35.51), changed(start, longitude=112.86)
    [clash] = weave(Opened.of(start), theirs, mine, {}).clashes
    assert "35.510000" in clash.theirs and "112.860000" in clash.mine


def test_telephone_numbers_are_compared_and_never_shown(home: Household) -> None:
    theirs, mine = changed(home, phone="13011110000"), changed(home, phone="13022220000")
    opened = Opened.of(home)
    [clash] = weave(opened, theirs, mine, {}).clashes
    assert {clash.was, clash.theirs, clash.mine} == {"130****0000"}
    assert "13000000000" not in str(opened.parts)


def test_what_a_page_carries_is_believed_only_when_signed(home: Household) -> None:
    opened = Opened.of(home, {"note": "一"})
    assert Opened.read(opened.signed) == opened
    assert Opened.read(opened.signed[:-1] + "x") is None
    assert Opened.read("") is None


def test_every_field_of_the_form_is_compared() -> None:
    from households.entry.household_form import HouseholdForm

    compared = {name for names in editing.PARTS.values() for name in names}
    assert set(HouseholdForm.Meta.fields) == compared


# -- races ---------------------------------------------------------------------------------


def edit(pk: int, number: int) -> int:
    """One officer: opens the page, writes into two fields, answers what is asked back. How often
    it was asked.

    `note` collects a mark of every edit, so that a lost one would be missed; `rooms` counts them.
    """
    dice, asked = random.Random(number), 0
    page = Household.objects.get(pk=pk)
    opened = Opened.of(page)
    while True:
        with transaction.atomic():
            theirs = Household.objects.select_for_update().get(pk=pk)
            mine = changed(page, rooms=(page.rooms or 0) + 1, note=_marked(page.note, number))
            if dice.random() < 0.5:
                mine.walls = f"砖 {number}"
            woven = weave(opened, theirs, mine, {"walls": MINE})
            if not woven.clashes:
                woven.household.save(update_fields=woven.columns)
                return asked
            page, asked = theirs, asked + 1
            opened = Opened.of(theirs)


def _marked(note: str, number: int) -> str:
    """The note as a set of numbers, written as a bit field in hexadecimal."""
    return f"{int(note or '0', 16) | 1 << number:x}"


def race(home: Household, edits: int, officers: int = 4) -> int:
    """So many edits by several officers at once; how often one had to look again."""

    def officer(number: int) -> int:
        try:
            return edit(home.pk, number)
        finally:
            connections[connection.alias].close()

    with ThreadPoolExecutor(officers) as pool:
        return sum(pool.map(officer, range(edits)))


def everything_is_there(home: Household, edits: int) -> None:
    home.refresh_from_db()
    assert home.rooms == edits
    assert int(home.note, 16) == (1 << edits) - 1


@pytest.mark.django_db(transaction=True)
def test_of_racing_edits_none_is_lost() -> None:
    home = make.household(make.areas()["洞头村"], method=Method.COAL_TO_ELECTRICITY)
    assert race(home, 30) > 0
    everything_is_there(home, 30)
