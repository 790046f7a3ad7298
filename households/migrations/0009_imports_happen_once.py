import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("households", "0008_sign_ins_and_keepers")]

    operations = [
        migrations.CreateModel(
            name="LedgerImport",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("uid", models.UUIDField(editable=False, unique=True)),
                ("digest", models.CharField(db_index=True, editable=False, max_length=64)),
                ("at", models.DateTimeField(verbose_name="时间")),
                ("rows", models.PositiveIntegerField(verbose_name="总行数")),
                ("new", models.PositiveIntegerField(verbose_name="新增")),
                ("changed", models.PositiveIntegerField(verbose_name="更新")),
                ("unchanged", models.PositiveIntegerField(verbose_name="未变化")),
                ("installed", models.PositiveIntegerField(default=0, verbose_name="安装记录")),
                ("left_out", models.PositiveIntegerField(default=0, verbose_name="退回行数")),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="经办人",
                    ),
                ),
            ],
            options={
                "verbose_name": "导入记录",
                "verbose_name_plural": "导入记录",
                "ordering": ["-at"],
            },
        ),
    ]
