"""Alarms for programs: read, filtered, acknowledged; each sees his own."""

from __future__ import annotations

import pytest
from rest_framework.test import APIClient

from households import clock
from telemetry.models import Alarm, AlarmKind
from tests.cast import Cast, get, person, program
from tests.telemetry.test_alarm_list import WORDS, alarm


@pytest.fixture
def fault(cast: Cast) -> Alarm:
    return alarm(AlarmKind.FAULT, unit=cast.water, evidence={"faults": ["water_flow"]})


def acknowledge(client: APIClient, one: Alarm, note: str = WORDS) -> tuple[int, dict[str, object]]:
    answer = client.post(f"/api/alarms/{one.pk}/acknowledge/", {"note": note})
    return answer.status_code, answer.json()


def test_an_alarm_says_what_where_and_since_when(cast: Cast, fault: Alarm) -> None:
    (row,) = get(program(cast.town_officer), "/api/alarms/")["results"]
    assert row["sentence"] == "水流开关保护"
    assert (row["kind"], row["severity"]) == ("fault", "warning")
    assert (row["unit"], row["household"]) == (cast.water.pk, "26-12-0001")
    assert row["cleared_at"] is None
    assert row["evidence"] == {"faults": ["water_flow"]}


def test_what_is_over_comes_where_it_is_asked_for(cast: Cast, fault: Alarm) -> None:
    Alarm.objects.update(cleared_at=clock.now())
    client = program(cast.district_officer)
    assert get(client, "/api/alarms/")["count"] == 0
    assert get(client, "/api/alarms/", state="cleared")["count"] == 1
    assert get(client, f"/api/alarms/{fault.pk}/")["id"] == fault.pk
    assert get(client, "/api/alarms/", 400, state="nonsense")


@pytest.mark.parametrize(
    ("who", "count"),
    [("town_officer", 1), ("clerk", 1), ("supplier_member", 1), ("outsider", 0), ("rival", 0)],
)
def test_each_sees_the_alarms_of_his_own_units(
    cast: Cast, fault: Alarm, who: str, count: int
) -> None:
    client = program(getattr(cast, who))
    assert get(client, "/api/alarms/")["count"] == count
    get(client, f"/api/alarms/{fault.pk}/", 200 if count else 404)


def test_a_stranger_gets_nothing(fault: Alarm) -> None:
    assert APIClient().get("/api/alarms/").status_code == 401
    assert acknowledge(APIClient(), fault)[0] == 401


def test_a_program_takes_an_alarm_over_once(cast: Cast, fault: Alarm) -> None:
    client = program(cast.town_officer, "alarms:write")
    code, row = acknowledge(client, fault)
    assert (code, row["acknowledged_by"], row["note"]) == (200, "钟家庄街道", WORDS)
    code, row = acknowledge(client, fault)
    assert code == 409
    assert "已由" in str(row["detail"])


def test_a_token_that_only_reads_takes_nothing_over(cast: Cast, fault: Alarm) -> None:
    client = program(cast.town_officer, "alarms:read")
    assert get(client, "/api/alarms/")["count"] == 1
    assert acknowledge(client, fault)[0] == 403
    assert program(cast.town_officer, "units:read").get("/api/alarms/").status_code == 403


@pytest.mark.parametrize(
    ("who", "code"),
    [("clerk", 403), ("reader", 403), ("supplier_member", 403), ("outsider", 404)],
)
def test_others_do_not_take_it_over(cast: Cast, fault: Alarm, who: str, code: int) -> None:
    assert acknowledge(person(getattr(cast, who)), fault)[0] == code
    fault.refresh_from_db()
    assert fault.acknowledged_at is None


def test_a_note_is_wanted(cast: Cast, fault: Alarm) -> None:
    code, said = acknowledge(program(cast.town_officer), fault, " ")
    assert code == 400
    assert "note" in said
