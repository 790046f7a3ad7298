"""Who installs where: a town gives households to a supplier, he gives them to his installers."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from households.models import Household, Role, User

from .products import DeviceModel
from .suppliers import Supplier


class AssignmentQuerySet(models.QuerySet["Assignment"]):
    def open(self) -> AssignmentQuerySet:
        """Neither withdrawn nor done with: a supplier's sight ends when the household is accepted
        or leaves the plan."""
        return self.filter(
            withdrawn_at=None, household__accepted_on=None, household__withdrawn_on=None
        )

    def of(self, user: User) -> AssignmentQuerySet:
        """Open ones that are the user's own work: an installer's those given to him, a supplier's
        member's all of the company."""
        if not user.is_active:
            return self.none()
        mine = self.open().filter(supplier__members__user=user)
        return mine.filter(installer=user) if user.role == Role.INSTALLER else mine

    def visible_to(self, user: User) -> AssignmentQuerySet:
        """Those of the households that the user sees."""
        return self.filter(household__in=Household.objects.visible_to(user))


class Assignment(models.Model):
    """A household that a supplier is to equip, and which of his people goes there.

    While it is open, and no longer, supplier and installer see address and phone.
    """

    household = models.ForeignKey(Household, models.PROTECT, related_name="assignments")
    supplier = models.ForeignKey(
        Supplier, models.PROTECT, related_name="assignments", verbose_name=_("供应商")
    )
    installer = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="assignments",
        verbose_name=_("安装人员"),
    )
    model = models.ForeignKey(
        DeviceModel,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="assignments",
        verbose_name=_("设备型号"),
    )
    assigned_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    assigned_at = models.DateTimeField(_("分派时间"))
    withdrawn_at = models.DateTimeField(_("收回时间"), null=True, blank=True)

    objects = AssignmentQuerySet.as_manager()

    class Meta:
        verbose_name = _("安装分派")
        verbose_name_plural = _("安装分派")
        ordering = ["-assigned_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["household"],
                condition=Q(withdrawn_at=None),
                name="assignment_once_per_household",
            ),
            models.CheckConstraint(
                name="assignment_ends_after_it_began",
                condition=Q(withdrawn_at=None) | Q(withdrawn_at__gte=F("assigned_at")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.household} · {self.supplier}"
