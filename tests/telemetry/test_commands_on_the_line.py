"""Commands from the row to simulated units and back: tests that restore, fields that go together,
lines that hold their writes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from devices.modbus.simulator.unit import SimUnit
from devices.modbus.words import N_, Sentence
from devices.models import RegisterMap
from telemetry import commands, obligations
from telemetry.line_worker import LineWorker
from telemetry.models import Command, Obligation, UnitState
from tests.cast import Cast
from tests.farm import WATER, Farm
from tests.telemetry.test_line_worker import (
    eventually,
    gateway,
    lines,
    looks_often,
    rows,
    sim,
    water,
    working,
)

__all__ = ["lines", "looks_often"]  # fixtures
pytestmark = pytest.mark.django_db(transaction=True)


def writes_of(device: SimUnit) -> list[bytes]:
    """The requests to write that this device hears from now on."""
    heard: list[bytes] = []
    answer = device.answer

    def listening(pdu: bytes) -> Any:
        if pdu[0] in (5, 6, 15, 16):
            heard.append(pdu)
        return answer(pdu)

    device.answer = listening  # type: ignore[method-assign]
    return heard


def state_of(command: Command) -> str:
    return Command.objects.get(pk=command.pk).state


def test_a_test_writes_and_the_keeper_puts_the_former_value_back(
    cast: Cast, lines: Farm, tmp_path: Path
) -> None:
    device = sim()
    unit = water(gateway(lines.open(device)))
    with working(tmp_path):
        eventually(lambda: rows(unit))
        former = device.values()["indoor_temp_setpoint"]
        target = 21.0 if former != 21 else 22.0
        test = commands.request(
            unit, "indoor_temp_setpoint", target, by=cast.service_unit, purpose="test"
        )
        eventually(lambda: state_of(test) == "verified")
        assert device.values()["indoor_temp_setpoint"] == target
        obligations.restore_now(Obligation.objects.get())
        Command.objects.filter(pk=test.pk).update(sending_since=None)  # as if spaced by the map
        owed = eventually(lambda: Obligation.objects.exclude(fulfilled_at=None).first())
        assert owed.ending == "restored"
    assert device.values()["indoor_temp_setpoint"] == former


def test_on_to_on_is_written_although_it_reads_so(cast: Cast, lines: Farm, tmp_path: Path) -> None:
    device = sim()
    device.set("power_state", True)
    unit = water(gateway(lines.open(device)))
    with working(tmp_path):
        eventually(lambda: rows(unit))
        heard = writes_of(device)
        test = commands.request(unit, "power_state", True, by=cast.service_unit, purpose="test")
        eventually(lambda: state_of(test) == "verified")
    assert heard == [bytes([6, 0, 0, 0, 1])]


def test_two_fields_of_one_register_reach_the_unit_in_one_frame(
    cast: Cast, lines: Farm, tmp_path: Path
) -> None:
    row = "mode,运行模式状态,holding,{},,1,0,,rw,,,,0=cooling;1=heating;2=auto,,{},"
    text = WATER.read_text().replace(row.format("1,uint16", ""), row.format("0,bits", "0x0030"))
    shared = tmp_path / "shared.csv"
    shared.write_text(text.replace("rmw,,,,", "rmw,,0.2,,").replace("value,,,,", "value,,0.2,,"))
    device = SimUnit(shared, 5, static=True)
    device.set("power_state", False)
    device.set("mode", "heating")
    unit = water(gateway(lines.open(device)))
    unit.register_map = RegisterMap.objects.add(unit.model, shared.read_bytes(), shared.name)
    unit.save()
    with working(tmp_path) as worker:
        eventually(lambda: rows(unit))
        hold(worker, 60)
        power, mode = (
            commands.request(unit, signal, target, by=cast.service_unit, reason="service")
            for signal, target in (("power_state", True), ("mode", "auto"))
        )
        held = Command.objects.filter(state="queued", detail__contains="另一个主站")
        eventually(lambda: held.count() == 2)
        heard = writes_of(device)
        hold(worker, 0)
        Command.objects.update(not_before=None)
        eventually(lambda: {state_of(power), state_of(mode)} == {"verified"})
    assert heard == [bytes([6, 0, 0, 0, 0x21])]


def test_what_a_held_line_did_not_take_is_written_once_it_does(
    cast: Cast, lines: Farm, tmp_path: Path
) -> None:
    device = sim()
    unit = water(gateway(lines.open(device)))
    with working(tmp_path) as worker:
        eventually(lambda: rows(unit))
        hold(worker, 60)
        heard = writes_of(device)
        command = commands.request(
            unit, "indoor_temp_setpoint", 23, by=cast.service_unit, reason="service"
        )
        waiting = eventually(lambda: Command.objects.filter(detail__contains="另一个主站").first())
        assert (waiting.state, waiting.sent) == ("queued", None)
        assert not heard
        hold(worker, 0)  # first: a round in between would hold it for ten seconds more
        Command.objects.update(not_before=None)
        eventually(lambda: state_of(command) == "verified")
        newest = UnitState.objects.filter(unit=unit, values__indoor_temp_setpoint=23)
        eventually(newest.exists)
    assert len(heard) == 1


def hold(worker: LineWorker, seconds: float) -> None:
    """The line of the worker's one gateway holds its writes for so long."""
    (poller,) = worker._pollers.values()
    loop = worker._loop
    why = Sentence(N_("线上有另一个主站"))
    loop.call_soon_threadsafe(lambda: poller._line.hold_writes(loop.time() + seconds, why))
