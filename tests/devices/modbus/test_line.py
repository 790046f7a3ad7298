"""The master of a line against everything that lines do."""

from __future__ import annotations

import asyncio

import pytest

from devices.modbus import frames
from devices.modbus.line import COMMAND, POLL, PROBE, Line
from devices.modbus.troubles import (
    AddressRefused,
    ExceptionReply,
    LineDown,
    NoAnswer,
    WrongEcho,
)
from tests.devices.modbus.doubles import FakeTransport, rtu
from tests.devices.modbus.stories import ONE, TWO, WAIT, answer_at_once, ask, sent, tell, word


def test_a_reply_is_returned_and_the_request_was_as_on_the_wire() -> None:
    async def story(line: Line, transport: FakeTransport) -> None:
        asked = ask(line)
        await sent(transport, 1)
        assert transport.sent == [rtu("05 03 0000 0001")]
        transport.arrive(word(431))
        assert await asked == (431,)
        assert (line.counters.requests, line.counters.answers) == (1, 1)

    tell(story)


def test_a_late_reply_is_never_taken_for_the_next_one() -> None:
    async def story(line: Line, transport: FakeTransport) -> None:
        first, second = ask(line), ask(line)
        with pytest.raises(NoAnswer):
            await first
        await asyncio.sleep(0.03)
        assert len(transport.sent) == 1, "in quarantine"
        transport.arrive(word(111))  # the answer to the first
        await sent(transport, 2)
        transport.arrive(word(222))
        assert await second == (222,)
        assert line.counters.late_replies == 1

    tell(story)


def test_the_quarantine_ends_when_the_stray_reply_came() -> None:
    async def story(line: Line, transport: FakeTransport) -> None:
        first, second = ask(line), ask(line)
        with pytest.raises(NoAnswer):
            await first
        transport.arrive(word(1))
        before = asyncio.get_running_loop().time()
        await sent(transport, 2)
        assert asyncio.get_running_loop().time() - before < 0.05
        transport.arrive(word(2))
        assert await second == (2,)

    tell(story, quiet_s=2.0)


def test_a_quarantine_without_stray_reply_lasts_its_quiet_time() -> None:
    async def story(line: Line, transport: FakeTransport) -> None:
        first, second = ask(line), ask(line, TWO)
        with pytest.raises(NoAnswer):
            await first
        ended = asyncio.get_running_loop().time()
        await sent(transport, 2)
        assert 0.14 <= transport.times[1] - ended <= 0.4
        transport.arrive(word(7))
        assert await second == (7,)

    tell(story)


def test_a_line_that_was_seen_to_be_late_stays_longer_in_quarantine() -> None:
    async def story(line: Line, transport: FakeTransport) -> None:
        first = ask(line)
        with pytest.raises(NoAnswer):
            await first
        await asyncio.sleep(0.2)
        transport.arrive(word(1))
        assert line.worst_lateness == pytest.approx(0.2, abs=0.05)
        second, third = ask(line), ask(line)
        with pytest.raises(NoAnswer):
            await second
        ended = asyncio.get_running_loop().time()
        await sent(transport, 3)
        assert transport.times[2] - ended >= 1.5 * line.worst_lateness
        transport.arrive(word(3))
        assert await third == (3,)

    tell(story)


def test_a_reply_that_was_lost_makes_no_later_reply_a_late_one() -> None:
    async def story(line: Line, transport: FakeTransport) -> None:
        with pytest.raises(NoAnswer):
            await ask(line)
        for turn in range(2, 4):
            asked = ask(line)
            await sent(transport, turn)
            transport.arrive(word(7)[:3])
            await asyncio.sleep(0.01)
            transport.arrive(word(7)[3:])
            assert await asked == (7,)
            transport.arrive(word(7))  # a duplicate
        assert (line.worst_lateness, line.counters.late_replies) == (0.0, 0)

    tell(story)


def test_a_line_found_one_reply_behind_stays_longer_in_quarantine() -> None:
    async def story(line: Line, transport: FakeTransport) -> None:
        with pytest.raises(NoAnswer):
            await ask(line)
        following = ask(line)
        await sent(transport, 2)  # 0.15 s later
        transport.arrive(word(1))  # so late that nobody can tell
        assert await following == (1,)
        transport.arrive(word(2))
        assert line.worst_lateness == pytest.approx(0.15, abs=0.05)
        held_since = asyncio.get_running_loop().time()
        asked = ask(line)
        await sent(transport, 3)
        assert transport.times[2] - held_since >= 1.5 * line.worst_lateness
        transport.arrive(word(3))
        assert await asked == (3,)

    tell(story)


