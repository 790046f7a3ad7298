"""Commands for programs: who may ask for a change, what is refused, how it is followed."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from rest_framework.test import APIClient

from telemetry.models import Command, CommandState
from tests.cast import AGREED, Cast, get, person, program

CONSENT = {**AGREED, "agreed_on": str(AGREED["agreed_on"])}


def wish(cast: Cast, **changes: object) -> dict[str, object]:
    fields = {"unit": cast.water.pk, "signal": "indoor_temp_setpoint", "target": 21}
    return fields | {"reason": "user", "note": "测试"} | CONSENT | changes


def post(client: APIClient, body: object, code: int = 201) -> Any:
    answer = client.post("/api/commands/", body, format="json")
    assert answer.status_code == code, answer.content
    return answer.json()


@pytest.mark.parametrize("who", ["district_officer", "town_officer", "supplier_member"])
@pytest.mark.parametrize("through", [person, program])
def test_who_may_command_queues_a_row_and_follows_it(
    cast: Cast, who: str, through: Callable[..., APIClient]
) -> None:
    client = through(getattr(cast, who))
    made = post(client, wish(cast))
    assert (made["state"], made["target"], made["state_label"]) == ("queued", 21, "排队中")
    row = Command.objects.get(pk=made["id"])
    assert (row.requested_by, row.unit, row.note) == (getattr(cast, who), cast.water, "测试")
    assert get(client, f"/api/commands/{row.pk}/")["id"] == made["id"]


@pytest.mark.parametrize("who", ["reader", "clerk"])
def test_who_may_not_command_is_403(cast: Cast, who: str) -> None:
    said = post(program(getattr(cast, who)), wish(cast), 403)
    assert "不能远程设定" in said["detail"]
    assert not Command.objects.exists()


def test_a_token_without_the_scope_commands_nothing(cast: Cast) -> None:
    said = post(program(cast.district_officer, "units:read", "readings:read"), wish(cast), 403)
    assert said["detail"] == "令牌缺少权限范围：commands:write"
    post(APIClient(), wish(cast), 401)


def test_a_session_commands_only_with_its_csrf_token(cast: Cast) -> None:
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(cast.district_officer)
    post(client, wish(cast), 403)
    assert not Command.objects.exists()


def test_a_foreign_unit_is_no_unit(cast: Cast) -> None:
    said = post(program(cast.outsider), wish(cast), 400)
    nothing = post(program(cast.outsider), wish(cast, unit=987654321), 400)
    assert list(said) == list(nothing) == ["unit"]
    assert said["unit"][0].replace(str(cast.water.pk), "N") == nothing["unit"][0].replace(
        "987654321", "N"
    )


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"target": 40}, "target"),
        ({"target": 20.3}, "target"),
        ({"target": "warm"}, "target"),
        ({"target": None}, "target"),
        ({"target": [21]}, "target"),
        ({"target": {"x": 1}}, "target"),
        ({"target": True}, "target"),
        ({"signal": "supply_temp"}, "target"),
        ({"signal": "x" * 41}, "signal"),
        ({"reason": "mood"}, "reason"),
        ({"note": "x" * 201}, "note"),
        ({"unit": "x"}, "unit"),
    ],
)
def test_a_wish_that_cannot_be_is_400_with_field_and_sentence(
    cast: Cast, changes: dict[str, object], field: str
) -> None:
    said = post(program(cast.town_officer), wish(cast, **changes), 400)
    assert list(said) == [field]
    assert said[field][0]
    assert not Command.objects.exists()


@pytest.mark.parametrize("target", ["1e400", "NaN", "Infinity", "1" + "0" * 400])
def test_a_number_that_is_none_is_refused(cast: Cast, target: str) -> None:
    body = json.dumps(wish(cast)).replace('"target": 21', f'"target": {target}')
    client = program(cast.town_officer)
    answer = client.post("/api/commands/", body, content_type="application/json")
    assert answer.status_code == 400
    assert not Command.objects.exists()


def test_an_infinite_id_is_no_units(cast: Cast) -> None:
    body = json.dumps(wish(cast, unit=0)).replace('"unit": 0', '"unit": 1e400')
    client = program(cast.town_officer)
    answer = client.post("/api/commands/", body, content_type="application/json")
    assert answer.status_code == 400 and list(answer.json()) == ["unit"]


def test_a_unit_behind_an_untrusted_gateway_is_only_read(cast: Cast) -> None:
    said = post(program(cast.town_officer), wish(cast, unit=cast.air.pk), 400)
    assert "只能读数" in said["target"][0]


def test_a_later_wish_replaces_the_waiting_one(cast: Cast) -> None:
    client = program(cast.town_officer)
    first, second = post(client, wish(cast)), post(client, wish(cast, target=22))
    assert get(client, f"/api/commands/{first['id']}/")["state"] == "superseded"
    assert get(client, f"/api/commands/{second['id']}/")["state"] == "queued"


def test_a_waiting_command_is_cancelled_once(cast: Cast) -> None:
    client = program(cast.town_officer)
    url = f"/api/commands/{post(client, wish(cast))['id']}/cancel/"
    answer = client.post(url)
    assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")
    again = client.post(url)
    assert (again.status_code, again.json()["detail"]) == (409, "命令当前为“已取消”，不能取消")


def test_a_command_on_its_way_cannot_be_cancelled(cast: Cast) -> None:
    client = program(cast.town_officer)
    made = post(client, wish(cast))
    now = datetime.now(UTC)
    Command.objects.filter(pk=made["id"]).update(
        state=CommandState.SENDING, claimed_by=made["id"], sending_since=now, deadline_at=now
    )
    answer = client.post(f"/api/commands/{made['id']}/cancel/")
    assert answer.status_code == 409
    assert "执行中" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("who", "code"), [("outsider", 404), ("rival", 404), ("reader", 403), ("clerk", 403)]
)
def test_who_may_not_command_cancels_nothing(cast: Cast, who: str, code: int) -> None:
    made = post(program(cast.town_officer), wish(cast))
    answer = program(getattr(cast, who)).post(f"/api/commands/{made['id']}/cancel/")
    assert answer.status_code == code
    assert Command.objects.get().state == CommandState.QUEUED


@pytest.mark.parametrize(
    ("who", "count"),
    [("town_officer", 1), ("clerk", 1), ("reader", 1), ("outsider", 0), ("rival", 0)],
)
def test_each_sees_the_commands_of_his_units(cast: Cast, who: str, count: int) -> None:
    made = post(program(cast.town_officer), wish(cast))
    client = program(getattr(cast, who), "units:read")
    assert get(client, "/api/commands/")["count"] == count
    get(client, f"/api/commands/{made['id']}/", 200 if count else 404)


def test_commands_can_be_narrowed_by_unit_and_state(cast: Cast) -> None:
    client = program(cast.town_officer)
    post(client, wish(cast))
    counts = [
        get(client, "/api/commands/", **query)["count"]
        for query in ({"unit": cast.water.pk}, {"unit": cast.air.pk}, {"state": "verified"})
    ]
    assert counts == [1, 0, 0]
    assert "state" in get(client, "/api/commands/", 400, state="done")


@pytest.mark.parametrize("id", ["x", "00000000-0000-7000-8000-000000000000", "-" * 36])
def test_a_command_that_is_not_there_is_404(cast: Cast, id: str) -> None:
    answer = program(cast.reader).get(f"/api/commands/{id}/")
    assert answer.status_code == 404
