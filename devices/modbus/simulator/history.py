"""What a unit would have told in the past: the same house, the same registers, without a wire.

The demonstration fills its first days with it and hands the houses' states to the farm, so that
the live units go on with the same story: the same rooms, the same counters.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from devices.modbus.simulator import maps
from devices.modbus.simulator.fields import Value
from devices.modbus.simulator.maps import Field, RegisterMap, Row
from devices.modbus.simulator.modules import SHANGHAI, Module, multiplier
from devices.modbus.simulator.unit import SimUnit

States = dict[str, list[dict[str, Any]]]  # by unit key, as SimUnit.state() gives
FAULT_AGE_S = 6 * 3600
SPEC_KEYS = {
    "key", "address", "map", "user", "seed", "heated_area", "fault", "silent", "local", "modules",
    "static",
}  # fmt: skip

_load = lru_cache(maxsize=64)(maps.load)


def make_unit(spec: Mapping[str, Any], states: States | None = None, **more: Any) -> SimUnit:
    """The unit of a farm file's entry; raises ValueError that names what is wrong with it."""
    unknown = set(spec) - SPEC_KEYS
    missing = {"key", "address", "map"} - set(spec)
    if unknown or missing:
        raise ValueError(f"unit {spec.get('key')!r}: unknown {unknown}, missing {missing}")
    options = {name: value for name, value in spec.items() if name not in ("map", "address")}
    options["key"] = str(spec["key"])
    state = (states or {}).get(options["key"])
    return SimUnit(_load(str(spec["map"])), int(spec["address"]), state=state, **options, **more)


def history(
    unit_spec: Mapping[str, Any],
    start: datetime,
    end: datetime,
    *,
    coarse_step_s: int = 300,
    coarse_poll_s: int = 900,
    fine_from: datetime | None = None,
    fine_step_s: int = 60,
    states: States | None = None,
) -> Iterator[tuple[datetime, dict[str, Value]]]:
    """Readings of a unit of a farm file from `start` to `end` (aware times).

    Until `fine_from` (a day before the end) the model steps by `coarse_step_s` and is read every
    `coarse_poll_s`, then stepped and read every `fine_step_s`. Values are rounded as the
    registers would round them; faults come as `fault_active`, `fault_bits` or `fault_code`, as
    they show in a read. A planted `fault` appears six hours before the end. When the iterator is
    exhausted, the unit's state is put into `states`, to be saved for the farm.
    """
    begin, stop = start.timestamp(), end.timestamp()
    fine = (fine_from or max(start, end - timedelta(days=1))).timestamp()
    fault = unit_spec.get("fault")
    unit = make_unit({**unit_spec, "fault": None, "modules": 1}, clock=lambda: begin)
    module, read = unit.modules[0], _reader(unit)
    due = begin + coarse_poll_s
    while module.house.at < stop:
        coarse = module.house.at < fine
        step = coarse_step_s if coarse else fine_step_s
        module.house.step(min(step, stop - module.house.at))
        at = module.house.at
        if fault is not None and at >= stop - FAULT_AGE_S:
            unit.plant(str(fault))
            fault = None
        if at >= due or not coarse:
            due = at + coarse_poll_s
            yield datetime.fromtimestamp(at, SHANGHAI), read()
    if states is not None:
        states[unit.key] = unit.state()


def _reader(unit: SimUnit) -> Callable[[], dict[str, Value]]:
    """A function that reads the unit's module as its registers would show it, only faster."""
    module = unit.modules[0]
    plain, rounded = [], []
    for row in unit.map.rows:
        if "r" not in row.access or row.signal.startswith("fault"):
            continue
        if row.signal in module.own or row.when is not None or not _is_number(row):
            plain.append(row)
        else:
            rounded.append((row.signal, *_rounding(row.read, module)))
    changing = [row for row in plain if row.signal not in module.own]
    fixed = {row.signal: module.shown(row, module.own) for row in plain if row not in changing}

    faults = _fault_reader(unit.map, module)

    def read() -> dict[str, Value]:
        values = module.values()
        found = {**fixed, **faults()}
        for signal, scale, offset, digits in rounded:
            found[signal] = round(round((values[signal] - offset) / scale) * scale + offset, digits)
        for row in changing:
            if module.holds(row):
                found[row.signal] = module.shown(row, values)
        return found

    return read


def _is_number(row: Row) -> bool:
    field = row.read
    words = field.type.startswith(("ascii", "datetime", "bitfield"))
    return not (words or field.enum or field.is_bool or field.type.startswith("float"))


def _rounding(field: Field, module: Module) -> tuple[float, float, int]:
    scale = field.scale * multiplier(field, module.values())
    places = [-int(number.as_tuple().exponent) for number in (scale, field.offset)]
    return float(scale), float(field.offset), max(0, *places)


def _fault_reader(register_map: RegisterMap, module: Module) -> Callable[[], dict[str, Value]]:
    """Reads the faults as one poll shows them: merged, and whether there is any."""
    rows = [row for row in register_map.rows if row.signal.startswith("fault")]
    code = next((row for row in rows if row.signal.startswith("fault_code")), None)
    has_bits = any(row.signal.startswith(("fault.", "fault_bits")) for row in rows)

    def read() -> dict[str, Value]:
        found: dict[str, Value] = {"fault_active": bool(module.house.faults)} if rows else {}
        if code is not None:
            found["fault_code"] = module.shown(code, {})
        if has_bits:
            found["fault_bits"] = sorted(module.house.faults)
        return found

    return read


def save_states(path: str | Path, states: States) -> None:
    """Write the states so that a crash leaves the old file or the new one."""
    fresh = Path(f"{path}.new")
    fresh.write_text(json.dumps(states, ensure_ascii=False), encoding="utf-8")
    os.replace(fresh, path)


def load_states(path: str | Path) -> States:
    """The states saved there; none if there is no file."""
    try:
        states: States = json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return states
