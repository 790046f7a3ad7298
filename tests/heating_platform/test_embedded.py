"""The private servers start anywhere, and again after whatever happened to them."""

import os
import shutil
import signal
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from heating_platform import embedded
from heating_platform.embedded import START_PATIENCE_S, NotPossible, Servers

ROOT = os.geteuid() == 0


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    servers = Servers(tmp_path / "数据 一", throwaway=True)
    yield servers
    servers.stop()
    shutil.rmtree(servers.sockets)


def query(servers: Servers, sql: str) -> object:
    connection = psycopg2.connect(host=str(servers.sockets), user="heating", dbname="heating")
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchone() if cursor.description else None
    finally:
        connection.close()


def test_they_listen_on_private_sockets_alone(servers: Servers) -> None:
    servers.start()
    assert stat.S_IMODE(servers.sockets.stat().st_mode) == 0o700
    assert query(servers, "SHOW listen_addresses") == ("",)
    assert servers.valkey.answers()


def test_the_locale_is_the_builtin_one_of_production_too(servers: Servers) -> None:
    servers.start()
    sql = "SELECT datlocprovider, datlocale, pg_encoding_to_char(encoding) FROM pg_database"
    assert query(servers, f"{sql} WHERE datname = 'heating'") == ("b", "C.UTF-8", "UTF8")


def test_after_kill_9_the_data_are_there_again(servers: Servers) -> None:
    servers.start()
    query(servers, "CREATE TABLE kept AS SELECT 42 AS value")
    for server in (servers.postgres, servers.valkey):
        pid = server.pid()
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
    again = Servers(servers.var, throwaway=True)
    again.start()
    assert query(again, "SELECT value FROM kept") == (42,)
    again.stop()


def test_a_pid_file_that_names_a_stranger_is_no_obstacle(servers: Servers) -> None:
    servers.start()
    pid = servers.postgres.pid()
    assert pid is not None
    lines = servers.postgres.pid_file.read_text().splitlines()
    os.kill(pid, signal.SIGKILL)
    servers.stop()
    lines[0] = str(os.getpid())  # the number was given to somebody else since
    servers.postgres.pid_file.write_text("\n".join(lines))
    assert servers.postgres.pid() is None
    servers.start()
    assert query(servers, "SELECT 1") == (1,)


def test_a_first_set_up_that_was_killed_begins_anew(servers: Servers) -> None:
    home = servers.postgres.home
    (home / "base").mkdir(parents=True)
    (home / "postgresql.conf").write_text("half")
    servers.start()
    assert query(servers, "SELECT 1") == (1,)


def test_stopping_ends_every_process_and_removes_the_sockets(servers: Servers) -> None:
    servers.start()
    tenants = servers.postgres.tenants() + servers.valkey.tenants()
    servers.stop()
    assert len(tenants) > 3
    assert not servers.postgres.tenants() + servers.valkey.tenants()
    assert not servers.postgres.socket.exists() and not servers.valkey.socket.exists()


def test_a_server_that_cannot_start_says_why(servers: Servers) -> None:
    servers.start()
    servers.stop()
    (servers.postgres.home / "postgresql.conf").write_text("nonsense = 1\n")
    started = time.monotonic()
    with pytest.raises(NotPossible, match=r"PostgreSQL does not start: .*nonsense"):
        servers.start()
    assert time.monotonic() - started < START_PATIENCE_S / 2  # at once, not after all of it
    (servers.postgres.home / "postgresql.conf").write_text("")


def test_a_directory_of_somebody_else_is_not_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "_temporary", lambda: tmp_path)
    place = embedded.socket_directory(tmp_path / "var")
    place.rmdir()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    place.symlink_to(elsewhere)
    with pytest.raises(NotPossible, match="somebody else"):
        embedded.socket_directory(tmp_path / "var")


def test_every_data_directory_has_sockets_of_its_own_with_a_short_path(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["清洁取暖管理平台"] * 8)
    places = [embedded.socket_directory(path) for path in (tmp_path, deep)]
    assert len(set(places)) == 2
    assert all(len(os.fsencode(place / ".s.PGSQL.5432.lock")) < 100 for place in places)
    for place in places:
        place.rmdir()


@pytest.mark.skipif(not ROOT, reason="only root needs another user for PostgreSQL")
def test_without_namespaces_root_lets_another_user_run_postgresql(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "_works", lambda *_: False)
    servers = Servers(tmp_path / "var", throwaway=True)
    servers.start()
    try:
        pid = servers.postgres.pid()
        assert pid is not None
        assert Path(f"/proc/{pid}").stat().st_uid != 0
        assert servers.postgres.home.parent == servers.sockets
        assert query(servers, "SELECT 1") == (1,)
    finally:
        servers.stop()
        shutil.rmtree(servers.sockets)


@pytest.mark.skipif(not ROOT, reason="only root uses the namespace")
def test_root_keeps_the_data_its_own(servers: Servers) -> None:
    servers.start()
    assert servers.postgres.home.stat().st_uid == 0
