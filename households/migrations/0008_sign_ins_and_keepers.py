import django.db.models.deletion
import households.uid
from django.conf import settings
from django.db import migrations, models


def keep_what_administrators_did(apps, schema_editor):
    """Until now the role alone gave all three permissions."""
    administrators = apps.get_model("households", "User").objects.filter(role="administrator")
    administrators.update(keeps_accounts=True, keeps_rights=True, keeps_log=True)


class Migration(migrations.Migration):
    dependencies = [
        ("households", "0007_lists_slips_and_later_entries"),
    ]

    operations = [
        migrations.CreateModel(
            name="BackupCode",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("digest", models.CharField(editable=False, max_length=64)),
                ("used_at", models.DateTimeField(null=True)),
            ],
            options={
                "verbose_name": "备用码",
                "verbose_name_plural": "备用码",
            },
        ),
        migrations.CreateModel(
            name="RoleRule",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("clerk", "村（社区）网格员"),
                            ("town", "镇（街道）"),
                            ("district", "区领导小组办公室"),
                            ("installer", "安装人员"),
                            ("supplier", "供应商"),
                            ("service_unit", "平台服务单位"),
                            ("heat_company", "供热企业"),
                            ("power_company", "供电公司"),
                            ("supervisor", "监理单位"),
                            ("reader", "区直有关单位（只读）"),
                            ("administrator", "系统管理员"),
                        ],
                        max_length=16,
                        unique=True,
                        verbose_name="角色",
                    ),
                ),
                (
                    "needs_second_factor",
                    models.BooleanField(default=False, verbose_name="须有动态码"),
                ),
                (
                    "idle_minutes",
                    models.PositiveSmallIntegerField(
                        blank=True, null=True, verbose_name="闲置分钟"
                    ),
                ),
            ],
            options={
                "verbose_name": "登录规则",
                "verbose_name_plural": "登录规则",
            },
        ),
        migrations.CreateModel(
            name="SecondFactor",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "uid",
                    models.UUIDField(default=households.uid.uuid7, editable=False, unique=True),
                ),
                ("secret", models.CharField(editable=False, max_length=200)),
                ("counter", models.BigIntegerField(default=0, editable=False)),
                ("confirmed_at", models.DateTimeField(null=True, verbose_name="启用时间")),
            ],
            options={
                "verbose_name": "动态码",
                "verbose_name_plural": "动态码",
            },
        ),
        migrations.CreateModel(
            name="SignIn",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField(verbose_name="登录时间")),
                ("last_seen", models.DateTimeField(verbose_name="最近活动")),
                ("address", models.GenericIPAddressField(null=True, verbose_name="地址")),
                ("agent", models.CharField(blank=True, max_length=300, verbose_name="浏览器")),
                ("ended_at", models.DateTimeField(null=True, verbose_name="结束时间")),
            ],
            options={
                "verbose_name": "登录",
                "verbose_name_plural": "登录",
                "ordering": ["-last_seen"],
            },
        ),
        migrations.AlterModelManagers(
            name="user",
            managers=[],
        ),
        migrations.AddField(
            model_name="user",
            name="keeps_accounts",
            field=models.BooleanField(default=False, verbose_name="账号管理（系统管理员）"),
        ),
        migrations.AddField(
            model_name="user",
            name="keeps_log",
            field=models.BooleanField(default=False, verbose_name="日志管理（审计管理员）"),
        ),
        migrations.AddField(
            model_name="user",
            name="keeps_rights",
            field=models.BooleanField(default=False, verbose_name="权限管理（安全管理员）"),
        ),
        migrations.AddField(
            model_name="user",
            name="must_change_password",
            field=models.BooleanField(default=False, verbose_name="首次登录须改密码"),
        ),
        migrations.RunPython(keep_what_administrators_did, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("role", "administrator"),
                    models.Q(
                        ("keeps_accounts", False), ("keeps_log", False), ("keeps_rights", False)
                    ),
                    _connector="OR",
                ),
                name="user_keeper_is_administrator",
            ),
        ),
        migrations.AddField(
            model_name="backupcode",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="backup_codes",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddConstraint(
            model_name="rolerule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "role__in",
                        [
                            "clerk",
                            "town",
                            "district",
                            "installer",
                            "supplier",
                            "service_unit",
                            "heat_company",
                            "power_company",
                            "supervisor",
                            "reader",
                            "administrator",
                        ],
                    )
                ),
                name="role_rule_role_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="rolerule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("idle_minutes", None), ("idle_minutes__range", (5, 720)), _connector="OR"
                ),
                name="role_rule_idle_range",
            ),
        ),
        migrations.AddField(
            model_name="secondfactor",
            name="user",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="second_factor",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="signin",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="sign_ins",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddConstraint(
            model_name="backupcode",
            constraint=models.UniqueConstraint(
                fields=("user", "digest"), name="backup_code_once_per_user"
            ),
        ),
    ]
