"""A maker's way to its confirmation, in a browser, with a simulated sample at the bench: applied
for by the maker, received and tested, signed by a second person, shown to everybody."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from devices.docking import signing
from devices.modbus.simulator.unit import SimUnit
from devices.models import Confirmation, DockingApplication, Gateway, RegisterMap
from telemetry import partitions
from telemetry.line_worker import LineWorker
from telemetry.models import DockingStep, DockingTest, UnitState
from tests.browser.conftest import DESKTOP, PHONE, Visitor
from tests.cast import Cast
from tests.devices.docking.scene import SAID, a_key
from tests.farm import WATER, Farm
from tests.telemetry.docking.test_whole_runs import in_no_hurry
from tests.telemetry.docking_scene import quick
from tests.telemetry.test_line_worker import lines, looks_often

__all__ = ["in_no_hurry", "lines", "looks_often"]  # fixtures
SOAK_HOURS = "0.0028"  # ten seconds
SENSOR = ("holding", 102)  # of the outdoor temperature, by the maker's map


class Bench:
    """A sample with another beside it, the platform's line worker, and a browser before them."""

    def __init__(self, visitor: Visitor, sample: SimUnit, port: int) -> None:
        self.visitor, self.page, self.sample = visitor, visitor.page, sample
        self.line = f"tcp://127.0.0.1:{port}"

    @property
    def application(self) -> DockingApplication:
        return DockingApplication.objects.order_by("-pk")[0]

    @property
    def url(self) -> str:
        return f"/docking/{self.application.number}/"

    def step(self, key: str) -> DockingStep:
        return DockingStep.objects.get(key=key)

    def reads(self, wanted: Callable[[UnitState], bool]) -> UnitState:
        """The platform's newest of the sample, once it is as wanted."""
        rows = UnitState.objects.filter(unit=self.application.sample)
        found = self.visitor.eventually(lambda: next(filter(wanted, rows.all()), None))
        assert isinstance(found, UnitState)
        return found

    def hand(self, key: str, **fields: str) -> None:
        """A step by hand on the phone: filled in and sent."""
        self.visitor.go(f"{self.url}test/steps/{key}/")
        for name, value in fields.items():
            field = self.page.locator(f"[name={name}]")
            if field.count() > 1:
                self.page.check(f"[name={name}][value={value}]")
            elif field.evaluate("one => one.tagName") == "SELECT":
                field.select_option(value)
            else:
                field.fill(value)
        self.page.click(".actions .btn-primary")
        self.page.wait_for_selector("#step-top")

    def capture(self, key: str, name: str) -> None:
        """Freeze what the platform reads now."""
        self.visitor.go(f"{self.url}test/steps/{key}/")
        self.visitor.follow(f"button[value={name}]")
        assert name in self.step(key).entered


@pytest.fixture
def bench(visitor: Visitor, cast: Cast, lines: Farm, tmp_path: Path) -> Any:
    RegisterMap.objects.add(cast.water.model, quick(WATER), WATER.name)
    sample = SimUnit(WATER, 5, seed=3)
    port = lines.open(sample, SimUnit(WATER, 6, seed=4))
    partitions.ensure()
    worker = LineWorker("main", var=tmp_path, listeners="")
    worker.start()
    yield Bench(visitor, sample, port)
    worker.end()


def test_a_maker_comes_by_its_confirmation(bench: Bench, cast: Cast, tmp_path: Path) -> None:
    applied_for(bench, cast)
    received_and_connected(bench, cast)
    the_platform_tests(bench)
    the_tester_tests(bench)
    judged(bench)
    signed(bench, cast, tmp_path)
    shown_and_revoked(bench, cast)
    assert bench.visitor.troubles == []
    assert bench.visitor.foreign == []


def applied_for(bench: Bench, cast: Cast) -> None:
    bench.visitor.be(cast.supplier_member)
    bench.visitor.go(f"/docking/new/?model={cast.water.model.pk}")
    for name, value in SAID.items():
        bench.page.fill(f"[name={name}]", value)
    bench.page.click("button[value=submit]")
    bench.page.wait_for_selector("h1 >> text=已提交")


def received_and_connected(bench: Bench, cast: Cast) -> None:
    bench.visitor.be(cast.tester)
    bench.visitor.go(bench.url)
    bench.page.fill("#next [name$=board_number]", "MB-26-0007")
    bench.page.click("#next button:has-text('已收样')")
    bench.page.wait_for_selector("h1 >> text=已收样")
    bench.visitor.go(f"{bench.url}sample/")
    for name, value in {"line": bench.line, "address": "5", "second_address": "6"}.items():
        bench.page.fill(f"[name={name}]", value)
    bench.page.click("main .btn-primary")
    bench.page.wait_for_selector("#start")
    Gateway.objects.filter(url=bench.line).update(interval_s=1)


