"""The list of lines: where each stands, filters, order, file, and who may see it."""

from __future__ import annotations

import csv
import io

import pytest
from django.test import Client

from devices.models import Gateway
from households.models import Role
from telemetry.models import GatewayMonth
from tests.cast import Cast, gateway, unit, user
from tests.telemetry.lines import lost, opened, trouble, works


@pytest.fixture
def operator(cast: Cast, client: Client) -> Client:
    """Signed in; the water unit's line is connected, the air unit's away."""
    works()
    opened(cast.water.gateway)
    lost(cast.air.gateway)
    client.force_login(cast.service_unit)
    return client


def shown(client: Client, query: str = "") -> list[int]:
    return [row.line.pk for row in client.get(f"/lines/?{query}").context["rows"]]


def chips(client: Client) -> dict[str, int]:
    return {chip.label: chip.count for chip in client.get("/lines/").context["chips"]}


def row(client: Client, query: str = "") -> dict[str, str]:
    content = b"".join(client.get(f"/lines/?export=csv&{query}")).decode("utf-8-sig")
    return next(csv.DictReader(io.StringIO(content)))


def test_the_standings_sum_to_all(cast: Cast, operator: Client) -> None:
    assert chips(operator) == {"全部": 2, "接通": 1, "中断": 1}
    assert shown(operator, "state=well") == [cast.water.gateway_id]
    assert shown(operator, "state=away") == [cast.air.gateway_id]


def test_a_line_with_a_problem_is_connected_but_not_well(cast: Cast, operator: Client) -> None:
    opened(cast.water.gateway, problems=[trouble()])
    assert shown(operator, "state=troubled") == [cast.water.gateway_id]
    assert shown(operator, "state=well") == []
    assert "线上还有另一个主站" in operator.get("/lines/").content.decode()


def test_a_line_whose_worker_is_gone_says_so(cast: Cast, operator: Client) -> None:
    works(ago=60)
    assert len(shown(operator, "state=worker_gone")) == 2
    assert "采集进程停止" in operator.get("/lines/").content.decode()


def test_a_line_that_is_not_in_use_is_none_of_these(cast: Cast, operator: Client) -> None:
    Gateway.objects.filter(pk=cast.water.gateway_id).update(enabled=False)
    assert shown(operator, "state=disabled") == [cast.water.gateway_id]
    assert chips(operator)["接通"] == 0


def test_a_line_that_was_never_opened_is_away(cast: Cast, operator: Client) -> None:
    never = gateway("serial:///dev/ttyUSB0")
    assert never.pk in shown(operator, "state=away")


@pytest.mark.parametrize("query", ["q=QN-000101", "area={village}", "worker=main&q=QN"])
def test_every_filter_finds_the_one_it_means(cast: Cast, operator: Client, query: str) -> None:
    query = query.format(village=cast.area("洞头村").pk)
    assert shown(operator, query) == [cast.water.gateway_id]


def test_kind_and_worker_are_filters(cast: Cast, operator: Client) -> None:
    port = gateway("serial:///dev/ttyUSB0", line_worker="second")
    assert shown(operator, "kind=serial") == shown(operator, "worker=second") == [port.pk]


@pytest.mark.parametrize("name", ["round_trip", "timeouts", "wrong", "bytes", "units", "since"])
def test_figures_sort_both_ways(cast: Cast, operator: Client, name: str) -> None:
    opened(cast.air.gateway, figures={"round_trip_ms": 40, "timeouts": 9, "wrong_frames": 0})
    assert set(shown(operator, f"sort={name}")) == set(shown(operator, f"sort=-{name}"))
    if name == "timeouts":
        assert shown(operator, "sort=-timeouts")[0] == cast.air.gateway_id


def test_units_online_of_all_lead_to_the_units(cast: Cast, operator: Client) -> None:
    page = operator.get("/lines/").content.decode()
    assert f"/units/?gateway={cast.water.gateway_id}" in page
    listed = operator.get(f"/units/?gateway={cast.water.gateway_id}")
    assert [line.unit.pk for line in listed.context["lines"]] == [cast.water.pk]


def test_bytes_of_the_month_stand_against_the_budget(cast: Cast, operator: Client) -> None:
    line = cast.water.gateway
    month = GatewayMonth.current()
    GatewayMonth.objects.create(gateway=line, month=month, bytes_in=8_000_000, bytes_out=1_000_000)
    Gateway.objects.filter(pk=line.pk).update(monthly_budget_mb=10)
    assert (
        '<span class="st st-warn">9.0</span><i>/10 MB</i>'
        in operator.get("/lines/").content.decode()
    )
    assert row(operator, "q=QN")["本月流量（MB）"] == "9.0"


def test_the_file_says_the_same_as_the_page(cast: Cast, operator: Client) -> None:
    said = row(operator, "q=QN")
    assert (said["通信链路"], said["村（社区）"], said["状态"]) == ("QN-000101", "洞头村", "接通")
    assert (said["请求"], said["超时"], said["错帧"], said["应答时间 ms"]) == (
        "412",
        "3",
        "1",
        "69",
    )


def test_a_search_without_result_offers_to_clear_it(cast: Cast, operator: Client) -> None:
    assert "没有符合这些条件的通信链路" in operator.get("/lines/?q=nothing").content.decode()


def test_an_empty_platform_says_what_to_do_first(client: Client, db: None) -> None:
    client.force_login(user("pingtai", Role.SERVICE_UNIT))
    assert "装置拨入后先出现在“未登记的装置”" in client.get("/lines/").content.decode()


@pytest.mark.parametrize("who", ["district_officer", "town_officer", "clerk", "reader", "outsider"])
def test_lines_are_no_officers_business(cast: Cast, client: Client, who: str) -> None:
    client.force_login(getattr(cast, who))
    assert client.get("/lines/").status_code == 404
    assert 'href="/lines/"' not in client.get("/units/").content.decode()


def test_a_supplier_sees_the_lines_of_his_units_and_learns_of_no_other(
    cast: Cast, client: Client
) -> None:
    works()
    shared = cast.water.gateway
    opened(shared, problems=[trouble(), trouble("地址 9 有两台设备应答", 9)])
    unit(shared, cast.air.model, address=9)
    client.force_login(cast.supplier_member)
    assert shown(client) == [shared.pk]
    page = client.get("/lines/").content.decode()
    assert "860000000000102" not in page and "地址 9" not in page and "/1</i>" in page


def test_nobody_sees_them_without_signing_in(client: Client, db: None) -> None:
    assert client.get("/lines/")["Location"].startswith("/sign-in/")
