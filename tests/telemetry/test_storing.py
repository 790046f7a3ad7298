"""The writer: what it promises to store is stored once, whatever is broken around it."""

import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from django.db import connection

from devices.modbus.points import Value
from households import clock
from telemetry import partitions
from telemetry.models import Batch as StoredBatch
from telemetry.models import MissedPolls, Reading, UnitState
from telemetry.rows import LatestStates, Missed, Polled, gather
from telemetry.spool import Spool
from telemetry.storing import Store, Writer, connect
from tests.cast import Cast

pytestmark = pytest.mark.django_db(transaction=True)
AT = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5)
GOOD = {
    "supply_temp": Value(43.1),
    "power_state": Value(True),
    "mode": Value("heating"),
    "fault_active": Value(False),
    "water_pressure": Value(1.2),
    "fault_bits": Value(["water_flow"]),
    "outdoor_temp": Value(None, "sensor_open", "0x7FFF"),
}


def polled(unit: int, seconds: float = 0, **values: Value) -> Polled:
    return Polled(unit, AT + timedelta(seconds=seconds), 60.0, GOOD | values)


@pytest.fixture
def store(cast: Cast, tmp_path: Path) -> Iterator[Store]:
    partitions.ensure(AT.date() - timedelta(days=1))
    made = Store(connect, tmp_path / "rejects.jsonl")
    yield made
    made.close()


def put(store: Store, *rows: Polled | Missed, latest: LatestStates | None = None) -> None:
    store.store(gather(list(rows), latest or LatestStates()))


def test_good_values_get_their_columns_and_the_others_their_reason(
    store: Store, cast: Cast
) -> None:
    put(store, polled(cast.water.pk))
    row = Reading.objects.get()
    assert (row.supply_temp, row.power_state, row.mode) == (43.1, True, "heating")
    assert row.outdoor_temp is None
    assert row.others == {"water_pressure": 1.2, "fault_bits": ["water_flow"]}
    assert row.not_good == {"outdoor_temp": ["sensor_open", "0x7FFF"]}
    assert row.at == AT


def test_the_latest_state_keeps_the_last_good_value_beside_a_bad_one(
    store: Store, cast: Cast
) -> None:
    latest = LatestStates()
    put(store, polled(cast.water.pk), latest=latest)
    bad = polled(cast.water.pk, 60, supply_temp=Value(None, "out_of_range", "0xFFFF"))
    put(store, bad, latest=latest)
    entry = UnitState.objects.get().entry("supply_temp")
    assert (entry["value"], entry["quality"], entry["good"]) == (None, "out_of_range", 43.1)
    assert entry["good_at"] < entry["at"]


def test_the_last_good_value_outlives_many_bad_ones_and_a_restart(store: Store, cast: Cast) -> None:
    put(store, polled(cast.water.pk))
    first = UnitState.objects.get().entry("supply_temp")
    for n in range(1, 4):
        restarted = LatestStates()
        restarted.load(UnitState.objects.get())
        bad = polled(cast.water.pk, 60 * n, supply_temp=Value(None, "out_of_range", "0xFFFF"))
        put(store, bad, latest=restarted)
    entry = UnitState.objects.get().entry("supply_temp")
    assert (entry["value"], entry["raw"]) == (None, "0xFFFF")
    assert (entry["good"], entry["good_at"]) == (43.1, first["at"])


def test_what_a_partial_poll_did_not_ask_is_kept_with_its_older_time(
    store: Store, cast: Cast
) -> None:
    latest = LatestStates()
    bad = Value(None, "sensor_open", "0x7FFF")
    put(store, polled(cast.water.pk, electric_energy=Value(7.5), indoor_temp=bad), latest=latest)
    before = UnitState.objects.get().entries
    for n in (1, 2):
        row = Polled(cast.water.pk, AT + timedelta(minutes=n), 60.0, {"supply_temp": Value(44.0)})
        put(store, row, latest=latest)
    entries = UnitState.objects.get().entries
    assert entries["electric_energy"] == before["electric_energy"]
    assert entries["indoor_temp"] == before["indoor_temp"]
    assert entries["supply_temp"]["value"] == 44.0
    assert entries["supply_temp"]["at"] > entries["electric_energy"]["at"]
    put(store, polled(cast.water.pk, 180, electric_energy=Value(8.0)), latest=latest)
    assert UnitState.objects.get().entry("electric_energy")["value"] == 8.0


