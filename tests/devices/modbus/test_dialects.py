"""Every kind of simulated transmitter dials the real switchboard, and its unit is read and written.

The simulator was written from the makers' papers on its own, so that both cannot share a mistake.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from devices.modbus import calls, frames, wires
from devices.modbus.blocks import Block
from devices.modbus.line import Line
from devices.modbus.simulator import SimUnit, Transmitter
from devices.modbus.simulator.transmitters import DIALECTS
from devices.modbus.switchboard import DialTransport, Switchboard
from devices.modbus.wires import wire_of
from tests.devices.modbus.simulator.tiny_maps import CN_W10

ADDRESS = 5
READ = frames.read("holding", 0, 4)
IDS = {"imei": "860000000000017", "four_faith": "13800001234", "caimore": "13800001234"}
IDS |= {"mac": "D8B04C000001", "mac_prefix": "D8B04C000001"}
LISTENERS = ["auto@127.0.0.1:0?source=127.0.0.0/8", "prefix@127.0.0.1:0?source=127.0.0.0/8"]


@pytest.fixture(autouse=True)
def greets_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "GREET_AFTER_S", 0.05)
    monkeypatch.setattr(calls, "GREET_EVERY_S", 0.1)


@asynccontextmanager
async def board() -> AsyncIterator[Switchboard]:
    opened = Switchboard(LISTENERS, settle_s=0.02)
    await opened.start()
    try:
        yield opened
    finally:
        await opened.close()


def transmitter(opened: Switchboard, dialect: str, identity: str, **options: Any) -> Transmitter:
    unit = SimUnit(CN_W10, ADDRESS, static=True)
    server = opened.addresses[0 if DIALECTS[dialect].listener == "auto" else 1]
    return Transmitter([unit], server, identity, dialect=dialect, heartbeat_s=0.1, **options)


def line_to(transport: DialTransport, dialect: str) -> Line:
    framing = "?framing=mbap" if DIALECTS[dialect].mbap else ""
    line = wires.line_on(transport, wire_of(f"dial://{transport.name}{framing}"))
    wires.greet_with(transport, line, [(ADDRESS, Block("holding", 0, 1))])
    return line


async def until(true: Callable[[], object]) -> None:
    while not true():
        await asyncio.sleep(0.005)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_transmitter_of_each_kind_registers_is_read_and_written(dialect: str) -> None:
    identity = IDS.get(dialect, "GW0001")

    async def story() -> None:
        async with board() as opened:
            transport = opened.transport_for(identity)
            line = line_to(transport, dialect)
            async with transmitter(opened, dialect, identity) as sim:
                await until(lambda: transport.connected)
                before = await line.exchange(ADDRESS, READ, timeout=1.5)
                assert len(before) == 4
                await line.exchange(ADDRESS, frames.write_register(2, 23), timeout=1.5)
                after = await line.exchange(ADDRESS, READ, timeout=1.5)
                assert after == (*before[:2], 23, before[3])
                await until(lambda: transport.heartbeats or sim.heartbeat is None)
                assert transport.bytes_in == sim.bytes_out and transport.bytes_out == sim.bytes_in

    asyncio.run(asyncio.wait_for(story(), 30))


@pytest.mark.parametrize("dialect", ["prefix", "prefix_only", "mac_prefix"])
def test_an_id_before_its_packets_that_nobody_knows_is_listed(dialect: str) -> None:
    identity = IDS.get(dialect, "GW0001")

    async def story() -> None:
        async with board() as opened:
            waited_for = opened.transport_for("ANOTHER")
            line_to(waited_for, dialect)  # its greeting makes the silent one speak
            async with transmitter(opened, dialect, identity):
                await until(lambda: opened.unknown)
                assert opened.unknown[0].names == (identity,) and not waited_for.connected
                transport = opened.transport_for(identity)
                line = line_to(transport, dialect)
                await until(lambda: transport.connected)
                assert len(await line.exchange(ADDRESS, READ, timeout=1)) == 4

    asyncio.run(asyncio.wait_for(story(), 30))


def test_an_engineers_visit_greets_a_transmitter_that_says_nothing_by_itself() -> None:
    async def story() -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        wire = wire_of(f"dial://GW0001?listen=127.0.0.1:{port}&dialect=prefix&wait=4")
        hello = wires.greeting(wires.framing_of(wire), [(ADDRESS, Block("holding", 0, 1))])
        unit = SimUnit(CN_W10, ADDRESS, static=True)
        sim = Transmitter(
            [unit], ("127.0.0.1", port), "GW0001", dialect="prefix_only", back_off_s=(0.1, 0.1)
        )
        async with sim, wires.connected(wire.url, hello) as transport:
            line = wires.line_on(transport, wire)
            assert len(await line.exchange(ADDRESS, READ, timeout=1)) == 4

    asyncio.run(asyncio.wait_for(story(), 30))


def test_the_answer_to_a_greeting_never_reaches_the_line() -> None:
    async def story() -> None:
        async with board() as opened:
            transport = opened.transport_for("GW0001")
            line = line_to(transport, "prefix_only")
            async with transmitter(opened, "prefix_only", "GW0001"):
                await until(lambda: transport.connected)
                await line.exchange(ADDRESS, READ, timeout=1)
                assert line.counters.stray_bytes == 0

    asyncio.run(asyncio.wait_for(story(), 30))
