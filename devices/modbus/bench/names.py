"""Signals and their values as the bench's sentences say them."""

from __future__ import annotations

from devices.modbus.points import Point, Scalar, Value
from devices.modbus.reading import AREA_NAMES
from devices.modbus.signals import signals
from devices.modbus.words import N_, Sentence

_NAMES = {
    "outdoor_temp": N_("室外环境温度"),
    "indoor_temp_setpoint": N_("设定室温"),
    "indoor_temp": N_("实测室温"),
    "power_state": N_("开关机状态"),
    "mode": N_("运行模式"),
    "fault": N_("故障信息"),
    "fault_active": N_("故障信息"),
    "alarm_reset": N_("报警复位"),
}
_BY_MEDIUM = {
    "water": {
        "supply_temp": N_("供水温度"),
        "return_temp": N_("回水温度"),
        "supply_temp_setpoint": N_("设定供水温度"),
        "return_temp_setpoint": N_("设定回水温度"),
    },
    "air": {
        "supply_temp": N_("送风温度"),
        "return_temp": N_("回风温度"),
        "supply_temp_setpoint": N_("设定送风温度"),
        "return_temp_setpoint": N_("设定回风温度"),
    },
}
_MODES = {
    "off": N_("关机"),
    "heating": N_("制热"),
    "auto": N_("自动"),
    "cooling": N_("制冷"),
    "hot_water": N_("生活热水"),
    "heating_hot_water": N_("制热和生活热水"),
    "fan": N_("送风"),
    "dehumidify": N_("除湿"),
    "defrost": N_("化霜"),
    "emergency_electric": N_("应急电加热"),
    "unknown": N_("未知"),
}
TEMPERATURES = (
    "supply_temp",
    "return_temp",
    "outdoor_temp",
    "indoor_temp_setpoint",
    "supply_temp_setpoint",
    "return_temp_setpoint",
    "indoor_temp",
)


def called(signal: str, medium: str = "water") -> Sentence:
    """What people call a signal; a free name as it stands in the map."""
    name = _NAMES.get(signal) or _BY_MEDIUM[medium].get(signal)
    if name is None:
        known = signals().get(signal)
        return said(known.cn if known else signal)
    return Sentence(name)


def shown(signal: str, value: Scalar) -> Sentence:
    """A value as people read it: 43.1 °C, 制热, 开, a list of faults."""
    if value is None:
        return Sentence("—")
    if isinstance(value, bool):
        return Sentence(N_("开") if value else N_("关"))
    if isinstance(value, list):
        return said("、".join(value)) if value else Sentence(N_("无"))
    if isinstance(value, str):
        return Sentence(_MODES[value]) if signal == "mode" and value in _MODES else said(value)
    unit = signals()[signal].unit if signal in signals() else ""
    return said(f"{round(value, 2):.10g} {unit}".rstrip())


def shown_value(signal: str, value: Value) -> Sentence:
    """The same of a reading: one that is not good by its quality, with the words as read."""
    if value.quality == "good":
        return shown(signal, value.value)
    return said(f"{value.quality} {value.raw or ''}".rstrip())


def register(point: Point) -> Sentence:
    """Where a point is read: 保持寄存器 100."""
    return place(point.area, point.address)


def place(area: str, address: int) -> Sentence:
    """A register or coil by its address on the wire: 保持寄存器 100."""
    names = {str(key): name for key, name in AREA_NAMES.items()}
    return Sentence("%(area)s %(address)d", area=Sentence(names[area]), address=address)


def said(text: str) -> Sentence:
    """A text that is no template: a maker's word, a figure, a list."""
    return Sentence("%(text)s", text=text)
