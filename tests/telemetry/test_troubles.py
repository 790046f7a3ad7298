"""Faults, frost, the wire, promises and bytes: when they are alarms and when these are over."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from devices.models import Unit
from households import clock
from telemetry.models import (
    Alarm,
    AlarmKind,
    GatewayMonth,
    Obligation,
    Severity,
    UnitState,
)
from tests.cast import Cast, answered, gateway, household, install, turned_bad, unit
from tests.telemetry.alarm_scene import NOON, after, line, reviewed, the, told

# Faults


def graded(cast: Cast, marks: str) -> Unit:
    """The water unit with a map whose water_flow fault is marked."""
    model = cast.water.model
    source = model.register_maps.get().content
    assert "0=water_flow" in source
    changed = source.replace("0=water_flow", f"0=water_flow{marks}")
    points = type(model.register_maps.get()).objects.add(model, changed.encode(), "map.csv")
    Unit.objects.filter(pk=cast.water.pk).update(register_map=points)
    return Unit.objects.get(pk=cast.water.pk)


def in_fault(thing: Unit, seconds: float, *names: str, **values: Any) -> UnitState:
    values |= {"fault_active": True, "fault_bits": list(names)}
    return answered(thing, after(seconds), **values)


def test_a_critical_fault_is_told_with_its_first_sample(cast: Cast) -> None:
    thing = graded(cast, "!critical")
    in_fault(thing, 0, "water_flow")
    assert reviewed(after(1)) == 1
    alarm = the(AlarmKind.FAULT)
    assert (alarm.severity, alarm.evidence) == (Severity.CRITICAL, {"faults": ["water_flow"]})


@pytest.mark.parametrize(
    ("mark", "severity"),
    [("!warn", Severity.WARNING), ("!info", Severity.INFO), ("", Severity.WARNING)],
)
def test_the_map_says_how_grave_a_fault_is(cast: Cast, mark: str, severity: Severity) -> None:
    thing = graded(cast, mark)
    for second in (0, 60):
        in_fault(thing, second, "water_flow")
        reviewed(after(second))
    assert the(AlarmKind.FAULT).severity == severity


def test_a_fault_beside_a_graver_one_is_as_grave(cast: Cast) -> None:
    thing = graded(cast, "!critical")
    for second in (0, 60):
        in_fault(thing, second, "phase")
        reviewed(after(second))
    in_fault(thing, 120, "phase", "water_flow")
    reviewed(after(120))
    alarm = the(AlarmKind.FAULT)
    assert alarm.severity == Severity.CRITICAL
    assert alarm.evidence == {"faults": ["phase", "water_flow"]}


def test_a_fault_without_a_name_is_told_too(cast: Cast) -> None:
    for second in (0, 60):
        answered(cast.air, after(second), fault_active=True)
        reviewed(after(second))
    assert the(AlarmKind.FAULT).evidence == {"faults": [""]}


@pytest.mark.parametrize("quality", ["starting", "suspect", "unconfirmed", "identity_disputed"])
def test_a_value_that_is_not_good_raises_nothing(cast: Cast, quality: str) -> None:
    thing = graded(cast, "!critical")
    for second in (0, 60):
        state = in_fault(thing, second, "water_flow", supply_temp=2.0, outdoor_temp=-9.0)
        state.fault_active = None
        for signal in ("fault_active", "supply_temp", "outdoor_temp"):
            turned_bad(state, signal, quality)
        reviewed(after(second))
    assert not Alarm.objects.exists()


def test_an_old_fault_of_a_silent_unit_raises_nothing(cast: Cast) -> None:
    in_fault(graded(cast, "!critical"), 0, "water_flow")
    reviewed(after(600))
    assert not Alarm.objects.exists()


# Frost


def freezes(
    thing: Unit, since: float, until: float, supply: float = 4.0, outdoor: float | None = -6.0
) -> None:
    """Answers every minute, reviews every minute."""
    for second in range(int(since), int(until) + 1, 60):
        values = {"supply_temp": supply}
        if outdoor is not None:
            values["outdoor_temp"] = outdoor
        answered(thing, after(second), **values)
        reviewed(after(second + 5))


def test_cold_water_in_frost_is_told_after_twenty_minutes(cast: Cast) -> None:
    freezes(cast.water, 0, 1140)
    assert told() == []
    freezes(cast.water, 1200, 1260)
    alarm = the(AlarmKind.FREEZE_RISK)
    assert (alarm.severity, alarm.seen_at) == (Severity.CRITICAL, NOON)
    assert alarm.evidence == {"supply": 4.0, "outdoor": -6.0, "stand_in": False}


@pytest.mark.parametrize(
    ("supply", "outdoor"), [(8.0, -6.0), (4.0, 0.0), (4.0, None), (40.0, -20.0)]
)
def test_warm_water_or_weather_or_none_known_is_no_frost(
    cast: Cast, supply: float, outdoor: float | None
) -> None:
    freezes(cast.water, 0, 1500, supply, outdoor)
    assert told() == []


def test_an_air_unit_has_no_water_to_freeze(cast: Cast) -> None:
    freezes(cast.air, 0, 1500)
    assert told() == []


def test_twenty_minutes_are_twenty_minutes_without_a_break(cast: Cast) -> None:
    freezes(cast.water, 0, 900)
    freezes(cast.water, 960, 960, supply=9.0)
    freezes(cast.water, 1020, 1500)
    assert told() == []


def test_the_towns_median_stands_in_for_an_outdoor_sensor(cast: Cast) -> None:
    for k, outdoor in enumerate((-9.0, -7.0, 30.0)):
        thing = unit(gateway(f"dial://T{k}"), cast.water.model, address=1)
        install(household(cast.area("泽州东社区"), number=f"26-11-000{k}"), thing)
        answered(thing, after(1200), outdoor_temp=outdoor, supply_temp=40.0)
        UnitState.objects.filter(unit=thing).update(interval_s=3600)
    freezes(cast.water, 0, 1260, outdoor=None)
    assert the(AlarmKind.FREEZE_RISK).evidence == {
        "supply": 4.0,
        "outdoor": -7.0,
        "stand_in": True,
    }


def test_frost_ends_at_ten_degrees_and_not_at_nine(cast: Cast) -> None:
    freezes(cast.water, 0, 1260)
    freezes(cast.water, 1320, 1500, supply=9.5)
    assert told() == ["freeze_risk"]
    freezes(cast.water, 1560, 1620, supply=10.0)
    assert told() == []


def test_frost_of_a_house_that_falls_silent_is_not_over(cast: Cast) -> None:
    freezes(cast.water, 0, 1260)
    for second in range(1320, 7200, 600):
        reviewed(after(second))
    assert "freeze_risk" in told()


# The wire


def problem(cast: Cast, code: str, address: int | None = None) -> None:
    problems = [{"code": code, "since": NOON.timestamp(), "address": address, "words": "说明"}]
    line(cast.water.gateway, True, NOON, problems=problems)


def no_problem(cast: Cast) -> None:
    line(cast.water.gateway, True, NOON, problems=[])


@pytest.mark.parametrize("kind", [AlarmKind.FLAPPING, AlarmKind.SECOND_MASTER])
def test_a_problem_of_the_line_is_told_at_the_second_look(cast: Cast, kind: AlarmKind) -> None:
    problem(cast, kind)
    reviewed(after(1), "main")
    reviewed(after(6), "main")
    assert told() == []
    reviewed(after(11), "main")
    alarm = the(kind)
    assert alarm.gateway == cast.water.gateway
    assert alarm.evidence["words"] == "说明"


def test_two_on_one_address_names_the_unit_on_record(cast: Cast) -> None:
    problem(cast, "two_on_one", cast.water.address)
    for second in (1, 20):
        reviewed(after(second))
    assert the(AlarmKind.TWO_ON_ONE).unit == cast.water


def test_two_on_an_address_that_is_nobodys_is_the_lines(cast: Cast) -> None:
    problem(cast, "two_on_one", 99)
    for second in (1, 20):
        reviewed(after(second))
    assert the(AlarmKind.TWO_ON_ONE).gateway == cast.water.gateway


def test_a_problem_must_be_gone_for_a_minute(cast: Cast) -> None:
    problem(cast, "second_master")
    for second in (1, 20):
        reviewed(after(second))
    no_problem(cast)
    for second in (30, 60, 85):
        reviewed(after(second))
    assert told() == ["second_master"]
    problem(cast, "second_master")
    reviewed(after(88))
    no_problem(cast)
    for second in (95, 150):
        reviewed(after(second))
    assert told() == ["second_master"]
    reviewed(after(156))
    assert told() == []


def test_what_the_platform_settles_itself_is_no_alarm(cast: Cast) -> None:
    problem(cast, "echo")
    for second in (1, 20, 40):
        reviewed(after(second))
    assert not Alarm.objects.exists()


# What is owed


def owed(cast: Cast) -> Obligation:
    return Obligation.objects.create(
        unit=cast.water,
        signal="indoor_temp_setpoint",
        former=20,
        test_value=21,
        by=cast.service_unit,
        made_at=NOON,
        restore_at=after(60),
    )


def test_a_test_value_that_stays_is_told_after_fifteen_minutes(cast: Cast) -> None:
    obligation = owed(cast)
    reviewed(after(890), "main")
    assert told() == []
    reviewed(after(901), "main")
    alarm = the(AlarmKind.RESTORE_OVERDUE)
    assert (alarm.severity, alarm.unit) == (Severity.CRITICAL, cast.water)
    assert alarm.evidence["obligation"] == obligation.pk
    assert (alarm.evidence["former"], alarm.evidence["test_value"]) == (20, 21)


def test_a_value_put_back_ends_it(cast: Cast) -> None:
    obligation = owed(cast)
    reviewed(after(901))
    obligation.fulfilled_at, obligation.ending = after(950), Obligation.Ending.RESTORED
    obligation.save()
    for second in (955, 960):
        reviewed(after(second))
    assert told() == []


# Bytes


def used(cast: Cast, megabytes: float, budget: int | None = 30) -> None:
    behind = cast.water.gateway
    behind.monthly_budget_mb = budget
    behind.save()
    with clock.at(NOON):
        month = GatewayMonth.current()
    GatewayMonth.objects.update_or_create(
        gateway=behind, month=month, defaults={"bytes_in": int(megabytes * 1_000_000)}
    )


def test_eighty_percent_of_the_months_bytes_are_a_hint(cast: Cast) -> None:
    used(cast, 23.9)
    reviewed(after(1))
    assert told() == []
    used(cast, 24.0)
    reviewed(after(61))
    alarm = the(AlarmKind.BUDGET)
    assert (alarm.severity, alarm.gateway) == (Severity.INFO, cast.water.gateway)
    assert alarm.evidence == {"bytes": 24_000_000, "budget": 30_000_000}


def test_bytes_used_up_are_a_warning_and_one_alarm(cast: Cast) -> None:
    for second, megabytes in ((1, 24.0), (61, 30.0)):
        used(cast, megabytes)
        reviewed(after(second))
    assert the(AlarmKind.BUDGET).severity == Severity.WARNING


def test_a_new_month_ends_it(cast: Cast) -> None:
    used(cast, 29)
    reviewed(after(1))
    december = NOON + timedelta(days=9)
    for second in (0, 60):
        reviewed(december + timedelta(seconds=second))
    assert told() == []


def test_without_a_budget_bytes_are_nobodys_business(cast: Cast) -> None:
    used(cast, 500, None)
    reviewed(after(1))
    assert told() == []