def the_platform_tests(bench: Bench) -> None:
    bench.page.fill("#id_soak_hours", SOAK_HOURS)
    bench.page.click("#start button")
    bench.page.wait_for_selector("#run-all")
    bench.page.click("#run-all")
    bench.page.wait_for_selector("text=自动步骤进行中")
    steps = DockingStep.objects.filter(state__in=("queued", "running"))
    bench.visitor.eventually(lambda: not steps.exists(), 300)
    bench.page.wait_for_selector(
        "#step-rows tr:nth-child(19) .st-ok",
    )
    bench.visitor.counts("#step-rows .st-bad", 0)
    bench.page.click("#step-rows tr:first-child >> text=报文")
    bench.page.wait_for_selector("#frames .in-going")


def the_tester_tests(bench: Bench) -> None:
    """On the phone, before the sample."""
    bench.visitor.resize(PHONE)
    panel = bench.reads(lambda state: "supply_temp" in state.values).values
    typed = {
        name: str(panel[name])
        for name in ("supply_temp", "return_temp", "outdoor_temp", "indoor_temp_setpoint", "mode")
    }
    bench.hand("panel", **typed, power_state="yes", fault_active="no")
    bench.sample.set("outdoor_temp", -7.0)
    bench.reads(lambda state: state.values.get("outdoor_temp") == -7.0)
    bench.hand("resistor", ohms="40000")
    for name, word in (("open", 0x7FFF), ("short", 0x8000)):
        bench.sample.pin(*SENSOR, word)
        quality = f"sensor_{name}"
        bench.reads(lambda state: state.entry("outdoor_temp")["quality"] == quality)  # noqa: B023
        bench.capture("sensor", name)
    bench.sample.pin(*SENSOR, None)
    bench.hand("sensor")
    bench.hand("controller", connected="yes", usable="yes")
    bench.capture("power_cut", "before")
    bench.capture("power_cut", "after")
    bench.hand("power_cut", answered_after_s="40", starting="silent")
    times = {"back_after_reboot_s": "35", "back_after_sim_s": "50"}
    bench.hand("transmitter", **times, registration="51 4E", heartbeat="FE")
    states = {step.key: step.state for step in DockingTest.objects.get().steps.all()}
    assert {key for key, state in states.items() if state == "failed"} == set()
    assert {key for key, state in states.items() if state == "open"} == set()
    assert bench.visitor.overflow == 0


def judged(bench: Bench) -> None:
    bench.visitor.resize(DESKTOP)
    bench.visitor.go(f"{bench.url}test/")
    bench.page.click("#judge")
    bench.page.wait_for_selector("#pill >> text=测试通过")
    bench.visitor.go(bench.url)
    bench.page.wait_for_selector("#next >> text=由另一位同事签发")


def signed(bench: Bench, cast: Cast, folder: Path) -> None:
    bench.visitor.be(cast.service_unit)
    bench.visitor.go(bench.url)
    bench.page.wait_for_selector("#test-card >> text=测试通过")
    bench.page.click("#next button:has-text('签发确认书')")
    bench.page.wait_for_selector("text=正在签发")
    with a_key(folder), ThreadPoolExecutor(1) as worker:  # this thread has a loop of its own
        assert worker.submit(_signs).result() == 1


def _signs() -> int:
    """What the worker does."""
    try:
        return signing.sign_waiting()
    finally:
        connection.close()


def shown_and_revoked(bench: Bench, cast: Cast) -> None:
    one = Confirmation.objects.get(application=bench.application)
    bench.visitor.be(cast.supplier_member)
    bench.visitor.go(bench.url)
    with bench.page.expect_download() as downloading:
        bench.page.click("#confirmation a:has-text('下载')")
    assert Path(downloading.value.path()).read_bytes().startswith(b"%PDF")
    bench.visitor.go(f"/confirm/{one.code}/")
    bench.visitor.reads("main", "有效")
    bench.visitor.be(cast.service_unit)
    bench.visitor.go(f"/confirmations/{one.uid}/")
    form = bench.page.locator("form:has(input[name=state][value=revoked])")
    form.evaluate("one => { const fold = one.closest('details'); if (fold) fold.open = true }")
    form.locator("select").select_option("sampling")
    form.locator("button").click()
    bench.page.wait_for_selector("h1 >> text=已撤销")
    bench.visitor.go(f"/confirm/{one.code}/")
    bench.visitor.reads("main", "已撤销")
