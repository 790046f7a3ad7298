"""What may stand in a cell: addresses of every notation."""

from __future__ import annotations

import pytest

from devices.modbus.cells import Target
from tests.devices.modbus.written_maps import Cells, map_of, mistakes_of, point_of, table_of

X: Cells = {"signal": "x", "address": 1, "type": "uint16"}
HEADER_ROW = len(table_of(X)) - 1  # in a file with the usual settings


@pytest.mark.parametrize(
    ("base", "area", "address", "wire"),
    [
        ("0", "holding", "100", 100),
        ("0", "holding", "65535", 65535),
        ("0", "holding", "64H", 100),
        ("0", "holding", "0x64", 100),
        ("0", "holding", "１００", 100),
        ("1", "holding", "1", 0),
        ("1", "coil", "65536", 65535),
        ("1", "input", "0x64", 99),
        ("manual", "holding", "40001", 0),
        ("manual", "holding", "49999", 9998),
        ("manual", "holding", "400001", 0),
        ("manual", "holding", "465536", 65535),
        ("manual", "input", "30003", 2),
        ("manual", "discrete", "10101", 100),
        ("manual", "coil", "00001", 0),
        ("manual", "coil", "000017", 16),
        ("manual", "coil", "1", 0),
        ("manual", "discrete", "101", 100),
        ("manual", "", "40021", 20),
        ("manual", "", "10002", 1),
    ],
)
def test_an_address_becomes_the_one_on_the_wire(
    base: str, area: str, address: str, wire: int
) -> None:
    bit = area in ("coil", "discrete") or address == "10002"
    point = map_of(
        {"signal": "x", "area": area, "address": address, "type": "bool" if bit else "uint16"},
        address_base=base,
    ).points[0]
    assert point.address == wire
    assert point.area == (area or {"4": "holding", "1": "discrete"}[address[0]])


@pytest.mark.parametrize(
    ("base", "area", "address"),
    [
        ("0", "holding", "65536"),
        ("0", "holding", "-1"),
        ("0", "holding", "40001.5"),
        ("0", "holding", "D100"),
        ("0", "holding", "40021:REAL:CDAB"),
        ("1", "holding", "0"),
        ("1", "holding", "65537"),
        ("manual", "holding", "30001"),
        ("manual", "coil", "10001"),
        ("manual", "holding", "1"),
        ("manual", "input", "101"),
        ("manual", "holding", "40000"),
        ("manual", "holding", "465537"),
        ("manual", "holding", "4000001"),
        ("manual", "holding", "20001"),
        ("manual", "coil", "0"),
    ],
)
def test_an_address_that_cannot_be_is_refused(base: str, area: str, address: str) -> None:
    type_ = "bool" if area == "coil" else "uint16"
    found = mistakes_of(
        {"signal": "x", "area": area, "address": address, "type": type_}, address_base=base
    )
    below_one_setting_more = HEADER_ROW + 2
    assert [(row, where) for row, where, _ in found] == [(below_one_setting_more, "address")]


def test_the_base_holds_for_every_address_in_the_file() -> None:
    map = map_of(
        {
            **X,
            "address": 40002,
            "access": "rw",
            "write_address": 40012,
            "before": "coil:5=1;holding:40020=0x10",
        },
        address_base="manual",
        require="input:30007=2",
        unlock="holding:400100=90",
    )
    point = map.points[0]
    assert (point.address, point.write_address) == (1, 11)
    assert point.before == (Target("coil", 4, 1), Target("holding", 19, 16))
    assert map.settings.require == (Target("input", 6, 2),)
    assert map.settings.unlock == (Target("holding", 99, 90),)


def test_a_written_reference_number_names_its_own_area() -> None:
    point = map_of(
        {**X, "area": "input", "address": 30002, "access": "rw", "write_address": 40005},
        address_base="manual",
    ).points[0]
    assert (point.area, point.write_area, point.write_address) == ("input", "holding", 4)


def test_what_a_point_covers_ends_at_the_last_address() -> None:
    assert point_of(address=65534, type="uint32").count == 2
    found = mistakes_of({**X, "address": 65535, "type": "uint32"})
    assert [column for _, column, _ in found] == ["address"]
