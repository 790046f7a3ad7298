"""Which values may be written, and when a house stands in the cold."""

from datetime import UTC, datetime, timedelta

import pytest

from devices.modbus.points import Point, Scalar
from devices.models import Unit
from households import clock
from telemetry import limits
from tests import cast as people
from tests.cast import Cast

pytestmark = pytest.mark.django_db
WINTER = datetime(2026, 1, 20, 3, tzinfo=UTC)
SUMMER = datetime(2026, 7, 20, 3, tzinfo=UTC)


def point(unit: Unit, signal: str) -> Point:
    return unit.register_map.parsed().writers(signal)[0]


def test_the_limit_in_force_is_the_narrower_of_policy_and_map(cast: Cast) -> None:
    room, water = (point(cast.water, f"{name}_temp_setpoint") for name in ("indoor", "supply"))
    assert limits.bounds(room) == (16, 26)  # the map has 10 to 30
    assert limits.bounds(water) == (25, 55)  # the policy has up to 60
    assert limits.bounds(room, by_policy=False) == (10, 30)


@pytest.mark.parametrize(
    ("signal", "target", "who"),
    [
        ("indoor_temp_setpoint", 15, "平台规定"),
        ("indoor_temp_setpoint", 27, "平台规定"),
        ("indoor_temp_setpoint", 31, "平台规定"),
        ("supply_temp_setpoint", 56, "设备点表"),
        ("supply_temp_setpoint", 61, "平台规定"),
        ("supply_temp_setpoint", 24, "设备点表"),
    ],
)
def test_a_refusal_names_whose_limit_it_is(
    cast: Cast, signal: str, target: float, who: str
) -> None:
    (sentence,) = limits.against_value(point(cast.water, signal), target)
    assert who in sentence


def test_the_makers_limits_alone_bound_what_is_put_back(cast: Cast) -> None:
    room = point(cast.water, "indoor_temp_setpoint")
    assert limits.against_value(room, 28)
    assert not limits.against_value(room, 28, by_policy=False)
    assert limits.against_value(room, 31, by_policy=False)


@pytest.mark.parametrize(
    ("signal", "target", "stops"),
    [
        ("power_state", False, True),
        ("power_state", True, False),
        ("mode", "cooling", True),
        ("mode", "hot_water", True),
        ("mode", "制热1", True),  # a maker's own word heats nothing as far as we know
        ("mode", "heating", False),
        ("mode", "auto", False),
        ("supply_temp_setpoint", 29.5, True),
        ("supply_temp_setpoint", 30, False),
        ("return_temp_setpoint", 25, True),
        ("indoor_temp_setpoint", 16, False),
        ("alarm_reset", True, False),
    ],
)
def test_what_stops_the_heating_of_a_water_unit(
    cast: Cast, signal: str, target: Scalar, stops: bool
) -> None:
    assert limits.stops_heating(cast.water, signal, target) == stops
    assert not limits.stops_heating(cast.air, signal, target)  # no water, nothing freezes


def cold(cast: Cast, at: datetime, outdoor: float | None, minutes: float = 1) -> str:
    values = {} if outdoor is None else {"outdoor_temp": outdoor}
    people.answered(cast.water, at - timedelta(minutes=minutes), **values)
    with clock.at(at):
        return limits.cold_outside(cast.water)


@pytest.mark.parametrize(("outdoor", "is_cold"), [(-12.5, True), (5.0, True), (5.1, False)])
def test_five_degrees_and_less_are_cold(cast: Cast, outdoor: float, is_cold: bool) -> None:
    assert bool(cold(cast, WINTER, outdoor)) == is_cold
    assert bool(cold(cast, SUMMER, outdoor)) == is_cold


def test_the_sentence_says_how_cold(cast: Cast) -> None:
    assert cold(cast, WINTER, -12.5) == "室外 −12.5 °C"


@pytest.mark.parametrize(("outdoor", "minutes"), [(None, 1), (12.0, 31)])
def test_an_unknown_or_old_outdoor_temperature_is_cold_in_the_season_only(
    cast: Cast, outdoor: float | None, minutes: float
) -> None:
    assert "未知" in cold(cast, WINTER, outdoor, minutes)
    assert cold(cast, SUMMER, outdoor, minutes) == ""


@pytest.mark.parametrize(
    ("day", "inside"),
    [("2026-10-31", False), ("2026-11-01", True), ("2027-03-31", True), ("2027-04-01", False)],
)
def test_the_season_has_its_edges_on_shanghais_calendar(day: str, inside: bool) -> None:
    with clock.at(datetime.fromisoformat(f"{day}T00:00:01+08:00")):
        assert limits.in_season() == inside


def neighbours(cast: Cast, village: str, *outdoors: float) -> None:
    for number, outdoor in enumerate(outdoors, start=10):
        unit = people.unit(cast.water.gateway, cast.water.model, address=number)
        home = people.household(cast.area(village), number=f"26-10-{number:04}")
        people.install(home, unit)
        people.answered(unit, WINTER - timedelta(minutes=5), outdoor_temp=outdoor)


def test_the_median_of_the_town_stands_in_for_a_silent_sensor(cast: Cast) -> None:
    neighbours(cast, "泽州东社区", 4.0, 9.0, 60.0)  # the same town as 洞头村
    assert cold(cast, WINTER, None) == ""
    with clock.at(WINTER):
        assert limits.outdoor(cast.water) == 9.0


def test_other_towns_and_old_readings_stand_in_for_nothing(cast: Cast) -> None:
    neighbours(cast, "司匠村", 9.0)
    assert "未知" in cold(cast, WINTER, None)


def test_a_unit_without_a_house_has_no_town(cast: Cast) -> None:
    spare = people.unit(cast.water.gateway, cast.water.model, address=77)
    with clock.at(WINTER):
        assert "未知" in limits.cold_outside(spare)
