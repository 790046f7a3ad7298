"""Which tables have a history, and the triggers that write it.

Statement triggers see every change whoever makes it: the ORM, its bulk writes, COPY, SQL by hand,
TRUNCATE. They run once per statement, whatever the number of rows. They are put on by the
migration operation `Track`, and a test compares the database with what the models say.

The triggers put all changes into one table as JSON (`Change`). django-pghistory's event tables
were weighed: each is altered with its model, and a row that migrations alter cannot be sealed.
"""

from __future__ import annotations

from typing import Any

from django.db.migrations.operations.base import Operation

_ROWS = """
    INSERT INTO households_change (at, table_name, row_id, household_id, kind, {kept},
                                   user_id, via, request, reason, role, program)
    SELECT clock_timestamp(), {table}, row.id, (to_jsonb(row) ->> {of})::bigint, '{kind}',
           to_jsonb(row) - {without}::text[],
           who.user_id, who.via, who.request, who.reason, session_user,
           current_setting('application_name')
    FROM {rows} AS row, history_who() AS who {where} ORDER BY row.id"""


def _rows(kind: str, rows: str, where: str = "") -> str:
    """SQL of a trigger that writes whole rows, come or gone."""
    told = {"table": "TG_TABLE_NAME", "of": "TG_ARGV[1]", "without": "TG_ARGV[0]"}
    kept = "after" if kind == "insert" else "before"
    return _ROWS.format(kind=kind, kept=kept, rows=rows, where=where, **told)


# A row that was given another key is one that went and one that came.
_WENT = _rows(
    "delete", "old_rows", "WHERE NOT EXISTS (SELECT FROM new_rows AS n WHERE n.id = row.id)"
)
_CAME = _rows(
    "insert", "new_rows", "WHERE NOT EXISTS (SELECT FROM old_rows AS o WHERE o.id = row.id)"
)
_EMPTIED = _ROWS.format(
    kind="delete", kept="before", rows="%I.%I", where="", table="%L", of="%L", without="%L"
).replace("'", "''")

FUNCTIONS = f"""
CREATE FUNCTION history_who(OUT user_id bigint, OUT via text, OUT request uuid, OUT reason text)
LANGUAGE sql STABLE AS $$
    SELECT (who ->> 'user')::bigint, coalesce(who ->> 'via', ''), (who ->> 'request')::uuid,
           coalesce(who ->> 'reason', '')
    FROM (SELECT nullif(current_setting('heating.who', true), '')::jsonb AS who) AS setting
$$;

CREATE AGGREGATE history_latest(jsonb) (
    sfunc = jsonb_concat, stype = jsonb, initcond = '{{}}'
);

CREATE FUNCTION history_insert() RETURNS trigger LANGUAGE plpgsql SET timezone = 'UTC' AS $$
BEGIN {_rows("insert", "new_rows")};
    RETURN NULL;
END $$;

CREATE FUNCTION history_update() RETURNS trigger LANGUAGE plpgsql SET timezone = 'UTC' AS $$
BEGIN
    INSERT INTO households_change (at, table_name, row_id, household_id, kind, before, after,
                                   user_id, via, request, reason, role, program)
    SELECT clock_timestamp(), TG_TABLE_NAME, id, (a ->> TG_ARGV[1])::bigint, 'update',
           difference.before, difference.after,
           who.user_id, who.via, who.request, who.reason, session_user,
           current_setting('application_name')
    FROM (
        SELECT n.id, to_jsonb(o) - TG_ARGV[0]::text[] AS b, to_jsonb(n) - TG_ARGV[0]::text[] AS a
        FROM old_rows AS o JOIN new_rows AS n ON o.id = n.id
        OFFSET 0  -- each row becomes JSON once
    ) AS pairs
    CROSS JOIN LATERAL (
        SELECT jsonb_object_agg(key, b -> key) AS before, jsonb_object_agg(key, value) AS after
        FROM jsonb_each(a) WHERE value IS DISTINCT FROM b -> key
    ) AS difference
    CROSS JOIN history_who() AS who
    WHERE a <> b ORDER BY id;
    {_WENT};
    {_CAME};
    RETURN NULL;
END $$;

CREATE FUNCTION history_delete() RETURNS trigger LANGUAGE plpgsql SET timezone = 'UTC' AS $$
BEGIN {_rows("delete", "old_rows")};
    RETURN NULL;
END $$;

CREATE FUNCTION history_truncate() RETURNS trigger LANGUAGE plpgsql SET timezone = 'UTC' AS $$
BEGIN
    EXECUTE format('{_EMPTIED}',
        TG_TABLE_NAME, TG_ARGV[1], TG_ARGV[0], TG_TABLE_SCHEMA, TG_TABLE_NAME);
    RETURN NULL;
END $$;

CREATE FUNCTION history_stands() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the history is only ever added to';
END $$;

CREATE TRIGGER history_stands BEFORE UPDATE OR DELETE ON households_change
FOR EACH STATEMENT EXECUTE FUNCTION history_stands();
CREATE TRIGGER history_stands BEFORE UPDATE OR DELETE ON households_historyseal
FOR EACH STATEMENT EXECUTE FUNCTION history_stands();
"""

