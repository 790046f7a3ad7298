"""When units are due: rhythm, first round, silence, and what comes beside the rhythm."""

from itertools import pairwise
from pathlib import Path

import pytest

from devices.modbus import blocks, pointmap
from telemetry.polling import FIRST_ROUND_S, SLOWEST, UnitClock
from telemetry.roster import UnitSpec
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


def test_a_silent_unit_is_asked_less_and_less_but_at_least_every_eighth_time() -> None:
    each = unit()
    asked = []
    for turn in range(60):
        if not each.passes():
            asked.append(turn)
            each.missed()
    gaps = [after - before for before, after in pairwise(asked)]
    assert gaps[:3] == [1, 1, 1]
    assert gaps == sorted(gaps)
    assert max(gaps) == SLOWEST
