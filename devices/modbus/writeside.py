"""The writing side of a row of a register map: where it differs from the reading side."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from devices.modbus import cells, rawtypes, signals, texts
from devices.modbus.cells import BIT_AREAS, Area, CellRefused
from devices.modbus.mapcolumns import METHODS
from devices.modbus.mapsettings import Settings, functions
from devices.modbus.mistakes import RowCells
from devices.modbus.points import ON_WORDS, TRIGGERS, Pattern, field_bits
from devices.modbus.rowparts import (
    factor,
    has_arithmetic,
    labelled,
    mask_of,
    order_of,
    patterns,
    proof,
    type_name,
)
from devices.modbus.words import N_

_READ_ONLY = N_("输入寄存器和离散输入不能写，请给出写区域和写地址")


def read_write_side(row: RowCells, found: dict[str, Any], settings: Settings) -> None:
    """Add the `write_…` fields of a writable row to what its reading side gave."""
    place = _place(row, found, settings.address_base)
    if place is None:
        return
    found["write_area"], found["write_address"] = place
    if not _type(row, found):
        return
    _numbers(row, found)
    _labels(row, found)
    _method(row, found)
    _value(row, found)
    _allowed(row, found)
    found["before"] = row.take("before", lambda text: _before(text, settings.address_base), ())
    found["verify"] = row.take("verify", proof, None)


def _place(row: RowCells, found: dict[str, Any], base: str) -> tuple[Area, int] | None:
    area = row.take("write_area", cells.area_of, None)
    if "write_area" in row and area is None:
        return None
    text = row.texts.get("write_address", "")
    names_itself = base == "manual" and len(cells.plain(text)) >= 5
    if text:
        named = area or (None if names_itself else found["area"])
        place = row.take("write_address", lambda cell: cells.address(cell, named, base), None)
    else:
        place = (area or found["area"], found["address"])
    if place is not None and place[0] in ("input", "discrete"):
        row.refuse("write_area" if "write_area" in row else "access", _READ_ONLY)
        return None
    return place


def _type(row: RowCells, found: dict[str, Any]) -> bool:
    """The type, order and mask; False where the type is wrong and nothing more can be read."""
    area = found["write_area"]
    same = (area in BIT_AREAS) == (found["area"] in BIT_AREAS)
    type_ = row.take("write_type", type_name, found["type"] if same else "bool")
    column = "write_type" if "write_type" in row else "type"
    if area in BIT_AREAS and type_ != "bool":
        row.refuse(column, N_("线圈和离散输入的类型只能是 bool"))
        return False
    if type_ in rawtypes.BITFIELDS:
        row.refuse(column, N_("位域不能写，请给出写类型"))
        return False
    found["write_type"] = type_
    found["write_order"] = order_of(row, "write_order", area, type_, found["order"])
    alike = type_ == found["type"] and same
    found["write_mask"] = mask_of(row, "write_mask", area, type_, found["mask"] if alike else None)
    return True


def _numbers(row: RowCells, found: dict[str, Any]) -> None:
    type_ = found["write_type"]
    one, nought = Decimal(1), Decimal(0)
    if has_arithmetic(type_):
        found["write_scale"] = row.take("write_scale", factor, found["scale"])
        found["write_offset"] = row.take("write_offset", cells.number, found["offset"])
        return
    reason = N_("类型 %(type)s 没有倍率和偏移")
    if row.take("write_scale", factor, one) != one:
        row.refuse("write_scale", reason, type=type_)
    if row.take("write_offset", cells.number, nought) != nought:
        row.refuse("write_offset", reason, type=type_)


def _bits(found: dict[str, Any]) -> int:
    """Bits of the pattern that is written; 0 of a text."""
    if found["write_area"] in BIT_AREAS:
        return 1
    if texts.is_text(found["write_type"]):
        return 0
    mask = rawtypes.BYTES.get(found["write_type"], found["write_mask"])
    return field_bits(found["write_type"], mask)


def _labels(row: RowCells, found: dict[str, Any]) -> None:
    type_, bits = found["write_type"], _bits(found)
    if not bits:
        row.forbid("write_enum", N_("类型 %(type)s 没有枚举和无效值"), type=type_)
        return
    if "write_enum" in row:
        labels = row.take("write_enum", lambda text: labelled(patterns(text, type_, bits))[0], {})
    else:
        labels = found["enum"]
        if type_ not in rawtypes.FLOATS and not all(_fits(key, bits) for key in labels):
            row.refuse("enum", N_("读的枚举写不进写类型 %(type)s，请给出写枚举"), type=type_)
    found["write_enum"] = labels


def _fits(pattern: Pattern, bits: int) -> bool:
    return float(pattern).is_integer() and 0 <= pattern < 1 << bits


def _method(row: RowCells, found: dict[str, Any]) -> None:
    coil = found["write_area"] == "coil"
    masked = rawtypes.BYTES.get(found["write_type"], found["write_mask"]) is not None
    usual = "coil" if coil else "rmw" if masked else "value"
    known = {method: method for method in METHODS}
    method = row.take("write_method", lambda text: cells.one_of(text, known), usual)
    if coil and method == "value":
        method = "coil"
    if coil and method == "rmw":
        row.refuse("write_method", N_("线圈用 coil，不用 rmw"))
    if not coil and method in ("coil", "coil_self_clearing"):
        row.refuse("write_method", N_("%(method)s 只用于线圈"), method=method)
    found["write_method"] = method
    usual_delay = 1.0 if method == "pulse" else 2.0
    found["write_delay_s"] = row.take("write_delay_s", _seconds, usual_delay)
    found["write_function"] = row.take("write_function", lambda text: _function(text, coil), None)


def _seconds(text: str) -> float:
    value = cells.number(text)
    if not 0 <= value <= 600:
        raise CellRefused(N_("应在 %(low)s 到 %(high)s 之间"), low=0, high=600)
    return float(value)


def _function(text: str, coil: bool) -> int:
    codes = functions(text, (5, 15) if coil else (6, 16))
    if len(codes) != 1:
        raise CellRefused(N_("应为一个功能码"))
    return codes[0]


def _value(row: RowCells, found: dict[str, Any]) -> None:
    """The value of a trigger; of any alarm reset too, whatever its method."""
    method, bits = found["write_method"], _bits(found)
    found["write_value"] = None
    if method not in TRIGGERS and found["signal"] != "alarm_reset":
        if "write_value" in row:
            reason = N_("写方式 %(method)s 不用写值，这一格不起作用")
            row.remind("write_value", reason, method=method)
        return
    if not bits or found["write_type"] in rawtypes.FLOATS:
        row.refuse("write_type" if "write_type" in row else "type", N_("触发要用整数类型"))
        return
    if method in ("pulse", "command"):
        row.need("write_value")
    usual = 1 if method == "coil_self_clearing" else None
    labels = {label: key for key, label in found.get("write_enum", {}).items()}
    found["write_value"] = row.take(
        "write_value", lambda text: _raw_value(text, labels, bits), usual
    )


def _raw_value(text: str, labels: Mapping[str, Pattern], bits: int) -> int:
    """A pattern: a number, a label of the enumeration, or on and off."""
    if text in labels:
        return int(labels[text])
    if text.lower() in ON_WORDS and not labels:
        return int(ON_WORDS[text.lower()])
    value = cells.integer(text)
    if not -(1 << (bits - 1)) <= value < 1 << bits:
        raise CellRefused(N_("%(value)s 超出 %(bits)s 位"), value=text, bits=bits)
    return value & ((1 << bits) - 1)


def _allowed(row: RowCells, found: dict[str, Any]) -> None:
    labels = set(found.get("write_enum", {}).values())
    switch = signals.kind_of(found["signal"]) == "bool" or found["write_type"] == "bool"
    if not labels and switch:
        labels = set(ON_WORDS)

    def parse(text: str) -> tuple[str, ...]:
        wanted = [text] if text in labels else cells.words(text)
        strange = [word for word in wanted if word not in labels]
        if strange:
            raise CellRefused(N_("枚举里没有“%(label)s”"), label="、".join(strange))
        return tuple(wanted)

    if not labels and ("enum" in row or "write_enum" in row):
        return  # a list that was refused says nothing about this cell
    if "write_allowed" in row and not labels:
        row.refuse("write_allowed", N_("没有枚举的点不能限定可写值，请用最小、最大"))
        return
    found["write_allowed"] = row.take("write_allowed", parse, ())


def _before(text: str, base: str) -> tuple[cells.Target, ...]:
    found = cells.targets(text, base)
    if any(target.area in ("input", "discrete") for target in found):
        raise CellRefused(N_("输入寄存器和离散输入不能写"))
    return found
