"""Values for readings that the house has no physics for: steady and plausible."""

from __future__ import annotations

from devices.modbus.simulator.fields import Value
from devices.modbus.simulator.maps import Row

BY_UNIT = {
    "°c": 20.0, "℃": 20.0, "degc": 20.0, "bar": 1.6, "mpa": 0.16, "kpa": 160.0, "hz": 50.0,
    "v": 228.0, "a": 6.4, "kw": 1.2, "w": 1200.0, "kwh": 1234.0, "%": 50.0, "h": 1500.0,
    "rpm": 850.0, "r/min": 850.0, "m3/h": 0.6, "m³/h": 0.6, "l/min": 10.0, "dbm": -75.0,
    "m3": 640.0, "m³": 640.0, "k": 5.0, "s": 60.0, "min": 30.0, "ppm": 600.0, "gj": 12.0,
}  # fmt: skip
BY_SIGNAL: dict[str, Value] = {"local_remote": "remote", "maker_lock": False, "link_rssi": -75.0}


def steady_value(row: Row, seed: int) -> Value:
    """A value for the row that stays as it is until somebody writes it."""
    field = row.read
    if field.enum and not field.is_bool:
        labels = list(field.enum.values())
        wanted = BY_SIGNAL.get(row.signal, "none")
        return wanted if wanted in labels else labels[0]
    if field.is_bool:
        return False
    if field.type.startswith("bitfield"):
        return []
    if field.type.startswith("ascii"):
        return f"SIM{seed % 100_000:05d}"[: 2 * field.count]
    if row.signal in BY_SIGNAL:
        return BY_SIGNAL[row.signal]
    if row.minimum is not None and row.maximum is not None:
        return float((row.minimum + row.maximum) / 2)
    return BY_UNIT.get(row.unit.lower(), float(field.scale + field.offset))