WITHOUT_FUNCTIONS = """
DROP TRIGGER history_stands ON households_historyseal;
DROP TRIGGER history_stands ON households_change;
DROP FUNCTION history_stands, history_truncate, history_delete, history_update, history_insert;
DROP AGGREGATE history_latest(jsonb);
DROP FUNCTION history_who;
"""

ON = """
CREATE TRIGGER history_insert AFTER INSERT ON {table} REFERENCING NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION history_insert({told});
CREATE TRIGGER history_update AFTER UPDATE ON {table}
REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION history_update({told});
CREATE TRIGGER history_delete AFTER DELETE ON {table} REFERENCING OLD TABLE AS old_rows
FOR EACH STATEMENT EXECUTE FUNCTION history_delete({told});
CREATE TRIGGER history_truncate BEFORE TRUNCATE ON {table}
FOR EACH STATEMENT EXECUTE FUNCTION history_truncate({told});
"""

OFF = """
DROP TRIGGER IF EXISTS history_insert ON {table};
DROP TRIGGER IF EXISTS history_update ON {table};
DROP TRIGGER IF EXISTS history_delete ON {table};
DROP TRIGGER IF EXISTS history_truncate ON {table};
"""

BEGIN = """
INSERT INTO households_change (at, table_name, row_id, household_id, kind, after,
                               via, reason, role, program)
SELECT clock_timestamp(), %s, o.id, (to_jsonb(o) ->> %s)::bigint, 'begin',
       to_jsonb(o) - %s::text[], '', '', session_user, current_setting('application_name')
FROM {table} AS o ORDER BY o.id
"""


class Track(Operation):
    """Migration: from now on the model's table has a history; rows that are there begin one.

    `without` are columns that it leaves out: secrets, and what is computed or written all the
    time. `of` is the column that names the household, if there is one. Said again for a model that
    is tracked already, the new list holds from then on.
    """

    reversible = True
    elidable = False

    def __init__(self, model: str, *, without: tuple[str, ...] = (), of: str = "") -> None:
        self.model, self.without, self.of = model, without, of

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return "Track", [self.model], {"without": self.without, "of": self.of}

    def describe(self) -> str:
        return f"Keep a history of {self.model}"

    def state_forwards(self, app_label: str, state: Any) -> None:
        pass

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        table = to_state.apps.get_model(app_label, self.model)._meta.db_table
        quoted = schema_editor.quote_name(table)
        columns = "{" + ",".join(self.without) + "}"
        told = f"'{columns}', '{self.of}'"
        schema_editor.execute(OFF.format(table=quoted))
        with schema_editor.connection.cursor() as cursor:
            cursor.execute("SET LOCAL timezone = 'UTC'")
            cursor.execute(BEGIN.format(table=quoted), [table, self.of, columns])
        schema_editor.execute(ON.format(table=quoted, told=told))

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        table = from_state.apps.get_model(app_label, self.model)._meta.db_table
        schema_editor.execute(OFF.format(table=schema_editor.quote_name(table)))
