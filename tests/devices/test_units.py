from datetime import timedelta

import pytest

from devices.models import Installation, Supplier, Unit
from tests import cast as make
from tests.cast import Cast


@pytest.mark.parametrize(
    ("who", "seen"),
    [
        ("district_officer", {"water", "air"}),
        ("service_unit", {"water", "air"}),
        ("reader", {"water", "air"}),
        ("town_officer", {"water", "air"}),
        ("clerk", {"water"}),
        ("outsider", set()),
        ("supplier_member", {"water"}),
        ("rival", {"air"}),
    ],
)
def test_each_sees_the_units_of_his_place_or_his_company(
    cast: Cast, who: str, seen: set[str]
) -> None:
    units = Unit.objects.visible_to(getattr(cast, who))
    assert sorted(units, key=lambda unit: unit.pk) == [
        getattr(cast, name) for name in ("water", "air") if name in seen
    ]


def test_a_locked_account_sees_nothing(cast: Cast) -> None:
    for person in (cast.district_officer, cast.town_officer, cast.supplier_member):
        person.is_active = False
        assert not Unit.objects.visible_to(person)


def test_a_supplier_learns_of_no_competitor(cast: Cast) -> None:
    assert [s.name for s in Supplier.objects.visible_to(cast.supplier_member)] == ["晨暖（虚构）"]


def test_a_unit_that_moved_house_is_counted_once_and_seen_from_its_new_place(cast: Cast) -> None:
    cast.water.installations.update(removed_on=make.INSTALLED_ON + timedelta(days=3))
    new_home = make.household(cast.area("司匠村"), number="26-01-0001")
    make.install(new_home, cast.water, installed_on=make.INSTALLED_ON + timedelta(days=3))
    assert sorted(Unit.objects.installed(), key=lambda u: u.pk) == [cast.water, cast.air]
    assert list(Unit.objects.visible_to(cast.outsider)) == [cast.water]
    assert not Unit.objects.visible_to(cast.clerk)


def test_a_spare_is_in_service_and_in_no_house(cast: Cast) -> None:
    spare = make.unit(cast.water.gateway, cast.water.model, address=6)
    assert spare in Unit.objects.in_service()
    assert spare not in Unit.objects.installed()
    assert spare not in Unit.objects.visible_to(cast.town_officer)


def test_a_unit_taken_out_of_its_house_is_no_installed_one(cast: Cast) -> None:
    cast.water.installations.update(removed_on=make.INSTALLED_ON + timedelta(days=3))
    assert list(Unit.objects.installed()) == [cast.air]


def test_a_disabled_gateway_takes_its_units_out_of_service(cast: Cast) -> None:
    type(cast.water.gateway).objects.filter(pk=cast.water.gateway.pk).update(enabled=False)
    assert list(Unit.objects.in_service()) == [cast.air]


def test_an_installation_stands_from_its_day_until_the_day_it_is_removed(cast: Cast) -> None:
    began, ended = make.INSTALLED_ON, make.INSTALLED_ON + timedelta(days=3)
    cast.water.installations.update(removed_on=ended)
    standing = {
        n: Installation.objects.filter(unit=cast.water).open_on(began + timedelta(days=n)).exists()
        for n in (-1, 0, 2, 3)
    }
    assert standing == {-1: False, 0: True, 2: True, 3: False}
    assert ended == began + timedelta(days=3)
