"""An application of 晨暖's for its CN-W10, brought to where a test begins."""

from __future__ import annotations

from typing import Any

from devices.docking import applications
from devices.models import DockingApplication, DockingState
from tests.cast import Cast

SAID: dict[str, Any] = {
    "board": "ZK-2",
    "board_version": "V1.3",
    "firmware": "2.0.7",
    "transmitter_model": "DTU-100",
    "protocol": "485 通讯协议",
    "protocol_version": "1.1",
}
BOARD_NUMBER = "SN-0042"
DIGEST = "d" * 64


def draft(cast: Cast, **said: Any) -> DockingApplication:
    model = cast.water.model
    points = model.register_maps.order_by("-version")[0]
    return applications.draft(model, points, by=cast.supplier_member, **SAID | said)


WAY = [
    DockingState.SUBMITTED,
    DockingState.RECEIVED,
    DockingState.TESTING,
    DockingState.PASSED,
]


def brought(cast: Cast, state: str, **said: Any) -> DockingApplication:
    """An application that went the whole lawful way to `state` (`failed`: instead of passed)."""
    one = draft(cast, **said)
    last = {"failed": DockingState.TESTING}.get(state, state)
    for step in WAY[: WAY.index(DockingState(last)) + 1] if state != "draft" else ():
        take(cast, one, step)
    if state == DockingState.FAILED:
        take(cast, one, DockingState.FAILED)
    return one


def take(cast: Cast, one: DockingApplication, state: str, **said: Any) -> None:
    """The step, taken by whose it is; the tester judges."""
    if state == DockingState.RECEIVED:
        one.board_number = BOARD_NUMBER
        one.save()
    if state in (DockingState.PASSED, DockingState.FAILED):
        one.test_digest, one.tested_by = DIGEST, cast.tester
    mine = (DockingState.SUBMITTED, DockingState.WITHDRAWN)
    by = cast.supplier_member if state in mine else cast.tester
    applications.take(one, DockingState(state), by=by, **said)
