from datetime import UTC, date, datetime

import pytest

from households import clock, path
from households.models import Household, Method, State, Step, StepKind
from tests import cast as make
from tests.cast import Cast

NOW = datetime(2026, 11, 20, 4, tzinfo=UTC)
FIRST = date(2026, 11, 1)


@pytest.fixture
def home(cast: Cast) -> Household:
    """A household on the heat network, connected: no gate of a unit stands in its way."""
    home = make.household(
        cast.area("南大街社区"), number="26-13-0001", method=Method.CENTRAL_HEATING
    )
    make.connect(home, cast.district_officer, connected_on=FIRST, heated_on=FIRST)
    return home


def take(home: Household, kind: StepKind, day: int, cast: Cast) -> Household:
    with clock.at(NOW):
        path.take(home, kind, on=date(2026, 11, day), by=cast.town_officer)
    home.refresh_from_db()
    return home


def test_the_whole_path_in_its_order_ends_with_the_stove_removed(
    cast: Cast, home: Household
) -> None:
    states = [take(home, kind, n + 1, cast).state for n, kind in enumerate(StepKind)]
    assert states == [
        State.TO_LIST,
        State.TO_SIGN,
        State.TO_INSTALL,
        State.TO_COMMISSION,
        State.TO_ACCEPT,
        State.ACCEPTED,
        State.PROVEN,
        State.STOVE_REMOVED,
    ]
    assert home.stove_removed_on == date(2026, 11, 8)


def test_a_step_without_the_one_before_is_kept_and_does_not_count(
    cast: Cast, home: Household
) -> None:
    take(home, StepKind.SURVEYED, 1, cast)
    take(home, StepKind.SIGNED, 3, cast)
    assert home.signed_on is None
    assert home.state == State.PAPERS_INCOMPLETE
    assert Step.objects.get(household=home, kind="signed").lacks == ["“列入计划”还没有有效日期"]


def test_a_step_dated_before_its_forerunner_is_kept_and_does_not_count(
    cast: Cast, home: Household
) -> None:
    take(home, StepKind.SURVEYED, 5, cast)
    take(home, StepKind.LISTED, 4, cast)
    assert home.listed_on is None
    lacks = Step.objects.get(household=home, kind="listed").lacks
    assert lacks == ["日期早于“摸底登记”（2026-11-05）"]


def test_two_steps_may_share_a_day(cast: Cast, home: Household) -> None:
    take(home, StepKind.SURVEYED, 5, cast)
    assert take(home, StepKind.LISTED, 5, cast).listed_on == date(2026, 11, 5)


def test_taking_a_step_again_with_its_papers_mends_it(cast: Cast, home: Household) -> None:
    take(home, StepKind.SURVEYED, 1, cast)
    take(home, StepKind.SIGNED, 3, cast)
    take(home, StepKind.LISTED, 2, cast)
    take(home, StepKind.SIGNED, 3, cast)
    assert home.state == State.TO_INSTALL
    assert home.signed_on == date(2026, 11, 3)
    assert home.steps.filter(kind="signed").count() == 2


@pytest.mark.parametrize("kind", path.GRANTED)
def test_what_is_granted_is_refused_out_of_order_and_leaves_no_row(
    cast: Cast, home: Household, kind: StepKind
) -> None:
    take(home, StepKind.SURVEYED, 1, cast)
    with pytest.raises(path.StepRefused) as refusal:
        take(home, kind, 2, cast)
    assert refusal.value.lacks
    assert list(home.steps.values_list("kind", flat=True)) == ["surveyed"]


def test_the_old_stove_stays_until_the_new_heating_is_proven(cast: Cast, home: Household) -> None:
    for n, kind in enumerate(list(StepKind)[:6]):
        take(home, kind, n + 1, cast)
    with pytest.raises(path.StepRefused, match="运行检验合格"):
        take(home, StepKind.STOVE_REMOVED, 10, cast)
    home.refresh_from_db()
    assert home.stove_removed_on is None


