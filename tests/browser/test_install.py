"""An installer with a phone: without signal, with it back, in WeChat, after the lock."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from devices.models import Installation
from households.models import SignIn, StepKind, User
from telemetry.models import Reading
from tests import cast as make
from tests.browser.conftest import DESKTOP, PHONE, Visitor
from tests.browser.test_pages import faults
from tests.cast import Cast

WECHAT = (
    "Mozilla/5.0 (Linux; Android 14; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 "
    "Chrome/120.0 Mobile Safari/537.36 MicroMessenger/8.0.49(0x28003137)"
)
PLACE = {"latitude": 35.4912, "longitude": 112.8431, "accuracy": 12}
# What the browser itself says of a network that is away.
AWAY = ("ERR_INTERNET_DISCONNECTED", "401 (Unauthorized)", "422 (Unprocessable", "Service Worker")


@pytest.fixture
def installer(cast: Cast) -> User:
    """One of 晨暖's, with two households of 洞头村 to do."""
    maker = cast.water.model.supplier
    person = make.installer("anzhuang", maker)
    for n in (2, 3):
        row = make.household(
            cast.area("洞头村"), number=f"26-12-000{n}", door=f"示范巷 {n} 号", householder="王示辛"
        )
        make.reach(row, StepKind.SIGNED, cast.town_officer)
        make.assign(row, maker, cast.town_officer, person)
    return person


def phone(browser: Any, url: str, **options: Any) -> Visitor:
    context = browser.new_context(
        viewport=PHONE,
        timezone_id="Asia/Shanghai",
        geolocation=PLACE,
        permissions=["geolocation"],
        has_touch=True,
        **options,
    )
    return Visitor(context.new_page(), url)


@pytest.fixture
def visitor(browser: Any, live_server: Any, installer: User) -> Iterator[Visitor]:
    """The installer's phone with the page open and his list on it."""
    visitor = phone(browser, live_server.url)
    visitor.be(installer)
    visitor.go("/install/")
    visitor.page.wait_for_selector("#houses li")
    yield visitor
    visitor.page.context.close()
    Reading.objects.all().delete()


@pytest.fixture
def wechat(browser: Any, live_server: Any, installer: User) -> Iterator[Visitor]:
    visitor = phone(browser, live_server.url, user_agent=WECHAT, service_workers="block")
    visitor.be(installer)
    visitor.go("/install/")
    visitor.page.wait_for_selector("#houses li")
    yield visitor
    visitor.page.context.close()
    Reading.objects.all().delete()


def settled(visitor: Visitor) -> None:
    """The service worker holds page and files."""
    visitor.page.evaluate(
        """async () => {
          await navigator.serviceWorker.ready;
          if (navigator.serviceWorker.controller) return;
          await new Promise((done) => {
            navigator.serviceWorker.addEventListener("controllerchange", done, { once: true });
          });
        }"""
    )


def fill(visitor: Visitor, number: str = "26-12-0002", **changes: str) -> None:
    """Fill in the form of a household step by step, up to the last."""
    page = visitor.page
    plate = number.replace("-", "")
    said = {"factory_number": f"CN{plate}", "transmitter_number": f"QN-{plate}"} | changes
    page.click(f"#houses b:has-text('{number}')")
    page.fill("#factory_number", said["factory_number"])
    page.click("#primary")
    page.fill("#transmitter_number", said["transmitter_number"])
    page.fill("#network_address", said.get("network_address", ""))
    page.click("#primary")
    page.click("#locate")
    page.wait_for_selector("#located:has-text('已定位')")
    page.fill("#installed_on", str(make.INSTALLED_ON))
    page.click("#primary")


def until(visitor: Visitor, words: str) -> None:
    """The bar says so; what could not be sent is tried again every 20 seconds."""
    visitor.reads("#net", words)


def real_troubles(visitor: Visitor) -> list[str]:
    return [text for text in visitor.troubles if not any(word in text for word in AWAY)]


def test_an_installation_with_signal_is_stored_at_once(visitor: Visitor, installer: User) -> None:
    fill(visitor)
    visitor.page.click("#primary")
    visitor.page.wait_for_selector("text=26-12-0002 已保存")
    row = Installation.objects.get(household__number="26-12-0002")
    assert (row.latitude, row.longitude, row.accuracy_m) == (35.4912, 112.8431, 12)
    assert (row.position_source, row.entered_by) == ("browser", installer)
    until(visitor, "已全部上传")
    assert visitor.troubles == []
    assert visitor.foreign == []


