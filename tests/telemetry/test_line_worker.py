"""The line worker whole: real bytes from simulated units, real rows, and things that break."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from devices.modbus.simulator.unit import SimUnit
from devices.models import DeviceModel, Gateway, RegisterMap, Unit
from households import clock
from telemetry import cadence, commands, keeping, line_states, partitions, unit_clock
from telemetry.line_worker import LineWorker
from telemetry.models import (
    Alarm,
    Command,
    GatewayState,
    IntervalInForce,
    MissedPolls,
    Reading,
    SettingChanged,
    UnitState,
    Watch,
    WorkerState,
)
from tests import cast as people
from tests.cast import Cast
from tests.farm import AIR, WATER, Farm, farm

pytestmark = pytest.mark.django_db(transaction=True)
SOON = 20.0  # a limit for a busy machine; a test goes on as soon as it happened


def eventually(condition: Callable[[], Any], seconds: float = SOON) -> Any:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := condition():
            return found
        time.sleep(0.03)
    raise AssertionError("it did not happen in time")


@pytest.fixture(autouse=True)
def looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """The keeper's pauses are made for a busy database, and the spread of first polls for many
    units, not for a test that waits."""
    for name in ("ROUND_S", "ROSTER_S", "FIGURES_S"):
        monkeypatch.setattr(keeping, name, 0.1)
    monkeypatch.setattr(unit_clock, "FIRST_ROUND_S", 0.1)


@pytest.fixture
def lines() -> Iterator[Farm]:
    with farm() as made:
        yield made


@contextmanager
def working(tmp_path: Path, **options: Any) -> Iterator[LineWorker]:
    partitions.ensure()
    worker = LineWorker("test", var=tmp_path, **{"listeners": ""} | options)
    worker.start()
    try:
        yield worker
    finally:
        worker.end()


def gateway(port: int, scheme: str = "tcp", **changes: Any) -> Gateway:
    fields = {"line_worker": "test", "interval_s": 1, "trusted": True} | changes
    return people.gateway(f"{scheme}://127.0.0.1:{port}", **fields)


def water(behind: Gateway, address: int = 5) -> Unit:
    """A CN-W10 whose maker says that it answers within 200 ms and takes values at once."""
    model = DeviceModel.objects.get(code="CN-W10")
    quick = WATER.read_text()
    for slow, fast in {
        "@holes": "@reply_timeout_ms,200\n@holes",
        "value,,,,": "value,,0.2,,",
        "rmw,,,,": "rmw,,0.2,,",
        "pulse,1,1.0": "pulse,1,0.2",
    }.items():
        quick = quick.replace(slow, fast)
    RegisterMap.objects.add(model, quick.encode(), "quick.csv")
    return people.unit(behind, model, address=address)


def sim(address: int = 5, **options: Any) -> SimUnit:
    return SimUnit(WATER, address, static=True, **options)


def rows(unit: Unit) -> int:
    return Reading.objects.filter(unit_id=unit.pk).count()


def test_what_the_unit_says_is_what_is_stored(cast: Cast, lines: Farm, tmp_path: Path) -> None:
    device = sim()
    unit = water(gateway(lines.open(device)))
    with working(tmp_path):
        eventually(lambda: rows(unit) >= 2)
        state = eventually(lambda: UnitState.objects.filter(unit=unit).first())
    said = device.values()
    row = Reading.objects.filter(unit_id=unit.pk).first()
    assert row is not None and row.not_good is None
    for signal in ("supply_temp", "return_temp", "outdoor_temp", "indoor_temp_setpoint", "mode"):
        assert getattr(row, signal) == said[signal] == state.entry(signal)["value"]
    assert state.is_online and row.fault_active is False


def test_both_makers_are_read_over_their_own_lines(cast: Cast, lines: Farm, tmp_path: Path) -> None:
    air = people.unit(
        gateway(lines.open(SimUnit(AIR, 1, static=True), framing="mbap"), "mbap"),
        DeviceModel.objects.get(code="AirBox-3P"),
        address=1,
    )
    unit = water(gateway(lines.open(sim())))
    with working(tmp_path):
        eventually(lambda: rows(unit) and rows(air))


def test_one_silent_unit_and_one_dead_line_stop_nobody(
    cast: Cast, lines: Farm, tmp_path: Path
) -> None:
    shared = gateway(lines.open(sim(1), sim(2, silent=True)))
    good, silent = water(shared, 1), water(shared, 2)
    port = lines.open(sim())
    lines.close(port)
    dead = water(gateway(port))
    with working(tmp_path):
        eventually(lambda: rows(good) >= 2)
        missed = MissedPolls.objects
        eventually(lambda: missed.filter(unit_id=silent.pk, cause="not_answered"))
        eventually(lambda: missed.filter(unit_id=dead.pk, cause="line_down"))
    assert rows(silent) == rows(dead) == 0
    state = GatewayState.objects.get(gateway=dead.gateway)
    assert not state.connected and "127.0.0.1" in state.problem


def test_a_line_that_comes_back_is_polled_again(cast: Cast, lines: Farm, tmp_path: Path) -> None:
    port = lines.open(sim())
    unit = water(gateway(port))
    with working(tmp_path):
        eventually(lambda: rows(unit))
        lines.close(port)
        eventually(lambda: MissedPolls.objects.filter(unit_id=unit.pk, cause="line_down"))
        before = rows(unit)
        lines.open(sim(), port=port)
        eventually(lambda: rows(unit) > before)


def test_new_changed_and_retired_units_are_taken_up_without_a_restart(
    cast: Cast, lines: Farm, tmp_path: Path
) -> None:
    behind = gateway(lines.open(sim(1), sim(2), sim(3)))
    first = water(behind, 1)
    with working(tmp_path):
        eventually(lambda: rows(first))
        second = water(behind, 2)
        eventually(lambda: rows(second))
        Unit.objects.filter(pk=second.pk).update(address=99)  # plain SQL is seen too
        eventually(lambda: MissedPolls.objects.filter(unit_id=second.pk))
        Unit.objects.filter(pk=second.pk).update(address=3)
        before = rows(second)
        eventually(lambda: rows(second) > before)


def test_a_setpoint_is_written_read_back_and_seen_in_the_state(
    cast: Cast, lines: Farm, tmp_path: Path
) -> None:
    device = sim()
    unit = water(gateway(lines.open(device)))
    with working(tmp_path):
        eventually(lambda: rows(unit))
        command = commands.request(
            unit, "indoor_temp_setpoint", 23, by=cast.district_officer, reason="user"
        )
        eventually(lambda: Command.objects.get(pk=command.pk).state == "verified")
        eventually(
            lambda: UnitState.objects.get(unit=unit).entry("indoor_temp_setpoint")["value"] == 23
        )
    command.refresh_from_db()
    assert (command.sent, command.read_back) == (23.0, 23.0)
    assert device.words("holding", 2) == [23]


def test_an_alarm_reset_leaves_the_power_as_it_was(cast: Cast, lines: Farm, tmp_path: Path) -> None:
    device = sim()
    device.set("power_state", True)
    unit = water(gateway(lines.open(device)))
    with working(tmp_path):
        eventually(lambda: rows(unit))
        command = commands.request(
            unit, "alarm_reset", True, by=cast.district_officer, reason="service"
        )
        eventually(lambda: not Command.objects.get(pk=command.pk).is_open)
    assert Command.objects.get(pk=command.pk).state == "verified"
    assert device.words("holding", 0) == [1]


def test_a_refusal_of_the_unit_is_shown_as_such(cast: Cast, lines: Farm, tmp_path: Path) -> None:
    device = sim()
    unit = water(gateway(lines.open(device)))
    device.write_codes = set()
    with working(tmp_path):
        eventually(lambda: rows(unit))
        command = commands.request(
            unit, "indoor_temp_setpoint", 23, by=cast.district_officer, reason="user"
        )
        eventually(lambda: not Command.objects.get(pk=command.pk).is_open)
    command.refresh_from_db()
    assert command.state == "refused" and command.detail


def test_what_a_killed_worker_was_writing_is_settled_by_reading(
    cast: Cast, lines: Farm, tmp_path: Path
) -> None:
    device = sim()
    unit = water(gateway(lines.open(device)))
    command = commands.request(
        unit, "indoor_temp_setpoint", 23, by=cast.district_officer, reason="user"
    )
    commands.claim("test", uuid.uuid4(), [unit.gateway_id])  # killed after the claim
    device.set("indoor_temp_setpoint", 23.0)  # the byte had left
    written = device.words("holding", 2)
    with working(tmp_path):
        eventually(lambda: Command.objects.get(pk=command.pk).state == "verified")
    assert device.words("holding", 2) == written
    assert Command.objects.get(pk=command.pk).claimed_by is not None


def test_the_worker_says_how_it_goes(cast: Cast, lines: Farm, tmp_path: Path) -> None:
    unit = water(gateway(lines.open(sim())))
    with working(tmp_path) as worker:
        eventually(lambda: rows(unit))
        state = eventually(lambda: WorkerState.objects.filter(name="test").first())
        assert state.lives and state.start_id == worker.start_id
        assert {"queue", "oldest_unsent_s", "rejected_rows", "polls"} <= set(state.figures)


def test_nothing_of_the_last_second_is_lost_at_the_end(
    cast: Cast, lines: Farm, tmp_path: Path
) -> None:
    unit = water(gateway(lines.open(sim())))
    with working(tmp_path) as worker:
        eventually(lambda: worker.polls >= 2)
    assert rows(unit) == worker.polls


def test_a_watched_unit_is_polled_faster_at_once_and_every_pace_is_dated(
    cast: Cast, lines: Farm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cadence, "OPEN_S", 0.3)
    unit = water(gateway(lines.open(sim()), interval_s=900))
    with working(tmp_path):
        eventually(lambda: rows(unit) == 1)
        cadence.watch(unit)
        eventually(lambda: rows(unit) >= 4)
        assert UnitState.objects.get(unit=unit).is_online
        Watch.objects.update(until=clock.now())
        paces = IntervalInForce.objects.filter(unit=unit).order_by("since")
        eventually(lambda: paces.count() == 3)
    assert [(pace.interval_s, pace.why) for pace in paces] == [
        (900, "gateway"),
        (0.3, "open"),
        (900, "gateway"),
    ]


def test_figures_of_a_line_reach_its_state(
    cast: Cast, lines: Farm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line_states, "EVERY_S", 0.1)
    line = gateway(lines.open(sim()))
    water(line)
    with working(tmp_path):
        state = GatewayState.objects.filter(gateway=line, figures__answers__gte=4)
        figures = eventually(state.first).figures
    assert figures["requests"] >= figures["answers"]
    assert figures["bytes_in"] > figures["bytes_out"] > 0
    assert figures["units"]["5"]["answers"] >= 4
    assert figures["round_trip_ms"] is not None


def test_settings_that_an_outage_changed_are_listed_once(
    cast: Cast, lines: Farm, tmp_path: Path
) -> None:
    at = clock.now()
    found = unit_clock.Changed(cast.water.pk, None, at, {"mode": ("heating", "auto")})
    with working(tmp_path) as worker:
        for _ in range(2):
            worker._keeper.changed(found)
        row = eventually(SettingChanged.objects.filter(unit=cast.water).first)
    assert (row.signal, row.before, row.after, row.at) == ("mode", "heating", "auto", at)
    assert SettingChanged.objects.visible_to(cast.outsider).count() == 0
    assert SettingChanged.objects.visible_to(cast.clerk).count() == 1


def test_a_running_worker_raises_and_clears_alarms_by_itself(
    cast: Cast, lines: Farm, tmp_path: Path
) -> None:
    faulty = sim(fault="water_flow")
    thing = water(gateway(lines.open(faulty)))
    with working(tmp_path):
        alarm = eventually(lambda: Alarm.objects.open().filter(unit=thing).first())
        assert (alarm.kind, alarm.evidence) == ("fault", {"faults": ["water_flow"]})
        assert alarm.sample_at > alarm.seen_at
        faulty.clear()
        eventually(lambda: Alarm.objects.filter(pk=alarm.pk, cleared_at__isnull=False))