def test_a_whole_poll_leaves_nothing_of_signals_that_the_map_lost(store: Store, cast: Cast) -> None:
    latest = LatestStates()
    put(store, polled(cast.water.pk, electric_energy=Value(7.5)), latest=latest)
    at = AT + timedelta(minutes=1)
    put(store, Polled(cast.water.pk, at, 60.0, GOOD, whole=True), latest=latest)
    assert set(UnitState.objects.get().entries) == set(GOOD)


def test_a_good_set_with_unnamed_bits_keeps_its_evidence(store: Store, cast: Cast) -> None:
    put(store, polled(cast.water.pk, fault_bits=Value(["water_flow"], "good", "0x8001")))
    entry = UnitState.objects.get().entry("fault_bits")
    assert (entry["value"], entry["quality"], entry["raw"]) == (["water_flow"], "good", "0x8001")
    assert entry["good"] == ["water_flow"]


def test_a_batch_is_stored_once_however_often_it_is_tried(store: Store, cast: Cast) -> None:
    batch = gather([polled(cast.water.pk), Missed(cast.air.pk, AT, 60.0, "x")], LatestStates())
    store.store(batch)
    store.store(batch)
    assert Reading.objects.count() == 1
    assert MissedPolls.objects.get().count == 1
    assert StoredBatch.objects.get().id == batch.id


def test_an_older_batch_does_not_turn_the_latest_state_back(store: Store, cast: Cast) -> None:
    put(store, polled(cast.water.pk, 60, supply_temp=Value(44.0)))
    put(store, polled(cast.water.pk, 0, supply_temp=Value(20.0)))
    state = UnitState.objects.get()
    assert state.entry("supply_temp")["value"] == 44.0
    assert Reading.objects.count() == 2


def test_a_missed_poll_keeps_the_last_values_and_says_why(store: Store, cast: Cast) -> None:
    missed = Missed(cast.water.pk, AT + timedelta(seconds=60), 60.0, "not_answered")
    put(store, polled(cast.water.pk))
    put(store, missed)
    state = UnitState.objects.get()
    assert state.answered_at == AT
    assert state.polled_at == missed.at
    assert (state.missed_cause, state.fault_active) == ("not_answered", False)
    assert state.entry("supply_temp")["value"] == 43.1


def test_answer_and_miss_in_one_batch_both_reach_the_state(store: Store, cast: Cast) -> None:
    missed = Missed(cast.water.pk, AT + timedelta(seconds=60), 60.0, "line_down")
    put(store, polled(cast.water.pk), missed)
    state = UnitState.objects.get()
    assert (state.answered_at, state.missed_cause) == (AT, "line_down")
    assert state.entry("supply_temp")["value"] == 43.1


def test_one_bad_row_goes_to_the_rejects_and_takes_no_other_with_it(
    store: Store, cast: Cast, tmp_path: Path
) -> None:
    rows = [polled(cast.water.pk, n) for n in range(20)]
    bad = Polled(cast.air.pk, AT, 60.0, {"supply_temp": Value("warm")})
    put(store, *rows[:10], bad, *rows[10:])
    assert Reading.objects.count() == 20
    assert store.rejected == 1
    assert "warm" in (tmp_path / "rejects.jsonl").read_text()
    assert UnitState.objects.get(unit=cast.water).answered_at == rows[-1].at


def test_a_unit_that_was_deleted_meanwhile_harms_nobody(store: Store, cast: Cast) -> None:
    put(store, polled(cast.water.pk), polled(10**9))
    assert UnitState.objects.get().unit_id == cast.water.pk


