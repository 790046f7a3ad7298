"""The editor of register maps in a browser: typed and pasted into, taken back, handed in."""

from __future__ import annotations

import re
from typing import Any

import pytest

from devices.models import MapDraft, RegisterMap
from tests.browser.conftest import DESKTOP, PHONE, Visitor
from tests.browser.test_pages import said
from tests.cast import Cast
from tests.devices.maps.scene import draft

LIST = """寄存器地址\t参数名称\t数据类型\t系数\t单位
100\t出水温度\t有符号\t0.1\t℃
101\t进水温度\t有符号\t0.1\t℃
"""


@pytest.fixture
def editor(visitor: Visitor, cast: Cast) -> Visitor:
    """晨暖 before a draft of its map."""
    draft(cast)
    visitor.be(cast.supplier_member)
    opened(visitor, cast)
    return visitor


def opened(visitor: Visitor, cast: Cast) -> None:
    visitor.go(f"/maps/draft/{cast.water.model_id}/")
    visitor.page.wait_for_selector("body[data-ready]")


def cell(page: Any, signal: str, column: str) -> Any:
    """The cell of a signal's row; the row is found by what stands in it."""
    row = page.locator("#points tbody tr", has=page.locator(f"td.c-signal:text-is('{signal}')"))
    return row.locator(f"td.c-{column}")


def shows(editor: Visitor, signal: str, column: str, text: str) -> None:
    """Wait until this text alone stands in the cell."""
    editor.expects(cell(editor.page, signal, column)).to_have_text(text, use_inner_text=True)


def paste(page: Any, text: str) -> None:
    page.evaluate(
        """text => {
            const data = new DataTransfer();
            data.setData("text/plain", text);
            const how = {clipboardData: data, bubbles: true, cancelable: true};
            document.activeElement.dispatchEvent(new ClipboardEvent("paste", how));
        }""",
        text,
    )


def test_a_mistake_shows_at_its_cell_and_goes_when_it_is_taken_back(editor: Visitor) -> None:
    page = editor.page
    cell(page, "electric_energy", "address").click()
    page.keyboard.type("13O")
    page.keyboard.press("Enter")
    page.wait_for_selector("#points td.c-address.cell-bad")
    page.wait_for_selector("#findings td:has-text('是否 130？')")
    page.wait_for_selector("#hand-in:disabled:has-text('改完 1 处错误才能提交')")
    page.keyboard.press("Control+z")
    page.wait_for_selector("#hand-in:enabled")
    page.wait_for_selector("#findings:has-text('没有错误和提醒')")
    shows(editor, "electric_energy", "address", "130")
    assert said(editor) == []


def test_keys_go_where_a_spreadsheet_goes(editor: Visitor) -> None:
    page = editor.page
    cell(page, "return_temp", "type").click()
    page.keyboard.press("Tab")
    editor.counts("#points td.at.c-order", 1)
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    editor.counts("tr:nth-child(3) td.at.c-type", 1)
    page.keyboard.type("uint16")
    page.keyboard.press("Escape")
    editor.holds("#points td.at input", "int16")
    page.keyboard.press("Delete")
    page.keyboard.press("ArrowDown")
    shows(editor, "outdoor_temp", "type", "")
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    editor.counts("#points :focus", 0)


def test_cells_of_a_spreadsheet_are_pasted_and_rows_come_by_themselves(editor: Visitor) -> None:
    page = editor.page
    rows = page.locator("#points tbody tr").count()
    page.locator("#points tbody tr:last-child td.c-signal").click()
    paste(page, 'fan_speed\t"转速\n风机"\tholding\t140\nspare\t备用\tholding\t0x8F\n')
    page.wait_for_selector(f"#points tbody tr:nth-child({rows + 2})")
    shows(editor, "spare", "address", "0x8F")
    page.wait_for_selector("#points td.wire:text-is('0x008F')")
    page.wait_for_selector("#points td.c-type.cell-bad")  # a type is needed
    page.keyboard.press("Control+z")
    page.wait_for_selector(f"#points tbody tr:nth-child({rows + 1})", state="detached")


def test_a_row_is_put_in_and_taken_out(editor: Visitor) -> None:
    page = editor.page
    cell(page, "return_temp", "signal").click()
    page.click("[data-tool=insert]")
    inserted = page.locator("#points tbody tr:nth-child(2) td.c-signal")
    editor.expects(inserted).to_have_text("", use_inner_text=True)
    page.click("[data-tool=remove]")
    page.wait_for_selector("#points tbody tr:nth-child(2) td.c-signal input")
    editor.holds("#points td.at input", "return_temp")


