"""Line workers and the transmitters that dial in to them: whose they are, and what they prove."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from devices.models import Gateway, Unit
from telemetry import commands, keeping, partitions
from telemetry.line_worker import LineWorker
from telemetry.models import Command, GatewayState, UnitState
from tests import cast as people
from tests.cast import Cast
from tests.farm import Farm, farm
from tests.telemetry.test_line_worker import eventually, rows, sim, water

pytestmark = pytest.mark.django_db(transaction=True)
PRIVATE = "auto@127.0.0.1:0?source=127.0.0.0/8"
PUBLIC = "auto@127.0.0.1:0?source=10.0.0.0/8"


@pytest.fixture(autouse=True)
def looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ROUND_S", "ROSTER_S", "FIGURES_S"):
        monkeypatch.setattr(keeping, name, 0.1)


@pytest.fixture
def fleet() -> Iterator[Farm]:
    with farm() as made:
        yield made


@contextmanager
def working(path: Path, listeners: str, name: str = "test") -> Iterator[tuple[str, int]]:
    """A line worker of this name; gives where its transmitters dial in."""
    partitions.ensure()
    worker = LineWorker(name, var=path, listeners=listeners)
    worker.start()
    try:
        board = eventually(lambda: worker._switchboard)
        yield eventually(lambda: board.addresses)[0]
    finally:
        worker.end()


def dialled(identity: str, **changes: object) -> Unit:
    fields = {"line_worker": "test", "interval_s": 1, "trusted": True} | changes
    return water(people.gateway(f"dial://{identity}", **fields))


def test_what_comes_from_the_private_network_may_be_written(
    cast: Cast, fleet: Farm, tmp_path: Path
) -> None:
    unit, device = dialled("GW0001"), sim()
    with working(tmp_path, PRIVATE) as server:
        fleet.dial(server, "GW0001", device)
        eventually(lambda: Gateway.objects.filter(url="dial://GW0001", proven_by="private_network"))
        eventually(lambda: rows(unit))
        unit.gateway.refresh_from_db()
        wish = commands.request(
            unit, "indoor_temp_setpoint", 23, by=cast.district_officer, reason="frost"
        )
        eventually(lambda: Command.objects.get(pk=wish.pk).state == "verified")
    assert device.words("holding", 2) == [23]


def test_a_private_text_makes_a_transmitter_writable_and_its_taking_back_read_only(
    cast: Cast, fleet: Farm, tmp_path: Path
) -> None:
    unit = dialled("GW0001")
    text = unit.gateway.new_secret()
    with working(tmp_path, PUBLIC) as server:
        fleet.dial(server, "GW0001", sim(), login=text.encode())
        eventually(lambda: Gateway.objects.writable().filter(pk=unit.gateway_id))
        eventually(lambda: rows(unit))
        Gateway.objects.get(pk=unit.gateway_id).new_secret()
        eventually(lambda: Gateway.objects.get(pk=unit.gateway_id).why_read_only)
    kept = [str(path.read_bytes()) for path in tmp_path.rglob("*") if path.is_file()]
    assert not any(text in content for content in kept)


def test_who_only_says_the_id_is_read_and_never_written_though_the_records_say_he_may_be(
    cast: Cast, fleet: Farm, tmp_path: Path
) -> None:
    """The proof of yesterday's connection does not count for the one of now."""
    unit, device = dialled("GW0001", proven_by="private_network"), sim()
    before = device.words("holding", 2)
    wish = commands.request(
        unit, "indoor_temp_setpoint", 23, by=cast.district_officer, reason="frost"
    )
    with working(tmp_path, PUBLIC) as server:
        fleet.dial(server, "GW0001", device)
        eventually(lambda: rows(unit))
        eventually(lambda: Gateway.objects.get(pk=unit.gateway_id).why_read_only)
        state = Command.objects.get(pk=wish.pk).state
    assert state not in ("verified", "accepted") and device.words("holding", 2) == before


def test_line_workers_leave_each_others_transmitters_and_ports_alone(
    cast: Cast, fleet: Farm, tmp_path: Path
) -> None:
    north, south = dialled("GW0001", line_worker="north"), dialled("GW0002", line_worker="south")
    port = fleet.open(sim())
    wired = water(people.gateway(f"tcp://127.0.0.1:{port}", line_worker="south", interval_s=1))
    with (
        working(tmp_path / "n", PRIVATE, "north") as at_north,
        working(tmp_path / "s", PRIVATE, "south") as at_south,
    ):
        fleet.dial(at_north, "GW0001", sim())
        fleet.dial(at_south, "GW0002", sim())
        strayed = fleet.dial(at_north, "GW0003", sim())
        lost = dialled("GW0003", line_worker="south")
        for unit in (north, south, wired):
            eventually(lambda unit=unit: rows(unit))  # type: ignore[misc]
        eventually(lambda: strayed.connected)
        assert not UnitState.objects.filter(unit=lost, answered_at__isnull=False).exists()
        assert not GatewayState.objects.filter(gateway=lost.gateway, connected=True).exists()


def test_transmitters_that_vanish_together_are_polled_again_when_they_return(
    cast: Cast, fleet: Farm, tmp_path: Path
) -> None:
    units = [dialled(f"GW{n:04}") for n in range(5)]
    with working(tmp_path, PRIVATE) as server:
        village = [fleet.dial(server, f"GW{n:04}", sim()) for n in range(5)]
        eventually(lambda: all(map(rows, units)))
        fleet.cut_power(*village)
        connected = GatewayState.objects.filter(connected=True)
        eventually(lambda: not connected.exists())
        before = [rows(unit) for unit in units]
        fleet.restore_power(*village, within=(0.1, 0.5))
        eventually(lambda: connected.count() == 5)
        pairs = list(zip(units, before, strict=True))
        eventually(lambda: all(rows(unit) > had for unit, had in pairs))
