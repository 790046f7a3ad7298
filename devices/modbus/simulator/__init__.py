"""Simulated heating units that speak real bytes: the demonstration's farm and the test double.

Written from the register-map paper on its own: it imports nothing of the platform, so that both
cannot share a mistake. In a test:

    unit = SimUnit("maps/chennuan-cn-w10.csv", 5, seed=17)
    async with serve_tcp([unit]) as port: ...            # RTU over TCP, or framing="mbap"
    async with serve_pty([unit], baud=9600) as path: ...
    async with Transmitter([unit], ("127.0.0.1", port), "GW0001", dialect="plain"): ...

`python -m devices.modbus.simulator --farm FILE` runs a farm of them (see `farm`), `control` tells
a running one what to do, `history` gives what a unit would have told in the past.
"""

from devices.modbus.simulator.farm import Farm
from devices.modbus.simulator.faults import Faults
from devices.modbus.simulator.history import history, load_states, make_unit, save_states
from devices.modbus.simulator.record import Record
from devices.modbus.simulator.terminal import serve_pty
from devices.modbus.simulator.transmitters import Transmitter
from devices.modbus.simulator.unit import SimUnit
from devices.modbus.simulator.weather import outdoor
from devices.modbus.simulator.wire import serve_tcp

__all__ = [
    "Farm",
    "Faults",
    "Record",
    "SimUnit",
    "Transmitter",
    "history",
    "load_states",
    "make_unit",
    "outdoor",
    "save_states",
    "serve_pty",
    "serve_tcp",
]
