"""Reading a file in this process as the child would: quick, and its faults show as they are."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import orjson

from households.ledger import reading
from households.ledger.bounded import child
from households.ledger.reading import Cell, Finding, Row, SheetBegin


def items(source: Path | bytes) -> Iterator[SheetBegin | Row | Finding]:
    """What `reading.rows` would give; raises the child's own Refused."""
    with io.BytesIO(source) if isinstance(source, bytes) else source.open("rb") as file:
        yield from reading.told(orjson.loads(child.line(said)) for said in child.messages(file))


def read(path: Path) -> list[Row]:
    return [item for item in items(path) if isinstance(item, Row)]


def grid(path: Path) -> dict[tuple[int, int], Cell]:
    """Every cell that is not empty by its row and column."""
    return {
        (row.number, column): cell
        for row in read(path)
        for column, cell in enumerate(row.cells, start=1)
        if cell is not None
    }
