"""The queue of steps between the page and the line: claimed, told of, ended, taken back.

A line worker that dies leaves its step running under its start id; the next start takes it back
and runs it anew. A long step has no place in one start: it goes on under the next.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from devices.modbus import bench
from devices.modbus.bench import Kind, Result
from devices.modbus.bench.results import packed
from devices.modbus.words import Sentence
from households import clock
from households.models import User
from telemetry.models import DockingStep, DockingStepState, Obligation

S = DockingStepState
LONG = frozenset(step.key for step in bench.STEPS if step.kind == Kind.LONG)
TRIES = 5  # after which a step whose line goes away again and again waits for a person
AGAIN_AFTER = timedelta(seconds=60)  # a line that lets nothing be written stays so for a while
Frames = Sequence[Sequence[Any]]


def claim(line_worker: str, start_id: uuid.UUID, gateways: Collection[int]) -> list[DockingStep]:
    """Take what waits for the connected `gateways` as running: one step on a line at a time, only
    long steps beside each other, and none while a sample is owed a value."""
    taken = []
    with transaction.atomic():
        for step in _due(line_worker, gateways):
            if _line_is_free(step):
                step.state, step.start_id = S.RUNNING, start_id
                step.started_at, step.finished_at = clock.now(), None
                step.progress, step.frames, step.frames_left_out = [], [], 0
                step.tries += 1
                step.save()
                taken.append(step)
    return taken


def _due(line_worker: str, gateways: Collection[int]) -> QuerySet[DockingStep]:
    rows = DockingStep.objects.select_for_update(skip_locked=True, of=("self",))
    return (
        rows.filter(state=S.QUEUED, test__judged_at=None, test__sample__retired_at=None)
        .filter(test__sample__gateway__in=gateways)
        .filter(test__sample__gateway__line_worker=line_worker)
        .filter(Q(started_at=None) | Q(started_at__lt=clock.now() - AGAIN_AFTER))
        .select_related(*OF_ITS_SAMPLE)
        .order_by("test", "place")
    )


OF_ITS_SAMPLE = (
    "asked_by",
    "test__application__second_sample",
    "test__sample__gateway",
    "test__sample__register_map",
)


def _line_is_free(step: DockingStep) -> bool:
    on_line = DockingStep.objects.filter(
        state=S.RUNNING, test__sample__gateway=step.test.sample.gateway_id
    )
    if step.key in LONG:
        return not on_line.exclude(key__in=LONG).exists()
    owed = Obligation.objects.open().filter(unit=step.test.sample_id)
    return not on_line.exists() and not owed.exists()


def disown(line_worker: str, start_id: uuid.UUID) -> int:
    """Queue again what another start of this line worker was running."""
    rows = running(line_worker).exclude(start_id=start_id).exclude(key__in=LONG)
    return rows.update(state=S.QUEUED, progress=[], started_at=None)


def running(line_worker: str) -> QuerySet[DockingStep]:
    """The steps that run on the lines of a line worker."""
    return DockingStep.objects.filter(
        state=S.RUNNING, test__sample__gateway__line_worker=line_worker
    )


def of_start(pk: int, start_id: uuid.UUID) -> QuerySet[DockingStep]:
    """A step, as long as this start runs it and nobody has stopped it."""
    return DockingStep.objects.filter(pk=pk, start_id=start_id, state=S.RUNNING)


def tell(
    pk: int, start_id: uuid.UUID, progress: Sentence | None, frames: Frames, left_out: int
) -> None:
    """How a running step goes."""
    said = packed(progress) if progress else []
    of_start(pk, start_id).update(progress=said, frames=frames, frames_left_out=left_out)


def finish(pk: int, start_id: uuid.UUID, result: Result, frames: Frames, left_out: int) -> bool:
    """Write the end of a step that `start_id` runs; False where it does not (any more).

    One that broke off is queued again; after TRIES it waits for a person, and says why.
    """
    with transaction.atomic():
        step = of_start(pk, start_id).select_for_update().first()
        if step is None:
            return False
        step.frames, step.frames_left_out = list(frames), left_out
        if result.state == "broken_off":
            step.state = S.QUEUED if step.tries < TRIES else S.OPEN
            step.progress = packed(result.finding)
        else:
            conclude(step, result)
        step.save()
    return True


def conclude(step: DockingStep, result: Result) -> None:
    """Give a step its verdict, the former ones behind it; not saved."""
    earlier = step.result.get("earlier", [])
    if step.result:
        when = step.finished_at or step.started_at
        before = [step.result["state"], when.isoformat() if when else "", step.result["finding"]]
        earlier = [*earlier, before]
    step.result = result.as_json() | ({"earlier": earlier} if earlier else {})
    step.state = S(result.state)
    step.progress = []
    step.finished_at = clock.now()


def put(steps: QuerySet[DockingStep], by: User) -> int:
    """Queue steps anew; gives how many."""
    return steps.update(state=S.QUEUED, asked_by=by, started_at=None, progress=[], tries=0)


def stop(pk: int) -> bool:
    """Take a step out of the queue, or off the line: its line worker sees it within a second."""
    rows = DockingStep.objects.filter(pk=pk, state__in=(S.QUEUED, S.RUNNING))
    return bool(rows.update(state=S.OPEN, progress=[]))
