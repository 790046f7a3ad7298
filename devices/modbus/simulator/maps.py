"""Reads a register-map file for the simulated units.

Written from the paper on register maps alone: it shares no code with the platform's reader, so
that both cannot make the same mistake. It checks only what a simulated unit needs.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

AREAS = ("coil", "discrete", "input", "holding")

HEADS = {
    "信号": "signal", "名称": "name", "区域": "area", "地址": "address", "类型": "type",
    "字节序": "order", "倍率": "scale", "偏移": "offset", "单位": "unit", "读写": "access",
    "最小": "min", "最大": "max", "步长": "step", "枚举": "enum", "位定义": "bits",
    "掩码": "mask", "无效值": "invalid", "写地址": "write_address", "写类型": "write_type",
    "写倍率": "write_scale", "写方式": "write_method", "写值": "write_value",
    "延时": "write_delay_s", "可写值": "write_allowed", "备注": "note",
}  # fmt: skip
COLUMNS = set(HEADS.values()) | {
    "scale_from", "when", "write_area", "write_order", "write_offset", "write_mask",
    "write_enum", "write_function", "before", "verify",
}  # fmt: skip
ACCESS = {"": "r", "R": "r", "W": "w", "RW": "rw", "只读": "r", "只写": "w", "读写": "rw"}
REGISTERS = {
    "bool": 1, "int16": 1, "uint16": 1, "sm16": 1, "bitfield16": 1, "bcd16": 1, "bits": 1,
    "int8_hi": 1, "int8_lo": 1, "uint8_hi": 1, "uint8_lo": 1,
    "int32": 2, "uint32": 2, "sm32": 2, "float32": 2, "dec32": 2, "bitfield32": 2, "bcd32": 2,
    "int64": 4, "uint64": 4, "float64": 4,
}  # fmt: skip
DEFAULTS = {
    "baud": "9600", "parity": "N", "stop_bits": "1", "address_width": "1",
    "address_order": "big", "address_base": "0", "max_read": "32", "max_read_bits": "256",
    "holes": "exception", "read_functions": "3 4", "write_functions": "6 16",
    "control_side": "supply",
}  # fmt: skip


class MapUnreadable(ValueError):
    """The file is no register map that a simulated unit could speak; says row and reason."""


@dataclass(frozen=True, slots=True)
class Field:
    """How one value lies in registers or bits: where, of which type, and what it means."""

    area: str
    address: int
    count: int  # registers (or bits) that it covers
    type: str
    order: str
    scale: Decimal
    offset: Decimal
    mask: int | None
    enum: dict[int, str]
    is_bool: bool
    scale_from: str | None = None
    bits: dict[int, str] = field(default_factory=dict)
    invalid: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the file: a signal, read through `read`, written through `write`."""

    signal: str
    access: str
    unit: str
    read: Field
    write: Field
    minimum: Decimal | None
    maximum: Decimal | None
    when: tuple[str, str] | None
    method: str
    write_value: str
    before: tuple[tuple[str, int, int], ...]
    verify: tuple[str, str] | None
    write_function: int | None  # the only function code that it takes, if the file says so
    mild_faults: frozenset[str]  # labels marked !warn or !info


@dataclass(frozen=True, slots=True)
class RegisterMap:
    """A whole register-map file."""

    settings: dict[str, str]
    rows: tuple[Row, ...]
    require: tuple[str, int, int] | None
    unlock: tuple[str, int, int] | None

    def number(self, setting: str) -> int:
        return int(self.settings[setting])

    @property
    def stride(self) -> int:
        """Registers from one module to the next; 0 where the device has no modules."""
        said = self.settings.get("module_stride", "none")
        return 0 if said == "none" else int(said)

    def codes(self, setting: str) -> set[int]:
        return {int(code) for code in re.split(r"[;\s]+", self.settings[setting].strip())}


def load(path: str | Path) -> RegisterMap:
    """Read a register map from a CSV file (UTF-8, with or without BOM, or GB18030)."""
    return parse(Path(path).read_bytes(), str(path))


