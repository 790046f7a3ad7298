"""What becomes of units, assignments and connections when two records of a household are merged."""

from __future__ import annotations

from django.utils.translation import gettext as _

from devices.models import Assignment, HeatConnection, Installation
from households import clock
from households.entry.merging import MERGES, PROTECTS
from households.models import Household


def register() -> None:
    """Said once, when the app is ready."""
    MERGES.append(follow)
    PROTECTS.append(hindrances)


def hindrances(kept: Household, other: Household) -> list[str]:
    """Two units or two connections are two houses, or a mistake that somebody has to settle."""
    both, found = [kept.pk, other.pk], []
    standing = Installation.objects.standing().filter(household__in=both)
    if len(set(standing.values_list("household", flat=True))) > 1:
        found.append(_("两户都有在用的机组：请先核实哪一台在这一户"))
    if HeatConnection.objects.filter(household__in=both).count() > 1:
        found.append(_("两户都有入网记录：请先核实哪一份是这一户的"))
    return found


def follow(other: Household, kept: Household) -> None:
    """All of them move to the household that is kept; it keeps the work it was given itself."""
    if Assignment.objects.filter(household=kept, withdrawn_at=None).exists():
        now = clock.now()
        other.assignments.filter(withdrawn_at=None).update(withdrawn_at=now)
    Assignment.objects.filter(household=other).update(household=kept)
    Installation.objects.filter(household=other).update(household=kept)
    HeatConnection.objects.filter(household=other).update(household=kept)
