"""mbpoll (libmodbus) as a peer that this project did not write."""

import asyncio
import re
import shutil

import pytest

from devices.modbus.simulator import SimUnit, serve_pty, serve_tcp
from tests.devices.modbus.simulator.tiny_maps import AIRBOX, CN_W10

MBPOLL = shutil.which("mbpoll") or ""
pytestmark = pytest.mark.skipif(not MBPOLL, reason="mbpoll is not installed (apt install mbpoll)")


async def mbpoll(*arguments: str) -> str:
    process = await asyncio.create_subprocess_exec(
        MBPOLL, "-1", "-0", "-q", *arguments,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await process.communicate()
    return output.decode()


def read_out(output: str) -> list[int]:
    """The words that mbpoll prints, as `[100]: \t317` or with a sign as `65535 (-1)`."""
    return [int(word) for word in re.findall(r"^\[\d+\]:\s+(\d+)", output, re.MULTILINE)]


def test_mbpoll_reads_and_writes_over_modbus_tcp() -> None:
    async def story() -> None:
        water, air = (
            SimUnit(CN_W10, 5, seed=1, static=True),
            SimUnit(AIRBOX, 6, seed=2, static=True),
        )
        air.plant("coil_sensor")
        async with serve_tcp([water, air], framing="mbap") as port:
            to = ["-m", "tcp", "-p", str(port)]
            out = await mbpoll(*to, "-a5", "-t4", "-r100", "-c4", "127.0.0.1")
            assert read_out(out) == water.words("holding", 100, 4)
            out = await mbpoll(*to, "-a6", "-t3", "-r0", "-c3", "127.0.0.1")
            assert read_out(out) == air.words("input", 0, 3)
            out = await mbpoll(*to, "-a6", "-t1", "-r100", "-c10", "127.0.0.1")
            assert read_out(out) == [0, 1] + [0] * 8
            out = await mbpoll(*to, "-a5", "-t4", "-r2", "127.0.0.1", "24")
            assert "Written 1 references" in out
            out = await mbpoll(*to, "-a6", "-t0", "-r0", "127.0.0.1", "0")
            assert "Written 1 references" in out
            out = await mbpoll(*to, "-a5", "-t4", "-r500", "127.0.0.1")
            assert "Illegal data address" in out
        assert (water.house.room_set, air.house.power) == (24, False)

    asyncio.run(story())


def test_mbpoll_reads_and_writes_over_a_paced_pseudo_terminal() -> None:
    async def story() -> None:
        unit = SimUnit(CN_W10, 5, seed=1, static=True)
        async with serve_pty([unit], baud=9600) as path:
            to = ["-m", "rtu", "-b", "9600", "-P", "none", "-a5", "-t4"]
            out = await mbpoll(*to, "-r100", "-c4", path)
            assert read_out(out) == unit.words("holding", 100, 4)
            assert "Written 1 references" in await mbpoll(*to, "-r2", path, "23")
            assert read_out(await mbpoll(*to, "-r2", "-c1", path)) == [23]
        assert unit.house.room_set == 23

    asyncio.run(story())
