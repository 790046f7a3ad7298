"""Memory of the line worker's process for each dialled-in transmitter.

    .venv/bin/python bench/transmitters.py [--transmitters 10000]

Another process opens the connections and registers each under an id of its own. Here are the
switchboard and, as in the line worker, a poller with its line, one unit and a transport for each
of them. The figure is the growth of this process's resident memory, shared out. It is taken
without a database: maps and specifications are made by hand. Every unit is asked once, so that
what the first exchange makes is there too.
"""

from __future__ import annotations

import argparse
import asyncio
import functools
import gc
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, cast

BASE = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(BASE))

if TYPE_CHECKING:
    from devices.modbus.simulator.wire import Bus

MAP = BASE / "devices" / "modbus" / "maps" / "chennuan-cn-w10.csv"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--transmitters", type=int, default=10_000)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)  # the other process
    parser.add_argument("--first", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.port:
        asyncio.run(dial(options.port, options.first, options.transmitters))
        return
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "heating_platform.settings")
    os.environ.setdefault("DEBUG", "1")
    import django

    django.setup()
    from telemetry.line_worker import new_event_loop

    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(measure(options.transmitters))


async def measure(count: int) -> None:
    from devices.modbus import pointmap
    from devices.modbus.switchboard import Switchboard
    from telemetry.polling import Poller
    from telemetry.roster import GatewaySpec, UnitSpec
    from telemetry.rows import Missed, Polled

    map = pointmap.load(MAP.read_bytes(), MAP.name)
    board = Switchboard(["auto@127.0.0.1:0?source=127.0.0.0/8"])
    await board.start()
    answered: set[int] = set()

    def sink(row: Polled | Missed) -> None:
        if isinstance(row, Polled):
            answered.add(row.unit_id)

    def poller(n: int) -> Poller:
        unit = UnitSpec(n, 5, 1, None, 60.0)
        return Poller(GatewaySpec(n, f"dial://{identity(n)}", (unit,)), {1: map}, board, sink)

    # What is made once and not for each: code, plans, the first exchange.
    first = [poller(count)]
    dialler = start_dialling(board.addresses[0][1], count, 1)
    await until(lambda: len(answered) == 1)
    answered.clear()
    before = resident()
    first += [poller(n) for n in range(count)]
    made = resident()
    dialler.terminate()
    dialler = start_dialling(board.addresses[0][1], 0, count)
    await until(lambda: len(answered) == count)
    after = resident()
    dialler.terminate()
    print(f"{count:,} transmitters dialled in and polled")
    print(f"waiting to be dialled by {(made - before) / count / 1024:.1f} KiB each")
    print(f"dialled in and polled {(after - before) / count / 1024:.1f} KiB each")


def identity(number: int) -> str:
    return f"BENCH-{number:06d}"


async def until(true: Callable[[], bool], patience_s: float = 180.0) -> None:
    end = time.monotonic() + patience_s
    while not true():
        if time.monotonic() > end:
            raise SystemExit("not all transmitters were polled in time")
        await asyncio.sleep(0.2)


def resident() -> int:
    """Bytes of this process that are in memory."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


# The other process.


def start_dialling(port: int, first: int, count: int) -> subprocess.Popen[bytes]:
    told = ["--port", str(port), "--first", str(first), "--transmitters", str(count)]
    return subprocess.Popen([sys.executable, __file__, *told])


async def dial(port: int, first: int, count: int) -> None:
    """Register so many transmitters, a hundred at once, and answer for one unit behind each."""
    from devices.modbus.simulator import SimUnit
    from devices.modbus.simulator.wire import Bus

    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    bus = Bus([SimUnit(MAP, 5, static=True)])
    loop = asyncio.get_running_loop()
    for number in range(first, first + count, 100):
        together = range(number, min(number + 100, first + count))
        factories = [functools.partial(Dialled, bus, identity(n)) for n in together]
        await asyncio.gather(
            *(loop.create_connection(each, "127.0.0.1", port) for each in factories)
        )
    await asyncio.sleep(3600)


class Dialled(asyncio.Protocol):
    """One transmitter."""

    def __init__(self, bus: Bus, name: str) -> None:
        self.bus, self.name = bus, name
        self.buffer = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(self.name.encode())

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        self.bus.hear(self.buffer, self.send)

    def send(self, frame: bytes) -> float | None:
        self.transport.write(frame)
        return time.time()


if __name__ == "__main__":
    main()
