"""The supplier's side in a browser: his desk, company, models, papers, messages."""

from __future__ import annotations

from pathlib import Path

import pytest

from devices.models import MakerPaper
from households.notifications import tell
from tests.browser.conftest import DESKTOP, PHONE, Visitor
from tests.browser.test_pages import said
from tests.cast import Cast
from tests.devices.makers.scene import BOILER, in_days, photo

PAGES = [
    "/makers/desk/",
    "/makers/",
    "/makers/{maker}/edit/",
    "/makers/models/new/",
    "/makers/models/{model}/",
    "/makers/models/{model}/edit/",
    "/makers/papers/new/?model={model}",
    "/messages/",
]


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desk", "phone"])
def test_the_suppliers_pages_work_and_read_well(
    visitor: Visitor, cast: Cast, size: dict[str, int]
) -> None:
    model = cast.water.model
    model.papers.filter(kind="insurance").update(valid_until=in_days(5))
    model.voltage = 380
    model.save()
    visitor.resize(size)
    visitor.be(cast.supplier_member)
    found = {}
    for page in PAGES:
        tell([cast.supplier_member], "测试通过", "/makers/desk/")
        visitor.go(page.format(maker=model.supplier_id, model=model.pk))
        found[page] = said(visitor)
    assert not {page: words for page, words in found.items() if words}
    assert visitor.foreign == []


def test_the_offices_pages_of_makers_read_well(visitor: Visitor, cast: Cast) -> None:
    model = cast.water.model
    model.papers.filter(kind="insurance").update(valid_until=in_days(-5))
    visitor.resize(PHONE)
    visitor.be(cast.service_unit)
    found = {}
    for page in ("/makers/", f"/makers/{model.supplier_id}/", f"/makers/models/{model.pk}/"):
        visitor.go(page)
        found[page] = said(visitor)
    assert not {page: words for page, words in found.items() if words}


def test_a_model_is_entered_and_gets_its_papers(
    visitor: Visitor, cast: Cast, tmp_path: Path
) -> None:
    scan = tmp_path / "保单.jpg"
    scan.write_bytes(photo().read())
    visitor.be(cast.supplier_member)
    page = visitor.page
    visitor.go("/makers/models/new/")
    page.fill("#id_code", BOILER["code"])
    page.fill("#id_name", BOILER["name"])
    page.get_by_label("燃气壁挂炉", exact=True).check()
    page.get_by_label("水", exact=True).check()
    page.fill("#id_energy_grade", "3")
    page.click("main .btn-primary")
    page.get_by_text("燃气壁挂炉能效不得低于 2 级水平", exact=False).first.wait_for()
    page.fill("#id_energy_grade", "1")
    page.click("main .btn-primary")
    page.get_by_text("没有产品保险单").wait_for()
    page.locator("tr", has_text="产品保险单").get_by_text("上传").click()
    page.set_input_files("#id_file", scan)
    page.fill("#id_number", "BX-9")
    page.fill("#id_valid_until", in_days(200).isoformat())
    page.click("main .btn-primary")
    page.locator("tr", has_text="BX-9").get_by_text("有效", exact=True).wait_for()
    page.get_by_text("没有强制性认证证书").wait_for()
    assert MakerPaper.objects.get(number="BX-9").content_type == "image/jpeg"
    assert visitor.troubles == []


def test_a_message_is_counted_opened_and_read(visitor: Visitor, cast: Cast) -> None:
    tell([cast.supplier_member], "保险单还有 7 天到期", f"/makers/models/{cast.water.model.pk}/")
    visitor.be(cast.supplier_member)
    visitor.go("/makers/desk/")
    visitor.page.locator(".topbar .right a", has_text="1").click()
    visitor.page.get_by_role("link", name="保险单还有 7 天到期").click()
    visitor.page.get_by_role("heading", name="CN-W10").wait_for()
    visitor.counts(".topbar .right .count", 0)