def parse(data: bytes, name: str = "map") -> RegisterMap:
    settings = dict(DEFAULTS)
    head: list[str] | None = None
    rows: list[Row] = []
    for number, cells in enumerate(csv.reader(io.StringIO(_text(data))), start=1):
        cells = [cell.strip() for cell in cells]
        if not any(cells):
            continue
        try:
            if cells[0].startswith("@"):
                if len(cells) > 1 and cells[1]:
                    settings[cells[0][1:]] = cells[1]
            elif head is None:
                head = _head(cells)
            else:
                rows.append(_row(dict(zip(head, cells, strict=False)), settings))
        except (ValueError, KeyError, ArithmeticError) as error:
            raise MapUnreadable(f"{name}, row {number}: {error}") from error
    if not rows:
        raise MapUnreadable(f"{name}: no points in it")
    return RegisterMap(settings, tuple(rows), _held(settings, "require"), _held(settings, "unlock"))


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("gb18030")


def _head(cells: list[str]) -> list[str]:
    names = [HEADS.get(cell, cell.lower()) for cell in cells]
    unknown = [name for name in names if name and name not in COLUMNS]
    if unknown:
        raise ValueError(f"unknown column {unknown[0]}")
    return names


def _row(cell: dict[str, str], settings: dict[str, str]) -> Row:
    signal, kind = cell["signal"], _type(cell.get("type", ""))
    enum, mild = _labels(cell.get("enum", ""))
    bits, mild_bits = _labels(cell.get("bits", ""))
    is_bool = kind == "bool" or signal in BOOLEAN or signal.startswith("fault.")
    read = _field(
        settings,
        {
            "area": cell["area"],
            "address": cell["address"],
            "type": kind,
            "order": cell.get("order", ""),
            "scale": cell.get("scale", "") or "1",
            "offset": cell.get("offset", "") or "0",
            "mask": cell.get("mask", ""),
        },
        enum,
        is_bool,
        scale_from=cell.get("scale_from") or None,
        bits=bits,
        invalid=dict(_pairs(cell.get("invalid", ""))),
    )
    written = {
        key: cell.get(f"write_{key}", "") or cell.get(key, "")
        for key in ("area", "address", "type", "order", "scale", "offset", "mask")
    }
    write_enum = _labels(cell.get("write_enum", ""))[0] or enum
    write = _field(settings, written, write_enum, is_bool, read.scale_from, bits)
    return Row(
        signal=signal,
        access=ACCESS[cell.get("access", "").upper()],
        unit=cell.get("unit", ""),
        read=read,
        write=write,
        minimum=_decimal(cell.get("min", "")),
        maximum=_decimal(cell.get("max", "")),
        when=_pair(cell.get("when", "")),
        method=cell.get("write_method", "") or "value",
        write_value=cell.get("write_value", ""),
        before=tuple(_place(text, settings) for text in _list(cell.get("before", ""))),
        verify=_pair(cell.get("verify", "")),
        write_function=int(cell["write_function"]) if cell.get("write_function") else None,
        mild_faults=frozenset(mild | mild_bits),
    )


# Signals whose value is true or false whatever the register's type.
BOOLEAN = {
    "power_state", "fault_active", "compressor_running", "defrosting", "aux_heater_on",
    "flame_on", "maker_lock",
}  # fmt: skip


def _field(
    settings: dict[str, str],
    cell: dict[str, str],
    enum: dict[int, str],
    is_bool: bool,
    scale_from: str | None = None,
    bits: dict[int, str] | None = None,
    invalid: dict[str, str] | None = None,
) -> Field:
    area, kind = cell["area"].lower(), _type(cell["type"])
    if area not in AREAS:
        raise ValueError(f"unknown area {area}")
    count = _count(kind)
    return Field(
        area=area,
        address=wire_address(cell["address"], area, settings["address_base"]),
        count=1 if area in ("coil", "discrete") else count,
        type=kind,
        order=_order(cell["order"], count),
        scale=Decimal(cell["scale"] or "1"),
        offset=Decimal(cell["offset"] or "0"),
        mask=integer(cell["mask"]) if cell["mask"] else None,
        enum=enum,
        is_bool=is_bool,
        scale_from=scale_from,
        bits=bits or {},
        invalid=invalid or {},
    )


