"""Words become values; the expected ones are worked out by hand, or by Decimal."""

from __future__ import annotations

import json
import math
import struct
from decimal import ROUND_HALF_EVEN, Context, Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.modbus import pointmap
from devices.modbus.decoding import decode
from devices.modbus.points import Point, Value
from tests.devices.modbus.written_maps import point_of

MAPS = Path(pointmap.__file__).parent / "maps"
VECTORS = json.loads((Path(__file__).parent / "decode_vectors.json").read_text(encoding="utf-8"))
WORD = st.integers(0, 0xFFFF)
WIDE = Context(prec=500)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: f"{v['signal']} {'_'.join(v['words'])}")
def test_every_vector_of_the_paper_decodes_to_its_value_and_quality(vector: dict[str, Any]) -> None:
    name = f"{vector['map']}.csv"
    point = pointmap.load((MAPS / name).read_bytes(), name).point(vector["signal"])
    value = decode(point, [int(word, 16) for word in vector["words"]])
    assert value.value == vector["expect"]
    assert type(value.value) is type(vector["expect"])
    assert value.quality == vector["quality"]


@pytest.mark.parametrize(
    ("cells", "words", "value"),
    [
        ({"type": "int16"}, [0x8000], -32768),
        ({"type": "uint16"}, [0x8000], 32768),
        ({"type": "sm16"}, [0x8003], -3),
        ({"type": "sm16"}, [0x8000], 0),
        ({"type": "sm32"}, [0x8001, 0x0000], -65536),
        ({"type": "int32"}, [0xFFFF, 0xFFFE], -2),
        ({"type": "uint32"}, [0x0001, 0x86A0], 100_000),
        ({"type": "int64"}, [0xFFFF] * 4, -1),
        ({"type": "uint64"}, [0xFFFF] * 4, 2**64 - 1),
        ({"type": "dec32"}, [12, 3456], 123_456),
        ({"type": "dec32"}, [0, 12_345], 12_345),
        ({"type": "int8_hi"}, [0xFE7F], -2),
        ({"type": "int8_lo"}, [0x7FFE], -2),
        ({"type": "uint8_hi"}, [0xFE7F], 254),
        ({"type": "uint8_lo"}, [0x7FFE], 254),
        ({"type": "bits", "mask": "0x0FF0"}, [0xABCD], 0xBC),
        ({"type": "uint16", "mask": "0x00F0"}, [0x1234], 3),
        ({"type": "bcd16"}, [0x1234], 1234),
        ({"type": "bcd32"}, [0x0012, 0x3456], 123_456),
        ({"type": "float32"}, [0x422C, 0x6666], 43.1),
        ({"type": "float32"}, [0xC0D6, 0x6666], -6.7),
        ({"type": "float64"}, [0xC01A, 0xCCCC, 0xCCCC, 0xCCCD], -6.7),
        ({"type": "ascii:5"}, [0x4142, 0x2D37, 0x4300], "AB-7C"),
        ({"type": "ascii:6"}, [0x4142, 0x0043, 0x4445], "AB"),
        ({"type": "ascii:4", "order": "BA"}, [0x4241, 0x372D], "AB-7"),
        ({"type": "datetime:unix"}, [0x695A, 0xFF00], "2026-01-05T00:00:00+00:00"),
        ({"type": "datetime:YYMMDDhhmmss"}, [0x1A01, 0x0508, 0x090A], "2026-01-05T08:09:10"),
        ({"type": "datetime:bcd:YYMMDDhhmmss"}, [0x2601, 0x0508, 0x0910], "2026-01-05T08:09:10"),
        ({"type": "datetime:Y-M-D-h-m-s"}, [2026, 1, 5, 8, 9, 10], "2026-01-05T08:09:10"),
        ({"type": "datetime:YYYYMMDD"}, [0x07EA, 0x0105], "2026-01-05T00:00:00"),
        ({"type": "bool"}, [1], True),
        ({"type": "bool", "area": "coil"}, [0], False),
        ({"type": "", "area": "discrete"}, [1], True),
    ],
)
def test_a_type_means_what_the_paper_says(
    cells: dict[str, Any], words: list[int], value: object
) -> None:
    assert decode(point_of(**cells), words) == Value(value)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("type_", "order", "words"),
    [
        ("uint16", "AB", [0x0102]),
        ("uint16", "BA", [0x0201]),
        ("uint32", "ABCD", [0x0102, 0x0304]),
        ("uint32", "big", [0x0102, 0x0304]),
        ("uint32", "CDAB", [0x0304, 0x0102]),
        ("uint32", "little", [0x0304, 0x0102]),
        ("uint32", "BADC", [0x0201, 0x0403]),
        ("uint32", "DCBA", [0x0403, 0x0201]),
        ("uint64", "ABCD", [0x0102, 0x0304, 0x0506, 0x0708]),
        ("uint64", "CDAB", [0x0708, 0x0506, 0x0304, 0x0102]),
        ("uint64", "BADC", [0x0201, 0x0403, 0x0605, 0x0807]),
        ("uint64", "DCBA", [0x0807, 0x0605, 0x0403, 0x0201]),
    ],
)
def test_a_byte_order_puts_the_bytes_back_in_their_place(
    type_: str, order: str, words: list[int]
) -> None:
    straight = bytes(range(1, 2 * len(words) + 1))
    assert decode(point_of(type=type_, order=order), words).value == int.from_bytes(straight, "big")


