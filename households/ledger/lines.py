"""A row of a workbook while it is judged, and what is kept of it until it is written."""

from __future__ import annotations

import pickle
import zlib
from collections.abc import Collection, Iterator, Sequence
from copy import copy
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Protocol

from households.ledger.cells import Cleaner
from households.ledger.remarks import Remarks
from households.ledger.tables import Record, Table
from households.models import Area, Household, StepKind, User

Place = tuple[str, int]  # sheet and row
STEPS = (StepKind.SURVEYED, StepKind.SIGNED, StepKind.INSTALLED)  # days that a row may tell


@dataclass(frozen=True)
class Shape:
    """What is read of a table, worked out once: its columns' cleaners, and the Household fields of
    its kind's columns, as a cell may tell of one that the table lacks (a second number: 备用电话).
    `names_only`: its rows only say which household they are about."""

    cleaners: tuple[tuple[str, Cleaner], ...]
    fields: tuple[tuple[str, str], ...]
    names_only: bool

    @classmethod
    def of(cls, table: Table) -> Shape:
        columns = [column for column in table.kind.columns if column.key in table.places]
        if not any(column.key == table.kind.sheet_names for column in columns):
            named = (c for c in table.kind.columns if c.key == table.kind.sheet_names)
            columns.extend(named)
        return cls(
            tuple((column.key, column.clean) for column in columns),
            tuple((column.key, column.field) for column in table.kind.columns if column.field),
            names_only=table.kind.key != "household",
        )


@dataclass(slots=True)
class Line:
    """One row: its cleaned `values` by column key (None: an empty cell of a column that is there),
    the household that it is about (not saved where it `is_new`), and what it changes.

    `changes`: values by field of Household; `parts`: what each app makes of its own columns;
    `of`: the row of the file that makes the household, where this row only names it.
    """

    record: Record
    shape: Shape
    values: dict[str, Any]
    area: Area | None = None
    home: Household | None = None
    is_new: bool = False
    changes: dict[str, Any] = field(default_factory=dict)
    steps: dict[StepKind, date] = field(default_factory=dict)
    parts: dict[str, Any] = field(default_factory=dict)
    of: Place | None = None

    @property
    def does_nothing(self) -> bool:
        return not (self.is_new or self.changes or self.steps or self.parts)


@dataclass(frozen=True, slots=True)
class Kept:
    """What is left to do of a right row. `pk` and `seen` (its updated_at) of a household that is
    there; None for a new one, or where the household is made by the row `of`."""

    sheet: str
    row: int
    pk: int | None
    seen: datetime | None
    changes: dict[str, Any]
    steps: dict[StepKind, date]
    parts: dict[str, Any]
    of: Place | None = None

    @property
    def is_new(self) -> bool:
        return self.pk is None and self.of is None


def kept(line: Line) -> Kept:
    home = line.home
    assert home is not None
    begun = {"area_id": home.area_id, "year": home.year} if line.is_new else {}
    return Kept(
        line.record.sheet,
        line.record.row,
        home.pk,
        home.updated_at if home.pk else None,
        line.changes | begun,
        line.steps,
        line.parts,
        line.of,
    )


def made(blank: Household, row: Kept) -> Household:
    """The household that a new row makes, not saved and without number and uid; a copy is made
    in a third of the time that a new one takes."""
    home = copy(blank)
    for name, value in row.changes.items():
        setattr(home, name, value)
    return home


class Part(Protocol):
    """What an app makes of its own columns in a household's row: a unit that stands there."""

    key: str

    def judge(self, lines: Sequence[Line], user: User, remarks: Remarks) -> None:
        """Tell what is wrong with these lines, all at once, and put what is to be written into
        `line.parts[key]`. Lines that are wrong already come too."""
        ...

    def write(self, rows: Sequence[tuple[Kept, Household]], by: User) -> int:
        """Write what `judge` put there, within the import's transaction; answers how many.

        Raises importing.RowRefused.
        """
        ...


PARTS: list[Part] = []


class Spool:
    """Rows that wait for being written: packed, so that 100,000 take some megabytes."""

    def __init__(self) -> None:
        self._batches: list[bytes] = []

    def add(self, rows: Sequence[Kept]) -> None:
        packed = [(r.sheet, r.row, r.pk, r.seen, r.changes, r.steps, r.parts, r.of) for r in rows]
        if packed:
            self._batches.append(zlib.compress(pickle.dumps(packed, -1), 1))

    def find(self, places: Collection[Place]) -> dict[Place, Kept]:
        """The rows at these places that wait for being written."""
        rows = (row for batch in self.batches() for row in batch) if places else ()
        return {(row.sheet, row.row): row for row in rows if (row.sheet, row.row) in places}

    def batches(self) -> Iterator[list[Kept]]:
        for batch in self._batches:
            yield [Kept(*row) for row in pickle.loads(zlib.decompress(batch))]
