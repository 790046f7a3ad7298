"""An application at the bench: rows that tests of docking begin with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from devices.models import DeviceModel, DockingApplication, DockingState, Unit
from households import clock
from telemetry.models import DockingTest
from tests import cast as make
from tests.cast import Cast


def application(cast: Cast, model: DeviceModel | None = None, **changes: Any) -> DockingApplication:
    """晨暖's application for its model, samples received; `changes` are fields."""
    model = model or cast.water.model
    fields = {
        "year": 2026,
        "serial": DockingApplication.objects.filter(year=2026).count() + 1,
        "supplier": model.supplier,
        "register_map": model.register_maps.order_by("-version")[0],
        "state": DockingState.RECEIVED,
        "board": "CN-MB2",
        "board_version": "2.3",
        "board_number": "MB-26-0007",
        "firmware": "1.08",
        "transmitter_model": "DTU-4G",
        "protocol": "晨暖通讯协议",
        "protocol_version": "3.0",
        "made_by": cast.supplier_member,
        "made_at": clock.now(),
    }
    return DockingApplication.objects.create(model=model, **fields | changes)


def quick(file: Path) -> bytes:
    """A maker's map with short delays, so that a run takes seconds."""
    said = [
        line
        for line in file.read_text().splitlines()
        if not line.startswith(("@min_write_interval_s", "@reply_timeout_ms"))
    ]
    text = "\n".join(["@reply_timeout_ms,200", "@min_write_interval_s,0", *said])
    slow = {"value,,,,": "value,,0.05,,", "rmw,,,,": "rmw,,0.05,,", "pulse,1,1.0": "pulse,1,0.05"}
    for stated, brief in slow.items():
        text = text.replace(stated, brief)
    return text.encode()


def sample(cast: Cast, *, address: int = 9) -> Unit:
    """A unit on the bench: it stands in no household."""
    line = make.gateway("dial://QN-000900", trusted=True, proven_by="private_network")
    return make.unit(line, cast.water.model, address=address, factory_number="")


def a_test(cast: Cast, **changes: Any) -> DockingTest:
    """A run of the bench, without steps."""
    thing = sample(cast)
    fields = {
        "application": application(cast, sample=thing, state=DockingState.TESTING),
        "sample": thing,
        "started_by": cast.service_unit,
        "started_at": clock.now(),
    }
    return DockingTest.objects.create(**fields | changes)
