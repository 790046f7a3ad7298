"""Way 2: from the wish to its proven end, with every state in between."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from devices.modbus.points import Scalar
from devices.models import Unit
from households import clock
from telemetry import commands
from telemetry.commands import CommandRefused
from telemetry.models import Command, CommandState
from tests import cast as people
from tests.cast import AGREED, Cast

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 3, tzinfo=UTC)
START = uuid.uuid4()
WARM: dict[str, Any] = {
    "indoor_temp_setpoint": 20.0,
    "power_state": True,
    "mode": "heating",
    "outdoor_temp": 9.0,
}


@pytest.fixture(autouse=True)
def frozen(cast: Cast) -> None:
    people.answered(cast.water, NOW, **WARM)


def wish(cast: Cast, target: Scalar = 21, signal: str = "indoor_temp_setpoint") -> Command:
    with clock.at(NOW):
        return commands.request(
            cast.water, signal, target, by=cast.district_officer, reason="user", **AGREED
        )


def claim(cast: Cast, *units: Unit, after: float = 1) -> list[Command]:
    with clock.at(NOW + timedelta(seconds=after)):
        return commands.claim("main", START, [unit.gateway_id for unit in units or (cast.water,)])


def ended(cast: Cast, state: str, **end: Any) -> Command:
    command = wish(cast)
    claim(cast)
    with clock.at(NOW + timedelta(seconds=5)):
        commands.finish(command.pk, START, state, **end)
    return Command.objects.get(pk=command.pk)


def reads(cast: Cast, seconds: float, **values: object) -> None:
    people.answered(cast.water, NOW + timedelta(seconds=seconds), **values)


def state_of(command: Command) -> str:
    return Command.objects.get(pk=command.pk).state


def test_a_wish_waits_with_what_was_and_what_is_wanted(cast: Cast) -> None:
    command = wish(cast)
    assert (command.state, command.before, command.target) == ("queued", 20.0, 21)
    assert command.expires_at == NOW + timedelta(minutes=5)
    assert command.limits == {"min": 16.0, "max": 26.0}


@pytest.mark.parametrize(
    ("signal", "target", "says"),
    [
        ("indoor_temp_setpoint", 27, "平台规定"),
        ("indoor_temp_setpoint", 15, "16"),
        ("supply_temp_setpoint", 57, "设备点表"),
        ("supply_temp_setpoint", 61, "60"),
        ("indoor_temp_setpoint", 20.5, "步长"),
        ("indoor_temp_setpoint", "21", "数字"),
        ("indoor_temp_setpoint", True, "数字"),
        ("mode", "cooling", "只能选"),
        ("mode", 1, "只能选"),
        ("power_state", "on", "只能选"),
        ("alarm_reset", False, "报警复位"),
        ("supply_temp", 40, "没有可写"),
        ("no_such_point", 1, "没有可写"),
    ],
)
def test_what_the_limits_forbid_is_refused_in_words(
    cast: Cast, signal: str, target: Scalar, says: str
) -> None:
    with pytest.raises(CommandRefused, match=says):
        wish(cast, target, signal)
    assert not Command.objects.exists()


@pytest.mark.parametrize(
    ("signal", "target"),
    [
        ("indoor_temp_setpoint", 26),
        ("supply_temp_setpoint", 55),
        ("mode", "auto"),
        ("power_state", False),
        ("alarm_reset", True),
    ],
)
def test_all_five_writings_of_annex_2_can_be_wished(
    cast: Cast, signal: str, target: Scalar
) -> None:
    assert wish(cast, target, signal).state == "queued"


def test_a_line_that_is_not_trusted_is_never_written(cast: Cast) -> None:
    with pytest.raises(CommandRefused, match="只能读数"):
        commands.request(
            cast.air, "indoor_temp_setpoint", 20, by=cast.district_officer, reason="user", **AGREED
        )


def test_a_reader_may_not_command(cast: Cast) -> None:
    with pytest.raises(CommandRefused, match="角色"):
        commands.request(
            cast.water, "indoor_temp_setpoint", 20, by=cast.reader, reason="user", **AGREED
        )


def test_a_reason_from_the_list_is_needed(cast: Cast) -> None:
    with pytest.raises(CommandRefused, match="原因"):
        commands.request(
            cast.water, "indoor_temp_setpoint", 20, by=cast.district_officer, reason="fun"
        )


def test_a_newer_wish_for_the_same_signal_replaces_the_waiting_one(cast: Cast) -> None:
    first, second = wish(cast, 21), wish(cast, 22)
    assert (state_of(first), state_of(second)) == ("superseded", "queued")
    other = wish(cast, "auto", "mode")
    assert (state_of(second), state_of(other)) == ("queued", "queued")


def test_the_claim_is_committed_with_owner_and_deadline(cast: Cast) -> None:
    command = wish(cast)
    assert [row.pk for row in claim(cast)] == [command.pk]
    command.refresh_from_db()
    assert (command.state, command.claimed_by) == ("sending", START)
    assert command.deadline_at == NOW + timedelta(seconds=1) + commands.ANSWER_WITHIN
    assert claim(cast) == []


def test_one_unit_gets_one_command_at_a_time(cast: Cast) -> None:
    first, second = wish(cast), wish(cast, "auto", "mode")
    assert claim(cast) == [first]
    assert claim(cast) == []
    commands.finish(first.pk, START, "verified")
    assert claim(cast) == [second]


def test_lines_that_are_not_connected_get_nothing(cast: Cast) -> None:
    wish(cast)
    assert claim(cast, cast.air) == []


def test_another_line_worker_gets_nothing(cast: Cast) -> None:
    wish(cast)
    assert commands.claim("other", START, [cast.water.gateway_id]) == []


def test_trust_that_was_withdrawn_meanwhile_stops_the_command(cast: Cast) -> None:
    wish(cast)
    cast.water.gateway.trusted = False
    cast.water.gateway.save()
    assert claim(cast) == []


def test_a_wish_that_waited_too_long_expires_and_is_not_sent(cast: Cast) -> None:
    command = wish(cast)
    assert claim(cast, after=301) == []
    with clock.at(NOW + timedelta(seconds=301)):
        assert commands.expire() == 1
    assert state_of(command) == "expired"


def test_a_waiting_wish_can_be_cancelled_a_sent_one_cannot(cast: Cast) -> None:
    first = wish(cast)
    assert commands.cancel(first, cast.district_officer)
    assert state_of(first) == "cancelled"
    second = wish(cast)
    claim(cast)
    assert not commands.cancel(second, cast.district_officer)
    assert state_of(second) == "sending"


def test_only_who_sent_it_may_end_it(cast: Cast) -> None:
    command = wish(cast)
    claim(cast)
    assert not commands.finish(command.pk, uuid.uuid4(), "verified")
    assert commands.finish(command.pk, START, "refused", sent=21.0, detail="异常码 03")
    assert not commands.finish(command.pk, START, "verified")
    command.refresh_from_db()
    assert (command.state, command.sent, command.detail) == ("refused", 21.0, "异常码 03")


def test_what_a_dead_start_was_sending_becomes_unknown(cast: Cast) -> None:
    command = wish(cast)
    claim(cast)
    with clock.at(NOW + timedelta(seconds=10)):
        assert commands.disown("main", START) == 0
        assert commands.disown("main", uuid.uuid4()) == 1
    command.refresh_from_db()
    assert (command.state, command.sent) == ("unknown", 21)


def test_what_passed_its_deadline_becomes_unknown_too(cast: Cast) -> None:
    command = wish(cast)
    claim(cast)
    with clock.at(NOW + timedelta(seconds=62)):
        assert commands.disown("main", START) == 1
    assert state_of(command) == "unknown"


def unsettled(cast: Cast) -> list[Command]:
    with clock.at(NOW + timedelta(seconds=70)):
        return commands.unsettled("main", [cast.water.gateway_id])


def test_an_unknown_end_is_settled_when_the_unit_answers_again(cast: Cast) -> None:
    command = ended(cast, "unknown", sent=21.0)
    assert unsettled(cast) == []
    reads(cast, 65)
    assert unsettled(cast) == [command]
    assert claim(cast, after=71) == []  # never by writing again


@pytest.mark.parametrize("state", ["verified", "failed"])
def test_what_reading_said_becomes_the_end(cast: Cast, state: str) -> None:
    command = ended(cast, "unknown", sent=21.0)
    assert commands.settled(command.pk, state, 21.0, "")
    command.refresh_from_db()
    assert (command.state, command.read_back) == (state, 21.0)


def test_unknown_again_waits_a_while_before_the_unit_is_asked_again(cast: Cast) -> None:
    command = ended(cast, "unknown", sent=21.0)
    reads(cast, 65)
    with clock.at(NOW + timedelta(seconds=68)):
        assert not commands.settled(command.pk, "unknown", None, "")
    reads(cast, 128)
    assert unsettled(cast) == []
    reads(cast, 68 + 301)
    assert unsettled(cast) == [command]


def test_a_value_that_the_unit_took_back_is_not_held(cast: Cast) -> None:
    command = ended(cast, "verified", sent=21.0, read_back=21.0)
    reads(cast, 65, indoor_temp_setpoint=20.0)
    with clock.at(NOW + timedelta(seconds=70)):
        assert commands.compare() == 1
    command.refresh_from_db()
    assert (command.state, command.read_back) == ("not_held", 20.0)


def test_a_value_that_held_is_compared_once_and_stays_verified(cast: Cast) -> None:
    command = ended(cast, "verified", sent=21.0, read_back=21.0)
    reads(cast, 65, indoor_temp_setpoint=21.0)
    with clock.at(NOW + timedelta(seconds=70)):
        commands.compare()
    reads(cast, 125, indoor_temp_setpoint=19.0)  # somebody at the panel, later
    with clock.at(NOW + timedelta(seconds=130)):
        assert commands.compare() == 0
    assert state_of(command) == "verified"


def test_a_later_command_speaks_for_itself(cast: Cast) -> None:
    first = ended(cast, "verified", sent=21.0, read_back=21.0)
    with clock.at(NOW + timedelta(seconds=20)):
        second = commands.request(
            cast.water,
            "indoor_temp_setpoint",
            23,
            by=cast.district_officer,
            reason="user",
            **AGREED,
        )
    claim(cast, after=66)
    with clock.at(NOW + timedelta(seconds=70)):
        commands.finish(second.pk, START, "verified", sent=23.0, read_back=23.0)
    reads(cast, 75, indoor_temp_setpoint=23.0)
    with clock.at(NOW + timedelta(seconds=80)):
        commands.compare()
    assert (state_of(first), state_of(second)) == ("verified", "verified")


def test_the_database_knows_no_half_states(cast: Cast) -> None:
    command = wish(cast)
    for change in (
        {"state": "sending"},
        {"state": "verified"},
        {"state": "sent"},
        {"finished_at": NOW},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            Command.objects.filter(pk=command.pk).update(**change)


def test_every_state_has_a_shape_and_only_verified_is_green() -> None:
    green = {state for state in CommandState if Command(state=state).shape == "st-ok"}
    assert green == {CommandState.VERIFIED}


def test_settable_lists_the_five_writings_with_their_limits(cast: Cast) -> None:
    found = {setting.signal: setting for setting in commands.settable(cast.water)}
    assert list(found) == [
        "indoor_temp_setpoint",
        "supply_temp_setpoint",
        "power_state",
        "mode",
        "alarm_reset",
    ]
    room = found["indoor_temp_setpoint"]
    assert (room.kind, room.min, room.max, room.step, room.current) == ("number", 16, 26, 1, 20)
    assert [value for value, _label in found["mode"].choices] == ["heating", "auto"]
    assert found["alarm_reset"].kind == "action"
