"""`manage.py status` tells how the platform goes, whether the database is there or away."""

import io
import json
import os
import subprocess
import sys
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import OperationalError
from django.db.models import QuerySet
from pytest_django.fixtures import Settings

from heating_platform import processes
from heating_platform.processes import Recorded
from households import clock
from telemetry.models import Command, WorkerState
from tests import cast as people
from tests.cast import Cast


@pytest.fixture(autouse=True)
def var(settings: Settings, tmp_path: Path) -> Path:
    settings.VAR_DIR = tmp_path
    return tmp_path


def status() -> dict[str, Any]:
    out = io.StringIO()
    call_command("status", "--json", stdout=out)
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


def worker(name: str, seconds_ago: float, **figures: float) -> None:
    seen = clock.now() - timedelta(seconds=seconds_ago)
    WorkerState.objects.create(
        name=name, start_id=uuid.uuid4(), started_at=seen, seen_at=seen, figures=figures
    )


@pytest.mark.django_db
def test_units_online_and_silent_are_those_in_service(cast: Cast) -> None:
    people.answered(cast.water, clock.now())
    told = status()
    assert (told["units"], told["online"], told["silent"]) == (2, 1, 1)
    cast.air.retired_at = clock.now()
    cast.air.save()
    told = status()
    assert (told["units"], told["online"], told["silent"]) == (1, 1, 0)


@pytest.mark.django_db
def test_readings_of_the_last_minute_are_counted_and_no_older_ones(cast: Cast) -> None:
    for seconds in (5, 50, 70):
        people.reading(cast.water, clock.now() - timedelta(seconds=seconds))
    assert status()["readings_last_minute"] == 2


@pytest.mark.django_db
def test_the_oldest_batch_and_all_rejected_rows_of_every_line_worker_are_told() -> None:
    worker("main", 2, oldest_unsent_s=3.5, rejected_rows=1)
    worker("second", 60, oldest_unsent_s=90.0, rejected_rows=2)
    told = status()
    assert (told["oldest_unsent_s"], told["rejected_rows"]) == (90.0, 3)
    lives = {name: one["lives"] for name, one in told["line_workers"].items()}
    assert lives == {"main": True, "second": False}


@pytest.mark.django_db
def test_queued_commands_are_counted_and_no_finished_ones(cast: Cast) -> None:
    asked: dict[str, Any] = {"unit": cast.water, "target": 20, "requested_by": cast.town_officer}
    Command.objects.create(signal="indoor_temp_setpoint", **asked)
    Command.objects.create(signal="mode", state="expired", finished_at=clock.now(), **asked)
    assert status()["queued_commands"] == 1


@pytest.mark.django_db
def test_a_process_lives_while_it_is_the_one_that_was_started(var: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    me = processes.birth(os.getpid())
    since = "2026-11-23T00:00:00+00:00"
    record = {
        "web": Recorded(os.getpid(), me, since, 0),
        "beat": Recorded(ended.pid, me, since, 1),
        "line": Recorded(os.getpid(), 1, since, 0),  # its pid was given to another since
        "worker": Recorded(None, None, since, 7),
    }
    processes.write(var / processes.FILE, record)
    told = status()["processes"]
    assert {name: one["lives"] for name, one in told.items()} == {
        "web": True,
        "beat": False,
        "line": False,
        "worker": False,
    }
    assert told["worker"]["restarts"] == 7


@pytest.mark.django_db
def test_a_person_reads_it_in_words(cast: Cast, capsys: pytest.CaptureFixture[str]) -> None:
    people.answered(cast.water, clock.now())
    worker("main", 60)
    call_command("status")
    said = capsys.readouterr().out
    assert "取暖设备 2 台，在线 1，离线 1" in said
    assert "采集进程 main：未运行" in said


def test_with_the_database_away_it_says_so_tells_the_rest_and_fails(
    var: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def away(*_: object) -> None:
        raise OperationalError("connection refused\nIs the server running?")

    monkeypatch.setattr(QuerySet, "count", away)
    birth = processes.birth(os.getpid())
    record = {"web": Recorded(os.getpid(), birth, "2026-11-23T00:00:00+00:00", 0)}
    processes.write(var / processes.FILE, record)
    with pytest.raises(SystemExit) as ended:
        call_command("status", "--json")
    assert ended.value.code == 1
    told = json.loads(capsys.readouterr().out)
    assert told["database"] == "connection refused"
    assert told["units"] is None and told["processes"]["web"]["lives"]
    with pytest.raises(SystemExit):
        call_command("status")
    assert "数据库不可用：connection refused" in capsys.readouterr().out
