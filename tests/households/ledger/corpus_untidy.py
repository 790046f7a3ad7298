"""Untidy workbooks as offices really send them: each with exactly what is to be read from it."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from tests.households.ledger import packages

TOWN, VILLAGE = "钟家庄街道", "洞头村"
HEAD = ("序号", "镇（街道）", "村（社区）", "门牌号", "住户姓名", "联系电话", "取暖面积")
KEYS = ("town", "village", "door", "householder", "phone", "heated_area")
Place = tuple[str, int]  # sheet and row
Told = tuple[str, int | None, str]  # severity, row, a piece of the reason


@dataclass(frozen=True)
class Untidy:
    """A file, the records to be read from it by their places, and all that is to be told."""

    name: str
    filename: str
    make: Callable[[Path], None]
    records: dict[Place, dict[str, object]]
    told: Sequence[Told] = ()

    def __str__(self) -> str:
        return self.name


UNTIDY: list[Untidy] = []


def line(number: int, **others: object) -> dict[str, object]:
    """A household's values by key."""
    plain: tuple[object, ...] = (
        TOWN, VILLAGE, f"{number} 号", f"测试户{number}", f"1380000000{number}", 80 + number,
    )  # fmt: skip
    return dict(zip(KEYS, plain, strict=True)) | others


def cells(number: int, **others: object) -> list[object]:
    """The same as a row with 序号 in front."""
    return [number, *line(number, **others).values()]


def plain(*rows: int, sheet: str = "台账") -> dict[Place, dict[str, object]]:
    """Households 1, 2, 3 … expected at these rows."""
    return {(sheet, row): line(number) for number, row in enumerate(rows, start=1)}


def untidy(
    records: dict[Place, dict[str, object]], *told: Told, filename: str = "台账.xlsx"
) -> Callable[[Callable[[Worksheet], None]], Callable[[Worksheet], None]]:
    """Enter a sheet that a function fills (an openpyxl sheet called 台账) into the corpus."""

    def enter(fill: Callable[[Worksheet], None]) -> Callable[[Worksheet], None]:
        def make(path: Path) -> None:
            book = Workbook()
            book.active.title = "台账"
            fill(book.active)
            book.save(path)

        name = fill.__name__.replace("_", " ")
        UNTIDY.append(Untidy(name, filename, make, records, told))
        return fill

    return enter


def text(
    records: dict[Place, dict[str, object]], *told: Told, encoding: str = "gb18030"
) -> Callable[[Callable[[], list[list[Any]]]], None]:
    """Enter a CSV file of these rows into the corpus."""

    def enter(rows: Callable[[], list[list[Any]]]) -> None:
        def make(path: Path) -> None:
            file = io.StringIO(newline="")
            csv.writer(file).writerows(rows())
            path.write_bytes(file.getvalue().encode(encoding))

        UNTIDY.append(Untidy(rows.__name__.replace("_", " "), "台账.csv", make, records, told))

    return enter


def fill(sheet: Worksheet, *rows: Sequence[object]) -> None:
    for row in rows:
        sheet.append([*row])


@untidy(plain(4, 5))
def title_and_unit_above_the_head(sheet: Worksheet) -> None:
    fill(
        sheet,
        ["钟家庄街道 2026 年清洁取暖改造户台账"],
        ["填报单位：洞头村", None, "单位：户、㎡"],
    )
    fill(sheet, HEAD, cells(1), cells(2))
    sheet.merge_cells("A1:G1")


@untidy(plain(9, 10))
def blank_rows_and_words_above_the_head(sheet: Worksheet) -> None:
    sheet["A1"] = "各村：请于 9 月 20 日前报送"
    sheet["A4"] = "联系人：测试员"
    for column, head in enumerate(HEAD, start=1):
        sheet.cell(8, column, head)
    fill(sheet, cells(1), cells(2))


@untidy(
    {
        ("台账", 3): {
            "village": VILLAGE,
            "householder": "甲",
            "longitude": 112,
            "latitude": 35,
        },
        ("台账", 4): {
            "village": VILLAGE,
            "householder": "乙",
            "longitude": 113,
            "latitude": 36,
        },
    }
)
def a_head_of_two_rows_with_merged_groups(sheet: Worksheet) -> None:
    fill(sheet, ["序号", "村（社区）", "户主姓名", "安装位置", None], [*[None] * 3, "经度", "纬度"])
    fill(sheet, [1, VILLAGE, "甲", 112, 35], [2, VILLAGE, "乙", 113, 36])
    for merged in ("A1:A2", "B1:B2", "C1:C2", "D1:E1"):
        sheet.merge_cells(merged)


