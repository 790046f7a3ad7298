"""From a clone to live temperatures: how long a newcomer waits, with nothing cached.

    python3 bench/first_start.py

Clones this repository into a new folder (its name with a space and Chinese), with empty caches for
Python's and the front end's packages, runs `./run`, and tells the seconds until the address is
printed and until a unit's reading that was polled since is committed; then ends it with Ctrl-C.
The packages come over the network, so the figure is this machine's and this network's.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BASE = Path(__file__).resolve().parent.parent
PATIENCE_S = 600.0
POLLED_SINCE = """
from telemetry.models import UnitState
from django.utils import timezone
import datetime
since = timezone.now() - datetime.timedelta(seconds=30)
print("polled", UnitState.objects.filter(answered_at__gt=since).count())
"""


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="first start ") as name:
        home = Path(name) / "清洁 取暖"
        subprocess.run(["git", "clone", "-q", str(BASE), str(home)], check=True)
        caches = {
            "PIP_CACHE_DIR": str(Path(name) / "pip"),
            "npm_config_cache": str(Path(name) / "npm"),
            "UV_CACHE_DIR": str(Path(name) / "uv"),
        }
        started = time.monotonic()
        run = subprocess.Popen(
            [str(home / "run"), "--port", str(free_port())],
            cwd=home,
            env={**os.environ, **caches},
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            wait_for_address(run)
            print(f"{time.monotonic() - started:6.1f} s  the address is printed")
            wait_for_reading(home, started)
            print(f"{time.monotonic() - started:6.1f} s  live temperatures are stored")
        finally:
            run.send_signal(signal.SIGINT)
            run.wait(60)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def wait_for_address(run: subprocess.Popen[str]) -> None:
    assert run.stdout is not None
    for line in run.stdout:
        print(line, end="", file=sys.stderr)
        if "http://" in line:
            return
    raise SystemExit("./run ended before it printed an address")


def wait_for_reading(home: Path, started: float) -> None:
    while time.monotonic() < started + PATIENCE_S:
        said = subprocess.run(
            [str(home / "run"), "manage", "shell", "-v", "0", "-c", POLLED_SINCE],
            capture_output=True,
            text=True,
        ).stdout.split()
        if said[-2:-1] == ["polled"] and int(said[-1]):
            return
        time.sleep(0.5)
    raise SystemExit("no unit was polled")


if __name__ == "__main__":
    main()
