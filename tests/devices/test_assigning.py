"""A town gives households to a supplier, he to his installers; the sight of them goes along."""

from __future__ import annotations

from typing import Any

import pytest

from devices import assigning
from devices.assigning import NotAssigned
from devices.models import Assignment, Supplier
from households.models import Change, Household, Method, Part, SlipKind, StepKind, User
from tests import cast as make
from tests.cast import INSTALLED_ON, Cast
from tests.households.village_lists.test_slips import drafted, effective


@pytest.fixture
def homes(cast: Cast) -> list[Household]:
    """Three households of 洞头村 without unit."""
    village = cast.area("洞头村")
    return [make.household(village, number=f"26-12-000{n}") for n in (2, 3, 4)]


@pytest.fixture
def maker(cast: Cast) -> Supplier:
    return cast.water.model.supplier


def seen(user: User) -> set[str]:
    return set(Household.objects.visible_to(user).values_list("number", flat=True))


def test_the_supplier_sees_what_he_was_given(
    cast: Cast, homes: list[Household], maker: Supplier
) -> None:
    assert assigning.assign(homes[:2], maker, cast.town_officer) == 2
    assert seen(cast.supplier_member) == {"26-12-0002", "26-12-0003"}
    assert seen(cast.rival) == set()


def test_his_sight_ends_with_acceptance_and_with_leaving_the_plan(
    cast: Cast, homes: list[Household], maker: Supplier
) -> None:
    assigning.assign(homes, maker, cast.town_officer)
    Household.objects.filter(pk=homes[0].pk).update(accepted_on=INSTALLED_ON)
    Household.objects.filter(pk=homes[1].pk).update(withdrawn_on=INSTALLED_ON)
    assert seen(cast.supplier_member) == {"26-12-0004"}


@pytest.mark.parametrize(
    ("kind", "part", "values"),
    [
        (SlipKind.WITHDRAWN, Part.LEAVES, {}),
        (SlipKind.METHOD, Part.CHANGES, {"method": "central_heating"}),
    ],
)
def test_a_slip_ends_the_work_where_no_unit_comes_any_more(
    cast: Cast, homes: list[Household], maker: Supplier, kind: SlipKind, part: Part, values: Any
) -> None:
    make.reach(homes[0], StepKind.LISTED, cast.town_officer)
    assigning.assign(homes, maker, cast.town_officer)
    slip = effective(cast, drafted(cast, kind, (homes[0], part), **values))
    assert seen(cast.supplier_member) == {"26-12-0003", "26-12-0004"}
    assert homes[0].assignments.get().withdrawn_at is not None
    told = Change.objects.filter(table="devices_assignment").latest("pk")
    assert slip.number in told.reason


def test_given_twice_it_is_one_assignment(
    cast: Cast, homes: list[Household], maker: Supplier
) -> None:
    assigning.assign(homes[:2], maker, cast.town_officer)
    assert assigning.assign(homes, maker, cast.town_officer) == 1
    assert Assignment.objects.filter(withdrawn_at=None).count() == 3


def test_another_supplier_takes_it_from_the_first(
    cast: Cast, homes: list[Household], maker: Supplier
) -> None:
    assigning.assign(homes, maker, cast.town_officer)
    assigning.assign(homes[:1], cast.air.model.supplier, cast.town_officer)
    assert seen(cast.rival) == {"26-12-0002"}
    assert "26-12-0002" not in seen(cast.supplier_member)


def test_what_is_taken_back_is_out_of_sight(
    cast: Cast, homes: list[Household], maker: Supplier
) -> None:
    assigning.assign(homes, maker, cast.town_officer)
    assert assigning.withdraw(homes) == 3
    assert seen(cast.supplier_member) == set()


def test_an_installer_sees_his_own_and_no_colleagues(
    cast: Cast, homes: list[Household], maker: Supplier
) -> None:
    one, other = make.installer("jia", maker), make.installer("yi", maker)
    assigning.assign(homes, maker, cast.town_officer)
    assert seen(one) == set()
    given = Assignment.objects.filter(household__in=homes[:2])
    assert assigning.give(given, one) == 2
    assert (seen(one), seen(other)) == ({"26-12-0002", "26-12-0003"}, set())
    assigning.give(given[:1], None)
    assert len(seen(one)) == 1


def test_work_is_given_to_nobody_of_another_company(
    cast: Cast, homes: list[Household], maker: Supplier
) -> None:
    assigning.assign(homes, maker, cast.town_officer)
    with pytest.raises(NotAssigned, match="本单位"):
        assigning.give(Assignment.objects.all(), cast.rival)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"method": Method.CENTRAL_HEATING}, "由供热企业登记入网记录"),
        ({"withdrawn_on": INSTALLED_ON}, "已退出改造"),
        ({"accepted_on": INSTALLED_ON}, "不用再分派"),
    ],
)
def test_what_is_not_to_be_equipped_is_not_assigned_and_nothing_else_is(
    cast: Cast, homes: list[Household], maker: Supplier, changes: dict[str, object], words: str
) -> None:
    Household.objects.filter(pk=homes[2].pk).update(**changes)
    with pytest.raises(NotAssigned, match=words):
        assigning.assign(homes, maker, cast.town_officer)
    assert not Assignment.objects.exists()


def test_who_has_left_is_nobody_to_give_work_to(cast: Cast, maker: Supplier) -> None:
    gone = make.installer("jia", maker)
    User.objects.filter(pk=gone.pk).update(is_active=False)
    assert gone not in assigning.people_of(cast.supplier_member)


def test_a_supplier_without_an_admitted_model_is_given_nothing(
    cast: Cast, homes: list[Household], maker: Supplier
) -> None:
    make.unconfirmed(cast.water.model)
    with pytest.raises(NotAssigned, match="CN-W10 数据对接确认书已撤销：请供应商办理"):
        assigning.assign(homes, maker, cast.town_officer)
    assert not Assignment.objects.exists()


def test_a_supplier_without_any_model_is_told_to_register_one(
    cast: Cast, homes: list[Household]
) -> None:
    with pytest.raises(NotAssigned, match="还没有登记型号和点表"):
        assigning.assign(homes, make.supplier("新来（虚构）"), cast.town_officer)
