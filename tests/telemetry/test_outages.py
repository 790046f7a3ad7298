"""Silence: of a unit, of a line, of a village, of a line worker; and of each told once."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from devices.models import Unit
from telemetry.models import Alarm, AlarmKind, UnitState, WorkerState
from tests.cast import Cast, answered, gateway, household, install, unit
from tests.telemetry.alarm_scene import (
    NOON,
    after,
    line,
    missed,
    reviewed,
    the,
    told,
    worker_lives,
)

INTERVAL = 300  # of transmitters that dial in


@pytest.fixture
def up(cast: Cast) -> Cast:
    """Both lines are up for hours, both units answered at noon."""
    for thing in (cast.water, cast.air):
        line(thing.gateway, True, NOON - timedelta(hours=3))
        answered(thing, NOON)
    UnitState.objects.update(interval_s=INTERVAL)
    return cast


def falls_silent(thing: Unit, until: float) -> None:
    """Every poll since noon asked in vain, the newest of them by `until`."""
    missed(thing, after(until // INTERVAL * INTERVAL))


# One unit


def test_a_unit_is_told_as_silent_after_three_intervals_and_not_before(up: Cast) -> None:
    falls_silent(up.water, 900)
    reviewed(after(900))
    assert told() == []
    assert reviewed(after(920)) == 1
    assert told() == ["unit_silent"]
    alarm = the(AlarmKind.UNIT_SILENT)
    assert (alarm.unit, alarm.seen_at) == (up.water, NOON)


def test_one_poll_in_vain_is_no_silence_however_long_ago_the_answer(up: Cast) -> None:
    missed(up.water, after(300))
    reviewed(after(3600))
    assert told() == []


def test_a_unit_that_is_not_polled_is_not_silent(up: Cast) -> None:
    reviewed(after(7200))
    assert told() == []


def test_a_unit_that_is_watched_is_not_silent_sooner(up: Cast) -> None:
    UnitState.objects.filter(unit=up.water).update(interval_s=10)
    missed(up.water, after(60))
    reviewed(after(70))
    assert told() == []


def test_a_unit_that_never_answered_is_told_too(up: Cast) -> None:
    UnitState.objects.filter(unit=up.water).update(answered_at=None)
    falls_silent(up.water, 900)
    reviewed(after(920))
    assert the(AlarmKind.UNIT_SILENT).evidence["answered_at"] is None


def test_silence_ends_with_the_second_answer(up: Cast) -> None:
    falls_silent(up.water, 900)
    reviewed(after(920))
    answered(up.water, after(1200))
    reviewed(after(1205))
    reviewed(after(1210))
    assert told() == ["unit_silent"]
    answered(up.water, after(1260))
    reviewed(after(1265))
    assert told() == []
    assert the(AlarmKind.UNIT_SILENT).cleared_at == after(1265)


def test_a_single_answer_amid_silence_ends_nothing(up: Cast) -> None:
    falls_silent(up.water, 900)
    reviewed(after(920))
    answered(up.water, after(1200))
    UnitState.objects.update(interval_s=INTERVAL)
    reviewed(after(1205))
    missed(up.water, after(2100))
    reviewed(after(2200))
    assert told() == ["unit_silent"]
    assert the(AlarmKind.UNIT_SILENT).better_at is None


def test_polls_stored_late_prove_nothing_about_now(up: Cast) -> None:
    falls_silent(up.water, 900)
    worker_lives(after(2000), figures={"oldest_unsent_s": 600})
    reviewed(after(2000), worker=False)
    assert told() == []


@pytest.mark.parametrize("how", ["retired", "disabled"])
def test_an_alarm_of_what_is_out_of_service_is_over_at_once(up: Cast, how: str) -> None:
    falls_silent(up.water, 900)
    reviewed(after(920))
    if how == "retired":
        Unit.objects.filter(pk=up.water.pk).update(retired_at=after(930))
    else:
        up.water.gateway.enabled = False
        up.water.gateway.save()
    reviewed(after(940))
    assert told() == []
    assert the(AlarmKind.UNIT_SILENT).evidence["cleared"] == "out_of_service"


# One line


def test_a_transmitter_that_is_away_silences_its_units_alarms(up: Cast) -> None:
    line(up.water.gateway, False, after(30))
    falls_silent(up.water, 900)
    reviewed(after(200))
    assert told() == []
    reviewed(after(215))
    reviewed(after(920))
    assert told() == ["transmitter_down"]
    assert the(AlarmKind.TRANSMITTER_DOWN).evidence == {"units": 1}


def test_units_get_three_new_intervals_when_their_line_is_back(up: Cast) -> None:
    line(up.water.gateway, False, after(30))
    missed(up.water, after(3600), "line_down")
    reviewed(after(3600))
    line(up.water.gateway, True, after(3610))
    missed(up.water, after(3900))
    reviewed(after(3660))
    reviewed(after(3680))
    reviewed(after(3690))
    assert told() == []
    missed(up.water, after(4500))
    reviewed(after(4500))
    assert told() == []
    reviewed(after(4530))
    assert told() == ["unit_silent"]


def test_a_line_that_is_back_for_a_moment_is_not_back(up: Cast) -> None:
    line(up.water.gateway, False, after(30))
    reviewed(after(300))
    line(up.water.gateway, True, after(310))
    reviewed(after(320))
    reviewed(after(325))
    line(up.water.gateway, False, after(330))
    reviewed(after(400))
    assert told() == ["transmitter_down"]


def test_a_worker_that_just_started_waits_for_its_transmitters(up: Cast) -> None:
    worker_lives(after(10), started_at=NOON)
    line(up.water.gateway, False, NOON)
    reviewed(after(170))
    assert told() == []
    reviewed(after(190))
    assert told() == ["transmitter_down"]


def test_a_line_noticed_late_takes_over_what_its_units_told(up: Cast) -> None:
    falls_silent(up.water, 900)
    reviewed(after(920))
    assert told() == ["unit_silent"]
    line(up.water.gateway, False, after(930))
    reviewed(after(1120))
    assert told() == ["transmitter_down"]
    assert the(AlarmKind.UNIT_SILENT).evidence["cleared"] == "merged"


# A village


def village(cast: Cast, n: int, area: str = "泽州东社区") -> list[Unit]:
    """Units in one village, each behind its own transmitter; all answered about noon."""
    units = []
    for k in range(n):
        behind = gateway(f"dial://V{k:06}", trusted=True)
        thing = unit(behind, cast.water.model, address=1, factory_number=f"V{k}")
        home = household(cast.area(area), number=f"26-11-{k:04}")
        install(home, thing)
        line(behind, True, NOON - timedelta(hours=1))
        answered(thing, after(-k % INTERVAL))
        units.append(thing)
    UnitState.objects.update(interval_s=INTERVAL)
    return units


def power_out(units: list[Unit], at: float) -> None:
    for k, thing in enumerate(units):
        line(thing.gateway, False, after(at + k % 40))


def polled_in_vain(units: list[Unit], at: float, cause: str = "line_down") -> None:
    for thing in units:
        missed(thing, after(at), cause)


def test_a_village_without_power_is_one_alarm(up: Cast) -> None:
    units = village(up, 8)
    power_out(units, 60)
    for second in range(60, 900, 20):
        reviewed(after(second), "main")
    assert told() == ["village_out"]
    alarm = the(AlarmKind.VILLAGE_OUT)
    assert alarm.area == up.area("泽州东社区")
    assert (alarm.evidence["away"], alarm.evidence["units"]) == (8, 8)
    assert alarm.raised_at is not None and alarm.raised_at < after(60 + 180)


def test_a_villages_return_raises_nothing_and_ends_it(up: Cast) -> None:
    units = village(up, 8)
    power_out(units, 60)
    for second in range(60, 1200, 60):
        polled_in_vain(units, second)
        reviewed(after(second))
    for k, thing in enumerate(units):  # they redial within 20 to 90 s
        line(thing.gateway, True, after(1200 + 20 + 70 * k / 8))
    for second in range(1300, 3000, 60):
        for k, thing in enumerate(units):  # first polls are spread over an interval
            if second >= 1300 + INTERVAL * k / 8:
                answered(thing, after(second))
        reviewed(after(second))
    assert told() == []
    assert Alarm.objects.raised().count() == 1
    assert the(AlarmKind.VILLAGE_OUT).evidence["most"] == 8


def test_who_does_not_come_back_with_the_village_is_told_by_himself(up: Cast) -> None:
    units = village(up, 8)
    power_out(units, 60)
    reviewed(after(130))
    reviewed(after(170))
    assert told() == ["village_out"]
    for thing in units[1:]:
        line(thing.gateway, True, after(600))
        answered(thing, after(650))
    reviewed(after(700))
    reviewed(after(705))
    assert told() == []
    reviewed(after(800))
    assert told() == []
    reviewed(after(890))
    assert told() == ["transmitter_down"]
    assert the(AlarmKind.TRANSMITTER_DOWN).gateway == units[0].gateway


def test_a_village_whose_sockets_die_unnoticed_is_one_alarm_too(up: Cast) -> None:
    """The lines look open: only the polls say that nobody is there."""
    units = village(up, 8)
    for second in range(10, 1500, 30):
        for k, thing in enumerate(units):
            beats = (second + k) // INTERVAL
            if beats:
                missed(thing, after(-k + beats * INTERVAL))
        reviewed(after(second), "main")
    assert told() == ["village_out"]
    assert Alarm.objects.raised().count() == 1


def test_less_than_thirty_percent_are_told_one_by_one(up: Cast) -> None:
    units = village(up, 20)
    power_out(units[:5], 60)
    reviewed(after(200))
    reviewed(after(300))
    assert told() == ["transmitter_down"] * 5


def test_who_falls_silent_over_days_is_no_village_out(up: Cast) -> None:
    units = village(up, 10)
    for k, thing in enumerate(units[:5]):
        line(thing.gateway, False, after(-3600 * k))
    reviewed(after(500))
    reviewed(after(600))
    assert told() == ["transmitter_down"] * 5


def test_one_line_with_the_whole_village_behind_it_is_the_lines_alarm(up: Cast) -> None:
    area = up.area("泽州东社区")
    shared = gateway("serial:///dev/ttyUSB7?baud=9600", trusted=True)
    for k in range(6):
        thing = unit(shared, up.water.model, address=10 + k)
        install(household(area, number=f"26-11-{k:04}"), thing)
        answered(thing, NOON)
    line(shared, False, after(20))
    reviewed(after(100))
    reviewed(after(300))
    assert told() == ["transmitter_down"]
    assert the(AlarmKind.TRANSMITTER_DOWN).evidence == {"units": 6}


def test_a_worker_that_restarts_puts_no_village_out(up: Cast) -> None:
    units = village(up, 8)
    worker_lives(after(100), started_at=after(100))
    power_out(units, 100)
    for second in range(105, 180, 15):
        reviewed(after(second))
    for k, thing in enumerate(units):
        line(thing.gateway, True, after(180 + k))
    for second in range(200, 500, 30):
        reviewed(after(second))
    assert Alarm.objects.count() == 0


def test_who_was_lost_long_ago_is_not_lost_again_when_the_worker_restarts(up: Cast) -> None:
    """Half of the village is dead for days, each since another day; some never answered."""
    units = village(up, 10)
    for k, thing in enumerate(units[:5]):
        answered(thing, after(-86400 * (k + 1)))
        line(thing.gateway, False, after(100))
    UnitState.objects.filter(unit=units[5]).update(answered_at=None, missed_cause="line_down")
    line(units[5].gateway, False, after(100))
    worker_lives(after(100), started_at=after(100))
    for second in range(105, 600, 45):
        reviewed(after(second))
    assert told() == ["transmitter_down"] * 6


def test_the_first_seconds_of_an_outage_tell_nothing(up: Cast) -> None:
    power_out(village(up, 8), 60)
    for second in range(60, 118, 8):
        reviewed(after(second))
    assert Alarm.objects.count() == 0


# The line worker


def gone_since(at: datetime) -> None:
    WorkerState.objects.update(seen_at=at)


def test_a_worker_that_says_nothing_is_the_only_alarm(up: Cast) -> None:
    worker_lives(NOON)
    missed(up.water, after(30))
    line(up.air.gateway, False, after(-10))
    for second in (70, 130, 1000, 2000):
        reviewed(after(second), worker=False)
    assert told() == ["worker_gone"]
    assert the(AlarmKind.WORKER_GONE).line_worker == "main"


def test_a_database_that_was_away_is_no_worker_gone(up: Cast) -> None:
    worker_lives(NOON)
    reviewed(after(600), worker=False)
    reviewed(after(660))
    assert Alarm.objects.count() == 0


def test_a_worker_that_is_back_ends_its_alarm(up: Cast) -> None:
    worker_lives(NOON)
    for second in (70, 130):
        reviewed(after(second), worker=False)
    assert told() == ["worker_gone"]
    for second in (190, 250):
        answered(up.water, after(second))
        reviewed(after(second))
    assert told() == []


def test_a_worker_without_units_is_missed_by_nobody(up: Cast) -> None:
    worker_lives(NOON)
    Unit.objects.update(retired_at=NOON)
    for second in (70, 130, 190):
        reviewed(after(second), worker=False)
    assert told() == []


def test_a_village_stays_out_while_its_worker_is_gone(up: Cast) -> None:
    power_out(village(up, 20), 60)
    reviewed(after(130))
    reviewed(after(170))
    for second in (300, 360, 420, 480):
        reviewed(after(second), worker=False)
    assert told() == ["village_out", "worker_gone"]