@pytest.mark.parametrize(("type_", "word"), [("int8_hi", 0x05FF), ("int8_lo", 0xFF05)])
def test_a_byte_is_taken_after_the_byte_order_is_undone(type_: str, word: int) -> None:
    assert decode(point_of(type=type_), [word]).value == 5
    assert decode(point_of(type=type_, order="BA"), [word]).value == -1


# --- arithmetic ------------------------------------------------------------------------------

DECIMALS = st.decimals(-1000, 1000, allow_nan=False, allow_infinity=False, places=4)
SCALES = DECIMALS.filter(bool) | st.sampled_from([Decimal(t) for t in ("0.1", "0.01", "0.5", "10")])


def test_433_tenths_less_50_is_exactly_minus_6_point_7() -> None:
    assert decode(point_of(type="uint16", scale="0.1", offset="-50"), [433]).value == -6.7


@given(SCALES, DECIMALS, st.lists(WORD, min_size=2, max_size=2))
def test_whole_numbers_are_scaled_as_exactly_as_decimal_does(
    scale: Decimal, offset: Decimal, words: list[int]
) -> None:
    point = Point(signal="x", area="holding", address=0, type="int32", scale=scale, offset=offset)
    raw = int.from_bytes(struct.pack(">HH", *words), "big", signed=True)
    assert decode(point, words).value == float(WIDE.add(WIDE.multiply(raw, scale), offset))


@given(st.floats(width=32, allow_nan=False, allow_infinity=False), DECIMALS)
def test_floats_are_rounded_to_the_digits_of_scale_and_offset(raw: float, offset: Decimal) -> None:
    point = Point(
        signal="x", area="holding", address=0, type="float64", scale=Decimal("0.1"), offset=offset
    )
    words = struct.unpack(">4H", struct.pack(">d", raw))
    exact = WIDE.add(WIDE.multiply(Decimal(repr(raw)), Decimal("0.1")), offset)
    place = Decimal(1).scaleb(min(-1, int(offset.as_tuple().exponent)))
    expected = exact.quantize(place, ROUND_HALF_EVEN, WIDE)
    assert decode(point, words).value == float(expected)


@given(st.decimals(-9999, 9999, allow_nan=False, allow_infinity=False, places=2))
def test_a_float32_is_the_short_number_that_the_device_meant(meant: Decimal) -> None:
    words = struct.unpack(">HH", struct.pack(">f", float(meant)))
    assert decode(point_of(type="float32"), words).value == float(meant)


