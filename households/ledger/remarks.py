"""What a check says of places in a workbook: mistakes, which must be mended, and reminders."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from openpyxl.utils import get_column_letter

from households.ledger.cells import Severity, Told, as_typed
from households.ledger.reading import Finding
from households.ledger.tables import Kind, Record


@dataclass(frozen=True, slots=True)
class Remark:
    """One mistake or reminder: where, what was typed, what is wrong, and what to do.

    `row` as Excel counts it (None: the sheet as a whole), `column` the standard head, empty where
    the whole row is meant; `letter` of the column in the file, empty where the file lacks it.
    """

    sheet: str
    row: int | None
    column: str
    letter: str
    value: str
    reason: str
    advice: str = ""
    severity: Severity = "mistake"

    @property
    def key(self) -> str:
        """The remark's name: the same place, value and reason are the same remark."""
        told = (self.sheet, self.row, self.letter, self.value, self.reason)
        return hashlib.sha256("|".join(map(str, told)).encode()).hexdigest()[:16]

    def to_json(self) -> dict[str, Any]:
        """For programs: the reason with the advice behind it."""
        return {
            "sheet": self.sheet,
            "row": self.row,
            "column": self.column,
            "value": self.value,
            "reason": _("；").join(filter(None, (self.reason, self.advice))),
        }


class Remarks:
    """Remarks as they come up; which rows are wrong; all of them in the file's order at the end.

    A cell that is a mistake already is told nothing more, and nothing is told twice.
    """

    def __init__(self) -> None:
        self._found: dict[tuple[int, int, int], list[Remark]] = {}
        self._sheets: dict[str, int] = {}
        self._wrong: set[tuple[str, int]] = set()

    def tell(self, record: Record, key: str, told: Told) -> None:
        """Something about a record's column, or of its row where the table lacks the column."""
        table = record.table
        place = table.places.get(key, 0)
        remark = Remark(
            table.sheet,
            record.row,
            head_of(table.kind, key),
            get_column_letter(place) if place else "",
            as_typed(record.values.get(key)),
            told.reason,
            told.advice,
            told.severity,
        )
        self._add(remark, place)

    def tell_finding(self, found: Finding) -> None:
        """Something that the reader noticed."""
        place = found.column or 0
        remark = Remark(
            found.sheet,
            found.row,
            found.head,
            get_column_letter(place) if place else "",
            found.value,
            found.reason,
            found.advice,
            found.severity,
        )
        self._add(remark, place)

    def mark_wrong(self, record: Record) -> None:
        """The row cannot be taken for a reason that has been told already."""
        self._wrong.add((record.sheet, record.row))

    def is_wrong(self, record: Record) -> bool:
        return (record.sheet, record.row) in self._wrong

    def sorted(self, severity: Severity) -> list[Remark]:
        """All of one severity by sheet, row and column."""
        return [
            remark
            for _place, remarks in sorted(self._found.items(), key=lambda item: item[0])
            for remark in remarks
            if remark.severity == severity
        ]

    def _add(self, remark: Remark, place: int) -> None:
        sheet = self._sheets.setdefault(remark.sheet, len(self._sheets))
        here = self._found.setdefault((sheet, remark.row or 0, place), [])
        told = [one for one in here if one.column == remark.column]
        if any(one.severity == "mistake" or one.reason == remark.reason for one in told):
            return
        if remark.severity == "mistake" and remark.row:
            self._wrong.add((remark.sheet, remark.row))
        here.append(remark)


def head_of(kind: Kind, key: str) -> str:
    """The standard head of a kind's column; empty for a key that it does not have."""
    return next((column.head for column in kind.columns if column.key == key), "")
