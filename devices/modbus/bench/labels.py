"""The step of labels: whatever the sample says has a name in the map."""

from __future__ import annotations

from devices.modbus.bench.bench import Bench
from devices.modbus.bench.names import register, said, shown
from devices.modbus.bench.results import Result
from devices.modbus.points import Point, Value
from devices.modbus.reading import UnitRead
from devices.modbus.signals import MODES
from devices.modbus.words import N_, Sentence

_LOOKS = 3
_UNNAMED = N_("点表第 %(row)d 行（%(name)s，%(where)s）“枚举”补上 %(raw)s=…，或改正固件的取值")
_EMPTY = N_(
    "%(where)s 读到 0，多半没有这个寄存器：固件须提供，或点表第 %(row)d 行（%(name)s）“区域”“地址”"
    "改为实际的寄存器；确有此值的，“枚举”补上 %(raw)s=…"
)


async def labels(bench: Bench) -> Result:
    """Enumerations and bits are read a few times; each value must have its label."""
    for look in range(_LOOKS):
        if look:
            await bench.pause(bench.options.look_s)
        visit = await bench.read()
        failed = unnamed(bench, visit)
        if failed:
            return failed
    return _passed(bench, visit)


def unnamed(bench: Bench, visit: UnitRead) -> Result | None:
    """What a reading shows and the map does not name; None where all is named."""
    rows = visit.plan.decode_rows(visit.replies)
    for point in visit.plan.points:
        value = rows[point.signal]
        if value.quality.startswith("unknown_enum:"):
            return _unknown(bench, point, value)
        if point.bits and value.quality == "good" and value.raw:
            return _unnamed_bit(bench, point, value)
        if point.signal == "mode" and value.quality == "good" and value.value not in MODES:
            return _no_mode(point, value)
    return None


def _unknown(bench: Bench, point: Point, value: Value) -> Result:
    raw = value.quality.removeprefix("unknown_enum:")
    name = bench.called(point.signal)
    known = "；".join(f"{pattern}={label}" for pattern, label in point.enum.items())
    return Result(
        "failed",
        Sentence(N_("%(name)s 读到 %(raw)s，点表里没有这个取值"), name=name, raw=raw),
        ((Sentence(N_("点表")), said(known)),),
        Sentence(
            _EMPTY if raw == "0" and bench.map.settings.holes == "zero" else _UNNAMED,
            row=point.row,
            name=name,
            where=register(point),
            raw=raw,
        ),
        {"signal": point.signal, "raw": raw},
    )


def _unnamed_bit(bench: Bench, point: Point, value: Value) -> Result:
    return Result(
        "failed",
        Sentence(
            N_("%(name)s 有没有名称的位为 1：%(raw)s"),
            name=bench.called(point.signal),
            raw=value.raw,
        ),
        advice=Sentence(
            N_("点表第 %(row)d 行（%(where)s）“位定义”补上这些位，不用的位固件须置 0"),
            row=point.row,
            where=register(point),
        ),
        figures={"signal": point.signal, "raw": value.raw},
    )


def _no_mode(point: Point, value: Value) -> Result:
    return Result(
        "failed",
        Sentence(N_("运行模式的名称 %(label)s 平台不认识"), label=value.value),
        advice=Sentence(
            N_("点表第 %(row)d 行“枚举”的名称只能用 %(known)s"),
            row=point.row,
            known="、".join(MODES),
        ),
    )


def _passed(bench: Bench, visit: UnitRead) -> Result:
    named = [point for point in visit.plan.points if point.enum or point.bits]
    details = tuple(
        (bench.called(point.signal), shown(point.signal, value.value))
        for point in named
        if (value := visit.points.get(point.signal)) and value.quality == "good"
    )
    mode = next((point for point in named if point.signal == "mode"), None)
    finding = (
        Sentence(
            N_("运行模式 %(mode)s，点表列有 %(count)d 种取值"),
            mode=shown("mode", visit.points["mode"].value),
            count=len(mode.enum),
        )
        if mode
        else Sentence(N_("%(count)d 项取值都有名称"), count=len(named))
    )
    figures = {"modes": list(mode.enum.values()) if mode else [], "named": len(named)}
    return Result("passed", finding, details, figures=figures)
