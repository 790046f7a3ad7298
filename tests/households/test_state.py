"""The state that the database computes, compared with the rule said once more in Python."""

import random
from datetime import date, timedelta

import pytest
from django.db import ProgrammingError, connection

from households.models import Household, State, StepKind
from tests import cast as make
from tests.cast import Cast

NEXT = {
    "surveyed_on": "draft",
    "listed_on": "to_list",
    "signed_on": "to_sign",
    "installed_on": "to_install",
    "commissioned_on": "to_commission",
    "accepted_on": "to_accept",
    "proven_on": "accepted",
    "stove_removed_on": "proven",
}


def expected(dates: dict[str, date | None], withdrawn: bool, incomplete: bool) -> str:
    if withdrawn:
        return "withdrawn"
    if incomplete:
        return "papers_incomplete"
    for column, state in NEXT.items():
        if dates[column] is None:
            return state
    return "stove_removed"


def every_combination() -> list[tuple[dict[str, date | None], bool, bool]]:
    """All 2**8 ways to have or lack dates × withdrawn × papers incomplete, with random days."""
    chance = random.Random(17)
    combinations = []
    for bits in range(2**10):
        has = [bits >> n & 1 for n in range(10)]
        days = [date(2026, 5, 28) + timedelta(days=chance.randrange(180)) for _ in NEXT]
        dates = {c: d if h else None for c, d, h in zip(NEXT, days, has, strict=False)}
        combinations.append((dates, bool(has[8]), bool(has[9])))
    return combinations


def test_the_databases_state_is_the_rules_state_for_every_combination(cast: Cast) -> None:
    combinations = every_combination()
    village = cast.area("洞头村")
    Household.objects.bulk_create(
        Household(
            number=f"26-12-{1000 + n}",
            year=2026,
            area=village,
            method="coal_to_electricity",
            householder="测试户",
            withdrawn_on=date(2026, 11, 1) if withdrawn else None,
            papers_incomplete=incomplete,
            **dates,
        )
        for n, (dates, withdrawn, incomplete) in enumerate(combinations)
    )
    stored = dict(Household.objects.values_list("number", "state"))
    for n, combination in enumerate(combinations):
        assert stored[f"26-12-{1000 + n}"] == expected(*combination), combination


def test_the_database_can_say_every_state(cast: Cast) -> None:
    assert {expected(*combination) for combination in every_combination()} == set(State.values)


def test_each_step_of_the_path_has_its_column_in_its_order() -> None:
    columns = [f.name for f in Household._meta.fields if f.name.removesuffix("_on") in StepKind]
    assert columns == [f"{kind}_on" for kind in StepKind] == list(NEXT)


def test_nobody_can_write_the_state_by_hand(cast: Cast) -> None:
    with pytest.raises(ProgrammingError, match="generated"), connection.cursor() as cursor:
        cursor.execute("UPDATE households_household SET state = 'proven'")


def test_a_households_state_follows_its_dates(cast: Cast) -> None:
    home = make.reach(cast.water_household, StepKind.SIGNED, cast.clerk)
    home.refresh_from_db()
    assert home.state == State.TO_INSTALL


def test_complete_and_accepted_count_only_an_unbroken_path(cast: Cast) -> None:
    whole = make.reach(cast.water_household, StepKind.ACCEPTED, cast.clerk)
    broken = make.reach(cast.air_household, StepKind.ACCEPTED, cast.clerk)
    Household.objects.filter(pk=broken.pk).update(signed_on=None)
    assert list(Household.objects.complete()) == [whole]
    assert list(Household.objects.accepted()) == [whole]
    assert not Household.objects.complete(by=make.INSTALLED_ON - timedelta(days=1))
    assert list(Household.objects.complete(by=make.INSTALLED_ON)) == [whole]


def test_withdrawn_and_incomplete_households_are_never_complete(cast: Cast) -> None:
    home = make.reach(cast.water_household, StepKind.ACCEPTED, cast.clerk)
    Household.objects.filter(pk=home.pk).update(papers_incomplete=True)
    assert not Household.objects.complete()
    Household.objects.filter(pk=home.pk).update(papers_incomplete=False, withdrawn_on="2026-11-01")
    assert not Household.objects.complete()
    assert not Household.objects.in_task()
