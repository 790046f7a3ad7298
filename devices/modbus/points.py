"""One point of a register map: from words to a value of known quality, and back to words.

Values are exact: `raw * scale + offset` is counted in whole numbers and divided once, so that
433 * 0.1 - 50 is -6.7 and nothing near it. A float is taken as the shortest number that the
device can have meant (43.1, not 43.0999985) and rounded to the decimals of scale and offset
where these have any.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Context, Decimal
from functools import lru_cache

from devices.modbus import rawtypes, signals, texts
from devices.modbus.cells import BIT_AREAS, Area, Target
from devices.modbus.words import N_, Sentence

Scalar = float | bool | str | list[str] | None
Pattern = int | float
ON_WORDS = {"on": True, "off": False, "true": True, "false": False, "开": True, "关": False}
TRIGGERS = frozenset({"pulse", "command", "coil_self_clearing"})
_EXACT = Context(prec=200)
_KEPT = 256  # decoded values kept per point; readings come back to the same few words


@dataclass(frozen=True, slots=True)
class Value:
    """A value and its quality; `value` is None unless the quality is "good".

    `raw` is the evidence, the words as read ("0x01AF", "0x0001 0x86A0"): of every value that is
    not good though it was read, and of a set with active bits that the map does not name.
    """

    value: Scalar
    quality: str = "good"
    raw: str | None = None


class ValueRefused(Exception):
    """A value that this point does not take; `sentence` is the Chinese reason."""

    def __init__(self, template: str, **params: object) -> None:
        super().__init__(template, params)
        self.template = template
        self.params = params
        self.sentence = Sentence(template, **params)

    def __str__(self) -> str:
        return self.sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One row of a register map. Addresses are as on the wire, counted from 0.

    `enum`, `invalid` and `write_enum` map patterns to words, `severity` labels to critical, warn
    or info, `when` signals to the labels under which the row holds. The `write_…` fields are the
    ones in force, with what the file leaves to the reading side filled in; they are empty of a
    point that cannot be written. `write_value` is a pattern. Delays are seconds.
    """

    signal: str
    name: str = ""
    area: Area
    address: int
    type: str
    order: str = ""
    scale: Decimal = Decimal(1)
    offset: Decimal = Decimal(0)
    scale_from: str | None = None
    unit: str = ""
    access: str = "r"
    min: Decimal | None = None
    max: Decimal | None = None
    step: Decimal | None = None
    enum: Mapping[Pattern, str] = field(default_factory=dict)
    bits: Mapping[int, str] = field(default_factory=dict)
    severity: Mapping[str, str] = field(default_factory=dict)
    mask: int | None = None
    invalid: Mapping[Pattern, str] = field(default_factory=dict)
    when: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    write_area: Area = "holding"
    write_address: int = 0
    write_type: str = ""
    write_order: str = ""
    write_scale: Decimal = Decimal(1)
    write_offset: Decimal = Decimal(0)
    write_mask: int | None = None
    write_enum: Mapping[Pattern, str] = field(default_factory=dict)
    write_function: int | None = None
    write_method: str = ""
    write_value: int | None = None
    write_delay_s: float = 2.0
    write_allowed: tuple[str, ...] = ()
    before: tuple[Target, ...] = ()
    verify: tuple[str, str] | None = None
    note: str = ""
    row: int = field(default=0, compare=False)

    @property
    def readable(self) -> bool:
        """Whether the point gives a value."""
        return "r" in self.access

    @property
    def writable(self) -> bool:
        """Whether the point takes a value."""
        return "w" in self.access

    @property
    def count(self) -> int:
        """Registers, or coils and discrete inputs, that a read of the point takes."""
        return size(self.area, self.type)

    @property
    def write_count(self) -> int:
        """Registers or coils that a write of the point takes."""
        return size(self.write_area, self.write_type)

    @property
    def read_field(self) -> int | None:
        """The bits of the register that are this point's; None where all of it is."""
        return rawtypes.BYTES.get(self.type, self.mask)

    @property
    def write_field(self) -> int | None:
        """The bits that a write may change; None where it owns the whole register."""
        return rawtypes.BYTES.get(self.write_type, self.write_mask)

    @property
    def is_bool(self) -> bool:
        """Whether the value is true or false."""
        kind = signals.kind_of(self.signal)
        if kind or self.type != "bool":
            return kind in ("bool", "cmd")
        return all(text.lower() in ON_WORDS for text in self.enum.values())


