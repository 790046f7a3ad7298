"""Hours are summed up from what is stored, and held here against counting by hand."""

import uuid
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from households import clock
from telemetry import hours
from telemetry.models import Batch, IntervalInForce, MissedPolls, Reading, UnitHour
from tests import cast as people
from tests.cast import Cast

pytestmark = pytest.mark.django_db
HOUR = datetime(2026, 11, 20, 3, tzinfo=UTC)
LATER = HOUR + timedelta(days=1)


@pytest.fixture(autouse=True)
def once_a_minute(cast: Cast) -> None:
    for unit in (cast.water, cast.air):
        unit.interval_s = 60
        unit.save()


def poll(cast: Cast, minute: float, **columns: object) -> Reading:
    return people.reading(cast.water, HOUR + timedelta(minutes=minute), **columns)


def paced(cast: Cast, *steps: tuple[float, float]) -> None:
    """The water unit's intervals in force: from which minute on, how many seconds."""
    for minute, seconds in steps:
        since = HOUR + timedelta(minutes=minute)
        IntervalInForce.objects.create(
            unit=cast.water, since=since, interval_s=seconds, why="default"
        )


def summed(cast: Cast, now: datetime = LATER) -> UnitHour:
    with clock.at(now):
        hours.recompute([HOUR])
    return UnitHour.objects.get(unit=cast.water, hour=HOUR)


def test_an_hour_counts_what_was_due_stored_and_missed_by_cause(cast: Cast) -> None:
    for minute in range(50):
        poll(cast, minute)
    MissedPolls.objects.create(unit_id=cast.water.pk, hour=HOUR, cause="not_answered", count=6)
    row = summed(cast)
    assert (row.due, row.stored, row.interval_s) == (60, 50, 60)
    assert row.missed == {"not_answered": 6, "not_polled": 4}


def test_a_worker_that_did_not_run_leaves_all_polls_missed(cast: Cast) -> None:
    row = summed(cast)
    assert (row.due, row.stored, row.missed) == (60, 0, {"not_polled": 60})


def test_smallest_mean_and_largest_come_from_good_values_alone(cast: Cast) -> None:
    poll(cast, 0, supply_temp=40.0, indoor_temp=17.5, outdoor_temp=-6.0)
    poll(cast, 1, supply_temp=44.0, indoor_temp=18.5, outdoor_temp=-8.0)
    poll(cast, 2, supply_temp=None, not_good={"supply_temp": ["sensor_open", "0x7FFF"]})
    row = summed(cast)
    assert (row.supply_min, row.supply_avg, row.supply_max) == (40.0, 42.0, 44.0)
    assert (row.indoor_min, row.indoor_max, row.outdoor_avg) == (17.5, 18.5, -7.0)


def test_time_on_lasts_to_the_next_reading_but_never_over_a_gap(cast: Cast) -> None:
    poll(cast, 0, power_state=True)
    poll(cast, 1, power_state=True)
    poll(cast, 2, power_state=False)
    poll(cast, 30, power_state=True)  # then silence: three intervals at most
    assert summed(cast).on_seconds == 60 + 60 + 180


def test_energy_is_what_the_counter_rose_and_a_reset_counts_nothing(cast: Cast) -> None:
    poll(cast, -1, electric_energy=100.0)
    poll(cast, 0, electric_energy=100.5)
    poll(cast, 10, electric_energy=102.0)
    poll(cast, 20, electric_energy=0.2)
    poll(cast, 30, electric_energy=0.7)
    assert summed(cast).energy_kwh == pytest.approx(0.5 + 1.5 + 0.5)


def test_a_unit_without_an_energy_counter_has_no_energy_not_zero(cast: Cast) -> None:
    for minute in range(3):
        poll(cast, minute, supply_temp=40.0)
    assert summed(cast).energy_kwh is None


def test_a_counter_that_stood_still_is_zero(cast: Cast) -> None:
    for minute in range(3):
        poll(cast, minute, electric_energy=100.0)
    assert summed(cast).energy_kwh == 0


def test_a_unit_put_into_service_within_the_hour_owes_only_the_rest(cast: Cast) -> None:
    cast.water.in_service_since = HOUR + timedelta(minutes=45)
    cast.water.save()
    assert summed(cast).due == 15


def test_a_retired_unit_owes_nothing_more(cast: Cast) -> None:
    cast.water.retired_at = HOUR + timedelta(minutes=10)
    cast.water.save()
    assert summed(cast).due == 10


def test_an_hour_that_is_not_over_owes_what_has_passed(cast: Cast) -> None:
    assert summed(cast, now=HOUR + timedelta(minutes=20)).due == 20


def test_a_late_batch_recomputes_the_hours_that_it_touches(cast: Cast) -> None:
    summed(cast)
    poll(cast, 5)
    Batch.objects.create(
        id=uuid.uuid4(), stored_at=LATER, rows=1, hours=[HOUR.isoformat()], summed=False
    )
    with clock.at(LATER):
        hours.catch_up()
    assert UnitHour.objects.get(unit=cast.water, hour=HOUR).stored == 1
    assert not Batch.objects.filter(summed=False).exists()


