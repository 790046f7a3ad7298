"""The pages about commands in a browser: the second person, the switch, groups."""

from __future__ import annotations

from typing import Any

import pytest

from households import clock
from telemetry import commands, groups
from telemetry.groups import GroupWish, Stage
from telemetry.models import Command, RemoteWriting
from tests import cast as people
from tests.browser.conftest import DESKTOP, PHONE, Visitor
from tests.browser.test_pages import said
from tests.cast import AGREED, Cast, answered

PAGES = {
    "awaiting": "/commands/awaiting/",
    "unit of an awaiting command": "/units/{water}/",
    "settings": "/settings/monitoring/",
    "groups": "/groups/",
    "new group": "/groups/new/",
    "form of a group": "/groups/new/?model={model}&signal=supply_temp_setpoint",
    "preview": "/groups/{preview}/",
    "group at work": "/groups/{group}/",
}


@pytest.fixture
def winter(cast: Cast, settings: Any) -> dict[str, int]:
    """A house in the cold with a wish that waits, a group before its first step and one after."""
    settings.GROUP_COMMANDS = True
    cold = {"power_state": True, "supply_temp_setpoint": 40.0, "outdoor_temp": -6.0}
    answered(cast.water, clock.now(), **cold)
    second = people.unit(cast.water.gateway, cast.water.model, address=6, network_address=1206)
    people.install(people.household(cast.area("洞头村"), number="26-12-0002"), second)
    answered(second, clock.now(), **cold)
    wish = GroupWish("supply_temp_setpoint", 45, cast.area("洞头村"), cast.water.model, "frost")
    preview, group = (groups.preview(wish, cast.service_unit) for _ in range(2))
    groups.confirm(group, Stage.ONE, cast.service_unit)
    commands.request(
        cast.water, "power_state", False, by=cast.town_officer, reason="user", **AGREED
    )
    return {
        "water": cast.water.pk,
        "model": cast.water.model.pk,
        "preview": preview.pk,
        "group": group.pk,
    }


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desk", "phone"])
def test_every_page_about_commands_works_and_reads_well(
    visitor: Visitor, cast: Cast, winter: dict[str, int], size: dict[str, int]
) -> None:
    visitor.resize(size)
    visitor.be(cast.service_unit)
    found = {}
    for name, path in PAGES.items():
        visitor.go(path.format(**winter))
        found[name] = said(visitor)
    assert not {name: words for name, words in found.items() if words}
    assert visitor.foreign == []


def test_agreement_is_given_beside_the_button_and_followed_from_there(
    visitor: Visitor, cast: Cast, winter: dict[str, int]
) -> None:
    visitor.be(cast.district_officer)
    visitor.go(f"/units/{cast.water.pk}/")
    visitor.page.click("#outcome button:has-text('同意')")
    visitor.page.wait_for_selector("#outcome .st-wait >> text=排队中")
    command = Command.objects.get(signal="power_state")
    assert (command.state, command.approved_by) == ("queued", cast.district_officer)
    visitor.page.click("#outcome button:has-text('取消')")
    visitor.page.wait_for_selector("#outcome >> text=已取消")
    assert visitor.troubles == []


def test_the_switch_is_turned_with_a_reason(visitor: Visitor, cast: Cast) -> None:
    visitor.be(cast.service_unit)
    visitor.go("/settings/monitoring/")
    visitor.page.fill("#why", "检修")
    visitor.page.click("text=关闭远程设定")
    visitor.page.wait_for_selector("h1 >> text=远程设定：关")
    assert not RemoteWriting.is_on()
