"""What the readings of a unit that heats must look like: warmer out than back, and warm at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from devices.modbus.bench.bench import Bench
from devices.modbus.bench.entries import row_change
from devices.modbus.bench.names import register, shown_value
from devices.modbus.bench.results import Result
from devices.modbus.points import Point, Value
from devices.modbus.reading import UnitRead
from devices.modbus.words import N_, Sentence

RUNNING = ("compressor_running", "flame_on")
_LOOKS = 3  # something strange is looked at so often before it counts
_SWAPPED_K = 1.0
_COLD_C = 10.0  # nothing that heats delivers colder
_APART_K = 40.0  # no unit cools its water or air by more
_APART_COLD_K = {"water": 20.0, "air": 35.0}  # nor by so much where it comes back cold
_WARM_C, _GIVES_OFF_K = 30.0, 3.0  # what is warm and gives off so much is on
_USUAL = {"supply_temp": 40.0, "return_temp": 32.0}  # roughly what a wrong scale hides
_ROUGHLY_K = 18.0


async def implausible(bench: Bench, visit: UnitRead, figures: Mapping[str, Any]) -> Result | None:
    """What cannot be of a unit that heats, though each reading by itself could be."""
    found = ""
    for look in range(_LOOKS):
        if look:
            await bench.pause(bench.options.look_s)
            visit = await bench.read()
        found = strangeness(visit, bench.map.settings.medium)
        if not found:
            return None
    if found == "swapped":
        return _swapped(bench, visit, figures)
    if found == "power_state":
        return _runs_though_off(bench, visit, figures)
    return _strange(bench, visit, found, figures)


def strangeness(visit: UnitRead, medium: str = "water") -> str:
    """What is strange of a unit that heats: swapped, the signal whose scale must be wrong; of one
    that runs though it is off: power_state. "" of one that is right or does not heat."""
    values = {name: value.value for name, value in visit.points.items()}
    supply, back = values.get("supply_temp"), values.get("return_temp")
    if not isinstance(supply, float | int) or not isinstance(back, float | int):
        return ""
    if not is_heating(values):
        runs = any(values.get(name) is True for name in RUNNING)
        return "power_state" if runs and heats_though_off(visit.points) else ""
    if supply < _COLD_C:
        return "supply_temp"
    if supply < back - _SWAPPED_K:
        return "swapped"
    most = _APART_COLD_K[medium] if back < _COLD_C else _APART_K
    return "return_temp" if supply > back + most else ""


def heats_though_off(points: Mapping[str, Value]) -> bool:
    """Whether a unit that says it is off delivers warmth: its on and off may be exchanged."""
    values = {name: value.value for name, value in points.items()}
    supply, back = values.get("supply_temp"), values.get("return_temp")
    if values.get("power_state") is not False:
        return False
    if not isinstance(supply, float | int) or not isinstance(back, float | int):
        return False
    return supply >= _WARM_C and supply >= back + _GIVES_OFF_K


def is_heating(values: dict[str, Any]) -> bool:
    """Whether a unit is on, in a mode that heats, not defrosting, its compressor not standing."""
    return (
        values.get("power_state") is True
        and values.get("mode") in ("heating", "heating_hot_water", "emergency_electric")
        and values.get("defrosting") is not True
        and values.get("compressor_running") is not False
        and values.get("flame_on") is not False
    )


def _swapped(bench: Bench, visit: UnitRead, figures: Mapping[str, Any]) -> Result:
    return Result(
        "failed",
        Sentence(
            N_("制热时%(supply)s（%(warm)s）低于%(back)s（%(cold)s）"),
            supply=bench.called("supply_temp"),
            back=bench.called("return_temp"),
            warm=shown_value("supply_temp", visit.points["supply_temp"]),
            cold=shown_value("return_temp", visit.points["return_temp"]),
        ),
        advice=_exchange(bench.point("supply_temp"), bench.point("return_temp")),
        figures=figures,
    )


def _runs_though_off(bench: Bench, visit: UnitRead, figures: Mapping[str, Any]) -> Result:
    names = [name for name in RUNNING if name in visit.points and visit.points[name].value is True]
    row = bench.point("power_state")
    return Result(
        "failed",
        Sentence(
            N_("%(power)s读到关，却读到%(running)s开、%(supply)s %(warm)s"),
            power=bench.called("power_state"),
            running=bench.called(names[0]),
            supply=bench.called("supply_temp"),
            warm=shown_value("supply_temp", visit.points["supply_temp"]),
        ),
        advice=Sentence(
            N_(
                "面板上已开机的，开、关接反：改点表第 %(row)d 行（%(where)s）“枚举”，或改固件；"
                "确已关机的，请先开机再测"
            ),
            row=row.row,
            where=register(row),
        ),
        figures=figures,
    )


def _exchange(one: Point, other: Point) -> Sentence:
    if (one.area, one.address) == (other.area, other.address):  # two bytes of a register
        template = N_("%(one)s 的高低字节接反：对调点表两行的“类型”，或改正固件、对调两个传感器")
        return Sentence(template, one=register(one))
    return Sentence(
        N_("%(one)s 与 %(other)s 接反：对调点表两行的地址，或改正固件、对调两个传感器"),
        one=register(one),
        other=register(other),
    )


def _strange(bench: Bench, visit: UnitRead, signal: str, figures: Mapping[str, Any]) -> Result:
    value, name = visit.points[signal], bench.called(signal)
    entry = {"value": value.value, "quality": value.quality, "raw": value.raw}
    change: Sentence | None
    if value.value == bench.point(signal).offset:
        change = empty_register(bench.point(signal))
    else:
        change = row_change(bench.here, signal, entry, _USUAL[signal], _ROUGHLY_K)
    return Result(
        "failed",
        Sentence(
            N_("制热时%(name)s读到 %(value)s，不合理"), name=name, value=shown_value(signal, value)
        ),
        advice=change
        or Sentence(
            N_("核对 %(name)s（%(where)s）的倍率和偏移"),
            name=name,
            where=register(bench.point(signal)),
        ),
        figures=figures,
    )


def empty_register(row: Point) -> Sentence:
    """Of a register that reads 0 where 0 cannot be: most likely it is none of the sample's."""
    return Sentence(
        N_(
            "%(where)s 读到 0，多半没有这个寄存器：固件须提供，或点表第 %(row)d 行“区域”“地址”"
            "改为实际的寄存器"
        ),
        where=register(row),
        row=row.row,
    )
