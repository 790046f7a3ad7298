"""What a line says of itself: the figures and the problems of GatewayState."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from devices.modbus.dialling import DialTransport
from devices.modbus.findings import Finding
from devices.modbus.line import Line, UnitOnLine
from devices.modbus.transports import Transport
from devices.modbus.words import N_, Sentence

Problem = dict[str, Any]  # code, since (Unix seconds), address or None, words
FLAPPING = N_("编号 %(id)s 有两个装置互相顶替")


def problems_of(found: Iterable[Finding], transport: Transport) -> tuple[Problem, ...]:
    """What the line found out about itself, and a transmitter whose id two devices use."""
    problems = [_problem(each.code, each.since, each.address, each.sentence) for each in found]
    if isinstance(transport, DialTransport) and (since := transport.flapping_since):
        words = Sentence(FLAPPING, id=transport.name)
        problems.append(_problem("flapping", since, None, words))
    return tuple(problems)


def _problem(code: str, since: float, address: int | None, words: str) -> Problem:
    return {"code": code, "since": round(since, 3), "address": address, "words": str(words)}


def figures_of(line: Line, transport: Transport, addresses: Iterable[int]) -> dict[str, Any]:
    """The figures of GatewayState; may be asked from any thread."""
    counters = line.counters
    return {
        "connected_since": round(transport.since, 3) if transport.connected else None,
        "bytes_in": transport.bytes_in,
        "bytes_out": transport.bytes_out,
        "requests": counters.requests,
        "answers": counters.answers,
        "timeouts": counters.timeouts,
        "wrong_frames": counters.garbled + counters.wrong_echoes,
        "late_replies": counters.late_replies,
        "stray_bytes": counters.stray_bytes,
        "round_trip_ms": _ms(line.turnaround_s),
        "units": {str(address): _unit(line.unit(address)) for address in addresses},
    } | _dialled(transport)


def _unit(unit: UnitOnLine) -> dict[str, Any]:
    return {
        "round_trip_ms": _ms(unit.round_trip_s),
        "timeouts": unit.timeouts,
        "answers": unit.answers,
        "wrong_frames": unit.wrong_frames,
    }


def _dialled(transport: Transport) -> dict[str, Any]:
    if not isinstance(transport, DialTransport):
        return {}
    heard, listener = transport.last_heartbeat_at, transport.listener
    return {
        "registered_at": transport.registered_at and round(transport.registered_at, 3),
        "heartbeats": transport.heartbeats,
        "last_heartbeat_at": heard and round(heard, 3),
        "peer": transport.peer,
        "listener": str(listener) if listener else "",
    }


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 1)
