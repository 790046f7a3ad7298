"""Installation records: which unit stands in which household, from when to when."""

from __future__ import annotations

from datetime import date

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from households.models import Household, PositionSource, User
from households.models.households import POSITION_WHOLE
from households.uid import uuid7

from .units import Unit


class InstallationQuerySet(models.QuerySet["Installation"]):
    def open_on(self, day: date) -> InstallationQuerySet:
        """Standing on that day: installed by then and not yet removed."""
        still_there = Q(removed_on=None) | Q(removed_on__gt=day)
        return self.filter(still_there, installed_on__lte=day)

    def standing(self) -> InstallationQuerySet:
        """Not removed."""
        return self.filter(removed_on=None)

    def visible_to(self, user: User) -> InstallationQuerySet:
        """Those in the households that the user sees."""
        return self.filter(household__in=Household.objects.visible_to(user))


class Installation(models.Model):
    """A dated record with the twelve values of Annex 2 item 5.

    Town, village, door, name and phone are the household's; maker, name and model the unit's;
    what was true on the day and may change later (area, position, the two numbers on the plates)
    is kept here. `content` is the digest of what was first sent under `uid`: sent again it is the
    same record, whatever was corrected since.
    """

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    household = models.ForeignKey(Household, models.PROTECT, related_name="installations")
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="installations")
    installed_on = models.DateField(_("安装日期"))
    removed_on = models.DateField(_("拆除日期"), null=True, blank=True)
    heated_area = models.DecimalField(
        _("取暖面积"), max_digits=7, decimal_places=1, validators=[MinValueValidator(1)]
    )
    latitude = models.FloatField(_("纬度"), null=True, blank=True)
    longitude = models.FloatField(_("经度"), null=True, blank=True)
    factory_number = models.CharField(_("设备出厂地址编号"), max_length=40)
    transmitter_number = models.CharField(_("无线传输设备地址编号"), max_length=40, blank=True)
    position_source = models.CharField(
        _("坐标来源"), max_length=8, choices=PositionSource, blank=True
    )
    accuracy_m = models.FloatField(_("定位精度（米）"), null=True, blank=True)
    note = models.CharField(_("备注"), max_length=200, blank=True)
    content = models.CharField(max_length=64, blank=True, editable=False)
    entered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    entered_at = models.DateTimeField(_("录入时间"), null=True, blank=True)

    objects = InstallationQuerySet.as_manager()

    class Meta:
        verbose_name = _("安装记录")
        verbose_name_plural = _("安装记录")
        ordering = ["-installed_on", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["unit"], condition=Q(removed_on=None), name="installation_once_per_unit"
            ),
            models.CheckConstraint(
                name="installation_ends_after_it_began",
                condition=Q(removed_on=None) | Q(removed_on__gte=F("installed_on")),
            ),
            models.CheckConstraint(
                name="installation_area_plausible", condition=Q(heated_area__gt=0)
            ),
            models.CheckConstraint(name="installation_position_whole", condition=POSITION_WHOLE),
            models.CheckConstraint(
                name="installation_position_source_known",
                condition=Q(position_source="") | Q(position_source__in=PositionSource.values),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.household} · {self.unit}"
