"""What a line worker has to poll, and what it knows of units from before its start."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from telemetry import cadence, roster
from telemetry.models import UnitState
from tests.cast import Cast, answered, turned_bad

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 20, 4, tzinfo=UTC)


def state(cast: Cast, polled_after_s: float, cause: str) -> UnitState:
    known = answered(cast.water, AT, indoor_temp_setpoint=18.0, mode="heating")
    known.polled_at = AT + timedelta(seconds=polled_after_s)
    known.interval_s, known.missed_cause = 60, cause
    known.save()
    return known


@pytest.mark.parametrize(
    ("polled_after_s", "cause", "silent"),
    [
        (0, "", False),  # it answered to the last, however long ago: we were away, not the unit
        (120, "not_answered", False),  # two lost polls are no silence
        (600, "not_answered", True),
        (600, "line_down", True),
    ],
)
def test_a_unit_had_fallen_silent_if_polls_were_made_and_brought_nothing(
    cast: Cast, polled_after_s: float, cause: str, silent: bool
) -> None:
    before = roster.before(state(cast, polled_after_s, cause))
    assert (before.answered_at, before.was_silent) == (AT, silent)


def test_the_last_good_settings_are_known_whatever_came_after(cast: Cast) -> None:
    known = state(cast, 0, "")
    turned_bad(known, "indoor_temp_setpoint", "starting")
    known.refresh_from_db()
    assert roster.before(known).good == {"indoor_temp_setpoint": 18.0, "mode": "heating"}


def test_a_roster_has_the_interval_in_force_and_the_one_of_calm_times(cast: Cast) -> None:
    cadence.set_interval(cast.water, 300, by=cast.service_unit)
    cadence.watch(cast.water)
    cadence.review("main")
    specs = [unit for line in roster.read("main").gateways.values() for unit in line.units]
    mine = next(unit for unit in specs if unit.id == cast.water.pk)
    assert (mine.interval_s, mine.calm_s) == (10, 300)


def test_a_unit_that_nobody_reviewed_yet_goes_by_its_settings(cast: Cast) -> None:
    cadence.set_interval(cast.water, 120, by=cast.service_unit)
    specs = [unit for line in roster.read("main").gateways.values() for unit in line.units]
    assert {unit.interval_s for unit in specs if unit.id == cast.water.pk} == {120}
