"""Connections to the heat network: what a household has instead of a unit of its own."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from households.models import Household, User
from households.uid import uuid7


class HeatConnectionQuerySet(models.QuerySet["HeatConnection"]):
    def visible_to(self, user: User) -> HeatConnectionQuerySet:
        """Those of the households that the user sees."""
        return self.filter(household__in=Household.objects.visible_to(user))


class HeatConnection(models.Model):
    """How a household hangs on the network, as the heat company records it.

    `connected_on` is the day on which the pipes into the house were joined and tested (安装),
    `heated_on` that on which the heat company found them warm (调试); either may still be open.
    """

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    household = models.OneToOneField(Household, models.PROTECT, related_name="heat_connection")
    station = models.CharField(_("换热站"), max_length=40)
    riser = models.CharField(_("立管"), max_length=40, blank=True)
    agreement_number = models.CharField(_("入网（供用热）协议编号"), max_length=40, blank=True)
    agreement_on = models.DateField(_("协议日期"), null=True, blank=True)
    connected_on = models.DateField(_("接入日期"), null=True, blank=True)
    heated_on = models.DateField(_("通热日期"), null=True, blank=True)
    note = models.CharField(_("备注"), max_length=200, blank=True)
    entered_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    entered_at = models.DateTimeField(_("录入时间"))

    objects = HeatConnectionQuerySet.as_manager()

    class Meta:
        verbose_name = _("入网记录")
        verbose_name_plural = _("入网记录")
        ordering = ["household"]
        constraints = [
            models.CheckConstraint(name="heat_connection_has_a_station", condition=~Q(station="")),
            models.CheckConstraint(
                name="heat_connection_heated_after_connected",
                condition=Q(heated_on=None)
                | Q(connected_on__isnull=False, heated_on__gte=F("connected_on")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.household} · {self.station}"
