"""What people call signals, modes and faults (glossary): msgids, to be translated where shown."""

from __future__ import annotations

from devices.modbus.words import N_

# Why a point has no good value.
QUALITIES = {
    "not_answered": N_("未读到"),
    "line_down": N_("通信链路中断"),
    "out_of_range": N_("超出合理范围"),
    "unconfirmed": N_("存疑"),
    "suspect": N_("数据存疑"),
    "identity_disputed": N_("身份待核"),
    "starting": N_("启动中"),
    "stale": N_("未更新"),
    "sensor_open": N_("传感器断路"),
    "sensor_short": N_("传感器短路"),
    "sensor_fault": N_("传感器故障"),
    "not_supported": N_("不支持"),
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
_SIGNALS = {
    "outdoor_temp": N_("室外环境温度"),
    "indoor_temp_setpoint": N_("设定室温"),
    "power_state": N_("开关机状态"),
    "mode": N_("运行模式"),
    "fault": N_("故障信息"),
    "fault_active": N_("故障信息"),
    "fault_code": N_("故障代码"),
    "fault_bits": N_("故障明细"),
    "alarm_reset": N_("报警复位"),
    "indoor_temp": N_("实测室温"),
    "electric_power": N_("用电功率"),
    "electric_energy": N_("累计用电量"),
    "valley_energy": N_("谷段用电量"),
    "gas_volume": N_("累计用气量"),
    "heat_power": N_("瞬时热功率"),
    "heat_energy": N_("累计热量"),
    "flow_rate": N_("瞬时流量"),
    "water_pressure": N_("系统水压"),
    "valve_position": N_("户阀开度"),
    "compressor_running": N_("压缩机运行"),
    "compressor_freq": N_("压缩机频率"),
    "defrosting": N_("化霜中"),
    "aux_heater_on": N_("电辅热"),
    "flame_on": N_("火焰状态"),
    "runtime_hours": N_("累计运行时间"),
    "local_remote": N_("就地/远程"),
    "link_rssi": N_("无线信号强度"),
    "maker_lock": N_("厂家锁机"),
}
MODES = {
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
FAULTS = {
    "water_flow": N_("水流开关保护"),
    "high_pressure": N_("高压保护"),
    "low_pressure": N_("低压保护"),
    "discharge_overtemp": N_("排气温度过高"),
    "freeze_protect": N_("防冻保护"),
    "supply_sensor": N_("供水（送风）温度传感器故障"),
    "return_sensor": N_("回水（回风）温度传感器故障"),
    "outdoor_sensor": N_("室外温度传感器故障"),
    "coil_sensor": N_("盘管温度传感器故障"),
    "discharge_sensor": N_("排气温度传感器故障"),
    "phase": N_("相序保护"),
    "comm_wired_controller": N_("线控器通信故障"),
    "locked_by_maker": N_("厂家锁机"),
    "compressor_overload": N_("压缩机过载"),
    "fan_motor": N_("风机电机故障"),
    "indoor_outdoor_comm": N_("内外机通信故障"),
    "eeprom": N_("存储器故障"),
}


def signal_name(signal: str, medium: str = "water") -> str | None:
    """The msgid of a canonical signal at a unit of water or air; None of a maker's free name."""
    return _BY_MEDIUM["air" if medium == "air" else "water"].get(signal) or _SIGNALS.get(signal)
