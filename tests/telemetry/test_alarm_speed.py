"""A review of ten thousand units takes a fraction of the five seconds in which it comes again.

`ALARM_UNITS=65535` tries it with as many as there are network addresses; `-s` shows the seconds.
"""

from __future__ import annotations

import os
import time
from datetime import timedelta

import pytest
from django.db import connection

from devices.models import Gateway, Installation, Unit
from households import clock
from households.models import Household, Method
from telemetry import alarms
from telemetry.models import Alarm, GatewayState, UnitState
from tests.cast import INSTALLED_ON, SERVICE_BEGAN, Cast
from tests.telemetry.alarm_scene import NOON, after, reviewed, told, worker_lives

UNITS = int(os.environ.get("ALARM_UNITS", "10000"))
VALUES = {
    "supply_temp": 43.1,
    "return_temp": 38.6,
    "outdoor_temp": -6.7,
    "indoor_temp": 19.4,
    "indoor_temp_setpoint": 20.0,
    "supply_temp_setpoint": 45.0,
    "power_state": True,
    "mode": "heating",
    "fault_active": False,
    "fault_bits": [],
    "compressor_running": True,
    "electric_energy": 1842.6,
    "electric_power": 2.1,
}


def district_of(cast: Cast, n: int) -> None:
    """`n` units, each in a house of its own behind its own transmitter; all answered at noon. One
    in a hundred is silent, one in a hundred in fault, two in a thousand have lost their line."""
    model = cast.water.model
    points = model.register_maps.get()
    villages = [area for area in cast.areas.values() if area.level == "village"]
    lines = Gateway.objects.bulk_create(
        Gateway(url=f"dial://M{k:07}", kind="dial", trusted=True) for k in range(n)
    )
    homes = Household.objects.bulk_create(
        Household(
            area=villages[k % len(villages)],
            number=f"26-{k // 10000 + 30}-{k % 10000:04}",
            year=2026,
            method=Method.COAL_TO_ELECTRICITY,
            householder="测试户",
            heated_area=86,
        )
        for k in range(n)
    )
    units = Unit.objects.bulk_create(
        Unit(
            gateway=line,
            address=1,
            model=model,
            register_map=points,
            in_service_since=SERVICE_BEGAN,
            factory_number=f"M{k}",
        )
        for k, line in enumerate(lines)
    )
    Installation.objects.bulk_create(
        Installation(
            household=home,
            unit=unit,
            installed_on=INSTALLED_ON,
            heated_area=86,
            factory_number=unit.factory_number,
        )
        for home, unit in zip(homes, units, strict=True)
    )
    GatewayState.objects.bulk_create(
        GatewayState(
            gateway=line,
            connected=k % 500 != 7,
            since=NOON - timedelta(seconds=3600 + 400 * (k // 500)),
            figures={"bytes_in": 123456, "units": {"1": {"round_trip_ms": 80, "answers": 999}}},
        )
        for k, line in enumerate(lines)
    )
    UnitState.objects.bulk_create(
        UnitState(
            unit=unit,
            answered_at=NOON - timedelta(seconds=7200 + k if k % 100 == 3 else k % 60),
            polled_at=NOON,
            interval_s=300,
            missed_cause="not_answered" if k % 100 == 3 else "",
            fault_active=k % 100 == 5,
            values=VALUES | ({"fault_bits": ["high_pressure"]} if k % 100 == 5 else {}),
        )
        for k, unit in enumerate(units)
    )


def seconds_of(line_worker: str | None, at: float) -> float:
    worker_lives(after(at))
    with clock.at(after(at)):
        began = time.perf_counter()
        alarms.review(line_worker)
        return time.perf_counter() - began


@pytest.mark.long
def test_a_review_of_ten_thousand_units_takes_under_a_second(cast: Cast) -> None:
    district_of(cast, UNITS)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # as autovacuum does
    reviewed(after(30))
    UnitState.objects.filter(fault_active=True).update(answered_at=after(31))
    first = seconds_of(None, 35)
    of_worker = min(seconds_of("main", 40 + k) for k in range(3))
    of_all = min(seconds_of(None, 50 + k) for k in range(3))
    count = Alarm.objects.open().count()
    print(
        f"{UNITS} units, {count} alarms open: review with news {first:.2f} s,"
        f" a worker's own {of_worker:.3f} s, of all {of_all:.3f} s"
    )
    assert {"fault", "transmitter_down", "unit_silent"} == set(told())
    assert max(of_worker, of_all) < 1
