"""A real browser before a live server, and a page that tells of everything that went wrong."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from households.models import User
from telemetry.models import Reading
from tests.cast import PASSWORD, Cast

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
]
DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
PATIENCE = 60_000  # ms; a limit for a busy machine, a test goes on as soon as it happened
# All that a page asks for by itself is there: its parts, charts and the pictures in sight. What it
# asks for again and again is not waited for: a busy machine always has some of it under way.
AT_REST = """() => document.readyState === "complete"
  && !document.querySelector("[hx-trigger=load]:is(:empty, [hx-swap=outerHTML])")
  && !document.querySelector(".htmx-request:not([hx-trigger*=every])")
  && [...document.querySelectorAll(".chart[data-url]")].every((one) => one.childNodes.length)
  && [...document.images].every((one) => one.complete || !one.checkVisibility()
    || one.getBoundingClientRect().top > innerHeight)"""


@pytest.fixture(scope="package")
def browser() -> Iterator[Any]:
    """Debian's Chromium; the tests skip where it or the front-end packages are missing."""
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is not installed")
    if not (settings.NODE_MODULES / "htmx.org").exists():
        pytest.skip("node_modules is missing: run `npm ci`")
    sync_api = pytest.importorskip("playwright.sync_api")
    # Playwright's loop lives in this thread; the ORM calls of a test are still synchronous.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_api.sync_playwright() as playwright:
        sync_api.expect.set_options(timeout=PATIENCE)
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield chromium
        chromium.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@dataclass
class Visitor:
    """One person's browser. `troubles` are console errors, `foreign` requests to other hosts."""

    page: Any
    home: str
    troubles: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.set_default_timeout(PATIENCE)
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.troubles.append(str(error)))
        self.page.on("request", self._asked)

    def _heard(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.troubles.append(message.text)

    def _asked(self, request: Any) -> None:
        if not request.url.startswith((self.home, "data:", "blob:")):
            self.foreign.append(request.url)

    def go(self, path: str) -> None:
        self.page.goto(self.home + path)

    def be(self, user: User) -> None:
        """Be signed in already."""
        client = Client()
        client.force_login(user)
        session = client.cookies["sessionid"].value
        self.page.context.add_cookies([{"name": "sessionid", "value": session, "url": self.home}])

    def sign_in(self, user: User) -> None:
        """Sign in by hand."""
        self.go("/sign-in/")
        self.page.fill("#id_username", user.username)
        self.page.fill("#id_password", PASSWORD)
        self.page.click("main button.btn-primary")
        self.page.wait_for_url(self.home + "/")

    def follow(self, link: str) -> None:
        """Click what leads to another page, and be there."""
        with self.page.expect_navigation():
            self.page.click(link)

    def rest(self) -> None:
        """Wait until the page has all that it asks for by itself."""
        self.page.wait_for_function(AT_REST)

    def reads(self, place: str, *words: str) -> None:
        """Wait until these words can be read there."""
        for each in words:
            self.expects(self.page.locator(place).first).to_contain_text(each, use_inner_text=True)

    def holds(self, field: str, value: str) -> None:
        """Wait until the field has this value."""
        self.expects(self.page.locator(field)).to_have_value(value)

    def counts(self, things: str, n: int) -> None:
        """Wait until there are so many."""
        self.expects(self.page.locator(things)).to_have_count(n)

    def expects(self, locator: Any) -> Any:
        """Playwright's assertions about what it finds, which wait until they are true."""
        return pytest.importorskip("playwright.sync_api").expect(locator)

    def eventually(self, condition: Callable[[], Any], seconds: float = PATIENCE / 1000) -> Any:
        """Wait until something outside of the page is so; the page's events go on meanwhile."""
        until = monotonic() + seconds
        while not (found := condition()):
            assert monotonic() < until, "it did not happen in time"
            self.page.wait_for_timeout(50)
        return found

    def resize(self, size: dict[str, int]) -> None:
        self.page.set_viewport_size(size)

    @property
    def overflow(self) -> int:
        """Pixels by which the page is wider than the window."""
        return int(
            self.page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
        )


@pytest.fixture
def visitor(browser: Any, live_server: Any, cast: Cast) -> Iterator[Visitor]:
    context = browser.new_context(viewport=DESKTOP, timezone_id="Asia/Shanghai")
    yield Visitor(context.new_page(), live_server.url)
    context.close()
    Reading.objects.all().delete()  # the test database is not emptied of this unmanaged table
