"""Units per second from wire to committed row, beside a plain pymodbus loop without storage.

    .venv/bin/python bench/wire.py [--lines 64] [--units 128] [--seconds 15]

One simulated farm (its own process, registers precomputed, replies at once, RTU over TCP) is
polled twice in one run by one map (115,200 baud, no frame gap): by the platform's line worker with
everything that belongs to it (loop, writer, spool with fsync, COPY into a private PostgreSQL with
fsync on), and by one pymodbus client per line that reads the same registers and throws them away.
Machines are noisy: compare the ratio.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

BASE = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(BASE))
MAP = BASE / "devices" / "modbus" / "maps" / "chennuan-cn-w10.csv"
WARM_UP_S = 5.0


def fast_map() -> bytes:
    """The example map as of a maker whose line is not the limit."""
    text = MAP.read_text(encoding="utf-8")
    return text.replace("@baud,9600", "@baud,115200\n@frame_gap_ms,0").encode()


@dataclass(frozen=True)
class Score:
    """What one way reached: polls and own CPU seconds within wall seconds."""

    polls: int
    wall_s: float
    cpu_s: float

    @property
    def per_second(self) -> float:
        return self.polls / self.wall_s

    @property
    def cpu_per_1000(self) -> float:
        return self.cpu_s / self.polls * 1000 if self.polls else float("nan")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--lines", type=int, default=64)
    parser.add_argument("--units", type=int, default=128, help="units on each line (1 to 247)")
    parser.add_argument("--seconds", type=float, default=15.0)
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="bench-wire-") as name,
        database(Path(name)),
        farm(Path(name), options.lines, options.units) as ports,
    ):
        ours = line_worker(Path(name), ports, options.units, options.seconds)
        theirs = asyncio.run(pymodbus_loop(ports, options.units, options.seconds))
    print(f"{options.lines} lines of {options.units} units, {options.seconds:g} s each way")
    print(f"{'':34}{'units/s':>10}{'CPU s per 1,000 polls':>24}")
    for label, score in (
        ("line worker, wire to committed row", ours),
        ("pymodbus loop, nothing stored", theirs),
    ):
        print(f"{label:34}{score.per_second:>10,.0f}{score.cpu_per_1000:>24.3f}")
    print(f"ratio {ours.per_second / theirs.per_second:.2f}")


@contextmanager
def database(directory: Path) -> Iterator[None]:
    """A private PostgreSQL with fsync on, migrated, for the time of the bench."""
    from heating_platform.embedded import Servers

    servers = Servers(directory / "var")
    servers.start()
    os.environ |= {
        "DATABASE_URL": servers.postgres.url,
        "BROKER_URL": servers.valkey.url,
        "DJANGO_SETTINGS_MODULE": "heating_platform.settings",
        "DEBUG": "1",
    }
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    try:
        yield
    finally:
        from django.db import connection

        connection.close()
        servers.stop()


@contextmanager
def farm(directory: Path, lines: int, units: int) -> Iterator[list[int]]:
    """The simulated farm in its own process; gives the ports of its lines."""
    ports = free_ports(lines)
    described = {
        "static": True,
        "turnround_ms": [0, 0],
        "latency_ms": [0, 0],
        "lines": [
            {
                "transport": "tcp",
                "baud": 0,
                "host": "127.0.0.1",
                "port": port,
                "units": [
                    {"key": f"{port}-{address}", "address": address, "map": str(MAP)}
                    for address in range(1, units + 1)
                ],
            }
            for port in ports
        ],
    }
    path = directory / "farm.json"
    path.write_text(json.dumps(described))
    process = subprocess.Popen(
        [sys.executable, "-m", "devices.modbus.simulator", "--farm", str(path)], cwd=BASE
    )
    try:
        wait_for(ports[-1])
        yield ports
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


def line_worker(directory: Path, ports: Sequence[int], units: int, seconds: float) -> Score:
    """Poll every unit as often as it goes; counts rows that are committed."""
    from telemetry import partitions
    from telemetry.line_worker import LineWorker
    from telemetry.models import Reading

    partitions.ensure()
    put_in_service(ports, units)
    worker = LineWorker("bench", listeners="", var=directory)
    worker.start()
    try:
        until = time.monotonic() + 120
        while worker.polls < len(ports) * units and time.monotonic() < until:
            time.sleep(0.1)
        time.sleep(WARM_UP_S)
        rows, cpu, wall = Reading.objects.count(), time.process_time(), time.monotonic()
        time.sleep(seconds)
        score = (time.process_time() - cpu, time.monotonic() - wall)
        return Score(Reading.objects.count() - rows, wall_s=score[1], cpu_s=score[0])
    finally:
        worker.end()
        figures = worker.figures()
        print({name: figures[name] for name in ("queue", "rejected_rows", "overflowed_rows")})


def put_in_service(ports: Sequence[int], units: int) -> None:
    from devices.models import DeviceModel, Gateway, RegisterMap, Supplier, Unit
    from households import clock

    model = DeviceModel.objects.create(
        supplier=Supplier.objects.create(name="bench"),
        name="bench",
        code="bench",
        kind="ashp_water",
        medium="water",
    )
    register_map = RegisterMap.objects.add(model, fast_map(), MAP.name)
    for port in ports:
        gateway = Gateway.objects.create(
            url=f"tcp://127.0.0.1:{port}", kind="tcp", line_worker="bench", interval_s=1
        )
        Unit.objects.bulk_create(
            Unit(
                gateway=gateway,
                address=address,
                model=model,
                register_map=register_map,
                in_service_since=clock.now(),
            )
            for address in range(1, units + 1)
        )


async def pymodbus_loop(ports: Sequence[int], units: int, seconds: float) -> Score:
    """One pymodbus client per line, the same registers, no decoding, no storage."""
    from pymodbus import FramerType
    from pymodbus.client import AsyncModbusTcpClient

    from devices.modbus import blocks, pointmap

    plan = blocks.plan(pointmap.load(fast_map(), MAP.name))
    polls = 0

    done = asyncio.Event()

    async def drive(client: AsyncModbusTcpClient) -> None:
        nonlocal polls
        while not done.is_set():
            for address in range(1, units + 1):
                if done.is_set():  # asked here: pymodbus does not pass a cancellation on
                    break
                for block in plan.blocks:
                    await client.read_holding_registers(
                        block.address, count=block.count, device_id=address
                    )
                polls += 1

    clients = [AsyncModbusTcpClient("127.0.0.1", port=p, framer=FramerType.RTU) for p in ports]
    for client in clients:
        await client.connect()
    tasks = [asyncio.create_task(drive(client)) for client in clients]
    await asyncio.sleep(WARM_UP_S / 2)
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
