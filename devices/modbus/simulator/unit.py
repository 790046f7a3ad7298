"""A simulated heating unit: the registers of a register-map file, filled by a house.

It answers the PDU of a request as the device of that map would, and a write reaches the house.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from devices.modbus.simulator import maps, requests
from devices.modbus.simulator.bank import (
    DEVICE_FAILURE,
    ILLEGAL_ADDRESS,
    ILLEGAL_FUNCTION,
    ILLEGAL_VALUE,
    Bank,
    Refused,
    Silence,
)
from devices.modbus.simulator.fields import Value, field_mask, from_words, pattern_of, to_words
from devices.modbus.simulator.house import GRID_S, House, settled
from devices.modbus.simulator.maps import Field, RegisterMap, Row
from devices.modbus.simulator.steady import steady_value

# A reply PDU or None, and per module of the unit the tail of its line in the record.
Answer = tuple[bytes | None, tuple[str, ...]]
SELF_CLEARING_S = 0.5
HELD_METHODS = ("value", "rmw", "coil")
HOUSE_SETTINGS = {
    "power_state": "power",
    "mode": "mode",
    "indoor_temp_setpoint": "room_set",
    "supply_temp_setpoint": "supply_set",
    "return_temp_setpoint": "return_set",
}


@dataclass(slots=True)
class Module:
    """One house behind the unit's address, with its rows (shifted by the module's stride)."""

    key: str
    house: House
    rows: tuple[Row, ...]
    own: dict[str, Value]  # values that the house has no physics for, and how they were set


class SimUnit:
    """A unit at an address. `clock` gives Unix seconds; a static one never changes by itself."""

    def __init__(
        self,
        register_map: RegisterMap | str | Path,
        address: int,
        *,
        key: str | None = None,
        user: str = "steady",
        seed: int = 0,
        heated_area: float = 86.0,
        fault: str | None = None,
        silent: bool = False,
        local: bool = False,
        static: bool = False,
        modules: int = 1,
        clock: Callable[[], float] = time.time,
        state: list[dict[str, Any]] | None = None,
    ) -> None:
        is_map = isinstance(register_map, RegisterMap)
        self.map = register_map if is_map else maps.load(register_map)  # type: ignore[arg-type]
        self.address, self.key = address, key or str(address)
        self.silent, self.local, self.static, self.clock = silent, local, static, clock
        self.read_codes = self.map.codes("read_functions")
        self.write_codes = self.map.codes("write_functions")
        self.bank = Bank(self.map.settings["holes"])
        self.clearing: list[tuple[float, str, int]] = []
        self.seen: dict[bytes, Answer] = {}
        self.on_change: Callable[[], None] = lambda: None
        self.modules = [
            self._module(number, seed + 7919 * number, user, heated_area, state)
            for number in range(modules)
        ]
        self._lay_out()
        self._hold_require()
        self.refresh()
        if fault is not None and state is None:
            self.plant(fault)

    @property
    def house(self) -> House:
        return self.modules[0].house

    # -- building --------------------------------------------------------------------------

    def _module(
        self, number: int, seed: int, user: str, area: float, state: list[dict[str, Any]] | None
    ) -> Module:
        kept = state[number] if state and number < len(state) else None
        house = new_house(self.map, self.clock(), user, seed, area, settle=kept is None)
        stride = number * int(self.map.settings.get("module_stride") or 0)
        rows = tuple(
            replace(row, read=_shifted(row.read, stride), write=_shifted(row.write, stride))
            for row in self.map.rows
        )
        known = house.signals()
        own = {
            row.signal: steady_value(row, seed)
            for row in rows
            if row.signal not in known and not row.signal.startswith("fault")
        }
        if kept is not None:
            house.restore(kept["house"])
            own.update(kept["own"])
        return Module(self.key if number == 0 else f"{self.key}/{number}", house, rows, own)

    def _lay_out(self) -> None:
        self.writable: dict[str, set[int]] = {area: set() for area in maps.AREAS}
        for _, row in self._rows():
            if "r" in row.access:
                self.bank.add(row.read.area, _span(row.read))
            if "w" in row.access:
                self._open(row.write.area, *_span(row.write))
                for area, address, _ in row.before:
                    self._open(area, address)
        if self.map.unlock:
            self._open(*self.map.unlock[:2])
        if self.map.require:
            self.bank.add(self.map.require[0], [self.map.require[1]])

    def _open(self, area: str, *addresses: int) -> None:
        self.bank.add(area, addresses)
        self.writable[area].update(addresses)

    def _hold_require(self) -> None:
        """Let the register that `require` names hold its value, or in local mode another."""
        if self.map.require is None:
            return
        area, address, word = self.map.require
        for module, row in self._rows():
            if row.read.area == area and row.read.address == address:
                if self.local:
                    word = next((raw for raw in row.read.enum if raw != word), int(word == 0))
                module.own[row.signal] = from_words(row.read, [word])
                return
        self.bank.put(area, address, [int(word == 0) if self.local else word])

    def _rows(self) -> Iterator[tuple[Module, Row]]:
        for module in self.modules:
            for row in module.rows:
                yield module, row

    # -- values ----------------------------------------------------------------------------

    def fault_labels(self) -> dict[str, bool]:
        """Every fault that this map can show, and whether it stops the heating."""
        found = {}
        for row in self.map.rows:
            if row.signal.startswith("fault.") and "r" in row.access:
                found[row.signal.removeprefix("fault.")] = row
            elif row.signal.startswith(("fault_bits", "fault_code")):
                labels = [*row.read.bits.values(), *row.read.enum.values()]
                found.update({label: row for label in labels if label != "none"})
        gentle = ("sensor", "comm", "eeprom")
        return {
            label: label not in row.mild_faults and not any(word in label for word in gentle)
            for label, row in found.items()
        }

    def plant(self, fault: str, *, persists: bool = False) -> None:
        """Let one of the map's faults appear. Raises ValueError for a label that it lacks."""
        labels = self.fault_labels()
        if fault not in labels:
            raise ValueError(f"unit {self.key}: no fault {fault!r}; it knows {sorted(labels)}")
        self.house.plant(fault, persists=persists, stops=labels[fault])
        self.refresh()

    def clear(self, fault: str | None = None) -> None:
        self.house.clear(fault)
        self.refresh()

    def set(self, signal: str, value: Value, module: int = 0) -> None:
        """Change a value as somebody at the unit's own panel would."""
        self._apply(self.modules[module], signal, value)
        self.refresh()

    def pin(self, area: str, address: int, word: int | None) -> None:
        """Hold a register (wire address) at a raw word; None lets go."""
        self.bank.pin(area, address, word)
        self.refresh()

    def values(self, module: int = 0) -> dict[str, Value]:
        """What the registers of a module say now, by signal."""
        self.tick()
        return self._decoded(self.modules[module], lambda row: True)

    def refresh(self) -> None:
        """Fill the registers from the houses."""
        self.seen.clear()
        for module in self.modules:
            values = _values(module)
            for row in module.rows:
                if _holds(row, module):
                    self._show(module, row, values)

    def _show(self, module: Module, row: Row, values: dict[str, Any]) -> None:
        value = _value(row, values, module.house.faults)
        multiplier = _multiplier(row.read, values)
        if "r" in row.access:
            words = to_words(row.read, value, multiplier)
            self.bank.put(row.read.area, row.read.address, words, field_mask(row.read))
        elsewhere = (row.write.area, row.write.address) != (row.read.area, row.read.address)
        if "w" in row.access and elsewhere and row.method in HELD_METHODS:
            words = to_words(row.write, value, multiplier)
            self.bank.put(row.write.area, row.write.address, words, field_mask(row.write))

    def _decoded(self, module: Module, wanted: Callable[[Row], bool]) -> dict[str, Value]:
        values = _values(module)
        found = {}
        for row in module.rows:
            if "r" in row.access and wanted(row) and _holds(row, module):
                words = self.bank.read(row.read.area, row.read.address, row.read.count)
                found[row.signal] = from_words(row.read, words, _multiplier(row.read, values))
        return found

    def tick(self) -> None:
        """Let the time that has passed reach houses and registers."""
        if self.static and not self.clearing:
            return
        now = self.clock()
        due = [place for place in self.clearing if place[0] <= now]
        for place in due:
            self.clearing.remove(place)
            self.bank.put(place[1], place[2], [0])
        grown = not self.static and any(now - m.house.at >= GRID_S for m in self.modules)
        if grown:
            for module in self.modules:
                module.house.advance(now)
        if grown or due:
            self.refresh()

    # -- requests --------------------------------------------------------------------------

    def answer(self, pdu: bytes) -> Answer:
        """The reply to a request PDU (None for silence), and what a read told, for the record."""
        if self.silent:
            return None, ()
        self.tick()
        known = self.seen.get(pdu)
        if known is not None:
            return known
        try:
            return self._answer(pdu)
        except Refused as refused:
            return bytes((pdu[0] | 0x80, refused.code)), ()
        except Silence:
            return None, ()

    def _answer(self, pdu: bytes) -> Answer:
        request = requests.parse(pdu)
        if isinstance(request, requests.Read):
            self.seen[pdu] = self._read(request), self._told(request)
            return self.seen[pdu]
        if request.function not in self.write_codes:
            raise Refused(ILLEGAL_FUNCTION)
        self.write(request.area, request.address, request.words, request.function)
        self.on_change()
        return request.echo, ()

    def _read(self, request: requests.Read) -> bytes:
        if request.function not in self.read_codes:
            raise Refused(ILLEGAL_FUNCTION)
        bits = request.area in ("coil", "discrete")
        if not 1 <= request.count <= self.map.number("max_read_bits" if bits else "max_read"):
            raise Refused(ILLEGAL_VALUE)
        words = self.bank.read(request.area, request.address, request.count)
        return requests.reply(request, words)

    def _told(self, request: requests.Read) -> tuple[str, ...]:
        last = request.address + request.count

        def inside(row: Row) -> bool:
            field = row.read
            return (
                field.area == request.area
                and request.address <= field.address
                and field.address + field.count <= last
            )

        told = ((module.key, self._decoded(module, inside)) for module in self.modules)
        return tuple(
            f'"key": {json.dumps(key)}, "signals": {json.dumps(signals, ensure_ascii=False)}'
            for key, signals in told
            if signals
        )

    # -- writes ----------------------------------------------------------------------------

    def write(self, area: str, address: int, words: list[int], function: int = 16) -> None:
        """Take words as the device would; raises Refused."""
        span = range(address, address + len(words))
        if not self.writable[area].issuperset(span):
            raise Refused(ILLEGAL_ADDRESS)
        if self.local:
            raise Refused(DEVICE_FAILURE)
        touched = [
            (module, row)
            for module, row in self._rows()
            if "w" in row.access
            and row.write.area == area
            and _overlap(row.write, span)
            and _holds(row, module)
        ]
        if any(row.write_function not in (None, function) for _, row in touched):
            raise Refused(ILLEGAL_FUNCTION)
        if touched and not self._unlocked():
            raise Refused(ILLEGAL_VALUE)
        here = dict(zip(span, words, strict=True))
        changes = [self._change(module, row, here) for module, row in touched]
        self.bank.put(area, address, words)
        for change in changes:
            change()
        for house in {module.house for module, _ in touched}:
            house.enable()
        self.refresh()

    def _unlocked(self) -> bool:
        if self.map.unlock is None:
            return True
        area, address, word = self.map.unlock
        return self.bank.words[area][address] == word

    def _change(self, module: Module, row: Row, here: dict[int, int]) -> Callable[[], None]:
        """What a write means for one row, checked but not yet done."""
        was = self.bank.read(row.write.area, row.write.address, row.write.count)
        will = [here.get(at, word) for at, word in zip(_span(row.write), was, strict=True)]
        before, after = pattern_of(row.write, was), pattern_of(row.write, will)
        if row.method in HELD_METHODS and row.signal != "alarm_reset":
            if before == after:
                return lambda: None
            value = from_words(row.write, will, _multiplier(row.write, _values(module)))
            self._check(row, value)
            return lambda: self._apply(module, row.signal, value)
        wanted = maps.integer(row.write_value) if row.write_value else 1
        if after != wanted or (row.method == "pulse" and before == wanted):
            return lambda: None
        self._check_before(row)
        return lambda: self._trigger(module, row)

    def _check(self, row: Row, value: Value) -> None:
        self._check_before(row)
        if value is None:
            raise Refused(ILLEGAL_VALUE)
        if isinstance(value, float):
            low, high = row.minimum, row.maximum
            if (low is not None and value < low) or (high is not None and value > high):
                raise Refused(ILLEGAL_VALUE)

    def _check_before(self, row: Row) -> None:
        for area, address, word in row.before:
            if self.bank.words[area][address] != word:
                raise Refused(ILLEGAL_VALUE)

    def _trigger(self, module: Module, row: Row) -> None:
        """A pulse, a command or a self-clearing coil does its work."""
        if row.signal == "alarm_reset":
            module.house.reset()
        elif row.verify is not None:
            signal, label = row.verify
            self._apply(module, signal, {"true": True, "on": True, "false": False, "off": False}
                        .get(label, label))  # fmt: skip
        if row.method == "coil_self_clearing":
            due = self.clock() + SELF_CLEARING_S
            self.clearing.append((due, row.write.area, row.write.address))
        elif row.method == "command":
            empty = [0] * row.write.count
            self.bank.put(row.write.area, row.write.address, empty, field_mask(row.write))

    def _apply(self, module: Module, signal: str, value: Value) -> None:
        if signal in HOUSE_SETTINGS:
            setattr(module.house, HOUSE_SETTINGS[signal], value)
            module.house.enable()
        else:
            module.own[signal] = value

    # -- keeping ---------------------------------------------------------------------------

    def state(self) -> list[dict[str, Any]]:
        """All that a later process needs to go on with this unit (JSON)."""
        return [{"house": module.house.state(), "own": module.own} for module in self.modules]


