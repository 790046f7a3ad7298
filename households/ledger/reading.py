"""Reading an officer's workbook or CSV, row by row, in a child process that is held on a short line.

`rows` is the only door. What the cells mean is said elsewhere: `tables` finds heads and tables,
`cells` the values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Literal

Cell = str | int | float | bool | datetime | date | time | timedelta | None
Severity = Literal["mistake", "reminder"]


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
    (`#N/A` and the like, the text), "merged" (the value of the merged cell that covers it).
    """

    sheet: str
    number: int
    cells: list[Cell]
    hidden: bool = False
    marks: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to tell the officer about a place: `column` counts from 1, `head` is as typed."""

    sheet: str
    row: int | None
    column: int | None
    head: str
    value: str
    reason: str
    advice: str = ""
    severity: Severity = "reminder"


def rows(path: Path, filename: str) -> Iterator[SheetBegin | Row]:
    """The file's sheets and rows in its own order; raises Unreadable, perhaps midway.

    The child ends with the iterator: close it (or exhaust it) to be rid of the child.
    """
    raise NotImplementedError
