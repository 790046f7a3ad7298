from django.db import migrations

from households.audit.tracking import Track


class Migration(migrations.Migration):
    dependencies = [
        ("devices", "0007_who_installs_and_what_is_connected"),
        ("households", "0014_records_have_a_history"),
    ]

    operations = [
        Track("supplier"),
        Track("suppliermember"),
        Track("devicemodel"),
        Track("registermap", without=("content",)),
        Track("gateway", without=("secret_hash", "proven_by")),
        Track("transmitter"),
        Track("unit"),
        Track("installation", of="household_id"),
        Track("assignment", of="household_id"),
        Track("heatconnection", of="household_id"),
    ]
