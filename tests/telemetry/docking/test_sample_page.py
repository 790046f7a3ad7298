"""The form by which the platform service unit connects a maker's sample."""

from __future__ import annotations

import pytest
from django.test import Client

from devices.models import DockingApplication, Gateway
from households import clock
from telemetry.models import UnknownTransmitter
from tests.cast import Cast
from tests.telemetry.docking_scene import application

pytestmark = pytest.mark.django_db


@pytest.fixture
def one(cast: Cast) -> DockingApplication:
    return application(cast)


@pytest.fixture
def tester(cast: Cast, client: Client) -> Client:
    client.force_login(cast.tester)
    return client


def url(one: DockingApplication) -> str:
    return f"/docking/{one.number}/sample/"


def test_a_sample_on_a_line_is_connected_with_a_second_one(
    tester: Client, one: DockingApplication
) -> None:
    sent = {"line": "tcp://127.0.0.1:4001", "address": "5", "second_address": "6"}
    answer = tester.post(url(one), sent)
    assert answer["Location"] == f"/docking/{one.number}/test/"
    one.refresh_from_db()
    assert one.sample and one.second_sample
    assert (one.sample.address, one.second_sample.address) == (5, 6)
    assert not one.sample.installations.exists()
    said = tester.get(url(one)).content.decode()
    assert "tcp://127.0.0.1:4001" in said


def test_a_transmitters_registration_text_is_shown_once(
    tester: Client, one: DockingApplication
) -> None:
    answer = tester.post(url(one), {"transmitter": "QN-000777", "address": "1"})
    assert "只显示这一次" in answer.content.decode()
    one.refresh_from_db()
    assert one.sample and one.sample.gateway.transmitter == "QN-000777"
    assert "只显示这一次" not in tester.get(url(one)).content.decode()


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"address": "5"}, "填一项"),
        ({"address": "5", "transmitter": "A1", "line": "tcp://127.0.0.1:1"}, "填一项"),
        ({"address": "0", "transmitter": "A1"}, "大于或等于1"),
        ({"address": "5", "second_address": "5", "transmitter": "A1"}, "要与第一台不同"),
        ({"address": "5", "line": "gopher://x"}, "gopher"),
    ],
)
def test_what_cannot_be_connected_is_told(
    tester: Client, one: DockingApplication, sent: dict[str, str], words: str
) -> None:
    answer = tester.post(url(one), sent)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    one.refresh_from_db()
    assert one.sample is None


def test_a_line_of_a_household_carries_no_sample(
    tester: Client, one: DockingApplication, cast: Cast
) -> None:
    sent = {"transmitter": cast.water.gateway.transmitter, "address": "77"}
    answer = tester.post(url(one), sent)
    assert answer.status_code == 422
    assert "住户的机组" in answer.content.decode()


def test_only_the_service_unit_connects(
    client: Client, one: DockingApplication, cast: Cast
) -> None:
    expected = {cast.supplier_member: 403, cast.district_officer: 403, cast.rival: 404}
    for user, code in expected.items():
        client.force_login(user)
        assert client.get(url(one)).status_code == code
        assert client.post(url(one), {"transmitter": "A", "address": "1"}).status_code == code


def test_the_line_goes_to_the_worker_that_has_the_others_or_hears_the_transmitter(
    tester: Client, one: DockingApplication
) -> None:
    Gateway.objects.update(line_worker="north")
    tester.post(url(one), {"line": "tcp://127.0.0.1:4001", "address": "5"})
    assert Gateway.objects.get(url="tcp://127.0.0.1:4001").line_worker == "north"
    now = clock.now()
    UnknownTransmitter.objects.create(
        line_worker="south", name="QN-000778", names=["QN-000778"], since=now, seen_at=now
    )
    tester.post(url(one), {"transmitter": "QN-000778", "address": "5"})
    assert Gateway.objects.get(url="dial://QN-000778").line_worker == "south"
