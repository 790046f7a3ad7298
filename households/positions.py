"""Positions as they come and as they are kept: degrees of WGS-84 within the district.

Amap, Tencent and WeChat tell positions in GCJ-02, Baidu in BD-09: both are WGS-84 shifted on
purpose by some hundred metres. The shifts are public knowledge by their forward formulas alone, so
they are undone by iteration. A position of unknown source is kept as it was typed.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings
from django.db.models import Aggregate, Count, FloatField
from django.utils.translation import gettext as _

if TYPE_CHECKING:
    from households.models import Area

Point = tuple[float, float]  # longitude, latitude in degrees
Shift = Callable[[float, float], Point]

AXIS_M, FLATNESS = 6_378_245.0, 0.00669342162296594323  # Krasovsky 1940: GCJ-02 is built on it
EARTH_M = 6_371_008.8
NEAR_ENOUGH = 1e-9  # degrees, a tenth of a millimetre
FAR_M = 3_000.0  # farther from its village's middle a house is asked about
ENOUGH_KNOWN = 3  # positions that a village needs before its middle says anything


# -- shifted systems -----------------------------------------------------------------------


def wgs84(longitude: float, latitude: float, source: str) -> Point:
    """The position in WGS-84, (longitude, latitude), error below half a metre.

    `source` is a PositionSource; those that tell WGS-84 already, and 不清楚, change nothing.
    """
    shift = SHIFTED.get(source)
    return _undo(shift, longitude, latitude) if shift else (longitude, latitude)


def retold(longitude: float, latitude: float, was: str, source: str) -> Point:
    """A stored position whose source was named wrongly: the numbers that were once typed, taken
    for those of `source` instead."""
    shift = SHIFTED.get(was)
    typed = shift(longitude, latitude) if shift else (longitude, latitude)
    return wgs84(*typed, source)


def gcj02(longitude: float, latitude: float) -> Point:
    """WGS-84 as maps of the state's system show it."""
    x, y = longitude - 105.0, latitude - 35.0
    radians = math.radians(latitude)
    bend = 1 - FLATNESS * math.sin(radians) ** 2
    north = _north(x, y) * 180.0 / (AXIS_M * (1 - FLATNESS) / bend**1.5 * math.pi)
    east = _east(x, y) * 180.0 / (AXIS_M / math.sqrt(bend) * math.cos(radians) * math.pi)
    return longitude + east, latitude + north


def bd09(longitude: float, latitude: float) -> Point:
    """WGS-84 as Baidu's maps show it: GCJ-02, shifted and turned once more."""
    x, y = gcj02(longitude, latitude)
    turn = math.pi * 3000.0 / 180.0
    reach = math.hypot(x, y) + 0.00002 * math.sin(y * turn)
    angle = math.atan2(y, x) + 0.000003 * math.cos(x * turn)
    return reach * math.cos(angle) + 0.0065, reach * math.sin(angle) + 0.006


def _ripple(x: float, y: float) -> float:
    return 20.0 * math.sin(6.0 * x * math.pi) + 20.0 * math.sin(2.0 * x * math.pi)


def _waves(along: float, *waves: tuple[float, float]) -> float:
    return sum(height * math.sin(along * math.pi / length) for height, length in waves)


def _north(x: float, y: float) -> float:
    """Metres by which GCJ-02 lies north."""
    plain = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * math.sqrt(abs(x))
    waves = _waves(y, (20.0, 1.0), (40.0, 3.0), (160.0, 12.0), (320.0, 30.0))
    return plain + (_ripple(x, y) + waves) * 2.0 / 3.0


def _east(x: float, y: float) -> float:
    """Metres by which GCJ-02 lies east."""
    plain = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * math.sqrt(abs(x))
    waves = _waves(x, (20.0, 1.0), (40.0, 3.0), (150.0, 12.0), (300.0, 30.0))
    return plain + (_ripple(x, y) + waves) * 2.0 / 3.0


def _undo(shift: Shift, longitude: float, latitude: float) -> Point:
    """The point that `shift` brings to the one given: the error of each try corrects the next."""
    x, y = longitude, latitude
    for _try in range(30):
        shown = shift(x, y)
        east, north = longitude - shown[0], latitude - shown[1]
        x, y = x + east, y + north
        if abs(east) < NEAR_ENOUGH and abs(north) < NEAR_ENOUGH:
            break
    return x, y


