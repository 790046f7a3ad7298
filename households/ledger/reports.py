"""What a check found, kept sealed until the officer has chosen: remarks and the sheet around them.

Values of cells are people's names and phones: they lie in the vault and nowhere else.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any

from households import vault
from households.ledger.cells import as_typed
from households.ledger.checking import Check
from households.ledger.others import Found
from households.ledger.reading import Row, rows
from households.ledger.remarks import Remark

BEFORE, AFTER = 2, 5  # rows shown around a remark
MOST_PLACES = 500  # remarks whose piece of the sheet is kept; the rest stand in the workbook
WIDEST = 60  # columns of a piece
Piece = dict[int, list[tuple[str, bool]]]  # by row: text of each cell, and whether it is a number


@dataclass(frozen=True)
class Report:
    """All remarks, mistakes first, and pieces of the sheets; `heads` are the rows of heads."""

    remarks: list[Remark]
    pieces: dict[str, Piece]
    heads: dict[str, int]

    @cached_property
    def reminder_keys(self) -> set[str]:
        return {remark.key for remark in self.remarks if remark.severity == "reminder"}

    def keys_of(self, kind: str) -> set[str]:
        """The keys of all reminders of a kind; of none for an empty name."""
        return {
            remark.key
            for remark in self.remarks
            if remark.severity == "reminder" and kind and kind_of(remark) == kind
        }


def kind_of(remark: Remark) -> str:
    """Reminders about one column that say the same, whatever the numbers in them."""
    words = "".join(letter for letter in remark.reason if not letter.isdigit())
    return hashlib.sha256(f"{remark.column}|{words}".encode()).hexdigest()[:12]


def build(check: Check, path: Path, filename: str) -> Report:
    remarks = sorted(chain(check.mistakes, check.reminders), key=_order)
    heads = dict(check.heads)
    return Report(remarks, _pieces(path, filename, remarks[:MOST_PLACES], heads), heads)


def of_other(found: Found, path: Path, filename: str) -> Report:
    remarks = sorted(found.remarks, key=_order)
    pieces = _pieces(path, filename, remarks[:MOST_PLACES], found.heads)
    return Report(remarks, pieces, found.heads)


def _order(remark: Remark) -> tuple[Any, ...]:
    wrong = remark.severity == "mistake"
    return (not wrong, remark.row or 0, len(remark.letter or ""), remark.letter or "")


def _pieces(
    path: Path, filename: str, remarks: Collection[Remark], heads: dict[str, int]
) -> dict[str, Piece]:
    wanted: dict[str, set[int]] = {sheet: {row} for sheet, row in heads.items()}
    for remark in remarks:
        if remark.row:
            around = range(max(1, remark.row - BEFORE), remark.row + AFTER + 1)
            wanted.setdefault(remark.sheet, set()).update(around)
    pieces: dict[str, Piece] = {sheet: {} for sheet in wanted}
    for row in _wanted(path, filename, wanted) if remarks else ():
        pieces[row.sheet][row.number] = [_shown(cell) for cell in row.cells[:WIDEST]]
    return pieces


def _wanted(path: Path, filename: str, wanted: dict[str, set[int]]) -> Iterator[Row]:
    for found in rows(path, filename):
        if isinstance(found, Row) and found.number in wanted.get(found.sheet, ()):
            yield found


def _shown(cell: object) -> tuple[str, bool]:
    return as_typed(cell), isinstance(cell, int | float) and not isinstance(cell, bool)


def counts(check: Check) -> dict[str, Any]:
    """What the row keeps of a check: numbers, nothing that was typed."""
    wrong = {(remark.sheet, remark.row) for remark in check.mistakes}
    return {
        "rows": check.rows,
        "sheets": len(check.heads),
        "new": check.new,
        "changed": check.changed,
        "unchanged": check.unchanged,
        "right_rows": check.new + check.changed + check.unchanged,
        "wrong_rows": len(wrong),
        "mistakes": len(check.mistakes),
        "reminders": len(check.reminders),
        "reminded_rows": len({(remark.sheet, remark.row) for remark in check.reminders}),
        "by_sheet": dict(Counter(remark.sheet for remark in check.mistakes)),
    }


def counts_of_other(kind: str, found: Found) -> dict[str, Any]:
    """The same of a workbook that is no ledger: its lines are new as long as they are right."""
    mistakes = [remark for remark in found.remarks if remark.severity == "mistake"]
    reminders = [remark for remark in found.remarks if remark.severity == "reminder"]
    right = 0 if mistakes else found.rows
    return {
        "kind": kind,
        "asks": found.asks,
        "rows": found.rows,
        "sheets": len(found.heads),
        "new": right,
        "changed": 0,
        "unchanged": 0,
        "right_rows": right,
        "wrong_rows": len({(remark.sheet, remark.row) for remark in mistakes}),
        "mistakes": len(mistakes),
        "reminders": len(reminders),
        "reminded_rows": len({(remark.sheet, remark.row) for remark in reminders}),
        "by_sheet": dict(Counter(remark.sheet for remark in mistakes)),
    }


def same(remarks: Iterable[Remark], report: Report) -> bool:
    """Whether a second check says what the officer has read."""
    return {remark.key for remark in remarks} == {remark.key for remark in report.remarks}


def keep(report: Report) -> str:
    """Seal it in the vault for a day; answers its name there."""
    told = {
        "remarks": [asdict(remark) for remark in report.remarks],
        "pieces": report.pieces,
        "heads": report.heads,
    }
    return vault.put(json.dumps(told, ensure_ascii=False).encode(), purpose="upload")


def load(name: str) -> Report:
    with vault.open(name) as file:
        told = json.load(file)
    pieces = {
        sheet: {
            int(row): [(text, number) for text, number in cells] for row, cells in piece.items()
        }
        for sheet, piece in told["pieces"].items()
    }
    return Report([Remark(**remark) for remark in told["remarks"]], pieces, told["heads"])
