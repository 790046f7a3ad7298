"""An application of 晨暖's for its CN-W10, brought to where a test begins."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.test import override_settings

from devices.docking import applications, confirmations, signing, signing_key
from devices.models import Confirmation, DockingApplication, DockingState
from households import clock
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
HOME = "https://heating.example"


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


def issued(cast: Cast, **said: Any) -> Confirmation:
    """A confirmation that waits for its signature."""
    one = brought(cast, DockingState.PASSED, **said)
    until = clock.today() + timedelta(days=365)
    return confirmations.issue(one, by=cast.service_unit, valid_until=until)


@contextmanager
def a_key(folder: Path) -> Iterator[Path]:
    """A key file of a service unit, drawn for the test, and told to this process."""
    path = folder / "signing_key.pem"
    if not path.exists():
        path.write_text(signing_key.draw("测试平台"))
    with override_settings(SIGNING_KEY=str(path), PUBLIC_URL=HOME):
        yield path


def signed(cast: Cast, folder: Path, **said: Any) -> Confirmation:
    """A confirmation that is valid, with its signed letter in the vault."""
    one = issued(cast, **said)
    with a_key(folder):
        assert signing.sign_waiting() == 1
    one.refresh_from_db()
    return one
