"""A village's power goes and returns: 200 real transmitters, one alarm, none false, no write.

Takes about a quarter of an hour, because nothing of the platform's patience is shortened.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from random import Random

import pytest
from django.db.models import F

from devices.modbus.simulator.transmitters import Transmitter
from devices.modbus.simulator.unit import SimUnit
from devices.models import Unit
from households import clock
from telemetry import alarms, partitions
from telemetry.line_worker import LineWorker
from telemetry.models import Alarm, AlarmKind, Command, GatewayState, Reading, UnitState
from tests.cast import Cast, gateway, household, install, unit
from tests.farm import WATER
from tests.telemetry.test_line_worker import eventually

MANY, ELSEWHERE = 200, 10
INTERVAL_S = 60
OUT_S = 300.0
BACK_S = (20.0, 90.0)


def houses(cast: Cast, name: str, count: int) -> list[Unit]:
    """Units in one village, each behind a transmitter of its own."""
    area, made = cast.area(name), []
    for k in range(count):
        number = f"26-{cast.areas[name].pk:02}-{1000 + k}"
        behind = gateway(
            f"dial://{number}", line_worker="test", interval_s=INTERVAL_S, trusted=True
        )
        made.append(unit(behind, cast.water.model, address=5))
        install(household(area, number=number), made[-1])
    return made


@contextmanager
def dialling(
    server: tuple[str, int], units: list[Unit]
) -> Iterator[tuple[asyncio.AbstractEventLoop, list[Transmitter]]]:
    """The units' transmitters, on a loop of their own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    fleet = [
        Transmitter(
            [SimUnit(WATER, 5, static=True)],
            server,
            thing.gateway.transmitter,
            heartbeat_s=30,
            seed=thing.pk,
        )
        for thing in units
    ]

    async def each(method: str) -> None:
        for one in fleet:
            made = getattr(one, method)()
            if asyncio.iscoroutine(made):
                await made

    asyncio.run_coroutine_threadsafe(each("start"), loop).result(30)
    try:
        yield loop, fleet
    finally:
        asyncio.run_coroutine_threadsafe(each("stop"), loop).result(60)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()


def answered_since(units: list[Unit], moment: datetime | F) -> int:
    rows = UnitState.objects.filter(unit__in=units, missed_cause="", answered_at__gt=moment)
    return rows.count()


def watch_for(seconds: float) -> None:
    """Time goes by; the beat's review comes every minute, the keeper's by itself."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        alarms.review()
        time.sleep(min(60, left))


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_two_hundred_transmitters_vanish_and_return(cast: Cast, tmp_path: Path) -> None:
    Unit.objects.update(retired_at=clock.now())
    dark, lit = houses(cast, "泽州东社区", MANY), houses(cast, "洞头村", ELSEWHERE)
    partitions.ensure()
    worker = LineWorker("test", var=tmp_path, listeners="auto@127.0.0.1:0")
    worker.start()
    try:
        (address,) = eventually(lambda: worker._switchboard and worker._switchboard.addresses)
        with dialling(address, [*dark, *lit]) as (loop, fleet):
            _through_the_night(dark, lit, loop, fleet[:MANY])
    finally:
        worker.end()


def _through_the_night(
    dark: list[Unit], lit: list[Unit], loop: asyncio.AbstractEventLoop, fleet: list[Transmitter]
) -> None:
    began = clock.now()
    eventually(lambda: answered_since([*dark, *lit], began) == MANY + ELSEWHERE, 150)
    watch_for(200)  # the worker's own start is long enough ago
    assert not Alarm.objects.raised().exists()

    dice = Random(7)
    waits = [OUT_S + dice.uniform(*BACK_S) for _ in fleet]
    gone = clock.now()
    for one, wait in zip(fleet, waits, strict=True):
        loop.call_soon_threadsafe(one.drop, wait)
    eventually(lambda: Alarm.objects.open().exists(), 180)
    noticed = (clock.now() - gone).total_seconds()
    watch_for(max(0.0, OUT_S - 30 - noticed))
    assert [alarm.kind for alarm in Alarm.objects.open()] == [AlarmKind.VILLAGE_OUT]

    watch_for(30 + max(waits) - OUT_S)
    up = GatewayState.objects.filter(gateway__units__in=dark, connected=True)
    eventually(lambda: up.count() == MANY, 60)
    returned = max(up.values_list("since", flat=True))
    eventually(lambda: answered_since(dark, F("unit__gateway__state__since")) == MANY, 90)
    all_polled = (clock.now() - returned).total_seconds()
    eventually(lambda: not Alarm.objects.open().exists(), 90)
    watch_for(4 * INTERVAL_S + 30)

    (alarm,) = Alarm.objects.raised()
    assert (alarm.kind, alarm.area) == (AlarmKind.VILLAGE_OUT, _area_of(dark[0]))
    assert not Command.objects.exists()
    assert all_polled < INTERVAL_S + 10
    missed = Reading.objects.filter(unit_id__in=[u.pk for u in lit], at__gt=gone).count()
    print(f"noticed after {noticed:.0f} s, all polled {all_polled:.0f} s after the last one was")
    print(f"back; {ELSEWHERE} units elsewhere were read {missed} times meanwhile")


def _area_of(thing: Unit) -> object:
    return thing.installations.get().household.area
