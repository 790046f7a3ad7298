"""What makers write in lists of their own."""

from __future__ import annotations

import pytest

from devices.maps import foreign


@pytest.mark.parametrize(
    ("head", "column"),
    [
        ("寄存器地址", "address"),
        ("Address", "address"),
        ("PLC地址", "address"),
        ("数据类型", "type"),
        ("Data Type", "type"),
        ("字节序", "order"),
        ("字序", "order"),
        ("系数", "scale"),
        ("Scale Factor", "scale"),
        ("参数名称", "name"),
        ("Description", "name"),
        ("功能码", "function"),
        ("单位", "unit"),
        ("读写", "access"),
        ("R/W", "access"),
        ("取值范围", "range"),
        ("最小", "min"),
        ("枚举", "enum"),
        ("序号", ""),
        ("寄存器(HEX)", "address"),
        ("定义", "name"),
        ("数据长度", ""),
        ("", ""),
    ],
)
def test_heads_are_guessed(head: str, column: str) -> None:
    assert foreign.head_of(head) == column


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("40021:REAL:CDAB", {"address": "40021", "type": "float32", "order": "CDAB"}),
        ("40021:INT", {"address": "40021", "type": "int16"}),
        ("0x0064 U16", {"address": "0x0064", "type": "uint16"}),
        ("30010/DINT/DCBA", {"address": "30010", "type": "int32", "order": "DCBA"}),
        ("40005.3", {"address": "40005", "bit": "3"}),
        ("0010H.2", {"address": "0010H", "bit": "2"}),
        ("水温", {}),
    ],
)
def test_address_type_and_order_in_one_cell(text: str, found: dict[str, str]) -> None:
    assert foreign.place_of(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("0.1", "0.1"),
        ("0.1℃", "0.1"),
        ("×0.1", "0.1"),
        ("1/10", "0.1"),
        ("÷100", "0.01"),
        ("10", "10"),
        ("无", ""),
        ("×10", ""),
        ("放大10倍", ""),
    ],
)
def test_factors(text: str, found: str) -> None:
    assert foreign.scale_of(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("16~30", ("16", "30")),
        ("16～30℃", ("16", "30")),
        ("-20 至 50", ("-20", "50")),
        ("16-30", ("16", "30")),
        ("0:关 1:开", ("", "")),
    ],
)
def test_ranges(text: str, found: tuple[str, str]) -> None:
    assert foreign.range_of(text) == found


@pytest.mark.parametrize(
    ("text", "signal", "found"),
    [
        ("0:制冷,1:制热,2:自动", "mode", "0=cooling;1=heating;2=auto"),
        ("0：制冷；1：采暖", "mode", "0=cooling;1=heating"),
        ("0-关机 1-开机", "power_state", "0=off;1=on"),
        ("1=高压保护、2=低压保护", "fault_code", "1=高压保护;2=低压保护"),
        ("bit0:水流 bit1:高压", "fault_bits", "0=水流;1=高压"),
        ("0: Cooling, 1: Heating", "mode", "0=cooling;1=heating"),
        ("实测值", "mode", ""),
    ],
)
def test_lists_of_values(text: str, signal: str, found: str) -> None:
    assert foreign.labels_of(text, signal) == found


@pytest.mark.parametrize(
    ("name", "signal"),
    [
        ("出水温度", "supply_temp"),
        ("进水温度", "return_temp"),
        ("室外环境温度", "outdoor_temp"),
        ("环境温度", "outdoor_temp"),
        ("设定出水温度", "supply_temp_setpoint"),
        ("出水温度设定值", "supply_temp_setpoint"),
        ("设定温度", "indoor_temp_setpoint"),
        ("室内温度设定", "indoor_temp_setpoint"),
        ("室内温度", "indoor_temp"),
        ("开关机", "power_state"),
        ("运行模式", "mode"),
        ("故障代码", "fault_code"),
        ("故障复位", "alarm_reset"),
        ("累计用电量", "electric_energy"),
        ("水泵转速", ""),
        ("Water outlet temperature", "supply_temp"),
        ("Return water temp.", "return_temp"),
        ("Outdoor temperature", "outdoor_temp"),
        ("Room temperature setpoint", "indoor_temp_setpoint"),
        ("Outlet temp setpoint", "supply_temp_setpoint"),
        ("On/Off", "power_state"),
        ("Operation mode", "mode"),
        ("Fault code", "fault_code"),
        ("Fault reset", "alarm_reset"),
    ],
)
def test_names_are_guessed(name: str, signal: str) -> None:
    assert foreign.signal_of(name) == signal


@pytest.mark.parametrize(
    ("bit", "mask"), [("0", "0x0001"), ("bit3", "0x0008"), ("D15", "0x8000"), ("16", ""), ("x", "")]
)
def test_bits(bit: str, mask: str) -> None:
    assert foreign.mask_of(bit) == mask


def test_function_codes_are_areas() -> None:
    assert [foreign.area_of(code) for code in ("01", "2", "03H", "4", "0x03", "99")] == [
        *("coil", "discrete", "holding", "input", "holding"),
        "",
    ]


@pytest.mark.parametrize(
    ("words", "type_"),
    [
        ("signed short", "int16"),
        ("16位无符号", "uint16"),
        ("无符号32位整数", "uint32"),
        ("32位浮点数", "float32"),
        ("REAL", "float32"),
        ("DWORD", "uint32"),
        ("2字节", ""),
        ("字符串", ""),
    ],
)
def test_types_in_words(words: str, type_: str) -> None:
    assert foreign.type_of(words) == type_
