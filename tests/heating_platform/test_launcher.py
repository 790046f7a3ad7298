"""The pieces of the launcher."""

import fcntl
import json
import os
import shutil
import socket
import stat
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from devices.docking import signing_key
from heating_platform import launcher
from heating_platform.embedded import NotPossible, Servers
from heating_platform.launcher import Platform
from households import keys


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Platform:
    monkeypatch.setattr(Servers, "sockets", tmp_path)
    return Platform(tmp_path, demo=True, port=8123)


def test_a_secret_is_drawn_once_and_kept_to_ourselves(tmp_path: Path) -> None:
    path = tmp_path / "var" / "personal_keys"
    first = launcher.kept(path, keys.draw)
    assert list(keys.read(first)) == [1]
    assert launcher.kept(path, keys.draw) == first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_of_two_first_starts_one_secret_holds(tmp_path: Path) -> None:
    path = tmp_path / "personal_keys"

    def slow() -> str:
        path.write_text("1:of-the-other")
        return "1:ours"

    assert launcher.kept(path, slow) == "1:of-the-other"


def test_the_signing_key_is_drawn_and_told_to_the_worker_alone(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SIGNING_KEY", "SIGNING_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
    assert [platform.told_alone(name) for name in ("web", "line", "beat", "simulator")] == [{}] * 4
    path = Path(platform.told_alone("worker")["SIGNING_KEY"])
    assert path.stat().st_mode & 0o777 == 0o600
    assert signing_key.read(path).certificate
    drawn = path.read_text()
    platform.told_alone("worker")
    assert path.read_text() == drawn
    monkeypatch.setenv("SIGNING_KEY", "/elsewhere/seal.p12")
    monkeypatch.setenv("SIGNING_PASSWORD", "geheim")
    assert not {"SIGNING_KEY", "SIGNING_PASSWORD"} & set(platform.environment())
    given = {"SIGNING_KEY": "/elsewhere/seal.p12", "SIGNING_PASSWORD": "geheim"}
    assert platform.told_alone("worker") == given


def test_listener_ports_are_free_and_differ() -> None:
    ports = launcher.free_ports(5)
    assert len(set(ports)) == 5
    for port in ports:
        socket.create_server(("127.0.0.1", port)).close()


def test_the_demonstration_listens_on_this_machine_alone(platform: Platform) -> None:
    commands = platform.commands("auto@127.0.0.1:20001")
    assert commands["web"][-1] == "127.0.0.1:8123"
    assert commands["simulator"][-1] == "auto@127.0.0.1:20001"


def test_without_demonstration_there_are_no_simulated_units(tmp_path: Path) -> None:
    assert "simulator" not in Platform(tmp_path, demo=False).commands("")


def test_the_poll_interval_of_the_demonstration_can_be_set_from_outside(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("POLL_INTERVAL_S", raising=False)
    assert platform.environment()["POLL_INTERVAL_S"] == "60"
    monkeypatch.setenv("POLL_INTERVAL_S", "5")
    assert platform.environment()["POLL_INTERVAL_S"] == "5"


def test_a_lock_is_shared_by_commands_and_refused_to_the_platform(tmp_path: Path) -> None:
    path = tmp_path / "run.lock"
    with launcher.held(path, fcntl.LOCK_SH) as first, launcher.held(path, fcntl.LOCK_SH) as second:
        assert first and second
        assert not first.alone()
        with launcher.held(path, fcntl.LOCK_EX) as platform:
            assert not platform
    with launcher.held(path, fcntl.LOCK_SH) as last:
        assert last.alone()


def test_catalogues_are_compiled_where_they_are_stale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "locale" / "en" / "LC_MESSAGES" / "django.po"
    source.parent.mkdir(parents=True)
    header = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n'
    source.write_text(header + 'msgid "在线"\nmsgstr "online"\n')
    monkeypatch.setattr(launcher, "BASE", tmp_path)
    launcher.compile_catalogues()
    target = source.with_suffix(".mo")
    assert b"online" in target.read_bytes()
    os.utime(target, (source.stat().st_mtime + 9,) * 2)
    made = target.stat().st_mtime_ns
    launcher.compile_catalogues()
    assert target.stat().st_mtime_ns == made


@pytest.mark.parametrize(("status", "answers"), [(200, True), (302, True), (500, False)])
def test_the_web_answers_when_it_does_not_fail(status: int, answers: bool) -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        assert launcher.web_answers(server.server_address[1]) is answers
        thread.join()


def test_nobody_there_is_no_answer() -> None:
    assert launcher.web_answers(launcher.free_ports(1)[0]) is False


def test_the_greeting_names_address_and_sign_ins(
    platform: Platform, capsys: pytest.CaptureFixture[str]
) -> None:
    account = {"username": "town1", "password": "p-1", "name": "甲", "role": "镇/街道"}
    (platform.var / "demo").mkdir()
    (platform.var / "demo" / "accounts.json").write_text(json.dumps([account]))
    launcher.greet(platform)
    said = capsys.readouterr().out
    assert "http://127.0.0.1:8123/" in said
    assert all(word in said for word in account.values())


def step(platform: Platform, code: str, monkeypatch: pytest.MonkeyPatch, aloud: bool) -> None:
    """A step of the start whose manage.py does *code*."""
    (platform.var / "manage.py").write_text(code)
    (platform.var / "log").mkdir(exist_ok=True)
    monkeypatch.setattr(launcher, "BASE", platform.var)
    launcher.manage(platform, dict(os.environ), "demo", aloud=aloud)


def test_a_failed_step_is_told_in_one_sentence_its_errors_in_the_log(
    platform: Platform, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(NotPossible, match=r"The step `demo` failed: .*ValueError: no winter"):
        step(platform, "print('loading')\nraise ValueError('no winter')", monkeypatch, aloud=True)
    captured = capfd.readouterr()
    assert captured.out == "loading\n"
    assert captured.err == ""
    assert "Traceback" in (platform.var / "log" / "demo.log").read_text()


def test_a_quiet_step_says_nothing(
    platform: Platform, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    step(platform, "print('collecting')", monkeypatch, aloud=False)
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize(("free_mb", "said"), [(20, "The disk is full"), (200, "")])
def test_a_full_disk_is_named_behind_whatever_failed(
    free_mb: int, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage("/")._replace(free=free_mb * 2**20)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    assert launcher.full_disk().startswith(said) and bool(launcher.full_disk()) == bool(said)
