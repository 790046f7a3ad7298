"""Giving work: a town gives households to a supplier, the supplier gives them to his installers.

With the assignment goes the sight of address and phone; taking it back ends both at once.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.utils.translation import gettext as _

from devices.docking import admission
from devices.models import Assignment, Supplier, SupplierMember
from households import clock
from households.models import Household, Method, Role, User
from households.models.accounts import OF_A_SUPPLIER
from households.village_lists.slip_effects import FOLLOWS

MAY_ASSIGN = (Role.TOWN, Role.DISTRICT)


def register() -> None:
    """Said once, when the app is ready."""
    FOLLOWS.append(end_where_no_unit_comes)


class NotAssigned(Exception):
    """Nothing was changed; the message says why."""


def may_assign(user: User) -> bool:
    """Whether the role gives households to suppliers, within its own reach."""
    return user.is_active and user.role in MAY_ASSIGN


def may_give(user: User) -> bool:
    """Whether the account gives its company's households to installers."""
    return user.is_active and user.role == Role.SUPPLIER


@transaction.atomic
def assign(households: Iterable[Household], supplier: Supplier, by: User) -> int:
    """Give them to the supplier; what another had is taken back from him.

    Answers how many are new to the supplier. Raises NotAssigned where one gets no unit, has left
    the plan or is accepted, and for a supplier none of whose models is admitted today.
    """
    _check_models(supplier)
    homes = _locked(households)
    for home in homes:
        _check(home)
    now = clock.now()
    before = Assignment.objects.filter(household__in=homes, withdrawn_at=None)
    his = set(before.filter(supplier=supplier).values_list("household", flat=True))
    before.exclude(supplier=supplier).update(withdrawn_at=now)
    new = [
        Assignment(household=home, supplier=supplier, assigned_by=by, assigned_at=now)
        for home in homes
        if home.pk not in his
    ]
    Assignment.objects.bulk_create(new)
    return len(new)


def _locked(households: Iterable[Household]) -> list[Household]:
    """Two officers who assign the same household come one after the other."""
    wanted = [home.pk for home in households]
    rows = Household.objects.select_for_update(of=("self",)).filter(pk__in=wanted)
    return list(rows.order_by("pk"))


def _check_models(supplier: Supplier) -> None:
    models = supplier.device_models.readable()
    if models.admitted().exists():
        return
    lacking = [sentence for model in models for sentence in admission.sentences(model)]
    told = {"supplier": supplier, "lacks": _("；").join(lacking) or _("还没有登记型号和点表")}
    raise NotAssigned(_("%(supplier)s 现在没有可以安装的型号：%(lacks)s") % told)


def _check(home: Household) -> None:
    told = {"number": home.number, "method": home.get_method_display()}
    if not Method(home.method).has_unit:
        raise NotAssigned(
            _("%(number)s 是%(method)s，不在户内安装机组：由供热企业登记入网记录") % told
        )
    if home.withdrawn_on:
        raise NotAssigned(_("%(number)s 已退出改造") % told)
    if home.accepted_on:
        raise NotAssigned(_("%(number)s 已竣工验收，不用再分派") % told)


@transaction.atomic
def withdraw(households: Iterable[Household]) -> int:
    """Take them back from whoever has them; answers how many somebody had."""
    open_ones = Assignment.objects.filter(household__in=_locked(households), withdrawn_at=None)
    return open_ones.update(withdrawn_at=clock.now())


def end_where_no_unit_comes(home: Household) -> None:
    """A household that left the plan, or is heated by the network now, is no supplier's work."""
    if home.withdrawn_on or not Method(home.method).has_unit:
        withdraw([home])


@transaction.atomic
def give(assignments: Iterable[Assignment], installer: User | None) -> int:
    """Make them the installer's work, or the company's again for None; answers how many changed.

    Raises NotAssigned for one who is not of the supplier's people.
    """
    rows = Assignment.objects.open().filter(pk__in=[row.pk for row in assignments])
    if installer and not _all_his(rows.values_list("supplier", flat=True), installer):
        raise NotAssigned(_("只能交给本单位的人员"))
    # Not `exclude(installer=…)`: that leaves out those without any.
    others = [row.pk for row in rows if row.installer_id != (installer.pk if installer else None)]
    return Assignment.objects.filter(pk__in=others).update(installer=installer)


def _all_his(suppliers: Iterable[int], installer: User) -> bool:
    member = SupplierMember.objects.filter(user=installer, user__is_active=True).first()
    return member is not None and set(suppliers) <= {member.supplier_id}


def people_of(user: User) -> list[User]:
    """Who may be sent by the user's company: its installers first."""
    rows = User.objects.filter(
        is_active=True,
        role__in=OF_A_SUPPLIER,
        supplier_member__supplier__members__user=user,
    )
    return list(rows.order_by("role", "pk"))
