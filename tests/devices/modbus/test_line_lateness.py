"""Replies later than any quarantine, copies of replies, and connections made again."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from devices.modbus import frames
from devices.modbus.cells import Area
from devices.modbus.line import COMMAND, Line
from devices.modbus.troubles import LineDown, NoAnswer
from tests.devices.modbus.doubles import FakeTransport, rtu
from tests.devices.modbus.stories import ONE, TWO, ask, sent, tell, word, words

SIX = frames.read("holding", 100, 6)
OTHER_SIX = frames.read("holding", 200, 6)


def anywhere(area: Area, address: int, count: int) -> Sequence[int]:
    """All points are of one register."""
    return range(1, count)


async def time_out(line: Line, request: frames.Request = SIX) -> None:
    with pytest.raises(NoAnswer):
        await ask(line, request)


def test_after_a_time_out_a_block_is_asked_in_two_pieces_of_different_length() -> None:
    async def story(line: Line, transport: FakeTransport) -> None:
        line.unit(5).cuts = anywhere
        await time_out(line)
        asked = ask(line, SIX)
        await sent(transport, 2)
        assert transport.sent[1] == rtu("05 03 0064 0001")
        transport.arrive(words(6, 666))  # the reply to the first, beyond every quarantine
        transport.arrive(words(1, 1))
        await sent(transport, 3)
        assert transport.sent[2] == rtu("05 03 0065 0005")
        transport.arrive(words(5, 2))
        assert await asked == (1, 2, 2, 2, 2, 2)
        assert line.counters.late_replies == 1

    tell(story, quiet_s=0.0)


def test_a_late_reply_that_comes_between_the_pieces_is_told_from_both() -> None:
    async def story(line: Line, transport: FakeTransport) -> None:
        line.unit(5).cuts = anywhere
        await time_out(line)
        asked = ask(line, SIX)
        await sent(transport, 2)
        transport.arrive(words(1, 1))
        await sent(transport, 3)
        transport.arrive(words(6, 666) + words(5, 2))
        assert await asked == (1, 2, 2, 2, 2, 2)
        again = ask(line, SIX)
        await sent(transport, 4)
        assert transport.sent[3] == rtu("05 03 0064 0006"), "nothing is owed any more"
        transport.arrive(words(6, 3))
        assert await again == (3,) * 6

    tell(story, quiet_s=0.0)


def test_a_block_is_cut_only_where_no_value_is_torn() -> None:
    async def story(line: Line, transport: FakeTransport) -> None:
        line.unit(5).cuts = lambda area, address, count: [4]
        await time_out(line)
        ask(line, SIX)
        await sent(transport, 2)
        assert transport.sent[1] == rtu("05 03 0064 0004")

    tell(story, quiet_s=0.0)


def test_what_cannot_be_cut_is_asked_behind_a_read_of_another_length() -> None:
    async def story(line: Line, transport: FakeTransport) -> None:
        known = ask(line, SIX)
        await sent(transport, 1)
        transport.arrive(words(6, 1))
        await known
        await time_out(line, ONE)
        asked = ask(line, ONE)
        await sent(transport, 3)
        assert transport.sent[2] == rtu("05 03 0064 0006")
        transport.arrive(word(666) + words(6, 1))  # ways keep their order: the late one comes first
        await sent(transport, 4)
        assert transport.sent[3] == transport.sent[1]
        transport.arrive(word(7))
        assert await asked == (7,)

    tell(story, quiet_s=0.0)


@pytest.mark.parametrize("second", [666, 7])
def test_what_cannot_be_cut_counts_once_it_was_said_more_often_than_owed_replies_can(
    second: int,
) -> None:
    async def story(line: Line, transport: FakeTransport) -> None:
        known = ask(line, SIX)
        await sent(transport, 1)
        transport.arrive(words(6, 1))
        await known
        await time_out(line, ONE)
        asked = ask(line, ONE)
        await sent(transport, 3)
        transport.arrive(words(6, 1))
        await sent(transport, 4)
        transport.arrive(word(second))  # 666: it was overtaken, and the true reply is lost
        await sent(transport, 5)
        assert transport.sent[4] == rtu("05 03 0064 0006")
        transport.arrive(words(6, 1))
        await sent(transport, 6)
        assert transport.sent[5] == transport.sent[1]
        transport.arrive(word(7))
        if second == 7:
            assert await asked == (7,)
        else:
            with pytest.raises(NoAnswer):
                await asked

    tell(story, quiet_s=0.0)


def test_a_write_is_never_asked_twice_to_be_sure_of_its_reply() -> None:
    async def story(line: Line, transport: FakeTransport) -> None:
        write = frames.write_register(2, 22)
        known = ask(line, SIX)
        await sent(transport, 1)
        transport.arrive(words(6, 1))
        await known
        await time_out(line, write)
        again = ask(line, write)
        await sent(transport, 3)
        transport.arrive(words(6, 1))
        await sent(transport, 4)
        transport.arrive(rtu("05 06 0002 0016"))
        assert await again == ()
        assert len(transport.sent) == 4

    tell(story, quiet_s=0.0)


def test_a_register_within_a_known_block_is_asked_with_its_neighbour() -> None:
    async def story(line: Line, transport: FakeTransport) -> None:
        known = ask(line, SIX)
        await sent(transport, 1)
        transport.arrive(words(6, 1))
        await known
        within = frames.read("holding", 102, 1)
        await time_out(line, within)
        asked = ask(line, within)
        await sent(transport, 3)
        assert transport.sent[2] == rtu("05 03 0065 0002")
        transport.arrive(word(666))
        transport.arrive(rtu("05 03 04 0001 0007"))
        assert await asked == (7,)

    tell(story, quiet_s=0.0)


def test_two_blocks_of_one_length_are_not_asked_one_after_the_other() -> None:
    async def story(line: Line, transport: FakeTransport) -> None:
        line.unit(5).cuts = anywhere
        first, second = ask(line, SIX), ask(line, OTHER_SIX)
        await sent(transport, 1)
        transport.arrive(words(6, 1))
        await first
        await sent(transport, 2)
        transport.arrive(words(6, 1))  # a copy
        transport.arrive(words(1, 2))
        await sent(transport, 3)
        transport.arrive(words(5, 2))
        assert await second == (2,) * 6

    tell(story)


def test_replies_that_came_together_are_taken_in_their_order() -> None:
    async def story(line: Line, transport: FakeTransport) -> None:
        await time_out(line, ONE)
        asked = ask(line, ONE)  # nothing else is known of the unit: it can only be asked again
        await sent(transport, 2)
        transport.arrive(word(666) + word(7))
        assert await asked == (7,)
        assert line.counters.late_replies == 1

    tell(story)


def test_a_unit_in_quarantine_does_not_keep_others_waiting_while_it_was_never_heard() -> None:
    async def story(line: Line, transport: FakeTransport) -> None:
        await time_out(line, ONE)
        waiting, other = ask(line, TWO), ask(line, ONE, address=6, priority=COMMAND)
        await sent(transport, 2)
        assert transport.sent[1][0] == 6
        transport.arrive(word(1, 6))
        assert await other == (1,)
        await sent(transport, 3)
        assert transport.times[2] - transport.times[0] > 0.4
        transport.arrive(word(2))
        assert await waiting == (2,)

    tell(story, quiet_s=0.4)


def test_a_unit_that_was_heard_before_keeps_the_whole_line_in_quarantine() -> None:
    async def story(line: Line, transport: FakeTransport) -> None:
        heard = ask(line, ONE)
        await sent(transport, 1)
        transport.arrive(word(1))
        await heard
        await time_out(line, ONE)
        other = ask(line, ONE, address=6)
        await sent(transport, 3)
        assert transport.times[2] - transport.times[1] > 0.2
        transport.arrive(word(1, 6))
        await other

    tell(story, quiet_s=0.15)


def test_replies_that_bear_numbers_need_no_quarantine() -> None:
    async def story(line: Line, transport: FakeTransport) -> None:
        line.framing = frames.Mbap()
        line.__init__(transport, line.framing, quiet_s=2.0)  # type: ignore[misc]
        await time_out(line, ONE)
        asked = ask(line, ONE)
        await sent(transport, 2)
        assert transport.times[1] - transport.times[0] < 0.5
        transport.arrive(bytes.fromhex("0001 0000 0005 05 03 02 0001"))
        transport.arrive(bytes.fromhex("0002 0000 0005 05 03 02 0002"))
        assert await asked == (2,)
        assert line.counters.late_replies == 1

    tell(story)


def test_generations_are_counted_and_a_reply_of_an_old_one_answers_nothing() -> None:
    async def story(line: Line, transport: FakeTransport) -> None:
        assert line.generation == 1
        line.unit(5).cuts = anywhere
        first = ask(line, SIX)
        await sent(transport, 1)
        transport.lose()
        with pytest.raises(LineDown):
            await first
        transport.return_()
        assert line.generation == 2
        assert line.up_at == pytest.approx(asyncio.get_running_loop().time(), abs=0.05)
        second = ask(line, SIX)
        await sent(transport, 2)
        transport.arrive(words(6, 666))
        transport.arrive(words(1, 1))
        await sent(transport, 3)
        transport.arrive(words(5, 2))
        assert await second == (1, 2, 2, 2, 2, 2)

    tell(story, quiet_s=0.0)


def test_a_command_goes_between_the_pieces_of_a_poll() -> None:
    async def story(line: Line, transport: FakeTransport) -> None:
        line.unit(5).cuts = anywhere
        await time_out(line)
        poll = ask(line, SIX)
        await sent(transport, 2)
        command = ask(line, ONE, address=6, priority=COMMAND)
        transport.arrive(words(1, 1))
        await sent(transport, 3)
        assert transport.sent[2][0] == 6
        transport.arrive(word(9, 6))
        assert await command == (9,)
        await sent(transport, 4)
        transport.arrive(words(5, 2))
        assert (await poll)[0] == 1

    tell(story, quiet_s=0.0)
