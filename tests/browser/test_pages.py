"""Every page in a browser: nothing breaks, nothing is asked of another host, all can use it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.conf import settings

from households import clock
from households.models import StepKind
from plans.models import PlanItem, TaskPlan
from telemetry import commands
from tests.browser.conftest import DESKTOP, PHONE, Visitor
from tests.cast import Cast, answered, reach, reading, turned_bad

NOT_FOUND = "Failed to load resource: the server responded with a status of 404 (Not Found)"
PAGES = {
    "dashboard": "/",
    "ledger": "/households/",
    "empty ledger": "/households/?q=没有的",
    "household": "/households/26-12-0001/",
    "units": "/units/",
    "unit": "/units/{water}/",
    "read-only unit": "/units/{air}/",
    "readings": "/units/{water}/readings/",
    "personal settings": "/personal/",
    "definitions": "/progress/definitions/",
    "curve's numbers": "/progress/table/",
    "no page": "/nowhere/",
}


@pytest.fixture
def district(cast: Cast) -> Cast:
    """A plan, steps, values of every kind, a past with a hole, a command."""
    plan = TaskPlan.objects.create(
        district=cast.area("城区"),
        year=2026,
        basis="示例〔2026〕17 号",
        starts_on=date(2026, 5, 28),
        works_done_by=date(2026, 10, 10),
        ends_on=date(2026, 10, 31),
    )
    for seq, (village, task) in enumerate((("时家岭社区", 89), ("洞头村", 26)), 1):
        PlanItem.objects.create(
            plan=plan, seq=seq, area=cast.area(village), households=task, coal_to_electricity=task
        )
    reach(cast.water_household, StepKind.ACCEPTED, cast.district_officer)
    state = answered(
        cast.water,
        clock.now(),
        supply_temp=43.1,
        return_temp=38.6,
        outdoor_temp=-6.7,
        indoor_temp_setpoint=20,
        indoor_temp=19.4,
        power_state=True,
        mode="heating",
        fault_active=False,
        electric_energy=1842.6,
    )
    turned_bad(state, "electric_energy", "suspect")
    answered(cast.air, clock.now(), fault_active=True, fault_bits=["fan_motor"])
    for minute in (*range(5, 60), *range(90, 150)):
        at = clock.now() - timedelta(minutes=minute)
        reading(cast.water, at, supply_temp=43.1, return_temp=38.6, outdoor_temp=-6.7)
    commands.request(
        cast.water, "indoor_temp_setpoint", 21, by=cast.district_officer, reason="frost"
    )
    return cast


def address(cast: Cast, page: str) -> str:
    return PAGES[page].format(water=cast.water.pk, air=cast.air.pk)


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desk", "phone"])
def test_every_page_works_and_reads_well(
    visitor: Visitor, district: Cast, size: dict[str, int]
) -> None:
    visitor.resize(size)
    visitor.go("/sign-in/")
    found = {"sign-in": said(visitor)}
    visitor.be(district.district_officer)
    for page in PAGES:
        visitor.go(address(district, page))
        found[page] = said(visitor)
    assert found.pop("no page") == [NOT_FOUND]
    assert not {page: words for page, words in found.items() if words}
    assert visitor.foreign == []


def said(visitor: Visitor) -> list[str]:
    """All that is wrong with the page as it stands; waits for what it loads by itself."""
    visitor.rest()
    wide = [f"{visitor.overflow} px too wide"] if visitor.overflow else []
    heard, visitor.troubles[:] = list(visitor.troubles), []
    return wide + heard + faults(visitor)


def faults(visitor: Visitor) -> list[str]:
    """What axe finds serious or critical on the page as it stands."""
    axe = settings.NODE_MODULES / "axe-core" / "axe.min.js"
    visitor.page.evaluate(axe.read_text(encoding="utf-8"))
    found: Any = visitor.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{rule['id']}: {node['target']} {node['failureSummary']}"
        for rule in found["violations"]
        if rule["impact"] in ("serious", "critical")
        for node in rule["nodes"]
    ]


def test_the_charts_are_drawn(visitor: Visitor, district: Cast) -> None:
    visitor.be(district.district_officer)
    visitor.go("/")
    visitor.page.wait_for_selector("#curves canvas")
    visitor.go(address(district, "unit"))
    visitor.page.wait_for_selector("#day canvas")
    visitor.reads("#legend", "供水温度", "无数据")


def test_a_filter_is_asked_as_soon_as_it_is_chosen_and_kept_in_the_address(
    visitor: Visitor, district: Cast
) -> None:
    visitor.be(district.district_officer)
    visitor.go("/households/")
    visitor.page.select_option("select[name=area]", label="　洞头村")
    visitor.page.wait_for_url(f"**/households/?area={district.area('洞头村').pk}")
    visitor.reads("table", "26-12-0001")
    assert "26-10-0001" not in visitor.page.inner_text("table")


def test_the_step_keys_stay_within_the_limits(visitor: Visitor, district: Cast) -> None:
    visitor.be(district.district_officer)
    visitor.go(address(district, "unit"))
    more = visitor.page.locator("button[data-step='1']")
    for _press in range(8):
        more.click()
    visitor.holds("#target", "26")
    for _press in range(12):
        visitor.page.locator("button[data-step='-1']").click()
    visitor.holds("#target", "16")


def test_the_phone_number_is_shown_in_place(visitor: Visitor, district: Cast) -> None:
    visitor.be(district.town_officer)
    visitor.go(address(district, "household"))
    visitor.page.click("text=显示")
    visitor.page.wait_for_selector("a[href='tel:13000000000']")
    assert visitor.troubles == []


def test_the_language_is_switched_on_the_spot(visitor: Visitor, district: Cast) -> None:
    visitor.be(district.district_officer)
    visitor.go("/personal/")
    visitor.page.click("button[value=en]")
    visitor.page.wait_for_selector("html[lang=en]")
    visitor.go("/personal/")
    visitor.page.click("button[value=zh-hans]")
    visitor.page.wait_for_selector("html[lang=zh-hans]")


def test_the_account_menu_opens_and_signs_out(visitor: Visitor, district: Cast) -> None:
    visitor.sign_in(district.district_officer)
    visitor.page.click(".menu summary")
    visitor.page.keyboard.press("Escape")
    visitor.counts(".menu[open]", 0)
    visitor.page.click(".menu summary")
    visitor.page.click("text=退出登录")
    visitor.page.wait_for_url("**/sign-in/")
