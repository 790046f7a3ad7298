"""The queue: the switch, lines that are away or hold their writes, fields of one register."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from devices.models import RegisterMap
from households import clock
from telemetry import commands
from telemetry.commands import CommandRefused
from telemetry.models import Command, GatewayState, RemoteWriting, Wear
from tests import cast as people
from tests.cast import AGREED, MAPS, Cast

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 3, tzinfo=UTC)
START = uuid.uuid4()
LONG = timedelta(minutes=30)


def at(seconds: float) -> Any:
    return clock.at(NOW + timedelta(seconds=seconds))


def wish(
    cast: Cast, seconds: float = 0, target: Any = 21, signal: str = "indoor_temp_setpoint", **m: Any
) -> Command:
    people.answered(cast.water, NOW, outdoor_temp=9.0, power_state=True)
    with at(seconds):
        return commands.request(
            cast.water, signal, target, by=cast.district_officer, reason="user", **AGREED, **m
        )


def claim(cast: Cast, seconds: float) -> list[Command]:
    with at(seconds):
        return commands.claim("main", START, [cast.water.gateway_id])


def turn(on: bool) -> None:
    RemoteWriting.objects.create(on=on, why="测试")


def the_line(cast: Cast, connected: bool, seconds: float) -> None:
    GatewayState.objects.update_or_create(
        gateway=cast.water.gateway,
        defaults={"connected": connected, "since": NOW + timedelta(seconds=seconds)},
    )


# The switch


def test_a_blank_installation_writes_nothing(db: None) -> None:
    assert not RemoteWriting.is_on()


def test_while_the_switch_is_off_nothing_is_wished_and_nothing_is_sent(cast: Cast) -> None:
    waiting = wish(cast)
    turn(False)
    with pytest.raises(CommandRefused, match="总开关"):
        wish(cast, 1, 22)
    assert claim(cast, 2) == []
    turn(True)
    assert claim(cast, 3) == [waiting]


# Lines that are away


def test_what_waits_expires_when_its_line_was_away_for_ten_minutes(cast: Cast) -> None:
    command = wish(cast, valid_for=LONG)
    the_line(cast, False, 60)
    with at(60 + 599):
        assert commands.expire() == 0
    with at(60 + 600):
        assert commands.expire() == 1
    command.refresh_from_db()
    assert (command.state, command.detail) == ("expired", "通信链路中断已超过 10 分钟")
    the_line(cast, True, 700)
    assert claim(cast, 701) == []


def test_a_short_break_of_the_line_costs_nothing(cast: Cast) -> None:
    command = wish(cast, valid_for=LONG)
    the_line(cast, False, 60)
    the_line(cast, True, 400)
    with at(800):
        commands.expire()
    assert claim(cast, 801) == [command]


def test_a_line_that_is_long_away_takes_no_new_wish(cast: Cast) -> None:
    the_line(cast, False, -601)
    with pytest.raises(CommandRefused, match="通信链路中断"):
        wish(cast)


# Lines that hold their writes


def test_what_no_byte_of_has_left_waits_again(cast: Cast) -> None:
    command = wish(cast)
    claim(cast, 1)
    with at(2):
        assert commands.hand_back(command.pk, START, "线上另有主站")
    command.refresh_from_db()
    assert (command.state, command.claimed_by, command.sent) == ("queued", None, None)
    assert command.detail == "线上另有主站"
    assert claim(cast, 11) == []
    assert claim(cast, 12) == [command]
    assert not Wear.objects.exists()


def test_what_was_handed_back_expires_in_its_time(cast: Cast) -> None:
    command = wish(cast)
    claim(cast, 299)
    with at(299):
        commands.hand_back(command.pk, START, "供电恢复")
    with at(301):
        assert commands.expire() == 1


def test_a_newer_wish_takes_the_place_of_what_was_handed_back(cast: Cast) -> None:
    first = wish(cast)
    claim(cast, 1)
    second = wish(cast, 2, 22)
    with at(3):
        assert commands.hand_back(first.pk, START, "线上另有主站")
    first.refresh_from_db()
    assert first.state == "superseded"
    assert claim(cast, 4) == [second]


def test_only_who_holds_it_hands_it_back(cast: Cast) -> None:
    command = wish(cast)
    claim(cast, 1)
    assert not commands.hand_back(command.pk, uuid.uuid4(), "")
    assert commands.finish(command.pk, START, "verified")
    assert not commands.hand_back(command.pk, START, "")


# Fields of one register


@pytest.fixture
def shared(cast: Cast) -> None:
    """The unit's map with power and mode in one register."""
    text = (MAPS / "chennuan-cn-w10.csv").read_text(encoding="utf-8-sig")
    row = "mode,运行模式状态,holding,{},,1,0,,rw,,,,0=cooling;1=heating;2=auto,,{},"
    text = text.replace(row.format("1,uint16", ""), row.format("0,bits", "0x0030"))
    cast.water.register_map = RegisterMap.objects.add(cast.water.model, text.encode(), "m.csv")
    cast.water.save()


def test_two_waiting_fields_of_one_register_are_claimed_together(cast: Cast, shared: None) -> None:
    power, mode = wish(cast, 0, True, "power_state"), wish(cast, 1, "auto", "mode")
    other = wish(cast, 2, 22)
    taken = claim(cast, 3)
    assert [row.pk for row in taken] == [power.pk, mode.pk]
    assert len({row.sending_since for row in taken}) == 1
    assert claim(cast, 4) == []
    for row in taken:
        with at(5):
            assert commands.finish(row.pk, START, "verified", sent=row.target)
    assert Wear.objects.get().writes == 1  # one write
    assert claim(cast, 64) == [other]


def test_a_reset_pulse_goes_alone(cast: Cast, shared: None) -> None:
    wish(cast, 0, True, "power_state")
    wish(cast, 1, True, "alarm_reset")
    assert [row.signal for row in claim(cast, 2)] == ["power_state"]


# What cannot be settled


def test_an_end_that_stays_unknown_is_not_asked_for_ever(cast: Cast) -> None:
    command = wish(cast)
    claim(cast, 1)
    with at(2):
        commands.finish(command.pk, START, "unknown", sent=21.0)
    asked = 0
    for minute in range(1, 180):
        with at(minute * 60):
            people.answered(cast.water, clock.now())
            for row in commands.unsettled("main", [cast.water.gateway_id]):
                commands.settled(row.pk, "unknown", None, "")
                asked += 1
    assert asked == 12
