"""Words worked out by hand (IEEE 754, BCD, sign and magnitude) from the register-map paper."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.modbus.simulator import maps
from devices.modbus.simulator.fields import from_words, to_words
from devices.modbus.simulator.maps import Field
from tests.devices.modbus.simulator.tiny_maps import MAPS, map_of


def field(**cells: object) -> Field:
    return map_of({"signal": "x", "address": 0, **cells}).rows[0].read


@pytest.mark.parametrize(
    ("cells", "value", "words"),
    [
        ({"type": "int16", "scale": "0.1"}, -6.7, [0xFFBD]),
        ({"type": "uint16", "scale": "0.1", "offset": -50}, -6.7, [0x01B1]),
        ({"type": "uint16", "scale": "0.5"}, 18.5, [37]),
        ({"type": "int16", "order": "BA"}, 0x1234, [0x3412]),
        ({"type": "sm16", "scale": "0.1"}, -6.7, [0x8043]),
        ({"type": "sm32"}, -100000, [0x8001, 0x86A0]),
        ({"type": "int32"}, -2, [0xFFFF, 0xFFFE]),
        ({"type": "uint32", "scale": "0.1"}, 10000.0, [0x0001, 0x86A0]),
        ({"type": "uint32", "order": "CDAB"}, 0x12345678, [0x5678, 0x1234]),
        ({"type": "uint32", "order": "BADC"}, 0x12345678, [0x3412, 0x7856]),
        ({"type": "uint32", "order": "DCBA"}, 0x12345678, [0x7856, 0x3412]),
        ({"type": "uint32", "order": "little"}, 0x12345678, [0x5678, 0x1234]),
        ({"type": "float32"}, 43.1, [0x422C, 0x6666]),
        ({"type": "float32", "order": "CDAB"}, -6.75, [0x0000, 0xC0D8]),
        ({"type": "float64"}, 0.5, [0x3FE0, 0, 0, 0]),
        ({"type": "uint64"}, 2**48 + 5, [1, 0, 0, 5]),
        ({"type": "uint64", "order": "CDAB"}, 2**48 + 5, [5, 0, 0, 1]),
        ({"type": "int64"}, -1, [0xFFFF] * 4),
        ({"type": "dec32"}, 123456, [12, 3456]),
        ({"type": "bcd16"}, 1234, [0x1234]),
        ({"type": "bcd32", "scale": "0.01"}, 123456.78, [0x1234, 0x5678]),
        ({"type": "int8_hi"}, -3, [0xFD00]),
        ({"type": "uint8_lo"}, 200, [200]),
        ({"type": "bits", "mask": "0x00F0"}, 9, [0x0090]),
        ({"type": "bitfield16", "bits": "0=a;3=b;15=c"}, ["a", "c"], [0x8001]),
        ({"type": "bitfield32", "bits": "0=a;31=c", "order": "CDAB"}, ["c"], [0, 0x8000]),
        ({"type": "uint16", "enum": "0=cooling;1=heating;4=auto"}, "auto", [4]),
        ({"type": "bits", "mask": "0x0300", "enum": "1=low;2=high"}, "high", [0x0200]),
        ({"type": "ascii:5"}, "AB-7", [0x4142, 0x2D37, 0x2020]),
        ({"type": "bool", "enum": "0=on;1=off"}, True, [0]),
        ({"type": "bool", "area": "coil"}, True, [1]),
        ({"type": "datetime:unix"}, "2026-01-05T00:00:00+00:00", [0x695A, 0xFF00]),
        ({"type": "datetime:Y-M-D-h-m-s"}, "2026-01-05T08:09:10", [2026, 1, 5, 8, 9, 10]),
    ],
)
def test_a_value_becomes_the_words_worked_out_by_hand_and_back(
    cells: dict[str, object], value: Any, words: list[int]
) -> None:
    one = field(**cells)
    assert to_words(one, value) == words
    assert from_words(one, words) == value


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ({"type": "int16", "invalid": "0x7FFF=open;0x8000=short"}, [0x7FFF]),
        ({"type": "int16", "invalid": "-32768=short"}, [0x8000]),
        ({"type": "float32", "invalid": "nan=open"}, [0x7FC0, 0x0000]),
        ({"type": "float32", "invalid": "-9999.0=open"}, [0xC61C, 0x3C00]),
        ({"type": "uint8_hi", "invalid": "0xFF=open"}, [0xFF12]),
        ({"type": "uint16", "enum": "0=cooling;1=heating"}, [7]),
        ({"type": "bcd16"}, [0x12A4]),
    ],
)
def test_words_that_hold_no_value_are_read_as_none(
    cells: dict[str, object], words: list[int]
) -> None:
    assert from_words(field(**cells), words) is None


def test_the_scale_is_multiplied_by_the_signal_that_the_row_names() -> None:
    one = field(type="uint16", scale="0.01", scale_from="ct_ratio")
    assert to_words(one, 123.2, Decimal(40)) == [308]
    assert from_words(one, [308], Decimal(40)) == 123.2


def test_a_value_that_does_not_fit_becomes_the_nearest_that_does() -> None:
    assert to_words(field(type="int16", scale="0.1"), 1e6) == [0x7FFF]
    assert to_words(field(type="uint16"), -4) == [0]
    assert to_words(field(type="sm16"), -1e6) == [0xFFFF]


@given(st.integers(-32768, 32767))
def test_every_register_of_tenths_comes_back_as_exact_tenths(raw: int) -> None:
    one = field(type="int16", scale="0.1")
    value = from_words(one, [raw & 0xFFFF])
    assert isinstance(value, float) and value == float(f"{raw / 10:.1f}")
    assert to_words(one, value) == [raw & 0xFFFF]


VECTORS = Path(__file__).parent.parent / "decode_vectors.json"
RANGES = {"outdoor_temp": (-35, 45), "supply_temp": (-10, 90), "return_temp": (-10, 80)}


@pytest.mark.parametrize(
    "vector",
    json.loads(VECTORS.read_text(encoding="utf-8")),
    ids=lambda vector: f"{vector['signal']}={vector['expect']}",
)
def test_the_decode_vectors_read_alike_here(vector: dict[str, Any]) -> None:
    read = maps.load(MAPS / f"{vector['map']}.csv")
    row = next(row for row in read.rows if row.signal == vector["signal"])
    value = from_words(row.read, [int(word, 16) for word in vector["words"]])
    if vector["quality"] == "out_of_range":  # ranges are the platform's, not the device's
        low, high = RANGES[row.signal]
        assert isinstance(value, float) and not low <= value <= high
    else:
        assert value == vector["expect"]
