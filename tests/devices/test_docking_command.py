"""`docking bench` at a simulated sample, as an engineer types it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command

from devices.management.commands.docking import _owed_file
from devices.modbus.simulator import SimUnit
from tests.devices.modbus.bench.defects import edited, set_to
from tests.devices.modbus.bench.samples import CN_W10
from tests.devices.test_line_command import Ran, served

BRISK = edited(
    set_to(set_to(CN_W10, "min_write_interval_s", 0), "reply_timeout_ms", 200),
    "power_state",
    write_delay_s=0.1,
)
NOWHERE = "postgresql://nobody@127.0.0.1:1/none"


@pytest.fixture(scope="module")
def map_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("maps") / "brisk.csv"
    file.write_text(BRISK, encoding="utf-8")
    return file


@pytest.fixture
def sample(map_file: Path) -> SimUnit:
    return SimUnit(map_file, 5, seed=5)


@pytest.fixture
def url(sample: SimUnit) -> Iterator[str]:
    with served(sample) as url:
        yield url


@pytest.fixture(autouse=True)
def var(tmp_path: Path, settings: Any) -> Path:
    settings.VAR_DIR = tmp_path
    return tmp_path


@pytest.fixture
def bench(capsys: pytest.CaptureFixture[str]) -> Any:
    def run(*words: object) -> Ran:
        code = 0
        try:
            call_command("docking", "bench", *map(str, words))
        except SystemExit as end:
            code = int(end.code or 0)
        return Ran(code, *capsys.readouterr())

    return run


def test_the_chosen_steps_are_run_in_the_order_of_the_plan(
    bench: Any, map_file: Path, url: str
) -> None:
    ran = bench(map_file, url, "--address", 5, "--only", "exceptions,readings", "--json")
    assert (ran.code, ran.json["passed"], ran.json["errors"]) == (0, True, [])
    assert [step["key"] for step in ran.json["steps"]] == ["readings", "exceptions"]
    readings = ran.json["steps"][0]
    assert readings["state"] == "passed"
    assert readings["figures"]["readings"]["supply_temp"]["quality"] == "good"
    assert readings["frames"][0][0] == "out"


def test_a_failed_step_says_what_the_maker_must_change(
    bench: Any, map_file: Path, url: str, sample: SimUnit
) -> None:
    sample.pin("holding", 1, 7)
    ran = bench(map_file, url, "--address", 5, "--only", "labels")
    assert ran.code == 1
    assert "未通过" in ran.out and "厂家须改" in ran.out
    assert "7=…" in ran.out
    assert "用满点表的 200 ms" in ran.err  # how long it may take was told before


def test_a_word_that_the_maker_knows_may_be_given(bench: Any, map_file: Path, url: str) -> None:
    words = (map_file, url, "--address", 5, "--only", "readings", "--json")
    assert bench(*words, "--known", "holding:1=1").code == 0
    ran = bench(*words, "--known", "holding:1=0x4D2")
    assert ran.code == 1
    assert "厂家所报" in ran.json["steps"][0]["finding"]
    assert bench(*words, "--known", "1=1").code == 1


def test_what_the_panel_shows_is_compared_with_what_is_read_now(
    bench: Any, map_file: Path, url: str, sample: SimUnit, tmp_path: Path
) -> None:
    sample.set("supply_temp", 45.0)
    panel = tmp_path / "panel.json"
    panel.write_text(json.dumps({"supply_temp": 38.0}), encoding="utf-8")
    ran = bench(map_file, url, "--address", 5, "--only", "labels", "--panel", panel)
    assert ran.code == 1
    assert "供水温度 不符" in ran.out
    panel.write_text('{"supply": 1}', encoding="utf-8")
    ran = bench(map_file, url, "--address", 5, "--panel", panel)
    assert ran.code == 1
    assert "supply_temp" in ran.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--only", "addresses,swimming"), "swimming"),
        (("--module", "3"), "module_stride"),
        (("--only", "readings", "--soak", "-5"), "负数"),
    ],
)
def test_what_cannot_be_run_is_refused_before_anything_is_sent(
    bench: Any, map_file: Path, url: str, words: tuple[str, ...], said: str
) -> None:
    ran = bench(map_file, url, "--address", 5, *words)
    assert ran.code == 1
    assert said in ran.err


def test_a_map_with_mistakes_and_a_line_that_is_not_there_are_told(
    bench: Any, map_file: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.csv"
    broken.write_text(BRISK.replace("int16", "int17"), encoding="utf-8")
    ran = bench(broken, "tcp://127.0.0.1:9", "--address", 5, "--json")
    assert ran.code == 1
    assert "处错误" in ran.json["errors"][0]
    ran = bench(map_file, "tcp://127.0.0.1:9", "--address", 5, "--json")
    assert (ran.code, ran.json["steps"]) == (1, [])


def test_what_a_killed_run_owed_is_put_back_before_the_next_one_begins(
    bench: Any, map_file: Path, url: str, sample: SimUnit, var: Path
) -> None:
    words = (map_file, url, "--address", 5, "--only", "labels")
    assert bench(*words).code == 0
    assert list((var / "bench").glob("*")) == []
    sample.set("power_state", False)
    _owed_file({"url": url, "address": 5, "module": None}).keep({"power_state": True})
    ran = bench(*words)
    assert ran.code == 0 and "上次测试中断" in ran.err
    assert sample.values()["power_state"] is True
    assert list((var / "bench").glob("*")) == []


def test_nothing_is_tested_where_nothing_can_be_kept(
    bench: Any, map_file: Path, url: str, var: Path
) -> None:
    (var / "bench").write_text("in the way")
    ran = bench(map_file, url, "--address", 5, "--only", "labels")
    assert ran.code == 1 and "无法记下" in ran.err and "通过" not in ran.out


def test_an_interrupted_test_puts_back_what_it_wrote(
    url: str, sample: SimUnit, tmp_path: Path
) -> None:
    """Ended while the sample is off, and no database far and wide: it is on again before the
    command is over. Ctrl-C takes the same way."""
    map_file = tmp_path / "power.csv"  # of which power alone is written
    map_file.write_text(edited(BRISK, "indoor_temp_setpoint", access="r"), encoding="utf-8")
    words = ["docking", "bench", str(map_file), url, "--address", "5", "--only", "write_power"]
    words += ["--hold", "0.2"]
    running = subprocess.Popen(
        [sys.executable, "manage.py", *words, "--json"],
        cwd=settings.BASE_DIR,
        env={
            **os.environ,
            "DATABASE_URL": NOWHERE,
            "SECRET_KEY": "of-this-test",
            "VAR_DIR": str(tmp_path),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    patience = time.monotonic() + 60
    while sample.values()["power_state"] is True and time.monotonic() < patience:
        time.sleep(0.02)
    assert sample.values()["power_state"] is False
    running.send_signal(signal.SIGTERM)
    out, err = running.communicate(timeout=60)
    assert sample.values()["power_state"] is True
    assert running.returncode == 130, err.decode()
    assert "power_state" in err.decode()
    assert json.loads(out)["passed"] is False
