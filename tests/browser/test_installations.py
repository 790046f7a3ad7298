"""Work given from the list, forty connections of one building, the record at a desk."""

from __future__ import annotations

import pytest

from devices.models import Assignment, HeatConnection
from households.models import Method, Role, StepKind
from tests import cast as make
from tests.browser.conftest import DESKTOP, PHONE, Visitor
from tests.browser.test_pages import said
from tests.cast import Cast


@pytest.fixture
def village(cast: Cast) -> Cast:
    """Forty network households of one house, two that wait for a unit."""
    here = cast.area("洞头村")
    for n in range(10, 50):
        home = make.household(
            here, number=f"26-12-00{n}", method=Method.CENTRAL_HEATING, door=f"3号楼{n}室"
        )
        make.reach(home, StepKind.LISTED, cast.town_officer)
    for n in (2, 3):
        home = make.household(here, number=f"26-12-000{n}", door=f"示范巷 {n} 号")
        make.reach(home, StepKind.SIGNED, cast.town_officer)
    return cast


def test_a_town_ticks_and_gives(visitor: Visitor, village: Cast) -> None:
    visitor.be(village.town_officer)
    visitor.go("/installations/?stage=assign")
    visitor.page.check("[data-tick-all]")
    visitor.page.wait_for_selector("[data-ticked]:text-is('2 / 2')")
    visitor.page.select_option("select[name=supplier]", label="晨暖（虚构）")
    visitor.page.click("button[name=assign]")
    visitor.page.wait_for_selector("text=已分派 2 户给晨暖（虚构）")
    assert Assignment.objects.count() == 2
    assert visitor.troubles == []


def test_forty_households_of_a_building_are_ticked_at_once(visitor: Visitor, village: Cast) -> None:
    visitor.be(make.user("reli", Role.HEAT_COMPANY))
    visitor.go(f"/connections/?area={village.area('洞头村').pk}&building=3号楼")
    visitor.page.check("[data-tick-all]")
    visitor.page.wait_for_selector("[data-ticked]:text-is('40 / 40')")
    visitor.page.fill("#id_station", "1 号换热站")
    visitor.page.fill("#id_agreement_number", "RW-0001")
    visitor.page.fill("#id_agreement_on", str(make.INSTALLED_ON))
    visitor.page.fill("#id_connected_on", str(make.INSTALLED_ON))
    visitor.page.click("text=保存勾选的户")
    visitor.page.wait_for_selector("text=已登记 40 户入网记录")
    assert HeatConnection.objects.filter(connected_on=make.INSTALLED_ON).count() == 40
    assert visitor.troubles == []


def test_maker_name_and_model_follow_one_another(visitor: Visitor, village: Cast) -> None:
    visitor.be(village.town_officer)
    visitor.go("/installations/26-12-0002/")
    visitor.page.select_option("#id_maker", label="北岳（虚构）")
    visitor.holds("#id_model", "AirBox-3P")
    visitor.page.fill("#id_factory_number", "AB-9")
    visitor.page.fill("#id_transmitter_number", "QN-9")
    visitor.page.click("text=保存")
    visitor.page.wait_for_url(visitor.home + "/households/26-12-0002/")
    visitor.reads("main", "AB-9")


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
@pytest.mark.parametrize(
    "path",
    [
        "/installations/",
        "/connections/",
        "/connections/?area={area}",
        "/installations/26-12-0002/",
        "/installations/26-12-0001/",
        "/households/26-12-0010/",
    ],
)
def test_the_pages_are_for_everybody(
    visitor: Visitor, village: Cast, path: str, size: dict[str, int]
) -> None:
    visitor.resize(size)
    visitor.be(village.town_officer)
    visitor.go(path.format(area=village.area("洞头村").pk))
    assert said(visitor) == []
