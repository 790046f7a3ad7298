"""Serial ports: opened by one program, pulled out and put back, direction control or none."""

from __future__ import annotations

import asyncio
import fcntl
import os
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from devices.modbus import frames, serial_port, transports, wires
from devices.modbus.line import Line
from devices.modbus.simulator import SimUnit
from devices.modbus.simulator.terminal import serve_pty
from devices.modbus.troubles import LineDown
from devices.modbus.urls import LineUrl
from tests.devices.modbus.simulator.tiny_maps import CN_W10

ASK = frames.read("holding", 0, 4)


@pytest.fixture
def terminal() -> Iterator[str]:
    near, far = os.openpty()
    yield os.ttyname(far)
    os.close(far)
    os.close(near)


# A second program that takes the port as its argument and holds it until it is told to end.
HOLDER = """
import fcntl, os, sys, termios
port = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY)
{how}
print("held", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize(
    "how", ["fcntl.flock(port, fcntl.LOCK_EX)", "fcntl.ioctl(port, termios.TIOCEXCL)"]
)
def test_a_port_that_another_program_holds_is_said_to_be_in_use(terminal: str, how: str) -> None:
    if "TIOCEXCL" in how and os.geteuid() == 0:
        pytest.skip("the superuser opens what TIOCEXCL closes for everybody else")
    command = [sys.executable, "-c", HOLDER.format(how=how), terminal]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout and holder.stdout.readline() == b"held\n"
        with pytest.raises(LineDown, match="正被别的程序使用"):
            serial_port.open_port(LineUrl("serial", device=terminal))
        assert holder.stdin
        holder.stdin.close()


@pytest.mark.parametrize(("real", "marked"), [(True, True), (False, False)])
def test_a_real_port_lets_no_other_program_open_it_and_a_pseudo_terminal_keeps_no_mark(
    terminal: str, monkeypatch: pytest.MonkeyPatch, real: bool, marked: bool
) -> None:
    if real:
        monkeypatch.setattr(os.path, "realpath", lambda *path, **how: "/dev/ttyUSB0")
    port = serial_port.open_port(LineUrl("serial", device=terminal))
    try:
        state = bytearray(4)
        fcntl.ioctl(port.fileno(), 0x80045440, state)  # TIOCGEXCL
        assert bool(state[0]) is marked
    finally:
        fcntl.ioctl(port.fileno(), termios.TIOCNXCL)
        port.close()


def test_a_driver_without_direction_control_is_said_so_and_the_port_is_free_again(
    terminal: str,
) -> None:
    with pytest.raises(LineDown, match="不支持 RS-485 方向控制"):
        serial_port.open_port(LineUrl("serial", device=terminal, rs485=True))
    serial_port.open_port(LineUrl("serial", device=terminal)).close()


def test_direction_control_is_asked_of_the_driver(
    terminal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    real = fcntl.ioctl

    def ioctl(fd: int, request: int, *rest: object) -> object:
        if request in (0x542E, 0x542F):  # TIOCGRS485, TIOCSRS485
            asked.append(request)
            return 0
        return real(fd, request, *rest)  # type: ignore[call-overload]

    monkeypatch.setattr(fcntl, "ioctl", ioctl)
    serial_port.open_port(LineUrl("serial", device=terminal, rs485=True)).close()
    assert asked == [0x542E, 0x542F]


def test_an_adapter_that_is_pulled_out_and_put_back_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transports, "_PAUSES_S", (0.05,))
    monkeypatch.setattr(wires, "LISTEN_S", 0.0)
    link = tmp_path / "ttyUSB0"

    async def plugged(line: Line) -> tuple[int, ...]:
        unit = SimUnit(CN_W10, 5, static=True)
        async with serve_pty([unit], link=link, baud=0, turnround=(0, 0)):
            while not line.transport.connected:
                await asyncio.sleep(0.01)
            return await line.exchange(5, ASK, timeout=1)

    async def story() -> None:
        wire = wires.wire_of(f"serial://{link}?baud=9600")
        transport = transports.open(wire.url)
        line = wires.line_on(transport, wire, quiet_s=0.05)
        transport.keep()
        first = await plugged(line)
        while transport.connected:
            await asyncio.sleep(0.01)
        with pytest.raises(LineDown):
            await line.exchange(5, ASK, timeout=1)
        await asyncio.sleep(0.15)  # the name is gone too
        assert "找不到串口" in str(transport.trouble)
        assert await plugged(line) == first
        await transport.close()

    asyncio.run(asyncio.wait_for(story(), 30))
