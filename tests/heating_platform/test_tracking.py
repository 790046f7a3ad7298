"""Every table of the platform has a history, or stands here with the reason why it has none."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.db import connection

from households.audit import live_rows
from tests.cast import Cast

APPS = ("households", "devices", "telemetry", "plans")
WITHOUT = {
    "the history itself": ("households.Change", "households.HistorySeal"),
    "made by the platform for its own work: for a day, a session, or until it is read": (
        "households.BackupCode",
        "households.Guesses",
        "households.LedgerImport",
        "households.Notification",
        "households.NumberLine",
        "households.SignIn",
        "households.StoredFile",
        "households.WorkbookExport",
        "households.WorkbookImport",
    ),
    "what machines tell: readings, states, hours, traces, and what was judged of them": (
        "telemetry.Alarm",
        "telemetry.Batch",
        "telemetry.GatewayMonth",
        "telemetry.GatewayState",
        "telemetry.IntervalInForce",
        "telemetry.LineTrace",
        "telemetry.MissedPolls",
        "telemetry.Reading",
        "telemetry.SettingChanged",
        "telemetry.TracedFrame",
        "telemetry.UnitHour",
        "telemetry.UnitState",
        "telemetry.UnknownTransmitter",
        "telemetry.Watch",
        "telemetry.Wear",
        "telemetry.WorkerState",
    ),
    "rows that are a record themselves: who, why and every state with its time": (
        "telemetry.Command",
        "telemetry.DockingStep",
        "telemetry.GroupCommand",
        "telemetry.Obligation",
    ),
}


def tracked() -> dict[str, set[str]]:
    """The triggers of each table in the database."""
    with connection.cursor() as cursor:
        cursor.execute(live_rows.TRACKED)
        return {table: set(triggers) for table, triggers, *_rest in cursor.fetchall()}


def test_every_table_has_a_history_or_a_reason(db: None) -> None:
    models = [model for app in APPS for model in apps.get_app_config(app).get_models()]
    labels = {model._meta.label: model._meta.db_table for model in models}
    without = {label for some in WITHOUT.values() for label in some}
    assert {label for label, table in labels.items() if table not in tracked()} == without


def test_a_tracked_table_has_all_four_triggers(db: None) -> None:
    four = {"history_insert", "history_update", "history_delete", "history_truncate"}
    assert all(triggers == four for triggers in tracked().values())


SECRETS = ("password", "secret", "digest", "code", "token", "hash")


@pytest.mark.django_db
def test_no_secret_is_written_into_the_history(cast: Cast) -> None:
    """Digests of papers are no secrets: they are how a paper is proven."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT table_name, key"
            " FROM households_change, jsonb_object_keys(after) AS key"
        )
        written = set(cursor.fetchall())
    public = {
        ("devices_registermap", "digest"),
        ("devices_makerpaper", "digest"),
        ("devices_dockingapplication", "test_digest"),
        ("devices_confirmation", "test_digest"),
        ("telemetry_dockingtest", "digest"),
        ("devices_devicemodel", "code"),
        ("households_user", "must_change_password"),
    }
    suspect = {(table, key) for table, key in written if key.endswith(SECRETS)}
    assert suspect <= public
