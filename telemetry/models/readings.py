"""Readings: one row per unit and poll, in partitions by Shanghai day."""

from __future__ import annotations

from django.db import models

# The required and the common points that have a column of their own; all others go to `others`.
COLUMNS = (
    "supply_temp",
    "return_temp",
    "outdoor_temp",
    "indoor_temp",
    "indoor_temp_setpoint",
    "supply_temp_setpoint",
    "return_temp_setpoint",
    "power_state",
    "mode",
    "fault_active",
    "electric_power",
    "electric_energy",
    "compressor_running",
    "defrosting",
)


class Reading(models.Model):
    """What one poll of one unit brought.

    A column holds a value only when its quality is good, else NULL; `not_good` then says why:
    `{point: [quality, raw]}`, and is NULL when all is good. `others` holds rare points by name.
    The table is partitioned by day and written by COPY alone (telemetry.storing), so there is no
    foreign key to slow it; migration 0002 makes it.
    """

    pk = models.CompositePrimaryKey("unit_id", "at")
    unit_id = models.BigIntegerField()
    at = models.DateTimeField()
    supply_temp = models.FloatField(null=True)
    return_temp = models.FloatField(null=True)
    outdoor_temp = models.FloatField(null=True)
    indoor_temp = models.FloatField(null=True)
    indoor_temp_setpoint = models.FloatField(null=True)
    supply_temp_setpoint = models.FloatField(null=True)
    return_temp_setpoint = models.FloatField(null=True)
    power_state = models.BooleanField(null=True)
    mode = models.TextField(null=True)
    fault_active = models.BooleanField(null=True)
    electric_power = models.FloatField(null=True)
    electric_energy = models.FloatField(null=True)
    compressor_running = models.BooleanField(null=True)
    defrosting = models.BooleanField(null=True)
    others = models.JSONField(null=True)
    not_good = models.JSONField(null=True)

    class Meta:
        db_table = "telemetry_reading"
        ordering = ["at"]


class Batch(models.Model):
    """A group of readings stored in one transaction; a known id is never stored twice.

    `hours` are the hours that its readings touch, until they have been summed up.
    """

    id = models.UUIDField(primary_key=True)
    stored_at = models.DateTimeField()
    rows = models.PositiveIntegerField()
    hours = models.JSONField(default=list)
    summed = models.BooleanField(default=False)

    class Meta:
        indexes = [
            models.Index(fields=["stored_at"]),
            models.Index(
                fields=["summed"], condition=models.Q(summed=False), name="batch_unsummed"
            ),
        ]