def test_a_reply_that_was_duplicated_is_not_the_answer_to_the_next_request() -> None:
    async def story(line: Line, transport: FakeTransport) -> None:
        asked = ask(line)
        await sent(transport, 1)
        transport.arrive(word(1))
        transport.arrive(word(1))
        assert await asked == (1,)
        following = ask(line)
        await asyncio.sleep(0.01)
        transport.arrive(word(1))  # a third time, while the line is held
        await sent(transport, 2)
        transport.arrive(word(2))
        assert await following == (2,)

    tell(story)


@pytest.mark.parametrize("glued", [True, False])
def test_noise_before_a_reply_is_stepped_over(glued: bool) -> None:
    async def story(line: Line, transport: FakeTransport) -> None:
        asked = ask(line)
        await sent(transport, 1)
        if glued:
            transport.arrive(b"\x00\xff\x13ping" + word(5))
        else:
            transport.arrive(b"\x00\xff\x13ping")
            transport.arrive(word(5))
        assert await asked == (5,)

    tell(story)


def test_a_reply_in_single_bytes_is_put_together() -> None:
    async def story(line: Line, transport: FakeTransport) -> None:
        asked = ask(line)
        await sent(transport, 1)
        for byte in word(0xFE05):
            transport.arrive(bytes([byte]))
        assert await asked == (0xFE05,)

    tell(story)


def test_noise_that_looks_like_the_start_of_a_reply_does_not_hide_the_reply() -> None:
    async def story(line: Line, transport: FakeTransport) -> None:
        asked = ask(line)
        await sent(transport, 1)
        transport.arrive(word(9) + b"\x05\x03")
        assert await asked == (9,)
        following = ask(line)
        await sent(transport, 2)
        transport.arrive(b"\x05\x03\x02" + word(8))
        assert await following == (8,)

    tell(story)


def test_bytes_that_nobody_asked_for_are_no_data() -> None:
    async def story(line: Line, transport: FakeTransport) -> None:
        transport.arrive(word(666))
        asked = ask(line)
        await sent(transport, 1)
        transport.arrive(word(1))
        assert await asked == (1,)
        assert line.counters.stray_bytes == len(word(666))

    tell(story)


def test_a_lost_reply_counts_as_no_answer_and_a_garbled_one_as_garbled() -> None:
    async def story(line: Line, transport: FakeTransport) -> None:
        lost = ask(line)
        with pytest.raises(NoAnswer) as silence:
            await lost
        assert silence.value.heard == 0
        garbled = ask(line)
        await sent(transport, 2)
        transport.arrive(word(1)[:-1] + b"\x00")
        with pytest.raises(NoAnswer) as noise:
            await garbled
        assert noise.value.heard == 7
        assert (line.counters.timeouts, line.counters.garbled) == (2, 1)

    tell(story)


def test_a_stale_echo_confirms_no_write() -> None:
    async def story(line: Line, transport: FakeTransport) -> None:
        write = ask(line, frames.write_register(2, 22))
        await sent(transport, 1)
        transport.arrive(rtu("05 06 0002 0015"))  # of a write of 21
        with pytest.raises(WrongEcho):
            await write
        assert line.counters.wrong_echoes == 1

    tell(story)


def test_the_right_echo_behind_a_stale_one_counts() -> None:
    async def story(line: Line, transport: FakeTransport) -> None:
        write = ask(line, frames.write_register(2, 22))
        await sent(transport, 1)
        transport.arrive(rtu("05 06 0002 0015") + rtu("05 06 0002 0016"))
        assert await write == ()

    tell(story)


def test_a_cancelled_caller_does_not_free_the_line() -> None:
    async def story(line: Line, transport: FakeTransport) -> None:
        first = ask(line, timeout=0.3)
        await sent(transport, 1)
        second = ask(line, TWO)
        first.cancel()
        await asyncio.sleep(0.03)
        assert len(transport.sent) == 1
        transport.arrive(word(1))
        await sent(transport, 2)
        transport.arrive(word(2))
        assert await second == (2,)
        assert first.cancelled()

    tell(story)


def test_a_caller_cancelled_while_waiting_is_never_sent() -> None:
    async def story(line: Line, transport: FakeTransport) -> None:
        first, second, third = ask(line, timeout=0.3), ask(line, TWO), ask(line)
        await sent(transport, 1)
        second.cancel()
        transport.arrive(word(1))
        await sent(transport, 2)
        assert transport.sent[1] == rtu("05 03 0000 0001")
        transport.arrive(word(3))
        assert (await first, await third) == ((1,), (3,))

    tell(story)


def test_commands_go_before_probes_and_probes_before_polls() -> None:
    async def story(line: Line, transport: FakeTransport) -> None:
        answer_at_once(transport)
        asked = [
            ask(line, address=unit, priority=priority)
            for unit, priority in ((1, POLL), (2, POLL), (3, PROBE), (4, COMMAND), (6, COMMAND))
        ]
        await asyncio.gather(*asked)
        assert [frame[0] for frame in transport.sent] == [1, 4, 6, 3, 2]

    tell(story)


