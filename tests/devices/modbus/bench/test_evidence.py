"""The frames behind a step: all of a short one, both ends of a long one."""

from __future__ import annotations

import asyncio
from typing import Literal

import pytest

from devices.modbus.bench.evidence import (
    FIRST,
    LAST,
    Evidence,
    deaf_after_writes,
    unanswered_writes,
)
from devices.modbus.frames import Framing, Mbap, Rtu
from tests.devices.modbus.doubles import FakeTransport
from tests.devices.modbus.stories import answer_at_once, ask, tell


def test_frames_are_kept_with_their_direction_and_time() -> None:
    evidence = Evidence()
    evidence.hear("out", 1_700_000_000.123456, b"\x05\x03")
    evidence.hear("in", 1_700_000_000.2, b"\x05\x83")
    assert evidence.frames == [
        ["out", 1_700_000_000.1235, "0503"],
        ["in", 1_700_000_000.2, "0583"],
    ]
    assert (evidence.bytes_out, evidence.bytes_in, evidence.left_out) == (2, 2, 0)
    assert evidence.incoming == b"\x05\x83"


def test_of_very_many_frames_the_first_and_the_last_are_kept() -> None:
    evidence = Evidence()
    for number in range(1000):
        evidence.hear("out", number, b"x")
    assert [frame[1] for frame in evidence.frames] == [*range(FIRST), *range(1000 - LAST, 1000)]
    assert evidence.left_out == 1000 - FIRST - LAST


def test_whoever_traced_the_line_hears_it_still() -> None:
    async def story(line, transport: FakeTransport) -> None:  # type: ignore[no-untyped-def]
        others: list[bytes] = []
        line.trace = lambda way, at, data: others.append(data)
        answer_at_once(transport)
        with Evidence().of(line) as evidence:
            await ask(line)
        await ask(line)
        await asyncio.sleep(0)
        assert evidence.heard == 2
        assert len(others) == 4

    tell(story)


# --- what was answered to writes ----------------------------------------------------------------


Chunk = tuple[Literal["in", "out"], float, bytes]


def told(framing: Framing, *chunks: Chunk) -> Evidence:
    """These chunks; what goes out is an address and a PDU that the framing wraps."""
    kept = Evidence()
    for way, at, data in chunks:
        wrapped = way == "out" or isinstance(framing, Rtu)
        kept.hear(way, at, framed(framing, data) if wrapped else data)
    return kept


def framed(framing: Framing, data: bytes) -> bytes:
    return framing.wrap(data[0], data[1:])


WRITE, READ = b"\x05\x06\x00\x02\x00\x15", b"\x05\x03\x00\x02\x00\x01"
OTHER = b"\x05\x03\x00\x02\x00\x15"
VALUE = b"\x05\x03\x02\x00\x15"


@pytest.mark.parametrize("reply", [WRITE, b"\x05\x86\x04"])
def test_a_right_reply_and_an_exception_answer_a_write(reply: bytes) -> None:
    kept = told(Rtu(), ("out", 0, WRITE), ("in", 0.1, reply), ("out", 0.2, READ))
    assert list(unanswered_writes(Rtu(), kept)) == []


def test_what_came_instead_of_a_reply_is_shown_without_our_own_echo() -> None:
    several = b"\x05\x10\x00\x02\x00\x01\x02\x00\x15"
    kept = told(Rtu(), ("out", 0, several), ("in", 0, several), ("in", 0.1, OTHER))
    assert list(unanswered_writes(Rtu(), kept)) == [(framed(Rtu(), several), framed(Rtu(), OTHER))]


def test_a_heartbeat_is_no_reply_to_a_write() -> None:
    kept = told(Rtu(), ("out", 0, WRITE))
    kept.hear("in", 0.1, b"\xfe")
    assert list(unanswered_writes(Rtu(), kept)) == [(framed(Rtu(), WRITE), b"")]


def test_behind_a_converter_there_is_no_check_to_look_at() -> None:
    kept = told(Mbap(), ("out", 0, WRITE), ("in", 0.1, b"\x00\x01\x00\x00\x00\x06" + WRITE))
    assert list(unanswered_writes(Mbap(), kept)) == []


def test_several_questions_left_open_behind_a_write_are_deafness_and_one_is_none() -> None:
    open_ones: list[Chunk] = [("out", float(at), READ) for at in (2, 5)]
    answered: list[Chunk] = [("out", 10.0, READ), ("in", 10.1, VALUE)]
    begun: list[Chunk] = [("out", 0.0, WRITE), ("in", 0.1, WRITE)]
    assert deaf_after_writes(Rtu(), told(Rtu(), *begun, *open_ones, *answered)) == 10.0
    assert deaf_after_writes(Rtu(), told(Rtu(), *begun, *open_ones[:1], *answered)) == 0.0
    assert deaf_after_writes(Rtu(), told(Rtu(), *open_ones, *answered)) == 0.0
