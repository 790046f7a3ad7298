"""Households that may be one and the same: told while they are entered, never forbidden."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from django.db.models import Q
from django.utils.translation import gettext as _

from households.models import Household, User

NOISE = re.compile(r"[\s号()（）.,，、#]+")
DASHES = re.compile(r"[‐-―−—\-]+")


def door_key(text: str) -> str:
    """A door number without the ways of writing it: `3-12 号` and `３—12` are one."""
    plain = NOISE.sub("", unicodedata.normalize("NFKC", text))
    return DASHES.sub("-", plain).strip("-").casefold()


@dataclass(frozen=True, slots=True)
class Alike:
    """Another household that looks like this one; without `household` where it is out of the
    asker's reach."""

    why: str
    household: Household | None = None


def of(household: Household, user: User) -> list[Alike]:
    """Others in the same village with the same name and door, or with the same 用电户号 anywhere.

    `household` need not be stored; those that withdrew are let be. A name and a door are compared
    within the user's reach alone: else whoever asks for a foreign village learns who lives there.
    """
    asked = Q()
    door, account = door_key(household.door or household.place), household.electricity_account
    if household.area_id and household.householder and door:
        seen = Household.objects.visible_to(user)
        namesakes = seen.filter(area=household.area_id, householder=household.householder)
        asked |= Q(pk__in=namesakes.values("pk"))
    if account:
        asked |= Q(electricity_account=account)
    if not asked:
        return []
    rows = Household.objects.filter(asked, withdrawn_on=None).exclude(uid=household.uid)
    reach = set(rows.visible_to(user).values_list("pk", flat=True))
    found = [(row, _why(household, row, door)) for row in rows.select_related("area__owner")[:50]]
    return [Alike(why, row if row.pk in reach else None) for row, why in found if why]


def _why(household: Household, other: Household, door: str) -> str:
    account = household.electricity_account
    if account and account == other.electricity_account:
        return _("用电户号相同")
    same = door and door_key(other.door or other.place) == door
    return _("村（社区）、户主和门牌号相同") if same else ""
