"""Giving 户编号: year, line of the place, serial, such as 26-10-0001.

A number once given is never given again, and stays with its household wherever that moves.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.db import connection, transaction

from households.models import Area, NumberLine

LOCK = 0x6E756D62  # lines of a year are laid one after the other


def take(area: Area, year: int, n: int = 1) -> list[str]:
    """`n` new numbers of that place and year; others who ask meanwhile wait and get the next.

    Part of the caller's transaction: what is rolled back was not given.
    """
    with transaction.atomic():
        _begin(area, year)
        line = NumberLine.objects.select_for_update().get(year=year, area=area)
        first = line.last + 1
        line.last += n
        line.save(update_fields=["last"])
    return [f"{line}-{serial:04d}" for serial in range(first, first + n)]


def take_many(wanted: Mapping[tuple[int, int], int]) -> dict[tuple[int, int], list[str]]:
    """New numbers for many places at once, by (area's pk, year): three statements in all.

    Part of the caller's transaction, like `take`.
    """
    lines = _lines_of(wanted)
    rows = [(year, area, lines[area, year], n) for (area, year), n in sorted(wanted.items())]
    values = ", ".join(["(%s, %s, %s, %s)"] * len(rows))
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO households_numberline AS own (year, area_id, line, last) VALUES {values}"
            " ON CONFLICT (year, area_id) DO UPDATE SET last = own.last + EXCLUDED.last"
            " RETURNING year, area_id, line, last",
            [value for row in rows for value in row],
        )
        given = cursor.fetchall()
    return {
        (area, year): _last(f"{year % 100:02d}-{line:02d}", last, wanted[area, year])
        for year, area, line, last in given
    }


def _last(line: str, last: int, n: int) -> list[str]:
    """The newest `n` numbers of a line."""
    return [f"{line}-{serial:04d}" for serial in range(last - n + 1, last + 1)]


def _lines_of(wanted: Mapping[tuple[int, int], int]) -> dict[tuple[int, int], int]:
    """The line that each place has or gets; nobody lays another before the transaction's end."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    years = {year for _area, year in wanted}
    rows = NumberLine.objects.filter(year__in=years).values_list("area", "year", "line")
    lines = {(area, year): line for area, year, line in rows}
    missing = set(wanted) - set(lines)
    if missing:
        places = Area.objects.filter(pk__in={area for area, _year in missing})
        orders = dict(places.values_list("pk", "order"))
        for area, year in sorted(missing, key=lambda one: (orders[one[0]], one)):
            lines[area, year] = _free_line(lines, year, orders[area] or 1)
    return lines


def _free_line(lines: Mapping[tuple[int, int], int], year: int, wanted: int) -> int:
    taken = {line for (_area, of), line in lines.items() if of == year}
    return wanted if wanted not in taken else max(taken) + 1


def lay(area: Area, year: int, wanted: int) -> None:
    """Let the place's numbers of that year have the line `wanted`, if it has none yet and nobody
    else has that one; otherwise the next free line."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        if NumberLine.objects.filter(year=year, area=area).exists():
            return
        taken = set(NumberLine.objects.filter(year=year).values_list("line", flat=True))
        free = wanted if wanted not in taken else max(taken) + 1
        NumberLine.objects.create(year=year, area=area, line=free, last=0)


def _begin(area: Area, year: int) -> None:
    if NumberLine.objects.filter(year=year, area=area).exists():
        return
    lay(area, year, area.order or 1)
