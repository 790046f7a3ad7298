"""手工解码: what words mean as a map says, and what they would mean as other types.

The commonest mistakes of a map show at once: a temperature below zero read without a sign, a
float with its words turned round.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from devices.modbus import decoding, pointmap, rawtypes, signals, texts
from devices.modbus.cells import BIT_AREAS, CellRefused, integer, plain
from devices.modbus.points import Point, Value, ValueRefused, field_bits
from devices.modbus.words import N_

_OTHERS = {
    1: ("int16", "uint16", "sm16", "bcd16"),
    2: ("int32", "uint32", "float32", "bcd32"),
}
_TURNED = {"ABCD": "CDAB", "CDAB": "ABCD", "BADC": "DCBA", "DCBA": "BADC"}
MAX_WORDS = 300


@dataclass(frozen=True)
class Decoded:
    """One reading of the words. `how` is the type, with its order where that matters;
    `is_own` says that the map has it so."""

    how: str
    value: Value
    number: Value  # as `value`; of what is beyond the plausible range the number nevertheless
    unit: str
    is_own: bool


def words_of(text: str) -> list[int]:
    """The words of `0xFFBD`, `FFBD`, `65469`, `-67`, several with blanks between; raises
    ValueRefused. A number above 65,535 is two words, the higher first."""
    found: list[int] = []
    pieces = [piece for piece in re.split(r"[\s,;]+", plain(text)) if piece]
    for piece in pieces[: MAX_WORDS + 1]:
        found += _words(piece)
    if not found or len(found) > MAX_WORDS:
        raise ValueRefused(N_("请填读到的原值，如 0xFFBD；两个字用空格隔开"))
    return found


def _words(piece: str) -> list[int]:
    if re.fullmatch(r"[0-9a-fA-F]{4}", piece) and re.search(r"[a-fA-F]", piece):
        piece = f"0x{piece}"
    try:
        value = integer(piece)
    except CellRefused as refusal:
        raise ValueRefused(refusal.template, **refusal.params) from None
    if -0x8000 <= value <= 0xFFFF:
        return [value & 0xFFFF]
    if 0xFFFF < value <= 0xFFFFFFFF:
        return [value >> 16, value & 0xFFFF]
    raise ValueRefused(N_("%(word)s 应在 0 到 %(highest)s 之间"), word=piece, highest=0xFFFF)


def decode(
    point_map: pointmap.PointMap, signal: str, words: Sequence[int], row: int | None = None
) -> list[Decoded]:
    """The value of a signal, first as the map says, then as other types of the same width.

    `row` names the row where a signal has several. Raises ValueRefused where the words cannot be
    the signal's.
    """
    point = _point(point_map, signal, row)
    named = row is not None and len(words) == point.count and not point.scale_from
    if named:
        own = pointmap.decode_words(replace_points(point_map, point), signal, words)
    else:
        own = pointmap.decode_words(point_map, signal, words)
    fits = len(words) == point.count
    number = _bare(point, words) if fits and own.quality == "out_of_range" else own
    found = [Decoded(_how(point), own, number, point.unit, True)]
    others = [_as(other, words) for other in _others(point) if fits]
    return found + [other for other in others if other.number.quality == "good"]


def replace_points(point_map: pointmap.PointMap, point: Point) -> pointmap.PointMap:
    """The map with this row alone, without its condition."""
    return pointmap.PointMap(point_map.settings, (replace(point, when={}),))


def _point(point_map: pointmap.PointMap, signal: str, row: int | None) -> Point:
    rows = [p for p in point_map.points if p.signal == signal and row in (None, p.row)]
    if not rows:
        raise ValueRefused(N_("点表里没有信号 %(signal)s"), signal=signal)
    return rows[0]


def _as(point: Point, words: Sequence[int]) -> Decoded:
    value = decoding.decode(point, words)
    number = _bare(point, words) if value.quality == "out_of_range" else value
    return Decoded(_how(point), value, number, point.unit, False)


def _bare(point: Point, words: Sequence[int]) -> Value:
    """The value of a free signal: no range is expected of it."""
    return decoding.decode(replace(point, signal="free", scale_from=None), words)


def _how(point: Point) -> str:
    return f"{point.type} {point.order}" if point.count > 1 and point.order else point.type


def _others(point: Point) -> list[Point]:
    """The same row under the types that makers mix up; none of what is no plain number."""
    labelled = point.enum or point.bits or point.is_bool or point.read_field is not None
    if point.area in BIT_AREAS or texts.is_text(point.type) or labelled or point.scale_from:
        return []
    if signals.kind_of(point.signal) == "set" or not point.readable:
        return []
    other_types = [kind for kind in _OTHERS.get(point.count, ()) if kind != point.type]
    kinds = [(kind, point.order) for kind in other_types]
    if point.order in _TURNED:
        kinds.insert(0, (point.type, _TURNED[point.order]))
    return [_of_type(point, kind, order) for kind, order in kinds]


def _of_type(point: Point, kind: str, order: str) -> Point:
    """Patterns that mean no value do so in every type of integer; floats have none."""
    fits = kind not in rawtypes.FLOATS and point.type not in rawtypes.FLOATS
    same = fits and field_bits(kind, None) == field_bits(point.type, None)
    return replace(point, type=kind, order=order, when={}, invalid=point.invalid if same else {})
