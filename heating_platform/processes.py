"""The processes that `./run` keeps alive, as its supervisor tells them to other processes.

One small JSON file: name → pid, birth, started_at, restarts. A process id is given out again after
its process ended, so the record holds the birth too, in the kernel's ticks since the boot.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

FILE = "processes.json"  # in the data directory


@dataclass(frozen=True)
class Recorded:
    """What was told of one process; no pid while it waits for its next start."""

    pid: int | None
    birth: int | None
    started_at: str
    restarts: int

    @property
    def lives(self) -> bool:
        return self.pid is not None and self.birth == birth(self.pid)


def birth(pid: int) -> int | None:
    """When *pid* was born, in ticks since the boot; None where it is dead or a zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = stat.rpartition(")")[2].split()  # a program's name may hold spaces and brackets
    return None if fields[0] in "ZX" else int(fields[19])


def write(path: Path, processes: Mapping[str, Recorded]) -> None:
    """All of the record or none: others may be reading."""
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps({name: asdict(one) for name, one in processes.items()}))
    os.replace(fresh, path)


def read(path: Path) -> dict[str, Recorded]:
    """The record, empty where there is none: nothing was started by `./run`."""
    try:
        told = json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return {name: Recorded(**one) for name, one in told.items()}