def size(area: Area, type_: str) -> int:
    """Registers or bits that a type takes in an area."""
    if area in BIT_AREAS:
        return 1
    return texts.text_registers(type_) if texts.is_text(type_) else rawtypes.registers(type_)


def field_bits(type_: str, mask: int | None) -> int:
    """Bits of the pattern: of the type, or of the masked field shifted down."""
    return rawtypes.width(type_) if mask is None else (mask >> shift_of(mask)).bit_length()


def shift_of(mask: int) -> int:
    """How far down a masked field is shifted."""
    return (mask & -mask).bit_length() - 1


# --- from words to a value ---------------------------------------------------------------


def evidence(words: Sequence[int], area: Area = "holding") -> str:
    """The words as people compare them: 0x0001 0x86A0; of coils 0 or 1."""
    if area in BIT_AREAS:
        return " ".join(str(int(bit)) for bit in words)
    return " ".join(f"0x{word:04X}" for word in words)


def _extractor(point: Point) -> Callable[..., int]:
    """A function from words to the point's pattern."""
    join = rawtypes.joiner(point.count, point.order)
    mask = point.read_field
    if mask is None:
        return join
    shift = shift_of(mask)
    return lambda word: (join(word) & mask) >> shift


def _decimals(*numbers: Decimal) -> int:
    return max(0, *(-int(number.as_tuple().exponent) for number in numbers))


def _as_float(numerator: int, denominator: int) -> float:
    """The float nearest to the fraction, but a whole number that no float holds as it is."""
    if denominator == 1 and abs(numerator) > 1 << 53:
        return numerator
    return numerator / denominator


def _linear(scale: Decimal, offset: Decimal) -> Callable[[int], float]:
    """value = raw * scale + offset for whole raw numbers, in whole numbers."""
    power = 10 ** _decimals(scale, offset)
    factor, addend = int(_EXACT.multiply(scale, power)), int(_EXACT.multiply(offset, power))
    return lambda raw: _as_float(raw * factor + addend, power)


def _linear_float(scale: Decimal, offset: Decimal, type_: str) -> Callable[[float], float]:
    """The same for raw floats; rounded half to even, as Decimal does."""
    short = rawtypes.shortest if type_ == "float32" else float
    if scale == 1 and offset == 0 and not _decimals(scale, offset):
        return short
    decimals = _decimals(scale, offset)
    place = Decimal(1).scaleb(-decimals)

    def value(raw: float) -> float:
        if not math.isfinite(raw):
            return raw
        exact = _EXACT.add(_EXACT.multiply(Decimal(repr(short(raw))), scale), offset)
        return float(exact.quantize(place, context=_WIDE) if decimals else exact)

    return value


_WIDE = Context(prec=400)


def _arithmetic(point: Point, scale: Decimal) -> Callable[[float], float]:
    if point.type in rawtypes.FLOATS:
        return _linear_float(scale, point.offset, point.type)
    return _linear(scale, point.offset)  # type: ignore[return-value]


def _set_decoder(point: Point) -> Callable[[int, tuple[int, ...]], Value]:
    named = tuple((1 << bit, text) for bit, text in point.bits.items())
    known = sum(1 << bit for bit in point.bits)

    def decode(pattern: int, words: tuple[int, ...]) -> Value:
        labels = sorted({text for bit, text in named if pattern & bit})
        return Value(labels, "good", evidence(words) if pattern & ~known else None)

    return decode


def _label_decoder(point: Point) -> Callable[[Pattern, tuple[int, ...]], Value]:
    labels: dict[Pattern, Scalar] = dict(point.enum)
    if point.is_bool:
        known = {key: ON_WORDS.get(text.lower()) for key, text in point.enum.items()}
        labels = {key: value for key, value in known.items() if value is not None}
    if point.type in rawtypes.FLOATS:
        labels = {rawtypes.comparable(point.type, key): text for key, text in labels.items()}
    area = point.area

    def decode(pattern: Pattern, words: tuple[int, ...]) -> Value:
        value = labels.get(pattern)
        if value is None:
            return Value(None, f"unknown_enum:{pattern}", evidence(words, area))
        return Value(value)

    return decode


