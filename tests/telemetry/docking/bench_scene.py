"""A run of the bench as its pages find it: steps begun, steps ended, frames behind them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from devices.modbus.bench import Result
from devices.modbus.frames import crc16
from devices.modbus.words import Sentence
from devices.models import DockingApplication
from households import clock
from telemetry.docking import runs
from telemetry.models import DockingStep, DockingTest
from tests.cast import Cast, answered
from tests.telemetry.docking_scene import application, sample

READ = {
    "supply_temp": 43.1,
    "return_temp": 38.6,
    "outdoor_temp": 14.2,
    "indoor_temp_setpoint": 20.0,
    "power_state": True,
    "mode": "heating",
    "fault_active": False,
}


def frame(text: str) -> str:
    """A frame of the wire with its check, as hexadecimal."""
    body = bytes.fromhex(text)
    return (body + crc16(body).to_bytes(2, "little")).hex()


FRAMES = [
    ["out", 1_790_000_000.102, frame("09 03 0064 0004")],
    ["in", 1_790_000_000.171, frame("09 03 08 01AF 0182 008E 00BE")],
]


def connected(cast: Cast) -> DockingApplication:
    """An application whose sample stands at the bench and answered just now."""
    one = application(cast, sample=sample(cast))
    assert one.sample
    answered(one.sample, clock.now(), **READ)
    return one


def begun(cast: Cast) -> DockingTest:
    """A run just begun on it."""
    return runs.start(connected(cast), cast.tester, soak_s=3600)


def ended(test: DockingTest, key: str, result: Result, **changes: Any) -> DockingStep:
    """A step that came to its result."""
    step = test.steps.get(key=key)
    step.state = result.state
    step.result = result.as_json()
    step.started_at = clock.now() - timedelta(seconds=9)
    step.finished_at = clock.now()
    for name, value in changes.items():
        setattr(step, name, value)
    step.save()
    return step


def passed(finding: str = "两台同线互不应答", **figures: Any) -> Result:
    return Result("passed", Sentence(finding), figures=figures)


def failed() -> Result:
    """The mode's writing was answered and had no effect."""
    return Result(
        "failed",
        Sentence("应答正确，回读未变"),
        (
            (Sentence("写入"), Sentence("保持 1 = 2（自动）")),
            (Sentence("回读"), Sentence("仍为 1")),
        ),
        Sentence("固件收到功能码 06 写保持 1 后须真正切换模式"),
    )
