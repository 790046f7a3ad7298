"""Traces of a line's frames: recorded in the loop while somebody looks, stored by the keeper."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Literal, NamedTuple

from devices.models import Gateway
from telemetry.models import LineTrace, TracedFrame

AT_ONCE = 5000  # chunks of one line between two rounds of the keeper


class Chunk(NamedTuple):
    """Bytes that went over a line: `at` in Unix seconds, `lost` chunks before it."""

    direction: Literal["in", "out"]
    at: float
    data: bytes
    lost: int = 0


class Recording:
    """The newest chunks of one line until the keeper fetches them. `hear` runs in the loop,
    `fetch` in the keeper's thread."""

    def __init__(self) -> None:
        self._heard: deque[Chunk] = deque()
        self._lost = 0

    def hear(self, direction: Literal["in", "out"], at: float, data: bytes) -> None:
        if len(self._heard) >= AT_ONCE:
            self._lost += 1
            return
        self._heard.append(Chunk(direction, at, bytes(data), self._lost))
        self._lost = 0

    def fetch(self) -> list[Chunk]:
        return [self._heard.popleft() for _ in range(len(self._heard))]


def wanted(line_worker: str) -> set[int]:
    """Gateways of the worker whose frames are recorded now."""
    rows = LineTrace.objects.running().filter(gateway__line_worker=line_worker)
    return set(rows.values_list("gateway_id", flat=True))


def keep(heard: Mapping[int, Sequence[Chunk]]) -> None:
    """Store chunks by gateway; of each line the newest stay."""
    for gateway_id in Gateway.objects.filter(pk__in=heard).values_list("pk", flat=True):
        TracedFrame.objects.bulk_create(
            TracedFrame(
                gateway_id=gateway_id,
                at=datetime.fromtimestamp(chunk.at, UTC),
                direction=chunk.direction,
                data=chunk.data,
                lost=chunk.lost,
            )
            for chunk in heard[gateway_id]
        )
        TracedFrame.objects.prune(gateway_id)
