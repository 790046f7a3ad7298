"""When units are due: rhythm, first round, pace, and what a unit remembers over its outages."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from devices.modbus import blocks, pointmap
from devices.modbus.points import Value
from telemetry.roster import Before, UnitSpec
from telemetry.unit_clock import FIRST_ROUND_S, HOLD_S, PATIENCE, STARTING_S, UnitClock
from tests.cast import MAPS

PLAN = blocks.plan(pointmap.load(Path(MAPS / "chennuan-cn-w10.csv").read_bytes(), "cn-w10.csv"))


def unit(number: int = 1, interval_s: float = 60.0, now: float = 1000.0) -> UnitClock:
    return UnitClock(UnitSpec(number, 5, 1, None, interval_s), PLAN, now)


def test_a_first_round_reaches_every_unit_soon() -> None:
    firsts = [unit(number, interval_s=300).due - 1000 for number in range(1, 200)]
    assert max(firsts) < FIRST_ROUND_S
    assert max(firsts) - min(firsts) > 0.9 * FIRST_ROUND_S


def test_phases_are_spread_over_the_interval_afterwards() -> None:
    seconds = []
    for number in range(1, 301):
        each = unit(number, interval_s=300)
        each.next(each.due)
        each.next(each.due)
        seconds.append(int((each.due - 1000) % 300 // 30))
    assert all(25 <= seconds.count(tenth) <= 35 for tenth in range(10))


def test_a_unit_keeps_its_rhythm_however_late_a_poll_was() -> None:
    each = unit()
    each.next(each.due)
    due = each.due
    each.next(due + 7.5)
    assert each.due == pytest.approx(due + 60)


def test_missed_polls_are_not_queued_up() -> None:
    each = unit()
    each.next(each.due)
    due = each.due
    each.next(due + 601)
    assert each.due == pytest.approx(due + 660)


def test_a_poll_after_a_write_leaves_the_rhythm_as_it_is() -> None:
    each = unit()
    each.next(each.due)
    due = each.due
    each.due = due - 30
    each.next(due - 30)
    assert each.due == pytest.approx(due)


def test_another_pace_keeps_the_place_in_the_interval() -> None:
    each = unit(number=7, interval_s=300)
    each.next(1000.0)
    due = each.due
    assert each.pace(10.0, 1001.0)
    assert 1001 < each.due <= 1011
    assert not each.pace(10.0, 1002.0)
    assert each.pace(300.0, 1003.0)
    assert each.due == pytest.approx(due)


def test_a_beat_is_never_the_same_moment_twice() -> None:
    each = unit(number=3, interval_s=7.3)
    for _ in range(1000):
        before = each.due
        each.next(before)
        assert each.due > before + 7.2 or before < 1007.3


def test_a_hurry_makes_no_unit_silent_when_it_ends() -> None:
    spec = UnitSpec(1, 5, 1, None, 300.0, 300.0)
    each = UnitClock(spec, PLAN, 1000.0)
    each.pace(10.0, 1000.0)
    assert each.stated_interval_s == 300
    each.pace(600.0, 1000.0)
    assert each.stated_interval_s == 600


def test_every_third_poll_asks_for_everything_and_the_first_one_too() -> None:
    each = unit()
    each.quick = PLAN.without(PLAN.blocks[:1])
    asked = []
    for _ in range(7):
        asked.append(each.whole())
        each.heard(datetime.now(UTC))
    assert asked == [True, False, False, True, False, False, True]


AT = datetime(2026, 11, 20, 4, tzinfo=UTC)
SET: dict[str, Any] = {"indoor_temp_setpoint": 18.0, "mode": "heating", "power_state": True}


def good(**values: Any) -> dict[str, Value]:
    return {signal: Value(value) for signal, value in values.items()}


def silent_for_long(each: UnitClock) -> None:
    for _ in range(PATIENCE):
        each.missed()


def test_a_single_lost_poll_is_no_outage() -> None:
    each = unit()
    each.answers(1001.0, 0.0)
    each.missed()
    each.answers(1060.0, 0.0)
    assert each.starting_until == each.held_until == 0


def test_a_unit_that_was_silent_is_starting_for_two_minutes_and_held_for_three() -> None:
    each = unit()
    silent_for_long(each)
    each.answers(2000.0, 0.0)
    assert (each.starting_until, each.held_until) == (2000 + STARTING_S, 2000 + HOLD_S)
    each.answers(2060.0, 0.0)
    assert each.starting_until == 2000 + STARTING_S


def test_a_unit_is_starting_at_its_first_answer_after_its_line_returned_and_only_then() -> None:
    each = unit()
    each.answers(1001.0, 0.0)
    each.answers(1300.0, 1250.0)
    assert each.starting_until == 1300 + STARTING_S
    each.answers(1600.0, 1250.0)
    assert each.starting_until == 1300 + STARTING_S


@pytest.mark.parametrize("before", [Before(), Before(AT, was_silent=False)])
def test_a_new_start_of_our_own_process_is_no_outage_of_the_unit(before: Before) -> None:
    each = UnitClock(UnitSpec(1, 5, 1, None, 60.0), PLAN, 1000.0, before)
    each.answers(1010.0, 0.0)
    assert each.starting_until == 0


def test_a_unit_that_was_silent_before_our_start_is_starting_when_it_answers() -> None:
    each = UnitClock(UnitSpec(1, 5, 1, None, 60.0), PLAN, 1000.0, Before(AT, was_silent=True))
    each.answers(1010.0, 0.0)
    assert each.starting_until == 1010 + STARTING_S


def test_settings_that_an_outage_changed_are_told_once_with_both_values() -> None:
    each = unit()
    each.known.update(good(**SET, supply_temp=42.0))
    each.heard(AT)
    silent_for_long(each)
    each.answers(2000.0, 0.0)
    later = AT + timedelta(minutes=30)
    new = good(indoor_temp_setpoint=20.0, mode="heating", power_state=False, supply_temp=20.0)
    told = each.changed(later, new)
    assert told is not None
    assert (told.away_since, told.at) == (AT, later)
    assert told.settings == {"indoor_temp_setpoint": (18.0, 20.0), "power_state": (True, False)}
    assert each.before == {}


def test_what_was_not_asked_yet_is_compared_when_it_is() -> None:
    each = unit()
    each.known.update(good(**SET))
    silent_for_long(each)
    each.answers(2000.0, 0.0)
    assert each.changed(AT, good(power_state=True, mode="heating")) is None
    told = each.changed(AT, good(indoor_temp_setpoint=20.0))
    assert told is not None and list(told.settings) == ["indoor_temp_setpoint"]


def test_two_outages_in_a_row_are_compared_with_what_was_before_the_first() -> None:
    each = unit()
    each.known.update(good(**SET))
    for moment in (2000.0, 2600.0):
        silent_for_long(each)
        each.answers(moment, 0.0)
        each.known.update(good(mode="auto"))
    told = each.changed(AT, good(mode="auto"))
    assert told is not None and told.settings == {"mode": ("heating", "auto")}


def test_settings_of_before_our_own_start_are_compared_too() -> None:
    known = Before(AT, was_silent=True, good={**SET, "supply_temp": 42.0})
    each = UnitClock(UnitSpec(1, 5, 1, None, 60.0), PLAN, 1000.0, known)
    each.answers(1010.0, 0.0)
    told = each.changed(AT, good(mode="auto", supply_temp=20.0))
    assert told is not None and told.settings == {"mode": ("heating", "auto")}
    assert told.away_since == AT


def test_what_we_set_ourselves_since_was_not_changed_by_the_outage() -> None:
    each = unit()
    each.known.update(good(**SET))
    silent_for_long(each)
    each.answers(2000.0, 0.0)
    each.is_written(["indoor_temp_setpoint"])
    told = each.changed(AT, good(indoor_temp_setpoint=22.0, mode="auto", power_state=True))
    assert told is not None and list(told.settings) == ["mode"]


def test_the_second_poll_after_an_outage_asks_for_everything() -> None:
    each = unit()
    each.quick = PLAN.without(PLAN.blocks[:1])
    each.heard(AT)
    silent_for_long(each)
    each.answers(2000.0, 0.0)
    each.heard(AT)
    assert each.whole()
