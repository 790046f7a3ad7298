"""The steps of a household's path, in the order that the notice sets (先立后破)."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class StepKind(models.TextChoices):
    """Eight steps; each has a column `<kind>_on` of Household for its valid date."""

    SURVEYED = "surveyed", _("摸底登记")
    LISTED = "listed", _("列入计划")
    SIGNED = "signed", _("签订协议")
    INSTALLED = "installed", _("安装")
    COMMISSIONED = "commissioned", _("调试合格")
    ACCEPTED = "accepted", _("竣工验收")
    PROVEN = "proven", _("运行检验合格")
    STOVE_REMOVED = "stove_removed", _("拆除原有燃煤取暖设施")


class Step(models.Model):
    """That a step was taken: when, recorded by whom, and what it lacks.

    A step that lacks a paper is kept as it is (手续不全) and counts for nothing; taking the step
    again with its papers adds a row, the latest row of a kind speaks.
    """

    household = models.ForeignKey("households.Household", models.CASCADE, related_name="steps")
    kind = models.CharField(_("步骤"), max_length=16, choices=StepKind)
    on = models.DateField(_("日期"))
    lacks = models.JSONField(_("缺什么"), default=list)
    note = models.CharField(_("说明"), max_length=200, blank=True)
    # 补录: taken long before it was entered, by somebody else than who enters it.
    entered_later = models.BooleanField(_("补录"), default=False)
    done_by = models.CharField(_("当时由谁办"), max_length=60, blank=True)
    why = models.CharField(_("补录原因"), max_length=200, blank=True)
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT)
    recorded_at = models.DateTimeField(_("录入时间"))

    class Meta:
        verbose_name = _("步骤")
        verbose_name_plural = _("步骤")
        ordering = ["recorded_at", "pk"]
        indexes = [models.Index(fields=["household", "kind", "-recorded_at"])]
        constraints = [
            models.CheckConstraint(name="step_kind_known", condition=Q(kind__in=StepKind.values)),
            models.CheckConstraint(
                name="step_entered_later_says_who_and_why",
                condition=Q(entered_later=False, done_by="", why="")
                | (Q(entered_later=True) & ~Q(done_by="") & ~Q(why="")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.on}"