def new_house(
    register_map: RegisterMap, at: float, user: str, seed: int, area: float, *, settle: bool = True
) -> House:
    """A house with a unit of this map, its settings within the map's limits and labels."""
    settings = register_map.settings
    make = settled if settle else House
    house = make(
        at,
        kind=settings["kind"],
        medium=settings["medium"],
        control_side=settings["control_side"],
        area=area,
        user=user,
        seed=seed,
    )
    for row in register_map.rows:
        if row.signal in ("indoor_temp_setpoint", "supply_temp_setpoint", "return_temp_setpoint"):
            name = HOUSE_SETTINGS[row.signal]
            value = getattr(house, name)
            low, high = row.minimum, row.maximum
            value = max(value, float(low)) if low is not None else value
            setattr(house, name, min(value, float(high)) if high is not None else value)
        elif row.signal == "mode" and "heating" not in row.read.enum.values():
            labels = [label for label in row.read.enum.values() if label in HEATING_LABELS]
            house.mode = labels[0] if labels else house.mode
    house.enable()
    return house


HEATING_LABELS = ("auto", "heating_hot_water")


def _shifted(field: Field, by: int) -> Field:
    return replace(field, address=field.address + by) if by else field


def _span(field: Field) -> range:
    return range(field.address, field.address + field.count)


def _overlap(field: Field, span: range) -> bool:
    return field.address < span.stop and span.start < field.address + field.count


def _values(module: Module) -> dict[str, Any]:
    return {**module.house.signals(), **module.own}


def _holds(row: Row, module: Module) -> bool:
    """Whether the row's `when` holds now."""
    return row.when is None or _values(module).get(row.when[0]) == row.when[1]


def _multiplier(field: Field, values: dict[str, Any]) -> Decimal:
    if field.scale_from is None:
        return Decimal(1)
    return Decimal(repr(values[field.scale_from]))


def _value(row: Row, values: dict[str, Any], faults: dict[str, bool]) -> Value:
    if row.signal.startswith("fault."):
        return row.signal.removeprefix("fault.") in faults
    if row.signal.startswith("fault_bits"):
        return sorted(faults)
    if row.signal.startswith("fault_code"):
        return next((label for label in faults if label in row.read.enum.values()), "none")
    value: Value = values.get(row.signal)
    return value
