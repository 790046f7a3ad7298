from django.db import migrations, models
from django.db.models import OuterRef, Subquery


def as_the_letters_have_it(apps, schema_editor):
    """Names could be corrected until now: what stands today is the nearest to what was written."""
    suppliers = apps.get_model("devices", "Supplier").objects
    name = suppliers.filter(device_models=OuterRef("model")).values("name")[:1]
    apps.get_model("devices", "Confirmation").objects.update(maker=Subquery(name))


class Migration(migrations.Migration):
    dependencies = [("devices", "0011_known_registers_are_whole")]

    operations = [
        migrations.AddField(
            model_name="confirmation",
            name="maker",
            field=models.CharField(default="", max_length=60, verbose_name="设备厂商名称"),
            preserve_default=False,
        ),
        migrations.RunPython(as_the_letters_have_it, migrations.RunPython.noop),
    ]
