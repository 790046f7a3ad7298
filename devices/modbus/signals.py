"""The platform's own signals (`points.csv`): their kind, unit and plausible range."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from devices.modbus.cells import plain

FAULT_BITS, FAULT_CODE, FAULT_ACTIVE = "fault_bits", "fault_code", "fault_active"
MODES = (
    "off",
    "heating",
    "auto",
    "cooling",
    "hot_water",
    "heating_hot_water",
    "fan",
    "dehumidify",
    "defrost",
    "emergency_electric",
    "unknown",
)
READINGS = (
    "supply_temp",
    "return_temp",
    "outdoor_temp",
    "indoor_temp_setpoint",
    "power_state",
    "mode",
    "fault",
)
# As they are decoded: of a fault whether there is one.
SEVEN = tuple(FAULT_ACTIVE if name == "fault" else name for name in READINGS)
WRITINGS = ("indoor_temp_setpoint", "supply_temp_setpoint", "alarm_reset", "power_state", "mode")


@dataclass(frozen=True, slots=True)
class Signal:
    """One canonical signal. `kind`: float, counter, bool, enum, int, set or cmd."""

    name: str
    cn: str
    unit: str
    kind: str
    plausible: tuple[float, float] | None


def _signal(row: dict[str, str]) -> Signal:
    kind = row["type"]
    unit = row["unit"] if kind in ("float", "counter") else ""
    limits = (
        (float(row["plausible_min"]), float(row["plausible_max"])) if row["plausible_min"] else None
    )
    return Signal(row["canonical"], row["cn"], unit, kind, limits)


@cache
def signals() -> dict[str, Signal]:
    """Every canonical signal by its name."""
    with (Path(__file__).parent / "points.csv").open(encoding="utf-8", newline="") as file:
        return {row["canonical"]: _signal(row) for row in csv.DictReader(file)}


@cache
def by_chinese_name() -> dict[str, str]:
    """Canonical names by the Chinese ones, full-width signs made plain."""
    return {plain(signal.cn): signal.name for signal in signals().values()}


def base_name(signal: str) -> str:
    """`fault_bits` of `fault_bits.2`, `fault_code` of `fault_code.1`; else the signal itself."""
    match = re.fullmatch(r"(fault_bits|fault_code)\.\d+", signal)
    return match[1] if match else signal


def is_flag(signal: str) -> bool:
    """Whether a signal is one fault flag, `fault.<name>`."""
    return signal.startswith("fault.")


def kind_of(signal: str) -> str:
    """The kind of a signal; "" of a free name."""
    if is_flag(signal):
        return "bool"
    known = signals().get(base_name(signal))
    return known.kind if known else ""


def is_slow(signal: str) -> bool:
    """Whether a signal changes so seldom that every third poll is often enough to ask for it: a
    setpoint, a counter, a history of faults."""
    return signal.endswith("_setpoint") or "history" in signal or kind_of(signal) == "counter"


def unit_of(signal: str) -> str:
    """The platform's unit of a signal; "" where it has none."""
    known = signals().get(signal)
    return known.unit if known else ""


def shown_unit(text: str) -> str:
    """A unit as it is shown: ℃, °C and degC are °C, m3 and m³ are m3."""
    unit = plain(text)
    if unit.lower() in ("°c", "degc", "c", "摄氏度"):
        return "°C"
    return unit.replace("^3", "3")