def _bool_decoder(point: Point) -> Callable[[Pattern, tuple[int, ...]], Value]:
    area = point.area

    def decode(pattern: Pattern, words: tuple[int, ...]) -> Value:
        if pattern in (0, 1):
            return Value(bool(pattern))
        return Value(None, "out_of_range", evidence(words, area))

    return decode


def _number_decoder(point: Point, scale: Decimal) -> Callable[[int, tuple[int, ...]], Value]:
    number = rawtypes.reader(point.type)
    floating = point.type in rawtypes.FLOATS
    value_of = _arithmetic(point, scale)
    known = signals.signals().get(point.signal)
    low, high = known.plausible if known and known.plausible else (-math.inf, math.inf)

    def decode(pattern: int, words: tuple[int, ...]) -> Value:
        raw = pattern if floating else number(pattern)
        if raw is not None:
            value = value_of(raw)
            if low <= value <= high and -math.inf < value < math.inf:
                return Value(value)
        return Value(None, "out_of_range", evidence(words))

    return decode


def _text_decoder(point: Point) -> Callable[..., Value]:
    def decode(*words: int) -> Value:
        text = texts.text_of(point.type, words, point.order)
        return Value(None, "out_of_range", evidence(words)) if text is None else Value(text)

    return decode


def _meaning(point: Point, scale: Decimal) -> Callable[..., Value]:
    """A function of pattern and words, chosen by what the point is."""
    if point.type in rawtypes.BITFIELDS:
        return _set_decoder(point)
    if point.enum:
        return _label_decoder(point)
    if point.is_bool:
        return _bool_decoder(point)
    return _number_decoder(point, scale)


def compiled(point: Point, multiplier: Decimal = Decimal(1)) -> Callable[..., Value]:
    """A function from the point's words (or its bit) to its value, without any context.

    `multiplier` is the value of the signal that `scale_from` names.
    """
    if texts.is_text(point.type):
        return _text_decoder(point)
    extract = _extractor(point)
    meaning = _meaning(point, _EXACT.multiply(point.scale, multiplier))
    number = rawtypes.reader(point.type) if point.type in rawtypes.FLOATS else None
    reasons = dict(point.invalid)
    if number:
        reasons = {rawtypes.comparable(point.type, key): why for key, why in reasons.items()}

    def decode(*words: int) -> Value:
        pattern = extract(*words)
        if number:
            pattern = number(pattern)  # type: ignore[assignment]
        reason = reasons.get(pattern)
        if reason is not None:
            return Value(None, reason, evidence(words, point.area))
        return meaning(pattern, words)

    return decode


def remembered(point: Point) -> Callable[..., Value]:
    """The same, keeping the latest values: most reads bring words that were seen before."""
    return lru_cache(maxsize=_KEPT)(compiled(point))


def decode(point: Point, words: Sequence[int]) -> Value:
    """The value of one point by itself; words as read, or 0 and 1 of coils and discrete inputs.

    Raises ValueError where the words cannot be this point's. What the point depends on is not
    known here: `when` is taken to hold, and with `scale_from` there is no value (quality
    `scale_from:<signal>`).
    """
    highest = 1 if point.area in BIT_AREAS else 0xFFFF
    if len(words) != point.count or not all(0 <= word <= highest for word in words):
        raise ValueError(f"{point.signal} takes {point.count} words of 0 to {highest}")
    if point.scale_from:
        return Value(None, f"scale_from:{point.scale_from}", evidence(words, point.area))
    return compiled(point)(*words)


# --- from a value to words ---------------------------------------------------------------


def encode(point: Point, value: object) -> list[int]:
    """The words (or the coil's 0 or 1) that write this value.

    Takes numbers, booleans, labels, and their texts. Of a masked type and of a byte the field
    is shifted into place and every other bit is 0: `write_field` says which bits to change. A
    pulse, a command and a self-clearing coil give their `write_value` whatever the wish, so
    long as it is no "off". Raises ValueRefused.
    """
    if not point.writable:
        raise ValueRefused(N_("%(signal)s 为只读，不能写入"), signal=point.signal)
    if texts.is_text(point.write_type):
        return _text_words(point, value)
    pattern = _wanted_pattern(point, value)
    if point.write_area in BIT_AREAS:
        return [pattern]
    mask = point.write_field
    if mask is not None:
        pattern <<= shift_of(mask)
    return rawtypes.cut(pattern, point.write_count, point.write_order)


