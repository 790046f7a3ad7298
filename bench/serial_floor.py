"""How near a round over a serial line comes to what its bytes cost.

    .venv/bin/python bench/serial_floor.py [--units 30] [--baud 9600] [--rounds 3]

A simulated bus in its own process behind a pseudo-terminal that is paced like a real line, units
with a turn-round of 20 ms. Every unit is read once by the platform's master, all blocks of its
map. Computed: characters of all requests and replies, 3.5 characters and the map's frame gap
between a reply and the next request, and the turn-rounds. Aim: at most 5 % more than that.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BASE = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(BASE))

import uvloop  # noqa: E402

from devices.modbus import blocks, frames, pointmap, transports, visits  # noqa: E402
from devices.modbus.line import Line  # noqa: E402
from devices.modbus.wires import Wire, line_on, wire_of  # noqa: E402

MAP = BASE / "devices" / "modbus" / "maps" / "chennuan-cn-w10.csv"
TURN_ROUND_S = 0.02


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--units", type=int, default=30)
    parser.add_argument("--baud", type=int, default=9600)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-floor-") as name:
        link = Path(name) / "line"
        with farm(Path(name), link, options.units, options.baud):
            uvloop.run(measure(link, options.units, options.baud, options.rounds))


@contextmanager
def farm(directory: Path, link: Path, units: int, baud: int) -> Iterator[None]:
    """The bus in its own process, ready when this yields."""
    bus = {
        "transport": "pty",
        "link": str(link),
        "baud": baud,
        "units": [{"key": str(n), "address": n, "map": str(MAP)} for n in range(1, units + 1)],
    }
    turn_round = [1000 * TURN_ROUND_S] * 2
    farm = {"static": True, "turnround_ms": turn_round, "latency_ms": [0, 0], "lines": [bus]}
    path = directory / "farm.json"
    path.write_text(json.dumps(farm))
    process = subprocess.Popen(
        [sys.executable, "-m", "devices.modbus.simulator", "--farm", str(path)],
        cwd=BASE,
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        process.stdout.readline()  # it says when its units are there
        yield
    finally:
        process.terminate()
        process.wait(10)


async def measure(link: Path, units: int, baud: int, rounds: int) -> None:
    """Print measured and computed seconds of each round."""
    plan = blocks.plan(pointmap.load(MAP.read_bytes(), MAP.name))
    wire = wire_of(f"serial://{link}?baud={baud}", plan.map.settings)
    transport = transports.open(wire.url)
    line = line_on(transport, wire)
    await transport.connect()
    try:
        await one_round(line, plan, 1)  # the line listens first, and learns its echo
        computed = units * floor_s(plan, wire) - gap_s(wire)
        print(f"{units} units, {len(plan.blocks)} requests each, {baud} baud")
        for number in range(1, rounds + 1):
            took = await one_round(line, plan, units)
            print(
                f"round {number}: measured {took:.3f} s, computed {computed:.3f} s,"
                f" {100 * (took / computed - 1):+.1f} %",
                flush=True,
            )
    finally:
        await transport.close()


async def one_round(line: Line, plan: blocks.Plan, units: int) -> float:
    """Read every unit once; the seconds that it took."""
    began = time.perf_counter()
    for address in range(1, units + 1):
        visit = await visits.read(line, address, plan)
        if visit.errors:
            raise SystemExit(f"unit {address}: {visit.errors[0]}")
    return time.perf_counter() - began


def floor_s(plan: blocks.Plan, wire: Wire) -> float:
    """What the exchanges with one unit cost on the wire, each with the gap behind it."""
    return sum(exchange_s(block, wire) for block in plan.blocks)


def exchange_s(block: blocks.Block, wire: Wire) -> float:
    request = frames.read(block.area, block.address, block.count)
    around = wire.width + 2  # address and CRC
    characters = len(request.pdu) + request.reply_length + 2 * around
    return characters * char_s(wire) + TURN_ROUND_S + gap_s(wire)


def gap_s(wire: Wire) -> float:
    """The silence between frames: 3.5 characters, at most 1.75 ms above 19,200 baud, and what the
    map adds."""
    silence = 0.00175 if (wire.url.baud or 0) > 19200 else 3.5 * char_s(wire)
    return silence + wire.frame_gap_ms / 1000


def char_s(wire: Wire) -> float:
    return wire.char_bits / (wire.url.baud or 9600)


if __name__ == "__main__":
    main()
