"""Change slips (变更单): the only way in which a filed list changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from households.uid import uuid7

from .areas import Area
from .households import Method

if TYPE_CHECKING:
    from .accounts import User


class SlipKind(models.TextChoices):
    ADDED = "added", _("新增")
    WITHDRAWN = "withdrawn", _("退出改造")
    SWAPPED = "swapped", _("调换")
    METHOD = "method", _("改造方式变更")
    HOUSEHOLDER = "householder", _("户主变更")
    SPLIT = "split", _("分户")
    MERGED = "merged", _("并户")
    VACANT = "vacant", _("空置")
    DEMOLITION = "demolition", _("列入拆迁")


class SlipState(models.TextChoices):
    DRAFT = "draft", _("草稿")
    SUBMITTED = "submitted", _("待镇审核")
    REVIEWED = "reviewed", _("待区备案")
    EFFECTIVE = "effective", _("已生效")
    RETURNED = "returned", _("退回修改")
    REFUSED = "refused", _("不予变更")
    CANCELLED = "cancelled", _("已撤销")


class ChangeSlipQuerySet(models.QuerySet["ChangeSlip"]):
    def visible_to(self, user: User) -> ChangeSlipQuerySet:
        """Slips of the user's area subtree; all slips for district-wide roles."""
        return self.filter(area__in=Area.objects.visible_to(user))

    def open(self) -> ChangeSlipQuerySet:
        """Neither in effect nor at an end."""
        ended = (SlipState.EFFECTIVE, SlipState.REFUSED, SlipState.CANCELLED)
        return self.exclude(state__in=ended)


class ChangeSlip(models.Model):
    """One change of households of one village, with its basis; it takes effect once.

    `values` is what the kind asks for, such as the new method; which households it concerns, and
    what it did to the task, say its lines.
    """

    class Why(models.TextChoices):
        """Why a slip is wanted, picked; the paper's own words go into its note."""

        GIVEN_UP = "given_up", _("自愿放弃")
        CONVERTED = "converted", _("已自行改造")
        MOVED = "moved", _("迁出或去世")
        FORGOTTEN = "forgotten", _("漏报")
        SOLD = "sold", _("房屋买卖、继承")
        FAMILY = "family", _("分家、合户")
        NETWORK = "network", _("管网条件变化")
        EMPTY = "empty", _("长期无人居住")
        DEMOLITION = "demolition", _("列入拆迁计划")
        OTHER = "other", _("其他")

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    year = models.PositiveSmallIntegerField(_("年度"))
    area = models.ForeignKey(
        Area, models.PROTECT, related_name="change_slips", verbose_name=_("村（社区）")
    )
    town = models.ForeignKey(Area, models.PROTECT, related_name="+", verbose_name=_("镇（街道）"))
    serial = models.PositiveSmallIntegerField(_("序号"))
    kind = models.CharField(_("变更事项"), max_length=12, choices=SlipKind)
    state = models.CharField(_("状态"), max_length=10, choices=SlipState, default=SlipState.DRAFT)
    basis = models.CharField(_("调整依据（文号）"), max_length=80)
    basis_on = models.DateField(_("依据日期"))
    reason = models.CharField(_("原因"), max_length=40, choices=Why)
    note = models.CharField(_("说明"), max_length=200, blank=True)
    values: Any = models.JSONField(default=dict)
    effective_on = models.DateField(_("生效日期"), null=True, blank=True)
    drafted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    drafted_at = models.DateTimeField(_("起草时间"))
    updated_at = models.DateTimeField(auto_now=True)

    objects = ChangeSlipQuerySet.as_manager()

    class Meta:
        verbose_name = _("变更单")
        verbose_name_plural = _("变更单")
        ordering = ["-drafted_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["year", "town", "serial"], name="slip_number_once_per_town"
            ),
            models.CheckConstraint(name="slip_kind_known", condition=Q(kind__in=SlipKind.values)),
            models.CheckConstraint(
                name="slip_state_known", condition=Q(state__in=SlipState.values)
            ),
            models.CheckConstraint(
                name="slip_effective_on_a_day",
                condition=Q(state="effective", effective_on__isnull=False)
                | (~Q(state="effective") & Q(effective_on=None)),
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def number(self) -> str:
        """As papers print it: 2026-钟家庄街道-007."""
        return f"{self.year}-{self.town.name}-{self.serial:03d}"


class Part(models.TextChoices):
    """What a slip does with one of its households."""

    CHANGES = "changes", _("变更")
    JOINS = "joins", _("调入")
    LEAVES = "leaves", _("调出")
    STAYS = "stays", _("保留")


class SlipLine(models.Model):
    """One household of a slip, and what the slip did with it.

    `left` and `joined` are the methods under which the household left or joined the year's task
    when the slip took effect: the adjusted task is counted from them.
    """

    slip = models.ForeignKey(ChangeSlip, models.CASCADE, related_name="lines")
    household = models.ForeignKey(
        "households.Household",
        models.PROTECT,
        related_name="slip_lines",
        null=True,
        blank=True,
        verbose_name=_("改造户"),
    )
    part = models.CharField(_("变更"), max_length=8, choices=Part)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    left = models.CharField(max_length=24, choices=Method, blank=True)
    joined = models.CharField(max_length=24, choices=Method, blank=True)

    class Meta:
        verbose_name = _("变更单中的户")
        verbose_name_plural = _("变更单中的户")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["slip", "household"], name="slip_line_once_per_household"
            ),
            models.CheckConstraint(
                name="slip_line_part_known",
                condition=Q(part__in=Part.values),
            ),
            models.CheckConstraint(
                name="slip_line_methods_known",
                condition=Q(left__in=["", *Method.values], joined__in=["", *Method.values]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_part_display()} {self.household}"


class SlipActKind(models.TextChoices):
    DRAFT = "draft", _("起草")
    SUBMIT = "submit", _("提交镇（街道）审核")
    REVIEW = "review", _("镇（街道）审核")
    APPROVE = "approve", _("区备案，生效")
    RETURN = "return", _("退回修改")
    REFUSE = "refuse", _("不予变更")
    CANCEL = "cancel", _("撤销")


class SlipAct(models.Model):
    """One thing done with a slip: by whom, when, with which reasons."""

    slip = models.ForeignKey(ChangeSlip, models.CASCADE, related_name="acts")
    kind = models.CharField(_("办理"), max_length=10, choices=SlipActKind)
    at = models.DateTimeField(_("录入时间"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    reasons = models.JSONField(_("原因"), default=list)
    text = models.CharField(_("说明"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("变更单办理记录")
        verbose_name_plural = _("变更单办理记录")
        ordering = ["at", "pk"]
        constraints = [
            models.CheckConstraint(
                name="slip_act_kind_known",
                condition=Q(kind__in=SlipActKind.values),
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}"
