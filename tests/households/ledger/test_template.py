"""The template: heads, dependent lists, checks, formats; LibreOffice keeps them all."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

from openpyxl import load_workbook
from openpyxl.utils import get_column_letter

from households.ledger import sheets, template
from households.ledger.checking import check
from households.ledger.columns import HOUSEHOLD
from households.ledger.importing import run
from households.models import Household, StepKind, User
from tests.cast import Cast
from tests.households.ledger.libreoffice import needs_libreoffice, through
from tests.households.ledger.workbooks import home

HEADS = "户编号 镇（街道） 村（社区） 门牌号 住户姓名 联系电话 取暖面积 经度 纬度 坐标来源"


def written(path: Path, user: User) -> Any:
    template.write(path, user)
    return load_workbook(path)


def validations(book: Any) -> dict[str, tuple[Any, ...]]:
    """By sheet and column: what is allowed there, as far as both programs write it alike."""
    found = {}
    for sheet in book.worksheets:
        for rule in sheet.data_validations.dataValidation:
            letter = str(rule.sqref).split(":")[0].rstrip("0123456789")
            second = rule.formula2 if rule.operator == "between" and rule.type != "list" else None
            form = rule.formula1.replace("'", "")
            found[f"{sheet.title}!{letter}"] = (rule.type, form, second, rule.errorStyle or "stop")
    return found


def choices_below(book: Any, *cells: str, head: str) -> list[str]:
    """What a dependent drop-down offers where the cells before it hold these labels: its OFFSET and
    MATCH worked out by hand on the sheet of lists."""
    columns = list(book[sheets.OPTIONS].iter_cols(values_only=True))
    at = next(n for n, column in enumerate(columns) if column[0] == f"{head}的上级")
    return [
        value
        for above, value in zip(columns[at][1:], columns[at + 1][1:], strict=True)
        if above == "|".join(cells)
    ]


def column_of(sheet: Any, head: str) -> str:
    heads = [cell.value for cell in sheet[1]]
    return str(get_column_letter(heads.index(head) + 1))


def test_the_heads_stand_in_the_notices_order_and_hold_nothing_but_words(
    cast: Cast, tmp_path: Path
) -> None:
    book = written(tmp_path / "t.xlsx", cast.town_officer)
    assert book.sheetnames[0] == "改造户"
    assert {"说明", "选项"} <= set(book.sheetnames)
    heads = [cell.value for cell in book["改造户"][1]]
    assert " ".join(heads[:10]) == HEADS
    assert "改造方式" in heads


def test_a_required_head_is_marked_by_its_format(cast: Cast, tmp_path: Path) -> None:
    sheet = written(tmp_path / "t.xlsx", cast.town_officer)["改造户"]
    marked = {cell.value for cell in sheet[1] if cell.number_format == sheets.REQUIRED}
    assert marked == {column.head for column in HOUSEHOLD.columns if column.required}
    assert "住户姓名" in marked


def test_the_example_row_says_that_it_is_one(cast: Cast, tmp_path: Path) -> None:
    sheet = written(tmp_path / "t.xlsx", cast.town_officer)["改造户"]
    values = [cell.value for cell in sheet[2]]
    assert values[:3] == ["示例", "钟家庄街道", "（散户）"]
    assert sheet.max_row == 2


def test_numbers_that_are_names_are_texts_and_days_are_days(cast: Cast, tmp_path: Path) -> None:
    sheet = written(tmp_path / "t.xlsx", cast.town_officer)["改造户"]
    formats = {
        cell.value: sheet.column_dimensions[get_column_letter(cell.column)].number_format
        for cell in sheet[1]
    }
    for head in ("户编号", "联系电话", "门牌号", "用电户号", "备用电话"):
        assert formats[head] == "@", head
    assert formats["取暖面积"] == "General"
    assert formats["合同日期"] == "yyyy-mm-dd"


def test_the_lists_hold_what_the_officer_may_see_and_nothing_else(
    cast: Cast, tmp_path: Path
) -> None:
    book = written(tmp_path / "t.xlsx", cast.town_officer)
    below = choices_below(book, "钟家庄街道", head="村（社区）")
    assert below == ["（散户）", "时家岭社区", "泽州东社区", "洞头村"]
    text = str(list(book[sheets.OPTIONS].values))
    assert "南村镇" not in text
    assert choices_below(book, "南村镇", head="村（社区）") == []


def test_the_district_sees_every_town_with_its_own_villages(cast: Cast, tmp_path: Path) -> None:
    book = written(tmp_path / "t.xlsx", cast.district_officer)
    assert choices_below(book, "西上庄街道", head="村（社区）") == ["（散户）"]
    assert len(choices_below(book, "南村镇", head="村（社区）")) == 9


def test_a_clerks_lists_have_the_one_village(cast: Cast, tmp_path: Path) -> None:
    book = written(tmp_path / "t.xlsx", cast.clerk)
    assert choices_below(book, "钟家庄街道", head="村（社区）") == ["洞头村"]


def test_a_villages_list_follows_the_town_of_its_row(cast: Cast, tmp_path: Path) -> None:
    book = written(tmp_path / "t.xlsx", cast.town_officer)
    town, village = (column_of(book["改造户"], head) for head in ("镇（街道）", "村（社区）"))
    form = validations(book)[f"改造户!{village}"][1]
    assert form.startswith("OFFSET(选项!")
    assert f"MATCH(${town}2," in form


def test_the_checks_reach_more_than_a_thousand_rows(cast: Cast, tmp_path: Path) -> None:
    sheet = written(tmp_path / "t.xlsx", cast.town_officer)["改造户"]
    for rule in sheet.data_validations.dataValidation:
        assert next(iter(rule.sqref.ranges)).max_row >= 1001
        assert len(rule.formula1) <= 255
        assert len(rule.prompt or "") <= 255


def test_phone_area_position_and_days_are_checked(cast: Cast, tmp_path: Path) -> None:
    book = written(tmp_path / "t.xlsx", cast.town_officer)
    rules, sheet = validations(book), book["改造户"]
    kinds = {
        head: rules[f"改造户!{column_of(sheet, head)}"][0]
        for head in ("联系电话", "取暖面积", "经度", "纬度", "合同日期", "改造方式")
    }
    assert kinds == {
        "联系电话": "textLength",
        "取暖面积": "decimal",
        "经度": "decimal",
        "纬度": "decimal",
        "合同日期": "date",
        "改造方式": "list",
    }


def test_the_words_say_how_to_fill_every_column(cast: Cast, tmp_path: Path) -> None:
    book = written(tmp_path / "t.xlsx", cast.town_officer)
    told = {(row[0], row[1]) for row in book["说明"].iter_rows(min_row=2, values_only=True)}
    assert {("改造户", cell.value) for cell in book["改造户"][1]} <= told


def test_it_prints_across_with_its_head_on_every_page(cast: Cast, tmp_path: Path) -> None:
    sheet = written(tmp_path / "t.xlsx", cast.town_officer)["改造户"]
    assert (sheet.page_setup.orientation, sheet.page_setup.paperSize) == ("landscape", 9)
    assert sheet.print_title_rows == "$1:$1"
    assert sheet.freeze_panes == "B2"


@needs_libreoffice
def test_libreoffice_keeps_every_drop_down_check_and_value(cast: Cast, tmp_path: Path) -> None:
    path = tmp_path / "t.xlsx"
    before = written(path, cast.town_officer)
    after = load_workbook(through(path))
    assert after.sheetnames == before.sheetnames
    assert validations(after) == validations(before)
    for sheet in before.worksheets:
        values = [[_plain(value) for value in row] for row in sheet.values]
        assert [[_plain(value) for value in row] for row in after[sheet.title].values] == values
    assert after[sheets.OPTIONS].sheet_state == "hidden"
    phone = after["改造户"].column_dimensions[column_of(after["改造户"], "联系电话")]
    assert phone.number_format == "@"


def _plain(value: object) -> object:
    """Days as days; an empty text as no value."""
    if isinstance(value, datetime):
        return value.date()
    return None if value == "" else value


@needs_libreoffice
def test_a_template_filled_in_and_saved_by_libreoffice_is_imported_as_it_was_typed(
    cast: Cast, tmp_path: Path
) -> None:
    path = tmp_path / "t.xlsx"
    book = written(path, cast.town_officer)
    sheet = book["改造户"]
    typed = home(7) | {"用电户号": "0001234567", "门牌号": "3-12", "合同日期": date(2026, 9, 12)}
    for head, value in typed.items():
        sheet[f"{column_of(sheet, head)}3"].value = value or None
    book.save(path)
    found = check(through(path), "台账.xlsx", cast.town_officer)
    assert (found.rows, found.mistakes) == (1, [])
    run(found, by=cast.town_officer)
    made = Household.objects.get(householder=typed["住户姓名"], area=cast.area("洞头村"))
    assert (made.phone, made.electricity_account) == ("13800000007", "0001234567")
    assert (made.door, made.heated_area) == ("3-12", typed["取暖面积"])
    assert made.steps.get(kind=StepKind.SIGNED).on == typed["合同日期"]
