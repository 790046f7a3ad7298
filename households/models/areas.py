"""District, towns (streets) and villages (communities)."""

from __future__ import annotations

from django.db import models
from django.db.models import Case, F, Q, When
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _


class AreaQuerySet(models.QuerySet["Area"]):
    def under(self, area: Area) -> AreaQuerySet:
        """`area` itself and all that it owns, down to the villages."""
        return self.filter(Q(pk=area.pk) | Q(owner=area) | Q(owner__owner=area))

    def visible_to(self, user: object) -> AreaQuerySet:
        """All areas where the user's scope is the whole district, else the subtree of his own."""
        if getattr(user, "sees_whole_district", False):
            return self
        area = getattr(user, "area", None)
        return self.under(area) if area else self.none()

    def by_town(self) -> AreaQuerySet:
        """Each town followed by its villages, both in the notice's order: `order` counts towns and
        villages apart."""
        village = Q(level=Area.Level.VILLAGE)
        town_order = Case(When(village, then=F("owner__order")), default=F("order"))
        town = Case(When(village, then=F("owner")), default=F("pk"))
        return self.order_by(
            town_order, town, Case(When(village, then=1), default=0), "order", "pk"
        )


class Area(models.Model):
    """A place that answers for households.

    `owner` is set by hand and never derived from an administrative code: which town answers for a
    village is what the notice says, not what digits say. `order` is the order of the notice.
    """

    class Level(models.TextChoices):
        DISTRICT = "district", _("区")
        TOWN = "town", _("镇（街道）")
        VILLAGE = "village", _("村（社区）")

    level = models.CharField(_("层级"), max_length=8, choices=Level)
    owner = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="members",
        verbose_name=_("上级"),
    )
    name = models.CharField(_("名称"), max_length=40)
    order = models.PositiveIntegerField(_("序号"), default=0)

    objects = AreaQuerySet.as_manager()

    class Meta:
        verbose_name = _("区域")
        verbose_name_plural = _("区域")
        ordering = ["order", "pk"]
        constraints = [
            models.CheckConstraint(
                name="area_owner_unless_district",
                condition=Q(level="district", owner=None)
                | (~Q(level="district") & Q(owner__isnull=False)),
            ),
            models.UniqueConstraint(
                fields=["owner", "name"], name="area_name_once_per_owner", nulls_distinct=False
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def town(self) -> Area | None:
        """The town that answers: itself, a village's owner, or None for the district."""
        if self.level == self.Level.TOWN:
            return self
        return self.owner if self.level == self.Level.VILLAGE else None

    @property
    def as_village(self) -> str:
        """What the column 村（社区） says: a town itself answers for its scattered households."""
        return self.name if self.level == self.Level.VILLAGE else gettext("（散户）")


class NumberLine(models.Model):
    """The 户编号 of one place in one year: year-line-serial. `last` is the newest serial.

    The line is the place's serial number in the year's task plan where there was a plan when the
    first number was given.
    """

    year = models.PositiveSmallIntegerField(_("年度"))
    area = models.ForeignKey(Area, models.PROTECT, related_name="number_lines")
    line = models.PositiveSmallIntegerField(_("序号"))
    last = models.PositiveIntegerField(_("末号"), default=0)

    class Meta:
        verbose_name = _("户编号序列")
        verbose_name_plural = _("户编号序列")
        constraints = [
            models.UniqueConstraint(fields=["year", "area"], name="number_line_once_per_area"),
            models.UniqueConstraint(fields=["year", "line"], name="number_line_once_a_year"),
            models.CheckConstraint(name="number_line_range", condition=Q(line__range=(1, 999))),
        ]

    def __str__(self) -> str:
        return f"{self.year % 100:02d}-{self.line:02d}"
