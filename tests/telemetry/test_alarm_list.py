"""The list of alarms: what it shows to whom, and who takes an alarm over."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from devices.models import Gateway, Unit
from households import clock
from households.models import User
from telemetry.models import Alarm, AlarmKind, Obligation
from tests.cast import Cast

WORDS = "已派人现场查看"


def alarm(kind: AlarmKind, severity: str = "warning", age: float = 60, **fields: Any) -> Alarm:
    at = clock.now() - timedelta(seconds=age)
    return Alarm.objects.create(
        kind=kind, severity=severity, seen_at=at, sample_at=at, raised_at=at, **fields
    )


@pytest.fixture
def fault(cast: Cast) -> Alarm:
    """Of the water unit in 洞头村."""
    evidence = {"faults": ["water_flow"]}
    return alarm(AlarmKind.FAULT, unit=cast.water, evidence=evidence)


def shown(client: Client, query: str = "") -> list[int]:
    return [row.alarm.pk for row in client.get(f"/alarms/?{query}").context["rows"]]


def take(client: Client, one: Alarm, note: str = WORDS, **headers: Any) -> Any:
    return client.post(f"/alarms/{one.pk}/acknowledge/", {"note": note}, headers=headers)


# What it shows


def test_an_empty_list_says_what_it_is_for(cast: Cast, client: Client) -> None:
    client.force_login(cast.town_officer)
    page = client.get("/alarms/").content.decode()
    assert "现在没有告警" in page
    assert "看已消除的告警" in page


def test_a_row_leads_to_the_unit_and_its_household(
    cast: Cast, client: Client, fault: Alarm
) -> None:
    client.force_login(cast.town_officer)
    page = client.get("/alarms/").content.decode()
    assert "水流开关保护" in page
    assert f'href="/units/{cast.water.pk}/"' in page
    assert f'href="/households/{cast.water_household.number}/"' in page
    assert client.get(f"/units/{cast.water.pk}/").status_code == 200


def test_every_kind_has_its_sentence_and_its_advice(cast: Cast, client: Client) -> None:
    """And every link on the page can be followed."""
    frost = {"supply": 4.0, "outdoor": -6.0, "stand_in": True}
    owed = Obligation.objects.create(
        unit=cast.water,
        signal="indoor_temp_setpoint",
        former=20,
        test_value=21,
        by=cast.service_unit,
        restore_at=clock.now(),
    )
    late = {"obligation": owed.pk, "signal": owed.signal, "former": 20, "test_value": 21}
    line = cast.water.gateway
    alarm(AlarmKind.UNIT_SILENT, unit=cast.water, evidence={"answered_at": None})
    alarm(AlarmKind.FAULT, unit=cast.water, evidence={"faults": ["17", "high_pressure"]})
    alarm(AlarmKind.FREEZE_RISK, "critical", unit=cast.water, evidence=frost)
    alarm(AlarmKind.RESTORE_OVERDUE, "critical", unit=cast.water, evidence=late)
    alarm(AlarmKind.TWO_ON_ONE, unit=cast.water, evidence={"address": 5})
    alarm(AlarmKind.TRANSMITTER_DOWN, gateway=line, evidence={"units": 1})
    alarm(AlarmKind.FLAPPING, gateway=line)
    alarm(AlarmKind.SECOND_MASTER, gateway=line)
    alarm(AlarmKind.BUDGET, "info", gateway=line, evidence={"bytes": 24e6, "budget": 30e6})
    out = {"away": 20, "units": 26, "lines": 20}
    alarm(AlarmKind.VILLAGE_OUT, "critical", area=cast.area("洞头村"), evidence=out)
    alarm(AlarmKind.WORKER_GONE, "critical", line_worker="main", evidence={"units": 2})
    assert Alarm.objects.count() == len(AlarmKind)
    for who in (cast.service_unit, cast.district_officer):
        client.force_login(who)
        answer = client.get("/alarms/")
        sentences = [row.sentence for row in answer.context["rows"]]
        assert len(set(sentences)) == len(AlarmKind)
        assert "代码 17、高压保护" in sentences
        assert "冻结风险：供水 4.0 °C，室外 −6.0 °C（镇内中位数）" in sentences
        assert "测试后未恢复：设定室温仍可能是测试值 21，原值 20" in sentences
        assert "本月流量已用 24.0 / 30 MB（80.0%）" in sentences
        assert all(row.advice for row in answer.context["rows"])
        links = {row.link for row in answer.context["rows"] if row.link}
        assert {client.get(link).status_code for link in links} == {200}


def test_a_line_that_is_no_transmitter_is_not_called_one(cast: Cast, client: Client) -> None:
    wired = Gateway.objects.create(url="serial:///dev/ttyUSB0?baud=9600", kind="serial")
    alarm(AlarmKind.TRANSMITTER_DOWN, gateway=wired, evidence={"units": 6})
    client.force_login(cast.service_unit)
    (row,) = client.get("/alarms/").context["rows"]
    assert (row.kind, row.sentence) == ("通信链路中断", "通信链路中断，影响 6 台")


def test_an_overdue_test_names_whom_to_call(cast: Cast, client: Client) -> None:
    owed = Obligation.objects.create(
        unit=cast.water,
        signal="mode",
        former="heating",
        test_value="auto",
        by=cast.service_unit,
        restore_at=clock.now(),
    )
    evidence = {"obligation": owed.pk, "signal": "mode", "former": "heating", "test_value": "auto"}
    alarm(AlarmKind.RESTORE_OVERDUE, "critical", unit=cast.water, evidence=evidence)
    client.force_login(cast.town_officer)
    page = client.get("/alarms/").content.decode()
    assert "平台测试员" in page
    assert "03560000000" in page  # the supplier's
    assert cast.water_household.masked_phone in page
    assert cast.water_household.phone not in page
    client.force_login(cast.supplier_member)
    assert cast.water_household.masked_phone not in client.get("/alarms/").content.decode()


def test_a_first_sample_is_not_shown(cast: Cast, client: Client, fault: Alarm) -> None:
    Alarm.objects.update(raised_at=None)
    client.force_login(cast.district_officer)
    assert shown(client, "state=all") == []


def test_a_retired_unit_has_no_page_to_lead_to(cast: Cast, client: Client, fault: Alarm) -> None:
    Unit.objects.filter(pk=cast.water.pk).update(retired_at=clock.now())
    client.force_login(cast.district_officer)
    (row,) = client.get("/alarms/").context["rows"]
    assert row.link == ""


def test_the_gravest_come_first_and_every_column_sorts(cast: Cast, client: Client) -> None:
    hint = alarm(
        AlarmKind.BUDGET, "info", 30, gateway=cast.water.gateway, evidence={"bytes": 1, "budget": 1}
    )
    grave = alarm(
        AlarmKind.FREEZE_RISK,
        "critical",
        10,
        unit=cast.water,
        evidence={"supply": 1.0, "outdoor": -1.0},
    )
    usual = alarm(AlarmKind.FAULT, "warning", 20, unit=cast.air)
    client.force_login(cast.district_officer)
    assert shown(client) == [grave.pk, usual.pk, hint.pk]
    assert shown(client, "sort=raised_at") == [hint.pk, usual.pk, grave.pk]
    assert shown(client, "sort=-raised_at") == [grave.pk, usual.pk, hint.pk]
    assert shown(client, "sort=place")[0] == usual.pk
    for name in ("kind", "seen_at", "nonsense"):
        assert len(shown(client, f"sort={name}")) == 3


def test_states_are_counted_and_filter(cast: Cast, client: Client, fault: Alarm) -> None:
    taken = alarm(AlarmKind.TWO_ON_ONE, unit=cast.air)
    taken.acknowledge(cast.district_officer, WORDS)
    over = alarm(AlarmKind.FLAPPING, gateway=cast.air.gateway)
    Alarm.objects.filter(pk=over.pk).update(cleared_at=clock.now())
    client.force_login(cast.district_officer)
    chips = {chip.label: chip.count for chip in client.get("/alarms/").context["chips"]}
    assert chips == {"未消除": 2, "未处理": 1, "处理中": 1, "已消除": 1, "全部": 3}
    assert set(shown(client)) == {fault.pk, taken.pk}
    assert shown(client, "state=waiting") == [fault.pk]
    assert shown(client, "state=taken") == [taken.pk]
    assert shown(client, "state=cleared") == [over.pk]
    assert len(shown(client, "state=all")) == 3
    assert set(shown(client, "state=nonsense")) == {fault.pk, taken.pk}


@pytest.mark.parametrize(
    "query",
    [
        "q=26-12",
        "q=CN2610",
        "q=QN-000101",
        "kind=fault",
        "severity=warning",
        "area={village}",
        "area={town}&kind=fault",
        "unit={unit}",
    ],
)
def test_every_filter_finds_the_one_it_means(
    cast: Cast, client: Client, fault: Alarm, query: str
) -> None:
    alarm(
        AlarmKind.FREEZE_RISK, "critical", unit=cast.air, evidence={"supply": 1.0, "outdoor": -1.0}
    )
    client.force_login(cast.district_officer)
    query = query.format(
        village=cast.area("洞头村").pk, town=cast.area("钟家庄街道").pk, unit=cast.water.pk
    )
    assert shown(client, query) == [fault.pk]


def test_a_village_finds_its_lines_and_its_own_alarms(cast: Cast, client: Client) -> None:
    line = alarm(AlarmKind.FLAPPING, gateway=cast.water.gateway)
    village = alarm(
        AlarmKind.VILLAGE_OUT,
        "critical",
        area=cast.area("洞头村"),
        evidence={"away": 3, "units": 3},
    )
    client.force_login(cast.district_officer)
    assert shown(client, f"area={cast.area('洞头村').pk}") == [village.pk, line.pk]
    assert shown(client, f"area={cast.area('时家岭社区').pk}") == []


def test_the_file_has_what_the_list_has(cast: Cast, client: Client, fault: Alarm) -> None:
    fault.acknowledge(cast.town_officer, "=1+1")
    client.force_login(cast.district_officer)
    content = b"".join(client.get("/alarms/?export=csv")).decode("utf-8-sig")
    (row,) = csv.DictReader(io.StringIO(content))
    assert (row["级别"], row["告警"], row["位置"]) == ("一般", "水流开关保护", "洞头村 26-12-0001")
    assert (row["状态"], row["确认人"]) == ("处理中", "钟家庄街道 钟家庄测试员")
    assert row["处理说明"] == "'=1+1"


# Who sees it


@pytest.mark.parametrize(
    ("who", "sees"),
    [
        ("town_officer", True),
        ("clerk", True),
        ("district_officer", True),
        ("reader", True),
        ("supplier_member", True),
        ("outsider", False),
        ("rival", False),
    ],
)
def test_who_may_see_the_unit_sees_its_alarm(
    cast: Cast, client: Client, fault: Alarm, who: str, sees: bool
) -> None:
    client.force_login(getattr(cast, who))
    assert shown(client) == ([fault.pk] if sees else [])


def test_nobody_sees_alarms_without_signing_in(client: Client, fault: Alarm) -> None:
    assert client.get("/alarms/").status_code == 302
    assert take(client, fault).status_code == 302
    fault.refresh_from_db()
    assert fault.acknowledged_at is None


def test_menu_and_units_carry_the_marks(cast: Cast, client: Client, fault: Alarm) -> None:
    client.force_login(cast.town_officer)
    assert "1 条未处理告警" in client.get("/households/").content.decode()
    assert f'href="/alarms/?unit={cast.water.pk}"' in client.get("/units/").content.decode()
    assert "水流开关保护" in client.get(f"/units/{cast.water.pk}/").content.decode()
    fault.acknowledge(cast.town_officer, WORDS)
    assert "未处理告警" not in client.get("/households/").content.decode()
    assert WORDS in client.get(f"/units/{cast.water.pk}/").content.decode()
    client.force_login(cast.outsider)
    assert "未处理告警" not in client.get("/households/").content.decode()


def test_a_units_page_tells_its_lines_and_its_villages_alarms(cast: Cast, client: Client) -> None:
    alarm(AlarmKind.FLAPPING, gateway=cast.water.gateway)
    alarm(
        AlarmKind.VILLAGE_OUT,
        "critical",
        area=cast.area("洞头村"),
        evidence={"away": 3, "units": 3},
    )
    alarm(AlarmKind.FAULT, unit=cast.air)
    client.force_login(cast.district_officer)
    rows = client.get(f"/units/{cast.water.pk}/").context["alarms"]
    assert [row.alarm.kind for row in rows] == ["village_out", "flapping"]


# Who takes it over


def test_an_officer_takes_an_alarm_over(cast: Cast, client: Client, fault: Alarm) -> None:
    client.force_login(cast.town_officer)
    answer = take(client, fault, **{"HX-Request": "true"})
    assert answer.status_code == 200
    assert f'id="alarm-{fault.pk}"' in answer.content.decode()
    assert WORDS in answer.content.decode()
    fault.refresh_from_db()
    assert (fault.acknowledged_by, fault.note) == (cast.town_officer, WORDS)
    assert fault.cleared_at is None


def test_without_htmx_the_list_comes_back(cast: Cast, client: Client, fault: Alarm) -> None:
    client.force_login(cast.service_unit)
    answer = take(client, fault)
    assert (answer.status_code, answer["Location"]) == (302, "/alarms/")
    assert "已确认" in client.get("/alarms/").content.decode()


def test_nobody_takes_over_without_saying_how(cast: Cast, client: Client, fault: Alarm) -> None:
    client.force_login(cast.town_officer)
    for note in ("", "   ", "长" * 201):
        answer = take(client, fault, note, **{"HX-Request": "true"})
        assert answer.status_code == 422
    assert (
        "请写明怎么处理、由谁处理"
        in take(client, fault, "").client.get("/alarms/").content.decode()
    )
    fault.refresh_from_db()
    assert fault.acknowledged_at is None


def test_the_second_learns_who_was_first(cast: Cast, client: Client, fault: Alarm) -> None:
    fault.acknowledge(cast.town_officer, WORDS)
    client.force_login(cast.district_officer)
    answer = take(client, fault, "我来", **{"HX-Request": "true"})
    assert answer.status_code == 422
    assert "已由 钟家庄街道 钟家庄测试员 确认" in answer.content.decode()
    fault.refresh_from_db()
    assert fault.note == WORDS


def test_what_is_over_needs_nobody(cast: Cast, client: Client, fault: Alarm) -> None:
    Alarm.objects.update(cleared_at=clock.now())
    client.force_login(cast.district_officer)
    answer = take(client, fault, **{"HX-Request": "true"})
    assert "告警已消除，不用确认" in answer.content.decode()


@pytest.mark.parametrize(
    ("who", "code"),
    [("clerk", 403), ("reader", 403), ("supplier_member", 403), ("outsider", 404), ("rival", 404)],
)
def test_others_do_not_take_it_over(
    cast: Cast, client: Client, fault: Alarm, who: str, code: int
) -> None:
    person: User = getattr(cast, who)
    client.force_login(person)
    assert take(client, fault).status_code == code
    fault.refresh_from_db()
    assert fault.acknowledged_at is None
    assert f"/alarms/{fault.pk}/acknowledge/" not in client.get("/alarms/").content.decode()


def test_taking_over_is_no_matter_of_following_a_link(
    cast: Cast, client: Client, fault: Alarm
) -> None:
    client.force_login(cast.town_officer)
    assert client.get(f"/alarms/{fault.pk}/acknowledge/").status_code == 405


def test_the_list_costs_few_queries_however_long(
    cast: Cast, client: Client, django_assert_max_num_queries: Any
) -> None:
    for kind in (AlarmKind.FAULT, AlarmKind.TWO_ON_ONE, AlarmKind.UNIT_SILENT):
        alarm(kind, unit=cast.water)
        alarm(kind, unit=cast.air)
    alarm(AlarmKind.FLAPPING, gateway=cast.water.gateway)
    client.force_login(cast.district_officer)
    client.get("/alarms/")
    with django_assert_max_num_queries(18):
        client.get("/alarms/")
