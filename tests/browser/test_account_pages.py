"""Accounts in a browser: the second factor, texts that survive an ended session, the wall."""

from __future__ import annotations

import re
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
# How many parts of a unit's page ask at once when they hear of a command.
ASKED_BY_A_COMMAND = """() => {
  let n = 0;
  document.addEventListener("htmx:beforeRequest", () => { n += 1; });
  document.body.dispatchEvent(new Event("command-changed"));
  return n;
}"""
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
    visitor.reads("main", "备用码")
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
    visitor.page.wait_for_url(visitor.home + "/personal/")


def type_a_slip_of_a_token(visitor: Visitor) -> None:
    visitor.go("/personal/")
    visitor.page.fill("input[name=name]", "数据大屏程序")
    visitor.page.check("input[value='alarms:read'], input[value='lines:read'] >> nth=0")


def sign_in_again(visitor: Visitor, who: User, back_at: str) -> None:
    visitor.page.wait_for_url("**/sign-in/**")
    visitor.reads("main", "已被结束")
    visitor.page.fill("#id_username", who.username)
    visitor.page.fill("#id_password", PASSWORD)
    visitor.page.click("main button.btn-primary")
    visitor.page.wait_for_url(visitor.home + back_at)  # the sign-in page's ends with it too


def test_a_form_comes_back_with_its_text_after_an_ended_session(
    visitor: Visitor, cast: Cast
) -> None:
    visitor.be(cast.district_officer)
    type_a_slip_of_a_token(visitor)
    SignIn.objects.all().end()
    visitor.page.click("button:has-text('签发令牌')")
    sign_in_again(visitor, cast.district_officer, "/personal/")
    visitor.reads(".note.warn", "已放回")
    visitor.holds("input[name=name]", "数据大屏程序")
    assert visitor.page.is_checked("input[value='lines:read']")
    assert not cast.district_officer.api_tokens.exists()
    assert said(visitor) == []
    visitor.page.click("button:has-text('签发令牌')")
    visitor.page.wait_for_selector("code.secret")
    visitor.go("/personal/")
    visitor.holds("input[name=name]", "")


def test_what_one_typed_another_never_sees(visitor: Visitor, cast: Cast) -> None:
    visitor.be(cast.district_officer)
    type_a_slip_of_a_token(visitor)
    SignIn.objects.all().end()
    visitor.page.click("button:has-text('签发令牌')")
    sign_in_again(visitor, cast.town_officer, "/personal/")
    visitor.holds("input[name=name]", "")
    assert visitor.page.evaluate("sessionStorage.getItem('kept')") is None


def test_nothing_is_kept_after_signing_out(visitor: Visitor, cast: Cast) -> None:
    visitor.be(cast.district_officer)
    type_a_slip_of_a_token(visitor)
    visitor.page.click(".menu summary")
    visitor.page.click("text=退出登录")
    visitor.page.wait_for_url("**/sign-in/")
    assert visitor.page.evaluate("sessionStorage.getItem('kept')") is None


def type_a_target(visitor: Visitor, district: Cast) -> str:
    """On the page of a unit whose command is under way; the parts of it that follow the command ask
    every second."""
    visitor.be(district.district_officer)
    page = f"/units/{district.water.pk}/"
    visitor.go(page)
    visitor.rest()
    visitor.page.fill("#target", "23")
    return page


def test_a_part_that_refreshes_itself_leads_to_sign_in_and_keeps_the_text(
    visitor: Visitor, district: Cast
) -> None:
    page = type_a_target(visitor, district)
    SignIn.objects.all().end()
    sign_in_again(visitor, district.district_officer, page)
    visitor.page.wait_for_selector(".note.warn")
    visitor.holds("#target", "23")


def test_a_form_sent_by_htmx_keeps_its_text_too(visitor: Visitor, district: Cast) -> None:
    page = type_a_target(visitor, district)

    def ends_meanwhile(route: Any) -> None:
        if route.request.method == "POST":  # before, a part would have led away from the form
            SignIn.objects.all().end()
        route.continue_()

    visitor.page.route("**/command/**", ends_meanwhile)
    visitor.page.click("#command button.btn-primary")
    sign_in_again(visitor, district.district_officer, page)
    visitor.page.wait_for_selector(".note.warn")
    visitor.holds("#target", "23")


def test_parts_that_are_refused_at_the_same_moment_lead_to_sign_in_once(
    visitor: Visitor, district: Cast
) -> None:
    page = type_a_target(visitor, district)
    parts: list[Any] = []
    refused: list[str] = []
    going: list[Any] = []

    def ends_meanwhile(route: Any) -> None:
        parts.append(route)
        if len(parts) == 3:  # the values, the commands, the one that is set
            SignIn.objects.all().end()
            for each in parts:
                each.continue_()

    def hears(response: Any) -> None:
        if "hx-redirect" in response.headers:
            refused.append(response.url)

    visitor.page.on("response", hears)
    visitor.page.route(re.compile(r"\?part=|command/\?signal="), ends_meanwhile)
    # The way to the sign-in page is a long one.
    visitor.page.route("**/sign-in/**", lambda route: going.append(route))
    assert visitor.page.evaluate(ASKED_BY_A_COMMAND)
    visitor.eventually(lambda: len(refused) >= 3 and going)
    assert visitor.page.evaluate(ASKED_BY_A_COMMAND) == 0
    assert len(going) == 1
    visitor.page.unroute("**/sign-in/**")
    going[0].continue_()
    sign_in_again(visitor, district.district_officer, page)
    visitor.holds("#target", "23")


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
    visitor.page.clock.run_for(122_000)
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
