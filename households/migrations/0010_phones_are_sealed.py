"""Phone numbers lie sealed in their columns; what is there already is sealed now."""

import uuid

from django.db import migrations, models
from psycopg2.extras import execute_values

import households.sealing
from households.sealing import Sealed, seal

MODEL = "households.household"
FIELDS = ("phone", "other_phone")
BATCH = 2000  # rows


def rewrite(schema_editor, anew):
    """Each number as `anew(text, field, uid)` has it, in the table's own order."""
    with schema_editor.connection.cursor() as cursor:
        last = 0
        while True:
            cursor.execute(
                "SELECT id, uid, phone, other_phone FROM households_household"
                " WHERE id > %s ORDER BY id LIMIT %s",
                [last, BATCH],
            )
            rows = cursor.fetchall()
            if not rows:
                return
            last = rows[-1][0]
            fresh = [
                (pk, *(anew(text, field, uuid.UUID(str(uid))) for field, text in zip(FIELDS, texts)))
                for pk, uid, *texts in rows
            ]
            execute_values(
                cursor.cursor,
                "UPDATE households_household AS home SET phone = v.phone, other_phone = v.other"
                " FROM (VALUES %s) AS v (id, phone, other) WHERE home.id = v.id",
                fresh,
                page_size=BATCH,
            )


def seal_all(apps, schema_editor):
    rewrite(schema_editor, lambda text, field, uid: seal(text, MODEL, field, uid))


def open_all(apps, schema_editor):
    rewrite(
        schema_editor,
        lambda text, field, uid: Sealed(text).opened(MODEL, field, uid) if text else "",
    )


def index_of(phone):
    return models.GeneratedField(
        expression=models.Func(phone, models.Value(":"), models.Value(3), function="split_part"),
        output_field=models.CharField(max_length=64),
        db_persist=True,
    )


class Migration(migrations.Migration):
    dependencies = [("households", "0009_imports_happen_once")]

    operations = [
        migrations.AlterField(
            "household",
            "phone",
            households.sealing.SealedField(blank=True, max_length=20, verbose_name="联系电话"),
        ),
        migrations.AlterField(
            "household",
            "other_phone",
            households.sealing.SealedField(blank=True, max_length=20, verbose_name="备用电话"),
        ),
        migrations.RunPython(seal_all, open_all),
        migrations.AddField("household", "phone_index", index_of("phone")),
        migrations.AddField("household", "other_phone_index", index_of("other_phone")),
        migrations.AddIndex(
            "household",
            models.Index(fields=["phone_index"], name="households__phone_i_861522_idx"),
        ),
        migrations.AddIndex(
            "household",
            models.Index(fields=["other_phone_index"], name="households__other_p_2d472e_idx"),
        ),
    ]
