"""Units, work and connections follow when two records of one household are merged."""

from __future__ import annotations

from devices import merged
from devices.models import Assignment
from households.models import Household
from tests import cast as make
from tests.cast import Cast


def double(cast: Cast) -> Household:
    return make.household(cast.area("洞头村"), number="26-12-0002")


def test_the_unit_moves_to_the_household_that_is_kept(cast: Cast) -> None:
    kept = double(cast)
    merged.follow(cast.water_household, kept)
    assert kept.installations.get().unit == cast.water


def test_two_units_are_two_houses(cast: Cast) -> None:
    assert merged.hindrances(cast.water_household, cast.air_household) == [
        "两户都有在用的机组：请先核实哪一台在这一户"
    ]
    assert merged.hindrances(cast.water_household, double(cast)) == []


def test_the_kept_household_keeps_its_own_work(cast: Cast) -> None:
    kept, other = cast.water_household, double(cast)
    for home, maker in ((kept, cast.water), (other, cast.air)):
        make.assign(home, maker.model.supplier, cast.town_officer)
    merged.follow(other, kept)
    standing = Assignment.objects.get(household=kept, withdrawn_at=None)
    assert standing.supplier == cast.water.model.supplier
    assert kept.assignments.count() == 2
