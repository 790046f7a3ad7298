"""One house behind a unit's address: its rows of the register map and the values that they show."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from devices.modbus.simulator.fields import Value
from devices.modbus.simulator.house import House, settled
from devices.modbus.simulator.maps import Field, RegisterMap, Row
from devices.modbus.simulator.steady import steady_value

SHANGHAI = timezone(timedelta(hours=8))
HOUSE_SETTINGS = {
    "power_state": "power",
    "mode": "mode",
    "indoor_temp_setpoint": "room_set",
    "supply_temp_setpoint": "supply_set",
    "return_temp_setpoint": "return_set",
}
OTHER_HEATING_LABELS = ("auto", "heating_hot_water")


@dataclass(slots=True)
class Module:
    """A house, its rows (shifted by the module's stride), its key in the record.

    `own` holds the values that the house has no physics for, as they were set.
    """

    key: str
    house: House
    rows: tuple[Row, ...]
    own: dict[str, Value]

    def values(self) -> dict[str, Any]:
        """Every value by signal, unrounded."""
        return {**self.house.signals(), **self.own}

    def holds(self, row: Row) -> bool:
        """Whether the row's `when` holds now."""
        return row.when is None or self.values().get(row.when[0]) == row.when[1]

    def shown(self, row: Row, values: dict[str, Any]) -> Value:
        """What the row's registers show of these values."""
        faults = self.house.faults
        if row.signal.startswith("fault."):
            return row.signal.removeprefix("fault.") in faults
        if row.signal.startswith("fault_bits"):
            return sorted(faults)
        if row.signal.startswith("fault_code"):
            return _fault_code(row, faults)
        if row.read.type.startswith("datetime"):
            return datetime.fromtimestamp(self.house.at, SHANGHAI).isoformat()
        value: Value = values[row.signal]
        return value

    def set(self, signal: str, value: Value) -> None:
        """Change a setting of the house or a value of its own; hold a reading, None lets go."""
        if signal in HOUSE_SETTINGS:
            setattr(self.house, HOUSE_SETTINGS[signal], value)
            self.house.enable()
        elif value is None:
            self.own.pop(signal, None)
        else:
            self.own[signal] = value


def _fault_code(row: Row, faults: Iterable[str]) -> Value:
    """The label of the fault that there is; a code without labels can name none and stays 0."""
    if not row.read.enum:
        return 0.0
    return next((label for label in faults if label in row.read.enum.values()), "none")


def multiplier(field: Field, values: dict[str, Any]) -> Decimal:
    """What the value of the signal in `scale_from` multiplies the scale by."""
    return Decimal(1) if field.scale_from is None else Decimal(repr(values[field.scale_from]))


def new_module(
    key: str,
    register_map: RegisterMap,
    at: float,
    *,
    number: int = 0,
    user: str = "steady",
    seed: int = 0,
    area: float = 86.0,
    state: dict[str, Any] | None = None,
) -> Module:
    """The house of module `number` (0 the first), new at the time `at` or as `state` kept it."""
    stride = number * register_map.stride
    seed += 7919 * number
    house = _house(register_map, at, user, seed, area, settle=state is None)
    known = house.signals()
    own = {
        row.signal: steady_value(row, seed)
        for row in register_map.rows
        if row.signal not in known and not row.signal.startswith("fault")
    }
    if state is not None:
        house.restore(state["house"])
        own.update(state["own"])
    rows = tuple(
        replace(row, read=_shifted(row.read, stride), write=_shifted(row.write, stride))
        for row in register_map.rows
    )
    return Module(key if number == 0 else f"{key}/{number}", house, rows, own)


def _house(
    register_map: RegisterMap, at: float, user: str, seed: int, area: float, *, settle: bool
) -> House:
    """A house with a unit of this map, its settings within the map's limits and labels."""
    settings = register_map.settings
    house = (settled if settle else House)(
        at,
        kind=settings["kind"],
        medium=settings["medium"],
        control_side=settings["control_side"],
        area=area,
        user=user,
        seed=seed,
    )
    for row in register_map.rows:
        if row.signal.endswith("_temp_setpoint") and row.signal in HOUSE_SETTINGS:
            name = HOUSE_SETTINGS[row.signal]
            value = getattr(house, name)
            low, high = row.minimum, row.maximum
            value = max(value, float(low)) if low is not None else value
            setattr(house, name, min(value, float(high)) if high is not None else value)
        elif row.signal == "mode" and "heating" not in row.read.enum.values():
            labels = [label for label in row.read.enum.values() if label in OTHER_HEATING_LABELS]
            house.mode = labels[0] if labels else house.mode
    house.enable()
    return house


def _shifted(field: Field, by: int) -> Field:
    return replace(field, address=field.address + by) if by else field
