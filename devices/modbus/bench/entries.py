"""What the platform read of a signal at a moment, as the steps by hand look at it.

An *entry* has value, quality and, where the words are known, raw, as UnitState keeps it.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from typing import Any

from devices.modbus import encoding
from devices.modbus.bench.explain import either, explanations, near
from devices.modbus.bench.names import not_good, register, said
from devices.modbus.pointmap import PointMap
from devices.modbus.points import Point, ValueRefused
from devices.modbus.words import N_, Sentence

Entry = Mapping[str, Any]


def is_number(value: object) -> bool:
    """Whether a value is a number, which true and false are not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def readable(map: PointMap, signal: str) -> list[Point]:
    """The rows that a signal is read from."""
    return [row for row in map.rows_of(signal) if row.readable]


def where_of(map: PointMap, signal: str) -> Sentence:
    """Where a signal is read, by its first row."""
    rows = readable(map, signal)
    return register(rows[0]) if rows else said("—")


def told_badly(entry: Entry) -> Sentence:
    """Why an entry has no value, with its words."""
    return not_good(entry.get("quality", "—"), entry.get("raw"))


def words_of(row: Point, entry: Entry) -> list[int]:
    """The words of an entry: as kept, else those that its value has by the map."""
    if entry.get("raw"):
        found = [int(word, 16) for word in str(entry["raw"]).split() if word.startswith("0x")]
        return found if len(found) == row.count else []
    written = replace(
        row,
        access="rw",
        min=None,
        max=None,
        step=None,
        write_area=row.area,
        write_type=row.type,
        write_order=row.order,
        write_scale=row.scale,
        write_offset=row.offset,
        write_mask=row.mask,
        write_enum=row.enum,
        write_value=None,
        write_allowed=(),
    )
    with suppress(ValueRefused, ValueError, ArithmeticError, TypeError):
        return encoding.encode(written, Decimal(repr(entry["value"])))
    return []


def row_change(
    map: PointMap, signal: str, entry: Entry, target: float, tolerance: float
) -> Sentence | None:
    """A change of the map's row under which the words that were read mean nearly the target."""
    for row in readable(map, signal):
        words = words_of(row, entry)
        changes = explanations(row, words, near(target, tolerance))[:2] if words else []
        if changes:
            return Sentence(
                N_("点表第 %(row)d 行（%(where)s）：%(change)s；或改固件"),
                row=row.row,
                where=register(row),
                change=either(changes),
            )
    return None