@untidy(
    {
        ("台账", 3): {
            "village": VILLAGE, "householder": "甲", "door": "3", "phone": "13800000001",
        }
    },
)  # fmt: skip
def groups_whose_names_need_both_rows(sheet: Worksheet) -> None:
    fill(sheet, ["村（社区）", "住户", None, None], [None, "姓名", "电话", "门牌号"])
    fill(sheet, [VILLAGE, "甲", "13800000001", "3"])
    sheet.merge_cells("B1:D1")
    sheet.merge_cells("A1:A2")


@untidy(plain(2, 5))
def a_head_again_on_the_second_page(sheet: Worksheet) -> None:
    fill(sheet, HEAD, cells(1), ["清洁取暖改造户台账（续）"], HEAD, cells(2))
    sheet.merge_cells("A3:G3")


@untidy(plain(3, 4))
def a_row_that_numbers_the_columns(sheet: Worksheet) -> None:
    fill(sheet, HEAD, [*range(1, 8)], cells(1), cells(2))


@untidy(plain(3, 4))
def a_row_of_units_under_the_head(sheet: Worksheet) -> None:
    fill(sheet, HEAD, [None, None, None, None, None, None, "（㎡）"], cells(1), cells(2))


@untidy(plain(2, 4, 6))
def subtotals_and_totals(sheet: Worksheet) -> None:
    fill(sheet, HEAD, cells(1), ["小计", None, None, None, "1户", None, 81])
    fill(sheet, cells(2), [None, "合 计", None, None, 2, None, 163], cells(3))
    fill(
        sheet,
        [None, None, "洞头村合计", None, 3],
        ["总计：", None, None, None, 3, None, 246],
        ["合计(户)", 3],
    )


@untidy(plain(2, 3))
def notes_under_the_table(sheet: Worksheet) -> None:
    fill(
        sheet,
        HEAD,
        cells(1),
        cells(2),
        ["填表人：测试员", None, None, "审核人：", None, "2026年9月"],
    )
    fill(sheet, ["注：1、本表一式两份；2、面积以实测为准"], [None, "洞头村村民委员会（盖章）"])
    fill(sheet, ["备注：另有 3 户拟拆迁"], ["联系电话：0356-2000000"], ["说明", "本表一式两份"])
    fill(sheet, [None, None, "村支书：", None, "联系电话：", "0356-2000000"])
    fill(sheet, ["监理：", "测试一", "施工：", "测试二", "建设：", "测试三", "2026.9"])


@untidy(
    plain(2, 3, 4),
    ("reminder", 3, "合并的单元格"),
    ("reminder", 3, "合并的单元格"),
)
def merged_town_and_village(sheet: Worksheet) -> None:
    fill(
        sheet, HEAD, cells(1), cells(2, town=None, village=None), cells(3, town=None, village=None)
    )
    sheet.merge_cells("B2:B4")
    sheet.merge_cells("C2:C4")


@untidy(plain(2, 3, 4), ("reminder", 3, "有 2 行是隐藏的"))
def hidden_rows(sheet: Worksheet) -> None:
    fill(sheet, HEAD, cells(1), cells(2), cells(3))
    for row in (3, 4):
        sheet.row_dimensions[row].hidden = True


@untidy(
    {
        ("洞头村", 2): {"village": "洞头村", "householder": "甲", "phone": "1", "heated_area": 80},
        ("时家岭社区（2户）", 2): {
            "village": "时家岭社区", "householder": "乙", "phone": "2", "heated_area": 90,
        },
    },
    ("reminder", 1, "按工作表名“洞头村”读取"),
    ("reminder", 1, "按工作表名“时家岭社区”读取"),
)  # fmt: skip
def a_sheet_for_every_village(sheet: Worksheet) -> None:
    sheet.title = "洞头村"
    fill(sheet, ["序号", "户主姓名", "电话", "面积"], [1, "甲", "1", 80])
    other = sheet.parent.create_sheet("时家岭社区（2户）")
    fill(other, ["序号", "户主姓名", "电话", "面积"], [1, "乙", "2", 90])


@untidy(
    plain(2) | {("台账", 6): {"village": VILLAGE, "householder": "乙", "phone": "2"}},
    ("reminder", 6, "这一列没有表头"),
)
def two_tables_one_below_the_other(sheet: Worksheet) -> None:
    fill(sheet, HEAD, cells(1), [], ["第二批"], ["村", "姓名", "手机号"])
    fill(sheet, [VILLAGE, "乙", "2", "有狗"])
    sheet.merge_cells("A4:C4")


