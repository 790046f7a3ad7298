"""Which registers are read together, and what a visit's replies become."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.modbus import blocks
from devices.modbus.blocks import Block, Plan, plan
from devices.modbus.cells import BIT_AREAS
from devices.modbus.pointmap import PointMap
from devices.modbus.points import Value
from tests.devices.modbus.written_maps import Cells, map_of


def words_at(*addresses: int, area: str = "holding", **settings: object) -> PointMap:
    """A map of one-word points; of coils and discrete inputs, bits."""
    type_ = "bool" if area in BIT_AREAS else "uint16"
    points: list[Cells] = [
        {"signal": f"p{at}", "area": area, "address": at, "type": type_} for at in addresses
    ]
    return map_of(*points, **settings)


def spans(map: PointMap, turnaround_s: float = blocks.TURNAROUND_S) -> list[tuple[int, int]]:
    return [(block.address, block.count) for block in plan(map, turnaround_s=turnaround_s).blocks]


def test_units_that_are_read_alike_share_one_plan() -> None:
    map, other = words_at(0, 1, 9, module_stride=100), words_at(0, 1, 9, module_stride=100)
    apart = Block("holding", 0, 2)
    assert plan(map) is plan(map) and plan(map).split(apart) is plan(map, splits={apart})
    assert plan(map, module=2).without([apart]) is plan(map, module=2).without([apart])
    assert len({id(one) for one in (plan(map), plan(other), plan(map, module=2))}) == 3


def test_neighbours_are_read_together() -> None:
    assert spans(words_at(3, 1, 2, 5)) == [(1, 3), (5, 1)]


@pytest.mark.parametrize(("holes", "read"), [("zero", [(0, 6)]), ("exception", [(0, 1), (5, 1)])])
def test_holes_are_read_over_only_where_the_device_answers_zero(
    holes: str, read: list[tuple[int, int]]
) -> None:
    assert spans(words_at(0, 5, holes=holes)) == read


def test_a_silent_hole_is_never_read_over() -> None:
    assert spans(words_at(0, 2, holes="silent")) == [(0, 1), (2, 1)]


def test_a_hole_that_costs_more_than_another_exchange_is_left_out() -> None:
    map = words_at(0, 60, holes="zero", max_read=125)
    assert spans(map) == [(0, 1), (60, 1)]
    assert spans(map, turnaround_s=0.5) == [(0, 61)]


def test_no_request_is_longer_than_the_device_allows() -> None:
    assert spans(words_at(*range(10), max_read=4)) == [(0, 4), (4, 4), (8, 2)]


def test_bits_have_a_limit_of_their_own() -> None:
    assert spans(words_at(*range(40), area="coil", max_read_bits=16)) == [
        (0, 16),
        (16, 16),
        (32, 8),
    ]


def test_areas_are_never_mixed() -> None:
    map = map_of(
        {"signal": "a", "area": "input", "address": 0, "type": "uint16"},
        {"signal": "b", "area": "holding", "address": 1, "type": "uint16"},
    )
    assert {block.area for block in plan(map).blocks} == {"input", "holding"}


def test_a_number_of_several_registers_is_never_torn() -> None:
    map = map_of(
        {"signal": "a", "address": 0, "type": "uint16"},
        {"signal": "b", "address": 1, "type": "float32"},
        {"signal": "c", "address": 3, "type": "float64"},
        max_read=4,
    )
    assert spans(map) == [(0, 3), (3, 4)]


def test_what_is_only_written_is_not_read() -> None:
    map = map_of(
        {"signal": "a", "address": 0, "type": "uint16"},
        {"signal": "alarm_reset", "address": 1, "type": "uint16", "access": "w"},
    )
    assert spans(map) == [(0, 1)]


def test_a_split_block_is_read_point_by_point_and_the_split_can_be_remembered() -> None:
    map = words_at(0, 1, 2, 10, 11)
    whole = plan(map)
    split = whole.split(Block("holding", 0, 3))
    assert [(block.address, block.count) for block in split.blocks] == [
        (0, 1),
        (1, 1),
        (2, 1),
        (10, 2),
    ]
    assert plan(map, splits=[Block("holding", 0, 3)]).blocks == split.blocks
    assert whole.blocks == plan(map).blocks


def test_flags_of_one_register_stay_one_request_when_split() -> None:
    map = map_of(
        {"signal": "a", "address": 0, "type": "bits", "mask": 1},
        {"signal": "b", "address": 0, "type": "bits", "mask": 2},
        {"signal": "c", "address": 1, "type": "uint16"},
    )
    split = plan(map).split(Block("holding", 0, 2))
    values = split.decode([[3], "exception:2"])
    assert [(block.address, block.count) for block in split.blocks] == [(0, 1), (1, 1)]
    assert values == {"a": Value(1.0), "b": Value(1.0), "c": Value(None, "exception:2")}


def test_a_module_lies_a_stride_further_and_modules_count_from_one() -> None:
    map = words_at(0, 1, module_stride=50)
    assert plan(map, module=1).blocks == plan(map).blocks == (Block("holding", 0, 2),)
    assert plan(map, module=3).blocks == (Block("holding", 100, 2),)


@pytest.mark.parametrize(("stride", "module"), [("none", 2), (50, 0), (50, -1), (60000, 3)])
def test_a_module_that_cannot_be_is_refused(stride: object, module: int) -> None:
    with pytest.raises(ValueError):
        plan(words_at(0, 1, module_stride=stride), module=module)


def test_writes_of_a_module_move_too_but_the_lock_of_the_whole_device_stays() -> None:
    map = map_of(
        {
            "signal": "a",
            "address": 1,
            "type": "uint16",
            "access": "rw",
            "write_address": 5,
            "before": "holding:7=1",
        },
        module_stride=100,
        unlock="holding:9=1",
    )
    point = map.for_module(2).points[0]
    assert (point.address, point.write_address, point.before[0].address) == (101, 105, 107)
    assert map.for_module(2).settings.unlock[0].address == 9


def test_a_block_that_failed_gives_its_quality_to_every_point_in_it_and_no_other() -> None:
    values = plan(words_at(0, 1, 10)).decode(["not_answered", [7]])
    nothing = Value(None, "not_answered")
    assert values == {"p0": nothing, "p1": nothing, "p10": Value(7.0)}


def test_a_reply_of_another_length_is_never_decoded() -> None:
    with pytest.raises(ValueError):
        plan(words_at(0, 1)).decode([[1]])


SCALED: list[Cells] = [
    {"signal": "ct", "address": 0, "type": "uint16", "scale": "0.1"},
    {
        "signal": "electric_power",
        "address": 1,
        "type": "uint16",
        "scale": "0.01",
        "scale_from": "ct",
    },
]


def test_another_signal_multiplies_the_scale_exactly() -> None:
    assert plan(map_of(*SCALED)).decode([[15, 33]])["electric_power"] == Value(0.495)


def test_without_the_signal_that_scales_it_a_value_is_unknown() -> None:
    map = map_of(*SCALED[1:], {**SCALED[0], "address": 5})
    values = plan(map).decode([[33], "not_answered"])
    assert values["electric_power"] == Value(None, "not_answered", "0x0021")


MODE: Cells = {"signal": "mode", "address": 0, "type": "uint16", "enum": "1=heating;2=cooling"}
UNDER_MODES: list[Cells] = [
    MODE,
    {"signal": "a", "address": 1, "type": "int16", "scale": "0.1", "when": "mode=heating"},
    {"signal": "a", "address": 1, "type": "int16", "scale": "0.5", "when": "mode=cooling"},
    {"signal": "b", "address": 1, "type": "uint16", "when": "mode=cooling"},
]


@pytest.mark.parametrize(
    ("mode", "a", "b"),
    [
        (1, Value(10.0), Value(None, "when:mode=cooling")),
        (2, Value(50.0), Value(100.0)),
        (3, Value(None, "unknown_enum:3"), Value(None, "unknown_enum:3")),
    ],
)
def test_a_row_gives_its_value_only_while_its_condition_holds(
    mode: int, a: Value, b: Value
) -> None:
    values = plan(map_of(*UNDER_MODES)).decode([[mode, 100]])
    assert (values["a"], values["b"]) == (a, b)


@pytest.mark.parametrize(
    ("when", "on", "mode", "holds"),
    [
        ("on=on", 1, 1, True),
        ("on=true", 0, 1, False),
        ("mode=heating;mode=cooling", 0, 2, True),
        ("mode=heating;on=on", 1, 2, False),
        ("mode=heating;on=on", 1, 1, True),
    ],
)
def test_conditions_on_one_signal_are_alternatives_and_on_several_all_must_hold(
    when: str, on: int, mode: int, holds: bool
) -> None:
    map = map_of(
        MODE,
        {"signal": "on", "address": 1, "type": "bool"},
        {"signal": "x", "address": 2, "type": "uint16", "when": when},
    )
    assert (plan(map).decode([[mode, on, 9]])["x"] == Value(9.0)) is holds


@settings(deadline=None)
@given(
    addresses=st.sets(st.integers(0, 300), min_size=1, max_size=40),
    most=st.integers(1, 125),
    holes=st.sampled_from(["zero", "exception", "silent"]),
)
def test_whatever_the_map_every_point_is_read_once_within_the_limits(
    addresses: set[int], most: int, holes: str
) -> None:
    compiled = plan(words_at(*addresses, max_read=most, holes=holes))
    read = [at for b in compiled.blocks for at in range(b.address, b.address + b.count)]
    assert len(read) == len(set(read)) and set(read) >= addresses
    assert holes == "zero" or set(read) == addresses
    assert all(block.count <= most for block in compiled.blocks)
    replies = [list(range(b.address, b.address + b.count)) for b in compiled.blocks]
    assert compiled.decode(replies) == {f"p{at}": Value(float(at)) for at in addresses}


def test_decoding_costs_a_fraction_of_a_poll() -> None:
    """A bound that a busy machine keeps; bench/ measures."""
    map = words_at(*range(13), holes="zero")
    compiled: Plan = plan(map)
    words = [list(range(block.count)) for block in compiled.blocks]
    begun = time.process_time()
    for _ in range(2000):
        compiled.decode(words)
    assert (time.process_time() - begun) / 2000 < 100e-6


@pytest.mark.parametrize(
    ("value", "label", "shown"),
    [
        (True, "on", True),
        (True, "1", True),
        (False, "on", False),
        ("heating", "heating", True),
        (["a", "b"], "b", True),
        ([], "none", True),
        (["a"], "none", False),
        (5.0, "5", True),
        (5.0, "five", False),
        (None, "none", False),
    ],
)
def test_what_a_condition_names_is_recognised(value: object, label: str, shown: bool) -> None:
    assert blocks.shows(value, label) is shown  # type: ignore[arg-type]
