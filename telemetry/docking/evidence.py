"""The frames behind the steps of a run: in words on the page, as text to download."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from django.utils.translation import gettext as _

from devices.modbus.bench.evidence import FIRST
from devices.models import Gateway
from households import clock
from telemetry.docking.shown import Row
from telemetry.frame_words import Interpreter, Line
from telemetry.models import DockingStep, DockingTest, TracedFrame

SHOWN = 60  # on the page: the newest; all are in the download
HEARD_BEFORE = 30  # frames that explain those that are shown


def newest(step: DockingStep) -> list[Line]:
    """The newest frames of a step, with what they mean."""
    line = step.test.sample.gateway
    frames = list(_traced(step, line))
    interpreter = Interpreter(line)
    interpreter.hear(frames[-SHOWN - HEARD_BEFORE : -SHOWN])
    return list(interpreter.lines(frames[-SHOWN:]))


def _traced(step: DockingStep, line: Gateway) -> Iterator[TracedFrame]:
    """As the trace of a line keeps them, so that one interpreter serves both."""
    for direction, at, data in step.frames:
        moment = datetime.fromtimestamp(at, UTC)
        yield TracedFrame(gateway=line, at=moment, direction=direction, data=bytes.fromhex(data))


def text(run: DockingTest, key: str = "") -> Iterator[str]:
    """All kept frames of a run, or of one of its steps, line by line: time, direction, bytes,
    meaning."""
    steps = run.steps.order_by("place")
    yield f"{run.application.number}  {run.application.model}  {_stamp(run.started_at)}\n"
    for step in steps.filter(key=key) if key else steps:
        if step.frames:
            yield from _of_step(step)


def _of_step(step: DockingStep) -> Iterator[str]:
    row = Row.of(step)
    yield f"\n{step.place} {row.title}  {step.get_state_display()}  {row.finding}\n"
    line = step.test.sample.gateway
    for place, one in enumerate(Interpreter(line).lines(_traced(step, line))):
        if place == FIRST and step.frames_left_out:
            yield _("…… 这里略去 %(n)d 段 ……") % {"n": step.frames_left_out} + "\n"
        way = one.frame.get_direction_display()
        yield f"{_stamp(one.frame.at)}  {way}  {one.bytes}  {one.words}\n"


def _stamp(moment: datetime) -> str:
    return moment.astimezone(clock.SHANGHAI).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
