"""Time-outs follow each unit, and silent ones cost a line little."""

from __future__ import annotations

import asyncio

import pytest

from devices.modbus.line import COMMAND, Line
from devices.modbus.timing import SILENT_SHARE, Budget, UnitOnLine
from devices.modbus.troubles import NoAnswer
from tests.devices.modbus.doubles import FakeTransport
from tests.devices.modbus.stories import ask, sent, tell, word

FIRST_GUESS = 1.0
LEAST = 0.25


def unit() -> UnitOnLine:
    return UnitOnLine(Budget(0.0))


def wait(of: UnitOnLine, slack: float = 0.0) -> float:
    return of.patience(FIRST_GUESS, LEAST, slack)


def test_a_unit_that_was_never_measured_gets_the_first_guess() -> None:
    assert wait(unit()) == FIRST_GUESS


def test_a_quick_unit_is_waited_for_shortly_and_never_below_the_least() -> None:
    quick = unit()
    for _ in range(50):
        quick.took(0.02)
    assert wait(quick) == LEAST
    assert quick.patience(0.06, LEAST, 0.0) == 0.06, "never less than a guess that is shorter"


def test_a_slow_unit_is_waited_for_longer_than_the_first_guess() -> None:
    slow = unit()
    for seconds in (2.0, 3.0, 2.5, 3.5):
        slow.took(seconds)
    assert 3.5 < wait(slow) < 10.0


def test_the_smoothing_is_that_of_rfc_6298() -> None:
    measured = unit()
    measured.took(1.0)
    assert (measured.round_trip_s, measured.deviation_s) == (1.0, 0.5)
    measured.took(2.0)
    assert measured.deviation_s == pytest.approx(0.75 * 0.5 + 0.25 * 1.0)
    assert measured.round_trip_s == pytest.approx(0.875 * 1.0 + 0.125 * 2.0)


def test_the_pause_of_a_packing_gateway_is_added() -> None:
    quick = unit()
    for _ in range(50):
        quick.took(0.3)
    assert wait(quick, 0.2) == pytest.approx(0.5, abs=0.01)


def test_after_a_time_out_the_first_guess_counts_again() -> None:
    quick = unit()
    quick.took(0.02)
    quick.missed(0.0, 1.0)
    assert wait(quick) == FIRST_GUESS


def test_a_unit_that_answers_or_missed_twice_is_always_due() -> None:
    one = unit()
    assert one.may_probe(0.0)
    for _ in range(2):
        one.missed(10.0, 1.0)
        assert one.may_probe(10.0)
    assert one.silent_since == 10.0


def test_a_silent_unit_is_due_after_pauses_that_double() -> None:
    one = unit()
    now, pauses = 0.0, []
    for _ in range(12):
        one.missed(now, 1.0)
        asked = now
        while one.misses > 2 and not one.may_probe(now):
            now += 1.0
        pauses.append(now - asked)
    assert pauses[3:7] == [40.0, 80.0, 160.0, 320.0]
    assert pauses[-1] == 600.0


@pytest.mark.parametrize("units", [1, 7, 100])
def test_silent_units_cost_a_line_no_more_than_their_share(units: int) -> None:
    budget = Budget(0.0)
    silent = [UnitOnLine(budget) for _ in range(units)]
    for one in silent:
        for _ in range(3):
            one.missed(0.0, 1.2)
    now, spent = 1000.0 * units, 0.0
    end = now + 36_000.0
    while now < end:
        for one in silent:
            if one.may_probe(now):
                one.missed(now, 1.2)
                spent += 1.2
        now += 1.0
    assert 0 < spent <= SILENT_SHARE * 36_000 * 1.01


def test_a_unit_that_is_back_makes_all_silent_ones_due() -> None:
    async def story(line: Line, transport: FakeTransport) -> None:
        for address in (5, 5, 5, 6, 6, 6):
            with pytest.raises(NoAnswer):
                await ask(line, address=address, timeout=0.01)
        now = asyncio.get_running_loop().time()
        assert not line.unit(6).may_probe(now)
        assert line.unit(6).silent_since is not None
        asked = ask(line, address=5, timeout=0.5)
        await sent(transport, 7)
        transport.arrive(word(1))
        await asked
        assert line.unit(5).silent_since is None
        assert line.unit(6).probe_at <= asyncio.get_running_loop().time()

    tell(story, quiet_s=0.0)


def test_a_poll_waits_as_long_as_its_unit_needs_and_a_command_never_less_than_the_guess() -> None:
    async def story(line: Line, transport: FakeTransport) -> None:
        asked = ask(line, timeout=0.4)
        await sent(transport, 1)
        transport.arrive(word(1))
        await asked
        loop = asyncio.get_running_loop()
        begun = loop.time()
        with pytest.raises(NoAnswer):
            await ask(line, timeout=0.4)
        assert 0.04 < loop.time() - begun < 0.3
        line.unit(5).misses = 0
        begun = loop.time()
        with pytest.raises(NoAnswer):
            await ask(line, timeout=0.4, priority=COMMAND)
        assert loop.time() - begun >= 0.4

    tell(story, quiet_s=0.0, least_timeout_s=0.05)


def test_a_late_reply_teaches_how_long_its_unit_takes() -> None:
    async def story(line: Line, transport: FakeTransport) -> None:
        with pytest.raises(NoAnswer):
            await ask(line)
        await asyncio.sleep(0.1)
        transport.arrive(word(1))
        assert line.unit(5).round_trip_s == pytest.approx(0.16, abs=0.05)
        assert line.unit(5).late_replies == 1
        asked = ask(line)
        await sent(transport, 2)
        await asyncio.sleep(0.15)
        transport.arrive(word(2))
        assert await asked == (2,)

    tell(story)


def test_a_line_tells_what_an_exchange_costs_beyond_its_bytes() -> None:
    async def story(line: Line, transport: FakeTransport) -> None:
        assert line.turnaround_s is None
        for address, seconds in ((5, 0.02), (6, 0.03), (7, 0.5)):
            line.unit(address).took(seconds)
        assert line.turnaround_s == 0.03

    tell(story)


def test_units_count_their_own_answers_time_outs_and_wrong_frames() -> None:
    async def story(line: Line, transport: FakeTransport) -> None:
        asked = ask(line)
        await sent(transport, 1)
        transport.arrive(word(1))
        await asked
        asked = ask(line)
        await sent(transport, 2)
        transport.arrive(word(1)[:-1] + b"\x00")
        with pytest.raises(NoAnswer):
            await asked
        unit, other = line.unit(5), line.unit(6)
        assert (unit.answers, unit.timeouts, unit.wrong_frames) == (1, 1, 1)
        assert (other.answers, other.timeouts, other.wrong_frames) == (0, 0, 0)

    tell(story)
