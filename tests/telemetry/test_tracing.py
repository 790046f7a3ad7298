"""Traces, a month's bytes and unknown transmitters: from the wire to their rows."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from devices.modbus.switchboard import Listener, Unknown
from households import clock
from telemetry import keeping, tracing, unknown
from telemetry.carried import Meter
from telemetry.line_worker import LineWorker
from telemetry.models import GatewayMonth, LineTrace, TracedFrame, UnknownTransmitter
from telemetry.models.lines import TracedFrameQuerySet
from telemetry.tracing import Chunk, Recording
from tests.cast import Cast
from tests.farm import Farm, farm
from tests.telemetry.test_line_worker import eventually, gateway, sim, water, working

NOVEMBER = datetime(2026, 11, 30, 15, 59, tzinfo=UTC)  # one minute before December in Shanghai


@pytest.fixture
def lines() -> Iterator[Farm]:
    with farm() as made:
        yield made


@pytest.fixture
def looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ROUND_S", "ROSTER_S", "FIGURES_S"):
        monkeypatch.setattr(keeping, name, 0.1)


# Recording


def test_a_recording_gives_its_chunks_once_and_in_their_order() -> None:
    recording = Recording()
    recording.hear("out", 1.0, b"\x05")
    recording.hear("in", 1.5, b"\x06")
    assert recording.fetch() == [Chunk("out", 1.0, b"\x05"), Chunk("in", 1.5, b"\x06")]
    assert recording.fetch() == []


def test_bytes_that_trickle_in_are_one_chunk_until_a_pause() -> None:
    recording = Recording()
    for n, byte in enumerate(b"\x05\x03\x02"):
        recording.hear("in", 1 + n / 50, bytes((byte,)))
    recording.hear("in", 1.2, b"\xfe")
    recording.hear("out", 1.21, b"\x06")
    recording.hear("in", 1.22, b"\x07")
    assert [chunk.data for chunk in recording.fetch()] == [
        b"\x05\x03\x02",
        b"\xfe",
        b"\x06",
        b"\x07",
    ]


def test_a_chunk_that_may_go_on_waits_for_the_next_fetch(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(tracing, "time", SimpleNamespace(time=lambda: now))
    recording = Recording()
    recording.hear("in", now, b"\x05")
    now += tracing.TOGETHER_S / 2
    assert recording.fetch() == []
    recording.hear("in", now, b"\x03")
    now += 2 * tracing.TOGETHER_S
    assert [chunk.data for chunk in recording.fetch()] == [b"\x05\x03"]


def test_a_stream_without_a_pause_is_cut() -> None:
    recording = Recording()
    for n in range(100):
        recording.hear("in", 1 + n / 100, bytes(50))
    assert max(len(chunk.data) for chunk in recording.fetch()) <= tracing.LONGEST + 50


def test_a_full_recording_says_how_much_it_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracing, "AT_ONCE", 2)
    recording = Recording()
    for byte in range(5):
        recording.hear("in", byte, bytes((byte,)))
    assert [chunk.data for chunk in recording.fetch()] == [b"\x00", b"\x01"]
    recording.hear("in", 9, b"\x09")
    assert recording.fetch() == [Chunk("in", 9, b"\x09", lost=3)]


# Rows


@pytest.mark.django_db
def test_only_the_newest_frames_of_a_line_stay(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TracedFrameQuerySet, "AT_MOST", 3)
    mine, other = cast.water.gateway_id, cast.air.gateway_id
    tracing.keep({other: [Chunk("out", 1.0, b"\x01")]})
    tracing.keep({mine: [Chunk("out", float(n), bytes((n,))) for n in range(5)]})
    kept = TracedFrame.objects.filter(gateway=mine)
    assert [bytes(row.data) for row in kept] == [b"\x02", b"\x03", b"\x04"]
    assert TracedFrame.objects.filter(gateway=other).count() == 1


@pytest.mark.django_db
def test_frames_of_yesterday_are_swept(cast: Cast) -> None:
    now = clock.now()
    for hours in (25, 23):
        at = (now - timedelta(hours=hours)).timestamp()
        tracing.keep({cast.water.gateway_id: [Chunk("in", at, b"\x01")]})
    TracedFrame.objects.sweep()
    assert TracedFrame.objects.count() == 1


@pytest.mark.django_db
def test_frames_of_a_gateway_that_is_gone_are_dropped(cast: Cast) -> None:
    tracing.keep({0: [Chunk("in", 1.0, b"\x01")]})
    assert not TracedFrame.objects.exists()


@pytest.mark.django_db
def test_a_trace_ends_by_itself_and_lasts_on_when_started_again(cast: Cast) -> None:
    line, by = cast.water.gateway, cast.service_unit
    now = clock.now()
    with clock.at(now):
        LineTrace.objects.start(line.pk, by)
    with clock.at(now + timedelta(minutes=8)):
        trace = LineTrace.objects.start(line.pk, by)
        assert (trace.since, trace.until) == (now, now + timedelta(minutes=18))
        assert tracing.wanted(line.line_worker) == {line.pk}
    with clock.at(now + timedelta(minutes=19)):
        assert tracing.wanted(line.line_worker) == set()


@pytest.mark.django_db
def test_bytes_are_added_to_the_month_in_which_they_came(cast: Cast) -> None:
    line, meter = cast.water.gateway_id, Meter()
    with clock.at(NOVEMBER):
        meter.read({line: (100, 10)})
        meter.read({line: (150, 10)})
    with clock.at(NOVEMBER + timedelta(minutes=2)):
        meter.read({line: (170, 30)})
    months = GatewayMonth.objects.filter(gateway=line).order_by("month")
    assert [(row.month.month, row.bytes_in, row.bytes_out) for row in months] == [
        (11, 150, 10),
        (12, 20, 20),
    ]


@pytest.mark.django_db
def test_a_counter_that_began_anew_counts_from_zero(cast: Cast) -> None:
    line, meter = cast.water.gateway_id, Meter()
    meter.read({line: (100, 10)})
    meter.read({line: (40, 4)})  # the line was opened anew
    Meter().read({line: (7, 1)})  # the worker started anew
    assert GatewayMonth.objects.get(gateway=line).total == 110 + 44 + 8


@pytest.mark.django_db
def test_a_gateway_that_is_gone_has_no_month(cast: Cast) -> None:
    Meter().read({0: (100, 10), cast.water.gateway_id: (1, 1)})
    assert [row.gateway_id for row in GatewayMonth.objects.all()] == [cast.water.gateway_id]


def stranger(*names: str, bytes_in: int = 20) -> Unknown:
    listener = Listener("auto", "127.0.0.1", 4001)
    return Unknown(names, "10.1.2.3", listener, clock.now().timestamp(), bytes_in)


@pytest.mark.django_db
def test_unknown_transmitters_are_listed_while_held_and_a_week_after() -> None:
    now = clock.now()
    with clock.at(now):
        unknown.note("demo", [stranger("A1", "13800000000"), stranger("B2")])
    with clock.at(now + timedelta(minutes=5)):
        unknown.note("demo", [stranger("A1", bytes_in=90)])
        unknown.note("other", [])
        held = {row.name: (row.is_held, row.bytes_in) for row in UnknownTransmitter.objects.all()}
    assert held == {"A1": (True, 90), "B2": (False, 20)}
    with clock.at(now + timedelta(days=8)):
        unknown.note("demo", [])
    assert not UnknownTransmitter.objects.exists()


@pytest.mark.django_db
def test_whoever_invents_ids_fills_no_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unknown, "AT_MOST", 3)
    for n in range(6):
        unknown.note("demo", [stranger(f"ID{n}"), stranger("long" * 40), stranger("nul\0l")])
    assert UnknownTransmitter.objects.count() == 3


# The whole way


@pytest.mark.django_db(transaction=True)
def test_a_trace_holds_what_the_wire_said_and_costs_nothing_before(
    cast: Cast, lines: Farm, tmp_path: Path, looks_often: None
) -> None:
    line = gateway(lines.open(sim()))
    water(line)
    with working(tmp_path) as worker:
        poller = eventually(lambda: worker._pollers.get(line.pk))
        assert poller._line.trace is None
        trace = LineTrace.objects.start(line.pk, cast.service_unit)
        frames = eventually(lambda: TracedFrame.objects.filter(gateway=line, direction="in"))
        sent = TracedFrame.objects.filter(gateway=line, direction="out")[0]
        assert bytes(sent.data)[:2] == bytes(frames[0].data)[:2] == b"\x05\x03"
        assert sent.at <= frames[0].at <= clock.now()
        trace.end()
        eventually(lambda: poller._line.trace is None)
        month = eventually(lambda: GatewayMonth.objects.filter(gateway=line).first())
        assert month.bytes_in > month.bytes_out > 0


@pytest.mark.django_db(transaction=True)
def test_a_transmitter_that_nobody_knows_is_listed(tmp_path: Path, looks_often: None) -> None:
    with working(tmp_path, listeners="auto@127.0.0.1:0") as worker:
        (address,) = eventually(lambda: worker._switchboard and worker._switchboard.addresses)
        with socket.create_connection(address) as transmitter:
            transmitter.sendall(b"LOGIN:STRANGER-7")
            row = eventually(lambda: UnknownTransmitter.objects.first())
    assert isinstance(worker, LineWorker)
    assert (row.name, row.line_worker, row.peer) == ("STRANGER-7", "test", "127.0.0.1")
    assert row.listener.startswith("auto@127.0.0.1")


@pytest.mark.django_db(transaction=True)
def test_a_line_worker_that_ends_leaves_no_byte_uncounted(
    cast: Cast, lines: Farm, tmp_path: Path, looks_often: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "FIGURES_S", 1000.0)
    line = gateway(lines.open(sim()))
    water(line)
    with working(tmp_path) as worker:
        eventually(lambda: worker.polls >= 2)
        poller = worker._pollers[line.pk]
    transport = poller._transport
    month = GatewayMonth.objects.get(gateway=line)
    assert (month.bytes_in, month.bytes_out) == (transport.bytes_in, transport.bytes_out)
