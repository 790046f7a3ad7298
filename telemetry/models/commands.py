"""Commands: the row is the queue."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from devices.models import Unit
from households import clock
from households.models import User
from households.uid import uuid7


class CommandState(models.TextChoices):
    """Every state a command can be in; only VERIFIED is ever shown as done."""

    AWAITING = "awaiting", _("待第二人同意")
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


WAITING = (CommandState.AWAITING, CommandState.QUEUED)
OPEN = (*WAITING, CommandState.SENDING)
SHAPES = {
    CommandState.AWAITING: "st-wait",
    CommandState.QUEUED: "st-wait",
    CommandState.SENDING: "st-run",
    CommandState.VERIFIED: "st-ok",
    CommandState.ACCEPTED: "st-acc",
    CommandState.UNKNOWN: "st-unk",
    CommandState.EXPIRED: "st-none",
    CommandState.SUPERSEDED: "st-none",
    CommandState.CANCELLED: "st-none",
}


VALID_FOR = timedelta(minutes=5)


def in_five_minutes() -> datetime:
    return clock.now() + VALID_FOR


class CommandQuerySet(models.QuerySet["Command"]):
    def visible_to(self, user: User) -> CommandQuerySet:
        return self.filter(unit__in=Unit.objects.visible_to(user))

    def open(self) -> CommandQuerySet:
        return self.filter(state__in=OPEN)

    def written(self) -> CommandQuerySet:
        """Those of which bytes went out, or may go out at this moment."""
        return self.filter(Q(sent__isnull=False) | Q(state=CommandState.SENDING))


class Command(models.Model):
    """One wish to change one signal of one unit, and what became of it.

    `before`, `target`, `sent` and `read_back` are engineering values as the register map gives
    them (number, true/false or label); `detail` is one sentence for people. The line worker that
    holds the gateway claims a row by committing `sending` with its start id and a deadline before
    the first byte leaves; rows of a dead start id become `unknown` and are settled by reading.
    `compared_at` is when a poll after the end was held against it.

    What stops a house's heating in the cold is `awaiting` until a second person agrees
    (`approved_by`). `agreement` says how the resident agreed, and `agreed_on` when. `not_before`
    keeps a waiting row back (limits, held writes, stagger of a group); a row without `expires_at`
    restores what a test changed and waits for ever.
    """

    class Reason(models.TextChoices):
        USER = "user", _("用户要求")
        FROST = "frost", _("防冻")
        SERVICE = "service", _("检修")
        TEST = "test", _("测试")
        RESTORE = "restore", _("恢复原值")  # what the platform owes after a test; nobody's choice

    class Agreement(models.TextChoices):
        """How the resident agreed."""

        PHONE = "phone", _("电话")
        ON_SITE = "on_site", _("当面")
        WRITTEN = "written", _("书面")
        MESSAGE = "message", _("微信或短信")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="commands")
    signal = models.CharField(_("项目"), max_length=40)
    target = models.JSONField(_("目标值"))
    before = models.JSONField(_("原值"), null=True)
    before_at = models.DateTimeField(null=True, editable=False)
    reason = models.CharField(_("原因"), max_length=10, choices=Reason)
    note = models.CharField(_("说明"), max_length=200, blank=True)
    agreement = models.CharField(_("住户同意"), max_length=8, blank=True, choices=Agreement)
    agreed_on = models.DateField(_("同意日期"), null=True, blank=True)
    limits = models.JSONField(default=dict)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT)
    requested_at = models.DateTimeField(default=clock.now)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, editable=False, related_name="+"
    )
    approved_at = models.DateTimeField(null=True, editable=False)
    not_before = models.DateTimeField(null=True, editable=False)
    expires_at = models.DateTimeField(default=in_five_minutes, null=True)
    obligation = models.ForeignKey(
        "telemetry.Obligation", models.PROTECT, null=True, editable=False, related_name="commands"
    )
    group = models.ForeignKey(
        "telemetry.GroupCommand", models.PROTECT, null=True, editable=False, related_name="members"
    )
    group_stage = models.PositiveSmallIntegerField(null=True, editable=False)
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
    settle_tries = models.PositiveSmallIntegerField(default=0, editable=False)

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
                condition=Q(state__in=WAITING),
                name="command_one_waiting_per_signal",
            ),
            models.CheckConstraint(
                name="command_approved_by_another",
                condition=Q(approved_by=None, approved_at=None)
                | Q(
                    ~Q(approved_by=F("requested_by")),
                    approved_by__isnull=False,
                    approved_at__isnull=False,
                ),
            ),
            models.CheckConstraint(
                name="command_only_restoring_never_expires",
                condition=Q(expires_at__isnull=False) | Q(reason="restore"),
            ),
            models.CheckConstraint(
                name="command_agreement_whole",
                condition=Q(agreement="", agreed_on=None)
                | Q(~Q(agreement=""), agreed_on__isnull=False),
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
    def is_waiting(self) -> bool:
        return self.state in WAITING

    @property
    def shape(self) -> str:
        """CSS class of the state's shape (look.md, 2)."""
        return SHAPES.get(CommandState(self.state), "st-bad")

    @property
    def seconds(self) -> float | None:
        """From the request to its end."""
        return (self.finished_at - self.requested_at).total_seconds() if self.finished_at else None