@given(WORD, WORD)
def test_a_float32_is_never_another_number_than_its_bits(high: int, low: int) -> None:
    raw = struct.unpack(">f", struct.pack(">HH", high, low))[0]
    value = decode(point_of(type="float32"), [high, low])
    if math.isfinite(raw):
        assert struct.pack(">f", value.value) == struct.pack(">f", raw)
    else:
        assert value == Value(None, "out_of_range", f"0x{high:04X} 0x{low:04X}")


# --- what gives no value -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "words", "reason"),
    [
        ({"type": "int16", "invalid": "0x8000=short;0x7FFF=open"}, [0x8000], "short"),
        ({"type": "int16", "invalid": "-32768=short"}, [0x8000], "short"),
        ({"type": "int16", "invalid": "8000H=short"}, [0x8000], "short"),
        ({"type": "int16", "invalid": "0x8000=short", "scale": "0.1"}, [0x8000], "short"),
        ({"type": "sm16", "invalid": "0x8000=none_fitted"}, [0x8000], "none_fitted"),
        ({"type": "uint32", "order": "CDAB", "invalid": "0xFFFF0000=x"}, [0, 0xFFFF], "x"),
        ({"type": "int8_hi", "invalid": "0x80=broken"}, [0x8012], "broken"),
        ({"type": "bits", "mask": "0x0F00", "invalid": "15=absent"}, [0x1F23], "absent"),
        ({"type": "bcd16", "invalid": "0xFFFF=absent"}, [0xFFFF], "absent"),
        ({"type": "float32", "invalid": "nan=open"}, [0x7FC0, 0], "open"),
        ({"type": "float32", "invalid": "NaN=open"}, [0xFFC1, 0x2345], "open"),
        ({"type": "float32", "invalid": "-9999.0=off"}, [0xC61C, 0x3C00], "off"),
        ({"type": "float32", "invalid": "3.4028235e38=off"}, [0x7F7F, 0xFFFF], "off"),
        ({"type": "float64", "invalid": "0.1=off"}, [0x3FB9, 0x9999, 0x9999, 0x999A], "off"),
        ({"type": "float32", "invalid": "0.1=off"}, [0x3DCC, 0xCCCD], "off"),
        ({"type": "uint16", "invalid": "0=x", "enum": "0=off;1=on"}, [0], "x"),
    ],
)
def test_an_invalid_pattern_gives_its_reason_and_no_value(
    cells: dict[str, Any], words: list[int], reason: str
) -> None:
    value = decode(point_of(**cells), words)
    assert (value.value, value.quality) == (None, reason)
    assert value.raw == " ".join(f"0x{word:04X}" for word in words)


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ({"type": "bcd16"}, [0x12A4]),
        ({"type": "float32"}, [0x7F80, 0]),
        ({"type": "float64"}, [0x7FF8, 0, 0, 0]),
        ({"type": "ascii:2"}, [0xFF41]),
        ({"type": "datetime:Y-M-D"}, [2026, 13, 1]),
        ({"type": "datetime:bcd:YYMMDDhh"}, [0x261A, 0x0101]),
        ({"type": "uint16", "signal": "supply_temp"}, [91]),
        ({"type": "uint16", "signal": "power_state"}, [2]),
        ({"type": "bits", "mask": "3", "signal": "fault.pump"}, [2]),
    ],
)
def test_what_can_not_be_true_is_out_of_range_with_its_words_kept(
    cells: dict[str, Any], words: list[int]
) -> None:
    value = decode(point_of(**cells), words)
    assert (value.value, value.quality) == (None, "out_of_range")
    assert value.raw == " ".join(f"0x{word:04X}" for word in words)


