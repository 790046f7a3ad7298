"""Lists of makers, whatever their heads, become register maps."""

from __future__ import annotations

from typing import Any

import pytest

from devices.maps import mapping
from devices.maps.mapping import Mapping
from devices.maps.sheet import MAX_POINTS, Sheet
from devices.modbus import pointmap
from devices.modbus.cells import CellRefused

MODEL = {"maker": "某厂", "model": "X-1", "kind": "ashp_water", "medium": "water"}


def rows(text: str) -> list[list[str]]:
    return [line.split(",") for line in text.strip().splitlines()]


PLAIN = rows(
    """
某某空气源热泵通信协议
序号,寄存器地址,参数名称,数据类型,系数,单位,读写,取值范围
1,100,出水温度,有符号,0.1,℃,只读,
2,101,进水温度,有符号,0.1,℃,只读,
3,102,环境温度,有符号,0.1,℃,只读,
4,2,设定温度,INT,1,℃,读写,10~30
5,3,设定出水温度,INT,1,℃,读写,25~55
6,1,运行模式,WORD,1,,读写,0:制冷 1:制热 2:自动
7,120,水泵转速,WORD,1,rpm,只读,
"""
)
COMPOUND = rows(
    """
名称,变量地址,单位,R/W
出水温度,40021:REAL:CDAB,℃,R
回水温度,40023:REAL:CDAB,℃,R
室外温度,30001:INT,℃,R
"""
)


def by_signal(sheet: Sheet) -> dict[str, dict[str, str]]:
    cells = (sheet.cells(n) for n in range(sheet.first_row, sheet.first_row + len(sheet.points)))
    return {row["signal"]: row for row in cells}


def taken(list_: list[list[str]], **changes: Any) -> Sheet:
    guess = mapping.suggest(list_)
    chosen = Mapping(**{**guess.as_json(), "columns": guess.columns, **changes})
    return mapping.apply(list_, chosen, MODEL)


def test_a_plain_list_is_understood_without_help() -> None:
    assert mapping.suggest(PLAIN).head == 1
    found = by_signal(taken(PLAIN))
    assert found["supply_temp"]["address"] == "100"
    assert (found["supply_temp"]["type"], found["supply_temp"]["scale"]) == ("int16", "0.1")
    assert found["indoor_temp_setpoint"]["access"] == "rw"
    assert (found["indoor_temp_setpoint"]["min"], found["indoor_temp_setpoint"]["max"]) == (
        "10",
        "30",
    )
    assert found["mode"]["enum"] == "0=cooling;1=heating;2=auto"
    assert found["水泵转速"]["type"] == "uint16"


def test_what_comes_out_is_a_register_map_without_mistakes() -> None:
    report = pointmap.check(taken(PLAIN).content().encode(), "a.csv")
    assert report.mistakes == []
    assert report.map is not None
    assert report.map.point("outdoor_temp").address == 102


def test_cells_with_address_type_and_order_are_taken_apart() -> None:
    assert mapping.suggest(COMPOUND).base == "manual"
    report = pointmap.check(taken(COMPOUND).content().encode(), "a.csv")
    assert report.mistakes == []
    assert report.map is not None
    supply, outdoor = report.map.point("supply_temp"), report.map.point("outdoor_temp")
    assert (supply.area, supply.address, supply.type, supply.order) == (
        *("holding", 20, "float32"),
        "CDAB",
    )
    assert (outdoor.area, outdoor.address) == ("input", 0)


def test_function_codes_say_where_a_register_lies() -> None:
    list_ = rows("地址,名称,功能码,类型\n1,出水温度,04,INT\n2,开关机,01,BOOL\n")
    found = by_signal(taken(list_))
    assert found["supply_temp"]["area"] == "input"
    assert found["power_state"]["area"] == "coil"
    assert taken(list_).setting("read_functions") == "1 4"


def test_a_signal_is_taken_once_and_the_next_keeps_the_makers_name() -> None:
    list_ = rows("地址,名称,类型\n1,出水温度,INT\n2,出水温度,INT\n3,出水温度,INT\n")
    assert [point[0] for point in taken(list_).points] == ["supply_temp", "出水温度", "出水温度_2"]


def test_only_known_signals_where_that_is_wished() -> None:
    assert "水泵转速" not in by_signal(taken(PLAIN, only_known=True))


def test_titles_and_remarks_between_the_rows_are_no_points() -> None:
    list_ = [*PLAIN, ["以下为厂家内部参数"], ["8", "", "备用"]]
    assert len(taken(list_).points) == len(taken(PLAIN).points)


def test_a_bit_of_a_register_is_masked() -> None:
    list_ = rows("地址,名称,类型\n110.3,化霜,BOOL\n110.0,压缩机运行,BOOL\n")
    found = by_signal(taken(list_))
    assert (found["defrosting"]["type"], found["defrosting"]["mask"]) == ("bits", "0x0008")
    assert found["compressor_running"]["address"] == "110"


def test_a_list_without_addresses_cannot_be_taken() -> None:
    assert mapping.suggest(rows("名称,单位\n水温,℃\n")).lacks


def test_too_many_rows_are_refused_and_not_cut_off() -> None:
    list_ = [["地址", "名称"], *([str(n), f"点{n}"] for n in range(MAX_POINTS + 1))]
    with pytest.raises(CellRefused):
        taken(list_)


def test_a_mapping_is_kept_as_it_was() -> None:
    guess = mapping.suggest(PLAIN)
    assert Mapping.of_json(guess.as_json()) == guess


@pytest.mark.parametrize("list_", [[], [[]], [["", ""]], [["a"]], [["地址"]]])
def test_no_list_is_too_poor_to_be_looked_at(list_: list[list[str]]) -> None:
    guess = mapping.suggest(list_)
    if not guess.lacks:
        assert mapping.apply(list_, guess, MODEL).points == []


@pytest.mark.parametrize("head", ["地址(HEX)", "十六进制地址", "寄存器 16进制"])
def test_bare_numbers_of_a_hexadecimal_column_are_not_taken_for_decimal(head: str) -> None:
    list_ = rows(f"{head},名称,类型\n0064,出水温度,INT\n0065,回水温度,INT\n")
    assert by_signal(taken(list_))["supply_temp"]["address"] == "0x0064"


def test_a_column_with_letters_among_its_digits_is_hexadecimal() -> None:
    list_ = rows("地址,名称,类型\n0064,出水温度,INT\n006A,回水温度,INT\n")
    assert by_signal(taken(list_))["supply_temp"]["address"] == "0x0064"


def test_decimal_columns_stay_decimal() -> None:
    list_ = rows("地址,名称,类型\n0064,出水温度,INT\n0065,回水温度,INT\n")
    assert by_signal(taken(list_))["supply_temp"]["address"] == "0064"


def test_a_line_between_the_rows_names_their_area() -> None:
    list_ = rows("地址,名称,类型\n输入寄存器\n1,出水温度,INT\n线圈\n1,开关机\n")
    found = by_signal(taken(list_))
    assert (found["supply_temp"]["area"], found["power_state"]["area"]) == ("input", "coil")


def test_limits_may_stand_in_the_remarks_of_what_is_written() -> None:
    list_ = rows("地址,名称,类型,读写,备注\n2,设定温度,INT,读写,范围 16~30\n")
    cells = by_signal(taken(list_))["indoor_temp_setpoint"]
    assert (cells["min"], cells["max"]) == ("16", "30")
