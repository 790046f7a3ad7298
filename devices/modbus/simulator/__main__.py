"""`python -m devices.modbus.simulator --farm FILE`: runs a farm until SIGINT or SIGTERM.

`--tell SOCKET JSON` asks one thing of a running farm through its control socket.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from contextlib import AsyncExitStack

from devices.modbus.simulator.control import serve_control, tell
from devices.modbus.simulator.farm import Farm, FarmUnreadable, load_farm, read_listeners
from devices.modbus.simulator.maps import MapUnreadable


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m devices.modbus.simulator")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--farm", metavar="FILE", help="the farm file (JSON) to run")
    what.add_argument(
        "--tell", nargs=2, metavar=("SOCKET", "JSON"),
        help="ask one thing of a running farm, such as '{\"do\": \"units\"}'",
    )  # fmt: skip
    parser.add_argument(
        "--listeners", default="", metavar="auto@HOST:PORT,prefix@HOST:PORT",
        help="where transmitters dial in, instead of what the farm file says",
    )  # fmt: skip
    return parser.parse_args()


async def run(farm_file: str, listeners: str) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    farm = Farm(load_farm(farm_file), read_listeners(listeners))
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(farm)
        if farm.settings["control"]:
            await stack.enter_async_context(serve_control(farm, farm.settings["control"]))
        lines = len(set(farm.places.values()))
        print(f"simulator: {len(farm.units)} units on {lines} lines", flush=True)
        await stopped.wait()


def main() -> int:
    options = arguments()
    try:
        if options.tell:
            told = json.loads(options.tell[1])
            print(json.dumps(tell(options.tell[0], **told), ensure_ascii=False))
        else:
            asyncio.run(run(options.farm, options.listeners))
    except (FarmUnreadable, MapUnreadable, OSError, json.JSONDecodeError) as error:
        print(f"simulator: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
