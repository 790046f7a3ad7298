from decimal import Decimal

import pytest

from devices.modbus.simulator import maps
from devices.modbus.simulator.maps import MapUnreadable, wire_address
from tests.devices.modbus.simulator.tiny_maps import AIRBOX, CN_W10, map_of


@pytest.mark.parametrize(
    ("text", "area", "base", "wire"),
    [
        ("100", "holding", "0", 100),
        ("0x64", "holding", "0", 100),
        ("64H", "input", "0", 100),
        ("1", "holding", "1", 0),
        ("40001", "holding", "manual", 0),
        ("465536", "holding", "manual", 65535),
        ("30003", "input", "manual", 2),
        ("10110", "discrete", "manual", 109),
        ("00017", "coil", "manual", 16),
        ("2", "coil", "manual", 1),
    ],
)
def test_addresses_as_written_go_on_the_wire(text: str, area: str, base: str, wire: int) -> None:
    assert wire_address(text, area, base) == wire


@pytest.mark.parametrize(
    ("text", "area", "base"),
    [("40001", "input", "manual"), ("0", "holding", "1"), ("70000", "holding", "0")],
)
def test_an_address_that_cannot_be_is_refused(text: str, area: str, base: str) -> None:
    with pytest.raises(ValueError, match=text):
        wire_address(text, area, base)


def test_the_example_maps_are_read() -> None:
    water, air = maps.load(CN_W10), maps.load(AIRBOX)
    assert water.settings["holes"] == "zero" and water.number("max_read") == 32
    assert air.codes("read_functions") == {1, 2, 3, 4}
    reset = next(row for row in water.rows if row.signal == "alarm_reset")
    assert (reset.method, reset.write.mask, reset.access) == ("pulse", 4, "w")
    setpoint = next(row for row in air.rows if row.signal == "indoor_temp_setpoint")
    assert (setpoint.read.address, setpoint.read.scale) == (0, Decimal("0.5"))


def test_chinese_heads_and_gb18030_are_read() -> None:
    text = (
        "@maker,晨暖\n@model,X\n@kind,ashp_water\n@medium,water\n"
        "信号,区域,地址,类型,倍率,读写\nsupply_temp,holding,7,int16,0.1,只读\n"
    )
    for data in (text.encode("gb18030"), text.encode("utf-8-sig")):
        row = maps.parse(data).rows[0]
        assert (row.signal, row.read.address, row.access) == ("supply_temp", 7, "r")


def test_require_and_unlock_follow_the_address_base() -> None:
    row = {"signal": "supply_temp", "address": "40001", "type": "int16"}
    read = map_of(
        row, address_base="manual", require="holding:40010=1", unlock="holding:40020=0x55AA"
    )
    assert read.require == ("holding", 9, 1)
    assert read.unlock == ("holding", 19, 0x55AA)


def test_a_wrong_row_is_named_with_its_number_and_reason() -> None:
    with pytest.raises(MapUnreadable, match=r"row 7: unknown type uint17"):
        map_of(
            {"signal": "supply_temp", "address": 1, "type": "int16"},
            {"signal": "return_temp", "address": 2, "type": "uint17"},
        )
    with pytest.raises(MapUnreadable, match="unknown column colour"):
        map_of({"signal": "supply_temp", "address": 1, "type": "int16", "colour": "red"})


def test_severities_are_no_part_of_a_label() -> None:
    row = map_of(
        {
            "signal": "fault_code",
            "address": 1,
            "type": "uint16",
            "enum": "0=none;1=phase!critical;2=filter!info",
        }
    ).rows[0]
    assert row.read.enum == {0: "none", 1: "phase", 2: "filter"}
    assert row.mild_faults == {"filter"}
