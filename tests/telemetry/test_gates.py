"""Commissioned and proven is what the unit's own data show."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from devices.modbus import signals
from devices.models import Installation
from households import clock, path
from households.models import Method, State, StepKind
from telemetry import gates
from telemetry.models import UnitHour
from tests import cast as make
from tests.cast import INSTALLED_ON, Cast

pytestmark = pytest.mark.django_db
GOOD: dict[str, Any] = {name: 20.0 for name in signals.SEVEN} | {"fault_active": False}
NEXT_DAY = datetime(2026, 10, 21, 9, tzinfo=clock.SHANGHAI)
ON = date(2026, 11, 20)


def hours(cast: Cast, count: int, end: date = ON, **changes: Any) -> None:
    """So many hours up to the end of that day, each all stored, on, and warmer out than back."""
    midnight = datetime(end.year, end.month, end.day, tzinfo=clock.SHANGHAI) + timedelta(days=1)
    fields: dict[str, Any] = {"interval_s": 60, "due": 60, "stored": 60, "on_seconds": 3600}
    fields |= {"supply_avg": 45.0, "return_avg": 39.0} | changes
    UnitHour.objects.bulk_create(
        UnitHour(unit=cast.water, hour=midnight - timedelta(hours=n + 1), **fields)
        for n in range(count)
    )


def test_the_seven_readings_of_annex_2_are_asked_for() -> None:
    assert signals.SEVEN == (
        "supply_temp",
        "return_temp",
        "outdoor_temp",
        "indoor_temp_setpoint",
        "power_state",
        "mode",
        "fault_active",
    )


def test_a_unit_that_told_everything_is_commissioned(cast: Cast) -> None:
    make.answered(cast.water, NEXT_DAY, **GOOD)
    make.reach(cast.water_household, StepKind.INSTALLED, cast.town_officer)
    path.take(cast.water_household, StepKind.COMMISSIONED, on=ON, by=cast.town_officer)
    cast.water_household.refresh_from_db()
    assert cast.water_household.state == State.TO_ACCEPT


def test_readings_that_never_came_are_named(cast: Cast) -> None:
    told = {name: value for name, value in GOOD.items() if name not in ("mode", "outdoor_temp")}
    make.answered(cast.water, NEXT_DAY, **told)
    (said,) = gates.commissioned(cast.water_household, ON)
    assert said == "平台还没有收到有效的室外环境温度、运行模式：请安装人员检查设备通信"


def test_a_value_that_never_was_good_does_not_count(cast: Cast) -> None:
    told = {name: value for name, value in GOOD.items() if name != "supply_temp"}
    make.turned_bad(make.answered(cast.water, NEXT_DAY, **told), "supply_temp", "sensor_open")
    (said,) = gates.commissioned(cast.water_household, ON)
    assert "供水温度" in said


def test_a_value_that_was_good_once_counts_though_it_is_bad_now(cast: Cast) -> None:
    make.turned_bad(make.answered(cast.water, NEXT_DAY, **GOOD), "supply_temp", "sensor_open")
    assert gates.commissioned(cast.water_household, ON) == []


def test_what_the_unit_told_before_it_was_put_in_proves_nothing(cast: Cast) -> None:
    make.answered(cast.water, NEXT_DAY - timedelta(days=2), **GOOD)
    (said,) = gates.commissioned(cast.water_household, ON)
    assert said.count("、") == len(signals.SEVEN) - 1


def test_a_unit_that_never_answered_is_not_commissioned(cast: Cast) -> None:
    assert gates.commissioned(cast.water_household, ON) != []


@pytest.mark.parametrize("gate", [gates.commissioned, gates.proven])
def test_without_a_unit_in_the_house_nothing_is_shown(cast: Cast, gate: path.Gate) -> None:
    Installation.objects.update(removed_on=INSTALLED_ON)
    assert gate(cast.water_household, ON) == ["当日没有在用的安装记录：请安装人员登记安装信息"]


@pytest.mark.parametrize("gate", [gates.commissioned, gates.proven])
def test_a_household_on_a_network_has_nothing_to_tell(cast: Cast, gate: path.Gate) -> None:
    home = make.household(
        cast.area("南大街社区"), number="26-13-0001", method=Method.CENTRAL_HEATING
    )
    assert gate(home, ON) == []


def test_a_day_of_heating_without_a_gap_proves_it(cast: Cast) -> None:
    hours(cast, 24)
    assert gates.proven(cast.water_household, ON) == []


def test_an_hour_less_does_not(cast: Cast) -> None:
    hours(cast, 23)
    (said,) = gates.proven(cast.water_household, ON)
    assert "只有 23，应不少于 24" in said and "98%" in said


@pytest.mark.parametrize(
    ("changes", "counts"),
    [
        ({"stored": 59}, True),  # 98.3 %
        ({"stored": 58}, False),  # 96.7 %
        ({"due": 0, "stored": 0}, False),
        ({"on_seconds": 0}, False),
        ({"supply_avg": 39.0}, False),
        ({"supply_avg": None}, False),
    ],
)
def test_an_hour_counts_when_it_was_seen_and_heated(
    cast: Cast, changes: dict[str, Any], counts: bool
) -> None:
    hours(cast, 24, **changes)
    assert (gates.proven(cast.water_household, ON) == []) is counts


def test_hours_of_the_week_before_and_of_the_days_after_do_not_count(cast: Cast) -> None:
    hours(cast, 24, end=ON - timedelta(days=7))
    hours(cast, 24, end=ON + timedelta(days=1))
    (said,) = gates.proven(cast.water_household, ON)
    assert "只有 0，" in said
    hours(cast, 24, end=ON - timedelta(days=6))
    assert gates.proven(cast.water_household, ON) == []


def test_proof_that_is_missing_leaves_no_step(cast: Cast) -> None:
    make.reach(cast.water_household, StepKind.ACCEPTED, cast.town_officer)
    with pytest.raises(path.StepRefused, match="应不少于 24"):
        path.take(cast.water_household, StepKind.PROVEN, on=ON, by=cast.town_officer)
    assert not cast.water_household.steps.filter(kind=StepKind.PROVEN).exists()
