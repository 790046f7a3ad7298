"""Values become words to write, or are refused with the reason."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.modbus.decoding import decode
from devices.modbus.encoding import encode
from devices.modbus.points import ValueRefused
from tests.devices.modbus.written_maps import point_of


@pytest.mark.parametrize(
    ("cells", "value", "words"),
    [
        ({"type": "int16", "scale": "0.1", "offset": "-50"}, -6.7, [433]),
        ({"type": "int16"}, -1, [0xFFFF]),
        ({"type": "int16", "order": "BA"}, "258", [0x0201]),
        ({"type": "sm16", "scale": "0.5"}, -1.5, [0x8003]),
        ({"type": "sm32", "order": "CDAB"}, -65536, [0, 0x8001]),
        ({"type": "int32", "order": "DCBA"}, 0x01020304, [0x0403, 0x0201]),
        ({"type": "uint64"}, 2**64 - 1, [0xFFFF] * 4),
        ({"type": "int64", "order": "BADC"}, 258, [0, 0, 0, 0x0201]),
        ({"type": "dec32"}, 123_456, [12, 3456]),
        ({"type": "bcd16"}, 1234, [0x1234]),
        ({"type": "bcd32", "scale": "0.01"}, "1234.56", [0x0012, 0x3456]),
        ({"type": "float32"}, 43.1, [0x422C, 0x6666]),
        ({"type": "float64"}, -6.7, [0xC01A, 0xCCCC, 0xCCCC, 0xCCCD]),
        ({"type": "uint8_hi"}, 254, [0xFE00]),
        ({"type": "int8_lo"}, -2, [0x00FE]),
        ({"type": "int8_hi", "order": "BA"}, -2, [0x00FE]),
        ({"type": "bits", "mask": "0x0FF0"}, 0xBC, [0x0BC0]),
        ({"type": "bits", "mask": "0x0300", "enum": "1=low;2=high"}, "high", [0x0200]),
        ({"type": "ascii:5"}, "AB-7C", [0x4142, 0x2D37, 0x4300]),
        ({"type": "datetime:bcd:YYMMDDhhmmss"}, "2026-01-05T08:09:10", [0x2601, 0x0508, 0x0910]),
        ({"type": "datetime:unix"}, "2026-01-05T00:00:00+00:00", [0x695A, 0xFF00]),
        ({"area": "coil"}, True, [1]),
        ({"area": "coil", "enum": "0=on;1=off"}, True, [0]),
        ({"area": "coil", "enum": "0=on;1=off"}, "off", [1]),
        ({"signal": "power_state", "type": "uint16"}, "on", [1]),
        ({"signal": "power_state", "type": "uint16", "enum": "2=on;1=off"}, False, [1]),
        ({"signal": "power_state", "type": "float32"}, True, [0x3F80, 0]),
        ({"signal": "power_state", "type": "bits", "mask": "4"}, True, [4]),
    ],
)
def test_a_value_is_written_as_the_paper_says(
    cells: dict[str, Any], value: object, words: list[int]
) -> None:
    assert encode(point_of(access="rw", **cells), value) == words


@pytest.mark.parametrize(
    ("cells", "value", "words"),
    [
        ({"write_type": "uint32"}, 20, [0, 20]),
        ({"write_type": "uint32", "write_order": "little"}, 20, [20, 0]),
        ({"write_scale": "0.1"}, 20, [200]),
        ({"scale": "0.1", "write_offset": "-5"}, 20, [250]),
        ({"write_type": "bits", "write_mask": "0xFF00"}, 20, [0x1400]),
        ({"write_area": "coil", "enum": "0=off_line;1=on_line"}, "on_line", [1]),
        ({"enum": "1=a;2=b", "write_enum": "0x10=a;0x20=b"}, "b", [0x20]),
        ({"order": "BA", "write_address": 9}, 20, [0x1400]),
    ],
)
def test_the_writing_side_may_differ_from_reading(
    cells: dict[str, Any], value: object, words: list[int]
) -> None:
    assert encode(point_of(access="rw", type="uint16", **cells), value) == words


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ({"type": "bits", "mask": "4", "write_method": "pulse", "write_value": 1}, [4]),
        ({"type": "uint16", "write_method": "command", "write_value": "0x55"}, [0x55]),
        ({"type": "uint16", "enum": "9=reset", "write_value": "reset"}, [9]),
        ({"type": "int16", "write_method": "value", "write_value": -1}, [0xFFFF]),
        ({"area": "coil", "write_method": "coil_self_clearing"}, [1]),
        ({"area": "coil", "write_method": "coil_self_clearing", "write_value": 0}, [0]),
    ],
)
def test_an_alarm_reset_writes_its_own_value_and_is_never_switched_off(
    cells: dict[str, Any], words: list[int]
) -> None:
    point = point_of(signal="alarm_reset", access="w", **cells)
    assert encode(point, True) == words
    with pytest.raises(ValueRefused, match="只能触发"):
        encode(point, False)


LIMITED = {"type": "int16", "scale": "0.5", "min": 16, "max": 30, "step": "0.5", "unit": "℃"}


@pytest.mark.parametrize(
    ("cells", "value", "reason"),
    [
        (LIMITED, 15.5, "15.5 超出点表限值：16 到 30 °C"),
        (LIMITED, 30.5, "30.5 超出点表限值：16 到 30 °C"),
        (LIMITED, 20.3, "20.3 不合步长 0.5"),
        ({"type": "int16", "min": 5, "step": 2}, 6, "6 不合步长 2"),
        ({"type": "int16", "max": 5}, 6, "6 超出点表限值：-∞ 到 5"),
        ({"type": "int16", "scale": "0.5"}, 20.3, "设备按 0.5 一档存放，写不了 20.3"),
        ({"type": "int16"}, 32768, "32768 超出设备能存放的范围（int16）"),
        ({"type": "uint16"}, -1, "超出设备能存放的范围"),
        ({"type": "sm16"}, 32768, "超出设备能存放的范围"),
        ({"type": "bcd16"}, 10_000, "超出设备能存放的范围"),
        ({"type": "dec32"}, 65536 * 10_000, "超出设备能存放的范围"),
        ({"type": "uint8_lo"}, 256, "超出设备能存放的范围"),
        ({"type": "float32"}, 1e39, "超出设备能存放的范围"),
        ({"type": "bits", "mask": "0x00F0"}, 16, "超出设备能存放的范围"),
        ({"type": "bits", "mask": "0x0101"}, 2, "写不进掩码 0x0101"),
        ({"type": "int16"}, "warm", "要写数字，收到：warm"),
        ({"type": "int16"}, True, "要写数字"),
        ({"type": "int16"}, None, "要写数字"),
        ({"type": "int16"}, float("nan"), "要写数字"),
        ({"type": "int16"}, "inf", "要写数字"),
        ({"type": "uint16", "enum": "1=a;2=b"}, "c", "不能写“c”，可写：a、b"),
        ({"type": "uint16", "enum": "1=a;2=b", "write_allowed": "a"}, "b", "可写：a"),
        ({"type": "uint16", "enum": "1=a b;2=b", "write_allowed": "a b"}, "b", "可写：a b"),
        ({"signal": "power_state", "type": "uint16"}, 2, "只能写 on 或 off，收到：2"),
        ({"signal": "power_state", "type": "bool", "write_allowed": "on"}, False, "可写：on"),
        ({"type": "ascii:3"}, "long", "写不进 x（ascii:3）"),
        ({"type": "ascii:3"}, "冷", "写不进 x"),
        ({"type": "datetime:unix"}, "today", "写不进 x"),
        ({"type": "datetime:unix"}, "1969-01-01T00:00:00", "写不进 x"),
        ({"type": "int16", "access": "r"}, 1, "x 为只读，不能写入"),
    ],
)
def test_what_may_not_or_can_not_be_written_is_refused(
    cells: dict[str, Any], value: object, reason: str
) -> None:
    with pytest.raises(ValueRefused) as refusal:
        encode(point_of(**{"access": "rw", **cells}), value)
    assert reason in str(refusal.value)
    assert refusal.value.template % refusal.value.params == str(refusal.value)


def test_the_edges_of_the_limits_may_be_written() -> None:
    point = point_of(access="rw", **LIMITED)
    assert (encode(point, 16), encode(point, "30"), encode(point, 16.5)) == ([32], [60], [33])


NUMBER_TYPES = {
    "int16": (-32768, 32767),
    "uint16": (0, 65535),
    "sm16": (-32767, 32767),
    "int32": (-(2**31), 2**31 - 1),
    "uint32": (0, 2**32 - 1),
    "sm32": (1 - 2**31, 2**31 - 1),
    "int64": (-(2**63), 2**63 - 1),
    "uint64": (0, 2**64 - 1),
    "dec32": (0, 655_359_999),
    "bcd16": (0, 9999),
    "bcd32": (0, 99_999_999),
    "int8_hi": (-128, 127),
    "int8_lo": (-128, 127),
    "uint8_hi": (0, 255),
    "uint8_lo": (0, 255),
}
ONE_WORD = {"int16", "uint16", "sm16", "bcd16", "int8_hi", "int8_lo", "uint8_hi", "uint8_lo"}


@given(st.data())
def test_what_is_written_reads_back_as_it_was_meant(data: st.DataObject) -> None:
    type_ = data.draw(st.sampled_from(sorted(NUMBER_TYPES)))
    orders = ("AB", "BA") if type_ in ONE_WORD else ("ABCD", "CDAB", "BADC", "DCBA")
    scale = data.draw(st.sampled_from(["1", "0.1", "0.5", "0.01", "2", "-0.1", "10"]))
    offset = data.draw(st.sampled_from(["0", "-50", "0.25"]))
    point = point_of(
        type=type_,
        access="rw",
        order=data.draw(st.sampled_from(orders)),
        scale=scale,
        offset=offset,
    )
    low, high = NUMBER_TYPES[type_]
    raw = data.draw(st.integers(low, high) | st.sampled_from([low, high]))
    meant = raw * Decimal(scale) + Decimal(offset)
    words = encode(point, meant)
    value = decode(point, words)
    assert isinstance(value.value, int | float)
    assert float(value.value) == float(meant)
    assert encode(point, meant) == words


@given(
    st.floats(width=32, allow_nan=False, allow_infinity=False), st.sampled_from(["ABCD", "DCBA"])
)
def test_a_float32_that_is_written_reads_back_alike(number: float, order: str) -> None:
    point = point_of(type="float32", access="rw", order=order)
    words = encode(point, number)
    assert encode(point, decode(point, words).value) == words


@given(st.text() | st.integers() | st.floats() | st.booleans() | st.none() | st.binary())
def test_whatever_is_wished_is_written_or_refused(wish: object) -> None:
    for cells in (
        {"type": "int16", "scale": "0.1", "step": "0.3"},
        {"type": "float32"},
        {"type": "uint16", "enum": "1=a"},
        {"type": "ascii:4"},
        {"type": "datetime:YYMMDDhh"},
        {"area": "coil"},
    ):
        point = point_of(access="rw", **cells)
        try:
            words = encode(point, wish)
        except ValueRefused as refusal:
            assert str(refusal)
        else:
            assert len(words) == point.write_count
            assert all(0 <= word <= 0xFFFF for word in words)
