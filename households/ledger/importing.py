"""Importing a checked workbook: one transaction, all of its rows or none, and once.

What the check left to do is written as it was checked; a household that somebody has changed since
is a mistake now, and nothing of his is lost.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import IntegrityError, reset_queries, transaction
from django.utils.translation import gettext as _

from households import clock, numbering, path
from households.ledger.checking import Check
from households.ledger.lines import PARTS, STEPS, Kept, Place, made
from households.ledger.remarks import Remark
from households.models import Household, LedgerImport, StepKind, User
from households.uid import uuid7

Progress = Callable[[int, int], None]
NOT_LOADED = ("updated_at", "householder_sound")  # written with every change, told by no row


class ImportRefused(Exception):
    """Nothing was written; `remarks` say what is wrong with rows now, `sentence` why in all."""

    def __init__(self, sentence: str, remarks: Sequence[Remark] = ()) -> None:
        super().__init__(sentence)
        self.sentence, self.remarks = sentence, list(remarks)


class RowRefused(Exception):
    """A row cannot be written as it was checked: the ledger is another now."""

    def __init__(self, row: Kept, reason: str) -> None:
        super().__init__(reason)
        self.row, self.reason = row, reason


@dataclass(frozen=True)
class Imported:
    """What an import did, in rows; `installed` counts installation records. `again`: it had been
    done before under the same uid, and nothing was done now."""

    rows: int
    new: int
    changed: int
    unchanged: int
    installed: int
    left_out: int
    again: bool = False


def run(
    check: Check,
    *,
    by: User,
    uid: UUID | None = None,
    only_right: bool = False,
    confirmed: Collection[str] | None = None,
    progress: Progress | None = None,
) -> Imported:
    """Write what `check` found to do, in one transaction.

    With mistakes in the file it is refused, unless `only_right` rows are asked for. `confirmed`
    holds the keys of the reminders that were confirmed; None vouches for all. The same `uid` a
    second time does nothing and answers what the first did. Raises ImportRefused.
    """
    if by != check.user:
        raise ValueError("who imports is not who checked")
    uid = uid or uuid7()
    try:
        with transaction.atomic():
            return _done_before(uid) or _run(check, uid, by, only_right, confirmed, progress)
    except IntegrityError:
        if done := _done_before(uid):  # a second worker was as far at the same time
            return done
        raise


def imported_before(check: Check) -> LedgerImport | None:
    """The last time that this very file was imported."""
    return LedgerImport.objects.filter(digest=check.digest).first()


def _done_before(uid: UUID) -> Imported | None:
    receipt = LedgerImport.objects.filter(uid=uid).first()
    if receipt is None:
        return None
    names = ("rows", "new", "changed", "unchanged", "installed", "left_out")
    return Imported(**{name: getattr(receipt, name) for name in names}, again=True)


def _run(
    check: Check,
    uid: UUID,
    by: User,
    only_right: bool,
    confirmed: Collection[str] | None,
    progress: Progress | None,
) -> Imported:
    _refuse_what_is_open(check, only_right, confirmed)
    writer = _Writer(by, check.named)
    for batch in check.spool.batches():
        if writer.rows:
            reset_queries()  # under DEBUG every statement is kept: of 100,000 rows 70 MB
        writer.write(batch)
        if progress:
            progress(writer.rows, check.new + check.changed)
    if writer.late:
        raise ImportRefused(_("检查之后台账有变化，没有导入任何一行；请重新检查"), writer.late)
    wrong = check.rows - check.new - check.changed - check.unchanged
    done = Imported(
        check.rows, check.new, check.changed, check.unchanged, writer.installed, left_out=wrong
    )
    _keep_receipt(check, uid, by, done)
    return done


def _refuse_what_is_open(check: Check, only_right: bool, confirmed: Collection[str] | None) -> None:
    if check.mistakes and not only_right:
        words = _("有 %(n)d 处错误，没有导入任何一行") % {"n": len(check.mistakes)}
        raise ImportRefused(words, check.mistakes)
    if confirmed is None:
        return
    wrong = {(remark.sheet, remark.row) for remark in check.mistakes}
    right = (one for one in check.reminders if (one.sheet, one.row) not in wrong)
    if unread := [one for one in right if one.key not in confirmed]:
        words = _("还有 %(n)d 处提醒没有确认，没有导入任何一行") % {"n": len(unread)}
        raise ImportRefused(words, unread)


def _keep_receipt(check: Check, uid: UUID, by: User, done: Imported) -> None:
    LedgerImport.objects.create(
        uid=uid,
        digest=check.digest,
        by=by,
        at=clock.now(),
        rows=done.rows,
        new=done.new,
        changed=done.changed,
        unchanged=done.unchanged,
        installed=done.installed,
        left_out=done.left_out,
    )


class _Writer:
    """Writes batches of rows; `late` are those that the ledger has overtaken since the check."""

    def __init__(self, by: User, named: Collection[Place]) -> None:
        self.by, self.named = by, named
        self.made: dict[Place, Household] = {}  # those that a later row names
        self.rows = self.installed = 0
        self.late: list[Remark] = []

    def write(self, batch: Sequence[Kept]) -> None:
        new = [row for row in batch if row.is_new]
        old = [row for row in batch if row.pk is not None]
        written = [*(self._make(new) if new else ()), *(self._change(old) if old else ())]
        written += [(row, self.made[row.of]) for row in batch if row.of]
        for kind in STEPS:
            self._take(kind, written)
        for part in PARTS:
            self._put_in(part, [one for one in written if part.key in one[0].parts])
        self.rows += len(batch)

    def _make(self, rows: Sequence[Kept]) -> list[tuple[Kept, Household]]:
        wanted = Counter((row.changes["area_id"], row.changes["year"]) for row in rows)
        numbers = {place: iter(of) for place, of in numbering.take_many(wanted).items()}
        blank = Household()
        new = [(row, made(blank, row)) for row in rows]
        for row, home in new:
            home.uid, home.number = uuid7(), next(numbers[home.area_id, home.year])
            if (row.sheet, row.row) in self.named:
                self.made[row.sheet, row.row] = home
        surveyed = StepKind.SURVEYED
        taken = [
            path.Taken(home, row.steps.pop(surveyed), self.by)
            for row, home in new
            if surveyed in row.steps
        ]
        path.begin([home for _row, home in new], taken)
        return new

    def _change(self, rows: Sequence[Kept]) -> list[tuple[Kept, Household]]:
        homes = self._locked(rows)
        still = [(row, homes[row.pk]) for row in rows if self._is_as_seen(row, homes)]
        fields: set[str] = set()
        for row, home in still:
            fields |= {name.removesuffix("_id") for name in row.changes}
            for name, value in row.changes.items():
                setattr(home, name, value)
        if fields:
            Household.objects.bulk_create(
                [home for row, home in still if row.changes],
                update_conflicts=True,
                unique_fields=["id"],
                update_fields=[*sorted(fields), *NOT_LOADED],
            )
        return still

    def _locked(self, rows: Sequence[Kept]) -> dict[int | None, Household]:
        seen = Household.objects.visible_to(self.by).select_for_update(of=("self",))
        return {home.pk: home for home in seen.filter(pk__in=[r.pk for r in rows]).order_by("pk")}

    def _is_as_seen(self, row: Kept, homes: dict[int | None, Household]) -> bool:
        home = homes.get(row.pk)
        if home is not None and home.updated_at == row.seen:
            return True
        self._refuse(row, _("检查之后该户又有人改过"))
        return False

    def _take(self, kind: StepKind, written: Sequence[tuple[Kept, Household]]) -> None:
        taken = [
            path.Taken(home, row.steps[kind], self.by) for row, home in written if kind in row.steps
        ]
        if taken:
            path.take_many(kind, taken)

    def _put_in(self, part: Any, rows: Sequence[tuple[Kept, Household]]) -> None:
        if not rows:
            return
        try:
            self.installed += part.write(rows, self.by)
        except RowRefused as refused:
            self._refuse(refused.row, refused.reason)

    def _refuse(self, row: Kept, reason: str) -> None:
        self.late.append(Remark(row.sheet, row.row, "", "", "", reason, _("重新检查后再导入")))