def test_a_command_made_upon_an_answer_goes_before_waiting_polls() -> None:
    async def story(line: Line, transport: FakeTransport) -> None:
        answer_at_once(transport)

        async def command() -> None:
            for unit in (11, 12):
                await line.exchange(unit, ONE, timeout=WAIT, priority=COMMAND)

        await asyncio.gather(command(), *(ask(line, address=unit) for unit in (1, 2)))
        # The first poll was on the line before the command was made.
        assert [frame[0] for frame in transport.sent] == [1, 11, 12, 2]

    tell(story)


def test_frames_are_parted_by_the_silence_and_the_maps_gap() -> None:
    async def story(line: Line, transport: FakeTransport) -> None:
        ended = []
        for number in range(3):
            asked = ask(line, timeout=0.5)
            await sent(transport, number + 1)
            transport.arrive(word(1))
            await asked
            ended.append(asyncio.get_running_loop().time())
        for end, start in zip(ended, transport.times[1:], strict=False):
            assert start - end >= 0.0017 + 0.02 - 0.002

    tell(story, frame_gap_ms=20)


def test_an_exception_frees_the_line_at_once() -> None:
    async def story(line: Line, transport: FakeTransport) -> None:
        asked, following = ask(line), ask(line, TWO)
        await sent(transport, 1)
        transport.arrive(rtu("05 83 02"))
        with pytest.raises(ExceptionReply) as refusal:
            await asked
        assert refusal.value.code == 2
        await sent(transport, 2)
        transport.arrive(word(2))
        assert await following == (2,)
        assert line.counters.exceptions == 1

    tell(story)


def test_a_lost_connection_fails_whoever_waits_and_tells_who_was_sent() -> None:
    async def story(line: Line, transport: FakeTransport) -> None:
        first, second = ask(line), ask(line)
        await sent(transport, 1)
        transport.lose()
        downs = await asyncio.gather(first, second, return_exceptions=True)
        assert all(isinstance(down, LineDown) for down in downs)
        assert [getattr(down, "sent", None) for down in downs] == [True, False]
        with pytest.raises(LineDown):
            await line.exchange(5, ONE, timeout=WAIT)

    tell(story)


def test_a_reply_owed_over_a_new_connection_is_not_the_answer_to_the_next_request() -> None:
    async def story(line: Line, transport: FakeTransport) -> None:
        first = ask(line)
        await sent(transport, 1)
        transport.lose()
        with pytest.raises(LineDown):
            await first
        transport.return_()
        second = ask(line)
        await asyncio.sleep(0.03)
        transport.arrive(word(111))
        await sent(transport, 2)
        transport.arrive(word(222))
        assert await second == (222,)

    tell(story)


def test_a_refused_address_does_not_stop_the_line() -> None:
    async def story(line: Line, transport: FakeTransport) -> None:
        with pytest.raises(AddressRefused):
            await line.exchange(300, ONE)
        asked = ask(line)
        await sent(transport, 1)
        transport.arrive(word(1))
        assert await asked == (1,)

    tell(story)


def test_every_byte_both_ways_may_be_traced() -> None:
    heard: list[tuple[str, bytes]] = []

    async def story(line: Line, transport: FakeTransport) -> None:
        asked = ask(line)
        await sent(transport, 1)
        transport.arrive(word(1))
        await asked
        assert heard == [("out", rtu("05 03 0000 0001")), ("in", word(1))]

    tell(story, trace=lambda way, at, data: heard.append((way, data)))


def test_a_spoiled_read_goes_out_with_a_wrong_check_and_owes_nothing() -> None:
    async def story(line: Line, transport: FakeTransport) -> None:
        with pytest.raises(NoAnswer):
            await line.exchange(5, ONE, timeout=WAIT, spoiled=True)
        good = rtu("05 03 0000 0001")
        assert transport.sent[0][:-1] == good[:-1] and transport.sent[0] != good
        assert line.unit(5).owed == {}
        answer_at_once(transport)
        assert await line.exchange(5, ONE, timeout=WAIT) == (1,)
        assert transport.sent[-1] == good

    tell(story)


def test_a_unit_that_answers_a_spoiled_read_is_found_out() -> None:
    async def story(line: Line, transport: FakeTransport) -> None:
        answer_at_once(transport)
        assert await line.exchange(5, ONE, timeout=WAIT, spoiled=True) == (1,)

    tell(story)


def test_no_write_is_ever_spoiled() -> None:
    async def story(line: Line, transport: FakeTransport) -> None:
        with pytest.raises(ValueError, match="spoiled"):
            await line.exchange(5, frames.write_register(0, 1), timeout=WAIT, spoiled=True)
        assert transport.sent == []

    tell(story)