def test_without_signal_it_waits_and_is_sent_once_when_it_is_back(visitor: Visitor) -> None:
    settled(visitor)
    visitor.page.context.set_offline(True)
    fill(visitor)
    visitor.page.click("#primary")
    until(visitor, "待传 1 条")
    until(visitor, "无信号")
    visitor.page.reload()
    until(visitor, "待传 1 条")
    assert not Installation.objects.filter(household__number="26-12-0002").exists()
    visitor.page.context.set_offline(False)
    until(visitor, "已全部上传")
    assert Installation.objects.filter(household__number="26-12-0002").count() == 1
    visitor.page.reload()
    visitor.page.wait_for_selector("#houses >> text=待调试")
    assert Installation.objects.filter(household__number="26-12-0002").count() == 1
    assert real_troubles(visitor) == []


def test_a_half_filled_form_survives_the_tab(visitor: Visitor) -> None:
    visitor.page.click("#houses b:has-text('26-12-0003')")
    visitor.page.fill("#factory_number", "CN-HALF")
    visitor.page.click("#left")
    visitor.page.wait_for_selector("#houses >> text=填了一半")
    visitor.page.reload()
    visitor.page.click("#houses b:has-text('26-12-0003')")
    visitor.holds("#factory_number", "CN-HALF")


def test_in_wechat_the_open_page_goes_on_without_a_worker(wechat: Visitor) -> None:
    wechat.reads("#notes", "您在微信里打开了本页")
    wechat.page.context.set_offline(True)
    fill(wechat)
    wechat.page.click("#primary")
    until(wechat, "待传 1 条")
    wechat.page.context.set_offline(False)
    until(wechat, "已全部上传")
    assert Installation.objects.filter(household__number="26-12-0002").count() == 1
    assert real_troubles(wechat) == []


def test_a_lock_in_between_keeps_the_entry_until_he_signs_in_again(
    visitor: Visitor, installer: User
) -> None:
    fill(visitor)
    SignIn.objects.filter(user=installer).end()
    visitor.page.click("#primary")
    visitor.page.wait_for_selector("text=登录已过期")
    until(visitor, "待传 1 条")
    visitor.page.click("a:has-text('重新登录')")
    visitor.page.fill("#id_username", installer.username)
    visitor.page.fill("#id_password", make.PASSWORD)
    visitor.page.click("main button.btn-primary")
    until(visitor, "已全部上传")
    assert Installation.objects.filter(household__number="26-12-0002").count() == 1


def test_another_account_on_the_same_phone_neither_sees_nor_sends_it(
    visitor: Visitor, cast: Cast, installer: User
) -> None:
    settled(visitor)
    visitor.page.context.set_offline(True)
    fill(visitor)
    visitor.page.click("#primary")
    until(visitor, "待传 1 条")
    other = make.installer("tongshi", cast.water.model.supplier)
    visitor.be(other)
    visitor.page.context.set_offline(False)
    visitor.page.reload()
    visitor.page.wait_for_selector("#none:not([hidden])")
    assert "26-12-0002" not in visitor.page.inner_text("#app")
    until(visitor, "已全部上传")
    assert not Installation.objects.filter(household__number="26-12-0002").exists()
    visitor.be(installer)
    visitor.page.reload()
    until(visitor, "已全部上传")
    visitor.page.wait_for_selector("#houses >> text=待调试")
    assert Installation.objects.get(household__number="26-12-0002").entered_by == installer


def test_a_refused_entry_says_why_and_is_corrected(visitor: Visitor) -> None:
    fill(visitor, network_address="1205")
    visitor.page.click("#primary")
    visitor.page.wait_for_selector("#houses >> text=退回，请改正")
    until(visitor, "退回 1 条")
    visitor.page.click("#houses b:has-text('26-12-0002')")
    visitor.page.wait_for_selector("[data-wrong=network_address]:has-text('网络地址 1205 已由')")
    visitor.page.fill("#network_address", "1206")
    visitor.page.click("#primary")
    visitor.page.click("#primary")
    visitor.page.click("#primary")
    until(visitor, "已全部上传")
    row = Installation.objects.get(household__number="26-12-0002")
    assert row.unit.network_address == 1206


def test_leaving_asks_first_with_the_count(visitor: Visitor) -> None:
    settled(visitor)
    visitor.page.context.set_offline(True)
    fill(visitor)
    visitor.page.click("#primary")
    until(visitor, "待传 1 条")
    visitor.page.click("#right")
    visitor.reads("#notes", "还有 1 条没有上传")
    visitor.page.click("text=不退出")
    visitor.page.click("#clear")
    visitor.reads("#notes", "没有上传的 1 条")
    visitor.page.click("text=丢掉并清空")
    until(visitor, "已全部上传")


