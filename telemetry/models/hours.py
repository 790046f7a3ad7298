"""Hours of units: the only base of completeness, utilisation and proof."""

from __future__ import annotations

from django.db import models


class UnitHour(models.Model):
    """One unit, one hour.

    `due` is the time in service under each interval in force, divided by it; `interval_s` the
    longest of these. `stored` are the polls with an answer; `missed` counts by cause, whatever
    stands between due and stored without a recorded cause is `not_polled`.
    """

    pk = models.CompositePrimaryKey("unit_id", "hour")
    unit = models.ForeignKey("devices.Unit", models.CASCADE, db_index=False)
    hour = models.DateTimeField()
    interval_s = models.FloatField()
    due = models.PositiveIntegerField()
    stored = models.PositiveIntegerField()
    missed = models.JSONField(default=dict)
    on_seconds = models.FloatField()
    supply_min = models.FloatField(null=True)
    supply_avg = models.FloatField(null=True)
    supply_max = models.FloatField(null=True)
    return_avg = models.FloatField(null=True)
    indoor_min = models.FloatField(null=True)
    indoor_avg = models.FloatField(null=True)
    indoor_max = models.FloatField(null=True)
    outdoor_min = models.FloatField(null=True)
    outdoor_avg = models.FloatField(null=True)
    energy_kwh = models.FloatField(null=True)

    class Meta:
        ordering = ["unit", "hour"]
        indexes = [models.Index(fields=["hour"])]


class MissedPolls(models.Model):
    """Polls that brought nothing, counted by unit, hour and cause as the line worker saw them."""

    pk = models.CompositePrimaryKey("unit_id", "hour", "cause")
    unit_id = models.BigIntegerField()
    hour = models.DateTimeField()
    cause = models.CharField(max_length=24)
    count = models.PositiveIntegerField()

    class Meta:
        indexes = [models.Index(fields=["hour"])]
