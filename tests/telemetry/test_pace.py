"""How often a unit is written, and what its memory bears."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from devices.models import RegisterMap, Unit
from households import clock
from telemetry import commands, pace
from telemetry.commands import CommandRefused
from telemetry.models import Command, CommandState, UnitState, Watch, Wear
from tests import cast as people
from tests.cast import AGREED, MAPS, Cast

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 3, tzinfo=UTC)
START = uuid.uuid4()


def at(seconds: float) -> Any:
    return clock.at(NOW + timedelta(seconds=seconds))


def wish(
    cast: Cast, seconds: float, target: Any = 21, signal: str = "indoor_temp_setpoint", **more: Any
) -> Command:
    fields = {"reason": "user"} | AGREED | more
    with at(seconds):
        return commands.request(cast.water, signal, target, by=cast.district_officer, **fields)


def claim(cast: Cast, seconds: float) -> list[Command]:
    with at(seconds):
        return commands.claim("main", START, [cast.water.gateway_id])


def written(cast: Cast, seconds: float, target: float, **more: Any) -> None:
    """A write from wish to end, at that moment; the wish must get through."""
    command = wish(cast, seconds, target, **more)
    assert [row.pk for row in claim(cast, seconds)] == [command.pk]
    with at(seconds):
        commands.finish(command.pk, START, "verified", sent=target, read_back=target)


def other_map(unit: Unit, **settings: object) -> None:
    """The unit's map with other settings."""
    text = (MAPS / "chennuan-cn-w10.csv").read_text(encoding="utf-8-sig")
    for name, value in settings.items():
        lines = [line for line in text.splitlines() if not line.startswith(f"@{name},")]
        text = "\n".join([f"@{name},{value}", *lines])
    unit.register_map = RegisterMap.objects.add(unit.model, text.encode(), "map.csv")
    unit.save()


def test_the_second_write_of_a_minute_waits_in_the_queue_and_says_why(cast: Cast) -> None:
    written(cast, 0, 21)
    second = wish(cast, 5, 22)
    assert claim(cast, 6) == []
    second.refresh_from_db()
    assert (second.state, second.not_before) == ("queued", NOW + timedelta(minutes=1))
    assert "每分钟至多写 1 次" in second.detail
    assert claim(cast, 59) == []
    assert claim(cast, 61) == [second]


def test_the_map_may_ask_for_longer_and_is_named(cast: Cast) -> None:
    other_map(cast.water, min_write_interval_s=90)
    written(cast, 0, 21)
    second = wish(cast, 61, 22)
    assert claim(cast, 62) == []
    second.refresh_from_db()
    assert "设备点表" in second.detail
    assert claim(cast, 91) == [second]


def test_what_would_have_to_wait_longer_than_it_is_valid_is_refused_at_once(cast: Cast) -> None:
    other_map(cast.water, min_write_interval_s=900)
    written(cast, 0, 21)
    with pytest.raises(CommandRefused, match=r"设备点表.*11:15 以后"):
        wish(cast, 61, 22)
    assert wish(cast, 61, 22, valid_for=timedelta(minutes=15)).state == "queued"


def test_the_seventh_write_of_an_hour_is_refused_by_the_policy(cast: Cast) -> None:
    for number in range(6):
        written(cast, number * 70, 20 + number % 2)
    with pytest.raises(CommandRefused, match=r"平台规定.*每小时至多写 6 次"):
        wish(cast, 500, 23)
    assert wish(cast, 3601, 23).state == "queued"


def test_what_wrote_nothing_counts_for_nothing(cast: Cast) -> None:
    for number in range(8):
        command = wish(cast, number, 21)
        assert claim(cast, number) == [command]
        with at(number):
            commands.finish(command.pk, START, "verified")  # it read so already
    assert not Wear.objects.exists()


def test_a_write_of_unknown_end_counts(cast: Cast) -> None:
    command = wish(cast, 0)
    claim(cast, 0)
    with at(10):
        commands.disown("main", uuid.uuid4())
    assert Wear.objects.get().writes == 1
    with at(11):
        wait = pace.wait_of(cast.water, "user")
    assert wait and wait.until == NOW + timedelta(minutes=1)
    assert Command.objects.get().pk == command.pk


