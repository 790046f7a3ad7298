"""A village's list through its review with a return, and a change slip to its effect."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from households import clock
from households.models import ChangeSlip, Household, ListState, StepKind, VillageList
from tests import cast as make
from tests.browser.conftest import Visitor
from tests.browser.test_household_form import WAYS, Open, open_as, picture_of
from tests.browser.test_pages import said
from tests.cast import Cast
from tests.households import list_scene
from tests.plans.slip_scene import plan_of

__all__ = ["open_as"]


@pytest.fixture
def dongtou(cast: Cast) -> list[Household]:
    """洞头村 with a task of two: the cast's household and one more wait for being listed."""
    plan_of(cast)
    make.reach(cast.water_household, StepKind.SURVEYED, cast.clerk, on=clock.today())
    other = make.household(
        cast.area("洞头村"), number="26-12-0002", householder="卫示丑", door="示范巷 2 号"
    )
    make.reach(other, StepKind.SURVEYED, cast.clerk, on=clock.today())
    return [cast.water_household, other]


@pytest.fixture
def photo(tmp_path: Path) -> str:
    file = tmp_path / "notice.jpg"
    file.write_bytes(list_scene.photo().read())
    return str(file)


def eight_days_pass() -> None:
    """The notice began eight days earlier than it did."""
    one = VillageList.objects.get()
    assert one.notice_from and one.notice_to
    back = timedelta(days=8)
    one.verified_on, one.notice_from = one.verified_on - back, one.notice_from - back
    one.notice_to -= back
    one.save()


def press(visitor: Visitor, words: str) -> None:
    """Press a button and wait for the page that answers."""
    visitor.follow(f"main button:has-text('{words}')")


def unfold(visitor: Visitor, words: str) -> None:
    visitor.page.click(f"summary:has-text('{words}')")


@pytest.mark.parametrize("way", WAYS)
def test_a_list_goes_through_its_review_and_comes_back_once(
    open_as: Open, cast: Cast, dongtou: list[Household], photo: str, way: str
) -> None:
    address = f"/lists/2026/{cast.area('洞头村').pk}/"
    clerk = open_as(cast.clerk, way)
    clerk.go("/lists/")
    assert said(clerk) == []
    picture_of(clerk, f"lists-{way}")
    clerk.follow("a:has-text('洞头村')")
    assert said(clerk) == []
    picture_of(clerk, f"list-draft-{way}")
    press(clerk, "村（社区）核实无误")
    clerk.page.set_input_files("#id_photo", photo)
    press(clerk, "登记公示")
    clerk.page.wait_for_selector("text=才结束")
    assert said(clerk) == []
    picture_of(clerk, f"list-notice-{way}")
    eight_days_pass()
    clerk.go(address)
    press(clerk, "提交镇（街道）审核")

    town = open_as(cast.town_officer)
    town.go(address)
    unfold(town, "退回修改")
    town.page.click("label.chip:has-text('户信息有误')")
    town.page.fill("#return_text", "核对第二户门牌号")
    picture_of(town, f"list-review-{way}")
    assert said(town) == []
    press(town, "退回修改")

    clerk.go("/")
    clerk.follow("a:has-text('名单退回修改 1')")
    clerk.follow("a:has-text('洞头村')")
    clerk.page.wait_for_selector("text=核对第二户门牌号")
    press(clerk, "村（社区）核实无误")  # unchanged: the notice stands
    press(clerk, "提交镇（街道）审核")
    town.go(address)
    press(town, "审核通过，报区备案")

    district = open_as(cast.district_officer)
    district.go("/lists/")
    assert said(district) == []
    picture_of(district, f"lists-district-{way}")
    press(district, "备案选中的名单")
    district.page.wait_for_selector("text=已备案 1 份名单，2 户列入计划")
    assert VillageList.objects.get().state == ListState.FILED
    assert Household.objects.filter(listed_on=clock.today()).count() == 2


@pytest.mark.parametrize("way", WAYS)
def test_a_change_slip_goes_from_the_households_page_into_effect(
    open_as: Open, cast: Cast, dongtou: list[Household], photo: str, way: str
) -> None:
    home = make.reach(dongtou[1], StepKind.LISTED, cast.town_officer, on=clock.today())
    clerk = open_as(cast.clerk, way)
    clerk.go(f"/households/{home.number}/")
    picture_of(clerk, f"slip-household-{way}")
    clerk.follow("main a:has-text('变更单')")
    clerk.follow("a:has-text('户主变更')")
    assert said(clerk) == []
    clerk.page.fill("#id_householder", "卫示寅")
    clerk.page.fill("#id_basis", "过户证明")
    clerk.page.fill("#id_basis_on", clock.today().isoformat())
    clerk.page.click("label.chip:has-text('房屋买卖、继承')")
    clerk.page.set_input_files("#id_scan", photo)
    picture_of(clerk, f"slip-form-{way}")
    press(clerk, "保存变更单")
    picture_of(clerk, f"slip-draft-{way}")
    assert said(clerk) == []
    press(clerk, "提交镇（街道）审核")

    town = open_as(cast.town_officer)
    slip = ChangeSlip.objects.get()
    town.go(f"/slips/{slip.uid}/")
    press(town, "审核通过，报区备案")
    district = open_as(cast.district_officer)
    district.go("/slips/?state=reviewed")
    assert said(district) == []
    district.follow(f"a:has-text('{slip.number}')")
    press(district, "区备案，生效")
    district.page.wait_for_selector("text=卫示丑 → 卫示寅")
    assert said(district) == []
    picture_of(district, f"slip-effect-{way}")
    home.refresh_from_db()
    assert home.householder == "卫示寅"


@pytest.mark.parametrize("way", ["desk", "phone"])
def test_the_pages_of_ledger_and_later_entry_read_well(
    open_as: Open, cast: Cast, dongtou: list[Household], way: str
) -> None:
    town = open_as(cast.town_officer, way)
    pages: dict[str, Any] = {
        "two-level": "/two-level/?year=2026",
        "two-level-village": f"/two-level/{cast.area('洞头村').pk}/?year=2026",
        "slips-empty": "/slips/",
        "slip-kinds": "/slips/new/",
        "later": "/households/26-12-0001/later/",
        "ledger": "/households/",
        "dashboard": "/",
    }
    for name, address in pages.items():
        town.go(address)
        assert said(town) == [], name
        picture_of(town, f"{name}-{way}")
