"""One line's page: facts, units with their figures, problems, and what its tender may change."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.test import Client

from devices.models import Gateway, Transmitter
from households import clock
from telemetry.models import Alarm, GatewayMonth
from tests.cast import Cast, answered, gateway, unit
from tests.telemetry.lines import lost, opened, trouble, works


@pytest.fixture
def operator(cast: Cast, client: Client) -> Client:
    works()
    opened(cast.water.gateway)
    client.force_login(cast.service_unit)
    return client


def url(cast: Cast, tail: str = "") -> str:
    return f"/lines/{cast.water.gateway_id}/{tail}"


def page(client: Client, where: str) -> str:
    answer = client.get(where)
    assert answer.status_code == 200
    return answer.content.decode()


def fresh(line: Gateway) -> Gateway:
    return Gateway.objects.get(pk=line.pk)


# What it says


def test_it_says_how_asking_goes_and_how_each_unit_does(cast: Cast, operator: Client) -> None:
    said = page(operator, url(cast))
    for words in ("69<small> ms", "/ 412 次　0.7%", "迟到的应答 2 次", "报文以外的字节 31"):
        assert words in said
    (row,) = operator.get(url(cast)).context["rows"]
    assert (row.exchanges.round_trip_ms, row.exchanges.asked) == (71, 411)


def test_it_says_where_the_transmitter_comes_from(cast: Cast, operator: Client) -> None:
    said = page(operator, url(cast))
    for words in ("QN-000101", "10.20.3.68", "auto@127.0.0.1:4001", "708 次", "9600 8N1"):
        assert words in said
    assert "透明传输的装置不报告" in said  # signal strength is not invented


def test_problems_stand_on_top_as_sentences(cast: Cast, operator: Client) -> None:
    opened(cast.water.gateway, problems=[trouble("线上还有另一个主站，暂停写入")])
    assert "线上还有另一个主站，暂停写入" in page(operator, url(cast))


def test_open_alarms_of_the_line_and_its_units_are_shown(cast: Cast, operator: Client) -> None:
    now = clock.now()
    fields = {"severity": "warning", "seen_at": now, "sample_at": now, "raised_at": now}
    Alarm.objects.create(kind="flapping", gateway=cast.water.gateway, **fields)
    Alarm.objects.create(kind="unit_silent", unit=cast.water, **fields)
    Alarm.objects.create(kind="unit_silent", unit=cast.air, **fields)
    alarms = operator.get(url(cast)).context["alarms"]
    assert {row.alarm.kind for row in alarms} == {"flapping", "unit_silent"}
    assert len(alarms) == 2 and "这条链路的全部告警" in page(operator, url(cast))


def test_a_line_that_is_away_says_why_and_for_how_long(cast: Cast, operator: Client) -> None:
    lost(cast.water.gateway)
    said = page(operator, url(cast))
    assert "传输装置 QN-000101 的连接已断开" in said and "中断 <time" in said


def test_a_dead_line_worker_is_named_with_what_to_do(cast: Cast, operator: Client) -> None:
    works(ago=60)
    assert "采集进程 main 没有运行" in page(operator, url(cast))


def test_a_line_that_was_never_opened_has_a_page_too(cast: Cast, operator: Client) -> None:
    port = gateway("serial:///dev/ttyUSB0?baud=19200&parity=E", name="三号楼")
    said = page(operator, f"/lines/{port.pk}/")
    assert "从未接通" in said and "还没有机组" in said and "19200 8E1" in said


@pytest.mark.parametrize("sort", ["address", "-timeouts", "round_trip", "wrong", "answered_at"])
def test_units_sort_and_what_is_unknown_comes_last(cast: Cast, operator: Client, sort: str) -> None:
    other = unit(cast.water.gateway, cast.water.model, address=6)
    rows = operator.get(url(cast, f"?sort={sort}")).context["rows"]
    assert rows[-1].unit.pk == other.pk


def test_months_are_listed_with_their_bytes(cast: Cast, operator: Client) -> None:
    line = cast.water.gateway
    GatewayMonth.objects.create(
        gateway=line, month=date(2026, 10, 1), bytes_in=11_500_000, bytes_out=2_000_000
    )
    said = page(operator, url(cast))
    assert "2026-10" in said and "13.50 MB" in said


def test_the_parts_that_change_come_by_themselves(cast: Cast, operator: Client) -> None:
    answered(cast.water, clock.now(), supply_temp=40.0)
    said = page(operator, url(cast, "?part=now"))
    assert "<html" not in said and 'hx-swap-oob="innerHTML"' in said and "26-12-0001" in said


def test_heads_of_a_part_that_came_by_itself_sort_the_whole_page(
    cast: Cast, operator: Client
) -> None:
    said = page(operator, url(cast, "?part=now&sort=-timeouts"))
    assert 'href="?sort=timeouts"' in said and "part=now" not in said


def test_asking_for_the_parts_renews_no_session(cast: Cast, operator: Client) -> None:
    operator.get(url(cast))  # the first request begins the session's record
    assert "sessionid" not in operator.get(url(cast, "?part=now")).cookies


# What may be changed


def test_interval_budget_and_name_are_set(cast: Cast, operator: Client) -> None:
    form = {"name": "洞头一组", "interval_s": "120", "monthly_budget_mb": "30", "enabled": "on"}
    assert operator.post(url(cast, "settings/"), form).status_code == 302
    line = fresh(cast.water.gateway)
    assert (line.name, line.interval_s, line.monthly_budget_mb) == ("洞头一组", 120, 30)
    assert line.enabled


@pytest.mark.parametrize(
    ("field", "value"),
    [("interval_s", "9"), ("interval_s", "4000"), ("interval_s", "x"), ("monthly_budget_mb", "0")],
)
def test_a_wrong_setting_is_refused_at_its_field_and_changes_nothing(
    cast: Cast, operator: Client, field: str, value: str
) -> None:
    form = {"name": "新", "interval_s": "60", "enabled": "on"} | {field: value}
    answer = operator.post(url(cast, "settings/"), form)
    assert answer.status_code == 422
    assert f'id="id_{field}_error"' in answer.content.decode()
    assert f'value="{value}"' in answer.content.decode()
    assert fresh(cast.water.gateway).name == ""


def test_trust_is_given_and_taken_back(cast: Cast, operator: Client) -> None:
    operator.post(url(cast, "trust/"))
    assert not fresh(cast.water.gateway).trusted
    operator.post(url(cast, "trust/"), {"trusted": "1"})
    assert fresh(cast.water.gateway).trusted


def test_what_is_missing_before_writing_is_said(cast: Cast, operator: Client) -> None:
    Gateway.objects.filter(pk=cast.water.gateway_id).update(trusted=True, proven_by="")
    assert "既不是经运营商专网拨入" in page(operator, url(cast))


def test_a_private_registration_text_is_shown_once(cast: Cast, operator: Client) -> None:
    answer = operator.post(url(cast, "secret/"))
    secret = answer.context["secret"]
    assert len(secret) >= 16 and secret in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    assert secret not in page(operator, url(cast))
    assert fresh(cast.water.gateway).secret_hash


def test_another_card_is_a_dated_row(cast: Cast, operator: Client) -> None:
    form = {"identity": "QN-000101", "iccid": "89860012345678901234", "why": "流量卡损坏"}
    assert operator.post(url(cast, "transmitter/"), form).status_code == 302
    row = Transmitter.objects.get(gateway=cast.water.gateway)
    assert (row.iccid, row.why, row.recorded_by) == (
        "89860012345678901234",
        "流量卡损坏",
        cast.service_unit,
    )
    assert fresh(cast.water.gateway).trusted
    assert "流量卡损坏" in page(operator, url(cast))


def test_a_change_of_yesterday_is_entered_with_its_moment(cast: Cast, operator: Client) -> None:
    yesterday = (clock.now() - timedelta(days=1)).astimezone(clock.SHANGHAI)
    form = {"identity": "QN-000101", "number": "13800000000", "why": "补录"}
    operator.post(url(cast, "transmitter/"), form | {"since": f"{yesterday:%Y-%m-%dT%H:%M}"})
    row = Transmitter.objects.get(gateway=cast.water.gateway)
    assert row.since == yesterday.replace(second=0, microsecond=0)
    tomorrow = f"{yesterday + timedelta(days=2):%Y-%m-%dT%H:%M}"
    answer = operator.post(url(cast, "transmitter/"), form | {"since": tomorrow})
    assert "更换时间不能在将来" in answer.content.decode()


def test_another_transmitter_keeps_the_unit_and_loses_the_trust(
    cast: Cast, operator: Client
) -> None:
    operator.post(url(cast, "transmitter/"), {"identity": "QN-000999", "why": "装置损坏"})
    line = fresh(cast.water.gateway)
    assert (line.transmitter, line.trusted) == ("QN-000999", False)
    assert line.units.get().pk == cast.water.pk


@pytest.mark.parametrize(
    "wrong", [{"imei": "12"}, {"iccid": "x"}, {"identity": ""}, {"why": ""}, {"number": "abc"}]
)
def test_a_wrong_number_of_a_card_is_refused_as_typed(
    cast: Cast, operator: Client, wrong: dict[str, str]
) -> None:
    form = {"identity": "QN-000101", "why": "换卡"} | wrong
    answer = operator.post(url(cast, "transmitter/"), form)
    assert answer.status_code == 422
    assert 'class="wrong"' in answer.content.decode()
    assert "没有保存：请改正下面标红的地方" in answer.content.decode()
    assert not Transmitter.objects.exists()


# Who may

ACTS = ("settings/", "trust/", "secret/", "transmitter/")


@pytest.mark.parametrize("who", ["district_officer", "town_officer", "clerk", "reader", "rival"])
@pytest.mark.parametrize("part", ["", "?part=now"])
def test_for_others_the_line_does_not_exist(
    cast: Cast, client: Client, who: str, part: str
) -> None:
    client.force_login(getattr(cast, who))
    assert client.get(url(cast, part)).status_code == 404
    for act in ACTS:
        assert client.post(url(cast, act)).status_code == 404


def test_a_supplier_reads_the_page_of_his_unit_and_changes_nothing(
    cast: Cast, client: Client
) -> None:
    works()
    opened(cast.water.gateway, problems=[trouble("地址 9 有两台设备应答", 9)])
    unit(cast.water.gateway, cast.air.model, address=9, factory_number="RIVAL-9")
    client.force_login(cast.supplier_member)
    said = page(client, url(cast))
    assert "RIVAL-9" not in said and "地址 9 有" not in said
    assert "<form" not in said.split("<main")[1] and "报文跟踪" not in said
    for act in ACTS:
        assert client.post(url(cast, act), {"trusted": "1"}).status_code == 403
    assert f'href="{url(cast)}"' in page(client, f"/units/{cast.water.pk}/")


@pytest.mark.parametrize("act", ["", *ACTS])
def test_nobody_comes_near_without_signing_in(cast: Cast, client: Client, act: str) -> None:
    answer = client.post(url(cast, act)) if act else client.get(url(cast))
    assert answer["Location"].startswith("/sign-in/")


def test_acts_are_posted(cast: Cast, operator: Client) -> None:
    for act in ACTS:
        assert operator.get(url(cast, act)).status_code == 405
