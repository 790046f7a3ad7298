"""Processor time by thread and process, read from /proc: who used the cores while a bench ran."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

TICK_S = 1 / os.sysconf("SC_CLK_TCK")


def cpu_s(stat: Path) -> float:
    """User and system seconds of a stat file; 0 where the process is gone."""
    try:
        fields = stat.read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) * TICK_S


class Shares:
    """Processor seconds since it was made: own threads by name, other processes as told.

    `others` gives the process ids of each name at any time; what a process used that ended
    meanwhile is not known.
    """

    def __init__(self, others: dict[str, Callable[[], Iterable[int]]]) -> None:
        self._others = others
        self._before = self._now()

    def used(self) -> dict[str, float]:
        used: dict[str, float] = {}
        for (name, key), seconds in self._now().items():
            used[name] = used.get(name, 0.0) + seconds - self._before.get((name, key), 0.0)
        return used

    def _now(self) -> dict[tuple[str, int], float]:
        found = {
            (thread.name, thread.native_id or 0): cpu_s(
                Path(f"/proc/self/task/{thread.native_id}/stat")
            )
            for thread in threading.enumerate()
        }
        for name, pids in self._others.items():
            found |= {(name, pid): cpu_s(Path(f"/proc/{pid}/stat")) for pid in pids()}
        return found
