"""Papers of lists and change slips: photos of a notice, scans of a basis."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from households.uid import uuid7

from .areas import Area

if TYPE_CHECKING:
    from .accounts import User


class PaperQuerySet(models.QuerySet["Paper"]):
    def visible_to(self, user: User) -> PaperQuerySet:
        """Papers of the lists and slips that the user may see."""
        areas = Area.objects.visible_to(user)
        return self.filter(Q(village_list__area__in=areas) | Q(slip__area__in=areas))


class Paper(models.Model):
    """A scan or photo that belongs to a list or a slip; its content lies sealed in the vault."""

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    village_list = models.ForeignKey(
        "households.VillageList", models.PROTECT, related_name="papers", null=True, blank=True
    )
    slip = models.ForeignKey(
        "households.ChangeSlip", models.PROTECT, related_name="papers", null=True, blank=True
    )
    title = models.CharField(_("材料"), max_length=80)
    content_type = models.CharField(max_length=40)
    size = models.PositiveIntegerField(_("字节"))
    digest = models.CharField(max_length=64)  # SHA-256 of the file as it came
    file = models.CharField(max_length=120)
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    added_at = models.DateTimeField(_("录入时间"))

    objects = PaperQuerySet.as_manager()

    class Meta:
        verbose_name = _("名单与变更单材料")
        verbose_name_plural = _("名单与变更单材料")
        ordering = ["added_at", "pk"]
        constraints = [
            models.CheckConstraint(
                name="paper_of_one_list_or_slip",
                condition=Q(village_list__isnull=False, slip=None)
                | Q(village_list=None, slip__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return self.title
