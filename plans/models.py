"""The year's task as the notice sets it."""

from __future__ import annotations

import secrets
from datetime import timedelta

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from households import clock
from households.models import REACHES, ApiToken, Area, Method, User


class TaskPlan(models.Model):
    """改造任务计划表 of one year and district, with the notice that ordered it."""

    district = models.ForeignKey(Area, models.PROTECT, related_name="task_plans")
    year = models.PositiveSmallIntegerField(_("年度"))
    basis = models.CharField(_("依据（文号）"), max_length=60)
    starts_on = models.DateField(_("开始日期"))
    works_done_by = models.DateField(_("完工节点"))
    ends_on = models.DateField(_("结束日期"))

    class Meta:
        verbose_name = _("改造任务计划表")
        verbose_name_plural = _("改造任务计划表")
        ordering = ["-year"]
        constraints = [
            models.UniqueConstraint(fields=["district", "year"], name="plan_once_a_year"),
            models.CheckConstraint(
                name="plan_dates_in_order",
                condition=Q(starts_on__lt=F("works_done_by"), works_done_by__lte=F("ends_on")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.year} · {self.basis}"


class PlanItemQuerySet(models.QuerySet["PlanItem"]):
    def visible_to(self, user: User) -> PlanItemQuerySet:
        """Lines of the user's area subtree; all lines for district-wide roles, and for those who
        follow the plan wherever it is carried out: companies and supervisors without an area."""
        if user.is_active and user.follows_plan and user.role in REACHES and not user.area:
            return self
        return self.filter(area__in=Area.objects.visible_to(user))


class PlanItem(models.Model):
    """One line: how many households of one village (or of a town's 散户), by method."""

    plan = models.ForeignKey(TaskPlan, models.CASCADE, related_name="items")
    seq = models.PositiveSmallIntegerField(_("序号"))
    area = models.ForeignKey(Area, models.PROTECT, related_name="plan_items")
    households = models.PositiveIntegerField(_("改造户数"))
    central_heating = models.PositiveIntegerField(_("集中供热"), default=0)
    coal_to_electricity = models.PositiveIntegerField(_("电代煤"), default=0)
    coal_to_gas = models.PositiveIntegerField(_("气代煤"), default=0)
    industrial_waste_heat = models.PositiveIntegerField(_("工业余热"), default=0)
    note = models.CharField(_("备注"), max_length=100, blank=True)

    objects = PlanItemQuerySet.as_manager()

    class Meta:
        verbose_name = _("计划任务")
        verbose_name_plural = _("计划任务")
        ordering = ["plan", "seq"]
        constraints = [
            models.UniqueConstraint(fields=["plan", "seq"], name="plan_item_seq_once"),
            models.UniqueConstraint(fields=["plan", "area"], name="plan_item_area_once"),
            models.CheckConstraint(
                name="plan_item_methods_add_up",
                condition=Q(
                    households=F("central_heating")
                    + F("coal_to_electricity")
                    + F("coal_to_gas")
                    + F("industrial_waste_heat")
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.seq} {self.area}"

    @property
    def by_method(self) -> dict[Method, int]:
        return {method: getattr(self, method) for method in Method}


class WallLinkQuerySet(models.QuerySet["WallLink"]):
    def visible_to(self, user: User) -> WallLinkQuerySet:
        """All links for those who give them out, none for others."""
        return self if user.hangs_walls else self.none()


class WallLink(models.Model):
    """An address that shows the wall screen without signing in, and nothing else.

    The screen shows what `created_by` sees, as long as that account may give out such links.
    """

    name = models.CharField(_("挂在哪里"), max_length=60)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_by = models.ForeignKey(User, models.PROTECT, related_name="wall_links")
    created_at = models.DateTimeField(_("生成时间"))
    expires_at = models.DateTimeField(_("有效期至"))
    last_used_at = models.DateTimeField(_("最近使用"), null=True, editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)

    objects = WallLinkQuerySet.as_manager()

    class Meta:
        verbose_name = _("大屏链接")
        verbose_name_plural = _("大屏链接")
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                name="wall_link_ends_after_it_begins",
                condition=Q(expires_at__gt=F("created_at")),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def issue(cls, by: User, name: str, days: int) -> tuple[WallLink, str]:
        """A new link and the secret of its address, which is shown this once."""
        secret = secrets.token_urlsafe(24)
        now = clock.now()
        link = cls.objects.create(
            name=name,
            digest=ApiToken.digest_of(secret),
            created_by=by,
            created_at=now,
            expires_at=now + timedelta(days=days),
        )
        return link, secret

    @property
    def is_valid(self) -> bool:
        return (
            self.revoked_at is None
            and self.expires_at > clock.now()
            and self.created_by.hangs_walls
        )
