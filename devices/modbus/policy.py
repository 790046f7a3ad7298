"""What the platform's policy lets be written to a heating unit, and what a test writes.

The policy is the wire paper's ("Limits of writing"). The limit in force is its intersection with
the limits of the unit's register map.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_FLOOR, Decimal

from devices.modbus.encoding import encode
from devices.modbus.points import Point, Scalar, ValueRefused

RANGES: dict[str, tuple[float | None, float | None]] = {  # °C
    "indoor_temp_setpoint": (16, 26),
    "supply_temp_setpoint": (None, 60),
    "return_temp_setpoint": (None, 60),
}
LUKEWARM_C = 30.0  # water below this heats no house
HEATING_MODES = ("heating", "auto", "heating_hot_water", "emergency_electric")


def bounds(point: Point, *, by_policy: bool = True) -> tuple[float | None, float | None]:
    """The lowest and the highest value in force; without the policy, the maker's alone."""
    low, high = RANGES.get(point.signal, (None, None)) if by_policy else (None, None)
    lows = [float(bound) for bound in (low, point.min) if bound is not None]
    highs = [float(bound) for bound in (high, point.max) if bound is not None]
    return (max(lows) if lows else None, min(highs) if highs else None)


def trial_number(point: Point, current: float, *, warm: bool = False) -> float | None:
    """What a test writes where a number stands: a step up, at the upper edge a step down; from
    outside the limits the nearest allowed value. `warm`: of heating water, never lukewarm.
    None where the limits leave no other value."""
    low, high = bounds(point)
    if warm and (low is None or low < LUKEWARM_C):
        low = LUKEWARM_C
    for value in _beside(point, Decimal(repr(float(current))), low, high):
        number = float(value)
        inside = (low is None or number >= low) and (high is None or number <= high)
        if inside and number != current and _can_be_written(point, value):
            return number
    return None


def _beside(
    point: Point, current: Decimal, low: float | None, high: float | None
) -> Iterator[Decimal]:
    """The values to try, best first: the next steps up and down, then the limits' edges."""
    step = step_of(point)
    least = point.min or Decimal(0) if point.step else current
    place = ((current - least) / step).to_integral_value(ROUND_FLOOR)
    on_a_step = least + place * step == current
    for steps in (1, -1 if on_a_step else 0, -1):
        yield least + (place + steps) * step
    above = high is not None and current > Decimal(repr(high))
    for edge in (high, low) if above else (low, high):
        if edge is not None:
            places = ((Decimal(repr(edge)) - least) / step).to_integral_value(ROUND_FLOOR)
            yield from (Decimal(repr(edge)), least + places * step, least + (places + 1) * step)


def step_of(point: Point) -> Decimal:
    """The map's step; else one unit, or as fine as both sides of the point can show it."""
    return point.step or max(Decimal(1), abs(point.scale), abs(point.write_scale))


def _can_be_written(point: Point, value: Decimal) -> bool:
    if point.scale_from:  # its scale is known only at the unit
        return True
    try:
        encode(point, value)
    except ValueRefused:
        return False
    return True


def writable_labels(point: Point) -> tuple[str, ...]:
    """The labels that may be written, in the map's order."""
    return point.write_allowed or tuple(dict.fromkeys(point.write_enum.values()))


def trial_labels(point: Point, current: Scalar, *, heats_only: bool) -> tuple[str, ...]:
    """The labels that a test of the mode writes: all but the current one and "off", which a test
    never leaves behind; `heats_only`: those under which a water unit goes on heating."""
    allowed = [label for label in writable_labels(point) if label not in ("off", current)]
    return tuple(label for label in allowed if not heats_only or label in HEATING_MODES)
