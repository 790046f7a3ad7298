"""The test bench of supplier docking: the steps that a maker's sample must pass.

bench = Bench(line=line, address=5, map=map, writes=DirectWrites(line, 5, map))
for step in STEPS:
    if step.run:
        result, evidence = await run(step, bench)
"""

from devices.modbus.bench.bench import Bench, Kind, NotLet, Options, Step, Writes, run
from devices.modbus.bench.evidence import Evidence
from devices.modbus.bench.results import Result
from devices.modbus.bench.steps import STEPS, step

__all__ = [
    "STEPS",
    "Bench",
    "Evidence",
    "Kind",
    "NotLet",
    "Options",
    "Result",
    "Step",
    "Writes",
    "run",
    "step",
]
