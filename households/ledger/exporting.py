"""The ledger as a workbook: an export is itself an import.

Rows carry 户编号 and the template's heads. Phones are masked, and a masked one that comes back
means "as it was"; whole ones are written where a reason was given, and that is recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from django.db.models import QuerySet
from django.utils.functional import Promise
from openpyxl import Workbook

from households import reveals
from households.filters import HouseholdFilter
from households.ledger import sheets
from households.ledger.choices import TREES
from households.ledger.columns import Column
from households.ledger.tables import KINDS
from households.ledger.template import Options, add_lists
from households.models import Household, User
from households.models.households import HouseholdQuerySet

Progress = Callable[[int, int], None]
AT_ONCE = 2000  # rows fetched together
ROOM = 1000  # rows below the last one that have the drop-downs too
PHONES = ("phone", "other_phone")
# Which rows of a kind belong to these households; each app puts its own in when it is ready.
ROWS: dict[str, Callable[[HouseholdQuerySet], QuerySet[Any]]] = {
    "household": lambda households: households.select_related("area__owner"),
}


@dataclass(frozen=True)
class Asker:
    """Whose areas the filters may name."""

    user: User


def chosen(user: User, filters: Mapping[str, str] | None) -> HouseholdQuerySet:
    """The households that an export of `user` with these conditions holds, by their number."""
    everything = Household.objects.visible_to(user)
    if not filters:
        return everything.order_by("number")
    asked = HouseholdFilter(filters, everything, request=Asker(user))
    rows: HouseholdQuerySet = asked.qs
    return rows.order_by("number")


def write(
    path: Path | str,
    user: User,
    filters: Mapping[str, str] | None = None,
    *,
    phones: str = "masked",
    reason: str = "",
    progress: Progress = lambda done, total: None,
) -> int:
    """Write the workbook; answers how many households it holds.

    `phones`: "masked" or "plain"; plain ones need a `reason`, and each household is recorded as
    revealed. Raises reveals.ReasonNeeded without one.
    """
    households = chosen(user, filters)
    if phones == "plain":
        reveals.exported(user, households, reason)
    total = households.count()
    book, options = Workbook(write_only=True), Options()
    trees = [tree(user) for tree in TREES]
    for key, rows_of in ROWS.items():
        columns = sheets.offered(KINDS[key])
        if phones == "plain":
            columns = [_plain(column) for column in columns]
        rows = _fetched(rows_of(households))
        if key == "household":
            rows = _counted(rows, total, progress)
        sheet = book.create_sheet(KINDS[key].label)
        add_lists(sheet, columns, options, trees, last_row=total + ROOM)
        _write_sheet(sheet, columns, rows)
    options.write(book.create_sheet(sheets.OPTIONS))
    book.save(path)
    return total


def _counted(rows: Iterator[Any], total: int, progress: Progress) -> Iterator[Any]:
    """The same rows; every so often they are told of."""
    for number, row in enumerate(rows):
        if number % AT_ONCE == 0:
            progress(number, total)
        yield row


def _plain(column: Column) -> Column:
    """The column with the whole number where others have it masked."""
    if column.key not in PHONES:
        return column
    return replace(column, export=lambda row: getattr(_household(row), column.key) or None)


def _household(row: Any) -> Household:
    return row if isinstance(row, Household) else row.household


def _fetched(rows: QuerySet[Any]) -> Iterator[Any]:
    return rows.iterator(chunk_size=AT_ONCE)


def _write_sheet(sheet: Any, columns: Sequence[Column], rows: Iterator[Any]) -> None:
    sheets.set_up(sheet, columns)
    sheet.append(sheets.head(sheet, columns))
    line = sheets.Line(sheet, columns)
    for row in rows:
        sheet.append(line.filled([_value(column.export(row)) for column in columns]))


def _value(value: object) -> object:
    """As a cell: lazy labels as text, everything else as it is."""
    return str(value) if isinstance(value, Promise) else value
