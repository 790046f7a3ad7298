"""Who reads a maker's company, models and papers, and who writes them: the maker alone.

A competitor's thing is not forbidden but not there (404): a maker learns of no other.
"""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from devices.models import DeviceModel, Supplier
from households.models import Role, User


def own_company(user: User) -> Supplier:
    """The company that the user acts for. Raises PermissionDenied where he acts for none."""
    company = Supplier.objects.filter(members__user=user).first() if user.is_maker else None
    if company is None:
        raise PermissionDenied(_("只有供应商账号办理本公司的资料；请用供应商账号登录。"))
    return company


def read_company(user: User, pk: int) -> Supplier:
    """A company that the user may see. Raises PermissionDenied, Http404."""
    see_that_reads(user)
    return get_object_or_404(Supplier.objects.visible_to(user), pk=pk)


def read_model(user: User, pk: int) -> DeviceModel:
    """A model of a company that the user may see. Raises PermissionDenied, Http404."""
    see_that_reads(user)
    rows = DeviceModel.objects.filter(supplier__in=Supplier.objects.visible_to(user))
    return get_object_or_404(rows.select_related("supplier"), pk=pk)


def own_model(user: User, pk: int) -> DeviceModel:
    """A model of the user's own company. Raises PermissionDenied, Http404."""
    rows = DeviceModel.objects.filter(supplier=own_company(user))
    return get_object_or_404(rows.select_related("supplier"), pk=pk)


def see_that_reads(user: User) -> None:
    """Raises PermissionDenied where makers are none of the user's business."""
    if not user.reads_docking:
        raise PermissionDenied(_("厂商资料由供应商、平台服务单位和区里查看。"))


def people(company: Supplier) -> QuerySet[User]:
    """Who sees to the company's papers, and hears what becomes of them; no installers."""
    members = User.objects.filter(supplier_member__supplier=company)
    return members.filter(role=Role.SUPPLIER, is_active=True)


def registers_makers(user: User) -> bool:
    """Whether the user may enter a company that is not known yet, and correct a company's name."""
    return user.tests_docking or user.manages_accounts