def _wanted_pattern(point: Point, value: object) -> int:
    if point.write_value is not None:
        if _as_bool(value) is False:
            raise ValueRefused(N_("%(signal)s 只能触发，不能写“关”"), signal=point.signal)
        return point.write_value
    if point.write_enum:
        return _pattern_of_label(point, value)
    if point.is_bool:
        wanted = _as_bool(value)
        if wanted is None:
            raise ValueRefused(
                N_("%(signal)s 只能写 on 或 off，收到：%(value)s"), signal=point.signal, value=value
            )
        return int(wanted)
    return _pattern_of_number(point, value)


def _text_words(point: Point, value: object) -> list[int]:
    try:
        return texts.words_of(point.write_type, str(value), point.write_order)
    except ValueError:
        raise ValueRefused(
            N_("%(value)s 写不进 %(signal)s（%(type)s）"),
            value=value,
            signal=point.signal,
            type=point.write_type,
        ) from None


def _as_bool(value: object) -> bool | None:
    if isinstance(value, str):
        text = value.strip().lower()
        return ON_WORDS.get(text, {"1": True, "0": False}.get(text))
    return bool(value) if value in (0, 1) else None


def _pattern_of_label(point: Point, value: object) -> int:
    """The pattern of a label; of a bool point true and false stand for its on and off."""
    wanted: object = _as_bool(value) if point.is_bool else str(value).strip()
    allowed = {
        label: (ON_WORDS.get(label.lower()) if point.is_bool else label, pattern)
        for pattern, label in reversed(point.write_enum.items())
        if not point.write_allowed or label in point.write_allowed
    }
    for meaning, pattern in allowed.values():
        if meaning is not None and meaning == wanted:
            number = rawtypes.to_pattern(point.write_type, pattern) if (
                point.write_type in rawtypes.FLOATS
            ) else int(pattern)
            return number
    raise ValueRefused(
        N_("%(signal)s 不能写“%(value)s”，可写：%(allowed)s"),
        signal=point.signal,
        value=value,
        allowed="、".join(sorted(allowed)),
    )


def _decimal(point: Point, value: object) -> Decimal:
    try:
        number = Decimal(str(value).strip())
    except ArithmeticError:
        number = Decimal("nan")
    if isinstance(value, bool) or not number.is_finite() or abs(number.adjusted()) > 40:
        raise ValueRefused(
            N_("%(signal)s 要写数字，收到：%(value)s"), signal=point.signal, value=value
        )
    return number


def _within_limits(point: Point, number: Decimal) -> None:
    low, high, step = point.min, point.max, point.step
    if (low is not None and number < low) or (high is not None and number > high):
        raise ValueRefused(
            N_("%(value)s 超出点表限值：%(min)s 到 %(max)s %(unit)s"),
            value=number,
            min="-∞" if low is None else low,
            max="+∞" if high is None else high,
            unit=point.unit,
        )
    if step and _EXACT.remainder(_EXACT.subtract(number, low or Decimal(0)), step):
        raise ValueRefused(N_("%(value)s 不合步长 %(step)s"), value=number, step=step)


def _pattern_of_number(point: Point, value: object) -> int:
    number = _decimal(point, value)
    _within_limits(point, number)
    raw = _EXACT.divide(_EXACT.subtract(number, point.write_offset), point.write_scale)
    floating = point.write_type in rawtypes.FLOATS
    mask = point.write_field
    try:
        if not floating and raw != raw.to_integral_value():
            raise ValueRefused(
                N_("设备按 %(scale)s 一档存放，写不了 %(value)s"),
                scale=point.write_scale,
                value=number,
            )
        return rawtypes.to_pattern(
            point.write_type,
            float(raw) if floating else int(raw),
            field_bits(point.write_type, mask),
        )
    except rawtypes.DoesNotFit:
        raise ValueRefused(
            N_("%(value)s 超出设备能存放的范围（%(type)s）"), value=number, type=point.write_type
        ) from None
