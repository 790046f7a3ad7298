"""The outdoor air of Jincheng in January, whatever the month on the calendar.

The demonstration must look like winter on every day of the year. A table of 31 fictitious days
(mean -3.6 °C, as Jincheng's January; coldest morning about -17 °C) repeats for ever, so that any
31 days in a row are one January. Everything is a function of the time alone.
"""

from __future__ import annotations

import math
from datetime import datetime

HOUR = 3600.0
SHANGHAI_OFFSET_S = 8 * 3600

# Mean of each day in °C: two cold spells, a thaw. Their mean is -3.6.
DAY_MEANS = (
    -2.1, -1.4, -3.0, -5.2, -6.4, -5.1, -3.7, -2.2, -0.9, 0.4, 1.1, -0.6, -3.9, -7.6, -10.3,
    -11.2, -9.4, -6.8, -4.6, -3.2, -2.0, -1.2, -2.6, -4.4, -5.9, -5.0, -3.3, -1.8, -0.3, 0.8, 0.2,
)  # fmt: skip
# Clearness of each day's sky, 0 (overcast) to 1: clear days swing wider and heat rooms.
CLEARNESS = (
    0.7, 0.5, 0.3, 0.6, 0.9, 0.9, 0.8, 0.6, 0.4, 0.3, 0.2, 0.1, 0.2, 0.6, 0.9, 1.0, 1.0, 0.9,
    0.7, 0.5, 0.3, 0.3, 0.2, 0.4, 0.8, 0.9, 0.7, 0.6, 0.4, 0.3, 0.5,
)  # fmt: skip
DAYS = len(DAY_MEANS)
HOURS = 24 * DAYS


def outdoor(at: datetime) -> float:
    """Outdoor air temperature in °C at an aware time."""
    return temperature(at.timestamp())


def temperature(at: float) -> float:
    """Outdoor air temperature in °C at a Unix time in seconds."""
    hour = (at + SHANGHAI_OFFSET_S) / HOUR
    whole = int(hour)
    here = whole % HOURS
    return TEMPERATURES[here] + (TEMPERATURES[here + 1] - TEMPERATURES[here]) * (hour - whole)


def sunshine(at: float) -> float:
    """Sun on a south front in W/m² at a Unix time in seconds."""
    return SUNSHINE[int((at + SHANGHAI_OFFSET_S) / HOUR) % HOURS]


def _between_days(table: tuple[float, ...], hour: int) -> float:
    """The day's figure, which holds at noon, drawn straight on to the next noon."""
    day, part = divmod((hour - 12) / 24, 1)
    here = table[int(day) % DAYS]
    return here + (table[int(day + 1) % DAYS] - here) * part


def _temperature_of_hour(hour: int) -> float:
    swing = 3.4 + 2.8 * _between_days(CLEARNESS, hour)
    since_coldest = (hour - 6.5) % 24
    # Eight hours up to half past two, sixteen hours down to half past six; mean 0 over a day.
    turn = since_coldest / 8 if since_coldest < 8 else 1 + (since_coldest - 8) / 16
    return _between_days(DAY_MEANS, hour) - swing * math.cos(math.pi * turn)


def _sunshine_of_hour(hour: int) -> float:
    height = math.sin(math.pi * (hour % 24 + 0.5 - 7.5) / 10) if 7 <= hour % 24 < 17 else 0.0
    return max(0.0, 650 * CLEARNESS[hour // 24 % DAYS] * height)


TEMPERATURES = tuple(_temperature_of_hour(hour % HOURS) for hour in range(HOURS + 1))
SUNSHINE = tuple(_sunshine_of_hour(hour) for hour in range(HOURS))
