"""What the tests of alarms play with: moments, workers that live, lines that are up or down."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from devices.models import Gateway, Unit
from households import clock
from telemetry import alarms
from telemetry.models import Alarm, AlarmKind, GatewayState, UnitState, WorkerState

NOON = datetime(2026, 11, 23, 4, tzinfo=UTC)  # 12:00 in Shanghai


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def worker_lives(at: datetime, name: str = "main", **changes: Any) -> WorkerState:
    """The line worker says that it lives; it was started hours before."""
    fields = {"start_id": uuid.uuid4(), "started_at": NOON - timedelta(hours=5)} | changes
    return WorkerState.objects.update_or_create(name=name, defaults=fields | {"seen_at": at})[0]


def line(of: Gateway, connected: bool, since: datetime, **changes: Any) -> GatewayState:
    fields = {"connected": connected, "since": since} | changes
    return GatewayState.objects.update_or_create(gateway=of, defaults=fields)[0]


def missed(thing: Unit, polled_at: datetime, cause: str = "not_answered") -> None:
    """The newest poll of the unit brought nothing; what it answered before stays."""
    UnitState.objects.update_or_create(
        unit=thing,
        defaults={"polled_at": polled_at, "missed_cause": cause},
        create_defaults={"polled_at": polled_at, "missed_cause": cause, "interval_s": 300},
    )


def reviewed(at: datetime, line_worker: str | None = None, *, worker: bool = True) -> int:
    """What a review at that moment raises; the line worker lives unless it is told otherwise."""
    if worker:
        worker_lives(at)
    with clock.at(at):
        return alarms.review(line_worker)


def told() -> list[str]:
    """Kinds of the open alarms."""
    return sorted(Alarm.objects.open().values_list("kind", flat=True))


def the(kind: AlarmKind) -> Alarm:
    """The one alarm of the kind that is or was raised."""
    return Alarm.objects.raised().get(kind=kind)