def test_summing_up_twice_changes_nothing(cast: Cast) -> None:
    poll(cast, 0, supply_temp=40.0)
    first = summed(cast)
    again = summed(cast)
    assert (first.stored, first.due, first.missed) == (again.stored, again.due, again.missed)


def test_readings_of_the_next_hour_stay_out(cast: Cast) -> None:
    poll(cast, 60, supply_temp=80.0)
    poll(cast, -0.5, supply_temp=80.0)
    poll(cast, 30, supply_temp=40.0)
    row = summed(cast)
    assert (row.stored, row.supply_max) == (1, 40.0)


def test_what_is_due_follows_the_intervals_that_were_in_force(cast: Cast) -> None:
    paced(cast, (-90, 300), (10, 10), (20, 300))
    row = summed(cast)
    assert row.due == 2 + 60 + 8
    assert row.interval_s == 300  # the longest of the hour: no gap is seen where none was


def test_before_its_first_row_and_after_its_last_a_units_interval_holds(cast: Cast) -> None:
    paced(cast, (30, 120))
    assert summed(cast).due == 30


def test_a_setting_of_today_changes_nothing_of_the_hours_before_it(cast: Cast) -> None:
    paced(cast, (-90, 300), (6000, 30))
    cast.water.interval_s = 30
    cast.water.save()
    assert summed(cast).due == 12


def test_fractions_of_intervals_add_up_before_they_are_counted(cast: Cast) -> None:
    paced(cast, (-90, 100), (1, 7), (2, 100))
    # 60 s of 100, 60 s of 7, 58 minutes of 100
    assert summed(cast).due == int(0.6 + 60 / 7 + 34.8)


segments = st.lists(
    st.tuples(
        st.integers(min_value=-3600, max_value=4000), st.sampled_from([1, 7, 10, 60, 300, 3600])
    ),
    unique_by=lambda step: step[0],
    max_size=6,
)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=segments, begun=st.integers(-100, 3599), ended=st.integers(0, 4000))
def test_due_is_counted_as_by_hand_whatever_changed_when(
    cast: Cast, steps: list[tuple[int, int]], begun: int, ended: int
) -> None:
    IntervalInForce.objects.all().delete()
    UnitHour.objects.all().delete()
    paced(cast, *((second / 60, interval) for second, interval in steps))
    cast.water.in_service_since = HOUR + timedelta(seconds=begun)
    cast.water.retired_at = HOUR + timedelta(seconds=ended)
    cast.water.save()
    with clock.at(LATER):
        hours.recompute([HOUR])
    row = UnitHour.objects.filter(unit=cast.water, hour=HOUR).first()
    assert (row.due if row else 0) == int(by_hand(sorted(steps), max(begun, 0), min(ended, 3600)))


def by_hand(steps: list[tuple[int, int]], begun: int, ended: int) -> Fraction:
    """Polls due second by second."""
    due, pending = Fraction(0), list(steps)
    interval = pending[0][1] if pending else 60
    for second in range(begun, ended):
        while pending and pending[0][0] <= second:
            interval = pending.pop(0)[1]
        due += Fraction(1, interval)
    return due


def test_time_on_lasts_over_a_slower_pace_and_into_the_next_hour(cast: Cast) -> None:
    paced(cast, (-90, 300), (10, 10), (20, 300))
    for minute in (-2.5, 2.5, 7.5, *(10 + n / 6 for n in range(60)), 23):
        poll(cast, minute, power_state=True)
    poll(cast, 28, power_state=False)
    assert summed(cast).on_seconds == pytest.approx(28 * 60)


def test_what_a_partial_poll_did_not_ask_breaks_neither_counter_nor_time(cast: Cast) -> None:
    for minute in range(0, 60, 3):
        poll(cast, minute, electric_energy=100 + minute / 60, power_state=True)
        poll(cast, minute + 1, supply_temp=40.0)
        poll(cast, minute + 2, supply_temp=40.0)
    row = summed(cast)
    assert row.energy_kwh == pytest.approx(57 / 60)
    assert row.on_seconds == 3600


def test_what_the_counter_rose_while_nothing_was_heard_counts_when_it_is_heard(cast: Cast) -> None:
    poll(cast, -5 * 60, electric_energy=100.0)
    poll(cast, 20, electric_energy=109.0)
    poll(cast, 30, electric_energy=109.5)
    assert summed(cast).energy_kwh == pytest.approx(9.5)


def test_another_meter_brings_no_energy(cast: Cast) -> None:
    poll(cast, 0, electric_energy=100.0)
    poll(cast, 10, electric_energy=8000.0)
    poll(cast, 20, electric_energy=8001.0)
    assert summed(cast).energy_kwh == pytest.approx(1.0)


def test_units_that_are_seldom_asked_have_their_hours_too(cast: Cast) -> None:
    paced(cast, (-600, 3600))
    poll(cast, -100, electric_energy=100.0, power_state=True)
    poll(cast, -40, power_state=True)
    poll(cast, 20, power_state=False, electric_energy=103.0)
    row = summed(cast)
    assert (row.due, row.stored) == (1, 1)
    assert row.on_seconds == 20 * 60
    assert row.energy_kwh == pytest.approx(3.0)
