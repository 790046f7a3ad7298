"""Who is accepted while a server closes is closed too."""

import asyncio
import gc
import socket
import sys
from typing import Any

import pytest

from devices.modbus.simulator.wire import serve_tcp
from devices.modbus.switchboard import Switchboard


async def called_so_late_at_the_simulator(turns: int) -> None:
    with socket.socket() as caller:
        async with serve_tcp(()) as port:
            await call(caller, port, turns)


async def called_so_late_at_the_switchboard(turns: int) -> None:
    board = Switchboard(["127.0.0.1:0"])
    await board.start()
    with socket.socket() as caller:
        await call(caller, board.addresses[0][1], turns)
        await board.close()


async def call(caller: socket.socket, port: int, turns: int) -> None:
    caller.setblocking(False)
    caller.connect_ex(("127.0.0.1", port))
    for _turn in range(turns):
        await asyncio.sleep(0)


@pytest.mark.parametrize("turns", range(5))
@pytest.mark.parametrize(
    "story", [called_so_late_at_the_simulator, called_so_late_at_the_switchboard]
)
def test_a_call_in_the_last_moment_is_closed_too(
    story: Any, turns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    left: list[str] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda told: left.append(str(told.exc_value)))
    asyncio.run(story(turns))
    gc.collect()
    assert left == []
