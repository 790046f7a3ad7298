"""Sealing everything anew under the newest key, after one was added.

In batches, each its own transaction: stopped half way it goes on where it was. History and the
vault's files keep their seals, so older keys are needed as long as these are kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.db import connection, transaction
from django.utils.translation import gettext as _
from psycopg2.extras import execute_values

from households import sealing
from households.audit import history
from households.sealing import SealBroken, SealedField

BATCH = 1000  # rows


def sealed_fields() -> list[SealedField]:
    """Every sealed field of every model."""
    fields = [field for model in apps.get_models() for field in model._meta.concrete_fields]
    return [field for field in fields if isinstance(field, SealedField)]


def rekey(field: SealedField) -> Iterator[tuple[int, list[SealBroken]]]:
    """Seal the field's texts under the newest key; yields batch by batch how many were sealed
    anew, and those that do not open, which are left as they are."""
    after = 0
    while pks := _older(field, after):
        after = pks[-1]
        yield _batch(field, pks)


def _older(field: SealedField, after: int) -> list[int]:
    """Keys of the next rows whose text another key sealed."""
    column, table = _quoted(field)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id FROM {table} WHERE id > %s AND {column} <> '' AND {column} NOT LIKE %s"
            " ORDER BY id LIMIT %s",
            [after, f"{sealing.newest().number}:%", BATCH],
        )
        return [row[0] for row in cursor.fetchall()]


@transaction.atomic
def _batch(field: SealedField, pks: list[int]) -> tuple[int, list[SealBroken]]:
    rows = field.model._default_manager.select_for_update().filter(pk__in=pks)
    fresh, broken = [], []
    for row in rows.only("pk", "uid", field.attname).order_by("pk"):
        try:
            fresh.append((row.pk, sealing.column_text(row, field)))
        except SealBroken as reason:
            broken.append(reason)
    _write(field, fresh)
    return len(fresh), broken


def _write(field: SealedField, fresh: list[tuple[Any, str]]) -> None:
    column, table = _quoted(field)
    with history.because(_("更换密钥")), connection.cursor() as cursor:
        history.tell()
        execute_values(
            cursor.cursor,
            f"UPDATE {table} AS t SET {column} = v.text FROM (VALUES %s) AS v (id, text)"
            " WHERE t.id = v.id",
            fresh,
            page_size=BATCH,
        )


def _quoted(field: SealedField) -> tuple[str, str]:
    quote = connection.ops.quote_name
    return quote(str(field.column)), quote(field.model._meta.db_table)
