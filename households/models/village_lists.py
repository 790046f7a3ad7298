"""The list of a village: which households it converts in a year, from its check to its filing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from households.uid import uuid7

from .areas import Area

if TYPE_CHECKING:
    from .accounts import User


class ListState(models.TextChoices):
    """Where a list stands; before its first check it has no row and is being written."""

    VERIFIED = "verified", _("待公示")
    NOTICE = "notice", _("公示中")
    SUBMITTED = "submitted", _("待镇审核")
    REVIEWED = "reviewed", _("待区备案")
    FILED = "filed", _("已备案")
    RETURNED = "returned", _("退回修改")


UNDER_WAY = (ListState.VERIFIED, ListState.NOTICE, ListState.SUBMITTED, ListState.REVIEWED)


class VillageListQuerySet(models.QuerySet["VillageList"]):
    def visible_to(self, user: User) -> VillageListQuerySet:
        """Lists of the user's area subtree; all lists for district-wide roles."""
        return self.filter(area__in=Area.objects.visible_to(user))

    def under_way(self) -> VillageListQuerySet:
        """Checked by the village and neither filed nor returned: what was shown stands still."""
        return self.filter(state__in=UNDER_WAY)


class VillageList(models.Model):
    """The list of one village (or of a town's 散户) of one year, submitted as a whole."""

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    area = models.ForeignKey(
        Area, models.PROTECT, related_name="village_lists", verbose_name=_("村（社区）")
    )
    year = models.PositiveSmallIntegerField(_("年度"))
    state = models.CharField(_("状态"), max_length=10, choices=ListState)
    verified_on = models.DateField(_("核实日期"))
    notice_from = models.DateField(_("公示开始"), null=True, blank=True)
    notice_to = models.DateField(_("公示结束"), null=True, blank=True)
    notice_digest = models.CharField(max_length=64, blank=True)  # of what was shown
    submitted_on = models.DateField(_("提交日期"), null=True, blank=True)
    reviewed_on = models.DateField(_("审核日期"), null=True, blank=True)
    filed_on = models.DateField(_("备案日期"), null=True, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = VillageListQuerySet.as_manager()

    class Meta:
        verbose_name = _("村级名单")
        verbose_name_plural = _("村级名单")
        ordering = ["-year", "area__order", "area"]
        constraints = [
            models.UniqueConstraint(fields=["area", "year"], name="village_list_once_a_year"),
            models.CheckConstraint(
                name="village_list_state_known", condition=Q(state__in=ListState.values)
            ),
            models.CheckConstraint(
                name="village_list_notice_in_order",
                condition=Q(notice_from=None, notice_to=None)
                | Q(
                    notice_from__isnull=False,
                    notice_to__isnull=False,
                    notice_to__gte=F("notice_from"),
                ),
            ),
            models.CheckConstraint(
                name="village_list_filed_on_a_day",
                condition=Q(state="filed", filed_on__isnull=False)
                | (~Q(state="filed") & Q(filed_on=None)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.year} {self.area}"


class ListEntry(models.Model):
    """A household of a list as it was when the village checked it: what the notice shows."""

    village_list = models.ForeignKey(VillageList, models.CASCADE, related_name="entries")
    household = models.ForeignKey(
        "households.Household", models.PROTECT, related_name="list_entries"
    )
    shown = models.JSONField(default=dict)  # householder, door, method, heated area
    remark = models.CharField(_("审核意见"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("名单中的户")
        verbose_name_plural = _("名单中的户")
        ordering = ["household__number"]
        constraints = [
            models.UniqueConstraint(
                fields=["village_list", "household"], name="list_entry_once_per_household"
            )
        ]

    def __str__(self) -> str:
        return f"{self.household_id}"


class ListActKind(models.TextChoices):
    VERIFY = "verify", _("村（社区）核实")
    NOTICE = "notice", _("公示")
    SUBMIT = "submit", _("提交镇（街道）审核")
    REVIEW = "review", _("镇（街道）审核")
    FILE = "file", _("区备案")
    RETURN = "return", _("退回修改")
    TAKE_BACK = "take_back", _("撤回修改")


class ListAct(models.Model):
    """One thing done with a list: by whom, on which day, with which reasons."""

    village_list = models.ForeignKey(VillageList, models.CASCADE, related_name="acts")
    kind = models.CharField(_("办理"), max_length=10, choices=ListActKind)
    on = models.DateField(_("日期"))
    at = models.DateTimeField(_("录入时间"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    reasons = models.JSONField(_("原因"), default=list)
    text = models.CharField(_("说明"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("名单办理记录")
        verbose_name_plural = _("名单办理记录")
        ordering = ["at", "pk"]
        constraints = [
            models.CheckConstraint(
                name="list_act_kind_known",
                condition=Q(kind__in=ListActKind.values),
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.on}"


class Objection(models.Model):
    """What somebody said against a list during its notice, and how that ended."""

    village_list = models.ForeignKey(VillageList, models.CASCADE, related_name="objections")
    raised_on = models.DateField(_("提出日期"))
    text = models.CharField(_("异议内容"), max_length=200)
    outcome = models.CharField(_("处理结果"), max_length=200, blank=True)
    settled_on = models.DateField(_("处理日期"), null=True, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(_("录入时间"))
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True
    )

    class Meta:
        verbose_name = _("异议")
        verbose_name_plural = _("异议")
        ordering = ["raised_on", "pk"]
        constraints = [
            models.CheckConstraint(
                name="objection_settled_whole",
                condition=Q(outcome="", settled_on=None, settled_by=None)
                | (
                    ~Q(outcome="")
                    & Q(
                        settled_on__isnull=False,
                        settled_on__gte=F("raised_on"),
                        settled_by__isnull=False,
                    )
                ),
            )
        ]

    def __str__(self) -> str:
        return self.text
