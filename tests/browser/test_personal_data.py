"""Whole phone numbers, the story of a household, the log and the public card in a browser."""

from __future__ import annotations

import re

import pytest

from households import cards, reveals
from households.audit import history, seals
from households.models import Household, PhoneReveal, Role
from tests import cast as make
from tests.browser.conftest import DESKTOP, PHONE, Visitor
from tests.browser.test_pages import faults
from tests.cast import Cast

NUMBER = "13000000000"
SIZES = pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])


def sound(visitor: Visitor) -> None:
    assert not visitor.troubles
    assert not visitor.foreign
    assert visitor.overflow <= 0
    assert not faults(visitor)


@pytest.fixture
def changed(cast: Cast) -> Household:
    """A household of which something was changed by a clerk, and something behind the platform."""
    home = Household.objects.get(pk=cast.water_household.pk)
    with history.acting(cast.clerk), history.because("现场核对，门牌重编"):
        home.door, home.phone, home.heated_area = "示范巷 7 号", "13812345678", 92
        home.save()
    Household.objects.filter(pk=home.pk).update(seasonal=True)
    return home


@SIZES
def test_a_clerk_is_told_the_number_at_one_tap(
    visitor: Visitor, cast: Cast, size: dict[str, int]
) -> None:
    visitor.resize(size)
    visitor.be(cast.clerk)
    visitor.go(f"/households/{cast.water_household.number}/")
    visitor.page.locator(".tel").get_by_role("button", name="显示").click()
    dial = visitor.page.locator(f'.tel a[href="tel:{NUMBER}"]')
    dial.wait_for()
    assert PhoneReveal.objects.get().user == cast.clerk
    sound(visitor)


@SIZES
def test_the_district_says_why_first(visitor: Visitor, cast: Cast, size: dict[str, int]) -> None:
    visitor.resize(size)
    visitor.be(cast.district_officer)
    visitor.go(f"/households/{cast.water_household.number}/")
    visitor.page.locator(".tel").get_by_role("button", name="显示").click()
    form = visitor.page.locator(".tel form")
    form.wait_for()
    sound(visitor)
    form.locator("select").select_option("other")
    form.locator("button").click()
    visitor.page.get_by_text("选“其他”时请写明").wait_for()
    form.locator("input[name=words]").fill("送达通知")
    form.locator("button").click()
    visitor.page.locator(f'.tel a[href="tel:{NUMBER}"]').wait_for()
    assert PhoneReveal.objects.get().reason == "其他：送达通知"


@SIZES
def test_the_story_is_told_on_the_page(
    visitor: Visitor, cast: Cast, changed: Household, size: dict[str, int]
) -> None:
    visitor.resize(size)
    visitor.be(cast.town_officer)
    visitor.go(f"/households/{changed.number}/")
    visitor.page.get_by_text("门牌号 测试路 1 号 → 示范巷 7 号").wait_for()
    sound(visitor)


@SIZES
@pytest.mark.parametrize("page", ["/log/", "/log/phones/"])
def test_the_log_is_readable(
    visitor: Visitor, cast: Cast, changed: Household, size: dict[str, int], page: str
) -> None:
    reveals.reveal(cast.clerk, changed)
    seals.seal()
    auditor = make.user("shenji", Role.ADMINISTRATOR, name="审计测试员")
    auditor.keeps_log = True
    auditor.save()
    visitor.resize(size)
    visitor.be(auditor)
    visitor.go(page)
    visitor.page.locator("main table").wait_for()
    sound(visitor)


@SIZES
def test_a_card_is_scanned_without_signing_in(
    visitor: Visitor, cast: Cast, size: dict[str, int]
) -> None:
    visitor.resize(size)
    visitor.go(f"/card/{cards.code_of(cast.water_household)}/")
    visitor.page.get_by_text("26-12-0001").wait_for()
    sound(visitor)


def test_a_name_that_is_looked_for_never_stands_in_the_address(
    visitor: Visitor, cast: Cast
) -> None:
    visitor.be(cast.district_officer)
    visitor.go("/households/?method=coal_to_electricity")
    visitor.page.fill("[name=q]", "测试户甲")
    visitor.page.keyboard.press("Enter")
    visitor.page.wait_for_url(re.compile(r"q=%7E1\."))
    visitor.holds("[name=q]", "测试户甲")
    assert "method=coal_to_electricity" in visitor.page.url
    visitor.page.get_by_text("26-12-0001").wait_for()
    assert not visitor.page.get_by_text("26-10-0001").is_visible()
    assert not visitor.troubles
