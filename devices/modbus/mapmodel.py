"""A register map as the platform keeps it: settings, points, and out to a file again."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from typing import Any

from devices.modbus import faults, mapfile, signals
from devices.modbus.cells import Target, written_address, written_targets
from devices.modbus.mapcolumns import HEADS, shown_number
from devices.modbus.mapsettings import Settings
from devices.modbus.points import Point
from devices.modbus.rowparts import has_arithmetic


@dataclass(frozen=True)
class PointMap:
    """A register map that has passed the check; rows in the file's order."""

    settings: Settings
    points: tuple[Point, ...]

    def point(self, signal: str) -> Point:
        """The first row of a signal; raises KeyError."""
        for point in self.points:
            if point.signal == signal:
                return point
        raise KeyError(signal)

    def rows_of(self, signal: str) -> tuple[Point, ...]:
        """Every row of a signal: several where their `when`s exclude each other."""
        return tuple(point for point in self.points if point.signal == signal)

    def writers(self, signal: str) -> tuple[Point, ...]:
        """The rows that write a signal; each holds under its own `when`."""
        return tuple(point for point in self.rows_of(signal) if point.writable)

    def for_module(self, module: int | None) -> PointMap:
        """The map as one module behind the address has it.

        Modules count from 1, whose addresses are as written. Every address of a point moves by
        `module_stride`, `before` too; `require` and `unlock` are the whole device's and stay.
        Raises ValueError for a module that cannot be.
        """
        stride = self.settings.module_stride
        if module is None or module == 1:
            return self
        if stride is None or module < 1:
            raise ValueError(f"no module {module}: module_stride is {stride}")
        by = stride * (module - 1)
        return PointMap(self.settings, tuple(_moved(point, by) for point in self.points))

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the meaning: the same for files that differ in looks only."""
        return hashlib.sha256(self.to_csv().encode()).hexdigest()

    def to_csv(self) -> str:
        """The map as CSV with English heads, unchanged in meaning; always the same text."""
        base = self.settings.address_base
        rows = [_written_point(point, base) for point in self.points]
        columns = [column for column in HEADS if any(row.get(column) for row in rows)]
        lines = [[row.get(column, "") for column in columns] for row in rows]
        return mapfile.written([*self.settings.rows(), columns, *lines])

    def missing(self) -> tuple[list[str], list[str]]:
        """What of Annex 2 is missing: readings (fault by bits, code or flags) and writings."""
        read = {point.signal for point in self.points if point.readable}
        if any(faults.parts_of(read, derived) for derived in ("fault_bits", "fault_code")):
            read.add("fault")
        written = {point.signal for point in self.points if point.writable}
        if "return_temp_setpoint" in written:
            written.add("supply_temp_setpoint")
        return (
            [name for name in signals.READINGS if name not in read],
            [name for name in signals.WRITINGS if name not in written],
        )


def _moved(point: Point, by: int) -> Point:
    before = tuple(Target(item.area, item.address + by, item.value) for item in point.before)
    moved = replace(
        point,
        address=point.address + by,
        write_address=point.write_address + by if point.writable else 0,
        before=before,
    )
    ends = (moved.address + moved.count, *(item.address + 1 for item in before))
    last = max(*ends, moved.write_address + moved.write_count if point.writable else 0)
    if last > 0x10000:
        raise ValueError(f"{point.signal} would lie beyond address 65535")
    return moved


# --- to a file -----------------------------------------------------------------------------


def _list(items: Mapping[Any, str], severity: Mapping[str, str]) -> str:
    """Labels with their severities behind them."""
    grades = {label: f"!{grade}" for label, grade in severity.items()}
    return ";".join(f"{key}={label}{grades.get(label, '')}" for key, label in items.items())


def _written_point(point: Point, base: str) -> dict[str, str]:
    row = {
        "signal": point.signal,
        "name": point.name,
        "area": point.area,
        "address": written_address(point.area, point.address, base),
        "type": point.type,
        "order": point.order,
        "scale": shown_number(point.scale),
        "offset": shown_number(point.offset),
        "scale_from": point.scale_from or "",
        "unit": point.unit,
        "access": point.access,
        "enum": _list(point.enum, point.severity),
        "bits": _list(point.bits, point.severity),
        "mask": "" if point.mask is None else f"0x{point.mask:04X}",
        "invalid": _list(point.invalid, {}),
        "when": ";".join(f"{s}={label}" for s, labels in point.when.items() for label in labels),
        "note": point.note,
    }
    limits = {"min": point.min, "max": point.max, "step": point.step}
    row |= {name: "" if value is None else shown_number(value) for name, value in limits.items()}
    return row | (_written_writing(point, base) if point.writable else {})


def _seconds(delay: float) -> str:
    return shown_number(Decimal(repr(delay)).normalize())


def _written_writing(point: Point, base: str) -> dict[str, str]:
    arithmetic = has_arithmetic(point.write_type)
    return {
        "write_area": point.write_area,
        "write_address": written_address(point.write_area, point.write_address, base),
        "write_type": point.write_type,
        "write_order": point.write_order,
        "write_scale": shown_number(point.write_scale) if arithmetic else "",
        "write_offset": shown_number(point.write_offset) if arithmetic else "",
        "write_mask": "" if point.write_mask is None else f"0x{point.write_mask:04X}",
        "write_enum": _list(point.write_enum, {}),
        "write_function": str(point.write_function or ""),
        "write_method": point.write_method,
        "write_value": "" if point.write_value is None else str(point.write_value),
        "write_delay_s": _seconds(point.write_delay_s),
        "write_allowed": ";".join(point.write_allowed),
        "before": written_targets(point.before, base),
        "verify": "=".join(point.verify or ()),
    }
