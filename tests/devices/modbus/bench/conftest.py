"""The bench's own waits, made brief: nothing that a test proves depends on their length."""

import pytest

from devices.modbus import pulses
from devices.modbus.simulator import registers


@pytest.fixture(autouse=True)
def briefly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulses, "_PAUSE_S", 0.02)
    monkeypatch.setattr("devices.modbus.bench.addresses._LEAST_WAIT_S", 0.1)
    monkeypatch.setattr(registers, "SELF_CLEARING_S", 0.05)