@untidy(
    plain(2, sheet="台账"),
    ("reminder", None, "没有认出表头"),
    ("reminder", 1, "缺少 “住户姓名”"),
)
def other_sheets_beside(sheet: Worksheet) -> None:
    fill(sheet, HEAD, cells(1))
    fill(sheet.parent.create_sheet("说明"), ["怎么填"], ["镇（街道）", "住户姓名"])
    fill(sheet.parent.create_sheet("选项"), HEAD, cells(9))
    fill(sheet.parent.create_sheet("问题清单"), HEAD, cells(9))
    fill(sheet.parent.create_sheet("通知"), ["关于报送台账的通知"], ["各村："])
    fill(sheet.parent.create_sheet("设备"), ["村（社区）", "联系电话", "取暖面积"], ["x", "y", 1])
    sheet.parent.create_sheet("Sheet9")


@untidy({}, ("mistake", 1, "缺少 “住户姓名”"))
def only_a_wrong_sheet(sheet: Worksheet) -> None:
    sheet.title = "Sheet1"
    fill(sheet, ["镇（街道）", "村（社区）", "户数", "面积"], [TOWN, VILLAGE, 5, 400])


@untidy({}, ("mistake", None, "空的"))
def a_workbook_without_a_word(sheet: Worksheet) -> None:
    sheet["B3"] = "　"


@untidy(
    {("台账", row): line(n, town=TOWN, phone="13800000001") for n, row in ((1, 2), (2, 3), (3, 4))},
    ("reminder", 3, "“同上”"),
    ("reminder", 3, "“同上”"),
)
def dittos(sheet: Worksheet) -> None:
    fill(
        sheet, HEAD, cells(1), cells(2, town="同上", phone="〃"), cells(3, town=" 同上 ", phone="″")
    )


@untidy(
    plain(2),
    ("reminder", 1, "不认识“宅基地证号”"),
    ("reminder", 1, "不认识“备用”"),
)
def columns_that_nobody_knows(sheet: Worksheet) -> None:
    fill(sheet, [*HEAD, "宅基地证号", "备用"], [*cells(1), "A-1", None])


@untidy(plain(2), ("mistake", 1, "出现了不止一次"))
def the_same_head_twice(sheet: Worksheet) -> None:
    fill(sheet, [*HEAD, "联系电话"], [*cells(1), "2"])


@untidy(plain(2), ("reminder", 1, "已按“取暖面积”这一列读取"))
def two_columns_for_one_thing(sheet: Worksheet) -> None:
    fill(sheet, [*HEAD, "建筑面积"], [*cells(1), 120])


@untidy(plain(2))
def heads_with_blanks_breaks_stars_and_units(sheet: Worksheet) -> None:
    fill(sheet, ["序\n号", "*镇(街道)", "村 （社 区）", "门牌号*", "户主姓名（必填）"])
    for column, head in ((6, "联系电话\n（手机）"), (7, "取暖面积（㎡）")):
        sheet.cell(1, column, head)
    fill(sheet, cells(1))


@untidy(
    plain(2) | {("台账", 3): line(2, heated_area=None, phone=None), ("台账", 4): line(3)},
    ("mistake", 3, "错误值"),
    ("mistake", 3, "没有算出结果"),
    ("reminder", 2, "有 2 格是公式"),
)
def formulas(sheet: Worksheet) -> None:
    fill(sheet, ["以后由下面的零件代替"])


def formulas_by_hand(path: Path) -> None:
    """What openpyxl cannot write: a formula together with its result."""

    def worked_out(number: int) -> str:
        formula = f'<c r="G{number + 1}"><f>80+{number}</f><v>{80 + number}</v></c></row>'
        return packages.row(number + 1, *cells(number)[:6]).replace("</row>", formula)

    broken = '<c r="F3"><f>B3</f></c><c r="G3" t="e"><f>1/0</f><v>#DIV/0!</v></c></row>'
    third = packages.row(3, *cells(2)[:5]).replace("</row>", broken)
    rows = packages.row(1, *HEAD) + worked_out(1) + third + worked_out(3)
    packages.write(path, packages.parts({"台账": packages.sheet(rows)}))


UNTIDY[-1] = Untidy("formulas", "台账.xlsx", formulas_by_hand, UNTIDY[-1].records, UNTIDY[-1].told)


