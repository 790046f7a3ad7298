"""Which change of a map's row explains what was read."""

from __future__ import annotations

import struct

import pytest

from devices.modbus.bench.explain import explanations, near, plausible
from tests.devices.modbus.written_maps import Cells, point_of

TENTHS: Cells = {"signal": "outdoor_temp", "scale": 0.1}


def float_words(number: float) -> list[int]:
    return list(struct.unpack(">HH", struct.pack(">f", number)))


@pytest.mark.parametrize(
    ("row", "words", "truth", "change"),
    [
        ({**TENTHS, "type": "uint16"}, [0xFFBD], -6.7, "“类型”由 uint16 改为 int16"),
        ({**TENTHS, "type": "int16"}, [0x8043], -6.7, "“类型”由 int16 改为 sm16"),
        ({**TENTHS, "type": "int16", "scale": 1}, [431], 43.1, "“倍率”由 1 改为 0.1"),
        ({**TENTHS, "type": "uint16"}, [433], -6.7, "“偏移”由 0 改为 -50"),
        ({**TENTHS, "type": "int16"}, [0xBDFF], -6.7, "“字节序”由 AB 改为 BA"),
        (
            {"signal": "supply_temp", "type": "float32"},
            list(reversed(float_words(43.1))),
            43.1,
            "“字节序”由 ABCD 改为 CDAB",
        ),
    ],
)
def test_the_change_that_fits_is_named(
    row: Cells, words: list[int], truth: float, change: str
) -> None:
    assert change in explanations(point_of(**row), words, near(truth, 1.0))


def test_an_unsigned_temperature_is_explained_without_knowing_the_truth() -> None:
    row = point_of(**TENTHS, type="uint16")
    assert explanations(row, [0xFFBD], plausible)[0] == "“类型”由 uint16 改为 int16"


def test_labels_bits_and_coils_have_no_arithmetic_to_explain() -> None:
    mode = point_of(signal="mode", type="uint16", enum="1=heating")
    coil = point_of(signal="power_state", area="coil", type="bool")
    assert explanations(mode, [4], plausible) == explanations(coil, [1], plausible) == []