def test_each_register_bears_twenty_writes_a_day_and_its_lifetime_is_counted(cast: Cast) -> None:
    room = cast.water.register_map.parsed().writers("indoor_temp_setpoint")[0]
    with at(0):
        day = clock.today()
    address = {"unit": cast.water, "area": "holding", "address": room.write_address}
    Wear.objects.create(**address, day=day - timedelta(days=1), writes=300)
    Wear.objects.create(**address, day=day, writes=19)
    written(cast, 0, 21)
    with pytest.raises(CommandRefused, match=r"每个寄存器每天至多写 20 次（累计已写 320 次）"):
        wish(cast, 61, 22)
    assert wish(cast, 61, 40, "supply_temp_setpoint").state == "queued"
    assert wish(cast, 24 * 3600, 22).state == "queued"


@pytest.mark.parametrize(("persist", "bears"), [("eeprom", 20), ("unknown", 20), ("ram", None)])
def test_memory_that_may_wear_is_spared(cast: Cast, persist: str, bears: int | None) -> None:
    other_map(cast.water, persist=persist)
    room = cast.water.register_map.parsed().writers("indoor_temp_setpoint")[0]
    assert pace.left_today(cast.water, room) == bears


def test_a_pulse_wears_twice(cast: Cast) -> None:
    command = wish(cast, 0, True, "alarm_reset", reason="frost")
    claim(cast, 0)
    with at(1):
        commands.finish(command.pk, START, "verified", sent=True)
    assert Wear.objects.get().writes == 2


def test_unlocking_and_what_stands_before_wear_their_registers_too(cast: Cast) -> None:
    other_map(cast.water, unlock="holding:9=1")
    written(cast, 0, 21)
    rows = Wear.objects.order_by("address").values_list("address", "writes")
    assert list(rows) == [(2, 1), (9, 2)]


def test_a_written_unit_is_asked_more_often_for_a_while(cast: Cast) -> None:
    written(cast, 0, 21)
    watch = Watch.objects.get(unit=cast.water)
    assert (watch.interval_s, watch.until) == (60, NOW + timedelta(minutes=30))


# Docking and commissioning


def a_test(cast: Cast, seconds: float, target: float) -> Command:
    command = wish(cast, seconds, target, reason="test", agreement="", agreed_on=None)
    assert command.obligation is not None
    command.obligation.fulfilled_at = NOW  # put back elsewhere
    command.obligation.ending = "restored"
    command.obligation.save()
    return command


@pytest.fixture
def read(cast: Cast) -> UnitState:
    return people.answered(cast.water, NOW, indoor_temp_setpoint=20.0)


def test_tests_have_a_spacing_of_their_own(cast: Cast, read: UnitState) -> None:
    other_map(cast.water, min_write_interval_s=2)
    written(cast, 0, 21)
    command = a_test(cast, 1, 22)
    assert claim(cast, 2) == []
    assert claim(cast, 3.5) == [command]


def test_twenty_tests_are_all_and_leave_the_ordinary_budget_alone(
    cast: Cast, read: UnitState
) -> None:
    other_map(cast.water, min_write_interval_s=0, persist="ram")
    for number in range(20):
        command = a_test(cast, number * 5, 21 + number % 2)
        assert claim(cast, number * 5) == [command]
        with at(number * 5 + 1):
            commands.finish(command.pk, START, CommandState.VERIFIED, sent=21.0, read_back=21.0)
    with pytest.raises(CommandRefused, match="20 次测试写入"):
        wish(cast, 100, 25, reason="test", agreement="", agreed_on=None)
    assert wish(cast, 161, 23).state == "queued"


def test_restoring_waits_for_the_device_and_for_no_budget(cast: Cast) -> None:
    for number in range(6):
        written(cast, number * 70, 20 + number % 2)
    with at(365):
        assert pace.wait_of(cast.water, "user")
        assert pace.wait_of(cast.water, "restore") is None
    with at(352):  # the map wants 10 s
        wait = pace.wait_of(cast.water, "restore")
    assert wait and wait.until == NOW + timedelta(seconds=360)
