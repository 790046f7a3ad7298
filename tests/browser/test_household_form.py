"""A household from the short form to its file: at a desk, on a phone, in WeChat's browser."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from households.models import Document, Household, StepKind, User
from tests import cast as people
from tests.browser.conftest import DESKTOP, PHONE, Visitor
from tests.browser.test_pages import said
from tests.cast import Cast
from tests.households.archive.test_photos import needs_the_font, picture

WECHAT = (
    "Mozilla/5.0 (Linux; Android 14; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 "
    "Chrome/126.0 Mobile Safari/537.36 XWEB/1260 MMWEBSDK/20240501 MicroMessenger/8.0.50 "
    "WeChat/arm64 Weixin Language/zh_CN"
)
WAYS: dict[str, dict[str, Any]] = {
    "desk": {"viewport": DESKTOP},
    "phone": {"viewport": PHONE, "has_touch": True, "is_mobile": True},
    "wechat": {"viewport": PHONE, "has_touch": True, "is_mobile": True, "user_agent": WECHAT},
}
HERE = {"latitude": 35.45812, "longitude": 112.87034, "accuracy": 8}
Open = Callable[..., Visitor]


@pytest.fixture
def open_as(browser: Any, live_server: Any, cast: Cast) -> Iterator[Open]:
    """Browsers of several people, each signed in."""
    contexts = []

    def opened(user: User, way: str = "desk", **options: Any) -> Visitor:
        context = browser.new_context(timezone_id="Asia/Shanghai", **WAYS[way], **options)
        contexts.append(context)
        visitor = Visitor(context.new_page(), live_server.url)
        visitor.be(user)
        return visitor

    yield opened
    for context in contexts:
        context.close()


def picture_of(visitor: Visitor, name: str) -> None:
    """Keep what the page looks like, where somebody wants to look at it."""
    if folder := os.environ.get("SCREENSHOTS"):
        visitor.page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)


@contextmanager
def unfolded(visitor: Visitor, words: str) -> Iterator[None]:
    summary = visitor.page.locator(f"summary:has-text('{words}')")
    if not summary.evaluate("node => node.parentElement.open"):
        summary.click()
    yield


def chip(visitor: Visitor, words: str) -> None:
    visitor.page.click(f"label.chip:has-text('{words}')")


@pytest.mark.parametrize("way", WAYS)
def test_a_clerk_keeps_a_draft_and_submits_it_later(open_as: Open, cast: Cast, way: str) -> None:
    clerk = open_as(cast.clerk, way, geolocation=HERE, permissions=["geolocation"])
    page = clerk.page
    clerk.go("/households/")
    page.click("a:has-text('摸底登记')")
    page.fill("#id_householder", "卫示丑")
    chip(clerk, "电代煤")
    picture_of(clerk, f"new-{way}")
    assert said(clerk) == []
    page.click("button:has-text('暂存')")
    page.wait_for_selector("text=还没有提交摸底登记")
    home = Household.objects.latest("pk")
    assert home.state == "draft"
    picture_of(clerk, f"draft-{way}")
    page.click("a:has-text('继续填写') >> nth=0")
    page.fill("#id_place", "庙东第三户")
    page.fill("#id_phone", "1300000000")
    with unfolded(clerk, "位置"):
        page.click("text=取当前位置")
        page.wait_for_selector("text=精度约 8 米")
        source = "wechat" if way == "wechat" else "browser"
        page.wait_for_selector(f"[value={source}]:checked", state="attached")
    page.click("button[name=submit]")
    page.wait_for_selector("text=现在是 10 位")
    picture_of(clerk, f"mistake-{way}")
    assert said(clerk) == []
    page.fill("#id_phone", "13000000007")
    page.click("button[name=submit]")
    page.wait_for_url(f"{clerk.home}/households/{home.number}/")
    home.refresh_from_db()
    assert (home.state, home.place, home.phone) == ("to_list", "庙东第三户", "13000000007")
    assert home.accuracy_m == 8
    picture_of(clerk, f"household-{way}")
    assert said(clerk) == []


def test_two_officers_at_once_lose_nothing(open_as: Open, cast: Cast) -> None:
    home = people.reach(cast.water_household, StepKind.SURVEYED, cast.clerk)
    first, second = open_as(cast.clerk, "phone"), open_as(cast.town_officer)
    for officer in (first, second):
        officer.go(f"/households/{home.number}/edit/")
    with unfolded(first, "房屋"):
        first.page.fill("#id_heated_area", "90")
        first.page.fill("#id_house_type", "二层楼房")
    chip(first, "实测")
    first.page.click("text=保存更正")
    first.page.wait_for_selector("text=已保存")
    second.page.fill("#id_heated_area", "92")
    second.page.fill("#id_note", "院内有狗")
    chip(second, "入户核实")
    second.page.click("text=保存更正")
    second.page.wait_for_selector("text=两人都改了")
    second.reads("#clashes", "86 m²", "90 m²", "92 m²", "洞头测试员", "二层楼房")
    picture_of(second, "clash-desk")
    assert said(second) == []
    second.page.click("#clashes label:has-text('我的')")
    second.page.click("text=保存更正")
    second.page.wait_for_selector("text=已保存")
    home.refresh_from_db()
    assert (str(home.heated_area), home.house_type) == ("92.0", "二层楼房")
    assert home.note == "院内有狗"


def test_a_double_is_hinted_at_while_typing_and_merged(open_as: Open, cast: Cast) -> None:
    home = cast.water_household
    clerk = open_as(cast.clerk)
    page = clerk.page
    clerk.go("/households/new/")
    page.fill("#id_householder", home.householder)
    page.fill("#id_door", "测试路1号")
    page.press("#id_door", "Tab")
    page.wait_for_selector(f"#alike >> text={home.number}")
    picture_of(clerk, "alike-desk")
    page.click("button[name=submit]")
    page.click("text=不是同一户")
    page.click("button[name=submit]")
    page.wait_for_selector("text=可能与这些户重复")
    double = Household.objects.latest("pk")
    clerk.go(f"/households/{home.number}/merge/{double.number}/")
    picture_of(clerk, "merge-desk")
    assert said(clerk) == []
    chip(clerk, "同一户登记了两次")
    page.click("text=合并为一户")
    page.wait_for_selector("text=旧编号仍能打开")
    clerk.go(f"/households/{double.number}/")
    page.wait_for_url(f"{clerk.home}/households/{home.number}/")


@needs_the_font
@pytest.mark.parametrize("way", WAYS)
def test_a_photo_goes_into_the_file(open_as: Open, cast: Cast, way: str) -> None:
    home = people.reach(cast.water_household, StepKind.SIGNED, cast.clerk)
    clerk = open_as(cast.clerk, way)
    page = clerk.page
    clerk.go(f"/households/{home.number}/")
    with unfolded(clerk, "上传照片"):
        files = [
            {"name": f"{n}.jpg", "mimeType": "image/jpeg", "buffer": picture((1200 + n, 900))}
            for n in range(2)
        ]
        page.set_input_files("#id_files", files)
        assert page.is_visible("#id_camera") == (way != "desk")
    page.click("#papers button:has-text('上传')")
    page.wait_for_selector("text=已收 2 份材料")
    page.wait_for_selector("#papers img.thumb")
    picture_of(clerk, f"papers-{way}")
    assert said(clerk) == []
    assert Document.objects.filter(household=home).count() == 2
    clerk.go(f"/documents/{Document.objects.latest('pk').uid}/")
    picture_of(clerk, f"photo-{way}")


def test_without_encryption_the_page_says_what_it_cannot_do(open_as: Open, cast: Cast) -> None:
    clerk = open_as(cast.clerk, "phone")
    clerk.page.add_init_script(
        "Object.defineProperty(window, 'isSecureContext', {get: () => false})"
    )
    clerk.go("/households/new/")
    with unfolded(clerk, "位置"):
        clerk.page.click("text=取当前位置")
        clerk.page.wait_for_selector("text=不是加密连接")


def test_signing_in_again_keeps_the_text_and_the_other_s_change(open_as: Open, cast: Cast) -> None:
    home = cast.water_household
    clerk = open_as(cast.clerk)
    page = clerk.page
    clerk.go(f"/households/{home.number}/edit/")
    with unfolded(clerk, "房屋"):
        page.fill("#id_walls", "砖混")
    cast.clerk.set_password(people.PASSWORD)  # ends every session of the account
    cast.clerk.save()
    Household.objects.filter(pk=home.pk).update(house_type="二层楼房")
    page.click("button[name=draft]")
    page.wait_for_url("**/sign-in/**")
    page.fill("#id_username", cast.clerk.username)
    page.fill("#id_password", people.PASSWORD)
    page.click("main button.btn-primary")
    page.wait_for_url(f"{clerk.home}/households/{home.number}/edit/")
    clerk.holds("#id_walls", "砖混")
    page.click("button[name=draft]")
    page.wait_for_selector("text=已暂存")
    home.refresh_from_db()
    assert (home.walls, home.house_type) == ("砖混", "二层楼房")
