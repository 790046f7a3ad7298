"""Two officers at one moment: a slip takes effect once, a number is given once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from households import clock
from households.models import ChangeSlip, Household, Part, SlipKind, StepKind
from households.village_lists import list_papers, slips
from households.village_lists.slip_effects import SlipRefused
from tests import cast as make
from tests.households.list_scene import photo

RACERS = 6


@pytest.mark.django_db(transaction=True)
def test_of_many_approvals_at_once_one_takes_effect() -> None:
    cast = make.gather()
    home = make.reach(cast.water_household, StepKind.LISTED, cast.town_officer)
    drafted = list(_at_once(lambda: _drafted(home, cast)))
    assert sorted(slip.serial for slip in drafted if slip) == list(range(1, RACERS + 1))
    slip = ChangeSlip.objects.order_by("serial")[0]
    list_papers.add(slip, photo(), title="依据", by=cast.town_officer)
    slips.submit(slip, by=cast.town_officer)
    slips.review(slip, by=cast.town_officer)
    done = _at_once(lambda: slips.approve(slip, by=cast.district_officer))
    assert len([one for one in done if one]) == 1
    assert slip.acts.filter(kind="approve").count() == 1
    assert slip.lines.exclude(left="").count() == 1


def _drafted(home: Household, cast: make.Cast) -> ChangeSlip:
    return slips.draft(
        SlipKind.WITHDRAWN,
        [(home, Part.LEAVES)],
        by=cast.town_officer,
        basis="申请书",
        basis_on=clock.today(),
        reason=ChangeSlip.Why.GIVEN_UP,
        values={},
    )


def _at_once(act) -> list[ChangeSlip | None]:  # type: ignore[no-untyped-def]
    """What each of the racers got; None for those who were refused."""

    def run(_n: int) -> ChangeSlip | None:
        try:
            return act()  # type: ignore[no-any-return]
        except SlipRefused:
            return None
        finally:
            connection.close()

    with ThreadPoolExecutor(RACERS) as pool:
        return list(pool.map(run, range(RACERS)))
