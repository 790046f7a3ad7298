"""Simulated heating units that speak real bytes: the demonstration's farm and the test double.

Written from the register-map paper on its own: it imports nothing of the platform, so that both
cannot share a mistake. In a test:

    unit = SimUnit("maps/chennuan-cn-w10.csv", 5, seed=17)
    async with serve_tcp([unit]) as port: ...            # RTU over TCP, or framing="mbap"

`python -m devices.modbus.simulator --farm FILE` runs a farm of them.
"""

from devices.modbus.simulator.faults import Faults
from devices.modbus.simulator.record import Record
from devices.modbus.simulator.unit import SimUnit
from devices.modbus.simulator.wire import serve_tcp

__all__ = ["Faults", "Record", "SimUnit", "serve_tcp"]
