"""The `@` rows of a register-map file: what holds for the whole device."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields

from devices.modbus import cells
from devices.modbus.cells import CellRefused, Target
from devices.modbus.mapcolumns import BAUDS, KINDS, PARITIES, YES_NO
from devices.modbus.mapfile import Row
from devices.modbus.mistakes import Findings, RowCells
from devices.modbus.words import N_

REQUIRED = ("maker", "model", "kind", "medium")


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of a register map; times in milliseconds or seconds as their names say.

    `persist` unknown counts as eeprom. `module_stride` is None of a device without modules.
    `control_side` is supply, return, or the name of a signal that tells.
    """

    maker: str = ""
    model: str = ""
    kind: str = "other"
    medium: str = "water"
    baud: int = 9600
    parity: str = "N"
    stop_bits: int = 1
    address_width: int = 1
    address_order: str = "big"
    address_base: str = "0"
    max_read: int = 32
    max_read_bits: int = 256
    holes: str = "exception"
    read_functions: tuple[int, ...] = (3, 4)
    write_functions: tuple[int, ...] = (6, 16)
    reply_timeout_ms: int = 1000
    frame_gap_ms: int = 5
    min_write_interval_s: int = 10
    persist: str = "unknown"
    require: tuple[Target, ...] = ()
    unlock: tuple[Target, ...] = ()
    unlock_keep: bool = False
    control_side: str = "supply"
    indoor_source: str = "room"
    module_stride: int | None = None

    def rows(self) -> list[list[str]]:
        """The settings as rows of a file."""
        return [[f"@{item.name}", self._text(item.name)] for item in fields(self)]

    def _text(self, name: str) -> str:
        value = getattr(self, name)
        if name in ("require", "unlock"):
            return cells.written_targets(value, self.address_base) or "none"
        if name == "unlock_keep":
            return "yes" if value else "no"
        if isinstance(value, tuple):
            return " ".join(str(code) for code in value)
        return "none" if value is None else str(value)


def _words(*choices: str) -> Callable[[str], str]:
    return lambda text: cells.one_of(text, {choice: choice for choice in choices})


def _among(*choices: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        value = cells.integer(text)
        if value not in choices:
            known = "、".join(str(choice) for choice in choices)
            raise CellRefused(N_("不认识的取值，可用：%(known)s"), known=known)
        return value

    return parse


def _within(low: int, high: int) -> Callable[[str], int]:
    return lambda text: cells.between(text, low, high)


def functions(text: str, known: tuple[int, ...]) -> tuple[int, ...]:
    """A list of function codes; those that this platform does not speak are refused."""
    codes = [cells.integer(word) for word in cells.words(text.replace(",", " "))]
    strange = [str(code) for code in codes if code not in known]
    if strange:
        raise CellRefused(
            N_("不支持的功能码（not supported: %(codes)s），可用：%(known)s"),
            codes=" ".join(strange),
            known="、".join(str(code) for code in known),
        )
    return tuple(sorted(set(codes)))


def _functions(*known: int) -> Callable[[str], tuple[int, ...]]:
    return lambda text: functions(text, known)


def _text(text: str) -> str:
    if len(text) > 200:
        raise CellRefused(N_("超过 %(limit)s 字"), limit=200)
    return text


def _stride(text: str) -> int | None:
    return None if cells.plain(text).lower() in ("none", "无") else cells.between(text, 1, 0xFFFF)


def _targets(base: str) -> Callable[[str], tuple[Target, ...]]:
    def parse(text: str) -> tuple[Target, ...]:
        return () if cells.plain(text).lower() in ("none", "无") else cells.targets(text, base)

    return parse


_PARSERS: dict[str, Callable[[str], object]] = {
    "maker": _text,
    "model": _text,
    "kind": _words(*KINDS),
    "medium": _words("water", "air"),
    "baud": _among(*BAUDS),
    "parity": lambda text: cells.one_of(text, PARITIES),
    "stop_bits": _among(1, 2),
    "address_width": _among(1, 2),
    "address_order": _words("big", "little"),
    "address_base": _words("0", "1", "manual"),
    "max_read": _within(1, 125),
    "max_read_bits": _within(1, 2000),
    "holes": _words("zero", "exception", "silent"),
    "read_functions": _functions(1, 2, 3, 4),
    "write_functions": _functions(5, 6, 15, 16),
    "reply_timeout_ms": _within(10, 60_000),
    "frame_gap_ms": _within(0, 10_000),
    "min_write_interval_s": _within(0, 86_400),
    "persist": _words("ram", "eeprom", "unknown"),
    "unlock_keep": lambda text: cells.one_of(text, YES_NO) == "yes",
    "control_side": lambda text: text,
    "indoor_source": _words("room", "return_air", "controller"),
    "module_stride": _stride,
}
_NAMES = frozenset(item.name for item in fields(Settings))


def _is_of_meters(protocol: str) -> bool:
    """Energy and heat meters behind the same transmitter may speak these."""
    return any(number in protocol for number in ("645", "188"))


def _texts(rows: list[Row], findings: Findings) -> dict[str, RowCells]:
    """The rows by setting; unknown, repeated and overfull ones are refused."""
    found: dict[str, RowCells] = {}
    for row in rows:
        head, text, *rest = (*row.cells, "")
        name = head[1:].strip().lower()
        here = RowCells(row.number, {name: text}, {name: f"@{name}"}, findings)
        if name in ("protocol", "framing") and _is_of_meters(text):
            here.refuse(
                name, N_("DL/T 645、CJ/T 188 表计的规约目前不支持：只能接 Modbus 的设备和表计")
            )
        elif name not in _NAMES:
            here.refuse(name, N_("没有这个设置项"))
        elif name in found:
            here.refuse(name, N_("设置项重复：第 %(row)s 行已有"), row=found[name].row)
        elif any(rest):
            here.refuse(name, N_("一个设置项只有一个值，后面的单元格应为空"))
        found.setdefault(name, here)
    return found


def read_settings(rows: list[Row], findings: Findings) -> Settings:
    """The settings of a file; what is wrong is noted and stands at its default."""
    found = _texts(rows, findings)
    blank = RowCells(None, {}, {name: f"@{name}" for name in _NAMES}, findings)
    for name in REQUIRED:
        if name not in found:
            blank.refuse(name, N_("缺少必填的设置项"))
        elif not found[name].texts[name]:
            found[name].refuse(name, N_("不能为空"))
    values: dict[str, object] = {}
    parsers: Mapping[str, Callable[[str], object]] = _PARSERS
    for name, parse in parsers.items():
        if found.get(name, blank).texts.get(name):
            values[name] = found[name].take(name, parse, getattr(Settings(), name))
    for name in ("require", "unlock"):
        base = str(values.get("address_base", "0"))
        values[name] = found.get(name, blank).take(name, _targets(base), ())
    return Settings(**values)  # type: ignore[arg-type]
