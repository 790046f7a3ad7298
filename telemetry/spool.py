"""Batches of readings, and the directory where each is safe before the database has it.

A batch is the lines that COPY will get. Its file is fsynced before COPY begins and removed after
the commit: *stored* means committed or fsynced here.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from pathlib import Path

import orjson


@dataclass
class Batch:
    """Lines for COPY (each with its line end): readings, latest states, and missed polls.

    `misses` is `[unit id, hour, cause, count]`. `hours` are the ISO hours that the readings touch.
    """

    id: uuid.UUID
    readings: list[bytes] = field(default_factory=list)
    states: list[bytes] = field(default_factory=list)
    misses: list[tuple[int, str, str, int]] = field(default_factory=list)
    hours: list[str] = field(default_factory=list)

    def to_bytes(self) -> bytes:
        head = {
            "id": str(self.id),
            "readings": [*map(len, self.readings)],
            "states": [*map(len, self.states)],
            "misses": self.misses,
            "hours": self.hours,
        }
        return b"".join([orjson.dumps(head), b"\n", *self.readings, *self.states])

    @classmethod
    def from_bytes(cls, data: bytes) -> Batch:
        """ValueError where the file was cut off by a crash: it was never promised then."""
        end = data.index(b"\n") + 1
        head = orjson.loads(data[:end])
        lengths = [*head["readings"], *head["states"]]
        if end + sum(lengths) != len(data):
            raise ValueError("the file ends early")
        ends = [*accumulate(lengths, initial=end)]
        lines = [data[start:stop] for start, stop in pairwise(ends)]
        n = len(head["readings"])
        misses = [(unit, hour, cause, count) for unit, hour, cause, count in head["misses"]]
        return cls(uuid.UUID(head["id"]), lines[:n], lines[n:], misses, head["hours"])

    def __len__(self) -> int:
        return len(self.readings) + len(self.states) + len(self.misses)

    def halves(self) -> tuple[Batch, Batch]:
        """The batch in two, under ids that are the same at every try."""
        middle = (len(self) + 1) // 2
        return self._part("a", 0, middle), self._part("b", middle, len(self))

    def _part(self, name: str, start: int, end: int) -> Batch:
        part = Batch(uuid.uuid5(self.id, name), hours=self.hours)
        for mine, its in (
            (self.readings, part.readings),
            (self.states, part.states),
            (self.misses, part.misses),
        ):
            its += mine[max(start, 0) : max(end, 0)]  # type: ignore[operator]
            start, end = start - len(mine), end - len(mine)
        return part


class Spool:
    """The files of one line worker, oldest first; `limit` bytes at most, what is over is dropped
    from the oldest on and counted in `dropped`."""

    def __init__(self, directory: Path, limit: int = 512 * 2**20) -> None:
        self.directory = directory
        self.limit = limit
        self.dropped = 0
        self._newest: tuple[str, Batch] | None = None
        directory.mkdir(parents=True, exist_ok=True)
        for path in directory.glob("*.part"):
            path.unlink()  # cut off before its fsync: never promised
        self._sizes = {path.name: path.stat().st_size for path in sorted(directory.glob("*.batch"))}
        self._number = int(next(reversed(self._sizes), "0").split(".")[0])

    def __len__(self) -> int:
        return len(self._sizes)

    def put(self, batch: Batch) -> str:
        """Keep the batch; when this returns it survives a power cut. Answers its name."""
        self._number += 1
        name = f"{self._number:012d}.batch"
        data = batch.to_bytes()
        part = self.directory / f"{name}.part"
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.rename(self.directory / name)
        self._sync_directory()
        self._sizes[name] = len(data)
        self._newest = name, batch
        self._keep_limit()
        return name

    def names(self) -> Iterator[str]:
        """Names of the kept batches, oldest first."""
        return iter(tuple(self._sizes))

    def get(self, name: str) -> Batch:
        """A kept batch; the newest is still at hand. Raises ValueError, OSError."""
        if self._newest and self._newest[0] == name:
            return self._newest[1]
        return Batch.from_bytes((self.directory / name).read_bytes())

    def age_of_oldest(self, now: float) -> float:
        """Seconds since the oldest kept batch was written; 0 where there is none."""
        oldest = next(self.names(), None)
        try:
            return max(0.0, now - (self.directory / oldest).stat().st_mtime) if oldest else 0.0
        except FileNotFoundError:
            return 0.0

    def remove(self, name: str) -> None:
        (self.directory / name).unlink(missing_ok=True)
        if self._newest and self._newest[0] == name:
            self._newest = None
        self._sizes.pop(name, None)

    def _keep_limit(self) -> None:
        while sum(self._sizes.values()) > self.limit and len(self._sizes) > 1:
            self.remove(next(self.names()))
            self.dropped += 1

    def _sync_directory(self) -> None:
        descriptor = os.open(self.directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
