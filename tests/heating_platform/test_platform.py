"""The platform as `./run` starts it: 185 units, killed processes, and every stored value checked.

This file may last two minutes, as the browser's tests may last longer than others: the platform
has to load its demonstration and then to poll for a minute before it can be judged.
"""

from __future__ import annotations

import fcntl
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from celery import Celery
from kombu.exceptions import OperationalError
from redis import RedisError

from heating_platform import processes
from heating_platform.demonstration.farm import COUNT, SILENT_SINCE
from heating_platform.embedded import BASE, Servers
from telemetry.models.readings import COLUMNS

INTERVAL_S = 5
# Units in houses; the samples at the test bench are read and written by their test.
OF_HOUSES = f" unit_id IN (SELECT id FROM devices_unit WHERE network_address <= {COUNT})"
ANSWERING = COUNT - len(SILENT_SINCE)
BACK_S = 10.0  # for another process to be there
WORKS_S = 90.0  # for its work to be seen, on a machine that does other things too
START_S = 240.0
EVERYBODY_S = 50.0  # some transmitters say who they are only in their first heartbeat, after 30 s
RECONNECTED_S = 30.0  # Celery looks for a lost broker after 2, 6 and 12 s
# The simulator tells after its byte left, and a loaded machine may let it wait in between.
CLOCK_S = 0.5
FLUSHED_S = 2.0  # after which an answer is in the simulator's record for sure
Row = tuple[Any, ...]


