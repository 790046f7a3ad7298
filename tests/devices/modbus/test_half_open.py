"""A transmitter whose link is gone without a word: nobody sends a FIN, the socket looks open.

The switchboard and the transmitter run in network namespaces of their own. What joins them is a
pair of tunnel ports whose packets this process passes on, until it does not any more.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from devices.modbus import frames
from devices.modbus.frames import Rtu
from devices.modbus.line import Line
from devices.modbus.simulator import SimUnit, Transmitter
from devices.modbus.switchboard import Switchboard
from devices.modbus.troubles import LineDown, NoAnswer

BASE = Path(__file__).parents[3]
MAP = BASE / "devices" / "modbus" / "maps" / "chennuan-cn-w10.csv"
OURS, THEIRS = "10.213.0.1", "10.213.0.2"
ALONE = ["unshare", "--map-root-user", "--net"]


def _may_make_namespaces() -> bool:
    if not (shutil.which("unshare") and shutil.which("ip")):
        return False
    made = [*ALONE, "ip", "tuntap", "add", "dev", "t0", "mode", "tun"]
    return subprocess.run(made, capture_output=True).returncode == 0


@pytest.mark.long
@pytest.mark.parametrize("interval_s", [2, 10])
def test_a_link_that_drops_without_a_fin_is_noticed_within_three_missed_polls(
    interval_s: int,
) -> None:
    if not _may_make_namespaces():
        pytest.skip("this account may not make network namespaces")
    module = "tests.devices.modbus.test_half_open"
    command = [*ALONE, sys.executable, "-m", module, "platform", str(interval_s)]
    done = subprocess.run(command, cwd=BASE, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["answers"] == 2 and 1 <= told["missed"] <= 3, told


# What runs inside the namespaces.


class Link:
    """Two tunnel ports whose packets are passed on while it is whole."""

    def __init__(self, ours: int, theirs: int) -> None:
        self.whole = True
        loop = asyncio.get_running_loop()
        for one, other in ((ours, theirs), (theirs, ours)):
            loop.add_reader(one, self._pass_on, one, other)

    def _pass_on(self, one: int, other: int) -> None:
        packet = os.read(one, 4096)
        if self.whole:
            os.write(other, packet)


def tunnel(mine: str, other: str) -> int:
    """A tunnel port of this namespace with an address; gives the end to read packets from."""
    port = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(port, 0x400454CA, struct.pack("16sH", b"t0", 0x1001))  # TUNSETIFF: TUN, NO_PI
    for words in (["link", "set", "lo", "up"], ["addr", "add", mine, "peer", other, "dev", "t0"]):
        subprocess.run(["ip", *words], check=True)
    subprocess.run(["ip", "link", "set", "t0", "up"], check=True)
    return port


async def platform(interval_s: float) -> None:
    """Poll a transmitter of another namespace, cut its link, count polls until that is noticed."""
    ours = tunnel(OURS, THEIRS)
    here, there = socket.socketpair()
    module = [sys.executable, "-m", "tests.devices.modbus.test_half_open", "transmitter"]
    board = Switchboard([f"auto@{OURS}:0"])
    await board.start()
    told = [str(there.fileno()), str(board.addresses[0][1])]
    with subprocess.Popen([*ALONE, *module, *told], pass_fds=[there.fileno()]) as process:
        _, (theirs,), _, _ = await asyncio.to_thread(socket.recv_fds, here, 1, 1)
        link = Link(ours, theirs)
        print(json.dumps(await counted(board, link, interval_s)))
        process.kill()


async def counted(board: Switchboard, link: Link, interval_s: float) -> dict[str, int]:
    transport = board.transport_for("GW0001")
    line = Line(transport, Rtu())
    await transport.connect()
    told = {"answers": 0, "missed": 0}
    for _ in range(2):
        told["answers"] += await answered(line)
    link.whole = False
    while transport.connected and told["missed"] < 9:
        next_poll = asyncio.get_running_loop().time() + interval_s
        try:
            told["answers"] += await answered(line)
        except NoAnswer:
            told["missed"] += 1
        except LineDown:
            break
        while transport.connected and asyncio.get_running_loop().time() < next_poll:
            await asyncio.sleep(0.05)
    return told


async def answered(line: Line) -> bool:
    return len(await line.exchange(5, frames.read("holding", 0, 4), timeout=1)) == 4


async def transmitter(handover: int, port: int) -> None:
    """Hand the end of this namespace's tunnel over, then dial in."""
    theirs = tunnel(THEIRS, OURS)
    socket.send_fds(socket.socket(fileno=handover), [b"x"], [theirs])
    unit = SimUnit(MAP, 5, static=True)
    async with Transmitter([unit], (OURS, port), "GW0001"):
        await asyncio.sleep(3600)


if __name__ == "__main__":
    what, *numbers = sys.argv[1:]
    if what == "platform":
        asyncio.run(platform(float(numbers[0])))
    else:
        asyncio.run(transmitter(*map(int, numbers)))
