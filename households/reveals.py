"""Telling a whole phone number: to whom, and that it is written down.

Pages show numbers masked. An office of the household's own area, and whoever has it assigned to
install, is told the number at one tap; everybody else who sees the household says why first.
Exports always say why. Each time it is recorded, for the administrator who reads the log.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime, time
from itertools import islice

from django.utils.translation import gettext_lazy as _

from households import clock
from households.language import as_kept
from households.models import Area, Household, PhoneReveal, RevealHow, User
from households.models.accounts import OF_A_SUPPLIER, OF_AN_AREA
from households.models.households import HouseholdQuerySet

log = logging.getLogger(__name__)

OTHER = "other"
REASONS = [
    ("check", _("核对住户信息")),
    ("visit", _("预约上门安装、检修或检查")),
    ("trouble", _("处理告警、投诉或安全隐患")),
    ("survey", _("回访、抽查")),
    ("report", _("上级要求报送")),
    (OTHER, _("其他")),
]
A_DAY = 100  # numbers that one person is told at one tap; from then on with a reason each
AT_ONCE = 2000  # rows


class ReasonNeeded(Exception):
    """The number is told only to somebody who says why. Nothing was recorded."""


def in_words(key: str, words: str = "") -> str:
    """The reason that was picked from REASONS, with the words of 其他; empty if none was given."""
    words = " ".join(words.split())[:150]
    label = dict(REASONS).get(key)
    if label is None or (key == OTHER and not words):
        return ""
    return f"{as_kept(label)}：{words}" if words else as_kept(label)


def is_own(user: User, household: Household) -> bool:
    """Whether the number is part of the user's daily work: his area's, or assigned to him.

    Who is a supplier's sees only what is assigned and not yet accepted.
    """
    if user.role in OF_A_SUPPLIER:
        return Household.objects.visible_to(user).filter(pk=household.pk).exists()
    if user.role not in OF_AN_AREA or user.area is None:
        return False
    return Area.objects.under(user.area).filter(pk=household.area_id).exists()


def reveal(
    user: User,
    household: Household,
    how: RevealHow | str = RevealHow.SHOW,
    reason: str = "",
    address: str | None = None,
) -> str:
    """The whole number, after it was recorded that this user was told it.

    The caller has seen to it that the user sees the household. Raises ReasonNeeded; SealBroken
    where the number does not open (which is recorded too).
    """
    if not reason and not (is_own(user, household) and told_today(user) < A_DAY):
        raise ReasonNeeded
    PhoneReveal.objects.create(
        user=user,
        household=household,
        number=household.number,
        how=RevealHow(how),
        reason=reason,
        address=address,
    )
    if told_today(user) == A_DAY:
        log.warning("account %s was told %s phone numbers today", user.pk, A_DAY)
    return household.phone


def told_today(user: User) -> int:
    """How many numbers the user was told today, exports aside."""
    midnight = datetime.combine(clock.today(), time(), clock.SHANGHAI)
    told = PhoneReveal.objects.filter(user=user, at__gte=midnight)
    return told.exclude(how=RevealHow.EXPORT).count()


def exported(user: User, households: HouseholdQuerySet, reason: str) -> int:
    """Record that the user takes away all numbers of these households; answers of how many.

    Raises ReasonNeeded.
    """
    if not reason.strip():
        raise ReasonNeeded
    told = households.exclude(phone="", other_phone="").values_list("pk", "number")
    rows, count = told.iterator(AT_ONCE), 0
    while some := list(islice(rows, AT_ONCE)):
        PhoneReveal.objects.bulk_create(_of_export(user, some, reason))
        count += len(some)
    return count


def _of_export(user: User, some: list[tuple[int, str]], reason: str) -> Iterator[PhoneReveal]:
    for pk, number in some:
        yield PhoneReveal(
            user=user, household_id=pk, number=number, how=RevealHow.EXPORT, reason=reason
        )
