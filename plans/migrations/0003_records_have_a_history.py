from django.db import migrations

from households.audit.tracking import Track


class Migration(migrations.Migration):
    dependencies = [
        ("plans", "0002_wall_links"),
        ("households", "0014_records_have_a_history"),
    ]

    operations = [
        Track("taskplan"),
        Track("planitem"),
        Track("walllink", without=("digest", "last_used_at")),
    ]
