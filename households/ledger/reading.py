"""Reading an officer's workbook or CSV, row by row, in a child process on a short line.

`rows` is the only door. What the cells mean is said elsewhere: `tables` finds heads and tables,
`cells` the values. The child gets the opened file and nothing else, and never more memory or time
than its rows need (`bounded.child`); its rows come over a pipe: neither side holds them all.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time as clock_of_process
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Literal

import orjson

from households.ledger import sentences

Cell = str | int | float | bool | datetime | date | time | timedelta | None
Severity = Literal["mistake", "reminder"]

ROOT = Path(__file__).resolve().parents[2]
START = (
    "import sys; sys.path.insert(0, sys.argv[1]); "
    "from households.ledger.bounded import child; child.main()"
)
LARGEST_FILE = 100 << 20
FIRST_SECONDS = 7.0
SECONDS_PER_MEGABYTE = 0.5  # the child's own time is bounded in any case: these are for a machine
SECONDS_PER_ROW = 0.002  # that has much else to do
PIECE = 1 << 16
LONGEST_MESSAGE = 64 << 20
DEATHS: dict[int, str] = {
    signal.SIGXCPU: "too_much_time",
    signal.SIGKILL: "too_much_time",
    signal.SIGSEGV: "too_much_memory",
    signal.SIGABRT: "too_much_memory",
}
NOTES = {"links": sentences.LINKS, "wide": sentences.WIDE}


class Unreadable(Exception):
    """The file cannot be read; `sentence` says why and what to do, for an officer."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class SheetBegin:
    """A sheet begins. A CSV file is one sheet without a name."""

    name: str
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A row with at least one cell that is not empty; `number` as Excel shows it.

    `marks` says of which columns (1-based) the cell is not what was typed there: "formula" (the
    value that was last worked out), "uncached" (a formula never worked out, so None), "error"
    (`#N/A` and the like, the text), "merged" (the value of the merged cell that covers it, from
    above), "spanned" (the same, from beside it).
    """

    sheet: str
    number: int
    cells: list[Cell]
    hidden: bool = False
    marks: Mapping[int, str] = field(default_factory=dict)

    @property
    def own(self) -> Sequence[Cell]:
        """Its cells where one that is merged across counts once, at its left."""
        if "spanned" not in self.marks.values():
            return self.cells
        return [
            None if self.marks.get(column) == "spanned" else cell
            for column, cell in enumerate(self.cells, start=1)
        ]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to tell the officer about a place: `column` counts from 1, `head` is the
    standard one, or as typed where there is none."""

    sheet: str
    row: int | None
    column: int | None
    head: str
    value: str
    reason: str
    advice: str = ""
    severity: Severity = "reminder"


def rows(path: Path, filename: str) -> Generator[SheetBegin | Row | Finding, None, None]:
    """The file's sheets and rows in its own order; raises Unreadable, perhaps midway.

    The child ends with the iterator: close it (or exhaust it) to be rid of the child.
    """
    size = path.stat().st_size
    suffix = Path(filename).suffix.lower()
    if size > LARGEST_FILE:
        params = {"megabytes": size >> 20, "most": LARGEST_FILE >> 20}
        raise Unreadable(sentences.why("large_file", params, suffix))
    yield from told(_messages(path, suffix))


def told(messages: Iterable[list[Any]]) -> Iterator[SheetBegin | Row | Finding]:
    """The child's messages as sheets and rows."""
    sheet = ""
    for message in messages:
        match message:
            case ["row", number, hidden, cells, marks]:
                yield Row(sheet, number, _cells(cells), hidden, _marks(marks))
            case ["sheet", name, hidden]:
                sheet = name
                yield SheetBegin(name, hidden)
            case ["note", code, row]:
                yield Finding(sheet, row, None, "", "", str(NOTES[code]))


def _messages(path: Path, suffix: str) -> Iterator[list[Any]]:
    """What the child says, until its end; raises Unreadable for its refusal or its death."""
    with _Child(path) as child:
        for line in child.lines():
            message = orjson.loads(line)
            if message == ["end"]:
                return
            if message[0] == "refused":
                raise Unreadable(sentences.why(message[1], message[2], suffix))
            yield message
        raise Unreadable(sentences.why(child.death(), {}, suffix))


class _Child:
    """The process that reads; it is killed when its parent leaves the block, however that is."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-c", START, str(ROOT)],
                stdin=file,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env={key: os.environ[key] for key in ("LD_LIBRARY_PATH",) if key in os.environ},
            )
        self._first_seconds = FIRST_SECONDS + SECONDS_PER_MEGABYTE * (path.stat().st_size >> 20)
        self._is_late = False

    def __enter__(self) -> _Child:
        return self

    def __exit__(self, *_error: object) -> None:
        assert self._process.stdout
        self._process.stdout.close()
        self._process.kill()
        self._process.wait()

    def lines(self) -> Iterator[bytes]:
        """Its lines; they stop early when it dies or takes longer than so many rows may take."""
        waiting, count, waited = bytearray(), 0, 0.0
        while True:
            limit = self._first_seconds + count * SECONDS_PER_ROW
            began = clock_of_process.monotonic()
            piece = self._piece(limit - waited)
            waited += clock_of_process.monotonic() - began
            if not piece or len(waiting) > LONGEST_MESSAGE:
                return
            waiting += piece
            if b"\n" in piece:
                *whole, rest = bytes(waiting).split(b"\n")
                count += len(whole)
                yield from whole
                waiting = bytearray(rest)

    def _piece(self, seconds: float) -> bytes:
        assert self._process.stdout
        out = self._process.stdout.fileno()
        waiting = select.poll()  # select() knows only the first 1,024 files of a process
        waiting.register(out, select.POLLIN)
        if seconds > 0 and waiting.poll(seconds * 1000):
            return os.read(out, PIECE)
        self._is_late = True
        return b""

    def death(self) -> str:
        """The code of why it stopped without a word."""
        if self._is_late:
            return "too_much_time"
        try:
            status = self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            return "broken_off"
        return DEATHS.get(-status, "broken_off")


def _cells(cells: list[Any]) -> list[Cell]:
    return [_cell(cell) if type(cell) is dict else cell for cell in cells]


def _cell(told: dict[str, Any]) -> Cell:
    ((kind, value),) = told.items()
    if kind == "day":
        return date.fromisoformat(value)
    if kind == "moment":
        return datetime.fromisoformat(value)
    if kind == "time":
        return time.fromisoformat(value)
    return timedelta(seconds=value)


def _marks(marks: dict[str, str]) -> dict[int, str]:
    return {int(column): mark for column, mark in marks.items()} if marks else {}
