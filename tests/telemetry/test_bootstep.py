"""A line worker inside its Celery worker, as `./run` starts it, without a broker.

It lasts longer than other tests because a whole Celery worker has to start.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest
from django.conf import settings
from django.db import connection

from devices.modbus.simulator.unit import SimUnit
from heating_platform.launcher import LINE_WORKER
from telemetry import partitions
from telemetry.models import MissedPolls, Reading
from tests import cast as people
from tests.cast import Cast
from tests.farm import WATER, farm

STARTS_WITHIN_S = 45.0
POLLS = 5


@contextmanager
def worker_without_broker(var: Path) -> Iterator[subprocess.Popen[bytes]]:
    told = connection.settings_dict
    place = f"{quote(told['USER'])}@/{told['NAME']}?host={quote(told['HOST'], safe='')}"
    env = {
        **os.environ,
        "DATABASE_URL": f"postgresql://{place}",
        "BROKER_URL": f"redis+socket://{var}/nobody.sock",
        "LINE_LISTENERS": "",
        "VAR_DIR": str(var),
    }
    process = subprocess.Popen(
        [*LINE_WORKER, "--line", "test", "-n", "line.test@%h"],
        cwd=settings.BASE_DIR,
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.mark.django_db(transaction=True)
def test_with_the_broker_absent_from_the_start_no_due_poll_is_missed(
    cast: Cast, tmp_path: Path
) -> None:
    partitions.ensure()
    with farm() as lines:
        port = lines.open(SimUnit(WATER, 5, static=True))
        line = people.gateway(
            f"tcp://127.0.0.1:{port}", line_worker="test", interval_s=1, trusted=True
        )
        unit = people.unit(line, cast.water.model, address=5)
        stored = Reading.objects.filter(unit_id=unit.pk)
        with worker_without_broker(tmp_path) as process:
            deadline = time.monotonic() + STARTS_WITHIN_S
            while stored.count() < POLLS:
                assert process.poll() is None and time.monotonic() < deadline
                time.sleep(0.1)
            assert process.poll() is None
    assert not MissedPolls.objects.filter(unit_id=unit.pk).exists()
