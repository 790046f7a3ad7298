"""The test bench in a browser: live page, guided steps, start, at desk and phone."""

from __future__ import annotations

from typing import Any

import pytest

from telemetry.models import DockingTest
from tests.browser.conftest import DESKTOP, PHONE, Visitor
from tests.browser.test_pages import said
from tests.cast import Cast
from tests.telemetry.docking.bench_scene import FRAMES, begun, connected, ended, failed, passed

READINGS = {
    "supply_temp": {"value": 43.1, "raw": "0x01AF", "quality": "good"},
    "return_temp": {"value": 38.6, "raw": "0x0182", "quality": "good"},
    "outdoor_temp": {"value": 14.2, "raw": "0x008E", "quality": "good"},
    "indoor_temp_setpoint": {"value": 20.0, "raw": "0x00C8", "quality": "good"},
    "power_state": {"value": True, "raw": "0x0001", "quality": "good"},
    "mode": {"value": "heating", "raw": "0x0001", "quality": "good"},
    "fault_active": {"value": False, "raw": "0x0000", "quality": "good"},
}
BY_HAND = ("panel", "resistor", "sensor", "controller", "power_cut", "transmitter")


@pytest.fixture
def run(cast: Cast) -> DockingTest:
    """A run half way: six steps passed, one failed, one at work."""
    test = begun(cast)
    ended(test, "addresses", passed("两台同线、外来地址、坏校验"), frames=FRAMES)
    ended(test, "readings", passed("7 / 7 新鲜且合理", readings=READINGS, requests=30))
    ended(test, "reply_time", passed("中位 69 ms，p99 84 ms", p50_ms=69, p99_ms=84, requests=200))
    for key in ("labels", "write_room", "write_flow", "write_power"):
        ended(test, key, passed("20 → 21 → 20 °C，2.1 秒"), frames=FRAMES)
    ended(test, "write_mode", failed(), frames=FRAMES)
    test.steps.filter(key="alarm_reset").update(
        state="running",
        progress=["第 %(n)d 次，共 %(all)d 次", {"n": 2, "all": 3}],
        frames=FRAMES * 5,
    )
    return test


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desk", "phone"])
def test_every_page_of_a_test_works_and_reads_well(
    visitor: Visitor, cast: Cast, run: DockingTest, size: dict[str, int]
) -> None:
    base = f"/docking/{run.application.number}/test/"
    pages = [base, f"{base}?step=write_mode", *(f"{base}steps/{key}/" for key in BY_HAND)]
    visitor.resize(size)
    visitor.be(cast.tester)
    found: dict[str, Any] = {}
    for path in [*pages, f"/docking/{run.application.number}/sample/"]:
        visitor.go(path)
        found[path] = said(visitor)
    visitor.be(cast.supplier_member)
    visitor.go(base)
    found["as the maker"] = said(visitor)
    assert not {path: words for path, words in found.items() if words}
    assert visitor.foreign == []


def test_the_live_page_follows_the_run_without_being_loaded_anew(
    visitor: Visitor, cast: Cast, run: DockingTest
) -> None:
    visitor.be(cast.tester)
    visitor.go(f"/docking/{run.application.number}/test/")
    visitor.page.wait_for_selector("#step-top >> text=第 2 次，共 3 次")
    run.steps.filter(key="alarm_reset").update(progress=["第 3 次，共 3 次", {}], frames=FRAMES * 6)
    visitor.page.wait_for_selector("#step-top >> text=第 3 次，共 3 次")
    visitor.page.wait_for_selector("#frames tr >> nth=11")
    ended(run, "alarm_reset", passed("3 次复位，开关机、模式、设定未变"))
    visitor.page.wait_for_selector("#step-rows >> text=3 次复位，开关机、模式、设定未变")
    visitor.page.wait_for_selector("#pill >> text=测试中 9 / 20")
    assert visitor.troubles == []


def test_a_run_is_begun_with_the_length_of_its_soak(visitor: Visitor, cast: Cast) -> None:
    one = connected(cast)
    visitor.be(cast.tester)
    visitor.go(f"/docking/{one.number}/test/")
    visitor.page.fill("#id_soak_hours", "999")
    visitor.page.click("#start button")
    visitor.page.wait_for_selector("text=连续运行时长在 10 秒至 7 天之间")
    visitor.page.fill("#id_soak_hours", "0.5")
    visitor.page.click("#start button")
    visitor.page.wait_for_selector("#steps")
    assert DockingTest.objects.get().soak_s == 1800
