"""A test never leaves a house cold: what it changed is owed, whatever happens."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from households import clock
from telemetry import commands, obligations
from telemetry.commands import CommandRefused
from telemetry.models import Command, Obligation
from tests import cast as people
from tests.cast import AGREED, Cast

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 3, tzinfo=UTC)
START = uuid.uuid4()
MILD: dict[str, Any] = {
    "indoor_temp_setpoint": 20.0,
    "supply_temp_setpoint": 40.0,
    "power_state": True,
    "mode": "heating",
    "outdoor_temp": 9.0,
}


def at(seconds: float) -> Any:
    return clock.at(NOW + timedelta(seconds=seconds))


def reads(cast: Cast, seconds: float, **values: Any) -> None:
    people.answered(cast.water, NOW + timedelta(seconds=seconds), **MILD | values)


@pytest.fixture(autouse=True)
def read(cast: Cast) -> None:
    reads(cast, -5)


def a_test(
    cast: Cast, target: Any = 21, signal: str = "indoor_temp_setpoint", **more: Any
) -> Command:
    with at(0):
        return commands.request(
            cast.water, signal, target, by=cast.service_unit, purpose="test", **more
        )


def claim(cast: Cast, seconds: float) -> list[Command]:
    with at(seconds):
        return commands.claim("main", START, [cast.water.gateway_id])


def carried_out(cast: Cast, seconds: float, state: str = "verified", **end: Any) -> Command:
    """What waits is claimed and ends so, at that moment."""
    (command,) = claim(cast, seconds)
    with at(seconds):
        commands.finish(command.pk, START, state, **end)
    return command


def looked_after(cast: Cast, seconds: float) -> list[Command]:
    """The restoring commands, after the keeper looked at that moment."""
    with at(seconds):
        obligations.carry_out("main", [cast.water.gateway_id])
    return list(Command.objects.filter(reason="restore").order_by("pk"))


def ending() -> str:
    return Obligation.objects.get().ending


def test_the_former_value_is_owed_before_the_test_is_even_queued(cast: Cast) -> None:
    command = a_test(cast)
    owed = Obligation.objects.get()
    assert command.obligation == owed
    assert (owed.former, owed.test_value, owed.by) == (20.0, 21, cast.service_unit)
    assert (command.reason, command.state) == ("test", "queued")


def test_a_test_needs_no_agreement_and_is_restored_within_a_minute(cast: Cast) -> None:
    a_test(cast)
    carried_out(cast, 1, sent=21.0, read_back=21.0)
    assert looked_after(cast, 59) == []
    (restoring,) = looked_after(cast, 60)
    assert (restoring.target, restoring.expires_at, restoring.state) == (20.0, None, "queued")
    carried_out(cast, 61, sent=20.0, read_back=20.0)
    assert len(looked_after(cast, 63)) == 1
    assert ending() == "restored"


def test_it_is_restored_at_once_when_the_test_is_over(cast: Cast) -> None:
    a_test(cast)
    carried_out(cast, 1, sent=21.0, read_back=21.0)
    with at(5):
        obligations.restore_now(Obligation.objects.get())
    assert len(looked_after(cast, 5)) == 1


def test_on_reconnection_it_is_restored_if_the_unit_still_has_the_test_value(cast: Cast) -> None:
    a_test(cast)
    carried_out(cast, 1, "unknown", sent=21.0)
    assert looked_after(cast, 300) == []  # nobody knows what the unit has
    with at(7200):
        assert Obligation.objects.overdue().exists()
    reads(cast, 7200, indoor_temp_setpoint=21.0)
    assert len(looked_after(cast, 7201)) == 1
    with at(90_000):
        commands.expire()
    assert claim(cast, 90_000)  # it does not expire


@pytest.mark.parametrize(("shown", "end"), [(20.0, "former"), (24.0, "changed")])
def test_a_unit_that_has_another_value_by_now_is_left_alone(
    cast: Cast, shown: float, end: str
) -> None:
    a_test(cast)
    carried_out(cast, 1, sent=21.0, read_back=21.0)
    reads(cast, 30, indoor_temp_setpoint=shown)
    assert looked_after(cast, 70) == []
    assert ending() == end


@pytest.mark.parametrize("end", ["refused", "failed"])
def test_a_test_that_wrote_nothing_owes_nothing(cast: Cast, end: str) -> None:
    a_test(cast)
    carried_out(cast, 1, end)
    assert looked_after(cast, 70) == []
    assert ending() == "unsent"


def test_a_test_that_expired_or_was_cancelled_owes_nothing(cast: Cast) -> None:
    command = a_test(cast)
    with at(2):
        assert commands.cancel(command, cast.service_unit)
    looked_after(cast, 3)
    assert ending() == "unsent"


def test_a_restoring_write_that_failed_is_tried_again_less_and_less_often(cast: Cast) -> None:
    a_test(cast)
    carried_out(cast, 1, sent=21.0, read_back=21.0)
    looked_after(cast, 60)
    carried_out(cast, 61, "refused", sent=20.0)
    reads(cast, 65, indoor_temp_setpoint=21.0)
    assert len(looked_after(cast, 66)) == 1
    assert len(looked_after(cast, 122)) == 2
    carried_out(cast, 125, "failed", sent=20.0, read_back=21.0)
    reads(cast, 130, indoor_temp_setpoint=21.0)
    assert len(looked_after(cast, 200)) == 2
    assert len(looked_after(cast, 246)) == 3
    assert ending() == ""


def test_what_the_unit_took_back_is_owed_again(cast: Cast) -> None:
    a_test(cast)
    carried_out(cast, 1, sent=21.0, read_back=21.0)
    looked_after(cast, 60)
    carried_out(cast, 61, sent=20.0, read_back=20.0)
    looked_after(cast, 63)
    assert ending() == "restored"
    reads(cast, 70, indoor_temp_setpoint=21.0)
    with at(71):
        assert commands.compare() == 1
    assert ending() == ""
    assert len(looked_after(cast, 200)) == 2


def test_while_it_is_owed_nobody_sets_the_same_signal(cast: Cast) -> None:
    a_test(cast)
    carried_out(cast, 1, sent=21.0, read_back=21.0)
    for reason in ("frost", "test"):
        with at(70), pytest.raises(CommandRefused, match="原值尚未恢复"):
            commands.request(
                cast.water, "indoor_temp_setpoint", 22, by=cast.district_officer, reason=reason
            )
    with at(70):
        other = commands.request(
            cast.water, "mode", "auto", by=cast.district_officer, reason="frost"
        )
    assert other.state == "queued"


def test_a_restoring_command_is_neither_cancelled_nor_superseded(cast: Cast) -> None:
    a_test(cast)
    carried_out(cast, 1, sent=21.0, read_back=21.0)
    (restoring,) = looked_after(cast, 60)
    with at(61):
        assert not commands.cancel(restoring, cast.service_unit)
    restoring.refresh_from_db()
    assert restoring.state == "queued"


def test_it_goes_before_what_others_wish_of_the_unit(cast: Cast) -> None:
    a_test(cast)
    carried_out(cast, 1, sent=21.0, read_back=21.0)
    with at(2):
        commands.request(
            cast.water, "mode", "auto", by=cast.district_officer, reason="user", **AGREED
        )
    (restoring,) = looked_after(cast, 61)
    assert claim(cast, 62) == [restoring]


def test_a_value_beyond_the_policy_is_put_back_within_the_makers_limits(cast: Cast) -> None:
    reads(cast, -5, indoor_temp_setpoint=28.0)  # set at the panel
    a_test(cast, 26)
    carried_out(cast, 1, sent=26.0, read_back=26.0)
    (restoring,) = looked_after(cast, 61)
    assert (restoring.target, restoring.limits) == (28.0, {"min": 10.0, "max": 30.0})


@pytest.mark.parametrize(
    ("values", "signal", "target", "says"),
    [
        ({"mode": "cooling"}, "mode", "heating", "无法写回"),  # the map does not let one write it
        ({"power_state": False}, "power_state", True, "不能以关机结束"),
        ({"indoor_temp_setpoint": None}, "indoor_temp_setpoint", 21, "须先读到原值"),
    ],
)
def test_what_could_not_be_put_back_is_not_tested(
    cast: Cast, values: dict[str, Any], signal: str, target: Any, says: str
) -> None:
    known = {name: value for name, value in (MILD | values).items() if value is not None}
    people.answered(cast.water, NOW, **known)
    with pytest.raises(CommandRefused, match=says):
        a_test(cast, target, signal)
    assert not Obligation.objects.exists()
    assert not Command.objects.exists()


def test_a_value_read_long_ago_is_nothing_to_go_back_to(cast: Cast) -> None:
    reads(cast, -901)
    with pytest.raises(CommandRefused, match="15 分钟"):
        a_test(cast)


def test_off_in_the_cold_is_tested_only_beside_the_unit_and_for_a_minute(cast: Cast) -> None:
    reads(cast, -5, outdoor_temp=-3.0)
    with pytest.raises(CommandRefused, match="安装人员须在场"):
        a_test(cast, False, "power_state")
    command = a_test(cast, False, "power_state", present=True)
    assert command.state == "queued"
    owed = Obligation.objects.get()
    assert owed.restore_at - owed.made_at == timedelta(seconds=60)


def test_on_to_on_is_a_test_that_changes_nothing(cast: Cast) -> None:
    reads(cast, -5, outdoor_temp=-3.0)
    command = a_test(cast, True, "power_state")
    assert (command.state, command.obligation) == ("queued", None)


def test_a_reset_is_a_test_without_a_value_to_put_back(cast: Cast) -> None:
    assert a_test(cast, True, "alarm_reset").obligation is None


def test_it_is_overdue_after_a_quarter_of_an_hour(cast: Cast) -> None:
    a_test(cast)
    with at(899):
        assert not Obligation.objects.overdue().exists()
    with at(900):
        (owed,) = Obligation.objects.overdue().visible_to(cast.district_officer)
        assert not Obligation.objects.overdue().visible_to(cast.outsider).exists()
    assert owed.overdue_at == NOW + timedelta(minutes=15)


def test_nobody_asks_for_a_restoring_write_by_hand(cast: Cast) -> None:
    with pytest.raises(CommandRefused, match="请选择原因"):
        commands.request(
            cast.water, "indoor_temp_setpoint", 20, by=cast.service_unit, reason="restore"
        )
