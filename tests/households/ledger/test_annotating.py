"""The annotated workbook: the officer's own file, every remark at its cell and in a list."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.styles import Font

from households.ledger import annotating, sheets
from households.ledger.reading import Row, rows
from households.ledger.remarks import Remark
from tests.households.ledger.libreoffice import needs_libreoffice, through

PHONE = Remark(
    "改造户", 4, "联系电话", "C", "1380000001", "少 1 位", "填 11 位手机号，或 区号-号码"
)
AREA = Remark("改造户", 6, "取暖面积", "D", "920", "约为本村中位数的 10 倍", "", "reminder")
SHEET = Remark("改造户", None, "", "", "", "这张表没有数据", "", "reminder")
REMARKS = [PHONE, AREA, SHEET]


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """An officer's file with a title over its head, widths, a merged cell and a second sheet."""
    book = Workbook()
    sheet = book.active
    sheet.title = "改造户"
    sheet.append(["钟家庄街道台账"])
    sheet.merge_cells("A1:D1")
    sheet["A1"].font = Font(bold=True, size=20)
    sheet.append(["村（社区）", "住户姓名", "联系电话", "取暖面积"])
    for n, phone in enumerate(["13800000000", "1380000001", "=B1", "13800000003"]):
        sheet.append(["洞头村", f"测试户{n}", phone, 920 if n == 3 else 86])
    sheet.column_dimensions["B"].width = 33
    book.create_sheet("备查").append([date(2026, 9, 12), "'=1+1"])
    path = tmp_path / "台账.xlsx"
    book.save(path)
    return path


def annotated(source: Path, remarks: list[Remark] = REMARKS) -> Any:
    target = source.parent / "annotated.xlsx"
    annotating.write(source, source.name, target, remarks)
    return load_workbook(target)


def color(cell: Any) -> str:
    return str(cell.fill.start_color.rgb)[-6:]


def test_a_mistake_is_red_and_says_what_is_wrong_and_what_to_do(ledger: Path) -> None:
    cell = annotated(ledger)["改造户"]["C4"]
    assert color(cell) == sheets.BAD_SOFT
    assert cell.comment.text == "【错误】少 1 位；怎么改：填 11 位手机号，或 区号-号码"


def test_a_reminder_is_amber(ledger: Path) -> None:
    cell = annotated(ledger)["改造户"]["D6"]
    assert color(cell) == sheets.WARN_SOFT
    assert cell.comment.text.startswith("【提醒】")


def test_a_cell_with_both_is_red_and_says_both(ledger: Path) -> None:
    also = Remark("改造户", 4, "联系电话", "C", "1380000001", "与第 5 行相同", "", "reminder")
    cell = annotated(ledger, [also, PHONE])["改造户"]["C4"]
    assert color(cell) == sheets.BAD_SOFT
    assert cell.comment.text.count("\n") == 1


def test_the_list_in_front_leads_to_every_cell(ledger: Path) -> None:
    book = annotated(ledger)
    assert book.sheetnames == ["问题清单", "改造户", "备查"]
    assert book.active.title == "问题清单"
    said = list(book["问题清单"].values)
    assert said[1] == (
        "错误",
        "改造户",
        4,
        "C",
        "联系电话",
        PHONE.value,
        PHONE.reason,
        PHONE.advice,
    )
    assert [row[0] for row in said[1:]] == ["错误", "提醒", "提醒"]
    assert book["问题清单"]["C2"].hyperlink.location == "'改造户'!C4"
    assert book["问题清单"]["C4"].hyperlink is None


def test_the_officers_layout_and_cells_stay(ledger: Path) -> None:
    sheet = annotated(ledger)["改造户"]
    assert sheet["A1"].font.size == 20
    assert [str(area) for area in sheet.merged_cells.ranges] == ["A1:D1"]
    assert sheet.column_dimensions["B"].width == 33
    assert sheet["C5"].value == "=B1"


def test_a_remark_about_a_merged_cell_stands_where_the_cell_begins(ledger: Path) -> None:
    title = Remark("改造户", 1, "", "B", "", "标题行", "", "reminder")
    assert color(annotated(ledger, [title])["改造户"]["A1"]) == sheets.WARN_SOFT


def test_what_was_mended_is_not_marked_the_second_time(ledger: Path) -> None:
    annotated(ledger)
    again = ledger.parent / "annotated.xlsx"
    target = ledger.parent / "twice.xlsx"
    annotating.write(again, "台账.xlsx", target, [AREA])
    book = load_workbook(target)
    assert book.sheetnames.count("问题清单") == 1
    assert book["改造户"]["C4"].comment is None
    assert book["改造户"]["C4"].fill.fill_type is None
    assert color(book["改造户"]["D6"]) == sheets.WARN_SOFT


def test_a_csv_comes_back_as_a_workbook_with_the_same_rows(tmp_path: Path) -> None:
    source = tmp_path / "台账.csv"
    source.write_bytes("住户姓名,联系电话\n\n测试户,1380\n".encode("gb18030"))
    found = Remark("", 3, "联系电话", "B", "1380", "少 7 位")
    book = annotated(source, [found])
    assert color(book.worksheets[1]["B3"]) == sheets.BAD_SOFT
    assert book["问题清单"]["C2"].hyperlink.location == f"'{book.sheetnames[1]}'!B3"


def test_a_large_file_is_written_anew_with_every_row_in_its_place(
    ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(annotating, "LARGEST_KEPT", 1)
    before = [one for one in rows(ledger, ledger.name) if isinstance(one, Row)]
    book = annotated(ledger)
    assert color(book["改造户"]["C4"]) == sheets.BAD_SOFT
    assert book["改造户"]["C4"].comment.text.startswith("【错误】")
    target = ledger.parent / "annotated.xlsx"
    after = [one for one in rows(target, "x.xlsx") if isinstance(one, Row)]
    kept = {(row.sheet, row.number): row.cells[:2] for row in after if row.sheet != "问题清单"}
    assert kept["改造户", 4] == ["洞头村", "测试户1"]
    assert set(kept) == {(row.sheet, row.number) for row in before}


def test_a_file_that_cannot_keep_its_layout_is_written_anew(
    ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: object, **options: object) -> None:
        raise KeyError("xl/theme")

    monkeypatch.setattr(annotating, "load_workbook", broken)
    assert color(annotated(ledger)["改造户"]["C4"]) == sheets.BAD_SOFT


@needs_libreoffice
def test_libreoffice_shows_the_marks_the_words_and_the_links(ledger: Path) -> None:
    annotated(ledger)
    book = load_workbook(through(ledger.parent / "annotated.xlsx"))
    cell = book["改造户"]["C4"]
    assert color(cell) == sheets.BAD_SOFT
    assert "少 1 位" in cell.comment.text
    assert "改造户" in str(book["问题清单"]["C2"].hyperlink.location)
