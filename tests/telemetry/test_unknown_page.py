"""Transmitters on no record: listed, searched, taken on as a line."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest
from django.test import Client

from devices.modbus.urls import parse_url
from devices.models import Gateway, Transmitter
from households import clock
from telemetry.models import UnknownTransmitter
from tests.cast import Cast


def stranger(*names: str, ago: float = 0, **changes: object) -> UnknownTransmitter:
    fields = {
        "line_worker": "main",
        "name": names[0],
        "names": list(names),
        "peer": "10.1.2.3",
        "listener": "auto@0.0.0.0:4001",
        "since": clock.now() - timedelta(hours=1),
        "seen_at": clock.now() - timedelta(seconds=ago),
        "bytes_in": 21,
    }
    return UnknownTransmitter.objects.create(**fields | changes)


@pytest.fixture
def operator(cast: Cast, client: Client) -> Client:
    client.force_login(cast.service_unit)
    return client


def listed(client: Client, query: str = "") -> list[str]:
    page = client.get(f"/lines/unknown/?{query}").context["page"]
    return [row.name for row in page]


def test_who_is_held_and_who_left_are_told_apart(operator: Client) -> None:
    stranger("HERE-1")
    stranger("GONE-1", ago=3600)
    assert listed(operator, "state=held") == ["HERE-1"]
    assert listed(operator, "state=gone") == ["GONE-1"]
    assert listed(operator) == ["HERE-1", "GONE-1"]
    assert "未登记的装置 1" in operator.get("/lines/").content.decode()


@pytest.mark.parametrize("query", ["q=HERE", "q=13800000000", "q=10.9.9.9"])
def test_a_search_knows_every_id_and_the_address(operator: Client, query: str) -> None:
    stranger("HERE-1", "13800000000", peer="10.9.9.9")
    stranger("OTHER-1")
    assert listed(operator, query) == ["HERE-1"]


def test_the_list_sorts_and_is_handed_out(operator: Client) -> None:
    stranger("A-1", bytes_in=5)
    stranger("B-1", "13800000000", bytes_in=9)
    assert listed(operator, "sort=-bytes") == ["B-1", "A-1"]
    content = b"".join(operator.get("/lines/unknown/?export=csv&q=B-1")).decode("utf-8-sig")
    (row,) = csv.DictReader(io.StringIO(content))
    assert (row["无线传输设备地址编号"], row["别的编号"]) == ("B-1", "13800000000")


def test_an_empty_list_says_how_one_gets_there(operator: Client) -> None:
    assert "它注册后就会出现在这里" in operator.get("/lines/unknown/").content.decode()


def test_a_stranger_is_taken_on_with_its_card_and_is_read_only(
    cast: Cast, operator: Client
) -> None:
    row = stranger("QN/7 7", "13800000000", line_worker="second")
    form = {
        "identity": "QN/7 7",
        "name": "洞头二组",
        "iccid": "89860012345678901234",
        "monthly_budget_mb": "30",
    }
    answer = operator.post(f"/lines/unknown/{row.pk}/", form)
    line = Gateway.objects.get(name="洞头二组")
    assert answer["Location"] == f"/lines/{line.pk}/"
    assert (line.kind, line.line_worker, line.monthly_budget_mb) == ("dial", "second", 30)
    assert not line.trusted and line.enabled
    assert line.transmitter == parse_url(line.url).transmitter == "QN/7 7"
    card = Transmitter.objects.get(gateway=line)
    assert (card.iccid, card.recorded_by) == ("89860012345678901234", cast.service_unit)
    assert not UnknownTransmitter.objects.exists()


def test_the_other_id_may_be_chosen(operator: Client) -> None:
    row = stranger("00A1B2C3", "13800000000")
    operator.post(f"/lines/unknown/{row.pk}/", {"identity": "13800000000"})
    assert Gateway.objects.filter(url="dial://13800000000").exists()


@pytest.mark.parametrize("identity", ["qn-000101", "LOGIN:QN-000101", "NOT-MINE", ""])
def test_an_id_in_use_or_of_another_is_refused(cast: Cast, operator: Client, identity: str) -> None:
    row = stranger("qn-000101", "LOGIN:QN-000101")
    answer = operator.post(f"/lines/unknown/{row.pk}/", {"identity": identity})
    assert answer.status_code == 422
    assert 'class="wrong"' in answer.content.decode()
    assert Gateway.objects.count() == 2 and UnknownTransmitter.objects.exists()


def test_a_wrong_card_stores_nothing_and_comes_back_as_typed(operator: Client) -> None:
    row = stranger("NEW-1")
    answer = operator.post(f"/lines/unknown/{row.pk}/", {"identity": "NEW-1", "imei": "12"})
    assert answer.status_code == 422
    said = answer.content.decode()
    assert "IMEI“12”写法不对" in said and 'value="12"' in said
    assert not Gateway.objects.filter(url="dial://NEW-1").exists()


@pytest.mark.parametrize(
    "who", ["district_officer", "town_officer", "clerk", "reader", "supplier_member", "rival"]
)
def test_only_who_tends_the_lines_sees_strangers(cast: Cast, client: Client, who: str) -> None:
    row = stranger("NEW-1")
    client.force_login(getattr(cast, who))
    assert client.get("/lines/unknown/").status_code == 403
    assert client.get(f"/lines/unknown/{row.pk}/").status_code == 403
    assert client.post(f"/lines/unknown/{row.pk}/", {"identity": "NEW-1"}).status_code == 403
    assert UnknownTransmitter.objects.exists()


@pytest.mark.django_db
def test_nobody_sees_them_without_signing_in(client: Client) -> None:
    row = stranger("NEW-1")
    assert client.get("/lines/unknown/")["Location"].startswith("/sign-in/")
    assert client.get(f"/lines/unknown/{row.pk}/")["Location"].startswith("/sign-in/")


def test_one_that_was_taken_on_meanwhile_is_gone(operator: Client) -> None:
    assert operator.get("/lines/unknown/12345/").status_code == 404
