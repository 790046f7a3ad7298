"""Alarms: what somebody must look at, from the first sample until it is certainly over."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from devices.models import Unit
from households import clock
from households.models import Area, User


class Severity(models.TextChoices):
    CRITICAL = "critical", _("严重")
    WARNING = "warning", _("一般")
    INFO = "info", _("提示")


BY_GRAVITY = (Severity.INFO, Severity.WARNING, Severity.CRITICAL)
SEVERITY_SHAPES = {"critical": "st-bad", "warning": "st-warn", "info": "st-wait"}


class AlarmKind(models.TextChoices):
    UNIT_SILENT = "unit_silent", _("机组离线")
    FAULT = "fault", _("机组故障")
    FREEZE_RISK = "freeze_risk", _("冻结风险")
    TRANSMITTER_DOWN = "transmitter_down", _("装置离线")
    VILLAGE_OUT = "village_out", _("整村离线")
    TWO_ON_ONE = "two_on_one", _("同一地址两台机组")
    FLAPPING = "flapping", _("装置编号被争用")
    SECOND_MASTER = "second_master", _("链路上有其他主站")
    RESTORE_OVERDUE = "restore_overdue", _("测试后未恢复")
    BUDGET = "budget", _("月流量预警")
    WORKER_GONE = "worker_gone", _("采集进程停止")


class AlarmQuerySet(models.QuerySet["Alarm"]):
    def visible_to(self, user: User) -> AlarmQuerySet:
        """Of the units that the user may see, of the gateways before these, and of his areas;
        who sees the whole district sees all. A supplier learns of no area's alarm."""
        if user.sees_whole_district:
            return self
        units = Unit.objects.visible_to(user).filter(retired_at=None)
        areas = Area.objects.visible_to(user) if user.is_active else Area.objects.none()
        return self.filter(
            Q(unit__in=Unit.objects.visible_to(user).values("pk"))
            | Q(gateway__in=units.values("gateway"))
            | Q(area__in=areas)
        )

    def raised(self) -> AlarmQuerySet:
        """What was confirmed; a first sample alone is no alarm."""
        return self.filter(raised_at__isnull=False)

    def open(self) -> AlarmQuerySet:
        """Raised and not over, whether acknowledged or not."""
        return self.raised().filter(cleared_at=None)

    def waiting(self) -> AlarmQuerySet:
        """Open, and nobody has acknowledged it."""
        return self.open().filter(acknowledged_at=None)


class Alarm(models.Model):
    """One thing that is wrong with one subject: a unit, a gateway, an area or a line worker.

    A row begins with the first sample that shows it (`seen_at`); it is an alarm from `raised_at`
    on, which a second sample gives. `sample_at` is the newest sample counted, `better_at` the
    first one since then without it, `cleared_at` when it was certainly over. `evidence` holds
    figures and names for `telemetry.alarm_words`, never a person's.
    """

    kind = models.CharField(_("告警类别"), max_length=20, choices=AlarmKind)
    severity = models.CharField(_("级别"), max_length=8, choices=Severity)
    unit = models.ForeignKey(
        "devices.Unit", models.CASCADE, null=True, blank=True, related_name="alarms"
    )
    gateway = models.ForeignKey(
        "devices.Gateway", models.CASCADE, null=True, blank=True, related_name="alarms"
    )
    area = models.ForeignKey(
        "households.Area", models.CASCADE, null=True, blank=True, related_name="alarms"
    )
    line_worker = models.CharField(_("采集进程"), max_length=40, blank=True)
    seen_at = models.DateTimeField(_("首次发现"))
    sample_at = models.DateTimeField(editable=False)
    raised_at = models.DateTimeField(_("发生时间"), null=True, blank=True)
    better_at = models.DateTimeField(null=True, blank=True, editable=False)
    cleared_at = models.DateTimeField(_("消除时间"), null=True, blank=True)
    acknowledged_at = models.DateTimeField(_("确认时间"), null=True, blank=True)
    acknowledged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name=_("确认人"),
    )
    note = models.CharField(_("处理说明"), max_length=200, blank=True)
    evidence = models.JSONField(default=dict)

    objects = AlarmQuerySet.as_manager()

    class Meta:
        verbose_name = _("告警")
        verbose_name_plural = _("告警")
        ordering = ["-raised_at", "-pk"]
        indexes = [
            models.Index(fields=["-raised_at"], name="alarm_newest_first"),
            models.Index(fields=["unit"], condition=Q(cleared_at=None), name="alarm_open_of_unit"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "unit", "gateway", "area", "line_worker"],
                condition=Q(cleared_at=None),
                nulls_distinct=False,
                name="alarm_one_open_per_kind",
            ),
            models.CheckConstraint(
                name="alarm_of_one_subject",
                condition=Q(unit__isnull=False, gateway=None, area=None, line_worker="")
                | Q(unit=None, gateway__isnull=False, area=None, line_worker="")
                | Q(unit=None, gateway=None, area__isnull=False, line_worker="")
                | (Q(unit=None, gateway=None, area=None) & ~Q(line_worker="")),
            ),
            models.CheckConstraint(name="alarm_kind_known", condition=Q(kind__in=AlarmKind.values)),
            models.CheckConstraint(
                name="alarm_severity_known", condition=Q(severity__in=Severity.values)
            ),
            models.CheckConstraint(
                name="alarm_acknowledged_by_somebody",
                condition=Q(acknowledged_at=None, acknowledged_by=None)
                | Q(acknowledged_at__isnull=False, acknowledged_by__isnull=False),
            ),
            models.CheckConstraint(
                name="alarm_cleared_after_it_was_raised",
                condition=Q(cleared_at=None) | Q(raised_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return str(AlarmKind(self.kind).label)

    @property
    def shape(self) -> str:
        """CSS class of the severity's shape (look.md, 2)."""
        return SEVERITY_SHAPES[self.severity]

    @property
    def is_open(self) -> bool:
        return self.raised_at is not None and self.cleared_at is None

    @property
    def lasted(self) -> timedelta | None:
        """From its first sample until it was over, or until now."""
        return (self.cleared_at or clock.now()) - self.seen_at if self.raised_at else None

    def may_be_acknowledged_by(self, user: User) -> bool:
        """By offices that answer for it while it is open; the caller has asked `visible_to`."""
        return user.may_acknowledge and self.is_open and self.acknowledged_at is None

    def acknowledge(self, by: User, note: str) -> bool:
        """Note that somebody takes care of it; False where another was first or it is over."""
        rows = Alarm.objects.waiting().filter(pk=self.pk)
        changes: dict[str, Any] = {"acknowledged_at": clock.now(), "acknowledged_by": by}
        done = bool(rows.update(**changes, note=note))
        self.refresh_from_db()
        return done
