"""Checking a workbook: every row, before anything is written.

Rows stream through in batches; of right rows only what is left to do is kept, packed. The same
rules hold as for the form; what they say is told with its place, in the officer's words.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from households import clock
from households.ledger.cells import Told, mistake
from households.ledger.judging import Judge
from households.ledger.lines import PARTS, Kept, Line, Place, Shape, Spool, kept, made
from households.ledger.places import Places
from households.ledger.reading import Finding
from households.ledger.remarks import Remark as Remark
from households.ledger.remarks import Remarks
from households.ledger.tables import KINDS, Record, Table, tables
from households.models import Household, User

TABLES = ("installation", "household")  # a head that fits both as well is the first one's
# Rows that are held against the ledger at once: a usual file in one go, a large one in less memory.
FIRST_BATCH, NEXT_BATCH = 5000, 2000
Progress = Callable[[int], None]


@dataclass
class Check:
    """What a check found. `heads`: the row of the (last) head by sheet; `at`: when it began to look
    at the ledger; counts of rows by what an import would do. Rows with a mistake do nothing."""

    filename: str
    digest: str
    user: User
    at: datetime
    rows: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    mistakes: list[Remark] = field(default_factory=list)
    reminders: list[Remark] = field(default_factory=list)
    heads: dict[str, int] = field(default_factory=dict)
    spool: Spool = field(default_factory=Spool, repr=False)
    named: set[Place] = field(default_factory=set, repr=False)  # new rows that another row names

    def to_json(self) -> dict[str, Any]:
        return {
            "rows": self.rows,
            "mistakes": [remark.to_json() for remark in self.mistakes],
            "reminders": [remark.to_json() for remark in self.reminders],
        }


def check(
    path: Path,
    filename: str,
    user: User,
    progress: Progress | None = None,
    since: datetime | None = None,
) -> Check:
    """Check the file at `path` as `user` would import it; writes nothing.

    `progress(rows)` is called now and then. Changes to households that somebody else has touched
    after `since` are mistakes. Raises reading.Unreadable.
    """
    run = _Run(Check(filename, digest_of(path), user, clock.now()), since, progress)
    kinds = [KINDS[key] for key in TABLES if key in KINDS]
    for found in tables(path, filename, kinds):
        if isinstance(found, Finding):
            run.find(found)
        else:
            run.take(found)
    return run.end()


def digest_of(path: Path) -> str:
    """SHA-256 of the file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class _Run:
    """One check under way."""

    def __init__(self, found: Check, since: datetime | None, progress: Progress | None) -> None:
        self.check, self.progress = found, progress
        self.remarks = Remarks()
        self.judge = Judge(found.user, Places(found.user), self.remarks, since)
        self.batch: list[Line] = []
        self._shapes: dict[int, tuple[Table, Shape]] = {}

    def find(self, found: Finding) -> None:
        self.remarks.tell_finding(found)

    def take(self, record: Record) -> None:
        self.check.rows += 1
        self.batch.append(self._cleaned(record))
        if len(self.batch) == (NEXT_BATCH if self.check.rows > FIRST_BATCH else FIRST_BATCH):
            self._judge()

    def end(self) -> Check:
        self._judge()
        self._judge_deferred()
        self.judge.outliers.tell(self.remarks)
        self.check.mistakes = self.remarks.sorted("mistake")
        self.check.reminders = self.remarks.sorted("reminder")
        return self.check

    def _shape(self, table: Table) -> Shape:
        """The table itself is kept beside its shape, or another might get its id."""
        if id(table) not in self._shapes:
            self._shapes[id(table)] = (table, Shape.of(table))
            self.check.heads[table.sheet] = table.row
        return self._shapes[id(table)][1]

    def _cleaned(self, record: Record) -> Line:
        """The row's cells by what they mean."""
        shape = self._shape(record.table)
        raws = record.values
        values: dict[str, Any] = {}
        also: dict[str, Any] = {}
        for key, clean in shape.cleaners:
            if key in record.wrong:
                continue
            value = clean(raws.get(key))
            if type(value) is Told:
                self.remarks.tell(record, key, value)
                if value.severity == "mistake":
                    continue
                also |= value.also
                value = value.value
            values[key] = value
        for key, value in also.items():
            if not values.get(key):
                values[key] = value
        if record.wrong:
            self.remarks.mark_wrong(record)
        return Line(record, shape, values)

    def _judge(self) -> None:
        lines, self.batch = self.batch, []
        if not lines:
            return
        self.judge.judge(lines)
        self._finish(lines)
        if self.progress:
            self.progress(self.check.rows)

    def _finish(self, lines: Sequence[Line]) -> None:
        for part in PARTS:
            part.judge(lines, self.check.user, self.remarks)
        self.check.spool.add(list(self._left_to_do(lines)))

    def _judge_deferred(self) -> None:
        """Rows that name a household which another row of the file makes."""
        lines = self.judge.deferred
        places = {place for line in lines if (place := self.judge.twins.place_of(line))}
        rows = {place: row for place, row in self.check.spool.find(places).items() if row.is_new}
        blank = Household()
        homes = {place: made(blank, row) for place, row in rows.items()}
        for line in lines:
            line.of = self.judge.twins.place_of(line)
            line.home = homes.get(line.of) if line.of else None
            if line.home is None:
                self.remarks.tell(line.record, "householder", _not_there(line.of))
        self.check.named = set(homes)
        self._finish(lines)

    def _left_to_do(self, lines: Iterable[Line]) -> Iterable[Kept]:
        """What is left to do of the rows without a mistake, counted."""
        for line in lines:
            if self.remarks.is_wrong(line.record) or line.home is None:
                continue
            if line.does_nothing:
                self.check.unchanged += 1
                continue
            self.check.new += line.is_new
            self.check.changed += not line.is_new
            yield kept(line)


def _not_there(of: Place | None) -> Told:
    """A household that neither ledger nor file has, or that the file has in a wrong row."""
    if of is None:
        return mistake(_("台账里没有这一户"), _("填户编号，或先登记这一户；同表新增的户须填门牌号"))
    told = {"sheet": of[0], "row": of[1]}
    return mistake(_("所指的户（表“%(sheet)s”第 %(row)d 行）有错误") % told, _("先改正那一行"))
