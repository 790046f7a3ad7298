"""对照附件 2: which of the 7 readings and 5 writings a map has, and how each of them stands."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from django.utils.translation import gettext as _

from devices.maps.names import label
from devices.modbus import signals

SHAPES = {"ok": "st-ok", "doubtful": "st-warn", "wrong": "st-bad", "missing": "st-wait"}
_FAULT = ("fault_bits", "fault_code", "fault.")


@dataclass(frozen=True)
class Item:
    """One reading or writing. `state`: ok, doubtful (with a reminder), wrong (its row has a
    mistake), missing (no row of it)."""

    signal: str
    words: str
    state: str

    @property
    def shape(self) -> str:
        return SHAPES[self.state]


@dataclass(frozen=True)
class Side:
    """The readings or the writings; how many of them are there without a mistake."""

    items: list[Item]

    @property
    def there(self) -> int:
        return sum(item.state in ("ok", "doubtful") for item in self.items)


@dataclass(frozen=True)
class Annex:
    """Both sides of Annex 2, as a map has them: what is read, and what is written."""

    readings: Side
    writings: Side

    @property
    def sides(self) -> list[tuple[str, Side]]:
        """Both, with what they are called."""
        return [(_("读数"), self.readings), (_("写入"), self.writings)]

    @property
    def is_whole(self) -> bool:
        return all(side.there == len(side.items) for side in (self.readings, self.writings))

    @property
    def missing(self) -> list[str]:
        """In words, what is not there or wrong."""
        items = [*self.readings.items, *self.writings.items]
        return list(dict.fromkeys(i.words for i in items if i.state in ("wrong", "missing")))


def compare(
    missing: tuple[Collection[str], Collection[str]],
    medium: str,
    wrong: Collection[str] = (),
    doubtful: Collection[str] = (),
) -> Annex:
    """`missing` as `PointMap.missing` tells it; `wrong` and `doubtful` are the signals of rows
    with mistakes and of rows with reminders."""

    def side(wanted: Iterable[str], lacking: Collection[str], names: Callable[[str], str]) -> Side:
        return Side(
            [Item(s, names(s), _state(s, lacking, set(wrong), set(doubtful))) for s in wanted]
        )

    return Annex(
        side(signals.READINGS, missing[0], lambda signal: label(signal, medium)),
        side(signals.WRITINGS, missing[1], lambda signal: _written(signal, medium)),
    )


def _written(signal: str, medium: str) -> str:
    """Annex 2 asks for the water's or the air's temperature to be set, on whichever side."""
    return label("supply_temp" if signal == "supply_temp_setpoint" else signal, medium)


def _state(signal: str, lacking: Collection[str], wrong: set[str], doubtful: set[str]) -> str:
    if signal in lacking:
        return "wrong" if _names(signal, wrong) else "missing"
    return "doubtful" if _names(signal, doubtful) else "ok"


def _names(signal: str, rows: set[str]) -> bool:
    """Whether one of these rows is what Annex 2 calls so."""
    if signal == "fault":
        return any(name.startswith(_FAULT) for name in rows)
    if signal == "supply_temp_setpoint":
        return bool(rows & {"supply_temp_setpoint", "return_temp_setpoint"})
    return signal in rows
