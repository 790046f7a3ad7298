"""Runs a farm file on the line worker's own event loop, which is quicker than asyncio's and exact
to the microsecond, so that a bench measures masters: `python -m bench.farm FILE`."""

from __future__ import annotations

import asyncio
import sys

from devices.modbus.simulator.__main__ import run
from devices.modbus.ticking import Loop

if __name__ == "__main__":
    with asyncio.Runner(loop_factory=Loop) as runner:
        runner.run(run(sys.argv[1], ""))
