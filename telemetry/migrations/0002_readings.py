from django.db import migrations, models

# Partitioned by day (telemetry.partitions makes the days ahead); no default partition, so that a
# row of a day that nobody prepared is an error at once and not a slow table later.
FORWARD = """
CREATE TABLE telemetry_reading (
    unit_id bigint NOT NULL,
    at timestamptz NOT NULL,
    supply_temp double precision,
    return_temp double precision,
    outdoor_temp double precision,
    indoor_temp double precision,
    indoor_temp_setpoint double precision,
    supply_temp_setpoint double precision,
    return_temp_setpoint double precision,
    power_state boolean,
    mode text,
    fault_active boolean,
    electric_power double precision,
    electric_energy double precision,
    compressor_running boolean,
    defrosting boolean,
    others jsonb,
    not_good jsonb,
    PRIMARY KEY (unit_id, at)
) PARTITION BY RANGE (at);
"""


class Migration(migrations.Migration):
    dependencies = [("telemetry", "0001_initial")]
    operations = [
        migrations.RunSQL(
            FORWARD,
            "DROP TABLE telemetry_reading",
            state_operations=[
                migrations.CreateModel(
                    name="Reading",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "unit_id",
                                "at",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("unit_id", models.BigIntegerField()),
                        ("at", models.DateTimeField()),
                        ("supply_temp", models.FloatField(null=True)),
                        ("return_temp", models.FloatField(null=True)),
                        ("outdoor_temp", models.FloatField(null=True)),
                        ("indoor_temp", models.FloatField(null=True)),
                        ("indoor_temp_setpoint", models.FloatField(null=True)),
                        ("supply_temp_setpoint", models.FloatField(null=True)),
                        ("return_temp_setpoint", models.FloatField(null=True)),
                        ("power_state", models.BooleanField(null=True)),
                        ("mode", models.TextField(null=True)),
                        ("fault_active", models.BooleanField(null=True)),
                        ("electric_power", models.FloatField(null=True)),
                        ("electric_energy", models.FloatField(null=True)),
                        ("compressor_running", models.BooleanField(null=True)),
                        ("defrosting", models.BooleanField(null=True)),
                        ("others", models.JSONField(null=True)),
                        ("not_good", models.JSONField(null=True)),
                    ],
                    options={
                        "db_table": "telemetry_reading",
                        "ordering": ["at"],
                    },
                ),
            ],
        )
    ]
