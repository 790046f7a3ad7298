"""Companies that deliver heating units, and the people who act for them."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from households.models import User


class SupplierQuerySet(models.QuerySet["Supplier"]):
    def visible_to(self, user: User) -> SupplierQuerySet:
        """A supplier's member sees his own company and learns of no other."""
        if user.sees_whole_district:
            return self
        return self.filter(members__user=user)


class Supplier(models.Model):
    name = models.CharField(_("设备厂商名称"), max_length=60, unique=True)
    contact = models.CharField(_("联系人"), max_length=40, blank=True)
    phone = models.CharField(_("联系电话"), max_length=20, blank=True)
    licence_number = models.CharField(_("统一社会信用代码"), max_length=18, blank=True)
    office = models.CharField(_("本地办公地址"), max_length=80, blank=True)
    service_head = models.CharField(_("本地服务负责人"), max_length=40, blank=True)
    service_phone = models.CharField(_("服务电话"), max_length=20, blank=True)
    service_people = models.PositiveSmallIntegerField(_("本地服务人数"), null=True, blank=True)

    objects = SupplierQuerySet.as_manager()

    class Meta:
        verbose_name = _("供应商")
        verbose_name_plural = _("供应商")
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                name="supplier_licence_of_18_signs",
                condition=Q(licence_number="") | Q(licence_number__regex=r"^[0-9A-Z]{18}$"),
            )
        ]

    def __str__(self) -> str:
        return self.name


class SupplierMember(models.Model):
    """That an account acts for a supplier."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="supplier_member"
    )
    supplier = models.ForeignKey(Supplier, models.CASCADE, related_name="members")

    class Meta:
        verbose_name = _("供应商人员")
        verbose_name_plural = _("供应商人员")

    def __str__(self) -> str:
        return f"{self.user} · {self.supplier}"