def test_the_plausible_range_is_that_of_the_platforms_signals_and_includes_its_ends() -> None:
    outdoor = point_of(signal="outdoor_temp", type="int16", scale="0.1")
    assert decode(outdoor, [450]) == Value(45.0)
    assert decode(outdoor, [0x10000 - 350]) == Value(-35.0)
    assert decode(outdoor, [451]).quality == decode(outdoor, [0x10000 - 351]).quality
    assert decode(outdoor, [451]).quality == "out_of_range"


# --- labels ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "words", "value"),
    [
        ({"type": "uint16", "enum": "0=off;0x64=on_hold;0C8H=late"}, [200], "late"),
        ({"type": "int16", "enum": "-1=none;5=E05"}, [0xFFFF], "none"),
        ({"type": "bits", "mask": "0x0300", "enum": "1=low;2=high"}, [0xFEFF], "high"),
        ({"type": "int8_lo", "enum": "0xFF=none"}, [0x12FF], "none"),
        ({"type": "float32", "enum": "1.5=half;2=two"}, [0x3FC0, 0], "half"),
        ({"type": "uint16", "enum": "1=停机 2=制热"}, [2], "制热"),
        ({"type": "uint16", "enum": "1=in use 2=at rest"}, [1], "in use"),
        ({"type": "uint16", "enum": "1＝a；2＝b"}, [2], "b"),
        (
            {"type": "uint16", "enum": "3=high_pressure!critical;4=filter!info"},
            [3],
            "high_pressure",
        ),
        ({"signal": "power_state", "type": "uint16", "enum": "1=off;2=on"}, [1], False),
        ({"signal": "power_state", "type": "uint16", "enum": "1=关;2=开"}, [2], True),
        ({"signal": "x", "type": "bool", "enum": "0=on;1=off"}, [0], True),
        ({"signal": "x", "type": "bool", "enum": "0=day;1=night"}, [1], "night"),
        ({"signal": "x", "type": "uint16", "enum": "0=off;1=on"}, [1], "on"),
    ],
)
def test_an_enumeration_gives_the_label(
    cells: dict[str, Any], words: list[int], value: object
) -> None:
    assert decode(point_of(**cells), words) == Value(value)  # type: ignore[arg-type]


def test_a_raw_value_without_a_label_is_an_unknown_enum() -> None:
    point = point_of(signal="mode", type="uint16", enum="0=cooling;1=heating")
    assert decode(point, [7]) == Value(None, "unknown_enum:7", "0x0007")
    masked = point_of(signal="mode", type="bits", mask="0x0300", enum="1=heating")
    assert decode(masked, [0x0277]) == Value(None, "unknown_enum:2", "0x0277")


def test_severities_are_kept_beside_the_labels() -> None:
    point = point_of(type="bitfield16", bits="0=flow!critical;1=filter!warn;2=door ！info;3=x")
    assert point.severity == {"flow": "critical", "filter": "warn", "door": "info"}
    assert decode(point, [0b1011]) == Value(["filter", "flow", "x"])


def test_a_bitfield_is_the_sorted_set_of_its_labels() -> None:
    point = point_of(type="bitfield32", order="CDAB", bits="0=z;1=a;31=top;30=top")
    assert decode(point, [0x0003, 0xC000]) == Value(["a", "top", "z"])
    assert decode(point, [0, 0]) == Value([])


def test_an_active_bit_without_a_label_is_kept_as_evidence() -> None:
    assert decode(point_of(type="bitfield16", bits="0=a"), [0x0101]) == Value(
        ["a"], "good", "0x0101"
    )


# --- what cannot be -------------------------------------------------------------------------


@pytest.mark.parametrize("words", [[], [1, 2], [-1], [0x10000]])
def test_words_that_can_not_be_the_points_are_refused(words: list[int]) -> None:
    with pytest.raises(ValueError, match="x takes 1 words"):
        decode(point_of(type="uint16"), words)


def test_a_coil_is_a_bit() -> None:
    with pytest.raises(ValueError, match="0 to 1"):
        decode(point_of(area="coil"), [2])
