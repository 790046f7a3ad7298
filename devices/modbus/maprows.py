"""The rows of a register-map file as points: the reading side, then the writing side."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from devices.modbus import cells, rawtypes, signals, texts
from devices.modbus.cells import BIT_AREAS, Area
from devices.modbus.mapcolumns import ACCESS, HEADS
from devices.modbus.mapsettings import Settings
from devices.modbus.mistakes import RowCells
from devices.modbus.points import Point
from devices.modbus.rowparts import (
    bit_labels,
    bits_of,
    conditions,
    factor,
    has_arithmetic,
    labelled,
    mask_of,
    order_of,
    patterns,
    reasons,
    signal_name,
    step_of,
    type_name,
)
from devices.modbus.words import N_
from devices.modbus.writeside import read_write_side

_WRITING = [column for column in HEADS if column.startswith("write_")] + ["before", "verify"]


def read_point(row: RowCells, settings: Settings) -> Point | None:
    """The point of a row; None where the row has a mistake, all of which are noted."""
    row.need("signal")
    row.need("address")
    found: dict[str, Any] = {"row": row.row or 0}
    found["signal"] = row.take("signal", signal_name, "")
    found["name"], found["note"] = row.texts.get("name", ""), row.texts.get("note", "")
    area, address = _place(row, settings.address_base)
    type_ = _type(row, area)
    found["area"], found["address"] = area or "holding", address or 0
    found["type"] = type_ or "uint16"
    _independent(row, found)
    if type_:
        _by_type(row, found)
    if type_ and area:
        _writing(row, found, settings)
    return Point(**found) if row.right else None


def _place(row: RowCells, base: str) -> tuple[Area | None, int | None]:
    """The area and the address on the wire; None for each that is not known.

    A row goes on with a stand-in for what is wrong, so that its other mistakes show too.
    """
    area = row.take("area", cells.area_of, None)
    if "area" not in row and base != "manual":
        row.need("area")
    if area is None and ("area" in row or base != "manual"):
        return None, None
    place = row.take("address", lambda text: cells.address(text, area, base), None)
    return place or (area, None)


def _independent(row: RowCells, found: dict[str, Any]) -> None:
    """The cells that mean the same whatever the type."""
    found["access"] = row.take("access", lambda text: cells.one_of(text, ACCESS), "r")
    found["unit"] = row.take("unit", signals.shown_unit, signals.unit_of(found["signal"]))
    found["when"] = row.take("when", conditions, {})
    _numbers(row, found)


def _by_type(row: RowCells, found: dict[str, Any]) -> None:
    found["order"] = order_of(row, "order", found["area"], found["type"])
    found["mask"] = mask_of(row, "mask", found["area"], found["type"], None)
    _meanings(row, found)


def _type(row: RowCells, area: Area | None) -> str:
    """The type; "" where it is wrong. A coil or discrete input is a bool without saying so."""
    if area not in BIT_AREAS:
        row.need("type")
        return row.take("type", type_name, "")
    type_ = row.take("type", type_name, "" if "type" in row else "bool")
    if type_ not in ("", "bool"):
        row.refuse("type", N_("线圈和离散输入的类型只能是 bool"))
        return ""
    return type_


def _numbers(row: RowCells, found: dict[str, Any]) -> None:
    found["scale"] = row.take("scale", factor, Decimal(1))
    found["offset"] = row.take("offset", cells.number, Decimal(0))
    found["scale_from"] = row.take("scale_from", signal_name, None)
    for column in ("min", "max"):
        found[column] = row.take(column, cells.number, None)
    found["step"] = row.take("step", step_of, None)
    if found["min"] is not None and found["max"] is not None and found["min"] > found["max"]:
        row.refuse("min", N_("最小 %(min)s 大于最大 %(max)s"), min=found["min"], max=found["max"])
    if not has_arithmetic(found["type"]):
        _no_numbers(row, found)


def _no_numbers(row: RowCells, found: dict[str, Any]) -> None:
    """Exporters fill in scale 1 and offset 0 everywhere; more than that means a misread type."""
    reason = N_("类型 %(type)s 没有倍率和偏移")
    row.forbid("scale_from", reason, type=found["type"])
    if found["scale"] != 1:
        row.refuse("scale", reason, type=found["type"])
    if found["offset"] != 0:
        row.refuse("offset", reason, type=found["type"])
    found["scale"], found["offset"] = Decimal(1), Decimal(0)


def _meanings(row: RowCells, found: dict[str, Any]) -> None:
    """The labels of a value: by bit of a bitfield, by pattern of the other types."""
    type_ = found["type"]
    found["enum"], found["bits"], found["severity"], found["invalid"] = {}, {}, {}, {}
    if texts.is_text(type_):
        row.forbid("enum invalid bits", N_("类型 %(type)s 没有枚举、位定义和无效值"), type=type_)
        return
    bits = bits_of(found["area"], type_, rawtypes.BYTES.get(type_, found["mask"]))
    if type_ in rawtypes.BITFIELDS:
        row.forbid("enum", N_("位域用“位定义”列，不用枚举"))
        row.need("bits")
        named = row.take("bits", lambda text: labelled(bit_labels(text, bits)), ({}, {}))
        found["bits"], found["severity"] = named
    else:
        row.forbid("bits", N_("位定义只用于 bitfield16 和 bitfield32"))
        named = row.take("enum", lambda text: labelled(patterns(text, type_, bits)), ({}, {}))
        found["enum"], found["severity"] = named
    found["invalid"] = row.take("invalid", lambda text: reasons(text, type_, bits), {})


def _writing(row: RowCells, found: dict[str, Any], settings: Settings) -> None:
    if "w" in found["access"]:
        read_write_side(row, found, settings)
        return
    for column in _WRITING:
        if column in row:
            row.remind(column, N_("该点只读，这一格不起作用"))
