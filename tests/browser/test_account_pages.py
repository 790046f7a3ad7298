"""Accounts in a browser: the second factor, texts that survive an ended session, the wall."""

from __future__ import annotations

from typing import Any

import pytest

from households import clock
from households.accounts import second_factor
from households.accounts.second_factor import STEP
from households.models import Role, SecondFactor, SignIn, User
from plans.models import WallLink
from tests import cast as people
from tests.browser.conftest import DESKTOP, PHONE, Visitor
from tests.browser.test_pages import district, said
from tests.cast import PASSWORD, Cast

__all__ = ["district"]  # the fixture
WALL = {"width": 1920, "height": 1080}
PAGES = [
    "/accounts/",
    "/accounts/new/",
    "/accounts/{clerk}/",
    "/accounts/{clerk}/handover/",
    "/accounts/rules/",
    "/personal/",
    "/personal/password/",
    "/personal/second-factor/",
    "/wall-links/",
]


@pytest.fixture
def keeper(cast: Cast) -> User:
    person = people.user("guanli", Role.ADMINISTRATOR, name="管理测试员")
    person.keeps_accounts = person.keeps_rights = person.keeps_log = True
    person.save()
    return person


def code(person: User) -> str:
    factor = SecondFactor.objects.get(user=person)
    return second_factor.code_at(factor, int(clock.now().timestamp()) // STEP)


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desk", "phone"])
def test_account_pages_work_and_read_well(
    visitor: Visitor, cast: Cast, keeper: User, size: dict[str, int]
) -> None:
    visitor.resize(size)
    visitor.be(keeper)
    found = {}
    for page in PAGES:
        visitor.go(page.format(clerk=cast.clerk.pk))
        found[page] = said(visitor)
    assert not {page: words for page, words in found.items() if words}
    assert visitor.foreign == []


def test_signing_in_with_a_second_factor(visitor: Visitor, cast: Cast) -> None:
    visitor.resize(PHONE)
    visitor.be(cast.district_officer)
    visitor.go("/personal/second-factor/")
    visitor.page.fill("#id_code", code(cast.district_officer))
    visitor.page.click("button:has-text('启用动态码')")
    assert "备用码" in visitor.page.inner_text("main")
    assert said(visitor) == []
    SecondFactor.objects.update(counter=0)
    visitor.page.context.clear_cookies()
    visitor.go("/sign-in/?next=/personal/")
    visitor.page.fill("#id_username", "qu")
    visitor.page.fill("#id_password", PASSWORD)
    visitor.page.click("main button.btn-primary")
    visitor.page.wait_for_url("**/sign-in/code/")
    assert said(visitor) == []
    visitor.page.fill("#id_code", code(cast.district_officer))
    visitor.page.click("main button.btn-primary")
    visitor.page.wait_for_url("**/personal/")


def type_a_slip_of_a_token(visitor: Visitor) -> None:
    visitor.go("/personal/")
    visitor.page.fill("input[name=name]", "数据大屏程序")
    visitor.page.check("input[value='alarms:read'], input[value='lines:read'] >> nth=0")


def sign_in_again(visitor: Visitor, who: User, back_at: str) -> None:
    visitor.page.wait_for_url("**/sign-in/**")
    assert "已被结束" in visitor.page.inner_text("main")
    visitor.page.fill("#id_username", who.username)
    visitor.page.fill("#id_password", PASSWORD)
    visitor.page.click("main button.btn-primary")
    visitor.page.wait_for_url(f"**{back_at}")


def test_a_form_comes_back_with_its_text_after_an_ended_session(
    visitor: Visitor, cast: Cast
) -> None:
    visitor.be(cast.district_officer)
    type_a_slip_of_a_token(visitor)
    SignIn.objects.all().end()
    visitor.page.click("button:has-text('签发令牌')")
    sign_in_again(visitor, cast.district_officer, "/personal/")
    assert "已放回" in visitor.page.inner_text(".note.warn")
    assert visitor.page.input_value("input[name=name]") == "数据大屏程序"
    assert visitor.page.is_checked("input[value='lines:read']")
    assert not cast.district_officer.api_tokens.exists()
    assert said(visitor) == []
    visitor.page.click("button:has-text('签发令牌')")
    visitor.page.wait_for_selector("code.secret")
    visitor.go("/personal/")
    assert visitor.page.input_value("input[name=name]") == ""


def test_what_one_typed_another_never_sees(visitor: Visitor, cast: Cast) -> None:
    visitor.be(cast.district_officer)
    type_a_slip_of_a_token(visitor)
    SignIn.objects.all().end()
    visitor.page.click("button:has-text('签发令牌')")
    sign_in_again(visitor, cast.town_officer, "/personal/")
    assert visitor.page.input_value("input[name=name]") == ""
    assert visitor.page.evaluate("sessionStorage.getItem('kept')") is None


def test_nothing_is_kept_after_signing_out(visitor: Visitor, cast: Cast) -> None:
    visitor.be(cast.district_officer)
    type_a_slip_of_a_token(visitor)
    visitor.page.click(".menu summary")
    visitor.page.click("text=退出登录")
    visitor.page.wait_for_url("**/sign-in/")
    assert visitor.page.evaluate("sessionStorage.getItem('kept')") is None


def test_a_part_that_refreshes_itself_leads_to_sign_in_and_keeps_the_text(
    visitor: Visitor, district: Cast
) -> None:
    visitor.be(district.district_officer)
    page = f"/units/{district.water.pk}/"
    with visitor.page.expect_response("**/chart/**"):  # that request would end the session
        visitor.go(page)
    visitor.page.fill("#target", "23")
    visitor.page.wait_for_load_state("networkidle")
    SignIn.objects.all().end()
    visitor.page.evaluate(
        "htmx.ajax('GET', location.pathname + '?part=values', {target: '#values'})"
    )
    sign_in_again(visitor, district.district_officer, page)
    visitor.page.wait_for_selector(".note.warn")
    assert visitor.page.input_value("#target") == "23"


def test_a_form_sent_by_htmx_keeps_its_text_too(visitor: Visitor, district: Cast) -> None:
    visitor.be(district.district_officer)
    page = f"/units/{district.water.pk}/"
    with visitor.page.expect_response("**/chart/**"):  # that request would end the session
        visitor.go(page)
    visitor.page.fill("#target", "23")
    visitor.page.wait_for_load_state("networkidle")
    SignIn.objects.all().end()
    visitor.page.click("#command button.btn-primary")
    sign_in_again(visitor, district.district_officer, page)
    visitor.page.wait_for_selector(".note.warn")
    assert visitor.page.input_value("#target") == "23"


def test_the_wall_fits_its_screen_without_moving(visitor: Visitor, district: Cast) -> None:
    _link, secret = WallLink.issue(district.district_officer, "一楼", 30)
    visitor.resize(WALL)
    visitor.go(f"/wall/{secret}/")
    assert said(visitor) == []
    assert visitor.foreign == []
    assert overflowing(visitor) == []
    assert visitor.page.evaluate("document.scrollingElement.scrollHeight") == WALL["height"]
    visitor.resize({"width": 1280, "height": 720})
    visitor.page.wait_for_function("innerWidth == 1280 && parseFloat(wall.style.zoom) < 0.7")
    assert visitor.overflow == 0


def test_the_wall_takes_new_figures_in_place_and_says_when_they_are_old(
    visitor: Visitor, district: Cast
) -> None:
    link, secret = WallLink.issue(district.district_officer, "一楼", 30)
    visitor.page.clock.install()
    visitor.go(f"/wall/{secret}/")
    district.water_household.withdrawn_on = clock.today()
    district.water_household.save()
    visitor.page.wait_for_selector("#wall .wall-figs .pane:first-child .v:has-text('1 / 115')")
    visitor.page.clock.run_for(61_000)
    visitor.page.wait_for_selector("#wall .wall-figs .pane:first-child .v:has-text('0 / 115')")
    WallLink.objects.filter(pk=link.pk).update(revoked_at=clock.now())
    for _minute in range(2):
        visitor.page.clock.run_for(61_000)
        visitor.page.wait_for_timeout(300)
    visitor.page.wait_for_selector("#stale:not([hidden])")


def overflowing(visitor: Visitor) -> list[str]:
    """Panes whose content is larger than they are, and texts under 22 px."""
    found: Any = visitor.page.evaluate(
        """() => [...document.querySelectorAll('.wall .pane')]
          .filter((pane) => pane.scrollHeight > pane.clientHeight + 1
            || pane.scrollWidth > pane.clientWidth + 1).map((pane) => pane.className)
          .concat([...document.querySelectorAll('.wall *')].filter((one) => one.childNodes.length
            && [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim())
            && parseFloat(getComputedStyle(one).fontSize) < 22).map((one) => one.outerHTML))"""
    )
    return list(found)