def test_text_with_every_troublesome_character_survives(store: Store, cast: Cast) -> None:
    text = 'a\tb\nc\\d\r"é\u0000热'
    put(store, polled(cast.water.pk, mode=Value(text), note=Value(text)))
    row = Reading.objects.get()
    assert row.mode == text.replace("\0", "")
    assert row.others is not None and row.others["note"] == text.replace("\0", "")


def test_a_day_that_nobody_prepared_is_made(store: Store, cast: Cast) -> None:
    day = (AT - timedelta(days=20)).astimezone(clock.SHANGHAI).date()
    put(store, Polled(cast.water.pk, AT - timedelta(days=20), 60.0, GOOD))
    assert Reading.objects.count() == 1
    assert day in partitions.existing()


def test_a_clock_gone_wild_makes_no_partitions(store: Store, cast: Cast) -> None:
    before = partitions.existing()
    put(store, Polled(cast.water.pk, datetime(1970, 1, 1, tzinfo=UTC), 60.0, GOOD))
    assert partitions.existing() == before
    assert store.rejected >= 1


def wait_for(condition: Callable[[], Any], seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while not condition() and time.monotonic() < until:
        time.sleep(0.02)
    assert condition()


class Database:
    """A way to the database that can be cut."""

    def __init__(self) -> None:
        self.there = True

    def connect(self) -> Any:
        if not self.there:
            raise psycopg2.OperationalError("nobody there")
        return connect()


@pytest.fixture
def database() -> Database:
    return Database()


@pytest.fixture
def writer(cast: Cast, tmp_path: Path, database: Database) -> Iterator[Writer]:
    partitions.ensure(AT.date() - timedelta(days=1))
    store = Store(database.connect, tmp_path / "rejects.jsonl")
    made = Writer(store, Spool(tmp_path / "spool"), LatestStates())
    made.start()
    yield made
    made.end()


def test_what_is_put_is_stored_soon(writer: Writer, cast: Cast) -> None:
    writer.put(polled(cast.water.pk))
    wait_for(lambda: Reading.objects.count() == 1)
    wait_for(lambda: writer.figures()["spooled_batches"] == 0)


def test_without_a_database_batches_wait_in_the_spool_and_go_out_when_it_is_back(
    writer: Writer, database: Database, cast: Cast
) -> None:
    database.there = False
    for n in range(3):
        writer.put(polled(cast.water.pk, n))
        wait_for(lambda: writer.figures()["spooled_batches"] == n + 1)  # noqa: B023
    assert writer.figures()["oldest_unsent_s"] > 0
    database.there = True
    wait_for(lambda: writer.figures()["spooled_batches"] == 0)
    assert Reading.objects.count() == 3


def test_a_batch_whose_commit_a_crash_hid_is_not_stored_twice(
    cast: Cast, tmp_path: Path, database: Database
) -> None:
    batch = gather([polled(cast.water.pk)], LatestStates())
    spool = Spool(tmp_path / "spool")
    spool.put(batch)
    store = Store(database.connect, tmp_path / "rejects.jsonl")
    store.store(batch)  # committed, then killed before the file was removed
    writer = Writer(store, Spool(tmp_path / "spool"), LatestStates())
    writer.start()
    wait_for(lambda: len(Spool(tmp_path / "spool")) == 0)
    writer.end()
    assert Reading.objects.count() == 1
    assert StoredBatch.objects.count() == 1


def test_ending_stores_what_was_just_put(writer: Writer, cast: Cast) -> None:
    writer.put(polled(cast.water.pk))
    writer.end()
    assert Reading.objects.count() == 1


def test_a_dropped_connection_is_made_anew(writer: Writer, cast: Cast) -> None:
    writer.put(polled(cast.water.pk))
    wait_for(lambda: Reading.objects.count() == 1)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    writer.put(polled(cast.water.pk, 60))
    wait_for(lambda: Reading.objects.count() == 2)


def test_every_batch_id_is_new() -> None:
    assert gather([], LatestStates()).id != gather([], LatestStates()).id
    assert isinstance(gather([], LatestStates()).id, uuid.UUID)
