"""What the tests of lines say of them: a line worker that lives, figures, problems."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from devices.models import Gateway
from households import clock
from telemetry.models import GatewayState, WorkerState

FIGURES = {
    "requests": 412,
    "answers": 409,
    "timeouts": 3,
    "wrong_frames": 1,
    "round_trip_ms": 69,
    "heartbeats": 708,
    "bytes_in": 1_500_000,
    "bytes_out": 300_000,
    "late_replies": 2,
    "stray_bytes": 31,
    "peer": "10.20.3.68",
    "listener": "auto@127.0.0.1:4001",
    "units": {"5": {"round_trip_ms": 71, "timeouts": 2, "answers": 409, "wrong_frames": 1}},
}


def works(name: str = "main", ago: float = 0) -> WorkerState:
    """The line worker said something `ago` seconds ago."""
    now = clock.now()
    fields = {"start_id": uuid.uuid4(), "started_at": now}
    seen = {"seen_at": now - timedelta(seconds=ago)}
    return WorkerState.objects.update_or_create(name=name, defaults=fields | seen)[0]


def opened(line: Gateway, **changes: Any) -> GatewayState:
    """The line is connected since an hour ago, with figures and without problems."""
    since = clock.now() - timedelta(hours=1)
    stamps = {name: since.timestamp() for name in ("connected_since", "registered_at")}
    figures = FIGURES | stamps | {"last_heartbeat_at": clock.now().timestamp()}
    fields = {"connected": True, "since": since, "problem": "", "figures": figures, "problems": []}
    return GatewayState.objects.update_or_create(gateway=line, defaults=fields | changes)[0]


def lost(line: Gateway, why: str = "传输装置 QN-000101 的连接已断开") -> GatewayState:
    return opened(line, connected=False, problem=why)


def trouble(words: str = "线上还有另一个主站", address: int | None = None) -> dict[str, Any]:
    code = "second_master" if address is None else "two_on_one"
    return {"code": code, "since": clock.now().timestamp(), "address": address, "words": words}
