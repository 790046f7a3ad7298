"""Lines for programs: the same standings, figures and limits of sight as the pages."""

from __future__ import annotations

from typing import Any

import pytest

from telemetry.models import GatewayMonth
from tests import cast as people
from tests.cast import Cast, unit
from tests.telemetry.lines import lost, opened, trouble, works


@pytest.fixture(autouse=True)
def told(cast: Cast) -> None:
    """The water unit's line is connected, the air unit's away."""
    works()
    opened(cast.water.gateway, problems=[trouble("地址 9 有两台设备应答", 9)])
    lost(cast.air.gateway, "")
    month = GatewayMonth.current()
    GatewayMonth.objects.create(gateway=cast.water.gateway, month=month, bytes_in=9, bytes_out=1)


def ask(who: Any, path: str = "", code: int = 200, **query: Any) -> Any:
    return people.get(people.person(who), f"/api/lines/{path}", code, **query)


def test_a_list_says_where_each_line_stands(cast: Cast) -> None:
    rows = {row["id"]: row for row in ask(cast.service_unit)["results"]}
    mine = rows[cast.water.gateway_id]
    assert (mine["standing"], rows[cast.air.gateway_id]["standing"]) == ("troubled", "away")
    assert (mine["transmitter"], mine["villages"]) == ("QN-000101", ["洞头村"])
    assert (mine["units_total"], mine["units_online"], mine["month_bytes"]) == (1, 0, 10)
    assert mine["exchanges"]["round_trip_ms"] == 69
    assert mine["problems"][0]["code"] == "two_on_one"


def test_one_line_comes_with_its_connection_units_and_months(cast: Cast) -> None:
    whole = ask(cast.service_unit, f"{cast.water.gateway_id}/")
    assert whole["connection"]["heartbeats"] == 708
    assert whole["units"] == [
        {
            "id": cast.water.pk,
            "address": 5,
            "module": None,
            "network_address": 1205,
            "exchanges": {
                "round_trip_ms": 71,
                "requests": None,
                "answers": 409,
                "timeouts": 2,
                "wrong_frames": 1,
            },
        }
    ]
    assert [month["bytes_in"] for month in whole["months"]] == [9]


def test_filters_are_those_of_the_page(cast: Cast) -> None:
    found = ask(cast.service_unit, state="away")["results"]
    assert [row["id"] for row in found] == [cast.air.gateway_id]
    ask(cast.service_unit, code=400, state="nowhere")


def test_a_supplier_sees_his_own_and_learns_of_no_other(cast: Cast) -> None:
    unit(cast.water.gateway, cast.air.model, address=9)
    (row,) = ask(cast.supplier_member)["results"]
    assert (row["id"], row["units_total"], row["problems"]) == (cast.water.gateway_id, 1, [])
    whole = ask(cast.supplier_member, f"{cast.water.gateway_id}/")
    assert [one["address"] for one in whole["units"]] == [5]
    ask(cast.supplier_member, f"{cast.air.gateway_id}/", code=404)


@pytest.mark.parametrize("who", ["district_officer", "town_officer", "clerk", "reader", "outsider"])
def test_lines_are_no_officers_business(cast: Cast, who: str) -> None:
    assert ask(getattr(cast, who))["results"] == []
    ask(getattr(cast, who), f"{cast.water.gateway_id}/", code=404)


def test_a_program_needs_the_scope_of_lines(cast: Cast) -> None:
    people.get(people.program(cast.service_unit, "lines:read"), "/api/lines/")
    people.get(people.program(cast.service_unit, "units:read"), "/api/lines/", 403)
    people.get(type(people.program(cast.service_unit))(), "/api/lines/", 401)


def test_nothing_can_be_changed(cast: Cast) -> None:
    client = people.person(cast.service_unit)
    assert client.post("/api/lines/", {}).status_code == 405
    assert client.delete(f"/api/lines/{cast.water.gateway_id}/").status_code == 405
