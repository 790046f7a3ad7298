"""Commands: the row is the queue."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from devices.models import Unit
from households import clock
from households.models import User
from households.uid import uuid7


class CommandState(models.TextChoices):
    """Every state a command can be in; only VERIFIED is ever shown as done."""

    QUEUED = "queued", _("排队中")
    SENDING = "sending", _("执行中")
    VERIFIED = "verified", _("已回读确认")
    ACCEPTED = "accepted", _("已受理（无法回读）")
    REFUSED = "refused", _("设备拒绝")
    FAILED = "failed", _("回读不符")
    NOT_HELD = "not_held", _("未保持")
    UNKNOWN = "unknown", _("结果待核实")
    EXPIRED = "expired", _("已过期")
    SUPERSEDED = "superseded", _("已被替代")
    CANCELLED = "cancelled", _("已取消")


OPEN = (CommandState.QUEUED, CommandState.SENDING)
SHAPES = {
    CommandState.QUEUED: "st-wait",
    CommandState.SENDING: "st-run",
    CommandState.VERIFIED: "st-ok",
    CommandState.ACCEPTED: "st-acc",
    CommandState.UNKNOWN: "st-unk",
    CommandState.EXPIRED: "st-none",
    CommandState.SUPERSEDED: "st-none",
    CommandState.CANCELLED: "st-none",
}


def in_five_minutes() -> datetime:
    return clock.now() + timedelta(minutes=5)


class CommandQuerySet(models.QuerySet["Command"]):
    def visible_to(self, user: User) -> CommandQuerySet:
        return self.filter(unit__in=Unit.objects.visible_to(user))

    def open(self) -> CommandQuerySet:
        return self.filter(state__in=OPEN)


class Command(models.Model):
    """One wish to change one signal of one unit, and what became of it.

    `before`, `target`, `sent` and `read_back` are engineering values as the register map gives
    them (number, true/false or label); `detail` is one sentence for people. The line worker that
    holds the gateway claims a row by committing `sending` with its start id and a deadline before
    the first byte leaves; rows of a dead start id become `unknown` and are settled by reading.
    `compared_at` is when a poll after the end was held against it.
    """

    class Reason(models.TextChoices):
        USER = "user", _("用户要求")
        FROST = "frost", _("防冻")
        SERVICE = "service", _("检修")
        TEST = "test", _("测试")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="commands")
    signal = models.CharField(_("项目"), max_length=40)
    target = models.JSONField(_("目标值"))
    before = models.JSONField(_("原值"), null=True)
    reason = models.CharField(_("原因"), max_length=10, choices=Reason)
    note = models.CharField(_("说明"), max_length=200, blank=True)
    limits = models.JSONField(default=dict)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT)
    requested_at = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField(default=in_five_minutes)
    state = models.CharField(
        _("状态"), max_length=10, choices=CommandState, default=CommandState.QUEUED
    )
    claimed_by = models.UUIDField(null=True, editable=False)
    sending_since = models.DateTimeField(null=True, editable=False)
    deadline_at = models.DateTimeField(null=True, editable=False)
    finished_at = models.DateTimeField(null=True, editable=False)
    sent = models.JSONField(null=True, editable=False)
    read_back = models.JSONField(null=True, editable=False)
    detail = models.CharField(max_length=300, blank=True, editable=False)
    compared_at = models.DateTimeField(null=True, editable=False)

    objects = CommandQuerySet.as_manager()

    class Meta:
        verbose_name = _("命令")
        verbose_name_plural = _("命令")
        ordering = ["-requested_at", "-pk"]
        indexes = [
            models.Index(fields=["unit", "-requested_at"]),
            models.Index(fields=["state"], condition=Q(state__in=OPEN), name="command_open"),
            models.Index(
                fields=["finished_at"],
                condition=Q(state__in=("unknown", "verified"), compared_at=None),
                name="command_to_compare",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                name="command_state_known", condition=Q(state__in=CommandState.values)
            ),
            models.UniqueConstraint(
                fields=["unit", "signal"],
                condition=Q(state=CommandState.QUEUED),
                name="command_one_queued_per_signal",
            ),
            models.CheckConstraint(
                name="command_sending_is_claimed",
                condition=~Q(state=CommandState.SENDING)
                | Q(claimed_by__isnull=False, deadline_at__isnull=False),
            ),
            models.CheckConstraint(
                name="command_finished_when_closed",
                condition=Q(state__in=OPEN, finished_at=None)
                | Q(~Q(state__in=OPEN), finished_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.signal} → {self.target}"

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    @property
    def shape(self) -> str:
        """CSS class of the state's shape (look.md, 2)."""
        return SHAPES.get(CommandState(self.state), "st-bad")

    @property
    def seconds(self) -> float | None:
        """From the request to its end."""
        return (self.finished_at - self.requested_at).total_seconds() if self.finished_at else None
