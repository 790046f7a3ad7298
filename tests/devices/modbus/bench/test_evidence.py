"""The frames behind a step: all of a short one, both ends of a long one."""

from __future__ import annotations

import asyncio

from devices.modbus.bench.evidence import FIRST, LAST, Evidence
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
