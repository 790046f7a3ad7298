"""How points, their values and their qualities are named and shown to people (glossary)."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from django.utils.translation import pgettext, pgettext_lazy

WATER = {
    "supply_temp": _l("供水温度"),
    "return_temp": _l("回水温度"),
    "supply_temp_setpoint": _l("设定供水温度"),
    "return_temp_setpoint": _l("设定回水温度"),
}
AIR = {
    "supply_temp": _l("送风温度"),
    "return_temp": _l("回风温度"),
    "supply_temp_setpoint": _l("设定送风温度"),
    "return_temp_setpoint": _l("设定回风温度"),
}
LABELS = {
    "outdoor_temp": _l("室外环境温度"),
    "indoor_temp_setpoint": _l("设定室温"),
    "power_state": _l("开关机状态"),
    "mode": _l("运行模式"),
    "fault_active": _l("故障信息"),
    "fault_code": _l("故障代码"),
    "fault_bits": _l("故障明细"),
    "alarm_reset": _l("报警复位"),
    "indoor_temp": _l("实测室温"),
    "electric_power": _l("用电功率"),
    "electric_energy": _l("累计用电量"),
    "valley_energy": _l("谷段用电量"),
    "gas_volume": _l("累计用气量"),
    "heat_power": _l("瞬时热功率"),
    "heat_energy": _l("累计热量"),
    "flow_rate": _l("瞬时流量"),
    "water_pressure": _l("系统水压"),
    "valve_position": _l("户阀开度"),
    "compressor_running": _l("压缩机运行"),
    "compressor_freq": _l("压缩机频率"),
    "defrosting": _l("化霜中"),
    "aux_heater_on": _l("电辅热"),
    "flame_on": _l("火焰状态"),
    "runtime_hours": _l("累计运行时间"),
    "local_remote": _l("就地/远程"),
    "link_rssi": _l("无线信号强度"),
    "maker_lock": _l("厂家锁机"),
}
MODES = {
    "off": _l("关机"),
    "heating": _l("制热"),
    "auto": _l("自动"),
    "cooling": _l("制冷"),
    "hot_water": _l("生活热水"),
    "heating_hot_water": _l("制热和生活热水"),
    "fan": pgettext_lazy("mode", "送风"),
    "dehumidify": _l("除湿"),
    "defrost": _l("化霜"),
    "emergency_electric": _l("应急电加热"),
    "unknown": _l("未知"),
}
FAULTS = {
    "water_flow": _l("水流开关保护"),
    "high_pressure": _l("高压保护"),
    "low_pressure": _l("低压保护"),
    "discharge_overtemp": _l("排气温度过高"),
    "freeze_protect": _l("防冻保护"),
    "supply_sensor": _l("供水（送风）温度传感器故障"),
    "return_sensor": _l("回水（回风）温度传感器故障"),
    "outdoor_sensor": _l("室外温度传感器故障"),
    "coil_sensor": _l("盘管温度传感器故障"),
    "discharge_sensor": _l("排气温度传感器故障"),
    "phase": _l("相序保护"),
    "comm_wired_controller": _l("线控器通信故障"),
    "locked_by_maker": _l("厂家锁机"),
    "compressor_overload": _l("压缩机过载"),
    "fan_motor": _l("风机电机故障"),
    "indoor_outdoor_comm": _l("内外机通信故障"),
    "eeprom": _l("存储器故障"),
}
QUALITIES = {
    "not_answered": ("st-off", _l("未读到")),
    "line_down": ("st-off", _l("通信链路中断")),
    "out_of_range": ("st-unk", _l("超出合理范围")),
    "unconfirmed": ("st-unk", _l("存疑")),
    "suspect": ("st-unk", _l("数据存疑")),
    "identity_disputed": ("st-unk", _l("身份待核")),
    "starting": ("st-run", _l("启动中")),
    "stale": ("st-off", _l("未更新")),
    "sensor_open": ("st-bad", _l("传感器断路")),
    "sensor_short": ("st-bad", _l("传感器短路")),
    "sensor_fault": ("st-bad", _l("传感器故障")),
    "not_supported": ("st-none", _l("不支持")),
}


def label(signal: str, medium: str = "water") -> str:
    """The point's name on screens; a free name of a maker stays as it is."""
    by_medium = AIR if medium == "air" else WATER
    return str(by_medium.get(signal) or LABELS.get(signal) or signal)


def fault_label(name: str) -> str:
    """A fault's name on screens; a name that we have no word for stays the maker's."""
    return str(FAULTS.get(name, name))


def show(signal: str, value: object, digits: int | None = None) -> str:
    """A good value in words or figures, without its unit; `digits` as the register map gives."""
    if value is None:
        return "—"
    if signal == "fault_active":
        return _("有故障") if value else _("无故障")
    if isinstance(value, bool):
        return _switch(signal, value)
    if signal == "mode":
        return str(MODES.get(str(value), value))
    if isinstance(value, list):
        return "、".join(fault_label(str(name)) for name in value) or _("无")
    if isinstance(value, int | float):
        return number(value, digits)
    return fault_label(str(value)) if signal.startswith("fault") else str(value)


def number(value: float, digits: int | None = None) -> str:
    """A figure for the screen: typographic minus, thousands comma from 1,000 on."""
    if digits is None:
        digits = 0 if float(value).is_integer() else 1
    return f"{value:,.{digits}f}".replace("-", "−")


def quality_label(quality: str) -> tuple[str, str]:
    """Shape class and words of a quality that is not good (look.md, 2)."""
    if quality.startswith("unknown_enum:"):
        return "st-unk", _("未知取值 %(raw)s") % {"raw": quality.removeprefix("unknown_enum:")}
    if quality.startswith("exception:"):
        return "st-off", _("未读到：异常码 %(code)s") % {"code": quality.removeprefix("exception:")}
    shape, words = QUALITIES.get(quality, ("st-unk", quality))
    return shape, str(words)


def _switch(signal: str, value: bool) -> str:
    if signal == "power_state":
        return _("开机") if value else _("关机")
    if signal == "compressor_running":
        return _("运行") if value else _("停止")
    return pgettext("yes or no", "是") if value else pgettext("yes or no", "否")
