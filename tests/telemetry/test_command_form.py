"""Setting something from the unit's page, and following what becomes of it."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from households import clock
from telemetry.models import Command, CommandState
from tests.cast import AGREED, Cast, answered


@pytest.fixture
def officer(cast: Cast, client: Client) -> Client:
    answered(
        cast.water,
        clock.now(),
        indoor_temp_setpoint=20,
        power_state=True,
        mode="heating",
        outdoor_temp=9,
    )
    client.force_login(cast.district_officer)
    return client


def ask(client: Client, cast: Cast, **words: Any) -> Any:
    wish = {"signal": "indoor_temp_setpoint", "target": "21", "reason": "user"} | AGREED | words
    return client.post(f"/units/{cast.water.pk}/command/", wish)


def close(state: CommandState, **more: Any) -> Command:
    command = Command.objects.get()
    for name, value in ({"state": state, "finished_at": clock.now()} | more).items():
        setattr(command, name, value)
    command.save()
    return command


def test_a_wish_becomes_a_waiting_command_of_this_person(cast: Cast, officer: Client) -> None:
    response = ask(officer, cast)
    command = Command.objects.get()
    assert (command.target, command.before, command.state) == (21, 20, CommandState.QUEUED)
    assert command.requested_by == cast.district_officer
    text = response.content.decode()
    assert "排队中" in text
    assert "20 → 21 °C" in text
    assert response["HX-Trigger"] == "command-changed"


def test_an_open_command_asks_again_every_second_and_a_closed_one_never(
    cast: Cast, officer: Client
) -> None:
    assert 'hx-trigger="every 1s"' in ask(officer, cast).content.decode()
    command = close(CommandState.VERIFIED, read_back=21)
    text = officer.get(f"/commands/{command.pk}/?seen=queued").content.decode()
    assert "已回读确认" in text
    assert "every 1s" not in text
    assert 'class="note ok"' in text


def test_nothing_is_said_again_while_nothing_changes(cast: Cast, officer: Client) -> None:
    ask(officer, cast)
    url = f"/commands/{Command.objects.get().pk}/"
    assert officer.get(f"{url}?seen=queued").status_code == 204
    assert officer.get(url).status_code == 200


@pytest.mark.parametrize("state", [state for state in CommandState if state != "verified"])
def test_only_a_verified_command_looks_done(
    cast: Cast, officer: Client, state: CommandState
) -> None:
    ask(officer, cast)
    command = Command.objects.get()
    command.state = state
    if command.is_open:
        command.claimed_by, command.deadline_at = uuid.uuid4(), clock.now()
        command.sending_since = clock.now()
    else:
        command.finished_at = clock.now()
    command.save()
    text = officer.get(f"/commands/{command.pk}/").content.decode()
    assert "st-ok" not in text
    assert "note ok" not in text
    assert str(state.label) in text


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ({"target": "35"}, "超出范围"),
        ({"target": "20.5"}, "步长为 1"),
        ({"target": "warm"}, "目标值“warm”不是数字"),
        ({"target": "nan"}, "请填数字"),
        ({"target": "inf"}, "请填数字"),
        ({"target": ""}, "不是数字"),
        ({"reason": "boredom"}, "请选择原因"),
        ({"signal": "supply_temp"}, "请选择要设定的项目"),
        ({"signal": "mode", "target": "cooling"}, "请选择目标值"),
    ],
)
def test_a_wrong_wish_is_refused_with_its_reason_and_changes_nothing(
    cast: Cast, officer: Client, words: dict[str, str], reason: str
) -> None:
    response = ask(officer, cast, **words)
    assert response.status_code == 422
    assert reason in response.content.decode()
    assert not Command.objects.exists()


@pytest.mark.parametrize(
    ("signal", "target", "kept"),
    [
        ("power_state", "False", False),
        ("mode", "auto", "auto"),
        ("supply_temp_setpoint", "44", 44),
        ("alarm_reset", "", True),
    ],
)
def test_each_of_the_settings_can_be_asked_for(
    cast: Cast, officer: Client, signal: str, target: str, kept: object
) -> None:
    assert ask(officer, cast, signal=signal, target=target).status_code == 200
    assert Command.objects.get().target == kept


def test_the_form_says_limits_step_and_the_value_in_force(cast: Cast, officer: Client) -> None:
    text = officer.get(f"/units/{cast.water.pk}/command/").content.decode()
    assert "允许 16 至 26 °C" in text
    assert "步长 1" in text
    assert "当前 20 °C" in text


def test_the_chips_change_what_is_set(cast: Cast, officer: Client) -> None:
    text = officer.get(f"/units/{cast.water.pk}/command/?signal=mode").content.decode()
    assert 'value="auto"' in text
    assert 'value="cooling"' not in text


def test_an_untrusted_line_says_why_it_is_only_read(cast: Cast, officer: Client) -> None:
    text = officer.get(f"/units/{cast.air.pk}/").content.decode()
    assert "通信链路尚未确认身份，只能读数" in text
    assert "下发设定" not in text
    wish = {"signal": "indoor_temp_setpoint", "target": "21", "reason": "user"}
    assert officer.post(f"/units/{cast.air.pk}/command/", wish).status_code == 422
    assert not Command.objects.exists()


@pytest.mark.parametrize("who", ["clerk", "reader"])
def test_who_may_only_look_gets_no_form_and_no_command(
    cast: Cast, client: Client, who: str
) -> None:
    client.force_login(getattr(cast, who))
    assert "您的角色只能查看" in client.get(f"/units/{cast.water.pk}/").content.decode()
    assert ask(client, cast).status_code == 403
    assert not Command.objects.exists()


@pytest.mark.parametrize("who", ["outsider", "rival"])
def test_a_foreign_unit_cannot_be_set(cast: Cast, client: Client, who: str) -> None:
    client.force_login(getattr(cast, who))
    assert ask(client, cast).status_code == 404
    assert not Command.objects.exists()


def test_a_waiting_command_can_be_taken_back(cast: Cast, officer: Client) -> None:
    ask(officer, cast)
    command = Command.objects.get()
    text = officer.post(f"/commands/{command.pk}/cancel/").content.decode()
    assert "已取消" in text
    command.refresh_from_db()
    assert command.state == CommandState.CANCELLED


def test_what_is_on_its_way_cannot_be_taken_back(cast: Cast, officer: Client) -> None:
    ask(officer, cast)
    command = Command.objects.get()
    now = clock.now()
    Command.objects.update(
        state=CommandState.SENDING, claimed_by=uuid.uuid4(), deadline_at=now, sending_since=now
    )
    assert "执行中" in officer.post(f"/commands/{command.pk}/cancel/").content.decode()


@pytest.mark.parametrize(("who", "status"), [("outsider", 404), ("reader", 403)])
def test_others_take_no_command_back(cast: Cast, officer: Client, who: str, status: int) -> None:
    ask(officer, cast)
    command = Command.objects.get()
    officer.force_login(getattr(cast, who))
    assert officer.post(f"/commands/{command.pk}/cancel/").status_code == status
    command.refresh_from_db()
    assert command.state == CommandState.QUEUED


def test_the_history_names_everything_of_the_last_week(cast: Cast, officer: Client) -> None:
    ask(officer, cast)
    close(CommandState.VERIFIED, read_back=21)
    text = officer.get(f"/units/{cast.water.pk}/?part=commands").content.decode()
    for words in ("设定室温", "20 → 21 °C", "已回读确认", "用户要求", "区领导小组办公室"):
        assert words in text
    Command.objects.update(requested_at=clock.now() - timedelta(days=8))
    text = officer.get(f"/units/{cast.water.pk}/?part=commands").content.decode()
    assert "近 7 天没有下发过命令" in text


def test_the_outcome_beside_the_button_is_news_only(cast: Cast, officer: Client) -> None:
    ask(officer, cast)
    outcome = '<div class="note "'
    assert outcome in officer.get(f"/units/{cast.water.pk}/").content.decode()
    Command.objects.update(requested_at=clock.now() - timedelta(minutes=11))
    assert outcome not in officer.get(f"/units/{cast.water.pk}/").content.decode()


def test_a_test_from_the_form_is_owed_and_the_form_says_until_when(
    cast: Cast, officer: Client
) -> None:
    assert ask(officer, cast, reason="test", agreement="", agreed_on="").status_code == 200
    text = officer.get(f"/units/{cast.water.pk}/command/").content.decode()
    assert "设定室温正在测试" in text
    assert "恢复为原值 20 °C" in text


def test_the_form_says_how_many_writes_the_register_has_left(cast: Cast, officer: Client) -> None:
    text = officer.get(f"/units/{cast.water.pk}/command/").content.decode()
    assert "这个寄存器今天还可写 20 次，累计已写 0 次" in text
    text = officer.get(f"/units/{cast.water.pk}/command/?signal=alarm_reset").content.decode()
    assert "这个寄存器今天还可写 10 次" in text  # a pulse writes twice


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ({"agreement": ""}, "请登记住户同意"),
        ({"agreement": "telepathy"}, "请选择住户同意的方式"),
        ({"agreed_on": ""}, "一起填写"),
        ({"agreed_on": "2026-02-30"}, "一起填写"),
        ({"agreed_on": "yesterday"}, "一起填写"),
        ({"reason": "restore"}, "请选择原因"),
    ],
)
def test_the_residents_agreement_is_whole_or_refused(
    cast: Cast, officer: Client, words: dict[str, str], reason: str
) -> None:
    response = ask(officer, cast, **words)
    assert response.status_code == 422
    assert reason in response.content.decode()


def test_frost_waits_for_nobodys_agreement(cast: Cast, officer: Client) -> None:
    assert ask(officer, cast, reason="frost", agreement="").status_code == 200
    kept = Command.objects.get()
    assert (kept.agreement, kept.agreed_on) == ("", None)


def test_an_agreement_is_kept_with_the_command_and_shown(cast: Cast, officer: Client) -> None:
    ask(officer, cast)
    kept = Command.objects.get()
    assert (kept.agreement, kept.agreed_on) == (AGREED["agreement"], AGREED["agreed_on"])
    text = officer.get(f"/units/{cast.water.pk}/?part=commands").content.decode()
    assert "住户同意：电话，2026-10-20" in text
