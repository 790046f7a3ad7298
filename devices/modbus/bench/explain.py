"""Which change of a register map's row would explain what was read.

The commonest mistakes of makers' lists are tried one at a time: sign, order of bytes and words,
scale, offset. Nothing here decides anything; it only gives the advice a name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal

from devices.modbus import rawtypes
from devices.modbus.cells import BIT_AREAS
from devices.modbus.decoding import decode
from devices.modbus.points import Point, Value
from devices.modbus.words import N_, Sentence

_SIGNS = {
    "uint16": ("int16", "sm16"),
    "int16": ("uint16", "sm16"),
    "sm16": ("int16", "uint16"),
    "uint32": ("int32", "sm32"),
    "int32": ("uint32", "sm32"),
    "sm32": ("int32", "uint32"),
    "uint8_hi": ("int8_hi",),
    "uint8_lo": ("int8_lo",),
    "int8_hi": ("uint8_hi",),
    "int8_lo": ("uint8_lo",),
}
_ORDERS = {
    1: ("AB", "BA"),
    2: ("ABCD", "CDAB", "BADC", "DCBA"),
    4: ("ABCD", "CDAB", "BADC", "DCBA"),
}
_FACTORS = tuple(map(Decimal, ("0.1", "10", "0.01", "100", "0.5", "2", "0.2", "5")))
_OFFSETS = tuple(map(Decimal, ("-50", "50", "-40", "40", "-30", "30", "-20", "20", "-100", "100")))
_DUST = 1e-3

Fits = Callable[[Value], bool]


def explanations(point: Point, words: Sequence[int], fits: Fits) -> list[Sentence]:
    """The changes, each by itself, under which these words would be a value that fits.

    Best first. Empty where none does, and of a row whose scale another signal tells.
    """
    if point.scale_from or point.area in BIT_AREAS or point.enum or point.bits:
        return []
    return [advice for advice, other in _variants(point) if fits(decode(other, words))]


def either(changes: Sequence[Sentence]) -> Sentence:
    """Some changes as one text: any of them would do."""
    found = changes[0]
    for other in changes[1:]:
        found = Sentence(N_("%(one)s，或%(other)s"), one=found, other=other)
    return found


def near(target: float, tolerance: float) -> Fits:
    """Whether a value is a number this near to another."""

    def fits(value: Value) -> bool:
        number = value.value
        is_number = isinstance(number, int | float) and not isinstance(number, bool)
        return is_number and abs(float(number) - target) <= tolerance  # type: ignore[arg-type]

    return fits


def plausible(value: Value) -> bool:
    """Whether a value lies where its signal can be; the words of a float read in a wrong order
    often are a number next to nothing, which no sensor shows."""
    number = value.value
    is_dust = isinstance(number, float) and 0 < abs(number) < _DUST
    return value.quality == "good" and not is_dust


def _variants(point: Point) -> Iterator[tuple[Sentence, Point]]:
    for type_ in _SIGNS.get(point.type, ()):
        yield (
            _change(N_("“类型”由 %(old)s 改为 %(new)s"), point.type, type_),
            replace(point, type=type_),
        )
    for order in _orders(point):
        old = point.order or _ORDERS[point.count][0]
        yield (
            _change(N_("“字节序”由 %(old)s 改为 %(new)s"), old, order),
            replace(point, order=order),
        )
    for factor in _FACTORS:
        scale = (point.scale * factor).normalize()
        text = _change(N_("“倍率”由 %(old)s 改为 %(new)s"), _plain(point.scale), _plain(scale))
        yield text, replace(point, scale=scale)
    for change in _OFFSETS:
        offset = point.offset + change
        text = _change(N_("“偏移”由 %(old)s 改为 %(new)s"), _plain(point.offset), _plain(offset))
        yield text, replace(point, offset=offset)


def _orders(point: Point) -> Iterator[str]:
    if point.type in rawtypes.BYTES or point.mask is not None:
        return
    known = _ORDERS.get(point.count, ())
    for order in known:
        if order != (point.order or known[0]):
            yield order


def _change(template: str, old: str, new: str) -> Sentence:
    return Sentence(template, old=old, new=new)


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"
