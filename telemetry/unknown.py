"""Transmitters that nobody knows: kept in a list, so that somebody takes them on."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from devices.modbus.switchboard import Listener, Unknown
from households import clock
from telemetry.models import UnknownTransmitter

KEPT = timedelta(days=7)
AT_MOST = 2000  # per line worker: whoever invents ids fills no table


def note(line_worker: str, held: Iterable[Unknown]) -> None:
    """These are held open now; of those that left, the newest stay listed for a week."""
    now = clock.now()
    rows = {row.name: row for row in (_row(line_worker, one, now) for one in held)}
    UnknownTransmitter.objects.bulk_create(
        list(rows.values())[-AT_MOST:],
        update_conflicts=True,
        unique_fields=["line_worker", "name"],
        update_fields=["names", "peer", "listener", "since", "seen_at", "bytes_in"],
    )
    mine = UnknownTransmitter.objects.filter(line_worker=line_worker)
    mine.filter(seen_at__lt=now - KEPT).delete()
    last = mine.order_by("-seen_at", "-pk").values_list("pk", flat=True)[AT_MOST:]
    mine.filter(pk__in=list(last)).delete()


def heard_by(number: str) -> str | None:
    """The line worker to which a transmitter with this id dials in, known to nobody yet."""
    for row in UnknownTransmitter.objects.filter(names__contains=[number]).order_by("-seen_at"):
        return row.line_worker
    return None


def _row(line_worker: str, one: Unknown, now: datetime) -> UnknownTransmitter:
    names = [_text(name) for name in one.names]
    return UnknownTransmitter(
        line_worker=line_worker,
        name=names[0],
        names=names,
        peer=_text(one.peer),
        listener=written(one.listener),
        since=datetime.fromtimestamp(one.since, UTC),
        seen_at=now,
        bytes_in=one.bytes_in,
    )


def _text(name: str) -> str:
    """Part of what came in from anywhere: the database takes no zero byte and no long text."""
    return name.replace("\0", "")[:64]


def written(listener: Listener) -> str:
    """As the settings write it: auto@0.0.0.0:4001."""
    return f"{listener.dialect}@{listener.host}:{listener.port}"
