"""From rows to records: the tables of a file, found by their heads.

Each app puts its kinds of tables into `KINDS` at ready(). A head is a row (or two, one above the
other) in which the kind's columns are found by their heads and aliases.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from households.ledger.reading import Cell, Finding

if TYPE_CHECKING:
    from households.ledger.columns import Column


@dataclass(frozen=True)
class Kind:
    """A kind of table.

    `needs`: of each group at least one column must stand in a head, else it is none of this kind.
    `sheet_names`: the column whose value is the sheet's name where the head lacks it ("village").
    """

    key: str
    label: str
    columns: tuple[Column, ...]
    needs: tuple[tuple[str, ...], ...] = ()
    sheet_names: str = ""


KINDS: dict[str, Kind] = {}


@dataclass(frozen=True)
class Table:
    """A head that was found: in which column (from 1) each key stands, and how its head reads."""

    kind: Kind
    sheet: str
    row: int
    places: Mapping[str, int]
    heads: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Record:
    """One row of a table: the raw value of every column that the table has.

    `wrong`: the keys whose cell could not be read; a Finding (mistake) before the record says why,
    so nothing more need be said of them, but the row is not right.
    """

    table: Table
    row: int
    values: dict[str, Cell]
    wrong: frozenset[str] = field(default=frozenset())

    @property
    def kind(self) -> Kind:
        return self.table.kind

    @property
    def sheet(self) -> str:
        return self.table.sheet

    @property
    def places(self) -> Mapping[str, int]:
        return self.table.places


def tables(
    path: Path, filename: str, kinds: Collection[Kind] | None = None
) -> Iterator[Record | Finding]:
    """Every record of the file, in its order, with what there is to say of places.

    Only tables of `kinds` (default: all of KINDS) are looked for. Raises reading.Unreadable.
    """
    raise NotImplementedError
