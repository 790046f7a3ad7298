"""From words to a value of known quality.

Values are exact: `raw * scale + offset` is counted in whole numbers and divided once, so that
433 * 0.1 - 50 is -6.7 and nothing near it. A float is taken as the shortest number that the
device can have meant (43.1, not 43.0999985) and rounded to the decimals of scale and offset
where these have any. A float that is no number, and a BCD digit above 9, is out of range.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from decimal import Decimal

from devices.modbus import rawtypes, signals, texts
from devices.modbus.cells import BIT_AREAS, Area
from devices.modbus.points import EXACT, ON_WORDS, Pattern, Point, Scalar, Value, shift_of

_KEPT = 1024  # values kept per point: readings come back to the same few words


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
    try:
        value = numerator / denominator
    except OverflowError:
        return math.inf
    return numerator if denominator == 1 and abs(numerator) > 1 << 53 else value


def _linear(scale: Decimal, offset: Decimal) -> Callable[[int], float]:
    """value = raw * scale + offset for whole raw numbers, in whole numbers."""
    power = 10 ** _decimals(scale, offset)
    factor, addend = int(EXACT.multiply(scale, power)), int(EXACT.multiply(offset, power))
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
        exact = EXACT.add(EXACT.multiply(Decimal(repr(short(raw))), scale), offset)
        return float(exact.quantize(place, context=EXACT) if decimals else exact)

    return value


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
    meaning = _meaning(point, EXACT.multiply(point.scale, multiplier))
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


class Remembered(dict[int | tuple[int, ...], Value]):
    """The values of a point by its word, or by the tuple of its words where it has several.

    Most reads bring words that were seen before, and nothing is quicker than a dictionary.
    """

    def __init__(self, point: Point) -> None:
        super().__init__()
        self._decode = compiled(point)

    def __missing__(self, words: int | tuple[int, ...]) -> Value:
        if len(self) >= _KEPT:
            self.clear()
        value = self._decode(*words) if isinstance(words, tuple) else self._decode(words)
        self[words] = value
        return value


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
