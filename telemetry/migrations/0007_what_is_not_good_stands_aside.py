"""The newest of a unit in two parts: good values by themselves, all else with its reasons.

What stands there from before goes aside whole, where it means the same. Pages of the table keep
room, so that an update stays beside what it replaces and touches no index.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("telemetry", "0006_alarms")]

    operations = [
        migrations.AddField("unitstate", "aside", models.JSONField(default=dict)),
        migrations.AlterField("unitstate", "answered_at", models.DateTimeField(null=True)),
        migrations.RunSQL(
            """UPDATE telemetry_unitstate SET aside = "values", "values" = '{}'""",
            migrations.RunSQL.noop,
        ),
        migrations.RunSQL(
            "ALTER TABLE telemetry_unitstate SET (fillfactor = 40)",
            "ALTER TABLE telemetry_unitstate RESET (fillfactor)",
        ),
    ]
