"""The list of alarms in a browser: usable by all, taken over in its row, refreshed by itself."""

from __future__ import annotations

import pytest

from telemetry.models import Alarm, AlarmKind
from tests.browser.conftest import DESKTOP, PHONE, Visitor
from tests.browser.test_pages import said
from tests.cast import Cast
from tests.telemetry.test_alarm_list import WORDS, alarm

PAGES = {
    "alarms": "/alarms/",
    "all alarms": "/alarms/?state=all",
    "no alarms found": "/alarms/?q=没有的",
    "unit in alarm": "/units/{unit}/",
    "units": "/units/",
}


@pytest.fixture
def trouble(cast: Cast) -> Alarm:
    """A fault, a village that is out, and an alarm that is over."""
    out = {"away": 20, "units": 26, "lines": 20}
    alarm(AlarmKind.VILLAGE_OUT, "critical", area=cast.area("洞头村"), evidence=out)
    over = alarm(AlarmKind.FLAPPING, gateway=cast.air.gateway)
    Alarm.objects.filter(pk=over.pk).update(cleared_at=over.raised_at)
    return alarm(AlarmKind.FAULT, unit=cast.water, evidence={"faults": ["water_flow"]})


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desk", "phone"])
def test_every_page_with_alarms_works_and_reads_well(
    visitor: Visitor, cast: Cast, trouble: Alarm, size: dict[str, int]
) -> None:
    visitor.resize(size)
    visitor.be(cast.town_officer)
    found = {}
    for name, path in PAGES.items():
        visitor.go(path.format(unit=cast.water.pk))
        for details in visitor.page.locator("details.take").all():
            details.locator("summary").click()
        found[name] = said(visitor)
    assert not {name: words for name, words in found.items() if words}
    assert visitor.foreign == []


def test_an_alarm_is_taken_over_in_its_row(visitor: Visitor, cast: Cast, trouble: Alarm) -> None:
    visitor.be(cast.town_officer)
    visitor.go("/alarms/")
    row = visitor.page.locator(f"#alarm-{trouble.pk}")
    row.locator("summary").click()
    row.locator("input[name=note]").fill(WORDS)
    row.locator("button.btn").click()
    visitor.page.wait_for_selector(f"#alarm-{trouble.pk} >> text=处理中")
    visitor.reads(f"#alarm-{trouble.pk}", WORDS)
    trouble.refresh_from_db()
    assert trouble.acknowledged_by == cast.town_officer


def test_a_refresh_brings_news_and_keeps_what_is_being_typed(
    visitor: Visitor, cast: Cast, trouble: Alarm
) -> None:
    visitor.be(cast.town_officer)
    visitor.go("/alarms/")
    row = visitor.page.locator(f"#alarm-{trouble.pk}")
    row.locator("summary").click()
    row.locator("input[name=note]").fill("已联系")
    alarm(AlarmKind.TWO_ON_ONE, unit=cast.air, evidence={"address": 1})
    visitor.page.evaluate("htmx.ajax('GET', location.href, {source: '#alarms'})")
    visitor.page.wait_for_selector("text=线上地址 1 有两台机组应答")
    visitor.holds(f"#alarm-{trouble.pk} input[name=note]", "已联系")
