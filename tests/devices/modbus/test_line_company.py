"""Who else is on a line: echoes, a second master, two units at one address, poor wiring."""

from __future__ import annotations

import asyncio

import pytest

from devices.modbus import frames
from devices.modbus.line import Line
from devices.modbus.troubles import NoAnswer, WritesHeld, WrongEcho
from devices.modbus.words import Sentence
from tests.devices.modbus.doubles import FakeTransport, rtu
from tests.devices.modbus.stories import TWO, ask, sent, tell, word

WRITE = frames.write_register(2, 22)
ASKED = rtu("05 03 0000 0001")
ECHO = rtu("05 06 0002 0016")


def codes(line: Line) -> list[str]:
    return [finding.code for finding in line.findings()]


def is_suspect(line: Line) -> bool:
    return line.suspect is not None


async def read_once(line: Line, transport: FakeTransport, reply: bytes) -> None:
    count = len(transport.sent)
    asked = ask(line)
    await sent(transport, count + 1)
    transport.arrive(reply)
    await asked


# --- echo ------------------------------------------------------------------------------------


def test_an_echo_is_noticed_with_a_read_and_cut_off() -> None:
    async def story(line: Line, transport: FakeTransport) -> None:
        await read_once(line, transport, ASKED + word(7))
        assert codes(line) == ["echo"]

    tell(story)


def test_an_echo_confirms_no_write_where_no_unit_is() -> None:
    async def story(line: Line, transport: FakeTransport) -> None:
        await read_once(line, transport, ASKED + word(7))
        write = ask(line, WRITE)
        await sent(transport, 2)
        transport.arrive(ECHO)
        with pytest.raises(NoAnswer):
            await write

    tell(story)


@pytest.mark.parametrize("pieces", [1, 3])
def test_a_write_over_an_echoing_line_is_answered_by_the_second_copy(pieces: int) -> None:
    async def story(line: Line, transport: FakeTransport) -> None:
        write = ask(line, WRITE)
        await sent(transport, 1)
        size = len(ECHO) * 2 // pieces + 1
        for start in range(0, len(ECHO) * 2, size):
            transport.arrive((ECHO * 2)[start : start + size])
        assert await write == ()

    tell(story, echo="on")


def test_a_dead_unit_on_an_echoing_line_has_sent_no_damaged_frame() -> None:
    async def story(line: Line, transport: FakeTransport) -> None:
        asked = ask(line)
        await sent(transport, 1)
        transport.arrive(ASKED)
        with pytest.raises(NoAnswer) as silence:
            await asked
        assert silence.value.heard == 0
        assert line.unit(5).wrong_frames == 0
        assert codes(line) == ["echo"]

    tell(story)


def test_a_write_that_comes_back_before_any_unit_could_answer_is_an_echo() -> None:
    async def story(line: Line, transport: FakeTransport) -> None:
        write = ask(line, WRITE)
        await sent(transport, 1)
        transport.arrive(ECHO)  # 8 characters at 300 baud take 0.27 s
        with pytest.raises(NoAnswer):
            await write
        assert codes(line) == ["echo"]

    tell(story, baud=300, is_clocked=True)


def test_a_line_whose_echo_is_off_takes_the_first_copy() -> None:
    async def story(line: Line, transport: FakeTransport) -> None:
        write = ask(line, WRITE)
        await sent(transport, 1)
        transport.arrive(ECHO)
        assert await write == ()

    tell(story, echo="off", baud=300, is_clocked=True)


def test_an_adapter_without_echo_in_place_of_one_with_it_is_noticed() -> None:
    async def story(line: Line, transport: FakeTransport) -> None:
        await read_once(line, transport, ASKED + word(7))
        for _ in range(3):
            await read_once(line, transport, word(7))
        write = ask(line, WRITE)
        await sent(transport, 5)
        transport.arrive(ECHO)
        assert await write == ()

    tell(story)


# --- a second master -------------------------------------------------------------------------


def test_a_line_is_listened_to_before_it_is_spoken_on() -> None:
    async def story(line: Line, transport: FakeTransport) -> None:
        begun = asyncio.get_running_loop().time()
        asked = ask(line, timeout=0.5)
        await asyncio.sleep(0.05)
        transport.arrive(rtu("01 03 0000 000A"))
        await sent(transport, 1)
        assert transport.times[0] - begun >= 0.15
        transport.arrive(word(1))
        await asked
        assert codes(line) == ["second_master"]

    tell(story, listen_s=0.2)


