"""The verdicts on the outdoor sensor: a negative temperature, an open and a shorted sensor."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from devices.modbus.bench.entries import (
    Entry,
    is_number,
    row_change,
    told_badly,
    where_of,
)
from devices.modbus.bench.names import called, shown
from devices.modbus.bench.results import Result
from devices.modbus.pointmap import PointMap
from devices.modbus.words import N_, Sentence

RESISTOR_K = 2.0  # a sensor's own tolerance, the box's and the leads'
_KELVIN = 273.15


def celsius_of(ohms: float, *, r25: float = 10_000.0, beta: float = 3435.0) -> float:
    """°C at which a thermistor of these figures has this resistance."""
    inverse = 1 / (25 + _KELVIN) + math.log(ohms / r25) / beta
    return 1 / inverse - _KELVIN


def resistor(map: PointMap, entered: Mapping[str, Any]) -> Result:
    """A resistor box in the place of the outdoor sensor: a negative temperature must read so."""
    expected = celsius_of(entered["ohms"])
    entry = entered["platform"].get("outdoor_temp", {})
    value, name = entry.get("value"), called("outdoor_temp")
    figures = {"ohms": entered["ohms"], "expected": round(expected, 1), "read": value}
    finding = Sentence(
        N_("%(ohms)s kΩ 应为 %(expected)s °C，读到 %(read)s"),
        ohms=f"{entered['ohms'] / 1000:g}",
        expected=f"{expected:.1f}".replace("-", "−"),
        read=shown("outdoor_temp", value) if value is not None else told_badly(entry),
    )
    if expected > -1:
        why = Sentence(N_("%(finding)s；阻值太小，没有到零下（要大于 35 kΩ）"), finding=finding)
        return Result("unproven", why, figures=figures)
    if is_number(value) and entry.get("quality") == "good" and abs(value - expected) <= RESISTOR_K:
        return Result("passed", finding, figures=figures)
    advice = row_change(map, "outdoor_temp", entry, expected, RESISTOR_K) or Sentence(
        N_("%(name)s 须能读出零下：核对 %(where)s 的类型、偏移，以及传感器是否 10 kΩ B3435"),
        name=name,
        where=where_of(map, "outdoor_temp"),
    )
    return Result("failed", finding, advice=advice, figures=figures)


def sensor(map: PointMap, entered: Mapping[str, Any]) -> Result:
    """An open and a shorted sensor must be told as such, never as a temperature."""
    found = {
        N_("断开时"): entered["open"].get("outdoor_temp", {}),
        N_("短接时"): entered["short"].get("outdoor_temp", {}),
    }
    details = tuple(
        (Sentence(when), shown("outdoor_temp", entry.get("value")))
        if entry.get("quality") == "good"
        else (Sentence(when), told_badly(entry))
        for when, entry in found.items()
    )
    figures = {"open": dict(entered["open"]), "short": dict(entered["short"])}
    for when, entry in found.items():
        wrong = _not_told(map, when, entry)
        if wrong:
            return Result("failed", wrong[0], details, wrong[1], figures)
    return Result(
        "passed", Sentence(N_("断开、短接都报故障，没有像真值的读数")), details, figures=figures
    )


def _not_told(map: PointMap, when: str, entry: Entry) -> tuple[Sentence, Sentence] | None:
    quality, where = entry.get("quality", "not_answered"), where_of(map, "outdoor_temp")
    if quality == "good":
        value = shown("outdoor_temp", entry.get("value"))
        return (
            Sentence(N_("传感器%(when)s仍读到 %(value)s"), when=Sentence(when), value=value),
            Sentence(
                N_("传感器开路、短路时 %(where)s 须给出专用的值，点表该行“无效值”写明它"),
                where=where,
            ),
        )
    if quality == "not_answered" or quality.startswith("exception:"):
        return (
            Sentence(N_("传感器%(when)s %(where)s 没有读到"), when=Sentence(when), where=where),
            Sentence(N_("传感器故障时固件仍须应答 %(where)s，并给出“无效值”"), where=where),
        )
    return None
