"""Children come back, end with us, and leave nothing behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from heating_platform import processes
from heating_platform import supervisor as supervising
from heating_platform.supervisor import LONGEST_PAUSE_S, Child, Supervisor, end, spawn

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    " print('ready', flush=True); time.sleep(60)",
]
WITH_GRANDCHILD = [
    sys.executable,
    "-c",
    "import subprocess, sys, time; p = subprocess.Popen(['sleep', '60']);"
    " print(p.pid, flush=True); time.sleep(60)",
]


def until(condition: Callable[[], object], patience: float = 60.0) -> None:
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.01)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def child(tmp_path: Path, name: str = "one", command: list[str] = SLEEP) -> Child:
    log = tmp_path / f"{name}.log"
    return Child(name, lambda: spawn(command, log=log, cwd=tmp_path), patience=30)


def test_a_fallen_child_is_started_again_at_once(tmp_path: Path) -> None:
    said: list[str] = []
    supervisor = Supervisor(said.append)
    one = child(tmp_path)
    supervisor.add(one)
    assert one.process is not None
    first = one.process.pid
    os.kill(first, signal.SIGKILL)
    one.process.wait()
    supervisor.look_after()
    assert one.process.pid != first
    assert alive(one.process.pid)
    assert said == ["one ended (signal 9), starting it again."]
    supervisor.stop()


def test_a_child_that_keeps_falling_is_given_pauses_that_end(tmp_path: Path) -> None:
    one = child(tmp_path, command=[sys.executable, "-c", ""])
    for pause in (0.0, 0.5, 1.0, 2.0, 4.0, LONGEST_PAUSE_S):
        one.run()
        assert one.process is not None
        one.process.wait()
        before = time.monotonic()
        one.bury()
        assert before + pause <= one.due_at <= time.monotonic() + pause


def test_a_child_that_cannot_be_started_does_not_stop_the_others(tmp_path: Path) -> None:
    said: list[str] = []
    supervisor = Supervisor(said.append)
    broken, other = child(tmp_path, "broken"), child(tmp_path, "other")
    supervisor.add(broken)
    supervisor.add(other)
    broken.start = lambda: spawn(["/no/such/program"], log=tmp_path / "log", cwd=tmp_path)
    for fallen in (broken, other):
        assert fallen.process is not None
        fallen.process.kill()
        fallen.process.wait()
    supervisor.look_after()
    assert broken.process is None
    assert other.process is not None and alive(other.process.pid)
    assert any("broken does not start" in text for text in said)
    supervisor.stop()


def test_what_a_fallen_child_had_started_is_ended_with_it(tmp_path: Path) -> None:
    one = child(tmp_path, command=WITH_GRANDCHILD)
    one.run()
    assert one.process is not None
    until(lambda: (tmp_path / "one.log").read_text().strip())
    grandchild = int((tmp_path / "one.log").read_text())
    one.process.kill()
    one.process.wait()
    assert alive(grandchild)
    one.bury()
    until(lambda: not alive(grandchild))


def test_a_child_that_ignores_the_signal_is_killed(tmp_path: Path) -> None:
    process = spawn(STUBBORN, log=tmp_path / "log", cwd=tmp_path)
    until(lambda: (tmp_path / "log").read_text())
    started = time.monotonic()
    end(process, signal.SIGTERM, 0.3)
    assert process.returncode == -signal.SIGKILL
    assert time.monotonic() - started < 20  # it would sleep for 60


def test_servers_are_ended_after_those_who_use_them(tmp_path: Path) -> None:
    note = tmp_path / "order"
    script = (
        "import signal, sys, time\n"
        "def leave(*_):\n"
        "    time.sleep(float(sys.argv[2]))\n"
        "    open(sys.argv[3], 'a').write(sys.argv[1] + ' ')\n"
        "    sys.exit()\n"
        "signal.signal(signal.SIGTERM, leave)\n"
        "print('ready', flush=True)\n"
        "time.sleep(60)\n"
    )
    supervisor = Supervisor(print)
    for name, takes in (("database", 0), ("broker", 0), ("web", 0.6), ("worker", 0.1)):
        command = [sys.executable, "-c", script, name, str(takes), str(note)]
        one = child(tmp_path, name, command)
        one.last = name in ("database", "broker")
        supervisor.add(one)
    until(lambda: all((tmp_path / f"{c.name}.log").read_text() for c in supervisor.children))
    supervisor.stop()
    assert note.read_text().split() == ["worker", "web", "broker", "database"]


def test_children_end_when_the_supervisor_is_killed(tmp_path: Path) -> None:
    code = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from heating_platform.supervisor import spawn\n"
        "here = Path(sys.argv[1])\n"
        "print(spawn(['sleep', '60'], log=here / 'log', cwd=here).pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    assert alive(pid)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    until(lambda: not alive(pid))


def test_the_record_names_who_is_alive_and_how_often_it_fell(tmp_path: Path) -> None:
    path = tmp_path / "processes.json"
    supervisor = Supervisor(lambda _: None, record=path)
    one = child(tmp_path)
    supervisor.add(one)
    assert one.process is not None
    first = processes.read(path)["one"]
    assert first.lives and (first.pid, first.restarts) == (one.process.pid, 0)
    one.process.kill()
    one.process.wait()
    assert not processes.read(path)["one"].lives
    supervisor.look_after()
    second = processes.read(path)["one"]
    assert second.lives and (second.pid, second.restarts) == (one.process.pid, 1)
    supervisor.stop()
    assert processes.read(path) == {}


def test_a_record_that_cannot_be_written_keeps_no_child_from_its_start(tmp_path: Path) -> None:
    supervisor = Supervisor(lambda _: None, record=tmp_path / "missing" / "processes.json")
    one = child(tmp_path)
    supervisor.add(one)
    assert one.process is not None and alive(one.process.pid)
    supervisor.stop()


def test_a_log_that_has_grown_long_begins_anew_and_keeps_what_came_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervising, "LOG_LIMIT", 10)
    log = tmp_path / "web.log"
    spawn(["echo", "first of two"], log=log, cwd=tmp_path).wait(5)
    Supervisor(print, logs=tmp_path).look_after()
    spawn(["echo", "second"], log=log, cwd=tmp_path).wait(5)
    assert (tmp_path / "web.before").read_text() == "first of two\n"
    assert log.read_text() == "second\n"