@pytest.mark.parametrize(
    "frame",
    [
        rtu("07 03 0000 000A"),  # a request
        rtu("09 03 04 0001 0002"),  # a reply to somebody else
        rtu("05 06 0007 0001"),  # a write that we did not send
        rtu("00 10 0001 0001 02 0005"),  # a broadcast
    ],
)
def test_a_frame_that_nobody_here_asked_for_holds_writes_and_makes_values_suspect(
    frame: bytes,
) -> None:
    async def story(line: Line, transport: FakeTransport) -> None:
        await read_once(line, transport, word(1))
        assert not is_suspect(line) and not line.writes_held
        transport.arrive(frame)
        assert is_suspect(line)
        with pytest.raises(WritesHeld):
            await ask(line, WRITE)
        assert len(transport.sent) == 1, "not a byte has left"
        await read_once(line, transport, word(2))

    tell(story)


def test_a_request_of_another_master_is_noticed_while_our_own_is_in_flight() -> None:
    async def story(line: Line, transport: FakeTransport) -> None:
        await read_once(line, transport, rtu("07 03 0000 000A") + word(7))
        assert codes(line) == ["second_master"]

    tell(story)


@pytest.mark.parametrize("first_heard", ["in flight", "before"])
@pytest.mark.parametrize("known", [True, False])
def test_a_reply_behind_another_masters_request_answers_none_of_ours_that_looks_alike(
    first_heard: str, known: bool
) -> None:
    async def story(line: Line, transport: FakeTransport) -> None:
        await read_once(line, transport, word(7))
        if first_heard == "before":
            transport.arrive(ASKED)  # also one that we might have sent: it was not our last
        asked = ask(line, TWO)
        await sent(transport, 2)
        if first_heard == "in flight":
            transport.arrive(ASKED)
        transport.arrive(word(7 if known else 8))
        with pytest.raises(NoAnswer):
            await asked

    tell(story)


def test_a_request_of_another_master_that_was_answered_spoils_no_reply_of_ours() -> None:
    async def story(line: Line, transport: FakeTransport) -> None:
        await read_once(line, transport, word(7))
        transport.arrive(ASKED)
        transport.arrive(word(8))
        asked = ask(line, TWO)
        await sent(transport, 2)
        transport.arrive(word(9))
        assert await asked == (9,)

    tell(story)


@pytest.mark.parametrize("heard", [b"ping", b"\xfe", b"\x00\xff\x00", ASKED, word(1), ECHO])
def test_noise_copies_and_echoes_are_no_second_master(heard: bytes) -> None:
    async def story(line: Line, transport: FakeTransport) -> None:
        await read_once(line, transport, word(1))
        write = ask(line, WRITE)
        await sent(transport, 2)
        transport.arrive(ECHO)
        await write
        transport.arrive(heard)
        assert not is_suspect(line)

    tell(story)


def test_a_second_master_that_is_heard_no_more_is_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def story(line: Line, transport: FakeTransport) -> None:
        transport.arrive(rtu("07 03 0000 000A"))
        assert is_suspect(line)
        loop = asyncio.get_running_loop()
        later = loop.time() + 901
        monkeypatch.setattr(loop, "time", lambda: later)
        assert not is_suspect(line) and line.writes_held is None and codes(line) == []
        monkeypatch.undo()

    tell(story)


# --- held writes -----------------------------------------------------------------------------


def test_writes_are_held_until_then_and_what_concludes_one_goes_out() -> None:
    async def story(line: Line, transport: FakeTransport) -> None:
        why = Sentence("来电不久，%(minutes)d 分钟内不写", minutes=3)
        line.hold_writes(asyncio.get_running_loop().time() + 0.15, why)
        with pytest.raises(WritesHeld) as held:
            await ask(line, WRITE)
        assert str(held.value) == "来电不久，3 分钟内不写"
        concluding = asyncio.ensure_future(line.exchange(5, WRITE, concludes=True))
        await sent(transport, 1)
        transport.arrive(ECHO)
        assert await concluding == ()
        await read_once(line, transport, word(1))
        await asyncio.sleep(0.15)
        write = ask(line, WRITE)
        await sent(transport, 3)
        transport.arrive(ECHO)
        assert await write == ()

    tell(story)


