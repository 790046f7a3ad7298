"""Words decoded by hand."""

from __future__ import annotations

import pytest

from devices.maps import by_hand
from devices.modbus import pointmap
from devices.modbus.points import ValueRefused
from tests.cast import MAPS

MAP = pointmap.load((MAPS / "chennuan-cn-w10.csv").read_bytes(), "map.csv")


def shown(signal: str, text: str) -> dict[str, tuple[object, bool]]:
    found = by_hand.decode(MAP, signal, by_hand.words_of(text))
    return {one.how: (one.number.value, one.value.quality == "good") for one in found}


def test_a_temperature_below_zero_shows_what_the_sign_is_worth() -> None:
    found = shown("outdoor_temp", "0xFFBD")
    assert found["int16"] == (-6.7, True)
    assert found["uint16"] == (6546.9, False)


def test_the_maps_own_reading_comes_first() -> None:
    found = by_hand.decode(MAP, "outdoor_temp", [0xFFBD])
    assert [one.is_own for one in found] == [True, *[False] * (len(found) - 1)]


def test_a_counter_with_its_words_turned_round() -> None:
    found = shown("electric_energy", "0x0001 0x86A0")
    assert found["uint32 ABCD"] == (10_000.0, True)
    assert found["uint32 CDAB"][0] == pytest.approx(225_862_860.9, rel=0.1)


def test_what_the_map_calls_no_value_has_none() -> None:
    own = by_hand.decode(MAP, "outdoor_temp", [0x7FFF])[0]
    assert (own.value.value, own.value.quality) == (None, "sensor_open")


def test_labels_and_sets_have_no_other_types() -> None:
    assert list(shown("mode", "1").values()) == [("heating", True)]
    assert list(shown("fault_bits", "0x0000 0x0003").values()) == [
        (["high_pressure", "water_flow"], True)
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0xFFBD", [0xFFBD]),
        ("FFBD", [0xFFBD]),
        ("65469", [0xFFBD]),
        ("-67", [0xFFBD]),
        ("0x0001 0x86A0", [1, 0x86A0]),
        ("0x000186A0", [1, 0x86A0]),
        ("1，34464", [1, 34464]),
    ],
)
def test_words_are_read_as_people_write_them(text: str, words: list[int]) -> None:
    assert by_hand.words_of(text) == words


@pytest.mark.parametrize("text", ["", "  ", "水", "0xFFBDFFBD0", "-99999", "1 " * 400])
def test_what_is_no_words_is_refused(text: str) -> None:
    with pytest.raises(ValueRefused):
        by_hand.words_of(text)


@pytest.mark.parametrize(("signal", "text"), [("outdoor_temp", "1 2"), ("colour", "1")])
def test_words_that_cannot_be_the_signals_are_refused(signal: str, text: str) -> None:
    with pytest.raises(ValueRefused):
        by_hand.decode(MAP, signal, by_hand.words_of(text))
