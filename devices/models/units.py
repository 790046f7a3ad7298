"""Heating units: things at an address."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from households.models import Area, User

from .gateways import Gateway
from .products import DeviceModel, RegisterMap


class UnitQuerySet(models.QuerySet["Unit"]):
    def in_service(self) -> UnitQuerySet:
        """Not retired, and reached over an enabled gateway."""
        return self.filter(retired_at=None, gateway__enabled=True)

    def installed(self) -> UnitQuerySet:
        """Standing in a household now; samples and spares are left out."""
        return self.filter(
            retired_at=None, installations__isnull=False, installations__removed_on=None
        )

    def visible_to(self, user: User) -> UnitQuerySet:
        """Whole district, or installed in the user's areas, or made by the user's supplier."""
        if user.sees_whole_district:
            return self
        if user.is_active and user.area:
            here = Area.objects.under(user.area)
            return self.filter(
                installations__removed_on=None, installations__household__area__in=here
            )
        return self.filter(model__supplier__members__user=user) if user.is_active else self.none()


class Unit(models.Model):
    """A heating unit behind a gateway.

    `address` is the unit's address on its line (1..247 in one byte, up to 65,535 natively);
    `network_address` is the platform-wide address 1..65,535 of Annex 2 item 3. Both are unique
    among units that are not retired.
    """

    gateway = models.ForeignKey(Gateway, models.PROTECT, related_name="units")
    address = models.PositiveIntegerField(_("线上地址"))
    network_address = models.PositiveIntegerField(_("网络地址"), null=True, blank=True)
    model = models.ForeignKey(DeviceModel, models.PROTECT, related_name="units")
    register_map = models.ForeignKey(RegisterMap, models.PROTECT, related_name="units")
    module = models.PositiveSmallIntegerField(_("模块号"), null=True, blank=True)
    factory_number = models.CharField(_("设备出厂地址编号"), max_length=40, blank=True)
    in_service_since = models.DateTimeField(_("投入时间"))
    retired_at = models.DateTimeField(_("停用时间"), null=True, blank=True)
    interval_s = models.PositiveIntegerField(_("采集间隔（秒）"), null=True, blank=True)

    objects = UnitQuerySet.as_manager()

    class Meta:
        verbose_name = _("取暖设备")
        verbose_name_plural = _("取暖设备")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["gateway", "address", "module"],
                condition=Q(retired_at=None),
                name="unit_address_once_per_gateway",
                nulls_distinct=False,
            ),
            models.UniqueConstraint(
                fields=["network_address"],
                condition=Q(retired_at=None),
                name="unit_network_address_once",
            ),
            # Modules of one machine share its plate.
            models.UniqueConstraint(
                fields=["model", "factory_number", "module"],
                condition=Q(retired_at=None) & ~Q(factory_number=""),
                name="unit_factory_number_once_per_model",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                name="unit_address_range", condition=Q(address__range=(1, 65535))
            ),
            models.CheckConstraint(
                name="unit_network_address_range",
                condition=Q(network_address=None) | Q(network_address__range=(1, 65535)),
            ),
            models.CheckConstraint(
                name="unit_interval_positive",
                condition=Q(interval_s=None) | Q(interval_s__gte=1),
            ),
        ]

    def __str__(self) -> str:
        return self.factory_number or f"{self.gateway} · {self.address}"
