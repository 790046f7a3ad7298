"""Applications and confirmations in a browser, and what a stranger sees who scans a code."""

from __future__ import annotations

import pytest

from devices.docking import codes, confirmations
from devices.models import Confirmation, ConfirmationState
from tests.browser.conftest import DESKTOP, PHONE, Visitor
from tests.browser.test_pages import said
from tests.cast import Cast
from tests.devices.docking import scene


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desk", "phone"])
def test_dockings_pages_work_and_read_well(
    visitor: Visitor, cast: Cast, size: dict[str, int]
) -> None:
    # The draft last: who begins while a draft is open goes on with that one.
    sent, passed, draft = (
        scene.brought(cast, state).number for state in ("submitted", "passed", "draft")
    )
    one = Confirmation.objects.get(model=cast.water.model)
    confirmations.change(one, ConfirmationState.SUSPENDED, by=cast.tester, reason="抽检不符")
    of_the_maker = [
        "/docking/",
        "/docking/?q=没有的",
        "/docking/new/",
        f"/docking/new/?model={cast.water.model.pk}",
        f"/docking/{draft}/",
        f"/docking/{draft}/edit/",
        f"/confirmations/{one.uid}/",
    ]
    of_the_service_unit = [
        "/docking/",
        f"/docking/{sent}/",
        f"/docking/{passed}/",
        f"/confirmations/{one.uid}/",
        "/confirmations/city/",
    ]
    visitor.resize(size)
    found = {}
    for page in ("/confirm/", f"/confirm/{one.code}/"):  # before anybody has signed in
        visitor.go(page)
        found[page] = said(visitor)
    for who, pages in (
        (cast.supplier_member, of_the_maker),
        (cast.service_unit, of_the_service_unit),
    ):
        visitor.be(who)
        for page in pages:
            visitor.go(page)
            found[f"{who} {page}"] = said(visitor)
    assert not {page: words for page, words in found.items() if words}
    assert visitor.foreign == []


def test_a_stranger_types_a_code_and_follows_a_revocation(visitor: Visitor, cast: Cast) -> None:
    one = Confirmation.objects.get(model=cast.water.model)
    page = visitor.page
    visitor.resize(PHONE)
    visitor.go("/confirm/")
    page.fill("#code", codes.spaced(one.code))
    page.click("button:has-text('核验')")
    page.wait_for_selector(".st-ok:has-text('有效')")
    confirmations.change(one, ConfirmationState.REVOKED, by=cast.tester, reason="供货不符")
    page.reload()
    page.wait_for_selector(".st-bad:has-text('已撤销')")
    visitor.go("/confirm/")
    page.fill("#code", "0000-0000")
    page.click("button:has-text('核验')")
    page.wait_for_selector("[role=alert]:has-text('没有这个核验码')")
