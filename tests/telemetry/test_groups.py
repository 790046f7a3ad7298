"""Group commands: who takes part, one step after the other, and when it stops by itself."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from devices.models import Unit
from households import clock
from households.models import Role
from telemetry import commands, groups
from telemetry.groups import GroupWish, Stage
from telemetry.limits import CommandRefused
from telemetry.models import Command, CommandState, GroupCommand
from tests import cast as people
from tests.cast import Cast

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 3, tzinfo=UTC)
START = uuid.uuid4()
NORMAL: dict[str, Any] = {
    "supply_temp_setpoint": 40.0,
    "power_state": True,
    "mode": "heating",
    "outdoor_temp": 8.0,
}


@pytest.fixture(autouse=True)
def switched_on(settings: Any) -> None:
    settings.GROUP_COMMANDS = True


@pytest.fixture
def village(cast: Cast) -> list[Unit]:
    """洞头村 with 24 units of one model, all online."""
    units = [cast.water]
    for number in range(10, 33):
        unit = people.unit(cast.water.gateway, cast.water.model, address=number)
        home = people.household(cast.area("洞头村"), number=f"26-12-{number:04}")
        people.install(home, unit)
        units.append(unit)
    for unit in units:
        people.answered(unit, NOW, **NORMAL)
    return units


def preview(cast: Cast, **changes: Any) -> GroupCommand:
    fields: dict[str, Any] = {
        "signal": "supply_temp_setpoint",
        "target": 45,
        "area": cast.area("洞头村"),
        "model": cast.water.model,
        "reason": "frost",
    }
    with clock.at(NOW):
        return groups.preview(GroupWish(**fields | changes), cast.service_unit)


def confirm(cast: Cast, group: GroupCommand, step: Stage, at: datetime = NOW) -> list[Command]:
    with clock.at(at):
        groups.confirm(group, step, cast.service_unit)
    group.refresh_from_db()
    stage = groups.STEPS.index(step) + 1
    return list(group.members.filter(group_stage=stage).order_by("not_before", "pk"))


def end(rows: list[Command], state: CommandState = CommandState.VERIFIED) -> None:
    """These commands end so; the keeper looks after their group."""
    pks = [row.pk for row in rows]
    Command.objects.filter(pk__in=pks).update(state=state, finished_at=NOW, sent=45.0)
    with clock.at(NOW):
        groups.look_after()


def test_the_preview_sends_nothing_and_says_who_is_left_out_and_why(
    cast: Cast, village: list[Unit]
) -> None:
    people.answered(village[1], NOW, **NORMAL | {"supply_temp_setpoint": 45})
    people.answered(village[2], NOW - timedelta(hours=1), **NORMAL)
    with clock.at(NOW):
        commands.request(
            village[3], "supply_temp_setpoint", 41, by=cast.district_officer, reason="frost"
        )
    group = preview(cast)
    assert (group.stage, len(group.units)) == ("preview", 21)
    assert dict(group.left_out) == {
        village[1].pk: "已是目标值",
        village[2].pk: "离线",
        village[3].pk: "另有命令未结束",
    }
    assert not group.members.exists()


def test_one_unit_then_a_tenth_then_all_and_each_step_only_after_the_last(
    cast: Cast, village: list[Unit]
) -> None:
    group = preview(cast)
    assert groups.next_step(group) == Stage.ONE
    with pytest.raises(CommandRefused, match="现在不能"):
        confirm(cast, group, Stage.TENTH)
    one = confirm(cast, group, Stage.ONE)
    assert len(one) == 1 and groups.next_step(group) is None
    end(one)
    tenth = confirm(cast, group, Stage.TENTH)
    assert len(tenth) == 2  # with the first three, of 24
    with pytest.raises(CommandRefused, match="现在不能"):
        confirm(cast, group, Stage.ALL)
    end(tenth)
    rest = confirm(cast, group, Stage.ALL)
    assert len(rest) == 21
    end(rest)
    group.refresh_from_db()
    assert group.stage == Stage.DONE and group.ended_at


def test_a_step_is_confirmed_once(cast: Cast, village: list[Unit]) -> None:
    group = preview(cast)
    confirm(cast, group, Stage.ONE)
    with pytest.raises(CommandRefused, match="已被他人确认"):
        confirm(cast, group, Stage.ONE)
    assert group.members.count() == 1


@pytest.mark.parametrize("state", groups.FAILURES)
def test_a_first_unit_that_fails_stops_the_group(
    cast: Cast, village: list[Unit], state: CommandState
) -> None:
    group = preview(cast)
    end(confirm(cast, group, Stage.ONE), state)
    group.refresh_from_db()
    assert group.stage == Stage.STOPPED
    assert groups.next_step(group) is None


def to_all(cast: Cast, group: GroupCommand) -> list[Command]:
    end(confirm(cast, group, Stage.ONE))
    end(confirm(cast, group, Stage.TENTH))
    return confirm(cast, group, Stage.ALL)


def test_it_stops_at_five_percent_and_takes_back_what_waits(
    cast: Cast, village: list[Unit]
) -> None:
    group = preview(cast)
    rest = to_all(cast, group)  # 21: one failure is 4.8 %, two are 9.5 %
    end(rest[:5])
    end(rest[5:6], CommandState.FAILED)
    group.refresh_from_db()
    assert group.stage == Stage.ALL
    end(rest[6:7], CommandState.REFUSED)
    group.refresh_from_db()
    assert group.stage == Stage.STOPPED
    states = group.members.filter(group_stage=3).values_list("state", flat=True)
    assert sorted(set(states)) == ["cancelled", "failed", "refused", "verified"]
    assert list(states).count("cancelled") == 14


def test_a_step_goes_out_in_waves_so_that_a_stop_saves_the_rest(
    cast: Cast, village: list[Unit]
) -> None:
    rest = to_all(cast, preview(cast))
    assert rest[0].not_before == NOW
    assert rest[-1].not_before == NOW + 20 * groups.WAVE
    with clock.at(NOW + timedelta(seconds=1)):
        taken = commands.claim("main", START, [cast.water.gateway_id])
    assert taken == [rest[0]]


def test_units_are_switched_on_five_a_minute_and_village(cast: Cast, village: list[Unit]) -> None:
    for unit in village:
        people.answered(unit, NOW, **NORMAL | {"power_state": False})
    rest = to_all(cast, preview(cast, signal="power_state", target=True))
    for minute in range(7):
        window = NOW + timedelta(minutes=minute), NOW + timedelta(minutes=minute + 1)
        times = [row.not_before for row in rest if row.not_before]
        assert sum(window[0] <= time < window[1] for time in times) <= 5
    assert all(row.expires_at and row.not_before for row in rest)
    assert {
        row.expires_at - row.not_before for row in rest if row.expires_at and row.not_before
    } == {timedelta(minutes=5)}


def test_what_stops_heating_in_the_cold_is_never_given_to_a_group(
    cast: Cast, village: list[Unit]
) -> None:
    for unit in village:
        people.answered(unit, NOW, **NORMAL | {"outdoor_temp": -8.0})
    group = preview(cast, signal="power_state", target=False)
    assert group.units == []
    assert "不得群组下发" in group.left_out[0][1]
    assert groups.next_step(group) is None


def test_what_became_impossible_since_the_preview_is_left_out_then(
    cast: Cast, village: list[Unit]
) -> None:
    group = preview(cast)
    Unit.objects.filter(pk=group.units[0]).update(retired_at=NOW)
    assert confirm(cast, group, Stage.ONE) == []
    assert "已停用" in dict(group.left_out)[group.units[0]]
    assert groups.next_step(group) == Stage.TENTH


def test_a_group_that_is_too_large_or_empty_is_refused(
    cast: Cast, village: list[Unit], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(CommandRefused, match="没有这个型号"):
        preview(cast, area=cast.area("南大街社区"))
    monkeypatch.setattr(groups, "AT_MOST", 23)
    with pytest.raises(CommandRefused, match="至多 23 台"):
        preview(cast)


def test_stopping_by_hand_takes_back_what_waits(cast: Cast, village: list[Unit]) -> None:
    group = preview(cast)
    confirm(cast, group, Stage.ONE)
    with clock.at(NOW):
        groups.stop(group, Stage.CANCELLED, "由测试停止")
    group.refresh_from_db()
    assert group.stage == Stage.CANCELLED
    assert group.members.get().state == "cancelled"


# The pages


FORM = {"signal": "supply_temp_setpoint", "target": "45", "reason": "frost"}


def form(cast: Cast, **changes: str) -> dict[str, Any]:
    where = {"model": cast.water.model.pk, "area": cast.area("洞头村").pk}
    return FORM | where | changes


def test_the_service_unit_goes_through_a_group_on_the_pages(cast: Cast, client: Client) -> None:
    people.answered(cast.water, clock.now(), **NORMAL)
    client.force_login(cast.service_unit)
    assert "群组命令" in client.get("/settings/monitoring/").content.decode()
    assert "还没有下发过" in client.get("/groups/").content.decode()
    form_page = f"/groups/new/?model={cast.water.model.pk}&signal=supply_temp_setpoint"
    assert "允许 25 至 55 °C" in client.get(form_page).content.decode()
    page = client.post("/groups/new/", form(cast))["Location"]
    text = client.get(page).content.decode()
    assert "还没有下发任何命令" in text and "26-12-0001" in text and "未轮到" in text
    assert not Command.objects.exists()
    assert client.post(f"{page}confirm/", {"step": "one"}).status_code == 302
    assert "排队中" in client.get(page).content.decode()
    assert client.post(f"{page}confirm/", {"step": "tenth"}).status_code == 422
    assert client.post(f"{page}confirm/", {"step": "sideways"}).status_code == 404
    client.post(f"{page}stop/")
    assert "由 平台测试员 停止" in client.get(page).content.decode()
    assert "洞头村" in client.get("/groups/").content.decode()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"area": ""}, "请选择型号、项目和区域"),
        ({"reason": "test"}, "请选择原因"),
        ({"reason": "user"}, "请登记住户同意"),
        ({"target": "warm"}, "不是数字"),
        ({"area": "987654321"}, "请选择型号、项目和区域"),
    ],
)
def test_a_wrong_choice_is_refused_in_words(
    cast: Cast, client: Client, changes: dict[str, str], says: str
) -> None:
    client.force_login(cast.service_unit)
    answer = client.post("/groups/new/", form(cast, **changes))
    assert answer.status_code == 422
    assert says in answer.content.decode()
    assert not GroupCommand.objects.exists()


PAGES = ("/groups/", "/groups/new/", "/groups/{}/")


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("who", ["district_officer", "town_officer", "supplier_member", "reader"])
def test_for_officers_there_are_no_group_commands(
    cast: Cast, client: Client, village: list[Unit], who: str, page: str
) -> None:
    group = preview(cast)
    client.force_login(getattr(cast, who))
    assert client.get(page.format(group.pk)).status_code == 404
    assert client.post(f"/groups/{group.pk}/confirm/", {"step": "one"}).status_code == 404
    assert not Command.objects.exists()


def test_an_administrator_who_may_not_command_has_none_either(cast: Cast, client: Client) -> None:
    client.force_login(people.user("guanli", Role.ADMINISTRATOR))
    assert client.get("/groups/").status_code == 404


def test_off_they_are_nobodys(cast: Cast, client: Client, settings: Any) -> None:
    settings.GROUP_COMMANDS = False
    client.force_login(cast.service_unit)
    assert client.get("/groups/").status_code == 404
    assert "群组命令" not in client.get("/settings/monitoring/").content.decode()


@pytest.mark.parametrize("page", ["/groups/", "/groups/new/", "/groups/1/"])
def test_anonymous_is_sent_to_sign_in(client: Client, page: str) -> None:
    assert client.get(page)["Location"].startswith("/sign-in/")
