"""The list of units: states, filters, order, file."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest
from django.test import Client

from devices.models import Installation, Unit
from households import clock
from telemetry.models import UnitState
from tests.cast import Cast, answered, gateway, turned_bad, unit
from tests.telemetry.lines import lost, opened, works


@pytest.fixture
def officer(cast: Cast, client: Client) -> Client:
    """Signed in; the water unit is online, the air unit in fault."""
    answered(cast.water, clock.now(), supply_temp=43.1, return_temp=38.6, indoor_temp=19.4)
    answered(cast.air, clock.now(), supply_temp=31.0, fault_active=True, fault_bits=["fan_motor"])
    client.force_login(cast.district_officer)
    return client


def units(client: Client, query: str = "") -> list[int]:
    return [line.unit.pk for line in client.get(f"/units/?{query}").context["lines"]]


def chips(client: Client, query: str = "") -> dict[str, int]:
    return {chip.label: chip.count for chip in client.get(f"/units/?{query}").context["chips"]}


def row(client: Client, query: str = "") -> dict[str, str]:
    content = b"".join(client.get(f"/units/?export=csv&{query}")).decode("utf-8-sig")
    return next(csv.DictReader(io.StringIO(content)))


def test_the_three_states_sum_to_all(cast: Cast, officer: Client) -> None:
    assert chips(officer) == {"全部": 2, "在线": 1, "在线有故障": 1, "离线": 0}
    assert units(officer, "state=online") == [cast.water.pk]
    assert units(officer, "state=in_fault") == [cast.air.pk]
    assert set(units(officer, "state=reachable")) == {cast.water.pk, cast.air.pk}


def test_a_unit_that_never_answered_is_offline(cast: Cast, client: Client) -> None:
    client.force_login(cast.district_officer)
    assert chips(client) == {"全部": 2, "在线": 0, "在线有故障": 0, "离线": 2}
    assert len(units(client, "state=silent")) == 2
    assert "从未应答" in client.get("/units/").content.decode()


def test_three_intervals_of_silence_make_a_unit_offline(cast: Cast, client: Client) -> None:
    client.force_login(cast.district_officer)
    answered(cast.water, clock.now() - timedelta(seconds=170), supply_temp=43.1)
    assert units(client, "state=online") == [cast.water.pk]
    answered(cast.water, clock.now() - timedelta(seconds=190), supply_temp=43.1)
    assert units(client, "state=online") == []


def test_an_offline_units_old_values_are_not_shown_as_now(cast: Cast, client: Client) -> None:
    client.force_login(cast.district_officer)
    answered(cast.water, clock.now() - timedelta(hours=5), supply_temp=43.1)
    page = client.get("/units/").content.decode()
    assert ">43.1<" not in page
    assert "5 小时前" in page or "昨天" in page
    assert row(client, "q=26-12")["供水温度 °C"] == "未更新"


@pytest.mark.parametrize(
    "query",
    [
        "q=26-12",
        "q=CN26100001",
        "q=QN-000101",
        "q=1205",
        "area={village}",
        "model={model}",
    ],
)
def test_every_filter_finds_the_one_it_means(cast: Cast, officer: Client, query: str) -> None:
    query = query.format(village=cast.area("洞头村").pk, model=cast.water.model_id)
    assert units(officer, query) == [cast.water.pk]


def test_a_unit_that_was_moved_is_found_only_where_it_stands_now(
    cast: Cast, officer: Client
) -> None:
    Installation.objects.filter(unit=cast.water).update(removed_on=clock.today())
    assert units(officer, f"area={cast.area('洞头村').pk}") == []
    assert units(officer, "installed=true") == [cast.air.pk]
    assert units(officer, "installed=false") == [cast.water.pk]
    assert "未安装（样机、备用）" in officer.get("/units/").content.decode()


def test_the_kind_of_connection_is_a_filter(cast: Cast, officer: Client) -> None:
    serial = gateway("serial:///dev/ttyUSB0?baud=9600&parity=N", trusted=True)
    spare = unit(serial, cast.water.model, address=7)
    assert units(officer, "kind=serial") == [spare.pk]
    assert units(officer, "kind=mbap") == []


def test_temperatures_sort_and_what_is_unknown_comes_last(cast: Cast, officer: Client) -> None:
    assert units(officer, "sort=-supply_temp") == [cast.water.pk, cast.air.pk]
    assert units(officer, "sort=supply_temp") == [cast.air.pk, cast.water.pk]
    assert units(officer, "sort=indoor_temp") == [cast.water.pk, cast.air.pk]
    assert units(officer, "sort=-indoor_temp") == [cast.water.pk, cast.air.pk]


def test_a_value_of_bad_quality_is_never_shown_as_a_number(cast: Cast, officer: Client) -> None:
    turned_bad(cast.water.state, "indoor_temp", "sensor_open")
    page = officer.get("/units/?q=26-12").content.decode()
    assert "传感器断路" in page
    assert ">19.4<" not in page
    assert row(officer, "q=26-12")["实测室温 °C"] == "传感器断路"


def test_faults_stand_in_words(officer: Client) -> None:
    assert "风机电机故障" in officer.get("/units/?state=in_fault").content.decode()


def test_the_file_holds_numbers_and_names(cast: Cast, officer: Client) -> None:
    first = row(officer, "q=26-12")
    assert (first["户编号"], first["供水温度 °C"], first["状态"]) == ("26-12-0001", "43.1", "在线")


def test_a_retired_unit_is_gone_from_the_list(cast: Cast, officer: Client) -> None:
    Unit.objects.filter(pk=cast.water.pk).update(retired_at=clock.now())
    assert units(officer) == [cast.air.pk]


# Why units are silent


def causes(client: Client, query: str = "") -> dict[str, int]:
    return {chip.value: chip.count for chip in client.get(f"/units/?{query}").context["causes"]}


def test_silent_units_are_split_by_what_is_missing(cast: Cast, client: Client) -> None:
    works()
    opened(cast.water.gateway)
    lost(cast.air.gateway)
    client.force_login(cast.district_officer)
    assert causes(client) == {"worker_gone": 0, "line_down": 1, "unit_silent": 1, "sensor": 0}
    assert units(client, "cause=line_down") == [cast.air.pk]
    assert units(client, "cause=unit_silent") == [cast.water.pk]
    works(ago=60)
    assert causes(client)["worker_gone"] == 2
    assert sum(causes(client).values()) == chips(client)["离线"]


def test_a_sensor_that_tells_nothing_is_no_silent_unit(cast: Cast, officer: Client) -> None:
    turned_bad(UnitState.objects.get(unit=cast.water), "indoor_temp", "sensor_open")
    assert causes(officer)["sensor"] == 1
    assert units(officer, "cause=sensor") == [cast.water.pk]


def test_a_start_or_a_missing_answer_is_no_ill_sensor(cast: Cast, officer: Client) -> None:
    for quality in ("starting", "not_answered", "exception:2", "not_supported"):
        turned_bad(UnitState.objects.get(unit=cast.water), "indoor_temp", quality)
        assert causes(officer)["sensor"] == 0, quality


def test_a_line_narrows_the_list_and_is_named(cast: Cast, client: Client) -> None:
    client.force_login(cast.service_unit)
    query = f"gateway={cast.water.gateway_id}"
    assert units(client, query) == [cast.water.pk]
    assert (
        f'<a href="/lines/{cast.water.gateway_id}/">'
        in client.get(f"/units/?{query}").content.decode()
    )
    client.force_login(cast.rival)
    assert units(client, query) == []
    assert "/lines/" not in client.get(f"/units/?{query}").content.decode()
