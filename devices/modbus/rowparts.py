"""The parts of a row of a register map that reading and writing side share: one cell each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from devices.modbus import cells, rawtypes, signals, texts
from devices.modbus.cells import BIT_AREAS, Area, CellRefused
from devices.modbus.mapcolumns import ORDERS_16, ORDERS_32
from devices.modbus.mistakes import RowCells
from devices.modbus.points import Pattern, field_bits
from devices.modbus.words import N_


def signal_name(text: str) -> str:
    """A signal's name: canonical (English or Chinese), a fault's, or a free one."""
    name = cells.plain(text)
    name = signals.by_chinese_name().get(name, name)
    if name.lower() in signals.signals():
        return name.lower()
    if name.startswith("@") or re.search(r"[\s;=:,]", name) or len(name) > 64:
        raise CellRefused(N_("信号名不能超过 64 字，也不能有空格和 ; = : , @"))
    if name in ("fault.", "fault_bits.", "fault_code."):
        raise CellRefused(N_("点号后面缺少名称"))
    if re.match(r"fault_(bits|code)\.", name) and not re.fullmatch(r"\w+\.\d+", name):
        raise CellRefused(N_("点号后面应为序号，如 fault_bits.1"))
    return name


def type_name(text: str) -> str:
    """A type as it is kept: lower case, the format of a datetime as it is written."""
    head, colon, rest = cells.plain(text).partition(":")
    name = head.strip().lower() + colon + rest.strip()
    if texts.is_text(name):
        if not texts.text_registers(name):
            raise CellRefused(N_("应写成 ascii:字符数（至多 240）或 datetime:格式"))
    elif name not in rawtypes.NUMBER_TYPES:
        known = "、".join((*rawtypes.NUMBER_TYPES, "ascii:n", "datetime:format"))
        raise CellRefused(N_("没有这个类型，可用：%(known)s"), known=known)
    return name


def takes_long_order(type_: str) -> bool:
    """Whether ABCD and its like are this type's orders, not AB and BA."""
    if texts.is_text(type_):
        return texts.is_unix(type_)
    return rawtypes.registers(type_) > 1


def order_of(row: RowCells, column: str, area: Area, type_: str, default: str = "") -> str:
    """The byte order; the default where it is one of this type's."""
    if area in BIT_AREAS:
        row.forbid(column, N_("线圈和离散输入没有字节序"))
        return ""
    choices = ORDERS_32 if takes_long_order(type_) else ORDERS_16
    usual = default if default in choices.values() else next(iter(choices.values()))
    return row.take(column, lambda text: cells.one_of(text, choices), usual)


def factor(text: str) -> Decimal:
    """A scale."""
    value = cells.number(text)
    if not value:
        raise CellRefused(N_("倍率不能为 0"))
    return value


def step_of(text: str) -> Decimal:
    """A step."""
    value = cells.number(text)
    if value <= 0:
        raise CellRefused(N_("步长应大于 0"))
    return value


def _pattern(text: str, type_: str, bits: int) -> Pattern:
    """A raw value as `enum` and `invalid` name it: of floats a number, else a bit pattern."""
    if type_ in rawtypes.FLOATS:
        word = cells.plain(text).lower()
        return _float(type_, word)
    value = cells.integer(text)
    if not -(1 << (bits - 1)) <= value < 1 << bits:
        raise CellRefused(N_("%(value)s 超出 %(bits)s 位"), value=text, bits=bits)
    return value & ((1 << bits) - 1)


def _float(type_: str, text: str) -> float:
    """A float within its type; makers mark what is invalid with the largest there is."""
    try:
        return rawtypes.comparable(type_, float(text))
    except rawtypes.DoesNotFit:
        raise CellRefused(N_("数字过大或过小")) from None
    except ValueError:
        raise CellRefused(N_("应为数字")) from None


def patterns(text: str, type_: str, bits: int) -> dict[Pattern, str]:
    """The members `raw=text` of a list, by pattern."""
    found: dict[Pattern, str] = {}
    for left, right in cells.pairs(text):
        pattern = _pattern(left, type_, bits)
        if pattern in found:
            raise CellRefused(N_("%(value)s 写了两次"), value=left)
        found[pattern] = right
    return found


def labelled(found: Mapping[Any, str]) -> tuple[dict[Any, str], dict[str, str]]:
    """The labels without their severities, and the severities by label."""
    labels: dict[Any, str] = {}
    severity: dict[str, str] = {}
    for key, text in found.items():
        labels[key], grade = cells.label(text)
        if grade and severity.setdefault(labels[key], grade) != grade:
            raise CellRefused(N_("“%(label)s”有两个级别"), label=labels[key])
    return labels, severity


def reasons(text: str, type_: str, bits: int) -> dict[Pattern, str]:
    """The members of `invalid`, by pattern."""
    found = patterns(text, type_, bits)
    if "good" in found.values():
        raise CellRefused(N_("good 不能作为无效的原因"))
    return found


def bit_labels(text: str, bits: int) -> dict[int, str]:
    """The members of `bits`, by bit; bit 0 is the lowest of the ordered pattern."""
    found: dict[int, str] = {}
    for left, right in cells.pairs(text):
        bit = cells.between(left, 0, bits - 1)
        if bit in found:
            raise CellRefused(N_("%(value)s 写了两次"), value=left)
        found[bit] = right
    return found


def conditions(text: str) -> dict[str, tuple[str, ...]]:
    """`mode=heating;mode=auto;power_state=on`: one of a signal's labels, of every signal."""
    found: dict[str, tuple[str, ...]] = {}
    for left, right in cells.pairs(text):
        name = signal_name(left)
        found[name] = tuple(sorted({*found.get(name, ()), right}))
    return found


def proof(text: str) -> tuple[str, str]:
    """A signal and the label that proves a command."""
    found = cells.pairs(text)
    if len(found) != 1:
        raise CellRefused(N_("应写一项“信号=取值”"))
    return signal_name(found[0][0]), found[0][1]


def mask_of(row: RowCells, column: str, area: Area, type_: str, default: int | None) -> int | None:
    """The mask in force; noted where it is missing or out of place."""
    if area in BIT_AREAS or type_ not in rawtypes.MASKABLE:
        row.forbid(column, N_("掩码只用于 bits（以及寄存器里的 bool、uint16）"))
        return None
    mask = row.take(column, lambda text: cells.between(text, 1, 0xFFFF), default)
    if type_ == "bits" and mask is None and column not in row:
        row.refuse(column, N_("类型 bits 必须给出掩码"))
    return mask


def bits_of(area: Area, type_: str, mask: int | None) -> int:
    """Bits of the pattern that `enum` and `invalid` speak of."""
    if area in BIT_AREAS:
        return 1
    return 16 if texts.is_text(type_) else field_bits(type_, mask)


def has_arithmetic(type_: str) -> bool:
    """Whether values of a type are counted with scale and offset."""
    return not (texts.is_text(type_) or type_ in rawtypes.BITFIELDS or type_ == "bool")