def _type(text: str) -> str:
    """Lower case, but for the format of a datetime."""
    base, colon, argument = text.partition(":")
    return base.lower() + colon + argument


def _count(kind: str) -> int:
    """Registers of a type; a datetime is `unix` or a register for each of Y-M-D-h-m-s."""
    base, _, argument = kind.partition(":")
    if base == "ascii":
        return (int(argument) + 1) // 2
    if base == "datetime":
        letters = argument.split("-")
        if argument != "unix" and not set("YMD") <= set(letters) <= set("YMDhms"):
            raise ValueError(f"no simulated unit speaks {kind}; datetime:unix or :Y-M-D-h-m-s")
        return 2 if argument == "unix" else len(letters)
    if kind not in REGISTERS:
        raise ValueError(f"unknown type {kind}")
    return REGISTERS[kind]


def _order(text: str, count: int) -> str:
    order = {"": "ABCD", "BIG": "ABCD", "LITTLE": "CDAB", "AB": "ABCD", "BA": "BADC"}.get(
        text.upper(), text.upper()
    )
    if order not in ("ABCD", "CDAB", "BADC", "DCBA"):
        raise ValueError(f"unknown byte order {text}")
    return order


def wire_address(text: str, area: str, base: str) -> int:
    """The 0-based address on the wire of an address as the file writes it."""
    number = integer(text)
    if base == "manual":
        number = _manual(text, number, area)
    elif base == "1":
        number -= 1
    if not 0 <= number <= 0xFFFF:
        raise ValueError(f"address {text} is outside 0..65535 on the wire")
    return number


def _manual(text: str, number: int, area: str) -> int:
    """Reference numbers: 0xxxx coil, 1xxxx discrete, 3xxxx input, 4xxxx holding, from 1."""
    if len(text) < 5 and area in ("coil", "discrete"):
        return number - 1
    leading = {"coil": 0, "discrete": 1, "input": 3, "holding": 4}[area]
    unit = 10_000 if len(text) == 5 else 100_000
    if len(text) not in (5, 6) or number // unit != leading:
        raise ValueError(f"reference number {text} does not agree with area {area}")
    return number % unit - 1


def integer(text: str) -> int:
    text = text.strip()
    if re.fullmatch(r"[0-9A-Fa-f]+[Hh]", text):
        return int(text[:-1], 16)
    return int(text, 0) if text.lower().startswith(("0x", "-0x")) else int(text)


def _decimal(text: str) -> Decimal | None:
    return Decimal(text) if text else None


def _list(text: str) -> list[str]:
    return [part.strip() for part in text.split(";") if part.strip()]


def _pairs(text: str) -> list[tuple[str, str]]:
    return [(left.strip(), right.strip()) for left, _, right in map(_split, _list(text))]


def _split(text: str) -> tuple[str, str, str]:
    return text.partition("=")


def _pair(text: str) -> tuple[str, str] | None:
    return _pairs(text)[0] if text else None


def _labels(text: str) -> tuple[dict[int, str], set[str]]:
    """Labels by raw value, and which of them are mild (marked !warn or !info)."""
    labels: dict[int, str] = {}
    mild = set()
    for raw, label in _pairs(text):
        name, _, severity = label.partition("!")
        labels[integer(raw)] = name
        if severity in ("warn", "info"):
            mild.add(name)
    return labels, mild


def _place(text: str, settings: dict[str, str]) -> tuple[str, int, int]:
    place, _, value = text.partition("=")
    area, _, address = place.partition(":")
    area = area.strip().lower()
    return area, wire_address(address.strip(), area, settings["address_base"]), integer(value)


def _held(settings: dict[str, str], name: str) -> tuple[str, int, int] | None:
    text = settings.get(name, "")
    return _place(text, settings) if text and text.lower() != "none" else None
