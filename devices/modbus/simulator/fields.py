"""From a value to register words and back, for every type of the register-map paper.

`to_words` puts an engineering value into a field's words; `from_words` is what a faithful reader
makes of the words, with None where the words hold no value (invalid pattern, unknown label).
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal

from devices.modbus.simulator.maps import Field, integer

Value = float | bool | str | list[str] | None

TRUE_LABELS = {"on", "true"}
FALSE_LABELS = {"off", "false"}


def width(field: Field) -> int:
    """Bits of the raw pattern before it is shifted into place."""
    if field.mask is not None:
        return (field.mask >> _shift(field.mask)).bit_length()
    if field.area in ("coil", "discrete"):
        return 1
    return 8 if field.type.startswith(("int8", "uint8")) else 16 * field.count


def field_mask(field: Field) -> int | None:
    """Which bits of a single register belong to the field; None if all of its words do."""
    if field.area in ("coil", "discrete"):
        return None
    if field.mask is not None:
        return field.mask
    if field.type.endswith("_hi"):
        return 0xFF00
    return 0x00FF if field.type.endswith("_lo") else None


def to_words(field: Field, value: Value, multiplier: Decimal = Decimal(1)) -> list[int]:
    """Words (or one bit) that hold the value; a masked or byte field lies shifted in its word.

    A number that the type cannot hold becomes the nearest that it can.
    """
    raw = _pattern(field, value, multiplier) & ((1 << width(field)) - 1)
    if field.area in ("coil", "discrete"):
        return [raw]
    mask = field_mask(field)
    if mask is not None:
        return _ordered(field, (raw << _shift(mask)) & mask)
    return _ordered(field, raw)


def from_words(field: Field, words: Sequence[int], multiplier: Decimal = Decimal(1)) -> Value:
    """The value that the words mean, or None if they mean none."""
    raw = pattern_of(field, words)
    if _is_invalid(field, raw):
        return None
    if field.enum:
        return _labelled(field, raw)
    if field.is_bool:
        return bool(raw)
    if field.type.startswith("bitfield"):
        return sorted(label for bit, label in field.bits.items() if raw >> bit & 1)
    if field.type.startswith("ascii"):
        return raw.to_bytes(2 * field.count, "big").rstrip(b"\0 ").decode("ascii", "replace")
    if field.type.startswith("datetime"):
        return _moment(field, raw)
    return _number(field, raw, multiplier)


def pattern_of(field: Field, words: Sequence[int]) -> int:
    """The raw bit pattern: words in order, a masked or byte field shifted down to bit 0."""
    if field.area in ("coil", "discrete"):
        return int(words[0])
    raw = int.from_bytes(_reorder(field.order, _bytes(words)), "big")
    mask = field_mask(field)
    return raw if mask is None else (raw & mask) >> _shift(mask)


def _shift(mask: int) -> int:
    return (mask & -mask).bit_length() - 1


def _bytes(words: Sequence[int]) -> bytes:
    return b"".join(word.to_bytes(2, "big") for word in words)


def _ordered(field: Field, raw: int) -> list[int]:
    data = _reorder(field.order, raw.to_bytes(2 * field.count, "big"))
    return [int.from_bytes(data[i : i + 2], "big") for i in range(0, len(data), 2)]


def _reorder(order: str, data: bytes) -> bytes:
    """Between ABCD and `order`; each of the four orders is its own inverse."""
    if order in ("CDAB", "DCBA"):
        data = b"".join(data[i : i + 2] for i in range(len(data) - 2, -1, -2))
    if order in ("BADC", "DCBA"):
        data = b"".join(data[i : i + 2][::-1] for i in range(0, len(data), 2))
    return data


def _pattern(field: Field, value: Value, multiplier: Decimal) -> int:
    if field.enum:
        return _raw_of_label(field, value)
    if field.is_bool:
        return int(bool(value))
    if isinstance(value, list):
        return sum(1 << bit for bit, label in field.bits.items() if label in value)
    if field.type.startswith("ascii"):
        return int.from_bytes(str(value).encode("ascii", "replace").ljust(2 * field.count), "big")
    if field.type.startswith("datetime"):
        return _moment_pattern(field, str(value))
    return _number_pattern(field, float(value), multiplier)  # type: ignore[arg-type]


def _moment_pattern(field: Field, text: str) -> int:
    """A moment (ISO 8601) as seconds since 1970, or a register for each of its parts."""
    moment = datetime.fromisoformat(text)
    if field.type == "datetime:unix":
        return int(moment.timestamp())
    parts = dict(zip("YMDhms", moment.timetuple(), strict=False))
    letters = field.type.removeprefix("datetime:").split("-")
    return int.from_bytes(_bytes([parts[letter] for letter in letters]), "big")


def _moment(field: Field, raw: int) -> str:
    if field.type == "datetime:unix":
        return datetime.fromtimestamp(raw, UTC).isoformat()
    letters = field.type.removeprefix("datetime:").split("-")
    parts = {letter: raw >> 16 * place & 0xFFFF for place, letter in enumerate(reversed(letters))}
    moment = datetime(*(parts.get(letter, 0) for letter in "YMDhms"))  # type: ignore[arg-type]
    return moment.isoformat()


def _raw_of_label(field: Field, value: Value) -> int:
    if isinstance(value, bool):
        wanted = TRUE_LABELS if value else FALSE_LABELS
        for raw, label in field.enum.items():
            if label.lower() in wanted:
                return raw
    for raw, label in field.enum.items():
        if label == value:
            return raw
    return int(value) if isinstance(value, bool | int | float) else next(iter(field.enum))


def _labelled(field: Field, raw: int) -> Value:
    size = (1 << width(field)) - 1
    label = next((label for key, label in field.enum.items() if key & size == raw), None)
    if label is not None and field.is_bool:
        if label.lower() in TRUE_LABELS:
            return True
        return False if label.lower() in FALSE_LABELS else None
    return label


def _is_invalid(field: Field, raw: int) -> bool:
    for text in field.invalid:
        if field.type.startswith("float"):
            number = _unpack_float(field, raw)
            wanted = float(text)
            if number == wanted or (math.isnan(number) and math.isnan(wanted)):
                return True
        elif integer(text) & ((1 << width(field)) - 1) == raw:
            return True
    return False


def _number_pattern(field: Field, value: float, multiplier: Decimal) -> int:
    exact = (Decimal(repr(value)) - field.offset) / (field.scale * multiplier)
    if field.type.startswith("float"):
        code = ">f" if field.type == "float32" else ">d"
        return int.from_bytes(struct.pack(code, float(exact)), "big")
    number = int(exact.to_integral_value(ROUND_HALF_EVEN))
    low, high = _range(field)
    return _coded(field, min(max(number, low), high))


def _range(field: Field) -> tuple[int, int]:
    bits = width(field)
    if field.mask is None and field.type.startswith("sm"):
        return -(1 << bits - 1) + 1, (1 << bits - 1) - 1
    if field.mask is None and field.type.startswith("int"):
        return -(1 << bits - 1), (1 << bits - 1) - 1
    if field.type == "dec32":
        return 0, 65535 * 10_000 + 9_999
    if field.type.startswith("bcd"):
        return 0, 10 ** (bits // 4) - 1
    return 0, (1 << bits) - 1


def _coded(field: Field, number: int) -> int:
    if field.type.startswith("sm") and number < 0:
        return -number | 1 << width(field) - 1
    if field.type == "dec32":
        return number // 10_000 << 16 | number % 10_000
    return int(str(number), 16) if field.type.startswith("bcd") else number


def _number(field: Field, raw: int, multiplier: Decimal) -> float | None:
    if field.type.startswith("float"):
        number = _unpack_float(field, raw)
        if not math.isfinite(number):
            return None
        scaled = Decimal(_shortest(field, number)) * field.scale * multiplier + field.offset
        return float(scaled)
    plain = _plain(field, raw)
    if plain is None:
        return None
    return float(Decimal(plain) * field.scale * multiplier + field.offset)


def _plain(field: Field, raw: int) -> int | None:
    bits = width(field)
    if field.mask is None and field.type.startswith("int") and raw >> bits - 1:
        return raw - (1 << bits)
    if field.type.startswith("sm"):
        magnitude = raw & (1 << bits - 1) - 1
        return -magnitude if raw >> bits - 1 else magnitude
    if field.type == "dec32":
        return (raw >> 16) * 10_000 + (raw & 0xFFFF)
    if field.type.startswith("bcd"):
        text = f"{raw:x}"
        return int(text) if text.isdecimal() else None
    return raw


def _unpack_float(field: Field, raw: int) -> float:
    size = 2 * field.count
    number: float = struct.unpack(">f" if size == 4 else ">d", raw.to_bytes(size, "big"))[0]
    return number


def _shortest(field: Field, number: float) -> str:
    """The shortest decimal that is this float: 43.1, not 43.099998474121094."""
    if field.type == "float64":
        return repr(number)
    for digits in range(1, 10):
        text = f"{number:.{digits}g}"
        if struct.pack(">f", float(text)) == struct.pack(">f", number):
            return text
    return repr(number)
