"""Thousands of sockets that say nothing, and a good transmitter among them."""

from __future__ import annotations

import asyncio
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from devices.modbus import frames, switchboard
from devices.modbus.frames import Rtu
from devices.modbus.line import Line
from devices.modbus.simulator import SimUnit, Transmitter
from devices.modbus.switchboard import Switchboard
from tests.devices.modbus.simulator.tiny_maps import CN_W10

# Opens so many connections from many sources and keeps those that are let: 127.1.x.y, 100 each.
SILENCE = """
import resource, socket, sys
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
port, count = int(sys.argv[1]), int(sys.argv[2])
kept = []
for n in range(count):
    one = socket.socket()
    one.bind((f"127.1.{n // 100 // 250}.{n // 100 % 250 + 1}", 0))
    one.connect(("127.0.0.1", port))
    kept.append(one)
print("open", flush=True)
sys.stdin.read()
"""


@contextmanager
def silent_sockets(port: int, count: int) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-c", SILENCE, str(port), str(count)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        yield process
        process.communicate()


async def read_among(count: int, **options: int) -> tuple[float, int]:
    """Seconds until a good transmitter was registered and its unit read while so many silent
    sockets are open, and how many of these were still held."""
    board = Switchboard(["auto@127.0.0.1:0"], **options)  # type: ignore[arg-type]
    await board.start()
    (where,) = board.addresses
    transport = board.transport_for("GW0001")
    line = Line(transport, Rtu(), frame_gap_ms=0)
    unit = SimUnit(CN_W10, 5, static=True)
    with silent_sockets(where[1], count) as process:
        assert process.stdout
        assert await asyncio.to_thread(process.stdout.readline) == b"open\n"
        begun = time.monotonic()
        async with Transmitter([unit], where, "GW0001"):
            while not transport.connected:
                await asyncio.sleep(0.01)
            assert len(await line.exchange(5, frames.read("holding", 0, 4), timeout=1)) == 4
            took = time.monotonic() - begun
        held = len(board._unregistered)
        await board.close()
    return took, held


def test_a_good_transmitter_is_polled_within_two_seconds_among_2000_silent_ones() -> None:
    took, held = asyncio.run(read_among(2000, max_idle=1500))
    assert took < 2 and 1490 <= held <= 1500


@pytest.mark.long
def test_a_good_transmitter_is_polled_within_two_seconds_among_10000_silent_ones() -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if 0 < hard < 10_500:
        pytest.skip(f"this account may have {hard} files open, 10,000 sockets need more")
    took, held = asyncio.run(read_among(10_000, max_idle=20_000))
    assert took < 2 and held == 10_000


def test_room_is_made_before_the_process_runs_out_of_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(switchboard, "_files", lambda: switchboard.SPARE_FILES + 50)
    took, held = asyncio.run(read_among(120))
    assert took < 2 and held < 50
