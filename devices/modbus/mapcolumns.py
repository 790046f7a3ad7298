"""The columns and settings of a register-map file: their names, Chinese heads and choices."""

from __future__ import annotations

import re
from decimal import Decimal

from devices.modbus import mapfile, rawtypes, signals
from devices.modbus.cells import plain
from devices.modbus.words import N_

# column: its Chinese head, as the template carries it
HEADS = {
    "signal": N_("信号"),
    "name": N_("名称"),
    "area": N_("区域"),
    "address": N_("地址"),
    "type": N_("类型"),
    "order": N_("字节序"),
    "scale": N_("倍率"),
    "offset": N_("偏移"),
    "scale_from": N_("倍率信号"),
    "unit": N_("单位"),
    "access": N_("读写"),
    "min": N_("最小"),
    "max": N_("最大"),
    "step": N_("步长"),
    "enum": N_("枚举"),
    "bits": N_("位定义"),
    "mask": N_("掩码"),
    "invalid": N_("无效值"),
    "when": N_("条件"),
    "write_area": N_("写区域"),
    "write_address": N_("写地址"),
    "write_type": N_("写类型"),
    "write_order": N_("写字节序"),
    "write_scale": N_("写倍率"),
    "write_offset": N_("写偏移"),
    "write_mask": N_("写掩码"),
    "write_enum": N_("写枚举"),
    "write_function": N_("写功能码"),
    "write_method": N_("写方式"),
    "write_value": N_("写值"),
    "write_delay_s": N_("延时"),
    "write_allowed": N_("可写值"),
    "before": N_("预写"),
    "verify": N_("验证"),
    "note": N_("备注"),
}
_COLUMN_OF = {head: column for column, head in HEADS.items()} | {column: column for column in HEADS}

ACCESS = {"r": "r", "只读": "r", "ro": "r", "w": "w", "只写": "w", "wo": "w", "rw": "rw"}
ACCESS |= {"读写": "rw", "r/w": "rw"}
ORDERS_32 = {order.lower(): order for order in rawtypes.ORDERS_32}
ORDERS_32 |= {"big": "ABCD", "little": "CDAB"}
ORDERS_16 = {order.lower(): order for order in rawtypes.ORDERS_16}
METHODS = ("value", "rmw", "pulse", "command", "coil", "coil_self_clearing")

KINDS = (
    "ashp_water",
    "ashp_air",
    "gas_boiler",
    "storage_heater",
    "heat_interface_unit",
    "other",
)
BAUDS = (
    *(300, 600, 1200, 2400, 4800, 9600, 14400, 19200, 28800, 38400, 57600, 76800),
    *(115200, 128000, 230400, 256000, 460800, 921600),
)
YES_NO = {"yes": "yes", "是": "yes", "true": "yes", "1": "yes"}
YES_NO |= {"no": "no", "否": "no", "false": "no", "0": "no"}
PARITIES = {"n": "N", "none": "N", "无": "N", "e": "E", "even": "E", "偶": "E"}
PARITIES |= {"o": "O", "odd": "O", "奇": "O"}


def column_of(head: str) -> str | None:
    """The column of a head: English, Chinese, or both in one cell (`信号 signal`)."""
    text = plain(head).lower()
    pieces = [piece for piece in re.split(r"[\s/()]+", text) if piece]
    found = {_COLUMN_OF.get(piece) for piece in pieces}
    return found.pop() if len(found) == 1 else None


def shown_number(number: Decimal) -> str:
    """A number as a cell holds it."""
    return format(number, "f")


def template() -> str:
    """An empty register map as CSV: the required settings, heads in both languages, the signals.

    A supplier fills in one row per signal and deletes those that the device lacks.
    """
    settings = [[f"@{name}", ""] for name in ("maker", "model", "kind", "medium")]
    heads = [f"{cn} {column}" for column, cn in HEADS.items()]
    names = [signal for signal in signals.signals().values() if signal.name != "fault_active"]
    return mapfile.written([*settings, heads, *([s.name, s.cn] for s in names)])
