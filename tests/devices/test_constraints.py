from datetime import timedelta
from typing import Any

import pytest
from django.db.models import ProtectedError

from devices.models import (
    Assignment,
    Gateway,
    HeatConnection,
    SupplierMember,
    Transmitter,
)
from tests import cast as make
from tests.cast import Cast
from tests.constraints import Case, named, refused, unique_over
from tests.devices import docking_cases, maker_cases, map_cases


def gateway(url: str, **fields: object) -> Case:
    return lambda cast: Gateway.objects.create(url=url, **fields)


def unit(**changes: Any) -> Case:
    """One more unit beside 晨暖's, at an address of its own but for `changes`."""
    fields = {"address": 6} | changes
    return lambda cast: make.unit(cast.water.gateway, cast.water.model, **fields)


def installation(**changes: object) -> Case:
    def install(cast: Cast) -> object:
        spare = make.unit(cast.water.gateway, cast.water.model, address=6, factory_number="S1")
        return make.install(cast.air_household, spare, **changes)

    return install


def transmitter(**fields: Any) -> Case:
    """What stands behind 晨暖's gateway since its service began."""
    known = {
        "identity": "QN-000101",
        "since": make.SERVICE_BEGAN,
        "recorded_at": make.SERVICE_BEGAN,
    }
    return lambda cast: Transmitter.objects.create(gateway=cast.water.gateway, **known | fields)


def two_transmitters_at_once(cast: Cast) -> None:
    for _ in range(2):
        transmitter()(cast)


def the_same_secret_twice(cast: Cast) -> None:
    for thing in (cast.water, cast.air):
        thing.gateway.secret_hash = "a" * 64
        thing.gateway.save()


def same_map_version(cast: Cast) -> object:
    points = cast.water.register_map
    points.pk = None
    points.save(force_insert=True)
    return points


def assignment(**fields: Any) -> Case:
    """北岳's household given to 北岳, but for `fields`."""

    def assign(cast: Cast) -> object:
        known = {
            "household": cast.air_household,
            "supplier": cast.air.model.supplier,
            "assigned_by": cast.town_officer,
            "assigned_at": make.SERVICE_BEGAN,
        }
        return Assignment.objects.create(**known | fields)

    return assign


def two_assignments(cast: Cast) -> None:
    for _ in range(2):
        assignment()(cast)


def connection(**fields: Any) -> Case:
    """晨暖's household on the network as well, which the database itself does not mind."""

    def connect(cast: Cast) -> object:
        known = {
            "household": cast.water_household,
            "station": "1 号换热站",
            "entered_by": cast.town_officer,
            "entered_at": make.SERVICE_BEGAN,
        }
        return HeatConnection.objects.create(**known | fields)

    return connect


CASES: list[tuple[str, Case]] = [
    ("gateway_url_of_its_kind", gateway("dial://1", kind="serial")),
    ("gateway_url_of_its_kind", gateway("tcp://10.0.0.1:502", kind="mbap")),
    ("gateway_url_of_its_kind", gateway("http://x", kind="http")),
    ("gateway_interval_positive", gateway("dial://1", kind="dial", interval_s=0)),
    ("gateway_secret_once", the_same_secret_twice),
    ("transmitter_once_at_a_time", two_transmitters_at_once),
    ("transmitter_imei_digits", transmitter(imei="86000000000001")),
    ("transmitter_iccid_digits", transmitter(iccid="8986")),
    ("transmitter_number_digits", transmitter(number="+8613000000000")),
    ("installation_once_per_unit", lambda cast: make.install(cast.air_household, cast.water)),
    (
        "installation_ends_after_it_began",
        installation(removed_on=make.INSTALLED_ON - timedelta(days=1)),
    ),
    ("installation_area_plausible", installation(heated_area=0)),
    ("installation_position_whole", installation(longitude=None)),
    ("installation_position_whole", installation(latitude=-91)),
    ("installation_position_source_known", installation(position_source="star")),
    ("assignment_once_per_household", two_assignments),
    (
        "assignment_ends_after_it_began",
        assignment(withdrawn_at=make.SERVICE_BEGAN - timedelta(days=1)),
    ),
    ("heat_connection_has_a_station", connection(station="")),
    ("heat_connection_heated_after_connected", connection(heated_on=make.INSTALLED_ON)),
    (
        "heat_connection_heated_after_connected",
        connection(connected_on=make.INSTALLED_ON, heated_on=make.INSTALLED_ON - timedelta(days=1)),
    ),
    ("map_version_once_per_model", same_map_version),
    ("unit_address_once_per_gateway", unit(address=5)),
    ("unit_network_address_once", unit(network_address=1205)),
    ("unit_factory_number_once_per_model", unit(factory_number="CN26100001")),
    ("unit_address_range", unit(address=0)),
    ("unit_address_range", unit(address=65536)),
    ("unit_network_address_range", unit(network_address=0)),
    ("unit_network_address_range", unit(network_address=65536)),
    ("unit_interval_positive", unit(interval_s=0)),
    *maker_cases.CASES,
    *docking_cases.CASES,
    *map_cases.CASES,
]


@pytest.mark.parametrize(("name", "case"), CASES)
def test_the_database_refuses(cast: Cast, name: str, case: Case) -> None:
    with refused(name):
        case(cast)


def test_no_constraint_is_left_untried() -> None:
    assert {name for name, _ in CASES} == named("devices")


def test_a_person_acts_for_one_supplier_only(cast: Cast) -> None:
    with refused(unique_over("devices_suppliermember", "user_id")):
        SupplierMember.objects.create(user=cast.supplier_member, supplier=cast.air.model.supplier)


def test_one_transmitter_is_one_gateway(cast: Cast) -> None:
    with refused(unique_over("devices_gateway", "url")):
        make.gateway(cast.water.gateway.url)


def test_modules_share_a_units_address(cast: Cast) -> None:
    first, second = (
        make.unit(cast.water.gateway, cast.water.model, address=9, module=n) for n in (1, 2)
    )
    assert first.address == second.address
    with refused("unit_address_once_per_gateway"):
        make.unit(cast.water.gateway, cast.water.model, address=9, module=2)


def test_a_retired_units_addresses_are_free_again(cast: Cast) -> None:
    cast.water.retired_at = make.SERVICE_BEGAN
    cast.water.save()
    heir = make.unit(cast.water.gateway, cast.water.model, address=5, network_address=1205)
    assert heir.pk != cast.water.pk


def test_a_unit_moves_to_another_house_once_it_has_left_the_first(cast: Cast) -> None:
    cast.water.installations.update(removed_on=make.INSTALLED_ON + timedelta(days=3))
    make.install(cast.air_household, cast.water, installed_on=make.INSTALLED_ON)
    assert cast.water.installations.count() == 2


@pytest.mark.parametrize("kept", ["water", "water_household"])
def test_what_an_installation_names_cannot_be_deleted(cast: Cast, kept: str) -> None:
    with pytest.raises(ProtectedError):
        getattr(cast, kept).delete()