def test_without_signal_nobody_leaves_who_would_still_be_signed_in(visitor: Visitor) -> None:
    visitor.page.context.set_offline(True)
    visitor.page.click("#right")
    visitor.page.wait_for_selector("#notes:has-text('现在退不了登录')")
    visitor.counts("#houses li", 2)
    visitor.page.context.set_offline(False)
    visitor.page.click("#right")
    visitor.page.wait_for_url("**/sign-in/")


def test_without_room_on_the_phone_it_is_said_and_the_form_stays(visitor: Visitor) -> None:
    fill(visitor)
    visitor.page.evaluate(
        """() => {
          const put = IDBObjectStore.prototype.put;
          const full = new DOMException("", "QuotaExceededError");
          IDBObjectStore.prototype.put = () => { throw full; };
          window.makeRoom = () => { IDBObjectStore.prototype.put = put; };
        }"""
    )
    visitor.page.fill("#note", "院内有狗")
    visitor.page.click("#primary")
    visitor.page.wait_for_selector("#notes:has-text('手机存储空间不够')")
    visitor.holds("#note", "院内有狗")
    visitor.page.evaluate("makeRoom()")
    visitor.page.click("#primary")
    visitor.page.wait_for_selector("text=26-12-0002 已保存")
    assert Installation.objects.get(household__number="26-12-0002").note == "院内有狗"


def test_an_entry_at_which_the_server_fails_holds_up_no_other(visitor: Visitor) -> None:
    failing = ["26-12-0002"]

    def answer(route: Any) -> None:
        sent = route.request.post_data_buffer or b""
        if any(number.encode() in sent for number in failing):
            route.fulfill(status=500)
        else:
            route.continue_()

    visitor.page.context.set_offline(True)
    for number in ("26-12-0002", "26-12-0003"):
        fill(visitor, number)
        visitor.page.click("#primary")
        visitor.page.wait_for_selector(f"#notes:has-text('{number} 已存在本机')")
    visitor.page.route("**/install/entries/", answer)
    visitor.page.context.set_offline(False)
    visitor.page.wait_for_selector("#notes:has-text('服务器出错')")
    assert Installation.objects.filter(household__number="26-12-0003").exists()
    until(visitor, "待传 1 条")
    failing.clear()
    visitor.page.dispatch_event("#primary", "click")  # nothing, if it is tried again just now
    until(visitor, "已全部上传")
    assert Installation.objects.filter(household__number="26-12-0002").exists()


def test_leaving_from_another_page_asks_too_and_forgets_the_list(visitor: Visitor) -> None:
    visitor.page.route("**/install/entries/", lambda route: route.abort())
    fill(visitor)
    visitor.page.click("#primary")
    until(visitor, "待传 1 条")
    visitor.go("/installations/")
    asked: list[str] = []

    def stay(box: Any) -> None:
        asked.append(box.message)
        box.dismiss()

    visitor.page.once("dialog", stay)
    visitor.page.click(".menu summary")
    visitor.page.click("text=退出登录")
    visitor.eventually(lambda: asked)
    assert "还有 1 条安装记录没有上传" in asked[0]
    visitor.page.once("dialog", lambda box: box.accept())
    visitor.page.click("text=退出登录")
    visitor.page.wait_for_url("**/sign-in/")
    kept = visitor.page.evaluate(
        """() => new Promise((done) => {
          const request = indexedDB.open("installing");
          request.onsuccess = () => {
            const rows = request.result.transaction(["work", "entries"]);
            const count = (name) => rows.objectStore(name).count();
            const [work, entries] = [count("work"), count("entries")];
            rows.oncomplete = () => done([work.result, entries.result]);
          };
        })"""
    )
    assert kept == [0, 1]


def test_a_mistake_is_told_before_it_is_kept(visitor: Visitor) -> None:
    fill(visitor, factory_number="", transmitter_number="")
    visitor.page.click("#primary")
    visitor.reads("[data-wrong=transmitter_number]", "至少要有一个")
    visitor.page.fill("#transmitter_number", "860000000000103")
    visitor.reads("[data-said=transmitter_number]", "校验位不对")


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_list_and_form_are_for_everybody(visitor: Visitor, size: dict[str, int]) -> None:
    visitor.resize(size)
    assert faults(visitor) == []
    fill(visitor)
    for step in range(4):
        visitor.page.locator(".fold").nth(step).click()
        assert faults(visitor) == []
        assert visitor.overflow <= 0
