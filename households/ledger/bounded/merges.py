"""Merged cells: the value stands in the first of them, people read it in all.

A sheet lists them behind its rows, so they are fetched before the rows are read, by a search that
looks at nothing else.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

from households.ledger.bounded.places import MOST_COLUMNS, place
from households.ledger.bounded.refusal import Refused

LIST = b"mergeCells"
RANGE = re.compile(rb"""<(?:[\w.-]+:)?mergeCell\s[^>]*?ref\s*=\s*["']([A-Z]+\d+):([A-Z]+\d+)["']""")
LARGEST_LIST = 16 << 20
MOST_AT_ONCE = 2_000
MOST = 200_000
Range = tuple[int, int, int, int]


def find(chunks: Iterable[bytes]) -> dict[int, list[Range]]:
    """The merged ranges (first row, first column, last row, last column) by their first row."""
    found: dict[int, list[Range]] = defaultdict(list)
    for count, match in enumerate(RANGE.finditer(_list(chunks))):
        if count >= MOST:
            raise Refused("too_many_merges")
        first, last = place(match[1].decode()), place(match[2].decode())
        if first != last:
            found[first[0]].append((*first, *last))
    return found


def _list(chunks: Iterable[bytes]) -> bytes:
    tail, found = b"", bytearray()
    for chunk in chunks:
        if found:
            found += chunk
        elif (at := (tail + chunk).find(LIST)) >= 0:
            found += (tail + chunk)[at:]
        tail = chunk[-len(LIST) :]
        if len(found) > LARGEST_LIST:
            raise Refused("too_many_merges")
    return bytes(found)


class Merges:
    """Fills the cells of a sheet's rows, as they pass in order, from the merges that cover them."""

    def __init__(self, ranges: dict[int, list[Range]]) -> None:
        self._ranges = ranges
        self._open: list[tuple[Range, object]] = []

    def fill(self, number: int, cells: list[object], marks: dict[int, str]) -> None:
        """Put values where merged cells are empty: "merged" down a column, "spanned" beside it."""
        if not self._open and number not in self._ranges:
            return
        self._open = [item for item in self._open if item[0][2] >= number]
        for merged in self._ranges.pop(number, ()):
            column = merged[1]
            value = cells[column - 1] if column <= len(cells) else None
            if value is not None:
                self._open.append((merged, value))
        if len(self._open) > MOST_AT_ONCE:
            raise Refused("too_many_merges")
        for merged, value in self._open:
            _fill(number, merged, value, cells, marks)


def _fill(
    number: int, merged: Range, value: object, cells: list[object], marks: dict[int, str]
) -> None:
    top, left, _bottom, right = merged
    right = min(right, MOST_COLUMNS)
    cells += [None] * (right - len(cells))
    for column in range(left, right + 1):
        if cells[column - 1] is None and (number, column) != (top, left):
            cells[column - 1] = value
            marks[column] = "merged" if column == left else "spanned"
