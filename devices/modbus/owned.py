"""The part of its registers that a point's write owns, and what reads as written.

Fields are bits as they lie on the wire, after the byte order of the write side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from devices.modbus import rawtypes
from devices.modbus.cells import BIT_AREAS
from devices.modbus.decoding import decode
from devices.modbus.points import Point, Scalar
from devices.modbus.signals import kind_of


def field_of(point: Point) -> int | None:
    """The bits that a write of this point may change; None where it owns whole registers."""
    if point.write_area in BIT_AREAS or point.write_field is None:
        return None
    return rawtypes.cut(point.write_field, 1, point.write_order)[0]


def own(point: Point, words: Sequence[int]) -> int:
    """Our part of some registers, as one number."""
    field = field_of(point)
    if field is not None:
        return words[0] & field
    number = 0
    for word in words:
        number = number << 16 | word
    return number


def words_of(point: Point, number: int) -> list[int]:
    """The registers of a number that `own` gave, every other bit 0."""
    return [number >> 16 * place & 0xFFFF for place in range(point.write_count - 1, -1, -1)]


def merged(point: Point, former: Sequence[int] | None, words: Sequence[int]) -> list[int]:
    """Our part of the words, the rest of the register as it was."""
    field = field_of(point)
    if field is None or former is None:
        return list(words)
    return [former[0] & ~field & 0xFFFF | words[0] & field]


def share_a_write(one: Point, other: Point) -> bool:
    """Whether two points are different fields of one register, so that one write sets both."""
    fields = field_of(one), field_of(other)
    if one.write_area != other.write_area or one.write_address != other.write_address:
        return False
    plain = all(point.write_method in ("value", "rmw") for point in (one, other))
    return plain and None not in fields and not fields[0] & fields[1]  # type: ignore[operator]


def write_side(point: Point) -> Point:
    """The point as it would be if it read where it writes."""
    return replace(
        point,
        area=point.write_area,
        address=point.write_address,
        type=point.write_type,
        order=point.write_order,
        scale=point.write_scale,
        offset=point.write_offset,
        mask=point.write_mask,
        enum=point.write_enum,
        invalid={},
    )


def meaning(point: Point, words: Sequence[int], value: object) -> Scalar:
    """The value that the words stand for, as a reading would show it; `value` where none would.

    A trigger means True, or the label of its value.
    """
    if point.write_value is not None and (kind_of(point.signal) == "cmd" or not point.write_enum):
        return True
    field = field_of(point)
    read = decode(write_side(point), words if field is None else [words[0] & field])
    if read.quality == "good":
        return read.value
    try:
        return float(str(value))
    except ValueError:
        return str(value)


def reads_where_it_writes(point: Point) -> bool:
    """Whether the words of a reading are those of a write."""
    other = write_side(point)
    return (
        (point.area, point.address, point.type, point.order, point.mask)
        == (other.area, other.address, other.type, other.order, other.mask)
    ) and (point.scale, point.offset) == (other.scale, other.offset)


def same(side: Point, read: Scalar, wanted: Scalar, *, coarsely: bool = False) -> bool:
    """Whether a value reads as wanted; `coarsely`, as near as the reading side can show it."""
    if isinstance(read, bool | str | list) or isinstance(wanted, bool | str | list):
        return read == wanted
    if read is None or wanted is None:
        return False
    if side.type in rawtypes.FLOATS:
        return abs(read - wanted) <= 1e-6 * max(1.0, abs(wanted))
    return abs(read - wanted) <= (abs(float(side.scale)) / 2 if coarsely else 0) + 1e-9