@dataclass
class Run:
    """A running platform: its launcher's process, its data directory, its web port."""

    process: subprocess.Popen[bytes]
    var: Path
    port: int
    servers: Servers = field(init=False)

    def __post_init__(self) -> None:
        self.servers = Servers(self.var)

    @property
    def recorded(self) -> dict[str, processes.Recorded]:
        return processes.read(self.var / processes.FILE)

    @property
    def record(self) -> Path:
        """What the simulated units answered."""
        return self.var / "answered.jsonl"

    def query(self, sql: str, *parameters: Any) -> list[Row]:
        place = str(self.servers.sockets)
        with (
            closing(psycopg2.connect(host=place, user="heating", dbname="heating")) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(sql, parameters)
            return list(cursor.fetchall())

    def number(self, sql: str, *parameters: Any) -> float:
        return float(self.query(sql, *parameters)[0][0])

    def web_answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        with closing(connection), suppress(OSError, http.client.HTTPException):
            connection.request("GET", "/sign-in/")
            return connection.getresponse().status == 200
        return False

    def everybody_told(self, since: float) -> bool:
        sql = "SELECT count(*) FROM telemetry_unitstate WHERE answered_at > to_timestamp(%s)"
        return self.number(f"{sql} AND {OF_HOUSES}", since) == ANSWERING

    def somebody_told(self, since: float) -> bool:
        sql = "SELECT count(*) FROM telemetry_reading WHERE at > to_timestamp(%s)"
        return self.number(sql, since) > 0

    def workers(self) -> set[str]:
        """Names of the Celery workers that answer through the broker."""
        with Celery(broker=self.servers.valkey.url) as app:
            answers = app.control.ping(timeout=0.7)
        return {name.partition("@")[0] for answer in answers for name in answer}

    def keys(self, since: float) -> set[Row]:
        sql = "SELECT unit_id, at FROM telemetry_reading WHERE at > to_timestamp(%s)"
        return set(self.query(sql, since))


def eventually(condition: Callable[[], Any], seconds: float) -> None:
    """Waits for the condition; a database or broker that is away counts as no."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with suppress(psycopg2.Error, OSError, RedisError, OperationalError):
            if condition():
                return
        time.sleep(0.1)
    raise AssertionError(f"it did not happen within {seconds} s")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """What `./run` executes once the packages are there, in a data directory of its own."""
    var, port = tmp_path_factory.mktemp("platform") / "var", free_port()
    var.mkdir()
    env = {**os.environ, "VAR_DIR": str(var), "POLL_INTERVAL_S": str(INTERVAL_S)}
    env["DEMO_PAST_HOURS"] = "1"  # the past is not what is tried here
    with (var / "run.lock").open("a") as lock, (var / "run.log").open("ab") as output:
        fcntl.flock(lock, fcntl.LOCK_EX)
        command = [sys.executable, "-m", "heating_platform.launcher", "run"]
        process = subprocess.Popen(
            [*command, "--port", str(port), "--lock", str(lock.fileno())],
            cwd=BASE,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=[lock.fileno()],
        )
    run = Run(process, var, port)
    try:
        eventually(lambda: process.poll() is not None or run.web_answers(), START_S)
        assert process.poll() is None, (var / "run.log").read_text()
        begin_to_record(run)
        yield run
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


def begin_to_record(run: Run) -> None:
    """Have the simulator keep its record, as the farm file tells it at its next start."""
    farm = run.var / "demo" / "farm.json"
    farm.write_text(json.dumps({**json.loads(farm.read_text()), "record": str(run.record)}))
    killed = kill(run, "simulator")
    eventually(lambda: run.everybody_told(killed), 60)


def kill(run: Run, name: str) -> float:
    """kill -9 of one process; returns when another one is there, with the time of the kill."""
    before = run.recorded[name]
    assert before.pid is not None and before.lives
    killed = time.time()
    os.kill(before.pid, signal.SIGKILL)
    eventually(lambda: run.recorded[name].lives and run.recorded[name].pid != before.pid, BACK_S)
    return killed


def back(run: Run, name: str, killed: float) -> bool:
    """Whether the process does its work again, and not only is there."""
    match name:
        case "web":
            return run.web_answers()
        case "worker":
            return "worker" in run.workers()
        case "Valkey":
            return run.servers.valkey.answers()
        case "line" | "simulator" | "PostgreSQL":
            return run.somebody_told(max(killed, began(run, name)))
    return run.recorded[name].lives


def began(run: Run, name: str) -> float:
    return datetime.fromisoformat(run.recorded[name].started_at).timestamp()


def fall(run: Run, name: str) -> float:
    killed = kill(run, name)
    eventually(lambda: back(run, name, killed), WORKS_S)
    return killed


@pytest.mark.parametrize(
    "seconds", [60, pytest.param(600, marks=pytest.mark.long)], ids=["a minute", "ten minutes"]
)
def test_due_polls_are_stored_whoever_else_falls_and_no_value_is_wrong(
    platform: Run, seconds: int
) -> None:
    """While worker, scheduler, web, broker and database are killed one after the other."""
    begun = time.time()
    for name in ("worker", "beat", "web", "Valkey", "PostgreSQL"):
        fall(platform, name)
    eventually(lambda: platform.workers() >= {"worker", "line.main"}, RECONNECTED_S)
    time.sleep(max(0.0, begun + seconds - time.time()))
    ended = time.time()
    time.sleep(FLUSHED_S)
    stored = platform.number(
        "SELECT count(*) FROM telemetry_reading WHERE at > to_timestamp(%s)"
        f" AND at <= to_timestamp(%s) AND {OF_HOUSES}",
        begun,
        ended,
    )
    assert stored >= 0.99 * ANSWERING * (ended - begun) / INTERVAL_S
    assert nothing_was_lost(platform)
    assert_every_value_was_answered(platform, begun, ended)


def test_what_was_stored_stays_when_line_worker_and_units_fall(platform: Run) -> None:
    begun = time.time() - 20
    for name in ("line", "line", "simulator"):
        before = platform.keys(begun)
        killed = fall(platform, name)
        assert before and before <= platform.keys(begun)
    eventually(lambda: platform.everybody_told(killed), EVERYBODY_S)
    assert nothing_was_lost(platform)
    assert_every_value_was_answered(platform, begun, killed - FLUSHED_S)


def nothing_was_lost(run: Run) -> bool:
    """Whether no batch waits, was refused or thrown away. Twice the same reading cannot be: the
    key forbids it, and a batch that met its own rows would have been refused."""
    [(figures,)] = run.query("SELECT figures FROM telemetry_workerstate")
    spool = run.var / "spool" / "main"
    eventually(lambda: not list(spool.glob("*.batch")), BACK_S)
    lost = [figures[name] for name in ("rejected_rows", "dropped_batches", "overflowed_rows")]
    return lost == [0, 0, 0] and not (spool / "rejects.jsonl").exists()


class Record:
    """The simulator's own record: what a unit last told of a signal before a moment."""

    def __init__(self, path: Path) -> None:
        self.told: dict[tuple[str, str], list[tuple[float, Any]]] = defaultdict(list)
        for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
            if line.endswith("}\n"):  # not one that a killed simulator was writing
                said = json.loads(line)
                at = datetime.fromisoformat(said["t"]).timestamp()
                for signal_name, value in with_faults(said["signals"]).items():
                    self.told[said["key"], signal_name].append((at, value))

    def about(self, key: str, signal_name: str, at: float) -> list[tuple[float, Any]]:
        """The last before that moment, and what is recorded so soon after it (`CLOCK_S`) that it
        may have left before."""
        told = self.told[key, signal_name]
        before, soon = (bisect_right(told, at + s, key=lambda one: one[0]) for s in (0, CLOCK_S))
        return told[max(before - 1, 0) : soon]


def with_faults(signals: dict[str, Any]) -> dict[str, Any]:
    """With the labels of single fault flags as one set, and whether there is any fault."""
    flags = {name.removeprefix("fault."): on for name, on in signals.items() if "fault." in name}
    if flags:
        signals |= {"fault_bits": sorted(label for label, on in flags.items() if on)}
    if "fault_bits" in signals:
        signals |= {"fault_active": bool(signals["fault_bits"])}
    return signals


def assert_every_value_was_answered(run: Run, begun: float, ended: float) -> None:
    """Each stored value is what the unit last answered, and did so after its reading before; few
    are missing."""
    record, compared, not_good = Record(run.record), 0, 0
    wrong: list[Sequence[Any]] = []
    for key, at, earlier, others, doubted, *columns in readings(run, begun, ended):
        values = {**dict(zip(COLUMNS, columns, strict=True)), **(others or {})}
        not_good += len(doubted or {})
        for name, value in values.items():
            if value is None:
                continue
            told = record.about(key, name, at)
            compared += 1
            if not any(said == value and told_at >= earlier for told_at, said in told):
                wrong.append((key, at, earlier, name, value, told))
    assert not wrong, f"{len(wrong)} of {compared}, such as {wrong[:5]}"
    assert compared > 10 * ANSWERING
    assert not_good < 0.02 * compared


def readings(run: Run, begun: float, ended: float) -> list[Row]:
    return run.query(
        "SELECT network_address::text, extract(epoch FROM at)::float8,"
        " coalesce(extract(epoch FROM lag(at) OVER (PARTITION BY unit_id ORDER BY at)), 0)::float8,"
        " others, not_good, "
        + ", ".join(COLUMNS)
        + " FROM telemetry_reading JOIN devices_unit ON devices_unit.id = unit_id"
        f" WHERE at BETWEEN to_timestamp(%s) AND to_timestamp(%s) AND {OF_HOUSES}",
        begun,
        ended,
    )