@untidy(plain(3, 4))
def an_example_row_of_the_template(sheet: Worksheet) -> None:
    fill(sheet, HEAD, ["示例", TOWN, VILLAGE, "示范巷 12 号", "测试户甲", "13800000000", 92])
    fill(sheet, cells(1), cells(2))


@untidy(plain(2, 12))
def numbered_rows_that_were_never_filled(sheet: Worksheet) -> None:
    fill(sheet, HEAD, cells(1), *([number] for number in range(2, 11)), cells(2))


@untidy(
    plain(2),
    ("reminder", 3, "没有当作一户读取"),
    ("reminder", 4, "没有当作一户读取"),
)
def a_lonely_word_and_a_lonely_phone(sheet: Worksheet) -> None:
    fill(sheet, HEAD, cells(1), ["以下为散户"], [None] * 5 + [13800000002])


@untidy(
    {
        ("台账", 2): line(1, relation="户主", site_kind="住户"),
        ("台账", 3): line(2, town="审核中的镇", relation="户主", site_kind="住户"),
    }
)
def words_of_heads_among_the_values(sheet: Worksheet) -> None:
    fill(sheet, [*HEAD[1:], "与户主关系", "类别"], [*cells(1)[1:], "户主", "住户"])
    fill(sheet, [*cells(2, town="审核中的镇")[1:], "户主", "住户"])


@untidy(
    {
        ("台账", 3): {"village": VILLAGE, "householder": "甲", "method": "电代煤"},
        ("台账", 4): {"village": VILLAGE, "householder": "乙", "method": "煤改气"},
        ("台账", 5): {"village": VILLAGE, "householder": "丙"},
        ("台账", 6): {"village": VILLAGE, "householder": "丁"},
    },
    ("mistake", 5, "只能勾选一项"),
)
def methods_that_are_ticked(sheet: Worksheet) -> None:
    fill(sheet, ["序号", "村（社区）", "户主姓名", "改造方式"])
    fill(sheet, [None, None, None, "集中供热", "电代煤", "煤改气"])
    fill(sheet, [1, VILLAGE, "甲", None, "√"], [2, VILLAGE, "乙", "×", 0, 1])
    fill(sheet, [3, VILLAGE, "丙", "√", "√"], [4, VILLAGE, "丁"])
    for merged in ("A1:A2", "B1:B2", "C1:C2", "D1:F1"):
        sheet.merge_cells(merged)


@untidy(plain(3), ("reminder", 3, "这一列没有表头"))
def a_head_merged_over_two_columns(sheet: Worksheet) -> None:
    fill(sheet, ["台账"], [*HEAD, None], [*cells(1), "测试"])
    sheet.merge_cells("G2:H2")


@untidy(
    {
        ("台账", 3): {"town": TOWN, "village": "洞头村", "householder": "甲", "phone": "1"},
        ("台账", 5): {"town": TOWN, "village": "时家岭社区", "householder": "乙", "phone": "2"},
    },
    ("reminder", 2, "以下各行按“洞头村”读取"),
    ("reminder", 4, "以下各行按“时家岭社区”读取"),
)
def villages_as_titles_between_the_rows(sheet: Worksheet) -> None:
    fill(sheet, ["序号", "镇（街道）", "姓名", "电话"], ["洞头村（1户）"], [1, TOWN, "甲", "1"])
    fill(sheet, ["时家岭社区"], [2, TOWN, "乙", "2"])
    sheet.merge_cells("A4:D4")


@untidy(
    {
        ("台账", 2): line(
            1,
            door=datetime(2026, 3, 12),
            phone=13800000001.0,
            householder="测试户　甲（已故）",
            heated_area="约120平",
        )
    }
)
def cells_that_excel_has_changed(sheet: Worksheet) -> None:
    """Their meaning is asked elsewhere; here they must arrive as they are."""
    fill(sheet, HEAD)
    day = datetime(2026, 3, 12)
    fill(sheet, cells(1, door=day, phone=13800000001, householder="测试户　甲（已故）"))
    sheet["G2"] = "约120平"
    sheet["F2"].number_format = "0.00E+00"


@untidy(
    plain(2) | {("暗", 2): line(1)},
    ("reminder", None, "这个工作表是隐藏的"),
)
def a_hidden_sheet_with_households(sheet: Worksheet) -> None:
    fill(sheet, HEAD, cells(1))
    other = sheet.parent.create_sheet("暗")
    fill(other, HEAD, cells(1))
    other.sheet_state = "hidden"


