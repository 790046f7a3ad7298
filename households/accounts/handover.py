"""Handing an account's open work over to a successor, in one step.

Each app says at `ready()` what of its own is somebody's personal work, by appending a `Handover`
to HANDOVERS: `move(leaver, successor)` gives that work to the successor and answers how many.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from households.accounts import account_acts
from households.audit import history
from households.language import as_kept
from households.models import User
from households.models.accounts import UserQuerySet


@dataclass(frozen=True)
class Handover:
    words: str | Promise
    move: Callable[[User, User], int]


HANDOVERS: list[Handover] = []


def successors(leaver: User) -> UserQuerySet:
    """Accounts that reach exactly as far: same role and area, and the same supplier."""
    everybody = User.objects.get_queryset()
    same = everybody.filter(role=leaver.role, area=leaver.area, is_active=True)
    company = getattr(leaver, "supplier_member", None)
    if company is not None:
        same = same.filter(supplier_member__supplier=company.supplier_id)
    return same.exclude(pk=leaver.pk).order_by("name", "username")


def hand_over(leaver: User, successor: User, by: User) -> list[tuple[str, int]]:
    """All open work goes to the successor and the old account is disabled: what, and how many.

    Raises account_acts.Refused where the successor reaches otherwise, or `leaver` must stay.
    """
    if not successors(leaver).filter(pk=successor.pk).exists():
        raise account_acts.Refused(_("接手人须是同一角色、同一区域（单位）的在用账号。"))
    why = as_kept(_lazy("工作交接给 %(name)s")) % {"name": successor}
    with transaction.atomic(), history.because(why):
        moved = [(str(one.words), one.move(leaver, successor)) for one in HANDOVERS]
        account_acts.disable(leaver, by)
    return moved
