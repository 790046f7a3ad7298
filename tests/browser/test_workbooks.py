"""An officer and his workbook: checked, corrected, confirmed, imported, and the rest given back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from households.ledger import jobs
from households.models import Household, WorkbookImport
from tests.browser.conftest import PHONE, Visitor
from tests.browser.test_household_form import WAYS, Open, open_as, picture_of
from tests.browser.test_pages import said
from tests.cast import Cast
from tests.households.ledger.workbooks import home, opened, workbook

__all__ = ["open_as"]  # a fixture
WRONG = {
    17: {"联系电话": "1380000011"},
    22: {"取暖面积": "九十二"},
    30: {"改造方式": "煤改气电"},
}
ODD = {40: {"取暖面积": 920}, 44: {"取暖面积": 930}}


def rows() -> list[dict[str, Any]]:
    """60 households of which three are wrong and two odd."""
    return [home(n, **(WRONG | ODD).get(n, {})) for n in range(1, 61)]


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    path = tmp_path / "钟家庄街道台账（示例）.xlsx"
    path.write_bytes(workbook(rows()))
    return path


def upload(visitor: Visitor, path: Path) -> None:
    """Upload, let the worker check, and be on the page of what it found."""
    visitor.go("/transfer/")
    visitor.page.set_input_files("#file", str(path))
    visitor.page.click("#upload button.btn-primary")
    visitor.page.wait_for_selector("#bar")
    assert not said(visitor)
    jobs.work()
    visitor.page.wait_for_selector("text=导入检查结果")


def confirm_all(visitor: Visitor) -> None:
    """Tick one reminder after the other."""
    boxes = visitor.page.locator(".remarks input[type=checkbox]")
    for n in range(boxes.count()):
        boxes.nth(n).click()
        visitor.page.wait_for_selector(f"text=已确认 {n + 1} / {boxes.count()}")


def taken(download: Any) -> Any:
    """The workbook that the browser was given."""
    return opened(Path(download.value.path()).read_bytes())


def imported() -> int:
    return Household.objects.filter(door__startswith="示范巷").count()


@pytest.mark.parametrize("way", WAYS)
def test_the_right_rows_are_imported_and_three_come_back(
    open_as: Open, cast: Cast, ledger: Path, way: str
) -> None:
    officer = open_as(cast.town_officer, way)
    page = officer.page
    upload(officer, ledger)
    picture_of(officer, f"import-{way}")
    assert not said(officer)
    officer.reads("main", "尚未导入任何一行")
    page.wait_for_selector("button:has-text('改完 3 处错误才能导入'):disabled")
    confirm_all(officer)
    page.click("[name=rows][value=right]")
    page.click("button:has-text('现在导入 57 行')")
    page.wait_for_selector("#bar")
    assert imported() == 0
    jobs.work()
    page.wait_for_selector("h1:has-text('已导入')")
    picture_of(officer, f"imported-{way}")
    assert not said(officer)
    assert imported() == 57
    with page.expect_download() as download:
        page.click("text=下载退回的 3 行")
    sheet = taken(download)["改造户"]
    assert sheet.max_row == 4
    officer.follow("text=看这 57 户")
    page.wait_for_selector("text=57 户")
    assert officer.foreign == []


def test_the_annotated_workbook_is_corrected_and_imported_whole(
    open_as: Open, cast: Cast, ledger: Path
) -> None:
    officer = open_as(cast.town_officer)
    page = officer.page
    upload(officer, ledger)
    with page.expect_download() as download:
        page.click("text=下载批注工作簿")
    book = taken(download)
    for row in book["改造户"].iter_rows(min_row=2):
        for cell in row:
            if cell.comment and cell.comment.text.startswith("【错误】"):
                cell.value = home(cell.row - 1)[book["改造户"].cell(1, cell.column).value]
    book.save(ledger)
    upload(officer, ledger)
    confirm_all(officer)
    page.click("button:has-text('导入 60 行')")
    page.wait_for_selector("#bar")
    jobs.work()
    page.wait_for_selector("h1:has-text('已导入')")
    assert imported() == 60


def test_a_remark_leads_to_its_place_in_the_sheet_on_a_phone_too(
    open_as: Open, cast: Cast, ledger: Path
) -> None:
    officer = open_as(cast.town_officer, "phone")
    page = officer.page
    upload(officer, ledger)
    page.click(".remarks a:text-is('23')")
    page.wait_for_selector("td.here:has-text('九十二')")
    cell = page.locator("td.here").bounding_box()
    assert cell
    assert 0 <= cell["x"] <= PHONE["width"] - cell["width"]
    page.click("text=下一处")
    page.wait_for_selector("td.here:has-text('煤改气电')")
    assert not said(officer)


def test_a_wrong_file_is_told_on_the_page(open_as: Open, cast: Cast, tmp_path: Path) -> None:
    old = tmp_path / "台账.xls"
    old.write_bytes(bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 600)
    officer = open_as(cast.town_officer)
    officer.go("/transfer/")
    officer.page.set_input_files("#file", str(old))
    officer.page.click("#upload button.btn-primary")
    officer.page.wait_for_selector("#bar")
    jobs.work()
    officer.page.wait_for_selector("h1:has-text('这个文件读不了')")
    officer.reads("[role=alert]", WorkbookImport.objects.get().sentence)
    assert not said(officer)


@pytest.mark.parametrize("way", ["desk", "wechat"])
def test_the_ledger_is_exported_with_its_filters(open_as: Open, cast: Cast, way: str) -> None:
    officer = open_as(cast.town_officer, way)
    page = officer.page
    officer.go("/households/?q=26-12")
    page.click("summary:has-text('导出')")
    page.click("text=Excel 工作簿")
    page.wait_for_selector("text=导出 1 户")
    page.click("text=完整电话")
    picture_of(officer, f"export-{way}")
    assert not said(officer)
    page.click("text=核对住户信息")
    page.click("button:has-text('导出 1 户')")
    page.wait_for_selector("#bar")
    jobs.work()
    with page.expect_download() as download:
        page.click("text=下载 1 户")
    sheet = taken(download)["改造户"]
    assert [cell.value for cell in sheet["A"]] == ["户编号", "26-12-0001"]
    assert not said(officer)
