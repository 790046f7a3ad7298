"""Positions in cells: one number, degrees with minutes, or both in one cell."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from households import positions
from households.ledger.cells import NOTHING, Told, mistake, narrow, reminder

SPLIT = re.compile(
    r"\s*[,，;；/、]\s*|\s+(?=[NEne北东])|(?<=[NEne])\s*(?=\d)|(?<=\d)(?=[北东])|\s+"
)
SIX = 6  # decimals of a degree that are kept: a tenth of a metre


class Pair(tuple[float, float]):
    """Longitude and latitude that stood in one cell."""


def coordinate(raw: Any) -> Any:
    """Degrees of 经度 or 纬度; `Pair` where the cell holds both."""
    if raw is None:
        return None
    if isinstance(raw, int | float) and not isinstance(raw, bool):
        return float(raw)
    value = narrow(raw) if isinstance(raw, str) else ""
    if value in NOTHING and isinstance(raw, str):
        return None
    one = _degrees(value)
    if one is not None:
        return one
    parts = [part for part in SPLIT.split(value.strip("()[]")) if part]
    both = [degrees for part in parts if (degrees := _degrees(part)) is not None]
    if len(both) == 2 == len(parts):
        return Pair((max(both), min(both)))
    return mistake(_("不是经纬度"), _("填小数，例如 112.8551 或 35.4903"))


def _degrees(value: str) -> float | None:
    try:
        return positions.degrees(value)
    except ValueError:
        return None


def one_alone() -> Told:
    """For a cell that should hold both and holds one number."""
    return mistake(_("只有一个数"), _("经度、纬度都填，例如 112.8551,35.4903"))


def position(longitude: Any, latitude: Any, source: str) -> Any:
    """(longitude, latitude) in WGS-84 of what two cells hold, None where both are empty.

    China's longitudes are above 73 and its latitudes below 54, so a pair in the wrong order is
    known and put right, with a reminder.
    """
    pair = next((cell for cell in (longitude, latitude) if isinstance(cell, Pair)), None)
    x, y = pair or (longitude, latitude)
    if x is None and y is None:
        return None
    if x is None or y is None:
        lacking = _("纬度") if y is None else _("经度")
        return mistake(_("缺%(what)s") % {"what": lacking}, _("经度、纬度都填，或都不填"))
    swapped = x < y
    point = positions.wgs84(max(x, y), min(x, y), source)
    if outside := positions.outside(point[1], point[0]):
        return mistake(outside, _("核对坐标来源和数值"))
    kept = (round(point[0], SIX), round(point[1], SIX))
    return reminder(kept, _("经度、纬度填反，已对调")) if swapped else kept


def faulty(values: Mapping[str, Any]) -> str:
    """The column to blame for a position that cannot be: the one that is empty or out of bounds."""
    for key in ("longitude", "latitude", "position"):
        if isinstance(values.get(key), Pair):
            return key
    x, y = values.get("longitude"), values.get("latitude")
    if x is None or y is None:
        return "longitude" if x is None else "latitude"
    south, west, north, east = settings.DISTRICT_BOX
    return "longitude" if south <= y <= north and not west <= x <= east else "latitude"


def as_of_source(longitude: float, latitude: float, source: str) -> tuple[float, float]:
    """A stored position in the system of its source: what `position` gives back unchanged."""
    shift = positions.SHIFTED.get(source)
    x, y = shift(longitude, latitude) if shift else (longitude, latitude)
    return round(x, SIX), round(y, SIX)


def is_same(one: tuple[float, float], other: tuple[float, float]) -> bool:
    """Whether two positions differ by no more than an export's rounding does."""
    return all(abs(a - b) < 3e-6 for a, b in zip(one, other, strict=True))
