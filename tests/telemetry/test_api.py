"""Units, readings and hours for programs: who sees what, by pages and as CSV."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from rest_framework.test import APIClient

from households import clock
from households.models import ApiToken
from telemetry.models import UnitHour
from tests import cast as make
from tests.cast import Cast, get, person, program

MIDNIGHT = datetime(2031, 5, 2, tzinfo=clock.SHANGHAI)  # far from the days of other tests
Bounded = Callable[[int], AbstractContextManager[Any]]


def units_of(client: APIClient, **query: Any) -> list[str]:
    return [unit["factory_number"] for unit in get(client, "/api/units/", **query)["results"]]


SEEN = [
    ("district_officer", ["CN26100001", "AB26100001"]),
    ("service_unit", ["CN26100001", "AB26100001"]),
    ("reader", ["CN26100001", "AB26100001"]),
    ("town_officer", ["CN26100001", "AB26100001"]),
    ("clerk", ["CN26100001"]),
    ("outsider", []),
    ("supplier_member", ["CN26100001"]),
    ("rival", ["AB26100001"]),
]


@pytest.mark.parametrize("through", [person, program])
@pytest.mark.parametrize(("who", "seen"), SEEN)
def test_each_sees_the_units_of_his_place_or_his_company(
    cast: Cast, who: str, seen: list[str], through: Callable[..., APIClient]
) -> None:
    assert units_of(through(getattr(cast, who))) == seen


PATHS = ["", "readings/", "hours/"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("who", ["outsider", "rival"])
def test_a_foreign_unit_is_not_found(cast: Cast, who: str, path: str) -> None:
    client = program(getattr(cast, who))
    get(client, f"/api/units/{cast.water.pk}/{path}", 404)
    get(client, f"/api/units/987654321/{path}", 404)
    get(client, f"/api/units/{'9' * 30}/{path}", 404)


@pytest.mark.parametrize("path", PATHS)
def test_nobody_is_told_anything(cast: Cast, path: str) -> None:
    get(APIClient(), f"/api/units/{cast.water.pk}/{path}", 401)


@pytest.mark.parametrize(
    ("path", "scope"),
    [("", "units:read"), ("readings/", "readings:read"), ("hours/", "readings:read")],
)
def test_a_token_needs_the_scope_of_what_it_asks(cast: Cast, path: str, scope: str) -> None:
    url = f"/api/units/{cast.water.pk}/{path}"
    get(program(cast.reader, scope), url)
    others = [other for other in ApiToken.SCOPES if other != scope]
    assert scope in get(program(cast.reader, *others), url, 403)["detail"]


def test_a_unit_tells_where_it_stands_and_its_newest_values(cast: Cast) -> None:
    make.answered(cast.water, clock.now(), supply_temp=43.1, fault_active=False)
    unit = get(program(cast.clerk), f"/api/units/{cast.water.pk}/")
    assert unit["household"] == {
        "number": "26-12-0001",
        "town": "钟家庄街道",
        "area": cast.area("洞头村").pk,
        "area_name": "洞头村",
    }
    assert (unit["maker"], unit["model"], unit["medium"]) == ("晨暖（虚构）", "CN-W10", "water")
    assert unit["gateway"]["transmitter"] == "QN-000101"
    assert unit["gateway"]["trusted"] is True
    assert unit["state"]["state"] == "online"
    value = unit["state"]["values"]["supply_temp"]
    assert (value["value"], value["quality"], value["good"]) == (43.1, "good", 43.1)


def test_no_person_is_named_by_a_unit(cast: Cast) -> None:
    text = program(cast.reader).get("/api/units/").content.decode()
    assert cast.water_household.householder not in text
    assert cast.water_household.phone not in text


def test_a_unit_that_was_never_polled_or_stands_nowhere_says_so(cast: Cast) -> None:
    spare = make.unit(cast.water.gateway, cast.water.model, address=9)
    unit = get(program(cast.reader), f"/api/units/{spare.pk}/")
    assert (unit["state"], unit["household"]) == (None, None)


def test_units_can_be_narrowed_by_state_place_and_model(cast: Cast) -> None:
    make.answered(cast.water, clock.now(), fault_active=True)
    client = program(cast.district_officer)
    assert units_of(client, state="in_fault") == ["CN26100001"]
    assert units_of(client, state="silent") == ["AB26100001"]
    assert units_of(client, area=cast.area("钟家庄街道").pk) == ["CN26100001", "AB26100001"]
    assert units_of(client, area=cast.area("时家岭社区").pk) == ["AB26100001"]
    assert units_of(client, model=cast.water.model.pk) == ["CN26100001"]
    assert units_of(client, q="26-12-0001") == ["CN26100001"]


@pytest.mark.parametrize("query", [{"state": "happy"}, {"area": "x"}, {"model": 987654321}])
def test_a_wrong_filter_is_400_with_its_name(cast: Cast, query: dict[str, Any]) -> None:
    assert list(get(program(cast.reader), "/api/units/", 400, **query)) == list(query)


def test_a_number_longer_than_any_address_finds_nothing(cast: Cast) -> None:
    assert units_of(person(cast.reader), q="9" * 5000) == []


def test_a_supplier_cannot_ask_by_a_competitors_model(cast: Cast) -> None:
    get(program(cast.supplier_member), "/api/units/", 400, model=cast.air.model.pk)


def test_the_number_of_queries_does_not_grow_with_the_units(
    cast: Cast, django_assert_max_num_queries: Bounded
) -> None:
    for address in range(20, 30):
        thing = make.unit(cast.water.gateway, cast.water.model, address=address)
        make.answered(thing, clock.now(), supply_temp=43.1)
        home = make.household(cast.area("洞头村"), number=f"26-12-00{address}")
        make.install(home, thing)
    client = person(cast.town_officer)
    client.get("/api/areas/")  # the first request begins the session's record
    with django_assert_max_num_queries(8):
        assert len(units_of(client)) == 12


# Readings


@pytest.fixture
def readings(cast: Cast) -> list[datetime]:
    """A poll every ten minutes through midnight of Shanghai: rows of two partitions."""
    moments = [MIDNIGHT + timedelta(minutes=10 * n) for n in range(-6, 6)]
    for n, moment in enumerate(moments):
        make.reading(cast.water, moment, supply_temp=40 + n, power_state=True, mode="heating")
    make.reading(cast.air, MIDNIGHT, supply_temp=99)
    return moments


def range_of(cast: Cast, **query: Any) -> dict[str, Any]:
    times = {"from": MIDNIGHT - timedelta(hours=1), "to": MIDNIGHT + timedelta(hours=1)}
    return {name: moment.isoformat() for name, moment in times.items()} | query


def readings_url(cast: Cast) -> str:
    return f"/api/units/{cast.water.pk}/readings/"


def pages(client: APIClient, url: str, **query: Any) -> Iterator[list[dict[str, Any]]]:
    page = get(client, url, **query)
    yield page["results"]
    while page["next"]:
        page = client.get(page["next"]).json()
        yield page["results"]


@pytest.mark.parametrize("order", ["oldest", "newest"])
def test_paging_crosses_partitions_without_a_gap_or_a_double(
    cast: Cast, readings: list[datetime], order: str
) -> None:
    query = range_of(cast, order=order, page_size=5)
    found = list(pages(program(cast.clerk), readings_url(cast), **query))
    assert [len(page) for page in found] == [5, 5, 2]
    told = [datetime.fromisoformat(row["at"]) for page in found for row in page]
    assert told == (readings if order == "oldest" else readings[::-1])


def test_a_range_begins_with_its_first_moment_and_ends_before_its_last(
    cast: Cast, readings: list[datetime]
) -> None:
    query: dict[str, Any] = {"from": readings[2].isoformat(), "to": readings[5].isoformat()}
    rows = get(program(cast.clerk), readings_url(cast), **query)["results"]
    assert [row["supply_temp"] for row in rows] == [42, 43, 44]


def test_a_point_that_was_not_good_is_null_and_named(cast: Cast) -> None:
    bad = {"supply_temp": ["sensor_open", "0x7FFF"]}
    make.reading(cast.water, MIDNIGHT, not_good=bad, others={"flow_rate": 1.2})
    (row,) = get(program(cast.clerk), readings_url(cast), **range_of(cast))["results"]
    assert row["supply_temp"] is None
    assert row["not_good"] == bad
    assert row["others"] == {"flow_rate": 1.2}
    assert row["at"] == "2031-05-02T00:00:00+08:00"


def test_without_a_range_the_last_day_is_told(cast: Cast, readings: list[datetime]) -> None:
    with clock.at(readings[2] + timedelta(days=1)):
        client = program(cast.clerk)
        rows = get(client, readings_url(cast))["results"]
    assert len(rows) == len(readings) - 2


@pytest.mark.parametrize(
    ("start", "end", "field"),
    [
        ("yesterday", "", "from"),
        ("2031-05-02", "2031-13-01", "to"),
        ("2031-05-03T00:00:00+08:00", "2031-05-02T00:00:00+08:00", "from"),
        ("2031-05-01T00:00:00+08:00", "2031-05-03T00:00:01+08:00", "from"),
        ("", "0001-01-01T00:00:00+08:00", "to"),
        ("9999-12-31T23:59:59-14:00", "", "from"),
        ("\x00", "", "from"),
    ],
)
def test_a_wrong_range_is_400_with_its_field_and_a_sentence(
    cast: Cast, start: str, end: str, field: str
) -> None:
    client = program(cast.clerk)
    for url in (readings_url(cast), f"/api/units/{cast.water.pk}/hours/"):
        said = client.get(url, {"from": start, "to": end})
        if url.endswith("hours/") and "05-03T00:00:01" in end:
            continue  # two days and a second are no long time for hours
        assert said.status_code == 400, said.content
        assert list(said.json()) == [field]
        assert said.json()[field][0]


def test_the_first_days_of_the_calendar_are_empty(cast: Cast) -> None:
    client = program(cast.clerk)
    for path in ("readings/", "hours/"):
        url = f"/api/units/{cast.water.pk}/{path}"
        assert get(client, url, to="0001-01-03T00:00:00+08:00")["results"] == []


def test_times_without_a_zone_are_shanghais_and_a_lost_plus_is_forgiven(
    cast: Cast, readings: list[datetime]
) -> None:
    client = program(cast.clerk)
    for start in ("2031-05-02T00:00:00", "2031-05-02T00:00:00 08:00", "2031-05-01T16:00:00Z"):
        query: dict[str, Any] = {"from": start, "to": "2031-05-02T12:00:00"}
        assert len(get(client, readings_url(cast), **query)["results"]) == 6, start


def test_a_wrong_order_and_a_wrong_cursor_are_refused(cast: Cast) -> None:
    client = program(cast.clerk)
    assert "order" in get(client, readings_url(cast), 400, order="best")
    # "", p=nowhere, p=2031-99-99, p=2026-01-01 without a zone
    for cursor in ("x", "cD1ub3doZXJl", "cD0yMDMxLTk5LTk5", "cD0yMDI2LTAxLTAx"):
        get(client, readings_url(cast), 404, cursor=cursor)


def test_a_huge_page_is_cut(cast: Cast, readings: list[datetime]) -> None:
    query = range_of(cast, page_size=10**9)
    assert len(get(program(cast.clerk), readings_url(cast), **query)["results"]) == 12


def rows_of(answer: Any) -> list[dict[str, str]]:
    """The rows of a CSV answer, which must come as a stream."""
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(text.splitlines()))


@pytest.mark.parametrize("how", ["output", "accept"])
def test_csv_streams_the_whole_range_in_its_order(
    cast: Cast, readings: list[datetime], how: str
) -> None:
    client, query = program(cast.clerk), range_of(cast, order="newest")
    headers = {"Accept": "text/csv"} if how == "accept" else {}
    query |= {"output": "csv"} if how == "output" else {}
    answer = client.get(readings_url(cast), query, headers=headers)
    assert answer["Content-Type"].startswith("text/csv")
    rows = rows_of(answer)
    assert [row["at"] for row in rows] == [moment.isoformat() for moment in readings[::-1]]
    assert (rows[0]["supply_temp"], rows[0]["mode"], rows[0]["return_temp"]) == (
        "51.0",
        "heating",
        "",
    )


def test_csv_keeps_why_a_point_has_no_value(cast: Cast) -> None:
    bad = {"supply_temp": ["sensor_open", "0x7FFF"]}
    make.reading(cast.water, MIDNIGHT, not_good=bad)
    answer = program(cast.clerk).get(readings_url(cast), range_of(cast, output="csv"))
    (row,) = rows_of(answer)
    assert json.loads(row["not_good"]) == bad


def test_a_refusal_is_json_also_for_who_asked_for_csv(cast: Cast) -> None:
    answer = program(cast.clerk).get(readings_url(cast), {"from": "x", "output": "csv"})
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/json"
    assert "from" in answer.json()
    foreign = program(cast.rival).get(readings_url(cast), {"output": "csv"})
    assert (foreign.status_code, foreign["Content-Type"]) == (404, "application/json")


def test_two_days_of_readings_take_a_bounded_number_of_queries(
    cast: Cast, readings: list[datetime], django_assert_max_num_queries: Bounded
) -> None:
    client = person(cast.clerk)
    client.get("/api/areas/")  # the first request begins the session's record
    with django_assert_max_num_queries(8):
        get(client, readings_url(cast), **range_of(cast))


def test_only_the_partitions_of_the_range_are_read(cast: Cast, readings: list[datetime]) -> None:
    client = person(cast.clerk)
    get(client, readings_url(cast))
    with connection.cursor() as cursor:
        cursor.execute(
            "EXPLAIN SELECT * FROM telemetry_reading WHERE unit_id = %s AND at >= %s AND at < %s",
            [cast.water.pk, MIDNIGHT, MIDNIGHT + timedelta(hours=1)],
        )
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "telemetry_reading_20310502" in plan
    assert "telemetry_reading_20310501" not in plan


# Hours


def test_hours_come_by_page_with_what_was_due_and_missed(cast: Cast) -> None:
    for n in range(5):
        UnitHour.objects.create(
            unit=cast.water,
            hour=MIDNIGHT + timedelta(hours=n),
            interval_s=60,
            due=60,
            stored=58,
            missed={"not_answered": 2},
            on_seconds=1800,
            supply_avg=41.5,
        )
    query: dict[str, Any] = {"from": "2031-05-01", "to": "2031-05-03", "page_size": 2}
    url = f"/api/units/{cast.water.pk}/hours/"
    found = list(pages(program(cast.clerk), url, **query))
    assert [len(page) for page in found] == [2, 2, 1]
    first = found[0][0]
    assert (first["due"], first["stored"], first["missed"]) == (60, 58, {"not_answered": 2})
    assert first["hour"] == MIDNIGHT.isoformat()


def test_hours_of_more_than_a_year_are_refused(cast: Cast) -> None:
    query: dict[str, Any] = {"from": "2029-05-01", "to": "2031-05-03"}
    said = get(program(cast.clerk), f"/api/units/{cast.water.pk}/hours/", 400, **query)
    assert said == {"from": ["一次至多查询 366 天"]}
