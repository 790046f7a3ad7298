from datetime import timedelta
from uuid import uuid4

import pytest

from telemetry.models import Command, CommandState, UnitHour
from tests import cast as make
from tests.cast import Cast
from tests.constraints import Case, named, refused

NOON = make.SERVICE_BEGAN
CLAIM = {"claimed_by": uuid4(), "sending_since": NOON, "deadline_at": NOON}


def command(cast: Cast, **changes: object) -> Command:
    fields = {"signal": "indoor_temp_setpoint", "target": 20, "reason": "user"}
    return Command.objects.create(
        unit=cast.water, requested_by=cast.town_officer, **fields | changes
    )


def wrong(**changes: object) -> Case:
    return lambda cast: command(cast, **changes)


def queued_twice(cast: Cast) -> object:
    command(cast)
    return command(cast, target=21)


CASES: list[tuple[str, Case]] = [
    ("command_state_known", wrong(state="done", finished_at=NOON)),
    ("command_one_queued_per_signal", queued_twice),
    ("command_sending_is_claimed", wrong(state=CommandState.SENDING)),
    (
        "command_sending_is_claimed",
        wrong(state=CommandState.SENDING, **CLAIM | {"deadline_at": None}),
    ),
    ("command_finished_when_closed", wrong(state=CommandState.VERIFIED)),
    ("command_finished_when_closed", wrong(state=CommandState.QUEUED, finished_at=NOON)),
    (
        "command_finished_when_closed",
        wrong(state=CommandState.SENDING, finished_at=NOON, **CLAIM),
    ),
]


@pytest.mark.parametrize(("name", "case"), CASES)
def test_the_database_refuses(cast: Cast, name: str, case: Case) -> None:
    with refused(name):
        case(cast)


def test_no_constraint_is_left_untried() -> None:
    assert {name for name, _ in CASES} == named("telemetry")


@pytest.mark.parametrize("state", [s for s in CommandState if s not in ("queued", "sending")])
def test_every_closed_state_can_be_stored_with_its_end(cast: Cast, state: CommandState) -> None:
    assert not command(cast, state=state, finished_at=NOON).is_open


def test_while_one_is_sent_the_next_may_queue(cast: Cast) -> None:
    command(cast, state=CommandState.SENDING, **CLAIM)
    assert command(cast).is_open


def test_two_signals_of_a_unit_queue_beside_each_other(cast: Cast) -> None:
    command(cast)
    assert command(cast, signal="power_state", target=True).is_open


def test_a_command_expires_five_minutes_after_its_request_by_default(cast: Cast) -> None:
    fresh = command(cast)
    assert abs(fresh.expires_at - fresh.requested_at - timedelta(minutes=5)) < timedelta(seconds=1)


def test_a_unit_has_one_row_for_an_hour(cast: Cast) -> None:
    hour = {"hour": NOON, "interval_s": 60, "due": 60, "stored": 60, "on_seconds": 0}
    UnitHour.objects.create(unit=cast.water, **hour)
    with refused("telemetry_unithour_pkey"):
        UnitHour.objects.create(unit=cast.water, **hour)
