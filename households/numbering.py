"""Giving 户编号: year, line of the place, serial, such as 26-10-0001.

A number once given is never given again, and stays with its household wherever that moves.
"""

from __future__ import annotations

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
