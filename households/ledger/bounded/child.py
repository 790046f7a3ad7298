"""The child process: its limits, and how it hands rows to its parent.

    python -I -c "…" ROOT < FILE        (as `households.ledger.reading` starts it)

Every line that it writes is a JSON array: ["sheet", name, hidden], ["row", number, hidden, cells,
marks], ["note", code, row], ["refused", code, params] and at last ["end"]. A day or time among the
cells is {"day": …}, {"moment": …}, {"time": …} or {"span": seconds}.
"""

from __future__ import annotations

import codecs
import gc
import os
import resource
import sys
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import BinaryIO

import orjson

from households.ledger.bounded import counting, delimited, merges, recognising, styles
from households.ledger.bounded.package import Package
from households.ledger.bounded.refusal import Refused
from households.ledger.bounded.strings import Strings
from households.ledger.bounded.worksheet import Book, RawRow, Worksheet

MOST_MEMORY = 190 << 20
LAST_WORDS = 8 << 20  # of these, to say that the memory was not enough
FIRST_SECONDS = 6  # of processor time
MOST_FIRST_SECONDS = 12  # for a file of 40 MiB
BYTES_PER_SECOND = 10 << 20
SECONDS_PER_STEP = 3
ROWS_PER_STEP = 5_000
MOST_SECONDS = 58
MOST_ROWS = 110_000  # 100,000 households with their titles, subtotals and notes
BUFFER = 1 << 16
Message = list[object]


def main() -> None:
    """Read standard input to its end or refusal; the parent hears of either."""
    codecs_ready()
    bind(os.fstat(sys.stdin.fileno()).st_size)
    gc.disable()  # nothing here refers to itself, and there is a limit to it all
    with Writer(sys.stdout.buffer) as writer:
        try:
            for message in messages(sys.stdin.buffer):
                writer.write(message)
            writer.write(["end"])
        except Refused as refused:
            writer.write(["refused", refused.code, refused.params])
        except MemoryError:
            resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
            writer.write(["refused", "too_much_memory", {}])


def codecs_ready() -> None:
    """Load what is loaded late, as no file can be opened afterwards."""
    for encoding in ("utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "gb18030", "cp437"):
        codecs.lookup(encoding)


def bind(size: int) -> None:
    """No more memory, time, files or sockets than reading a file of so many bytes needs."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY - LAST_WORDS, MOST_MEMORY))
    seconds = min(FIRST_SECONDS + size // BYTES_PER_SECOND, MOST_FIRST_SECONDS)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, MOST_SECONDS + 2))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))  # those that are open stay open


def messages(file: BinaryIO) -> Iterator[Message]:
    """All that there is to say of the file, in its order; raises Refused."""
    if code := recognising.refusal(file):
        raise Refused(code)
    count = 0
    for message in _workbook(file) if recognising.is_zip(file) else _text(file):
        yield message
        if message[0] == "row":
            count += 1
            if count % ROWS_PER_STEP == 0:
                _allow(count)


def _allow(count: int) -> None:
    """More rows may take more time; a file that only burns time gets none."""
    if count >= MOST_ROWS:
        raise Refused("too_many_rows")
    seconds = FIRST_SECONDS + SECONDS_PER_STEP * (count // ROWS_PER_STEP)
    soft, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (min(max(soft, seconds), MOST_SECONDS), hard))


def _workbook(file: BinaryIO) -> Iterator[Message]:
    package = Package(file)
    if package.has_links:
        yield ["note", "links", None]
    counts = (counting.filled_rows(package.chunks(sheet.part)) for sheet in package.sheets)
    if sum(counts) > MOST_ROWS:
        raise Refused("too_many_rows")
    strings = Strings(package.chunks(package.strings)) if package.strings else Strings()
    book = Book(strings, styles.read(package.elements(package.styles)), package.is_1904)
    for sheet in package.sheets:
        yield ["sheet", sheet.name, sheet.hidden]
        merged = merges.Merges(merges.find(package.chunks(sheet.part)))
        worksheet = Worksheet(book, merged)
        yield from map(_packed, worksheet.rows(package.chunks(sheet.part)))
        if worksheet.is_wide:
            yield ["note", "wide", None]


def _text(file: BinaryIO) -> Iterator[Message]:
    if counting.lines(file) > MOST_ROWS:  # it may be: a cell may have several lines
        if sum(1 for _row in islice(delimited.rows(file), MOST_ROWS + 1)) > MOST_ROWS:
            raise Refused("too_many_rows")
        file.seek(0)
    yield ["sheet", "", False]
    yield from map(_packed, delimited.rows(file))


def _packed(row: RawRow) -> Message:
    marks = {str(column): mark for column, mark in row.marks.items()}
    return ["row", row.number, row.is_hidden, row.cells, marks]


def _told(value: object) -> dict[str, str | float]:
    """A value that JSON has no form for (datetimes are dates too, so they come first)."""
    if isinstance(value, datetime):
        return {"moment": value.isoformat()}
    if isinstance(value, date):
        return {"day": value.isoformat()}
    if isinstance(value, time):
        return {"time": value.isoformat()}
    if isinstance(value, timedelta):
        return {"span": value.total_seconds()}
    raise TypeError(type(value))


def line(message: Message) -> bytes:
    """The message as it goes to the parent."""
    return orjson.dumps(message, _told, orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_APPEND_NEWLINE)


class Writer:
    """Lines to the parent, gathered so that not every row is a system call."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._waiting = bytearray()

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, *_error: object) -> None:
        self._send()

    def write(self, message: Message) -> None:
        self._waiting += line(message)
        if len(self._waiting) >= BUFFER:
            self._send()

    def _send(self) -> None:
        self._out.write(self._waiting)
        self._out.flush()
        self._waiting.clear()