@untidy(
    {
        ("台账", 2): {"town": TOWN, "village": VILLAGE, "householder": "甲", "maker": "测试厂",
                    "model": "T-1", "factory_number": "F1", "transmitter_number": "W1"},
    }
)  # fmt: skip
def installations(sheet: Worksheet) -> None:
    fill(sheet, ["镇（街道）名", "村（社区）名", "住户名字", "设备厂商名称", "设备型号"])
    sheet["F1"], sheet["G1"] = "设备出厂地址编号", "无线数据传输设备地址编号"
    sheet["G1"] = "无线传输设备地址编号"
    fill(sheet, [TOWN, VILLAGE, "甲", "测试厂", "T-1", "F1", "W1"])


def as_texts(number: int, **others: object) -> list[str]:
    return ["" if cell is None else str(cell) for cell in cells(number, **others)]


@text({("", 3): line(1, heated_area="81"), ("", 4): line(2, heated_area="82")})
def a_text_with_a_title() -> list[list[Any]]:
    return [["洞头村台账"], [*HEAD], as_texts(1), as_texts(2), ["合计", "", "", "", "2", "", "163"]]


@text({("", 4): {"village": VILLAGE, "householder": "甲", "longitude": "112", "latitude": "35"}})
def a_text_with_a_head_of_two_rows() -> list[list[Any]]:
    upper = ["序号", "村（社区）", "户主姓名", "安装位置", ""]
    return [["台账"], upper, ["", "", "", "经度", "纬度"], ["1", VILLAGE, "甲", "112", "35"]]


@text({("", 2): line(1, heated_area="81"), ("", 3): {**line(2, heated_area=None), "phone": "1"}})
def ragged_lines() -> list[list[Any]]:
    return [[*HEAD], [*as_texts(1), "", ""], [*as_texts(2)[:5], "1"]]


@text({("", 3): line(1, heated_area="81")}, encoding="utf-16")
def a_text_as_unicode() -> list[list[Any]]:
    return [[], [*HEAD], as_texts(1)]


@untidy(
    {("台账", 3): line(1), ("台账", 4): line(2)},
    ("reminder", 2, "按标题里的“洞头村”读取"),
)
def the_village_in_the_title(sheet: Worksheet) -> None:
    fill(sheet, ["钟家庄街道洞头村清洁取暖改造花名册"])
    fill(sheet, *[row[:2] + row[3:] for row in (list(HEAD), cells(1), cells(2))])


def untowned(number: int) -> dict[str, object]:
    return {key: value for key, value in line(number).items() if key != "town"}


@untidy(
    {("台账", 3): untowned(1), ("台账", 4): untowned(2)},
    ("reminder", 1, "按标题里的“洞头村”读取"),
    ("reminder", 2, "以下各行按“洞头村”读取"),
)
def the_village_in_a_line_of_its_own(sheet: Worksheet) -> None:
    fill(sheet, HEAD[:1] + HEAD[3:], ["洞头村"])
    fill(sheet, *[row[:1] + row[3:] for row in (cells(1), cells(2))])


@untidy(
    {("台账", 3): line(1), ("台账", 9): line(2, village="时家岭社区")},
    ("reminder", 2, "按标题里的“洞头村”读取"),
    ("reminder", 8, "按标题里的“时家岭社区”读取"),
)
def villages_below_each_other_each_with_its_title(sheet: Worksheet) -> None:
    head = list(HEAD[:2] + HEAD[3:])
    for number, title in enumerate(("洞头村", "时家岭社区"), start=1):
        fill(sheet, [f"钟家庄街道{title}清洁取暖改造花名册"], head)
        fill(sheet, cells(number)[:2] + cells(number)[3:], ["填表人：", None, None, "审核人："])
        if number == 1:
            fill(sheet, [None, "小计"], ["注：以实际为准"])
    sheet.merge_cells("A7:F7")


@untidy(
    {("台账", 2): line(1), ("台账", 5): line(2)},
    ("reminder", 3, "这一行只有“第二批：补充登记户”"),
)
def a_title_that_stands_where_names_do(sheet: Worksheet) -> None:
    """The second head has its columns in another order."""
    turned = HEAD[4:5] + HEAD[1:4] + HEAD[5:]
    fill(sheet, (HEAD[4], *HEAD[1:4], *HEAD[5:], "序号"))
    fill(sheet, [cells(1)[4], *cells(1)[1:4], *cells(1)[5:]], ["第二批：补充登记户"])
    fill(
        sheet,
        list(reversed(turned)),
        [dict(zip(HEAD, cells(2), strict=True))[h] for h in reversed(turned)],
    )
