"""The check of a register map's rows: what is refused, and where."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.devices.modbus.written_maps import Cells, map_of, mistakes_of, point_of, table_of

X: Cells = {"signal": "x", "address": 1, "type": "uint16"}
BIT: Cells = {"signal": "x", "area": "coil", "address": 1}
MODE: Cells = {"signal": "mode", "address": 9, "type": "uint16", "enum": "0=off;1=heating"}
HEADER_ROW = len(table_of(X)) - 1  # in a file with the usual settings


# --- what one row may say -------------------------------------------------------------------------

WRONG: list[tuple[Cells, str]] = [
    ({"signal": ""}, "signal"),
    ({"signal": "a b"}, "signal"),
    ({"signal": "fault."}, "signal"),
    ({"signal": "fault_bits.x"}, "signal"),
    ({"address": ""}, "address"),
    ({"area": ""}, "area"),
    ({"area": "register"}, "area"),
    ({"type": ""}, "type"),
    ({"type": "REAL"}, "type"),
    ({"type": "int24"}, "type"),
    ({"type": "ascii:0"}, "type"),
    ({"type": "ascii:x"}, "type"),
    ({"type": "datetime:"}, "type"),
    ({"type": "datetime:Y-M"}, "type"),
    ({"area": "coil", "type": "uint16"}, "type"),
    ({"order": "CDAB"}, "order"),
    ({"order": "big"}, "order"),
    ({"type": "uint32", "order": "AB"}, "order"),
    ({"area": "coil", "type": "bool", "order": "AB"}, "order"),
    ({"scale": "x"}, "scale"),
    ({"scale": "0"}, "scale"),
    ({"scale": "1e99"}, "scale"),
    ({"scale": "inf"}, "scale"),
    ({"type": "bool", "scale": "0.1"}, "scale"),
    ({"offset": "1,5"}, "offset"),
    ({"type": "ascii:4", "offset": "1"}, "offset"),
    ({"scale_from": "nobody"}, "scale_from"),
    ({"scale_from": "x"}, "scale_from"),
    ({"access": "x"}, "access"),
    ({"min": "5", "max": "4"}, "min"),
    ({"step": "0"}, "step"),
    ({"step": "-1"}, "step"),
    ({"enum": "off"}, "enum"),
    ({"enum": "0=off;0=on"}, "enum"),
    ({"enum": "0=off;0x0=on"}, "enum"),
    ({"enum": "65536=off"}, "enum"),
    ({"enum": "0=a!fatal"}, "enum"),
    ({"type": "uint8_hi", "enum": "256=a"}, "enum"),
    ({"type": "bits", "mask": "0x0003", "enum": "4=a"}, "enum"),
    ({"bits": "0=a"}, "bits"),
    ({"type": "bitfield16"}, "bits"),
    ({"type": "bitfield16", "bits": "16=a"}, "bits"),
    ({"type": "bitfield16", "bits": "1=a;1=b"}, "bits"),
    ({"type": "bitfield16", "bits": "1=a", "enum": "1=a"}, "enum"),
    ({"type": "bits"}, "mask"),
    ({"type": "bits", "mask": "0"}, "mask"),
    ({"type": "bits", "mask": "0x1FFFF"}, "mask"),
    ({"type": "int16", "mask": "1"}, "mask"),
    ({"invalid": "0x7FFF"}, "invalid"),
    ({"invalid": "0x17FFF=open"}, "invalid"),
    ({"invalid": "1=good"}, "invalid"),
    ({"type": "float32", "invalid": "abc=x"}, "invalid"),
    ({"when": "heating"}, "when"),
    ({"when": "nobody=on"}, "when"),
    ({"when": "x=1"}, "when"),
    ({"access": "rw", "area": "input"}, "access"),
    ({"access": "rw", "write_area": "discrete"}, "write_area"),
    ({"access": "rw", "write_address": "x"}, "write_address"),
    ({"access": "rw", "write_type": "int24"}, "write_type"),
    ({"access": "rw", "write_type": "bitfield16"}, "write_type"),
    ({"access": "rw", "write_order": "CDAB"}, "write_order"),
    ({"access": "rw", "write_scale": "0"}, "write_scale"),
    ({"access": "rw", "write_mask": "0"}, "write_mask"),
    ({"access": "rw", "write_enum": "1"}, "write_enum"),
    ({"access": "rw", "enum": "256=a", "write_type": "uint8_lo"}, "enum"),
    ({"access": "rw", "write_function": "65"}, "write_function"),
    ({"access": "rw", "write_function": "5"}, "write_function"),
    ({"access": "rw", "write_method": "poke"}, "write_method"),
    ({"access": "rw", "write_method": "coil"}, "write_method"),
    ({"access": "w", "write_method": "pulse"}, "write_value"),
    ({"access": "w", "write_method": "command", "write_value": "x"}, "write_value"),
    ({"access": "w", "write_method": "command", "write_value": "65536"}, "write_value"),
    ({"access": "rw", "write_delay_s": "-1"}, "write_delay_s"),
    ({"access": "rw", "write_delay_s": "soon"}, "write_delay_s"),
    ({"access": "rw", "write_allowed": "heating"}, "write_allowed"),
    ({"access": "rw", "enum": "1=a;2=b", "write_allowed": "a;c"}, "write_allowed"),
    ({"access": "rw", "before": "holding:1"}, "before"),
    ({"access": "rw", "before": "input:1=1"}, "before"),
    ({"access": "w", "verify": "x=1"}, "verify"),
    ({"access": "rw", "verify": "on"}, "verify"),
    ({"type": "uint32", "signal": "mode"}, "enum"),
    ({"signal": "fault_bits"}, "type"),
    ({"signal": "supply_temp", "type": "bitfield16", "bits": "0=a"}, "type"),
    ({"signal": "supply_temp", "type": "bool"}, "type"),
    ({"signal": "supply_temp", "enum": "1=a"}, "enum"),
]


@pytest.mark.parametrize(("cells", "column"), WRONG)
def test_a_cell_that_cannot_be_is_refused_at_its_row_and_column(cells: Cells, column: str) -> None:
    found = mistakes_of({"signal": "a", "address": 5, "type": "uint16"}, {**X, **cells})
    assert [(row, where) for row, where, _ in found] == [(HEADER_ROW + 2, column)]


def test_every_mistake_of_a_row_is_shown_though_its_address_or_type_is_wrong() -> None:
    found = mistakes_of(
        {**X, "address": "70000", "scale": "abc", "access": "q", "enum": "1", "order": "ABCD"},
        {"signal": "y", "area": "hold", "address": 1, "type": "int33", "scale": "0"},
        {"signal": "mode", "address": 1, "type": "uint16", "enum": "0=off", "offset": "z"},
    )
    assert {(row - HEADER_ROW, column) for row, column, _ in found if row} == {
        (1, "address"),
        (1, "scale"),
        (1, "access"),
        (1, "enum"),
        (1, "order"),
        (2, "area"),
        (2, "type"),
        (2, "scale"),
        (3, "offset"),
    }


@pytest.mark.parametrize("reference", [{"scale_from": "ct"}, {"when": "ct=1"}])
def test_a_row_that_refers_to_a_broken_one_is_not_accused_as_well(reference: Cells) -> None:
    found = mistakes_of({**X, **reference}, {"signal": "ct", "address": 2, "type": "uint61"})
    assert [column for _, column, _ in found] == ["type"]


def test_a_point_longer_than_a_request_may_be_is_refused() -> None:
    found = mistakes_of({**X, "type": "float64"}, max_read=2)
    assert [column for _, column, _ in found] == ["type"]


@pytest.mark.parametrize(
    ("cells", "column", "code"),
    [
        (BIT, "area", "1"),
        ({**BIT, "area": "discrete"}, "area", "2"),
        ({**X, "area": "input"}, "area", "4"),
        ({**BIT, "access": "w"}, "area", "5"),
        ({**X, "type": "uint32", "access": "rw"}, "area", "16"),
        ({**X, "access": "rw", "write_function": "16"}, "write_function", "16"),
    ],
)
def test_a_function_that_the_device_lacks_is_named(cells: Cells, column: str, code: str) -> None:
    (found,) = mistakes_of(cells, read_functions="3", write_functions="6")
    assert found[:2] == (HEADER_ROW + 1, column)
    assert code in found[2]


def test_a_signal_may_stand_twice_only_under_conditions_that_exclude_each_other() -> None:
    rows = [{**X, "when": "mode=heating"}, {**X, "address": 2, "when": "mode=off"}]
    assert len(map_of(MODE, *rows).rows_of("x")) == 2
    for other in ({**X, "address": 2}, {**X, "address": 2, "when": "mode=heating"}):
        (found,) = mistakes_of(MODE, rows[0], other)
        assert found[:2] == (HEADER_ROW + 3, "signal")


@pytest.mark.parametrize(
    ("when", "right"),
    [("mode=heating", True), ("mode=warming", False), ("on=on", True), ("on=heating", False)],
)
def test_a_condition_names_a_label_of_its_signal(when: str, right: bool) -> None:
    on: Cells = {"signal": "on", "address": 20, "type": "bool"}
    assert (mistakes_of(MODE, on, {**X, "when": when}) == []) is right


def test_a_proof_names_a_signal_of_the_map_or_a_derived_one() -> None:
    command: Cells = {**X, "access": "w", "write_method": "command", "write_value": "0xAA"}
    for proof in ("mode=heating", "fault_active=off"):
        assert map_of(MODE, {**command, "verify": proof}).point("x").verify == tuple(
            proof.split("=")
        )
    assert [c for _, c, _ in mistakes_of(MODE, {**command, "verify": "mode=x"})] == ["verify"]


# --- the writing side -----------------------------------------------------------------------------


def test_what_the_writing_side_leaves_out_is_as_in_reading() -> None:
    point = point_of(type="uint32", order="CDAB", scale="0.5", offset="3", access="rw", address=8)
    assert (point.write_area, point.write_address, point.write_type) == ("holding", 8, "uint32")
    assert (point.write_order, point.write_scale) == ("CDAB", Decimal("0.5"))
    assert (point.write_offset, point.write_method) == (Decimal(3), "value")
    assert point.write_delay_s == 2.0


@pytest.mark.parametrize(
    ("cells", "method", "delay"),
    [
        ({"type": "uint16"}, "value", 2.0),
        ({"type": "bits", "mask": "4"}, "rmw", 2.0),
        ({"type": "uint8_lo"}, "rmw", 2.0),
        ({"type": "bool", "area": "coil"}, "coil", 2.0),
        ({"type": "bool", "area": "coil", "write_method": "value"}, "coil", 2.0),
        ({"type": "uint16", "write_method": "pulse", "write_value": "1"}, "pulse", 1.0),
        ({"type": "uint16", "write_method": "command", "write_value": "1"}, "command", 2.0),
    ],
)
def test_the_method_follows_from_what_is_written(cells: Cells, method: str, delay: float) -> None:
    point = point_of(access="rw", **cells)
    assert (point.write_method, point.write_delay_s) == (method, delay)


def test_a_point_read_here_and_switched_by_a_coil_is_written_as_a_coil() -> None:
    point = point_of(type="bits", mask="1", access="rw", write_area="coil", write_address="3")
    assert (point.write_type, point.write_method, point.write_mask) == ("bool", "coil", None)


def test_a_command_may_be_given_by_its_label() -> None:
    point = point_of(
        type="uint16", enum="1=a;0x55=b", access="w", write_method="command", write_value="b"
    )
    assert point.write_value == 0x55
