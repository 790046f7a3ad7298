"""What `./run` does once its packages are there: the platform's processes, tests, commands.

python -m heating_platform.launcher run|test|manage|plain …    (called by ./run)
"""

import argparse
import fcntl
import http.client
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import IO

import polib

from devices.docking import signing_key
from heating_platform import processes
from heating_platform.embedded import BASE, NotPossible, Servers, last_words
from heating_platform.supervisor import Child, Supervisor, end, spawn
from households import keys

LINE = "main"
LISTENER_PORTS = range(20_000, 32_000)  # below the ports that the system gives to outgoing calls
# Nobody answers the number: behind an area code none begins with 0.
OF_THE_DEMONSTRATION = {"POLL_INTERVAL_S": "60", "SERVICE_PHONE": "0356-0000000"}
OF_THE_WORKER = ("SIGNING_KEY", "SIGNING_PASSWORD")  # it alone signs papers
START_PATIENCE_S = 90.0
FULL_BELOW = 32 * 2**20  # bytes: PostgreSQL asks for its log in pieces of 16 MB

PYTHON = (sys.executable, "-m")
CELERY = (*PYTHON, "celery", "-A", "heating_platform")
WEB = (*PYTHON, "gunicorn", "heating_platform.wsgi", "--worker-class", "gthread")
WEB_SIZE = ("--workers", "2", "--threads", "8", "--graceful-timeout", "5", "--no-control-socket")
LINE_WORKER = (*CELERY, "worker", "--pool", "threads", "--concurrency", "4", "--without-gossip")
WORKER = (*CELERY, "worker", "--concurrency", "2", "-Q", "celery,reports", "-n", "worker@%h")
# For two cores: a process uses one for little more than half of its time, as many tests wait for a
# line or a browser. File by file in our order, which begins with the longest.
SIDE_BY_SIDE = ("-n", "3", "--dist", "loadfile", "--no-loadscope-reorder")
BEAT = (*CELERY, "beat", "--pidfile=")


def say(text: str) -> None:
    print(text, flush=True)


@dataclass(frozen=True)
class Platform:
    """One platform: its data directory, its servers, what its processes are told."""

    var: Path
    demo: bool
    port: int = 8000

    @property
    def servers(self) -> Servers:
        return Servers(self.var)

    def environment(self) -> dict[str, str]:
        servers = self.servers
        demo = OF_THE_DEMONSTRATION if self.demo else {}
        told = {name: value for name, value in os.environ.items() if name not in OF_THE_WORKER}
        return (
            demo
            | {"PUBLIC_URL": f"http://127.0.0.1:{self.port}"}
            | told
            | {
                "DATABASE_URL": servers.postgres.url,
                "BROKER_URL": servers.valkey.url,
                "SECRET_KEY": kept(self.var / "secret_key", lambda: secrets.token_urlsafe(50)),
                "PERSONAL_KEYS": kept(self.var / "personal_keys", keys.draw),
                "ALLOWED_HOSTS": "localhost,127.0.0.1",
                "DEBUG": "0",
                "DEMO": str(int(self.demo)),
                "HTTPS": "0",
                "RUN_DIR": str(servers.sockets),
                "VAR_DIR": str(self.var),
            }
        )

    def told_alone(self, name: str) -> dict[str, str]:
        """What is told to no process but this one: the worker, where the signing key lies."""
        if name != "worker":
            return {}
        told = {of: os.environ[of] for of in OF_THE_WORKER if of in os.environ}
        if "SIGNING_KEY" not in told:
            path = self.var / "signing_key.pem"
            kept(path, lambda: signing_key.draw(os.environ.get("SERVICE_UNIT", "清洁取暖管理平台")))
            told["SIGNING_KEY"] = str(path)
        return told

    def commands(self, listeners: str) -> dict[str, list[str]]:
        """The processes by name, in the order of their start."""
        web = [*WEB, *WEB_SIZE, "--bind", f"127.0.0.1:{self.port}"]
        line = ["--line", LINE, "-Q", f"lines.{LINE}", "-n", f"line.{LINE}@%h"]
        commands = {
            "web": web,
            "line": [*LINE_WORKER, *line],
            "worker": [*WORKER],
            "beat": [*BEAT, "-s", str(self.var / "beat")],
        }
        if self.demo:
            farm = ["--farm", str(self.var / "demo" / "farm.json"), "--listeners", listeners]
            commands["simulator"] = [*PYTHON, "devices.modbus.simulator", *farm]
        return commands


