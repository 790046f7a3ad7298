"""Traces of a line's frames: recorded in the loop while somebody looks, stored by the keeper."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Literal, NamedTuple

from devices.models import Gateway
from telemetry.models import LineTrace, TracedFrame

AT_ONCE = 5000  # chunks of one line between two rounds of the keeper
TOGETHER_S = 0.05
LONGEST = 600  # bytes; two of the longest frames


class Chunk(NamedTuple):
    """Bytes that went over a line: `at` in Unix seconds, `lost` chunks before it."""

    direction: Literal["in", "out"]
    at: float
    data: bytes
    lost: int = 0


class Recording:
    """The newest chunks of one line until the keeper fetches them. `hear` runs in the loop,
    `fetch` in the keeper's thread.

    A serial port hands its bytes over in twos and threes: what follows in the same direction
    within TOGETHER_S is one chunk, at the time of its first byte.
    """

    def __init__(self) -> None:
        self._heard: deque[Chunk] = deque()
        self._newest = 0.0
        self._lost = 0

    def hear(self, direction: Literal["in", "out"], at: float, data: bytes) -> None:
        if before := self._before(direction, at):
            self._heard.append(before._replace(data=before.data + data))
        elif len(self._heard) < AT_ONCE:
            self._heard.append(Chunk(direction, at, bytes(data), self._lost))
            self._lost = 0
        else:
            self._lost += 1
        self._newest = at

    def _before(self, direction: str, at: float) -> Chunk | None:
        """The chunk that goes on with these bytes, taken back."""
        if direction == "out" or at - self._newest > TOGETHER_S:
            return None
        newest = _taken(lambda: self._heard[-1])
        if newest is None or newest.direction != direction or len(newest.data) >= LONGEST:
            return None
        return _taken(self._heard.pop)

    def fetch(self) -> list[Chunk]:
        """All chunks but one that may still go on."""
        open_ = int(time.time() - self._newest <= TOGETHER_S)
        heard = (_taken(self._heard.popleft) for _ in range(len(self._heard) - open_))
        return [chunk for chunk in heard if chunk]


def _taken(take: Callable[[], Chunk]) -> Chunk | None:
    """The other thread may have been quicker."""
    try:
        return take()
    except IndexError:
        return None


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
