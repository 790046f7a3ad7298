"""Samples on a bench: simulated units behind a socket, and the bench that tests them.

The maps are those of the files with shorter delays, and the bench waits as briefly, so that a run
takes a second; nothing else about either is different.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from devices.modbus import pointmap, wires
from devices.modbus.bench import Bench, Options, Result, run, step
from devices.modbus.bench.writes import DirectWrites
from devices.modbus.pointmap import PointMap
from devices.modbus.simulator.wire import Bus, serve_bus
from devices.modbus.transports import open as open_transport

MAPS = Path(pointmap.__file__).parent / "maps"
CN_W10 = (MAPS / "chennuan-cn-w10.csv").read_text(encoding="utf-8")
AIRBOX = (MAPS / "beiyue-airbox3.csv").read_text(encoding="utf-8")
ADDRESS, SECOND = 5, 6
BRIEF = Options(
    second_address=SECOND,
    soak_s=0.3,
    soak_interval_s=0.05,
    hold_s=0.1,
    write_space_s=0.0,
    off_s=0.1,
    fault_wait_s=0.1,
    silence_s=0.05,
    replies=20,
    idle_s=0.1,
    look_s=0.02,
)


def map_of(text: str) -> PointMap:
    """The platform's map of a file, its delays as brief as the tests'."""
    loaded = pointmap.load(text.encode(), "map.csv")
    brief = {"min_write_interval_s": 0, "reply_timeout_ms": 250, "baud": 115_200}
    settings = replace(loaded.settings, **brief)  # type: ignore[arg-type]
    points = tuple(replace(point, write_delay_s=0.02) for point in loaded.points)
    return PointMap(settings, points)


@asynccontextmanager
async def on_the_bench(
    map: PointMap, bus: Bus, *, options: Options = BRIEF, address: int = ADDRESS,
    module: int | None = None, said: list[str] | None = None,
) -> AsyncIterator[Bench]:  # fmt: skip
    """A bench at the sample at `address` of a bus; what it says goes to `said`."""
    async with serve_bus(bus) as port:
        url = f"tcp://127.0.0.1:{port}"
        transport = open_transport(url)
        wire = wires.wire_of(url, map.settings)
        line = wires.line_on(transport, replace(wire, frame_gap_ms=0), [address], quiet_s=0.05)
        line._late.copy_s = 0.0  # this wire makes no copies of replies, and nobody waits for any
        await transport.connect()
        writes = DirectWrites(
            line,
            address,
            map,
            module=module,
            space_s=options.write_space_s,
            read_again_s=(0.15,),
        )
        told = [] if said is None else said
        bench = Bench(
            line=line, address=address, map=map, writes=writes, module=module, options=options,
            say=lambda sentence: told.append(str(sentence)),
        )  # fmt: skip
        try:
            yield bench
        finally:
            await writes.restore_all(2.0)
            await transport.close()


async def results_of(bench: Bench, keys: Iterable[str]) -> dict[str, Result]:
    """The results of these steps, run one after the other."""
    return {key: (await run(step(key), bench))[0] for key in keys}
