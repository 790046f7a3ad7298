"""Signals and their values as the bench's sentences say them."""

from __future__ import annotations

from devices.modbus.names import MODES, QUALITIES, signal_name
from devices.modbus.points import Point, Scalar, Value
from devices.modbus.reading import AREA_NAMES
from devices.modbus.signals import signals
from devices.modbus.words import N_, Sentence

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
    name = signal_name(signal, medium)
    return Sentence(name) if name else said(signal)


def shown(signal: str, value: Scalar) -> Sentence:
    """A value as people read it: 43.1 °C, 制热, 开, a list of faults."""
    if value is None:
        return Sentence("—")
    if signal == "fault_active":
        return Sentence(N_("有故障") if value else N_("无故障"))
    if isinstance(value, bool):
        return Sentence(N_("开") if value else N_("关"))
    if isinstance(value, list):
        return said("、".join(value)) if value else Sentence(N_("无"))
    if isinstance(value, str):
        return Sentence(MODES[value]) if signal == "mode" and value in MODES else said(value)
    unit = signals()[signal].unit if signal in signals() else ""
    return said(f"{round(value, 2):.10g} {unit}".rstrip().replace("-", "−"))


def shown_value(signal: str, value: Value) -> Sentence:
    """The same of a reading: one that is not good by its quality, with the words as read."""
    if value.quality == "good":
        return shown(signal, value.value)
    return not_good(value.quality, value.raw)


def not_good(quality: str, raw: str | None) -> Sentence:
    """Why there is no value, with its words as read: 传感器断路 0x7FFF."""
    why = Sentence(QUALITIES[quality]) if quality in QUALITIES else said(quality)
    return Sentence("%(why)s %(raw)s", why=why, raw=raw) if raw else why


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
