"""What a test at the shell owes its sample, in a file: it outlives a process that is killed."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from devices.modbus.points import Scalar


class OwedFile:
    """The file of one sample, there only while something is owed."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> dict[str, Scalar]:
        """What stood before, by signal; nothing where there is no such file, or none that was
        written whole. Raises OSError where it may not be read."""
        with suppress(FileNotFoundError, ValueError):
            owed = json.loads(self.path.read_text(encoding="utf-8"))
            return owed if isinstance(owed, dict) else {}
        return {}

    def keep(self, owed: Mapping[str, Scalar]) -> None:
        """Keep this from now on, on the disk before the next byte goes out; raises OSError."""
        if not owed:
            self.path.unlink(missing_ok=True)
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        new = self.path.with_suffix(".new")
        with new.open("w", encoding="utf-8") as file:
            json.dump(owed, file, ensure_ascii=False)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self.path)
