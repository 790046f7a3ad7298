from django.db import migrations, models


class Migration(migrations.Migration):
    """How a running step goes is said anew every few seconds: nothing is lost with the old texts."""

    dependencies = [("telemetry", "0014_reports_are_kept")]

    operations = [
        migrations.RemoveField(model_name="dockingstep", name="progress"),
        migrations.AddField(
            model_name="dockingstep", name="progress", field=models.JSONField(default=list)
        ),
    ]
