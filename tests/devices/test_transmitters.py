"""Trust in a transmitter, and changing it or its card."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command

from devices import transmitters
from devices.modbus.registration import digest
from devices.models import Gateway, Transmitter
from devices.transmitters import NotChanged, change
from households import clock
from tests import cast as make
from tests.cast import Cast

pytestmark = pytest.mark.django_db
IMEI, ICCID, NUMBER = "860000000000017", "89860000000000000017", "13000000017"


@pytest.mark.parametrize(
    ("url", "fields", "lacks"),
    [
        ("dial://1", {}, "尚未确认身份"),
        ("dial://1", {"proven_by": "private_network"}, "尚未确认身份"),
        ("dial://1", {"trusted": True}, "专网"),
        ("dial://1", {"trusted": True, "proven_by": "private_text"}, ""),
        ("serial:///dev/ttyUSB0", {"trusted": True}, ""),
        ("serial:///dev/ttyUSB0", {}, "尚未确认身份"),
    ],
)
def test_writing_wants_a_confirmed_identity_and_of_a_transmitter_a_proof_too(
    url: str, fields: dict[str, object], lacks: str
) -> None:
    gateway = make.gateway(url, **fields)
    assert lacks in gateway.why_read_only and bool(lacks) == bool(gateway.why_read_only)
    assert Gateway.objects.writable().exists() is not bool(lacks)


def test_a_private_text_is_long_kept_as_a_hash_and_replaced_by_the_next() -> None:
    gateway = make.gateway("dial://GW0001?framing=mbap", trusted=True, proven_by="private_text")
    first, second = gateway.new_secret(), gateway.new_secret()
    gateway.refresh_from_db()
    assert len(bytes.fromhex(second)) * 8 >= 64 and first != second
    assert gateway.secret_hash == digest(second) and second not in repr(gateway.__dict__)
    assert gateway.why_read_only, "until it has registered with the new text"
    assert Gateway.objects.secrets() == {digest(second): "GW0001"}


def test_only_what_dials_in_has_a_private_text() -> None:
    with pytest.raises(ValueError):
        make.gateway("tcp://10.0.0.7:502").new_secret()


def test_another_card_is_a_dated_row_and_leaves_unit_and_trust_alone(cast: Cast) -> None:
    gateway = cast.water.gateway
    change(gateway, by=cast.service_unit, imei=IMEI, iccid=ICCID, number=NUMBER)
    change(gateway, by=cast.service_unit, iccid="89860000000000000018", why="旧卡停机")
    rows = [(row.imei, row.iccid, row.number) for row in gateway.transmitters.all()]
    assert rows == [(IMEI, "89860000000000000018", NUMBER), (IMEI, ICCID, NUMBER)]
    cast.water.refresh_from_db()
    assert cast.water.gateway == gateway and cast.water.gateway.why_read_only == ""


@pytest.mark.parametrize("what", [{"identity": "QN-000999"}, {"imei": "860000000000025"}])
def test_another_transmitter_keeps_the_unit_and_must_be_confirmed_anew(
    cast: Cast, what: dict[str, str]
) -> None:
    gateway = cast.water.gateway
    gateway.new_secret()
    change(gateway, by=None, imei=IMEI)
    change(gateway, by=cast.service_unit, **what)  # type: ignore[arg-type]
    gateway.refresh_from_db()
    assert gateway.transmitter == what.get("identity", "QN-000101")
    assert (gateway.trusted, gateway.secret_hash, gateway.proven_by) == (False, "", "")
    assert cast.water in gateway.units.all()


@pytest.mark.parametrize(
    ("what", "why"),
    [
        ({"imei": "86000000000001"}, "IMEI"),
        ({"iccid": "8986"}, "ICCID"),
        ({"number": "+86 130"}, "流量卡号码"),
        ({"identity": "860000000000102"}, "另一条通信链路"),
        ({"identity": " "}, "没有写明"),
        ({"since": clock.now() + timedelta(days=1)}, "将来"),
        ({"since": make.SERVICE_BEGAN - timedelta(days=1)}, "之后"),
    ],
)
def test_a_change_that_cannot_be_is_refused_and_leaves_nothing(
    cast: Cast, what: dict[str, object], why: str
) -> None:
    gateway = cast.water.gateway
    change(gateway, by=None, imei=IMEI, since=make.SERVICE_BEGAN)
    with pytest.raises(NotChanged, match=why):
        change(gateway, by=None, **what)  # type: ignore[arg-type]
    assert gateway.transmitters.count() == 1


def test_a_serial_port_has_no_transmitter() -> None:
    with pytest.raises(transmitters.NotChanged):
        change(make.gateway("serial:///dev/ttyUSB0"), by=None, imei=IMEI)


def test_the_command_gives_a_text_confirms_and_records_a_change(
    cast: Cast, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("transmitter", "secret", "qn-000101")
    text = capsys.readouterr().out.strip()
    assert Gateway.objects.secrets() == {digest(text): "QN-000101"}
    call_command("transmitter", "confirm", "860000000000102")
    assert "专网" in capsys.readouterr().out
    call_command("transmitter", "change", "QN-000101", "--iccid", ICCID, "--by", "pingtai")
    assert ICCID in capsys.readouterr().out
    assert Transmitter.objects.get().recorded_by == cast.service_unit
    call_command("transmitter", "list")
    listed = capsys.readouterr().out
    assert ICCID in listed and "860000000000102" in listed and text not in listed


@pytest.mark.parametrize(
    "words",
    [
        ["secret", "NOBODY"],
        ["change", "QN-000101"],
        ["change", "QN-000101", "--imei", "1"],
        ["change", "QN-000101", "--imei", IMEI, "--by", "nobody"],
    ],
)
def test_what_the_command_cannot_do_it_says(cast: Cast, words: list[str]) -> None:
    with pytest.raises(CommandError):
        call_command("transmitter", *words)
    assert not Transmitter.objects.exists()