def test_what_is_kept_is_there_again(editor: Visitor, cast: Cast) -> None:
    page = editor.page
    cell(page, "mode", "name").click()
    page.keyboard.type("工况")
    page.keyboard.press("Control+s")
    page.wait_for_selector("#saved:has-text('已暂存')")
    assert "工况" in MapDraft.objects.get().content
    opened(editor, cast)
    shows(editor, "mode", "name", "工况")


def test_what_was_not_kept_survives_a_reload(editor: Visitor, cast: Cast) -> None:
    page = editor.page
    cell(page, "mode", "name").click()
    page.keyboard.type("工况")
    opened(editor, cast)
    page.wait_for_selector("#restored:visible")
    shows(editor, "mode", "name", "工况")


def test_what_was_not_kept_is_not_put_over_what_another_kept(editor: Visitor, cast: Cast) -> None:
    page = editor.page
    cell(page, "mode", "name").click()
    page.keyboard.type("工况")
    MapDraft.objects.update(edits=7)
    opened(editor, cast)
    shows(editor, "mode", "name", "运行模式状态")
    page.click("[data-restore]")
    page.wait_for_selector("#points td:text-is('工况')")


def test_two_people_are_told_of_each_other(editor: Visitor, cast: Cast) -> None:
    page = editor.page
    cell(page, "mode", "name").click()
    page.keyboard.type("工况")
    MapDraft.objects.update(edits=7)
    page.click("#save")
    page.wait_for_selector("#trouble:has-text('另存了一稿')")
    assert "工况" not in MapDraft.objects.get().content
    page.click("[data-overwrite]")
    page.wait_for_selector("#saved:has-text('已暂存')")
    assert "工况" in MapDraft.objects.get().content


def test_words_are_decoded_beside_what_is_typed(editor: Visitor) -> None:
    page = editor.page
    cell(page, "outdoor_temp", "type").click()
    page.keyboard.type("uint16")
    page.keyboard.press("Enter")
    page.select_option("#signal", label=page.inner_text("#signal option:has-text('室外')"))
    page.fill("#words", "0xFFBD")
    page.wait_for_selector("#decoded:has-text('6,546.9 °C')")
    page.wait_for_selector("#decoded:has-text('−6.7 °C')")


def test_a_setting_is_changed_and_handed_in_with_a_known_register(
    editor: Visitor, cast: Cast
) -> None:
    page = editor.page
    page.click("details.fold summary")
    page.locator("#settings tr", has_text="@baud").locator("td.c-text").click()
    page.keyboard.type("19200")
    page.keyboard.press("Enter")
    page.wait_for_selector("#settings-line:has-text('19200')")
    page.fill("#known_address", "11")
    page.fill("#known_word", "0x0102")
    page.click("#hand-in:enabled")
    page.wait_for_url(re.compile(r"/maps/\d+/$"))
    version = RegisterMap.objects.get(model=cast.water.model, version=2)
    assert version.parsed().settings.baud == 19200
    assert version.known_word == 0x0102
    assert said(editor) == []


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desk", "phone"])
def test_pages_of_maps_read_well(visitor: Visitor, cast: Cast, size: dict[str, int]) -> None:
    draft(cast)
    text = cast.water.register_map.content.replace("@baud,9600", "@baud,19200")
    second = RegisterMap.objects.add(cast.water.model, text.encode(), "map.csv")
    visitor.resize(size)
    visitor.be(cast.supplier_member)
    model = cast.water.model_id
    found = {}
    for path in (
        "/maps/",
        f"/maps/{second.pk}/",
        f"/maps/{second.pk}/compare/",
        f"/maps/draft/{model}/",
        f"/maps/draft/{model}/upload/",
    ):
        visitor.go(path)
        found[path] = said(visitor)
    visitor.page.fill("#pasted", LIST)
    visitor.page.check("[name=replace]")
    visitor.page.click("main button.btn-primary")
    visitor.page.wait_for_selector("#preview td:has-text('supply_temp')")
    found["mapping"] = said(visitor)
    visitor.page.check("[name=replace]")
    visitor.page.click("main button.btn-primary")
    visitor.page.wait_for_selector("body[data-ready]")
    visitor.counts("#points td.c-signal:text-is('return_temp')", 1)
    assert not {path: words for path, words in found.items() if words}
    assert visitor.foreign == []
