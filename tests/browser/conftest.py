"""A real browser before a live server, and a page that tells of everything that went wrong."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
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
        self.page.set_default_timeout(8000)
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
