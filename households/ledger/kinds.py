"""Kinds of tables, the tables that were found, and their records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from households.ledger.reading import Cell

if TYPE_CHECKING:
    from households.ledger.columns import Column


@dataclass(frozen=True)
class Kind:
    """A kind of table.

    `needs`: of each group at least one column must stand in a head, else it is none of this kind.
    `sheet_names`: the column whose value is the sheet's name where the head lacks it ("village").
    `keeps_totals`: rows of totals are records too (`Record.is_total`), for whoever compares them.
    """

    key: str
    label: str
    columns: tuple[Column, ...]
    needs: tuple[tuple[str, ...], ...] = ()
    sheet_names: str = ""
    keeps_totals: bool = False


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
    is_total: bool = False

    @property
    def kind(self) -> Kind:
        return self.table.kind

    @property
    def sheet(self) -> str:
        return self.table.sheet

    @property
    def places(self) -> Mapping[str, int]:
        return self.table.places