def test_a_future_date_is_refused_by_the_offices_calendar(cast: Cast, home: Household) -> None:
    late_evening_in_london = datetime(2026, 11, 20, 16, 30, tzinfo=UTC)  # the 21st in Shanghai
    with clock.at(late_evening_in_london):
        path.take(home, StepKind.SURVEYED, on=date(2026, 11, 21), by=cast.clerk)
        with pytest.raises(path.StepRefused, match="2026-11-22 还没有到"):
            path.take(home, StepKind.LISTED, on=date(2026, 11, 22), by=cast.clerk)


def test_nothing_is_taken_by_a_household_that_withdrew(cast: Cast, home: Household) -> None:
    Household.objects.filter(pk=home.pk).update(withdrawn_on=date(2026, 11, 2))
    with pytest.raises(path.StepRefused, match="退出改造"):
        take(home, StepKind.SURVEYED, 3, cast)
    assert not home.steps.exists()


def test_a_gate_of_an_app_is_asked_with_household_and_day(
    cast: Cast, home: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def gate(household: Household, on: date) -> list[str]:
        asked.append((household, on))
        return ["缺一张纸"]

    monkeypatch.setitem(path.GATES, StepKind.SURVEYED, [gate])
    take(home, StepKind.SURVEYED, 1, cast)
    assert asked == [(home, date(2026, 11, 1))]
    assert home.state == State.PAPERS_INCOMPLETE


def test_a_step_says_who_recorded_it_and_when(cast: Cast, home: Household) -> None:
    take(home, StepKind.SURVEYED, 1, cast)
    step = home.steps.get()
    assert (step.recorded_by, step.recorded_at) == (cast.town_officer, NOW)


def test_many_households_take_a_step_together_or_none_does(cast: Cast, home: Household) -> None:
    behind = make.household(cast.area("南大街社区"), number="26-13-0002")
    for kind in list(StepKind)[:5]:
        take(home, kind, 3, cast)
    both = [path.Taken(one, date(2026, 11, 4), cast.town_officer) for one in (home, behind)]
    with clock.at(NOW), pytest.raises(path.StepRefused):
        path.take_many(StepKind.ACCEPTED, both)
    home.refresh_from_db()
    assert home.accepted_on is None
    with clock.at(NOW):
        path.take_many(StepKind.SURVEYED, both)
    assert set(Household.objects.filter(surveyed_on=date(2026, 11, 4))) == {home, behind}


def test_a_household_that_is_gone_takes_no_step(cast: Cast, home: Household) -> None:
    taken = path.Taken(home, date(2026, 11, 4), cast.town_officer)
    home.heat_connection.delete()
    Household.objects.filter(pk=home.pk).delete()
    with clock.at(NOW), pytest.raises(Household.DoesNotExist):
        path.take_many(StepKind.SURVEYED, [taken])


def test_new_households_begin_with_their_first_step(cast: Cast) -> None:
    fields = {"year": 2026, "method": Method.CENTRAL_HEATING, "area": cast.area("洞头村")}
    waits = Household(number="26-12-0071", householder="测试户丙", **fields)
    ready = Household(number="26-12-0072", householder="测试户丁", **fields)
    path.begin([waits, ready], [path.Taken(ready, make.INSTALLED_ON, cast.clerk)])
    waits.refresh_from_db()
    ready.refresh_from_db()
    assert (waits.state, waits.steps.count()) == (State.DRAFT, 0)
    assert (ready.state, ready.surveyed_on) == (State.TO_LIST, make.INSTALLED_ON)
    assert ready.steps.get().recorded_by == cast.clerk


def test_no_new_household_begins_in_the_future(cast: Cast) -> None:
    home = Household(number="26-12-0071", year=2026, area=cast.area("洞头村"))
    with pytest.raises(path.StepRefused):
        path.begin([home], [path.Taken(home, date(2099, 1, 1), cast.clerk)])
    assert not Household.objects.filter(number="26-12-0071").exists()
