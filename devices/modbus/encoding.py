"""From a value to the words that write it, within the limits of the map."""

from __future__ import annotations

from decimal import Decimal

from devices.modbus import rawtypes, texts
from devices.modbus.cells import BIT_AREAS
from devices.modbus.points import EXACT, ON_WORDS, Point, ValueRefused, field_bits, shift_of
from devices.modbus.words import N_


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
        if pattern & ~mask:
            raise ValueRefused(
                N_("%(value)s 写不进掩码 %(mask)s"), value=value, mask=f"0x{mask:04X}"
            )
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
        _allowed_bool(point, wanted, value)
        return rawtypes.to_pattern(point.write_type, int(wanted))
    return _pattern_of_number(point, value)


def _allowed_bool(point: Point, wanted: bool, value: object) -> None:
    if point.write_allowed and wanted not in [ON_WORDS[word] for word in point.write_allowed]:
        raise ValueRefused(
            N_("%(signal)s 不能写“%(value)s”，可写：%(allowed)s"),
            signal=point.signal,
            value=value,
            allowed="、".join(point.write_allowed),
        )


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
        for pattern, label in reversed(list(point.write_enum.items()))
        if not point.write_allowed or label in point.write_allowed
    }
    for meaning, pattern in allowed.values():
        if meaning is not None and meaning == wanted:
            number = (
                rawtypes.to_pattern(point.write_type, pattern)
                if (point.write_type in rawtypes.FLOATS)
                else int(pattern)
            )
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
    if isinstance(value, bool) or not number.is_finite() or not -400 < number.adjusted() <= 40:
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
    if step and EXACT.remainder(EXACT.subtract(number, low or Decimal(0)), step):
        raise ValueRefused(N_("%(value)s 不合步长 %(step)s"), value=number, step=step)


def _pattern_of_number(point: Point, value: object) -> int:
    number = _decimal(point, value)
    _within_limits(point, number)
    raw = EXACT.divide(EXACT.subtract(number, point.write_offset), point.write_scale)
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