def kept(path: Path, draw: Callable[[], str]) -> str:
    """The secret kept in *path*, drawn at the first start."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        drawn = path.with_name(f".{path.name}.{os.getpid()}")
        with os.fdopen(os.open(drawn, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
            file.write(draw())
            file.flush()
            os.fsync(file.fileno())  # what it seals is not lost before the secret is
        with suppress(FileExistsError):  # another start was quicker: its secret holds
            os.link(drawn, path)
        drawn.unlink()
    return path.read_text().strip()


def free_ports(count: int) -> list[int]:
    """Ports on 127.0.0.1 that nobody listens on now."""
    found: list[int] = []
    for _ in range(1000):
        port = secrets.choice(LISTENER_PORTS)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            found.append(port)
        if len(set(found)) == count:
            return sorted(set(found))
    raise NotPossible("There is no free port between 20000 and 32000 on 127.0.0.1.")


def compile_catalogues() -> None:
    """Make the .mo of every .po that is newer."""
    for source in (BASE / "locale").glob("*/LC_MESSAGES/*.po"):
        target = source.with_suffix(".mo")
        if not target.exists() or target.stat().st_mtime < source.stat().st_mtime:
            polib.pofile(str(source)).save_as_mofile(str(target))


def manage(platform: Platform, env: dict[str, str], *words: str, aloud: bool = False) -> None:
    """Run a management command as a step of the start; NotPossible if it fails."""
    log = platform.var / "log" / f"{words[0]}.log"
    command = [sys.executable, "manage.py", *words]
    process = spawn(command, log=log, cwd=BASE, env=env, aloud=aloud)
    try:
        code = process.wait()
    except BaseException:
        end(process, signal.SIGTERM, 5)
        raise
    if code != 0:
        raise NotPossible(f"The step `{words[0]}` failed: {last_words(log)}")


def run(platform: Platform) -> int:
    """Start everything, keep it alive until a signal ends us, end it in order."""
    logs = platform.var / "log"
    supervisor = Supervisor(say, record=platform.var / processes.FILE, logs=logs)
    try:
        start(platform, supervisor)
        while True:
            supervisor.look_after()
            time.sleep(0.2)
    except KeyboardInterrupt:
        say("Stopping.")
        return 0
    finally:
        ignore_signals()
        supervisor.stop()


def start(platform: Platform, supervisor: Supervisor) -> None:
    logs = platform.var / "log"
    logs.mkdir(parents=True, exist_ok=True)
    compile_catalogues()
    say("Starting PostgreSQL and Valkey.")
    start_servers(platform.servers, supervisor)
    ports = free_ports(2)
    # The demonstration's transmitters are on this machine, its private network.
    own = "?source=127.0.0.0/8" if platform.demo else ""
    listeners = f"auto@127.0.0.1:{ports[0]}{own},prefix@127.0.0.1:{ports[1]}{own}"
    env = platform.environment() | {"LINE_LISTENERS": listeners}
    say("Bringing the database to this version.")
    prepare(platform, env)
    if platform.demo:
        say("Looking for the demonstration district.")
        manage(platform, env, "demo", aloud=True)
    manage(platform, env, "collectstatic", "--noinput", "-v", "0")
    say("Starting web, line worker, worker, scheduler" + " and units." * platform.demo)
    for name, command in platform.commands(listeners).items():
        told = env | platform.told_alone(name)
        supervisor.add(Child(name, starter(command, logs / f"{name}.log", told)))
    wait_for_web(platform, supervisor)
    greet(platform)


def start_servers(servers: Servers, supervisor: Supervisor) -> None:
    for server in (servers.postgres, servers.valkey):
        child = Child(server.name, server.launch, server.stop_signal, patience=20, last=True)
        supervisor.add(child)
    for server in (servers.postgres, servers.valkey):
        server.wait()


def prepare(platform: Platform, env: dict[str, str]) -> None:
    """Migrate; without a demonstration the command may have to ask on our terminal."""
    if platform.demo:
        manage(platform, env, "prepare")
        return
    log = platform.var / "log" / "prepare.log"
    command = [sys.executable, "manage.py", "prepare", "--administrator"]
    with log.open("wb") as errors:
        code = subprocess.run(command, cwd=BASE, env=env, stderr=errors).returncode
    if code != 0:
        raise NotPossible(f"The database is not ready: {last_words(log)}")


def starter(
    command: list[str], log: Path, env: dict[str, str]
) -> Callable[[], subprocess.Popen[bytes]]:
    return lambda: spawn(command, log=log, cwd=BASE, env=env)


def wait_for_web(platform: Platform, supervisor: Supervisor) -> None:
    deadline = time.monotonic() + START_PATIENCE_S
    while not web_answers(platform.port):
        supervisor.look_after()
        if time.monotonic() > deadline:
            raise NotPossible(f"The web server: {last_words(platform.var / 'log' / 'web.log')}")
        time.sleep(0.2)


def web_answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def greet(platform: Platform) -> None:
    say(f"\n清洁取暖管理平台 runs at http://127.0.0.1:{platform.port}/")
    accounts = platform.var / "demo" / "accounts.json"
    if platform.demo and accounts.exists():
        say("Sign-ins of the demonstration (user name, password, who):")
        for account in json.loads(accounts.read_text()):
            who = f"{account['name']} {account['role']}"
            say(f"  {account['username']:<14} {account['password']:<14} {who}")
    say(f"Logs are in {platform.var / 'log'}. Ctrl-C ends everything.")


def run_tests(words: Sequence[str]) -> int:
    """pytest in an environment of its own: nothing of a running platform is touched."""
    var = BASE / "var" / "test"
    with held(var / "run.lock", fcntl.LOCK_EX) as mine:
        if not mine:
            raise NotPossible("The tests of this folder run already.")
        compile_catalogues()
        servers = Servers(var, throwaway=True)
        words = ["-m", "long or not long", *words] if "--long" in words else words
        arguments = [*SIDE_BY_SIDE, *(word for word in words if word != "--long")]
        try:
            servers.start()
            env = Platform(var, demo=False).environment() | {"DEBUG": "1"}
            return foreground([*PYTHON, "pytest", *arguments], env, BASE)
        finally:
            ignore_signals()
            servers.stop()


def run_manage(platform: Platform, words: Sequence[str], *, plain: bool) -> int:
    """A management command; unless it is *plain*, with the database that it needs."""
    command = [sys.executable, str(BASE / "manage.py"), *words]
    with nullcontext() if plain else database(platform):
        return foreground(command, platform.environment(), Path.cwd())


@contextmanager
def database(platform: Platform) -> Iterator[None]:
    """The servers, as long as somebody needs them: those of ./run, or the last of us ends them."""
    var, servers = platform.var, platform.servers
    with held(var / "run.lock", fcntl.LOCK_SH) as nobody_runs:
        if not nobody_runs:
            servers.postgres.wait()
            yield
            return
        with held(var / "servers.lock", fcntl.LOCK_EX, wait=True):
            servers.start(lasting=True)
        try:
            yield
        finally:
            ignore_signals()
            with held(var / "servers.lock", fcntl.LOCK_EX, wait=True):
                if nobody_runs.alone():
                    servers.stop()


class Held:
    """A lock file; true while we hold it."""

    def __init__(self, file: IO[str] | None) -> None:
        self.file = file

    def __bool__(self) -> bool:
        return self.file is not None

    def alone(self) -> bool:
        """Whether nobody shares it, which then is ours alone."""
        assert self.file is not None
        with suppress(OSError):
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        return False


@contextmanager
def held(path: Path, kind: int, *, wait: bool = False) -> Iterator[Held]:
    """The lock file *path*; a false one where another process has it and we do not *wait*."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        try:
            fcntl.flock(file, kind | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield Held(None)
        else:
            yield Held(file)


def foreground(command: Sequence[str], env: dict[str, str], cwd: Path) -> int:
    """Run *command* on our terminal; Ctrl-C is its business, SIGTERM is passed on."""
    process = subprocess.Popen(command, env=env, cwd=cwd)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda number, frame: process.terminate())
    code = process.wait()
    return 128 - code if code < 0 else code


def full_disk() -> str:
    """What to say where a full disk is behind a failure: few programs tell it themselves."""
    free = shutil.disk_usage(BASE).free
    return "The disk is full: make room, then run again." if free < FULL_BELOW else ""


def interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def ignore_signals() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def main(words: Sequence[str]) -> int:
    for number in (signal.SIGINT, signal.SIGTERM):  # also where a script's `&` ignores Ctrl-C
        signal.signal(number, interrupt)
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # nohup
        signal.signal(signal.SIGHUP, interrupt)
    var = Path(os.environ["VAR_DIR"])
    if words[0] == "test":
        return run_tests(words[1:])
    blank = words[1:2] == ["--blank"]
    rest = words[2:] if blank else words[1:]
    if words[0] in ("manage", "plain"):
        return run_manage(Platform(var, demo=not blank), rest, plain=words[0] == "plain")
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--lock", type=int, required=True)  # inherited, so that it stays taken
    options = parser.parse_args(rest)
    os.set_inheritable(options.lock, False)
    return run(Platform(var, demo=not blank, port=options.port))


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (NotPossible, OSError) as reason:
        sys.exit(f"./run: {full_disk() or reason}")
    except KeyboardInterrupt:
        sys.exit(130)
