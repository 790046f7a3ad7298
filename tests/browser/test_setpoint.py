"""The main job from end to end: typed in a browser, written on a line, read back, seen as proven.

A simulated unit answers over TCP, the line worker polls it and carries the command, the page
follows by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from devices.modbus.simulator.unit import SimUnit
from devices.models import Unit
from telemetry import keeping, partitions
from telemetry.line_worker import LineWorker
from telemetry.models import Command, CommandState, UnitState
from tests import cast as people
from tests.browser.conftest import PHONE, Visitor
from tests.cast import Cast
from tests.farm import WATER, farm

ADDRESS = 9


@dataclass(frozen=True)
class Stack:
    """A unit of the platform and the simulated device that it stands for."""

    unit: Unit
    device: SimUnit


@pytest.fixture
def stack(
    visitor: Visitor, cast: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Stack]:
    for name in ("ROUND_S", "ROSTER_S", "FIGURES_S"):
        monkeypatch.setattr(keeping, name, 0.1)
    partitions.ensure()
    device = SimUnit(WATER, ADDRESS, static=True)
    with farm() as lines:
        line = people.gateway(
            f"tcp://127.0.0.1:{lines.open(device)}",
            line_worker="browser",
            interval_s=1,
            trusted=True,
        )
        unit = people.unit(line, cast.water.model, address=ADDRESS, factory_number="CN26109999")
        worker = LineWorker("browser", var=tmp_path, listeners="")
        worker.start()
        try:
            yield Stack(unit, device)
        finally:
            worker.end()


@pytest.fixture
def officer(visitor: Visitor, cast: Cast, stack: Stack) -> Visitor:
    """Before the page of a unit that has just answered."""
    visitor.be(cast.district_officer)
    answered = UnitState.objects.filter(unit=stack.unit, answered_at__isnull=False)
    visitor.eventually(answered.exists)
    visitor.go(f"/units/{stack.unit.pk}/")
    return visitor


def test_a_setpoint_typed_here_is_seen_proven_without_a_reload(
    officer: Visitor, stack: Stack
) -> None:
    page = officer.page
    page.evaluate("window.sameDocument = true")
    before = stack.device.values()["indoor_temp_setpoint"]
    wanted = 21 if before != 21 else 22
    page.fill("#target", str(wanted))
    page.click("text=下发设定")
    page.wait_for_selector("#outcome .st-wait, #outcome .st-run, #outcome .st-ok")
    page.wait_for_selector("#outcome .st-ok >> text=已回读确认")
    assert stack.device.values()["indoor_temp_setpoint"] == wanted
    page.wait_for_selector(f"#commands >> text={wanted} °C")
    page.wait_for_selector(f"#current >> text={wanted} °C")
    assert page.evaluate("window.sameDocument") is True
    assert Command.objects.get().state == CommandState.VERIFIED
    assert officer.troubles == officer.foreign == []


def test_a_wrong_value_is_refused_beside_the_button(officer: Visitor, stack: Stack) -> None:
    before = stack.device.values()["indoor_temp_setpoint"]
    officer.page.fill("#target", "45")
    officer.page.click("text=下发设定")
    officer.page.wait_for_selector("#outcome >> text=超出范围")
    assert not Command.objects.exists()
    assert stack.device.values()["indoor_temp_setpoint"] == before


def test_two_thumbs_switch_the_unit_off_from_a_phone_in_the_cold(
    officer: Visitor, stack: Stack, cast: Cast
) -> None:
    officer.resize(PHONE)
    page = officer.page
    page.click("#command >> text=开关机")
    page.click("#target >> text=关机")
    assert page.locator("#command .btn-primary").bounding_box()["height"] >= 44
    page.click("text=下发设定")
    page.wait_for_selector("#outcome .st-wait >> text=待第二人同意")
    assert stack.device.values()["power_state"] is True
    officer.be(cast.service_unit)
    officer.go(f"/units/{stack.unit.pk}/")
    page.click("#outcome button:has-text('同意')")
    page.wait_for_selector("#outcome .st-ok >> text=已回读确认")
    assert stack.device.values()["power_state"] is False
