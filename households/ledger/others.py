"""Workbooks that are no ledger and come in by the same door, such as the year's task plan.

Each app puts its kinds into `OTHERS` when it is ready. A file is asked about them where no table of
the ledger was found in it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from households.ledger.remarks import Remark
from households.models import User


class NotTaken(Exception):
    """Nothing was written; `sentence` says why and what to do."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


@dataclass(frozen=True)
class Found:
    """What a file of another kind says. `heads`: rows of heads by sheet; `asks`: what the officer
    has to fill in before it is imported: (name, label, example)."""

    rows: int
    remarks: list[Remark]
    heads: dict[str, int]
    asks: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True)
class Other:
    """A kind of workbook.

    `look` answers None for a file of another kind, and raises NotTaken where the person may not
    import it. `write` gets what was asked for by name, answers counts of lines (new, changed,
    unchanged), and raises NotTaken. `leads_to` names the page that shows what was written.
    """

    look: Callable[[Path, str, User], Found | None]
    write: Callable[[Path, str, User, Mapping[str, str]], dict[str, int]]
    leads_to: str


OTHERS: dict[str, Other] = {}
