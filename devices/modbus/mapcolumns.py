"""The columns and settings of a register-map file: their names, Chinese heads and choices."""

from __future__ import annotations

import re
from decimal import Decimal

from devices.modbus import mapfile, rawtypes, signals
from devices.modbus.cells import plain

# column: its Chinese head, as the template carries it
HEADS = {
    "signal": "信号",
    "name": "名称",
    "area": "区域",
    "address": "地址",
    "type": "类型",
    "order": "字节序",
    "scale": "倍率",
    "offset": "偏移",
    "scale_from": "倍率信号",
    "unit": "单位",
    "access": "读写",
    "min": "最小",
    "max": "最大",
    "step": "步长",
    "enum": "枚举",
    "bits": "位定义",
    "mask": "掩码",
    "invalid": "无效值",
    "when": "条件",
    "write_area": "写区域",
    "write_address": "写地址",
    "write_type": "写类型",
    "write_order": "写字节序",
    "write_scale": "写倍率",
    "write_offset": "写偏移",
    "write_mask": "写掩码",
    "write_enum": "写枚举",
    "write_function": "写功能码",
    "write_method": "写方式",
    "write_value": "写值",
    "write_delay_s": "延时",
    "write_allowed": "可写值",
    "before": "预写",
    "verify": "验证",
    "note": "备注",
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
