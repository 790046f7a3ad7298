"""Steps of the test bench from the queue to a simulated sample and back, through a line worker."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from devices.modbus import bench as steps
from devices.modbus.bench import Bench, Kind, Result, Step
from devices.modbus.simulator.unit import SimUnit
from devices.modbus.words import Sentence
from devices.models import DockingState, Gateway, RegisterMap
from telemetry import pace
from telemetry.docking import benches, long_steps, queue, runs
from telemetry.docking.runner import order_of
from telemetry.models import Command, DockingStep, DockingTest, Obligation
from tests import cast as make
from tests.cast import Cast
from tests.farm import WATER, Farm
from tests.telemetry import test_dialled_lines as dialled
from tests.telemetry.docking import bench_scene
from tests.telemetry.docking_scene import application, quick
from tests.telemetry.test_line_worker import (
    eventually,
    gateway,
    lines,
    looks_often,
    rows,
    sim,
    working,
)

__all__ = ["lines", "looks_often"]  # fixtures
pytestmark = pytest.mark.django_db(transaction=True)
Story = Callable[[Bench], Awaitable[Result]]


@pytest.fixture(autouse=True)
def in_no_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses of the bench that no test waits for."""
    monkeypatch.setattr(benches, "TELL_S", 0.1)
    monkeypatch.setattr(pace, "TEST_SPACING", timedelta(0))


def a_run(cast: Cast, lines: Farm, device: SimUnit) -> DockingTest:
    """A run on this simulated sample, with nothing queued yet."""
    return run_of(cast, gateway(lines.open(device)))


def run_of(cast: Cast, line: Gateway) -> DockingTest:
    model = cast.water.model
    version = RegisterMap.objects.add(model, quick(WATER), "quick.csv")
    unit = make.unit(line, model, address=5)
    made = application(cast, sample=unit, register_map=version)
    return runs.start(made, cast.service_unit)


def the_step(test: DockingTest, key: str) -> DockingStep:
    return test.steps.get(key=key)


def ended(step: DockingStep) -> DockingStep:
    """The step once it has its verdict."""
    over = DockingStep.objects.filter(pk=step.pk).exclude(state__in=("queued", "running"))
    return eventually(over.first)  # type: ignore[no-any-return]


def told_by(monkeypatch: pytest.MonkeyPatch, story: Story) -> None:
    """Every step of the bench plays this story."""

    known = steps.step

    def step(key: str) -> Step:
        return replace(known(key), run=story)

    monkeypatch.setattr(steps, "step", step)


