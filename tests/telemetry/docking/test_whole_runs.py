"""A whole run of the bench through the platform: both example makers, from the queue to the
verdict and its report."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from devices.modbus.bench import Options
from devices.modbus.simulator.unit import SimUnit
from devices.models import DeviceModel, RegisterMap, Unit
from telemetry import pace
from telemetry.docking import long_steps, runner, runs, samples
from telemetry.models import DockingStep, DockingTest, Obligation
from tests.cast import Cast
from tests.farm import AIR, WATER, Farm
from tests.telemetry.docking_scene import application, quick
from tests.telemetry.test_line_worker import lines, looks_often, working

__all__ = ["lines", "looks_often"]  # fixtures
pytestmark = pytest.mark.django_db(transaction=True)

BRIEF = {"hold_s": 0.3, "off_s": 0.1, "fault_wait_s": 0.3, "silence_s": 0.3}
BRIEF_TOO = {"replies": 20, "idle_s": 0.3, "write_space_s": 0.0}


@pytest.fixture(autouse=True)
def in_no_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses of the bench that no test waits for."""
    usual = runner.options_of

    def options(step: DockingStep) -> Options:
        return replace(usual(step), **BRIEF, **BRIEF_TOO)  # type: ignore[arg-type]

    monkeypatch.setattr(runner, "options_of", options)
    monkeypatch.setattr(pace, "TEST_SPACING", timedelta(0))
    monkeypatch.setattr(long_steps, "LOOK", timedelta(0))


def on_the_bench(cast: Cast, lines: Farm, code: str, file: Path, *devices: SimUnit) -> DockingTest:
    """A run on these simulated units, or on two sound ones."""
    model = DeviceModel.objects.get(code=code)
    version = RegisterMap.objects.add(model, quick(file), file.name)
    sound = [SimUnit(file, address, seed=3) for address in (5, 6)]
    port = lines.open(*(devices or sound))
    made = application(cast, model, register_map=version)
    there = samples.connect(
        made,
        cast.tester,
        address=5,
        second_address=6,
        line=f"tcp://127.0.0.1:{port}",
        line_worker="test",
    )
    Unit.objects.filter(gateway=there.sample.gateway).update(interval_s=1)
    return runs.start(made, cast.tester, soak_s=10)


@pytest.mark.long
@pytest.mark.parametrize(("code", "file"), [("CN-W10", WATER), ("AirBox-3P", AIR)])
def test_a_sound_sample_passes_all_that_the_platform_tests_by_itself(
    cast: Cast, lines: Farm, tmp_path: Path, code: str, file: Path
) -> None:
    test = on_the_bench(cast, lines, code, file)
    runs.queue_all(test, cast.tester)
    with working(tmp_path):
        over(test)
    not_passed = test.steps.exclude(key__in=runs.BY_HAND).exclude(state="passed")
    (reset,) = not_passed  # there was no fault to be reset
    assert (reset.key, reset.state) == ("alarm_reset", "unproven")
    assert not Obligation.objects.open().exists()


def over(test: DockingTest) -> None:
    """Wait until nothing of the run is queued or runs."""
    waiting = test.steps.filter(state__in=runs.UNDER_WAY)
    until = time.monotonic() + 200
    while waiting.exists():
        if time.monotonic() > until:
            raise AssertionError(list(test.steps.values_list("key", "state", "progress", "tries")))
        time.sleep(0.1)


def test_a_sample_that_refuses_to_be_written_fails_there_and_is_told_what_to_change(
    cast: Cast, lines: Farm, tmp_path: Path
) -> None:
    device, second = (SimUnit(WATER, address, seed=3) for address in (5, 6))
    device.write_codes = set()
    test = on_the_bench(cast, lines, "CN-W10", WATER, device, second)
    for key in ("readings", "write_room"):
        runs.queue_step(test.steps.get(key=key), cast.tester)
    with working(tmp_path):
        over(test)
    readings, room = (test.steps.get(key=key) for key in ("readings", "write_room"))
    assert (readings.state, room.state) == ("passed", "failed")
    assert room.result["advice"] and room.frames
    assert not Obligation.objects.open().exists()
