"""How a number lies in registers: widths, byte orders, from words to a number and back.

A *pattern* is the unsigned integer of a type's bits after the byte order is undone. `invalid`,
`enum` and masks of a register map speak of patterns, scale and offset of *numbers*.
"""

import math
import struct
from collections.abc import Callable, Sequence

# type: (registers, bits of the pattern). One byte of a register has a pattern of 8 bits.
_SIZES: dict[str, tuple[int, int]] = {
    "bool": (1, 16),
    "int16": (1, 16),
    "uint16": (1, 16),
    "sm16": (1, 16),
    "int32": (2, 32),
    "uint32": (2, 32),
    "sm32": (2, 32),
    "float32": (2, 32),
    "int64": (4, 64),
    "uint64": (4, 64),
    "float64": (4, 64),
    "dec32": (2, 32),
    "int8_hi": (1, 8),
    "int8_lo": (1, 8),
    "uint8_hi": (1, 8),
    "uint8_lo": (1, 8),
    "bits": (1, 16),
    "bitfield16": (1, 16),
    "bitfield32": (2, 32),
    "bcd16": (1, 16),
    "bcd32": (2, 32),
}
NUMBER_TYPES = tuple(_SIZES)
FLOATS = frozenset({"float32", "float64"})
BITFIELDS = frozenset({"bitfield16", "bitfield32"})
BYTES = {"int8_hi": 0xFF00, "uint8_hi": 0xFF00, "int8_lo": 0x00FF, "uint8_lo": 0x00FF}
UNSIGNED = frozenset({"uint16", "uint32", "uint64", "uint8_hi", "uint8_lo", "bits", "bool"})
MASKABLE = frozenset({"bits", "bool", "uint16"})
ORDERS_16 = ("AB", "BA")
ORDERS_32 = ("ABCD", "CDAB", "BADC", "DCBA")
NAN = math.nan  # the one NaN that stands in `invalid` and `enum`: dicts find it by identity


class DoesNotFit(ValueError):
    """A number that the type cannot hold."""


def registers(type_: str) -> int:
    """Registers that a number of this type takes."""
    return _SIZES[type_][0]


def width(type_: str) -> int:
    """Bits of this type's pattern."""
    return _SIZES[type_][1]


def _swap(word: int) -> int:
    return (word & 0xFF) << 8 | word >> 8


def in_order(words: Sequence[int], order: str) -> list[int]:
    """The words with the highest first and the high byte of each above; its own inverse.

    ABCD is as Modbus sends it. CDAB turns the words round (of 64 bits too: the lowest comes
    first), BADC the bytes of each word, DCBA both; BA is the byte swap of one register.
    """
    turned = list(reversed(words)) if order in ("CDAB", "DCBA") else list(words)
    return [_swap(word) for word in turned] if order in ("BA", "BADC", "DCBA") else turned


def joiner(count: int, order: str) -> Callable[..., int]:
    """A function of `count` words that gives their pattern."""
    if count == 1 and order in ("AB", ""):
        return lambda word: int(word)
    if count == 2 and order in ("ABCD", ""):
        return lambda first, second: first << 16 | second

    def join(*words: int) -> int:
        pattern = 0
        for word in in_order(words, order):
            pattern = pattern << 16 | word
        return pattern

    return join


def cut(pattern: int, count: int, order: str) -> list[int]:
    """The words of a pattern, as they are written."""
    words = [pattern >> 16 * place & 0xFFFF for place in range(count - 1, -1, -1)]
    return in_order(words, order)


def _signed(bits: int) -> Callable[[int], int]:
    half, full = 1 << (bits - 1), 1 << bits
    return lambda pattern: pattern - full if pattern >= half else pattern


def _sign_and_magnitude(bits: int) -> Callable[[int], int]:
    sign = 1 << (bits - 1)
    return lambda pattern: -(pattern ^ sign) if pattern & sign else pattern


def _from_bcd(pattern: int) -> int | None:
    text = f"{pattern:x}"
    return int(text) if text.isdecimal() else None


def _float(pattern: int, bits: int) -> float:
    code = ">f" if bits == 32 else ">d"
    number: float = struct.unpack(code, pattern.to_bytes(bits // 8, "big"))[0]
    return number if number == number else NAN


def shortest(number: float) -> float:
    """The number with the fewest digits that a float32 reads as this: 43.1, not 43.0999985."""
    if not math.isfinite(number):
        return number
    packed = struct.pack(">f", number)
    for digits in (6, 7, 8):
        short = float(f"{number:.{digits}g}")
        if abs(short) < 3.4e38 and struct.pack(">f", short) == packed:
            return short
    return float(f"{number:.9g}")


def reader(type_: str) -> Callable[[int], int | float | None]:
    """A function from pattern to number; None where the pattern is no number (BCD digit A..F)."""
    bits = width(type_)
    if type_ in FLOATS:
        return lambda pattern: _float(pattern, bits)
    if type_.startswith("int"):
        return _signed(bits)
    if type_.startswith("sm"):
        return _sign_and_magnitude(bits)
    if type_.startswith("bcd"):
        return _from_bcd
    if type_ == "dec32":
        return lambda pattern: (pattern >> 16) * 10_000 + (pattern & 0xFFFF)
    return lambda pattern: pattern


def _ranged(number: int, low: int, high: int) -> int:
    if not low <= number <= high:
        raise DoesNotFit(number)
    return number


def _pattern_of_float(number: float, bits: int) -> int:
    try:
        packed = struct.pack(">f" if bits == 32 else ">d", number)
    except OverflowError:
        raise DoesNotFit(number) from None
    return int.from_bytes(packed, "big")


def to_pattern(type_: str, number: int | float, bits: int | None = None) -> int:
    """The pattern of a number; raises DoesNotFit. `bits`: a field narrower than its type."""
    bits = bits or width(type_)
    if type_ in FLOATS:
        return _pattern_of_float(number, bits)
    number = int(number)
    top = 1 << (bits - 1)
    if type_.startswith("int"):
        return _ranged(number, -top, top - 1) & ((1 << bits) - 1)
    if type_.startswith("sm"):
        return abs(_ranged(number, 1 - top, top - 1)) | (top if number < 0 else 0)
    if type_.startswith("bcd"):
        return int(str(_ranged(number, 0, 10 ** (bits // 4) - 1)), 16)
    if type_ == "dec32":
        high, low = divmod(_ranged(number, 0, 0xFFFF * 10_000 + 9_999), 10_000)
        return high << 16 | low
    return _ranged(number, 0, (1 << bits) - 1)


def comparable(type_: str, number: int | float) -> int | float:
    """A float as `invalid` and `enum` compare it: rounded to the type, one single NaN."""
    if number != number:
        return NAN
    if type_ == "float32" and math.isfinite(number):
        return _float(_pattern_of_float(number, 32), 32)
    return number
