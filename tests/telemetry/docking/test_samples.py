"""Samples at the bench: which line, which addresses, and who may put them there."""

from __future__ import annotations

import pytest

from devices.models import DockingState, Gateway, Unit
from telemetry.docking import runs, samples
from telemetry.docking.samples import NotConnected
from tests import cast as make
from tests.cast import Cast
from tests.telemetry.docking_scene import application

pytestmark = pytest.mark.django_db


def refused(cast: Cast, **place: object) -> str:
    made = application(cast)
    with pytest.raises(NotConnected) as caught:
        samples.connect(made, cast.tester, **{"address": 5} | place)  # type: ignore[arg-type]
    return caught.value.sentence


def test_two_units_of_a_transmitter_are_a_sample_and_the_one_beside_it(cast: Cast) -> None:
    made = application(cast)
    there = samples.connect(made, cast.tester, transmitter="QN-000901", address=5, second_address=6)
    made.refresh_from_db()
    assert (made.sample, made.second_sample) == (there.sample, there.second)
    assert there.second and there.sample.gateway == there.second.gateway
    assert (there.sample.address, there.second.address) == (5, 6)
    assert there.sample.register_map == made.register_map
    assert not there.sample.installations.exists()
    addresses = {there.sample.network_address, there.second.network_address}
    assert addresses == {65_535, 65_534}  # out of the households' way


def test_a_transmitter_that_cannot_prove_itself_is_given_a_private_text_once(cast: Cast) -> None:
    made = application(cast)
    there = samples.connect(made, cast.tester, transmitter="QN-000901", address=5)
    assert len(there.secret) == 24
    assert there.sample.gateway.trusted and there.sample.gateway.why_read_only
    again = samples.connect(made, cast.tester, transmitter="QN-000901", address=5)
    assert again.secret == "" and again.sample.gateway == there.sample.gateway


def test_a_converter_on_the_network_needs_no_proof(cast: Cast) -> None:
    there = samples.connect(
        application(cast), cast.tester, line="tcp://127.0.0.1:4001", address=5, line_worker="test"
    )
    assert there.secret == "" and not there.sample.gateway.why_read_only
    assert there.sample.gateway.line_worker == "test"


def test_what_was_tested_there_before_is_taken_off(cast: Cast) -> None:
    first, second = application(cast), application(cast)
    old = samples.connect(first, cast.tester, transmitter="QN-000901", address=5).sample
    new = samples.connect(second, cast.tester, transmitter="QN-000901", address=5).sample
    old.refresh_from_db()
    assert old.retired_at and old.pk != new.pk


def test_a_sample_under_test_stays_where_it_is(cast: Cast) -> None:
    made = application(cast)
    there = samples.connect(made, cast.tester, transmitter="QN-000901", address=5)
    runs.start(made, cast.tester)
    made.refresh_from_db()
    with pytest.raises(NotConnected, match="正在测试"):
        samples.connect(made, cast.tester, transmitter="QN-000902", address=5)
    with pytest.raises(NotConnected, match="已由设备"):
        samples.connect(application(cast), cast.tester, transmitter="QN-000901", address=5)
    there.sample.refresh_from_db()
    assert there.sample.retired_at is None


def test_no_sample_hangs_on_the_line_of_a_household(cast: Cast) -> None:
    assert "住户的机组" in refused(cast, transmitter=cast.water.gateway.transmitter)
    assert cast.water.pk in set(Unit.objects.installed().values_list("pk", flat=True))


def test_what_cannot_be_is_said_in_words(cast: Cast) -> None:
    assert "1～247" in refused(cast, transmitter="QN-000901", address=300)
    assert "@module_stride" in refused(cast, transmitter="QN-000901", module=2)
    assert refused(cast, line="nowhere")
    assert refused(cast)
    assert "已由设备" in refused(cast, transmitter="QN-000901", second_address=5)
    assert not Gateway.objects.filter(url__contains="QN-000901").exists()


def test_only_the_service_unit_connects_and_only_what_was_received(cast: Cast) -> None:
    for who in (cast.supplier_member, cast.rival, cast.district_officer):
        with pytest.raises(NotConnected, match="平台服务单位"):
            samples.connect(application(cast), who, transmitter="QN-000901", address=5)
    draft = application(cast, state=DockingState.DRAFT)
    with pytest.raises(NotConnected, match="收到样品"):
        samples.connect(draft, cast.tester, transmitter="QN-000901", address=5)


def test_a_household_gets_no_address_that_a_sample_has(cast: Cast) -> None:
    line = make.gateway("tcp://127.0.0.1:4002")
    make.unit(line, cast.water.model, address=1, network_address=65_535)
    there = samples.connect(application(cast), cast.tester, transmitter="QN-000901", address=5)
    assert there.sample.network_address == 65_534
