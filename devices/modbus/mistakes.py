"""A cell that is wrong or doubtful, at its place in the file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from devices.modbus.cells import CellRefused
from devices.modbus.words import N_

T = TypeVar("T")
D = TypeVar("D")


@dataclass(frozen=True)
class Mistake:
    """What is wrong (or, as a reminder, doubtful) in one cell of a register-map file.

    `row` is the row as a spreadsheet numbers it, None where the whole file is meant; `column`
    the head as the file writes it, or the setting (`@baud`); `value` the cell's text.
    """

    row: int | None
    column: str
    value: str
    template: str
    params: dict[str, object] = field(default_factory=dict)

    @property
    def reason(self) -> str:
        """The reason in Chinese; a page translates the template and fills in the parameters."""
        return self.template % self.params if self.params else self.template


@dataclass
class Findings:
    """Mistakes, which must be mended, and reminders, which may be confirmed."""

    mistakes: list[Mistake] = field(default_factory=list)
    reminders: list[Mistake] = field(default_factory=list)


class RowCells:
    """The cells of one row by column; what they refuse is noted in the findings."""

    def __init__(
        self,
        row: int | None,
        texts: Mapping[str, str],
        heads: Mapping[str, str],
        findings: Findings,
    ) -> None:
        self.row = row
        self.texts = texts
        self.heads = heads
        self.findings = findings
        self.right = True

    def __contains__(self, column: str) -> bool:
        return bool(self.texts.get(column))

    def take(self, column: str, parse: Callable[[str], T], default: D) -> T | D:
        """The cell as `parse` reads it; the default where it is blank or refused."""
        text = self.texts.get(column, "")
        if not text:
            return default
        try:
            return parse(text)
        except CellRefused as refusal:
            self.refuse(column, refusal.template, **refusal.params)
            return default

    def _mistake(self, column: str, template: str, params: dict[str, object]) -> Mistake:
        text = self.texts.get(column, "")
        return Mistake(self.row, self.heads.get(column, column), text, template, params)

    def refuse(self, column: str, template: str, **params: object) -> None:
        """Note a mistake in a cell."""
        self.right = False
        self.findings.mistakes.append(self._mistake(column, template, params))

    def remind(self, column: str, template: str, **params: object) -> None:
        """Note a doubt about a cell."""
        self.findings.reminders.append(self._mistake(column, template, params))

    def forbid(self, columns: str, template: str, **params: object) -> None:
        """Refuse every one of these columns that is not blank."""
        for column in columns.split():
            if column in self:
                self.refuse(column, template, **params)

    def need(self, column: str) -> None:
        """Refuse a blank cell."""
        if column not in self:
            self.refuse(column, N_("不能为空"))
