from django.db import migrations

import households.sealing


class Migration(migrations.Migration):

    dependencies = [
        ('households', '0011_files_of_the_vault'),
    ]

    operations = [
        migrations.AlterField(
            model_name='secondfactor',
            name='secret',
            field=households.sealing.SealedField(editable=False, max_length=64),
        ),
    ]