def test_a_write_that_waited_for_the_line_is_held_too() -> None:
    async def story(line: Line, transport: FakeTransport) -> None:
        poll, write = ask(line, timeout=0.5), ask(line, WRITE)
        await sent(transport, 1)
        line.hold_writes(asyncio.get_running_loop().time() + 5, Sentence("稍候"))
        transport.arrive(word(1))
        await poll
        with pytest.raises(WritesHeld):
            await write
        assert len(transport.sent) == 1

    tell(story)


# --- two units at one address, wrong echoes, wiring ------------------------------------------


def test_two_different_replies_to_one_request_are_two_units() -> None:
    async def story(line: Line, transport: FakeTransport) -> None:
        for turn in range(3):
            await read_once(line, transport, word(10 + turn))
            transport.arrive(word(90 - turn))
        (finding,) = line.findings()
        assert (finding.code, finding.address) == ("two_on_one", 5)
        assert "两台" in finding.sentence
        assert line.unit(5).disputed_at is not None and line.unit(6).disputed_at is None

    tell(story)


def test_of_two_different_replies_that_come_together_neither_counts() -> None:
    async def story(line: Line, transport: FakeTransport) -> None:
        asked = ask(line)
        await sent(transport, 1)
        transport.arrive(word(1) + word(2))
        with pytest.raises(NoAnswer):
            await asked

    tell(story)


def test_an_address_whose_replies_alone_are_damaged_is_noticed() -> None:
    async def story(line: Line, transport: FakeTransport) -> None:
        for turn in range(5):
            asked = ask(line, timeout=0.02)
            await sent(transport, 2 * turn + 1)
            transport.arrive(b"\x05\x07\x13" + word(turn)[3:-1])
            with pytest.raises(NoAnswer):
                await asked
            other = ask(line, address=6, timeout=0.5)
            await sent(transport, 2 * turn + 2)
            transport.arrive(word(1, 6))
            await other
        assert codes(line) in ([], ["two_on_one"])
        asked = ask(line, TWO, timeout=0.02)
        await sent(transport, 11)
        transport.arrive(b"\x05\x07\x13\x55")
        with pytest.raises(NoAnswer):
            await asked
        assert [(f.code, f.address) for f in line.findings()] == [("two_on_one", 5)]

    tell(story, quiet_s=0.0)


def test_copies_and_late_replies_are_no_second_unit() -> None:
    async def story(line: Line, transport: FakeTransport) -> None:
        for turn in range(6):
            await read_once(line, transport, word(turn) * 2)
            transport.arrive(word(turn))
        for turn in range(3):
            with pytest.raises(NoAnswer):
                await ask(line)
            transport.arrive(word(turn))
            transport.arrive(word(turn))
        assert codes(line) == []

    tell(story, quiet_s=0.0)


def test_a_write_answered_with_another_value_is_told() -> None:
    async def story(line: Line, transport: FakeTransport) -> None:
        write = ask(line, WRITE)
        await sent(transport, 1)
        transport.arrive(rtu("05 06 0002 0015"))
        with pytest.raises(WrongEcho):
            await write
        (finding,) = line.findings()
        assert (finding.code, finding.address) == ("wrong_echo", 5)

    tell(story)


def test_frames_hurt_at_their_start_hint_at_bias_and_termination() -> None:
    async def story(line: Line, transport: FakeTransport) -> None:
        for turn in range(5):
            asked = ask(line, timeout=0.02)
            await sent(transport, turn + 1)
            transport.arrive(b"\x85" + word(turn)[1:] if turn % 2 else word(turn)[1:])
            with pytest.raises(NoAnswer):
                await asked
        assert codes(line) == ["bias"]

    tell(story, quiet_s=0.0)


@pytest.mark.parametrize(("is_clocked", "told"), [(True, ["bias"]), (False, [])])
def test_idle_levels_before_replies_are_a_hint_on_a_port_of_our_own(
    is_clocked: bool, told: list[str]
) -> None:
    async def story(line: Line, transport: FakeTransport) -> None:
        for turn in range(5):
            await read_once(line, transport, b"\x00\xff"[: 1 + turn % 2] + word(turn))
        assert codes(line) == told

    tell(story, is_clocked=is_clocked)
