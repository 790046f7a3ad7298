from django.db import migrations

from households.audit.tracking import Track


class Migration(migrations.Migration):
    dependencies = [
        ("telemetry", "0010_approval_is_whole"),
        ("households", "0014_records_have_a_history"),
    ]

    operations = [
        Track("remotewriting"),
    ]
