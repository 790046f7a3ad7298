"""Group commands: one wish for many units, carried out in steps that people confirm."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from households import clock

from .commands import Command


class GroupCommand(models.Model):
    """One value for one signal of many units: preview, one unit, a tenth, all.

    `units` are the ids that take part, in the order of their turn; `left_out` says of each other
    one why: `[[unit id, words], …]`. Members are the commands with this group; a unit without one
    has not had its turn. `stage` is the last that was confirmed.
    """

    class Stage(models.TextChoices):
        PREVIEW = "preview", _("预览")
        ONE = "one", _("第 1 步：1 台")
        TENTH = "tenth", _("第 2 步：10%")
        ALL = "all", _("第 3 步：全部")
        DONE = "done", _("已结束")
        STOPPED = "stopped", _("失败过多，已停止")
        CANCELLED = "cancelled", _("已取消")

    signal = models.CharField(_("项目"), max_length=40)
    target = models.JSONField(_("目标值"))
    reason = models.CharField(_("原因"), max_length=10, choices=Command.Reason)
    note = models.CharField(_("说明"), max_length=200, blank=True)
    agreement = models.CharField(_("住户同意"), max_length=8, blank=True, choices=Command.Agreement)
    agreed_on = models.DateField(_("同意日期"), null=True, blank=True)
    area = models.ForeignKey("households.Area", models.PROTECT, verbose_name=_("区域"))
    model = models.ForeignKey(
        "devices.DeviceModel", models.PROTECT, null=True, blank=True, verbose_name=_("设备型号")
    )
    units = models.JSONField(default=list)
    left_out = models.JSONField(default=list)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    requested_at = models.DateTimeField(default=clock.now)
    stage = models.CharField(_("步骤"), max_length=9, choices=Stage, default=Stage.PREVIEW)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("群组命令")
        verbose_name_plural = _("群组命令")
        ordering = ["-requested_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                name="group_command_ends_with_its_stage",
                condition=Q(stage__in=("preview", "one", "tenth", "all"), ended_at=None)
                | Q(stage__in=("done", "stopped", "cancelled"), ended_at__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return f"{self.signal} → {self.target}"

    @property
    def shape(self) -> str:
        """CSS class of the stage's shape (look.md, 2)."""
        return {"preview": "st-wait", "stopped": "st-bad", "cancelled": "st-none"}.get(
            self.stage, "st-acc" if self.stage == self.Stage.DONE else "st-run"
        )
