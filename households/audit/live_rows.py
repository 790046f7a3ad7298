"""Whether the rows of the tracked tables are what their history says: found where somebody changed
them with the triggers off."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import connection
from django.utils.translation import gettext as _

from households.audit.seals import Finding

TRACKED = """
    SELECT c.relname, array_agg(t.tgname::text), array_agg(t.tgenabled::text),
           min(split_part(encode(t.tgargs, 'escape'), '\\000', 1))
    FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid
    WHERE t.tgname IN ('history_insert', 'history_update', 'history_delete', 'history_truncate')
    GROUP BY c.relname ORDER BY c.relname
"""
# What the changes of each row say of it now, beside the row itself. Columns that came later, or
# are left out, are in the row alone; those that went, in the history alone: neither is compared.
DIFFERENCES = """
    WITH told AS (
        SELECT row_id, history_latest(after ORDER BY id) AS row,
               (array_agg(kind ORDER BY id DESC))[1] AS kind, max(id) AS change
        FROM households_change WHERE table_name = %s GROUP BY row_id
    ), live AS (SELECT id, to_jsonb(t) - %s::text[] AS row FROM {table} AS t)
    SELECT coalesce(told.row_id, live.id), told.change,
           CASE WHEN live.id IS NULL THEN 'gone'
                WHEN told.row_id IS NULL OR told.kind = 'delete' THEN 'new'
                ELSE (SELECT string_agg(key, ', ' ORDER BY key) FROM jsonb_each(live.row)
                      WHERE told.row ? key AND told.row -> key IS DISTINCT FROM value) END
    FROM told FULL JOIN live ON live.id = told.row_id
    WHERE (live.id IS NULL AND told.kind <> 'delete')
       OR (live.id IS NOT NULL AND (told.row_id IS NULL OR told.kind = 'delete'))
       OR EXISTS (SELECT FROM jsonb_each(live.row)
                  WHERE told.row ? key AND told.row -> key IS DISTINCT FROM value)
    ORDER BY 1
"""


def findings() -> Iterator[Finding]:
    """Rows that differ from their newest change, and triggers that are off or gone."""
    with connection.cursor() as cursor:
        cursor.execute(TRACKED)
        tables = cursor.fetchall()
    for table, triggers, states, without in tables:
        if len(triggers) < 4 or set(states) != {"O"}:
            yield Finding(_("%(table)s 的历史触发器被停用或删除") % {"table": table})
        yield from _differences(table, without)


def _differences(table: str, without: str) -> Iterator[Finding]:
    sql = DIFFERENCES.format(table=connection.ops.quote_name(table))
    with connection.cursor() as cursor:
        cursor.execute(sql, [table, without])
        rows = cursor.fetchall()
    words = {"gone": _("没有记录就被删除"), "new": _("没有记录就被新增")}
    for pk, change, what in rows:
        said = words.get(what) or _("与最近的记录不符：%(columns)s") % {"columns": what}
        yield Finding(f"{table} {pk} {said}", change)
