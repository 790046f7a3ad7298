"""Soak and traffic: judged by stored polls, whoever lived meanwhile."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from households import clock
from telemetry import commands, obligations
from telemetry.docking import long_steps, queue
from telemetry.models import (
    Command,
    DockingStep,
    DockingTest,
    GatewayMonth,
    MissedPolls,
    Obligation,
    RemoteWriting,
)
from tests.cast import Cast, answered, reading
from tests.telemetry.docking_scene import a_test

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 23, 4, tzinfo=UTC)
START = uuid.uuid4()
WARM: dict[str, Any] = {
    "supply_temp": 44.0,
    "return_temp": 39.0,
    "outdoor_temp": 9.0,
    "power_state": True,
    "mode": "heating",
}


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def running(cast: Cast, key: str = "soak", soak_s: int = 600) -> DockingStep:
    """A long step that was claimed at noon, with nothing counted yet."""
    with clock.at(NOON):
        test = a_test(cast, soak_s=soak_s)
        return DockingStep.objects.create(
            test=test,
            place=19,
            key=key,
            state="running",
            start_id=START,
            asked_by=cast.tester,
            started_at=NOON,
        )


def polled(test: DockingTest, seconds: float, **values: Any) -> None:
    said = WARM | {"indoor_temp_setpoint": 21.0} | values
    answered(test.sample, after(seconds), **said)
    reading(test.sample, after(seconds), **said)


def looked_after(step: DockingStep, seconds: float, start_id: uuid.UUID = START) -> DockingStep:
    with clock.at(after(seconds)):
        long_steps.look_after("main", start_id)
    return DockingStep.objects.get(pk=step.pk)


def begun(step: DockingStep) -> None:
    """The setpoint of 20 was read, and 21 written."""
    polled(step.test, -5, indoor_temp_setpoint=20.0)
    looked_after(step, 1)
    with clock.at(after(2)):
        (command,) = commands.claim("main", START, [step.test.sample.gateway_id])
        commands.finish(command.pk, START, "verified", sent=21.0, read_back=21.0)


def ended(step: DockingStep, **last: Any) -> DockingStep:
    """It is looked at every half minute, polled every minute, until its ten minutes are over."""
    for second in range(30, 640, 30):
        if second % 60 == 0:
            polled(step.test, second, **(last if second > 500 else {}))
        looked_after(step, second)
    polled(step.test, 650, **last)
    return looked_after(step, 660)


def test_a_soak_keeps_a_value_for_its_whole_time_and_puts_it_back(cast: Cast) -> None:
    step = running(cast)
    begun(step)
    assert Obligation.objects.get().restore_at > after(86_400)
    soak = ended(step)
    assert soak.state == "passed" and soak.result["figures"]["held"] is True
    assert soak.result["figures"]["answered"] == soak.result["figures"]["polls"] == 11
    assert Command.objects.get().reason == "test"  # what is owed is put back by the keeper


def test_a_setpoint_that_is_not_held_fails_the_soak_and_says_what_to_change(cast: Cast) -> None:
    step = running(cast)
    begun(step)
    soak = ended(step, indoor_temp_setpoint=20.0)
    assert soak.state == "failed" and "没有保持" in soak.result["finding"][0]
    assert "不得自行改回" in soak.result["advice"][0]


def test_polls_without_an_answer_count_against_the_share(cast: Cast) -> None:
    step = running(cast)
    begun(step)
    hour = NOON.replace(minute=0)
    MissedPolls.objects.create(
        unit_id=step.test.sample_id, hour=hour, cause="not_answered", count=1
    )
    soak = ended(step)
    assert soak.state == "failed" and soak.result["figures"]["polls"] == 12


def test_a_reading_that_never_moves_while_its_fellow_does_is_stuck(cast: Cast) -> None:
    step = running(cast)
    begun(step)
    soak = ended(step, return_temp=33.0)
    assert soak.state == "failed" and soak.result["finding"][1]["name"] == ["供水温度", {}]


def test_the_platforms_own_standstill_neither_counts_nor_harms(cast: Cast) -> None:
    step = running(cast, soak_s=100)
    begun(step)
    for second in (20, 40, 4000, 4020):  # an hour without a line worker
        polled(step.test, second)
        kept = looked_after(step, second + 1, uuid.uuid4())
    assert kept.state == "running"
    assert kept.entered["covered_s"] == pytest.approx(60)


def test_what_could_not_be_written_leaves_the_holding_unproven(cast: Cast) -> None:
    RemoteWriting.objects.create(on=False, why="测试")
    step = running(cast)
    polled(step.test, -5, indoor_temp_setpoint=20.0)
    looked_after(step, 1)
    soak = ended(step)
    assert soak.state == "unproven" and "总开关" in str(soak.result["finding"][1]["why"])


def test_a_soak_waits_until_the_sample_is_owed_nothing(cast: Cast) -> None:
    step = running(cast)
    polled(step.test, -5, indoor_temp_setpoint=20.0)
    owed = Obligation.objects.create(
        unit=step.test.sample,
        signal="mode",
        former="heating",
        test_value="auto",
        by=cast.tester,
        made_at=NOON,
        restore_at=NOON,
    )
    assert "since" not in looked_after(step, 1).entered
    with clock.at(after(2)):
        obligations._end(owed, Obligation.Ending.RESTORED)
    assert "since" in looked_after(step, 3).entered


def test_a_stopped_soak_gives_its_value_back(cast: Cast) -> None:
    from telemetry.docking.runner import _restore_what_was_left

    step = running(cast)
    begun(step)
    queue.stop(step.pk)
    with clock.at(after(30)):
        _restore_what_was_left()
    assert Obligation.objects.get().restore_at == after(30)


def test_traffic_is_what_the_line_carried_meanwhile(cast: Cast) -> None:
    step = running(cast, "traffic", soak_s=100)
    line = step.test.sample.gateway
    month = GatewayMonth.objects.create(
        gateway=line, month=GatewayMonth.current(), bytes_in=500, bytes_out=100
    )
    looked_after(step, 0)
    month.bytes_in, month.bytes_out = 1500, 300
    month.save()
    looked_after(step, 50)
    done = looked_after(step, 100)
    figures = done.result["figures"]
    assert (done.state, figures["bytes_in"], figures["bytes_out"]) == ("passed", 1000, 200)
    assert figures["day_bytes"] == 1200 * 864