def test_a_queued_step_runs_on_the_line_and_its_verdict_is_stored_with_its_frames(
    cast: Cast, lines: Farm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(bench: Bench) -> Result:
        await bench.read()
        return Result("passed", Sentence("%(n)d 个", n=len(bench.seen)), figures={"n": 7})

    told_by(monkeypatch, story)
    test = a_run(cast, lines, sim())
    assert test.application.state == DockingState.TESTING
    runs.queue_step(the_step(test, "readings"), cast.service_unit)
    with working(tmp_path):
        step = ended(the_step(test, "readings"))
    assert (step.state, step.result["figures"]["n"], step.tries) == ("passed", 7, 1)
    assert [frame[0] for frame in step.frames[:2]] == ["out", "in"]
    assert step.asked_by == cast.service_unit and step.finished_at
    assert the_step(test, "labels").state == "open"


def test_what_a_step_writes_is_owed_and_put_back(
    cast: Cast, lines: Farm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[object] = []

    async def story(bench: Bench) -> Result:
        written = await bench.writes.write("indoor_temp_setpoint", 23.0)
        seen.extend([written.state, written.sent, device.values()["indoor_temp_setpoint"]])
        back = await bench.writes.restore("indoor_temp_setpoint")
        seen.extend([back.state, device.values()["indoor_temp_setpoint"]])
        return Result("passed", Sentence("写入并恢复"))

    told_by(monkeypatch, story)
    device = sim()
    device.set("indoor_temp_setpoint", 20.0)
    test = a_run(cast, lines, device)
    runs.queue_step(the_step(test, "write_room"), cast.service_unit)
    with working(tmp_path):
        assert ended(the_step(test, "write_room")).state == "passed"
    assert seen == ["verified", 23.0, 23.0, "verified", 20.0]
    owed = Obligation.objects.get()
    assert (owed.former, owed.ending, owed.docking_step_id) == (
        20.0,
        "restored",
        the_step(test, "write_room").pk,
    )
    assert list(Command.objects.order_by("pk").values_list("reason", flat=True)) == [
        "test",
        "restore",
    ]


def test_what_the_platform_does_not_let_be_written_is_no_fault_of_the_sample(
    cast: Cast, lines: Farm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(bench: Bench) -> Result:
        await bench.writes.write("indoor_temp_setpoint", 99.0)
        raise AssertionError("it was written")

    told_by(monkeypatch, story)
    test = a_run(cast, lines, sim())
    runs.queue_step(the_step(test, "write_room"), cast.service_unit)
    with working(tmp_path):
        step = ended(the_step(test, "write_room"))
    assert step.state == "unproven" and "平台没有下发" in str(step.result["finding"])
    assert not Obligation.objects.exists()


def test_a_signal_written_twice_goes_back_to_what_stood_first(
    cast: Cast, lines: Farm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(bench: Bench) -> Result:
        for value in (23.0, 24.0):
            await bench.writes.write("indoor_temp_setpoint", value)
        await bench.writes.restore("indoor_temp_setpoint")
        return Result("passed", Sentence("恢复"))

    told_by(monkeypatch, story)
    device = sim()
    device.set("indoor_temp_setpoint", 20.0)
    step = the_step(a_run(cast, lines, device), "write_room")
    runs.queue_step(step, cast.service_unit)
    with working(tmp_path):
        assert ended(step).state == "passed"
    assert device.values()["indoor_temp_setpoint"] == 20.0
    assert Obligation.objects.get().former == 20.0


def test_what_a_test_changed_without_writing_it_is_mended(
    cast: Cast, lines: Farm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(bench: Bench) -> Result:
        device.set("power_state", False)  # as a reset that switches off
        mended = await bench.writes.mend("power_state", True)
        return Result("failed", Sentence(mended.state))

    told_by(monkeypatch, story)
    device = sim()
    device.set("power_state", True)
    step = the_step(a_run(cast, lines, device), "alarm_reset")
    runs.queue_step(step, cast.service_unit)
    with working(tmp_path):
        assert ended(step).result["finding"] == ["verified", {}]
    assert device.values()["power_state"] is True
    assert Obligation.objects.get().ending == "restored"


def test_a_killed_worker_between_off_and_on_leaves_no_sample_off(
    cast: Cast, lines: Farm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[bool] = []

    async def story(bench: Bench) -> Result:
        tries.append(bool(device.values()["power_state"]))
        if len(tries) == 1:
            await bench.writes.write("power_state", False)
            await asyncio.sleep(60)
        return Result("passed", Sentence("开着"))

    told_by(monkeypatch, story)
    device = sim()
    device.set("power_state", True)
    test = a_run(cast, lines, device)
    step = the_step(test, "write_power")
    runs.queue_step(step, cast.service_unit)
    with working(tmp_path):
        eventually(lambda: Command.objects.filter(state="verified", target=False))
    assert device.values()["power_state"] is False
    assert the_step(test, "write_power").state == "running"  # the worker died with it
    owed = Obligation.objects.get()
    Obligation.objects.update(restore_at=owed.made_at)  # its minute is over
    with working(tmp_path):
        assert ended(step).state == "passed"
    assert tries == [True, True]  # the next start put it back before it ran the step anew
    assert device.values()["power_state"] is True
    assert Obligation.objects.get().ending == "restored"


def test_a_step_whose_line_goes_away_is_queued_again(
    cast: Cast, lines: Farm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "AGAIN_AFTER", queue.AGAIN_AFTER * 0)
    began: list[int] = []

    async def story(bench: Bench) -> Result:
        began.append(1)
        if len(began) == 1:
            await bench.pause(1)
        return Result("passed", Sentence("通"))

    told_by(monkeypatch, story)
    device = sim()
    test = a_run(cast, lines, device)
    port = int(test.sample.gateway.url.rpartition(":")[2])
    step = the_step(test, "readings")
    runs.queue_step(step, cast.service_unit)
    with working(tmp_path):
        eventually(lambda: began)
        lines.close(port)
        again = DockingStep.objects.filter(pk=step.pk, state="queued")
        assert "没有接通" in eventually(again.first).progress[0]
        lines.open(device, port=port)
        assert ended(step).tries == 2


def test_a_signal_lost_between_off_and_on_leaves_no_sample_off(
    cast: Cast, lines: Farm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "AGAIN_AFTER", timedelta(0))
    is_off = threading.Event()
    tries: list[bool] = []

    async def story(bench: Bench) -> Result:
        tries.append(bool(device.values()["power_state"]))
        if len(tries) == 1:
            await bench.writes.write("power_state", False)
            is_off.set()
            await bench.pause(1)
            await bench.writes.restore("power_state")
        return Result("passed", Sentence("开着"))

    told_by(monkeypatch, story)
    device = sim()
    device.set("power_state", True)
    test = a_run(cast, lines, device)
    port = int(test.sample.gateway.url.rpartition(":")[2])
    step = the_step(test, "write_power")
    runs.queue_step(step, cast.service_unit)
    with working(tmp_path):
        assert is_off.wait(20)
        lines.close(port)
        eventually(DockingStep.objects.filter(pk=step.pk, state="queued").exists)
        assert device.values()["power_state"] is False
        lines.open(device, port=port)
        assert ended(step).state == "passed"
    assert tries == [True, True]
    assert Obligation.objects.get().ending == "restored"


def test_a_sample_that_dials_in_is_tested_over_its_transmitter(
    cast: Cast, lines: Farm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(bench: Bench) -> Result:
        written = await bench.writes.write("indoor_temp_setpoint", 23.0)
        await bench.writes.restore("indoor_temp_setpoint")
        return Result("passed", Sentence(written.state))

    told_by(monkeypatch, story)
    device = sim()
    device.set("indoor_temp_setpoint", 20.0)
    line = make.gateway("dial://QN-000900", line_worker="test", interval_s=1, trusted=True)
    step = the_step(run_of(cast, line), "write_room")
    runs.queue_step(step, cast.service_unit)
    with dialled.working(tmp_path, dialled.PRIVATE) as server:
        lines.dial(server, "QN-000900", device)
        made = ended(step)
    assert (made.state, made.result["finding"]) == ("passed", ["verified", {}])
    assert device.values()["indoor_temp_setpoint"] == 20.0


def test_a_step_stopped_and_queued_again_at_once_runs_once(
    cast: Cast, lines: Farm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    began: list[int] = []

    async def story(bench: Bench) -> Result:
        began.append(1)
        if len(began) == 1:
            await asyncio.sleep(60)
        return Result("passed", Sentence("第二次"))

    told_by(monkeypatch, story)
    step = the_step(a_run(cast, lines, sim()), "readings")
    runs.queue_step(step, cast.service_unit)
    with working(tmp_path):
        eventually(lambda: began)
        runs.stop(step, cast.service_unit)
        runs.queue_step(step, cast.service_unit)
        assert ended(step).result["finding"] == ["第二次", {}]
    assert len(began) == 2


def test_a_stopped_step_leaves_the_line_and_what_it_wrote_is_put_back(
    cast: Cast, lines: Farm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(bench: Bench) -> Result:
        await bench.writes.write("indoor_temp_setpoint", 23.0)
        bench.say(Sentence("写好了"))
        await asyncio.sleep(60)
        return Result("passed", Sentence("不会到这里"))

    told_by(monkeypatch, story)
    device = sim()
    device.set("indoor_temp_setpoint", 20.0)
    test = a_run(cast, lines, device)
    step = the_step(test, "write_room")
    runs.queue_step(step, cast.service_unit)
    with working(tmp_path):
        eventually(DockingStep.objects.filter(pk=step.pk, progress=["写好了", {}]).exists)
        runs.stop(step, cast.service_unit)
        eventually(lambda: Obligation.objects.get().ending == "restored")
    assert device.values()["indoor_temp_setpoint"] == 20.0
    assert the_step(test, "write_room").state == "open"


def test_polls_rest_while_a_step_runs_and_go_on_afterwards(
    cast: Cast, lines: Farm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[int] = []

    async def story(bench: Bench) -> Result:
        before = bench.line.counters.requests
        await asyncio.sleep(1.5)
        heard.append(bench.line.counters.requests - before)
        return Result("passed", Sentence("静"))

    told_by(monkeypatch, story)
    test = a_run(cast, lines, sim())
    runs.queue_step(the_step(test, "silence"), cast.service_unit)
    with working(tmp_path):
        ended(the_step(test, "silence"))
        stored = rows(test.sample)
        eventually(lambda: rows(test.sample) > stored)
    assert heard == [0]


def test_long_steps_are_judged_by_the_stored_polls_across_starts(
    cast: Cast, lines: Farm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(long_steps, "LOOK", long_steps.LOOK * 0)
    device = sim()
    device.set("indoor_temp_setpoint", 20.0)
    test = a_run(cast, lines, device)
    DockingTest.objects.filter(pk=test.pk).update(soak_s=10)
    for key in queue.LONG:
        runs.queue_step(the_step(test, key), cast.service_unit)
    with working(tmp_path):
        eventually(lambda: rows(test.sample))
        eventually(lambda: device.values()["indoor_temp_setpoint"] == 21.0)
        eventually(lambda: the_step(test, "soak").entered["covered_s"])
    covered = the_step(test, "soak").entered["covered_s"]
    assert 0 < covered < 10
    assert the_step(test, "soak").state == "running"
    passed_by(test, 10 - covered)
    with working(tmp_path):
        soak, traffic = ended(the_step(test, "soak")), ended(the_step(test, "traffic"))
        eventually(lambda: device.values()["indoor_temp_setpoint"] == 20.0)
    assert soak.state == traffic.state == "passed", soak.result
    assert soak.result["figures"]["held"] is True
    assert traffic.result["figures"]["bytes_out"] > 0


def passed_by(test: DockingTest, seconds: float) -> None:
    """As if the soak had gone on for so long."""
    for step in test.steps.filter(key__in=queue.LONG):
        step.entered["covered_s"] += seconds
        step.save()


def test_the_plan_of_the_bench_is_the_plan_of_the_rows(cast: Cast, lines: Farm) -> None:
    test = a_run(cast, lines, sim())
    keys = [step.key for step in test.steps.all()]
    assert keys == [step.key for step in steps.STEPS]
    assert {step.key for step in steps.STEPS if step.kind == Kind.LONG} == queue.LONG


def test_a_sample_found_one_register_off_is_written_nothing(cast: Cast) -> None:
    run = bench_scene.begun(cast)
    assert not order_of(run.steps.get(key="write_room")).misplaced
    shifted = Result("failed", Sentence("错一位"), figures={"shift": 1})
    bench_scene.ended(run, "readings", shifted)
    assert order_of(run.steps.get(key="write_room")).misplaced
