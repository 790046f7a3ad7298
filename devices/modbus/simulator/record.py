"""What each unit truly answered: JSON lines, to be held beside what the platform stored.

One line per reply to a read that left undamaged (a late one when it was asked for):
`{"t": "2026-01-05T08:00:00.123456+08:00", "key": "unit", "signals": {"supply_temp": 43.1}}`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TextIO

SHANGHAI = timezone(timedelta(hours=8))
BUFFER = 1 << 18


class Record:
    """Writes to a file (buffered; `flush` once a second is the farm's task), or keeps in memory."""

    def __init__(self, path: str | Path | None = None) -> None:
        self.lines: list[str] = []
        self.file: TextIO | None = None
        if path is not None:
            self.file = open(path, "a", encoding="utf-8", buffering=BUFFER)  # noqa: SIM115 - close()

    def write(self, at: float, told: Iterable[str]) -> None:
        """`told` are the tails of lines that `SimUnit.answer` gives; `at` is Unix time."""
        when = datetime.fromtimestamp(at, SHANGHAI).isoformat(timespec="microseconds")
        for tail in told:
            line = f'{{"t": "{when}", {tail}}}\n'
            if self.file is None:
                self.lines.append(line)
            else:
                self.file.write(line)

    def flush(self) -> None:
        if self.file is not None:
            self.file.flush()

    def close(self) -> None:
        if self.file is not None:
            self.file.close()
