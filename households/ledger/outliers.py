"""Values that stand apart from their village's: ten times the usual area, kilometres off.

Judged when the whole file is read: by the file's own rows where it has enough of a village, else by
what the ledger knows.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Callable, Collection
from functools import partial
from statistics import median
from typing import Any

from django.db.models import Count
from django.utils.translation import gettext as _

from households import positions
from households.ledger.cells import Told, reminder
from households.ledger.remarks import Remarks
from households.ledger.tables import Record, Table
from households.models import Household

ENOUGH = 8  # values of a village before its middle says anything
FACTOR = 8  # so many times the village's middle area, or so small a part of it, is asked about
LARGEST_USUAL_M2 = 500


class _Values:
    """One column's values in one village, each with its place in the file."""

    def __init__(self) -> None:
        self.numbers = array("d")
        self._rows = array("L")
        self._tables: list[Table] = []
        self._keys: list[str] = []
        self._raws: dict[int, Any] = {}  # of cells that are no plain numbers

    def add(self, number: float, record: Record, key: str) -> None:
        self.numbers.append(number)
        self._rows.append(record.row)
        self._tables.append(record.table)
        self._keys.append(key)
        raw = record.values.get(key)
        if raw != number:
            self._raws[len(self._keys) - 1] = raw

    def tell(self, remarks: Remarks, judge: Callable[[int], Told | None]) -> None:
        """Say what `judge` finds of the n-th value, at its place."""
        for n, key in enumerate(self._keys):
            if told := judge(n):
                raw = self._raws.get(n, self.numbers[n])
                record = Record(self._tables[n], self._rows[n], {key: raw})
                remarks.tell(record, key, told)


class Outliers:
    """Collects the areas and positions of new and changed rows, then tells of odd ones."""

    def __init__(self) -> None:
        self._areas: dict[int, _Values] = defaultdict(_Values)
        self._latitudes: dict[int, _Values] = defaultdict(_Values)
        self._longitudes: dict[int, array[float]] = defaultdict(lambda: array("d"))

    def add_area(self, record: Record, home: Household) -> None:
        self._areas[home.area_id].add(float(home.heated_area or 0), record, "heated_area")

    def add_position(self, record: Record, home: Household) -> None:
        if home.latitude is None or home.longitude is None:
            return
        key = "latitude" if "latitude" in record.places else "position"
        self._latitudes[home.area_id].add(home.latitude, record, key)
        self._longitudes[home.area_id].append(home.longitude)

    def tell(self, remarks: Remarks) -> None:
        """Say what is odd. At most one query, for villages of which the file has few rows."""
        few = {pk for of in (self._areas, self._latitudes) for pk, v in of.items() if _is_few(v)}
        known = _known(few)
        for pk, values in self._areas.items():
            middle = known.get(pk, {}).get("m2") if _is_few(values) else median(values.numbers)
            values.tell(remarks, partial(_odd, values.numbers, middle))
        for pk, values in self._latitudes.items():
            longitudes = self._longitudes[pk]
            if where := _middle(values, longitudes, known.get(pk, {})):
                values.tell(remarks, partial(_far, values.numbers, longitudes, where))


def _is_few(values: _Values) -> bool:
    return len(values.numbers) < ENOUGH


def _known(areas: Collection[int]) -> dict[int, dict[str, Any]]:
    """Middle area and position of these villages as the ledger has them."""
    if not areas:
        return {}
    rows = Household.objects.filter(area__in=areas).order_by().values("area")
    told = rows.annotate(
        m2=positions.Median("heated_area"),
        placed=Count("latitude"),
        latitude=positions.Median("latitude"),
        longitude=positions.Median("longitude"),
    )
    return {row["area"]: dict(row) for row in told}


def _odd(areas: array[float], middle: float | None, n: int) -> Told | None:
    number = areas[n]
    if middle and not middle / FACTOR < number < middle * FACTOR:
        told = {"middle": f"{middle:g}", "times": f"{_two_digits(number / middle):g}"}
        return reminder(None, _("约为本村中位数 %(middle)s m² 的 %(times)s 倍") % told)
    if number > LARGEST_USUAL_M2:
        return reminder(None, _("取暖面积超过 %(limit)d m²，请核对") % {"limit": LARGEST_USUAL_M2})
    return None


def _two_digits(number: float) -> float:
    return float(f"{number:.2g}")


def _middle(
    latitudes: _Values, longitudes: array[float], known: dict[str, Any]
) -> positions.Middle | None:
    if not _is_few(latitudes):
        return positions.Middle(median(latitudes.numbers), median(longitudes))
    if known.get("placed", 0) < positions.ENOUGH_KNOWN:
        return None
    return positions.Middle(known["latitude"], known["longitude"])


def _far(
    latitudes: array[float], longitudes: array[float], middle: positions.Middle, n: int
) -> Told | None:
    distance = middle.metres_to(latitudes[n], longitudes[n])
    if distance <= positions.FAR_M:
        return None
    reason = _("离本村中位位置 %(km).1f km") % {"km": distance / 1000}
    return reminder(None, reason, _("核对坐标来源；确认无误可继续"))
