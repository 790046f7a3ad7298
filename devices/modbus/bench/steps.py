"""The plan of the bench: which steps, in which order."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from devices.modbus.bench.addresses import addresses
from devices.modbus.bench.bench import FREE, Bench, Cost, Kind, Step
from devices.modbus.bench.exceptions import exceptions
from devices.modbus.bench.labels import labels
from devices.modbus.bench.pace import reply_time, silence
from devices.modbus.bench.reach import max_read
from devices.modbus.bench.readings import readings
from devices.modbus.bench.reset_step import alarm_reset
from devices.modbus.bench.results import Result
from devices.modbus.bench.soak import soak, traffic
from devices.modbus.bench.switch_steps import write_mode, write_power
from devices.modbus.bench.write_steps import write_flow, write_room
from devices.modbus.words import N_, Sentence

Run = Callable[[Bench], Awaitable[Result]]


def _step(
    key: str,
    title: str,
    kind: Kind,
    about_s: float,
    hint: str,
    run: Run | None = None,
    cost: Cost = FREE,
) -> Step:
    return Step(
        key=key,
        title=Sentence(title),
        kind=kind,
        about_s=about_s,
        hint=Sentence(hint),
        run=run,
        cost=cost,
    )


STEPS: tuple[Step, ...] = (
    _step(
        "addresses",
        N_("地址"),
        Kind.AUTO,
        60,
        N_("两台同线、外来地址、坏校验"),
        addresses,
        Cost(0, 25),
    ),
    _step(
        "readings",
        N_("七项读数"),
        Kind.AUTO,
        20,
        N_("新鲜、合理、寄存器没有错一位"),
        readings,
        Cost(2, 0),
    ),
    _step(
        "labels",
        N_("枚举标签"),
        Kind.AUTO,
        10,
        N_("读到的取值在点表里都有名称"),
        labels,
        Cost(5, 0),
    ),
    _step(
        "write_room",
        N_("写入：设定室温"),
        Kind.AUTO,
        90,
        N_("改一步、回读、保持、恢复"),
        write_room,
        Cost(7, 10, 2),
    ),
    _step(
        "write_flow",
        N_("写入：供水（回水、送风）温度"),
        Kind.AUTO,
        90,
        N_("改一步、回读、保持、恢复"),
        write_flow,
        Cost(7, 10, 2),
    ),
    _step(
        "write_power",
        N_("写入：开关机"),
        Kind.AUTO,
        150,
        N_("其余位不变，最后一步不是关机"),
        write_power,
        Cost(13, 15, 4),
    ),
    _step(
        "write_mode",
        N_("写入：运行模式"),
        Kind.AUTO,
        150,
        N_("每个可写值写一遍，再恢复"),
        write_mode,
        Cost(12, 15, 4),
    ),
    _step(
        "alarm_reset",
        N_("报警复位"),
        Kind.AUTO,
        120,
        N_("复位不得改变开关机、模式和设定"),
        alarm_reset,
        Cost(20, 10, 3),
    ),
    _step(
        "exceptions",
        N_("异常应答"),
        Kind.AUTO,
        20,
        N_("点表外的寄存器、不支持的功能码"),
        exceptions,
        Cost(0, 8),
    ),
    _step(
        "max_read",
        N_("一次最多读取、间隔"),
        Kind.AUTO,
        120,
        N_("与点表所写一致"),
        max_read,
        Cost(0, 60),
    ),
    _step(
        "reply_time",
        N_("应答时间"),
        Kind.AUTO,
        120,
        N_("中位数与 p99"),
        reply_time,
        Cost(0, 200),
    ),
    _step(
        "silence",
        N_("静默后恢复"),
        Kind.AUTO,
        300,
        N_("停问一段时间后第一问就有应答"),
        silence,
        Cost(4, 0),
    ),
    _step("panel", N_("面板对照"), Kind.HAND, 300, N_("七项，差 1 K 以内")),
    _step("resistor", N_("电阻箱负温"), Kind.HAND, 300, N_("10 kΩ B3435，约 40 kΩ")),
    _step("sensor", N_("传感器开路、短路"), Kind.HAND, 300, N_("读数必须报故障，不得像真值")),
    _step("controller", N_("线控器并用"), Kind.HAND, 300, N_("全程接着线控器，仍可操作")),
    _step("power_cut", N_("运行中断电"), Kind.HAND, 600, N_("恢复原状态；启动时怎样应答")),
    _step("transmitter", N_("装置重启、拔卡"), Kind.HAND, 900, N_("拔卡 10 分钟后自动恢复")),
    _step(
        "soak", N_("连续运行"), Kind.LONG, 86_400, N_("采集成功率达到合格线，设定保持不变"), soak
    ),
    _step("traffic", N_("24 小时流量"), Kind.LONG, 120, N_("一台一天的字节数，折合每月"), traffic),
)


def step(key: str) -> Step:
    """The step of a key; raises KeyError."""
    for known in STEPS:
        if known.key == key:
            return known
    raise KeyError(key)
