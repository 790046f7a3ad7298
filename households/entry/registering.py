"""Entering a household once: however often the same form is sent, it is one record."""

from __future__ import annotations

from django.db import IntegrityError, transaction

from households import clock, numbering, path
from households.entry.household_rules import missing
from households.models import Household, StepKind, User


@transaction.atomic
def register(household: Household) -> bool:
    """Give the new household its 户编号 and store it; False where its uid is known already.

    Its `uid` was made by whoever began to fill the form in.
    """
    if Household.objects.filter(uid=household.uid).exists():
        return False
    try:
        with transaction.atomic():
            household.number = numbering.take(household.area, household.year)[0]
            household.save(force_insert=True)
    except IntegrityError:
        if Household.objects.filter(uid=household.uid).exists():
            return False
        raise
    return True


def submit(household: Household, *, by: User) -> bool:
    """Take 摸底登记 where nothing that it needs is missing; answers whether it stands now."""
    if household.surveyed_on:
        return True
    if any(one.is_needed for one in missing(household)):
        return False
    path.take(household, StepKind.SURVEYED, on=clock.today(), by=by)
    return True
