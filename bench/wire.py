"""Units per second over the wire, beside a plain pymodbus loop without storage.

    .venv/bin/python bench/wire.py [--seconds 15] [--only flat] [--framing rtu]

Three simulated farms, each polled twice in one run by one map (115,200 baud, no frame gap of the
maker's): by the platform's line worker with everything that belongs to it (loop, writer, spool
with fsync, COPY into a private PostgreSQL with fsync on), and by one pymodbus client per line
that reads the same registers and throws them away. All share the cores of the machine.

`paced`: 8 lines of 103 units that answer after 20 ms; what the lines could carry at most is the
limit: both frames' wire time, 20 ms, and 3.5 characters of silence (1.75 ms at this speed), which
pymodbus does not keep. `dead`: the same with 7 silent units on each line. `flat`: 64 lines of 128
units that answer at once, in Modbus TCP: behind RTU a line would have to be silent for 1.75 ms
after each frame, which alone limits 64 lines to some 15,000 units/s (`--framing rtu` shows it).
Machines are noisy: compare the ratios.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

BASE = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(BASE))
MAP = BASE / "devices" / "modbus" / "maps" / "chennuan-cn-w10.csv"
BAUD = 115_200
SILENCE_S = 0.00175
TIME_OUT_S = 1.0  # the map's own, reply_timeout_ms


def fast_map() -> bytes:
    """The example map as of a maker whose line is fast."""
    text = MAP.read_text(encoding="utf-8")
    return text.replace("@baud,9600", f"@baud,{BAUD}\n@frame_gap_ms,0").encode()


@dataclass(frozen=True)
class Farm:
    """Lines of simulated units: how many, how fast, how many of each line silent."""

    name: str
    lines: int
    units: int
    turnround_ms: float = 0.0
    dead: int = 0
    warm_up_s: float = 5.0
    framing: str = "rtu"

    @property
    def scheme(self) -> str:
        return "mbap" if self.framing == "mbap" else "tcp"

    def limit(self) -> float | None:
        """Units per second that the lines can carry; None where nothing but the cores limits."""
        if not self.turnround_ms:
            return None
        visit = sum(
            (8 + 5 + 2 * count) * 10 / BAUD + self.turnround_ms / 1000 + SILENCE_S
            for count in block_sizes()
        )
        return self.lines / visit

    def described(self, ports: Sequence[int]) -> dict[str, object]:
        def unit(port: int, address: int) -> dict[str, object]:
            silent = address <= self.dead
            key = f"{port}-{address}"
            return {"key": key, "address": address, "map": str(MAP), "silent": silent}

        baud = BAUD if self.turnround_ms else 0
        each = {"transport": self.scheme, "host": "127.0.0.1", "baud": baud}
        addresses = range(1, self.units + 1)
        return {
            "static": True,
            "turnround_ms": [self.turnround_ms, self.turnround_ms],
            "latency_ms": [0, 0],
            "lines": [
                {**each, "port": port, "units": [unit(port, address) for address in addresses]}
                for port in ports
            ],
        }


FARMS = (
    Farm("paced", 8, 103, turnround_ms=20.0, warm_up_s=10.0),
    Farm("dead", 8, 103, turnround_ms=20.0, dead=7, warm_up_s=40.0),
    Farm("flat", 64, 128, framing="mbap"),
)


@dataclass(frozen=True)
class Score:
    """What one way reached: polls and own CPU seconds within wall seconds."""

    polls: int
    wall_s: float
    cpu_s: float
    shares: dict[str, float] = field(default_factory=dict)

    @property
    def per_second(self) -> float:
        return self.polls / self.wall_s

    def line(self, label: str, limit: float | None) -> str:
        cpu = self.cpu_s / self.polls * 1000 if self.polls else float("nan")
        of_limit = f"{self.per_second / limit:>10.1%}" if limit else ""
        return f"{label:34}{self.per_second:>10,.1f}{cpu:>24.3f}{of_limit}"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", choices=[farm.name for farm in FARMS])
    parser.add_argument("--framing", choices=["rtu", "mbap"], help="instead of each farm's own")
    parser.add_argument("--seconds", type=float, default=15.0)
    options = parser.parse_args()
    farms = [farm for farm in FARMS if options.only in (None, farm.name)]
    from bench.database import database

    with tempfile.TemporaryDirectory(prefix="bench-wire-") as name, database(Path(name)):
        for farm in farms:
            framed = replace(farm, framing=options.framing or farm.framing)
            measure(Path(name), framed, options.seconds)


def measure(directory: Path, farm: Farm, seconds: float) -> None:
    """Both ways over the same farm, and how they compare."""
    with running(directory, farm) as (ports, simulator):
        ours = line_worker(directory, farm, ports, simulator, seconds)
        theirs = asyncio.run(pymodbus_loop(farm, ports, seconds))
    dead = f", {farm.dead} of them silent," if farm.dead else ""
    print(f"\n{farm.name}: {farm.lines} lines of {farm.units} units{dead} {farm.framing}")
    limit = farm.limit()
    print(f"{'':34}{'units/s':>10}{'CPU s per 1,000 polls':>24}{'of limit' if limit else '':>10}")
    print(ours.line("line worker, wire to committed row", limit))
    print(theirs.line("pymodbus loop, nothing stored", limit))
    print(f"ratio {ours.per_second / theirs.per_second:.2f}, load {os.getloadavg()[0]:.1f}")
    used = sorted(ours.shares.items(), key=lambda item: -item[1])
    told = (f"{name} {cpu / ours.wall_s:.0%}" for name, cpu in used if cpu > 0.01 * ours.wall_s)
    print("share of a core each:", ", ".join(told), flush=True)


@contextmanager
def running(directory: Path, farm: Farm) -> Iterator[tuple[list[int], int]]:
    """The simulated farm in its own process; gives the ports of its lines and its process id."""
    ports = free_ports(farm.lines)
    path = directory / "farm.json"
    path.write_text(json.dumps(farm.described(ports)))
    command = [sys.executable, "-m", "bench.farm", str(path)]
    process = subprocess.Popen(command, cwd=BASE, stdout=subprocess.DEVNULL)
    try:
        wait_for(ports[-1])
        yield ports, process.pid
    finally:
        process.terminate()
        process.wait(10)


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def wait_for(port: int, patience: float = 60.0) -> None:
    until = time.monotonic() + patience
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit("the simulated farm did not start")


def line_worker(
    directory: Path, farm: Farm, ports: Sequence[int], simulator: int, seconds: float
) -> Score:
    """Poll every unit as often as it goes; counts rows that are committed."""
    from bench.shares import Shares
    from telemetry import partitions
    from telemetry.line_worker import LineWorker
    from telemetry.models import Reading

    partitions.ensure()
    put_in_service(farm, ports)
    worker = LineWorker(farm.name, listeners="", var=directory)
    worker.start()
    try:
        until = time.monotonic() + 120
        rounds = 5 * farm.lines * (farm.units - farm.dead)
        while worker.polls < rounds and time.monotonic() < until:
            time.sleep(0.1)
        time.sleep(farm.warm_up_s)
        shares = Shares({"farm": lambda: [simulator], "database": postgres(directory)})
        rows, cpu, wall = Reading.objects.count(), time.process_time(), time.monotonic()
        time.sleep(seconds)
        measured = (time.monotonic() - wall, time.process_time() - cpu, shares.used())
        return Score(Reading.objects.count() - rows, *measured)
    finally:
        worker.end()
        figures = worker.figures()
        told = {name: figures[name] for name in ("queue", "rejected_rows", "overflowed_rows")}
        if any(told.values()):
            print(told)


def postgres(directory: Path) -> Callable[[], list[int]]:
    from heating_platform.embedded import Servers

    return Servers(directory / "var").postgres.tenants


def put_in_service(farm: Farm, ports: Sequence[int]) -> None:
    from django.conf import settings

    from devices.models import DeviceModel, Gateway, RegisterMap, Supplier, Unit
    from households import clock

    # Twice as often as the units can be read: there is always one that is due.
    settings.POLL_INTERVAL_S |= {farm.scheme: 2.0 if farm.turnround_ms else 0.2}
    supplier, _ = Supplier.objects.get_or_create(name="bench")
    model = DeviceModel.objects.create(
        supplier=supplier, name=farm.name, code=farm.name, kind="ashp_water", medium="water"
    )
    register_map = RegisterMap.objects.add(model, fast_map(), MAP.name)
    for port in ports:
        gateway = Gateway.objects.create(
            url=f"{farm.scheme}://127.0.0.1:{port}", kind=farm.scheme, line_worker=farm.name
        )
        Unit.objects.bulk_create(
            Unit(
                gateway=gateway,
                address=address,
                model=model,
                register_map=register_map,
                in_service_since=clock.now(),
            )
            for address in range(1, farm.units + 1)
        )


def block_sizes() -> list[int]:
    from devices.modbus import blocks, pointmap

    return [block.count for block in blocks.plan(pointmap.load(fast_map(), MAP.name)).blocks]


async def pymodbus_loop(farm: Farm, ports: Sequence[int], seconds: float) -> Score:
    """One pymodbus client per line, the same registers, no decoding, no storage; a unit counts
    where all its registers were read."""
    from pymodbus import FramerType
    from pymodbus.client import AsyncModbusTcpClient
    from pymodbus.exceptions import ModbusException

    from devices.modbus import blocks, pointmap

    logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)  # it tells of each silence
    plan = blocks.plan(pointmap.load(fast_map(), MAP.name))
    polls = 0
    done = asyncio.Event()

    async def read(client: AsyncModbusTcpClient, address: int) -> bool:
        try:
            for block in plan.blocks:
                reply = await client.read_holding_registers(
                    block.address, count=block.count, device_id=address
                )
                if reply.isError():
                    return False
        except ModbusException:
            if not client.connected:
                await client.connect()
            return False
        return True

    async def drive(client: AsyncModbusTcpClient) -> None:
        nonlocal polls
        while not done.is_set():
            for address in range(1, farm.units + 1):
                if done.is_set():  # asked here: pymodbus does not pass a cancellation on
                    break
                answered = await read(client, address)  # awaited first: others count meanwhile
                polls += answered

    framer = FramerType.SOCKET if farm.framing == "mbap" else FramerType.RTU
    clients = [
        AsyncModbusTcpClient("127.0.0.1", port=port, framer=framer, timeout=TIME_OUT_S, retries=0)
        for port in ports
    ]
    for client in clients:
        await client.connect()
    tasks = [asyncio.create_task(drive(client)) for client in clients]
    await asyncio.sleep(min(farm.warm_up_s, 10))
    before, cpu, wall = polls, time.process_time(), time.monotonic()
    await asyncio.sleep(seconds)
    score = Score(polls - before, time.monotonic() - wall, time.process_time() - cpu)
    done.set()
    await asyncio.gather(*tasks)
    for client in clients:
        client.close()
    return score


if __name__ == "__main__":
    main()
