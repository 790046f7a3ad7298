"""What every list page does: sort by a known column, cut into pages, hand out the same rows."""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from django.core.paginator import Page, Paginator
from django.db.models import F, Model, QuerySet, Subquery
from django.db.models.expressions import Expression, OrderBy
from django.http import HttpRequest, StreamingHttpResponse
from django.utils.http import content_disposition_header

from households import clock
from households.ledger.escaping import escape

T = TypeVar("T", bound=Model)
Column = str | Expression | Subquery
ROWS_PER_PAGE = 50


@dataclass(frozen=True)
class Chip:
    """One state above a list, with how many rows are in it; shown as a link that filters."""

    value: str
    label: str
    shape: str
    count: int
    is_on: bool


def in_order(
    rows: QuerySet[T], wanted: str, columns: Mapping[str, Column], default: str
) -> tuple[QuerySet[T], str]:
    """`rows` sorted by the column that `wanted` names ("age", or "-age" for downwards).

    Rows without a value come last either way; an unknown name means `default`. Answers the sorted
    rows and the name that was used.
    """
    name = wanted if wanted.removeprefix("-") in columns else default
    column = columns[name.removeprefix("-")]
    key = F(column) if isinstance(column, str) else column
    first = OrderBy(key, descending=name.startswith("-"), nulls_last=True)
    return rows.order_by(first, "pk"), name


def page_of(rows: QuerySet[T], request: HttpRequest, count: int | None = None) -> Page[T]:
    """The page that the address asks for; a page that is not there means the nearest one.

    `count` is how many rows there are, where that is known already. The keys alone are
    sorted, and only the rows of the page are fetched whole: of 65,535 wide rows that is several
    times quicker.
    """
    paginator = Paginator(rows, ROWS_PER_PAGE)
    if count is not None:
        paginator.count = count
    page = paginator.get_page(request.GET.get("page"))
    first, last = page.start_index() - 1, page.end_index()
    keys = list(rows.values_list("pk", flat=True)[max(first, 0) : last])
    whole = {row.pk: row for row in rows.order_by().filter(pk__in=keys)}
    page.object_list = [whole[key] for key in keys if key in whole]  # one may be gone meanwhile
    return page


def csv_of(name: str, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> StreamingHttpResponse:
    """`rows` as a CSV file that office programs open as it is: UTF-8 with its mark, no formulas."""
    response = StreamingHttpResponse(_lines(head, rows), content_type="text/csv; charset=utf-8")
    filename = f"{name}-{clock.now().astimezone(clock.SHANGHAI):%Y%m%d-%H%M}.csv"
    response["Content-Disposition"] = str(content_disposition_header(True, filename))
    return response


class _Echo:
    def write(self, text: str) -> str:
        return text


def _lines(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield "\ufeff" + str(writer.writerow(head))
    for row in rows:
        yield str(writer.writerow([_cell(value) for value in row]))


def _cell(value: object) -> object:
    if isinstance(value, str):
        return escape(value)
    return "" if value is None else value