SHIFTED: dict[str, Shift] = {"wechat": gcj02, "amap": gcj02, "baidu": bd09}


# -- as people write it --------------------------------------------------------------------

MARKS = str.maketrans(
    dict.fromkeys("′´‘’分", "'") | dict.fromkeys("″“”秒", '"') | {"º": "°", "度": "°"}
)
DEGREES = re.compile(
    r"""^(?:北纬|东经|纬度|经度|[NE])?[:：]?\s*
        (?P<degrees>\d{1,3}(?:\.\d+)?)\s*
        (?:(?:°|\s)\s*(?:(?P<minutes>\d{1,2}(?:\.\d+)?)\s*
        (?:(?:'|\s)\s*(?:(?P<seconds>\d{1,2}(?:\.\d+)?)\s*(?:"|''|\s)?)?)?)?)?
        \s*[NE]?$""",
    re.VERBOSE | re.IGNORECASE,
)


def degrees(text: str) -> float:
    """Degrees from what was typed: `35.4917`, `35°29′30″`, `35 29 30`, `112度51分`.

    Raises ValueError for anything else; minutes and seconds must be below 60.
    """
    tidy = unicodedata.normalize("NFKC", text.translate(MARKS)).strip()
    found = DEGREES.match(tidy)
    if not found:
        raise ValueError(text)
    whole, minutes, seconds = (
        float(found[name] or 0) for name in ("degrees", "minutes", "seconds")
    )
    if minutes >= 60 or seconds >= 60 or (found["minutes"] and whole % 1):
        raise ValueError(text)
    return whole + minutes / 60 + seconds / 3600


# -- where it may be -----------------------------------------------------------------------


def outside(latitude: float, longitude: float) -> str | None:
    """Why a position cannot be one of the district (settings.DISTRICT_BOX), in words."""
    if _within(latitude, longitude):
        return None
    if _within(longitude, latitude):
        return _("经纬度填反了：请把经度和纬度对调")
    south, west, north, east = settings.DISTRICT_BOX
    return _("位置不在本区范围内（纬度 %(south)g 至 %(north)g，经度 %(west)g 至 %(east)g）") % {
        "south": south,
        "north": north,
        "west": west,
        "east": east,
    }


def _within(latitude: float, longitude: float) -> bool:
    south, west, north, east = settings.DISTRICT_BOX
    return bool(south <= latitude <= north and west <= longitude <= east)


class Median(Aggregate):
    """The middle value of a column."""

    function = "PERCENTILE_CONT"
    template = "%(function)s(0.5) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = FloatField()


@dataclass(frozen=True, slots=True)
class Middle:
    """The middle of a village's known positions, each axis by itself, in degrees."""

    latitude: float
    longitude: float

    def metres_to(self, latitude: float, longitude: float) -> float:
        return metres((self.longitude, self.latitude), (longitude, latitude))


def middle_of(area: Area) -> Middle | None:
    """The middle of the area's households; None while too few positions are known."""
    known = area.households.filter(latitude__isnull=False).aggregate(
        n=Count("pk"), latitude=Median("latitude"), longitude=Median("longitude")
    )
    if known["n"] < ENOUGH_KNOWN:
        return None
    return Middle(known["latitude"], known["longitude"])


def far_from_village(area: Area, latitude: float, longitude: float) -> float | None:
    """Metres to the village's middle when that is farther than anybody would expect, else None.

    Scattered households belong to the town itself, which has no middle.
    """
    middle = middle_of(area) if area.level == area.Level.VILLAGE else None
    distance = middle.metres_to(latitude, longitude) if middle else 0.0
    return distance if distance > FAR_M else None


def metres(one: Point, other: Point) -> float:
    """Distance on the ground between two points."""
    (x1, y1), (x2, y2) = (tuple(map(math.radians, point)) for point in (one, other))
    half = math.sin((y2 - y1) / 2) ** 2
    half += math.cos(y1) * math.cos(y2) * math.sin((x2 - x1) / 2) ** 2
    return 2 * EARTH_M * math.asin(math.sqrt(half))
