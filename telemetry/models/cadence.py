"""How often units are asked, since when and why; and what came back changed from an outage."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from devices.models import Unit
from households import clock
from households.models import User


class IntervalInForce(models.Model):
    """From `since` on the unit is due every `interval_s` seconds, until its next row.

    Before its first row the first one holds. Written by telemetry.cadence alone, whatever the
    change came from, so that the polls due are known for any hour.
    """

    class Why(models.TextChoices):
        DEFAULT = "default", _("默认")
        GATEWAY = "gateway", _("按通信链路设定")
        UNIT = "unit", _("按设备设定")
        OPEN = "open", _("正在查看")
        WRITE = "write", _("刚刚设定")
        ALARM = "alarm", _("告警")
        BUDGET = "budget", _("节省流量")

    pk = models.CompositePrimaryKey("unit_id", "since")
    unit = models.ForeignKey(Unit, models.CASCADE, related_name="intervals", db_index=False)
    since = models.DateTimeField()
    interval_s = models.FloatField()
    why = models.CharField(max_length=8, choices=Why)

    class Meta:
        ordering = ["unit", "since"]
        constraints = [
            models.CheckConstraint(name="interval_in_force_positive", condition=Q(interval_s__gt=0))
        ]


class WatchQuerySet(models.QuerySet["Watch"]):
    def running(self) -> WatchQuerySet:
        return self.filter(until__gt=clock.now())


class Watch(models.Model):
    """That a unit is asked more often for a while: somebody looks, or something just happened.

    One row per unit and reason; it ends by itself and is begun anew.
    """

    class Why(models.TextChoices):
        OPEN = "open", _("正在查看")
        WRITE = "write", _("刚刚设定")
        ALARM = "alarm", _("告警")

    unit = models.ForeignKey(Unit, models.CASCADE, related_name="watches")
    why = models.CharField(max_length=8, choices=Why)
    interval_s = models.FloatField()
    since = models.DateTimeField()
    until = models.DateTimeField(db_index=True)

    objects = WatchQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["unit", "why"], name="watch_once_per_unit_and_reason"),
            models.CheckConstraint(
                name="watch_ends_after_it_began", condition=Q(until__gte=F("since"))
            ),
        ]


class SettingChangedQuerySet(models.QuerySet["SettingChanged"]):
    def visible_to(self, user: User) -> SettingChangedQuerySet:
        return self.filter(unit__in=Unit.objects.visible_to(user))


class SettingChanged(models.Model):
    """A setting that was another one before an outage: told, never rewritten.

    `before` and `after` are as the register map gives them; `away_since` is the last answer
    before the outage, `at` the reading that showed the change.
    """

    unit = models.ForeignKey(Unit, models.CASCADE, related_name="settings_changed")
    signal = models.CharField(max_length=40)
    before = models.JSONField()
    after = models.JSONField()
    away_since = models.DateTimeField(null=True)
    at = models.DateTimeField()

    objects = SettingChangedQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "signal"]
        constraints = [
            models.UniqueConstraint(
                fields=["unit", "signal", "at"], name="setting_changed_told_once"
            )
        ]
