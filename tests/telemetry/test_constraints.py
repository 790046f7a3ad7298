from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.db.models import Model

from telemetry.models import (
    Alarm,
    Command,
    CommandState,
    GatewayMonth,
    GroupCommand,
    IntervalInForce,
    Obligation,
    RemoteWriting,
    SettingChanged,
    UnitHour,
    UnknownTransmitter,
    Watch,
    Wear,
)
from telemetry.models.commands import OPEN
from tests import cast as make
from tests.cast import Cast
from tests.constraints import Case, named, refused
from tests.telemetry import docking_cases

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


def queued_beside_an_awaiting_one(cast: Cast) -> object:
    command(cast, state=CommandState.AWAITING)
    return command(cast, target=21)


def approved_by_himself(cast: Cast) -> object:
    return command(cast, approved_by=cast.town_officer, approved_at=NOON)


def owed(cast: Cast, **changes: object) -> Obligation:
    fields = {"signal": "mode", "former": "heating", "test_value": "auto", "made_at": NOON}
    return Obligation.objects.create(
        unit=cast.water, by=cast.town_officer, **fields | {"restore_at": NOON} | changes
    )


def owed_twice(cast: Cast) -> object:
    owed(cast)
    return owed(cast)


def group(cast: Cast, **changes: object) -> GroupCommand:
    fields = {"signal": "mode", "target": "auto", "reason": "frost", "area": cast.area("洞头村")}
    return GroupCommand.objects.create(requested_by=cast.service_unit, **fields | changes)


def worn_twice(cast: Cast) -> None:
    for _ in range(2):
        Wear.objects.create(unit=cast.water, area="holding", address=2, day=NOON.date())


def alarm(cast: Cast, **changes: object) -> Alarm:
    fields = {"kind": "unit_silent", "severity": "warning", "unit": cast.water}
    return Alarm.objects.create(**fields | {"seen_at": NOON, "sample_at": NOON} | changes)


def wrong_alarm(**changes: object) -> Case:
    return lambda cast: alarm(cast, **changes)


def alarm_twice(cast: Cast) -> object:
    alarm(cast)
    return alarm(cast)


def of_the_unit(model: type[Model], times: int, **fields: object) -> Case:
    """So many rows alike about one unit."""
    return lambda cast: [model.objects.create(unit=cast.water, **fields) for _ in range(times)]  # type: ignore[attr-defined]


def month_twice(cast: Cast) -> None:
    for _ in range(2):
        GatewayMonth.objects.create(gateway=cast.water.gateway, month=NOON.date())


def stranger_twice(cast: Cast) -> None:
    for _ in range(2):
        UnknownTransmitter.objects.create(line_worker="main", name="QN-9", since=NOON, seen_at=NOON)


WATCH = {"why": "open", "interval_s": 10, "since": NOON}
CHANGED = {"signal": "mode", "before": "auto", "after": "heating", "at": NOON}
CASES: list[tuple[str, Case]] = [
    ("command_state_known", wrong(state="done", finished_at=NOON)),
    ("command_one_waiting_per_signal", queued_twice),
    ("command_one_waiting_per_signal", queued_beside_an_awaiting_one),
    ("command_approved_by_another", approved_by_himself),
    ("command_approved_by_another", wrong(approved_at=NOON)),
    ("command_only_restoring_never_expires", wrong(expires_at=None)),
    ("command_agreement_whole", wrong(agreement="phone")),
    ("command_agreement_whole", wrong(agreed_on=NOON.date())),
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
    ("obligation_one_open_per_signal", owed_twice),
    ("obligation_ends_with_its_ending", lambda cast: owed(cast, fulfilled_at=NOON)),
    ("obligation_ends_with_its_ending", lambda cast: owed(cast, ending="restored")),
    (
        "obligation_restored_soon",
        lambda cast: owed(cast, restore_at=NOON + timedelta(minutes=16)),
    ),
    ("group_command_ends_with_its_stage", lambda cast: group(cast, stage="done")),
    ("group_command_ends_with_its_stage", lambda cast: group(cast, ended_at=NOON)),
    ("wear_once_per_day", worn_twice),
    ("alarm_one_open_per_kind", alarm_twice),
    ("alarm_of_one_subject", wrong_alarm(unit=None)),
    ("alarm_of_one_subject", wrong_alarm(line_worker="main")),
    ("alarm_kind_known", wrong_alarm(kind="boredom")),
    ("alarm_severity_known", wrong_alarm(severity="mild")),
    ("alarm_acknowledged_by_somebody", wrong_alarm(acknowledged_at=NOON)),
    ("alarm_cleared_after_it_was_raised", wrong_alarm(cleared_at=NOON)),
    ("watch_once_per_unit_and_reason", of_the_unit(Watch, 2, until=NOON, **WATCH)),
    (
        "watch_ends_after_it_began",
        of_the_unit(Watch, 1, until=NOON - timedelta(seconds=1), **WATCH),
    ),
    ("setting_changed_told_once", of_the_unit(SettingChanged, 2, **CHANGED)),
    (
        "interval_in_force_positive",
        of_the_unit(IntervalInForce, 1, since=NOON, interval_s=0, why="unit"),
    ),
    ("gateway_month_once", month_twice),
    ("unknown_transmitter_once_per_worker", stranger_twice),
    *docking_cases.CASES,
]


@pytest.mark.parametrize(("name", "case"), CASES)
def test_the_database_refuses(cast: Cast, name: str, case: Case) -> None:
    with refused(name):
        case(cast)


def test_no_constraint_is_left_untried() -> None:
    assert {name for name, _ in CASES} == named("telemetry")


@pytest.mark.parametrize("state", [s for s in CommandState if s not in OPEN])
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
    assert fresh.expires_at is not None
    assert abs(fresh.expires_at - fresh.requested_at - timedelta(minutes=5)) < timedelta(seconds=1)


def test_a_unit_has_one_row_for_an_hour(cast: Cast) -> None:
    hour = {"hour": NOON, "interval_s": 60, "due": 60, "stored": 60, "on_seconds": 0}
    UnitHour.objects.create(unit=cast.water, **hour)
    with refused("telemetry_unithour_pkey"):
        UnitHour.objects.create(unit=cast.water, **hour)


def test_what_restores_may_wait_for_ever(cast: Cast) -> None:
    assert command(cast, reason="restore", expires_at=None).is_open


@pytest.mark.parametrize("act", ["update", "delete"])
def test_the_switch_of_remote_writing_keeps_every_turn(cast: Cast, act: str) -> None:
    rows = RemoteWriting.objects.all()
    with pytest.raises(IntegrityError, match="only added"), transaction.atomic():
        rows.update(on=False) if act == "update" else rows.delete()
    assert RemoteWriting.is_on()
