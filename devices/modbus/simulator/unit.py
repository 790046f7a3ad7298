"""A simulated heating unit: a device at an address that answers requests by its register map."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from devices.modbus.simulator import maps, requests
from devices.modbus.simulator.bank import ILLEGAL_FUNCTION, ILLEGAL_VALUE, Refused, Silence
from devices.modbus.simulator.fields import Value
from devices.modbus.simulator.house import GRID_S, House
from devices.modbus.simulator.maps import RegisterMap, Row
from devices.modbus.simulator.modules import new_module
from devices.modbus.simulator.registers import Registers

# A reply PDU or None, and per module of the unit the tail of its line in the record.
Answer = tuple[bytes | None, tuple[str, ...]]
GENTLE_FAULTS = ("sensor", "comm", "eeprom")  # in a label: the unit goes on heating


class SimUnit:
    """A unit at an address. `clock` gives Unix seconds; a static one never changes by itself.

    `state` is what `state()` of an earlier one gave; `modules` houses stand behind the address.
    """

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
        self.map = maps.load(register_map) if isinstance(register_map, str | Path) else register_map
        self.address, self.key = address, key or str(address)
        self.silent, self.static, self.clock = silent, static, clock
        self.read_codes = self.map.codes("read_functions")
        self.write_codes = self.map.codes("write_functions")
        self.on_change: Callable[[], None] = lambda: None
        self.seen: dict[bytes, Answer] = {}
        kept = dict(enumerate(state or ()))
        self.modules = [
            new_module(
                self.key, self.map, clock(),
                number=number, user=user, seed=seed, area=heated_area, state=kept.get(number),
            )
            for number in range(modules)
        ]  # fmt: skip
        self.registers = Registers(self.map, self.modules, clock)
        if local:
            self.set_local(True)
        if fault is not None and state is None:
            self.plant(fault)

    @property
    def house(self) -> House:
        """The (first) house behind the address."""
        return self.modules[0].house

    # -- what a test or a person at the unit does ------------------------------------------

    def fault_labels(self) -> dict[str, bool]:
        """Every fault that this map can show, and whether it stops the heating."""
        found: dict[str, Row] = {}
        for row in self.map.rows:
            if row.signal.startswith("fault.") and "r" in row.access:
                found[row.signal.removeprefix("fault.")] = row
            elif row.signal.startswith(("fault_bits", "fault_code")):
                labels = {*row.read.bits.values(), *row.read.enum.values()} - {"none"}
                found.update(dict.fromkeys(labels, row))
        return {
            label: label not in row.mild_faults and not any(word in label for word in GENTLE_FAULTS)
            for label, row in found.items()
        }

    def plant(self, fault: str, *, persists: bool = False) -> None:
        """Let one of the map's faults appear; a persisting one survives an alarm reset.

        Raises ValueError for a label that the map lacks.
        """
        labels = self.fault_labels()
        if fault not in labels:
            raise ValueError(f"unit {self.key}: no fault {fault!r}; it knows {sorted(labels)}")
        self.house.plant(fault, persists=persists, stops=labels[fault])
        self._changed()

    def clear(self, fault: str | None = None) -> None:
        """Take a fault (or all) and its cause away."""
        self.house.clear(fault)
        self._changed()

    def set(self, signal: str, value: Value, module: int = 0) -> None:
        """Change a value as somebody at the unit's own panel would.

        A reading (`outdoor_temp`) stays at the value until it is set to None.
        """
        if signal not in self.modules[module].values():
            raise ValueError(f"unit {self.key} has no signal {signal!r}")
        self.modules[module].set(signal, value)
        self._changed()

    def set_local(self, local: bool) -> None:
        """Switch to local mode, where every write is refused, or back."""
        self.registers.set_local(local)
        self._changed()

    def pin(self, area: str, address: int, word: int | None) -> None:
        """Hold a register (address on the wire) at a raw word; None lets go."""
        self.registers.bank.pin(area, address, word)
        self._changed()

    def words(self, area: str, address: int, count: int = 1) -> list[int]:
        """The raw words (or bits) that the registers hold now."""
        self.tick()
        return self.registers.bank.read(area, address, count)

    def values(self, module: int = 0) -> dict[str, Value]:
        """What a faithful reader makes of a module's registers now, by signal."""
        self.tick()
        return self.registers.decoded(self.modules[module], lambda row: True)

    def state(self) -> list[dict[str, Any]]:
        """All that a later process needs to go on with this unit (JSON)."""
        return [{"house": module.house.state(), "own": module.own} for module in self.modules]

    # -- time ------------------------------------------------------------------------------

    def tick(self) -> None:
        """Let the time that has passed reach houses and registers."""
        clearing = self.registers.clearing
        if self.static and not clearing:
            return
        now = self.clock()
        cleared = clearing and self.registers.clear_due(now)
        if not self.static and now - self.house.at >= GRID_S:
            for module in self.modules:
                module.house.advance(now)
        elif not cleared:
            return
        self._refresh()

    def _refresh(self) -> None:
        self.seen.clear()
        self.registers.refresh()

    def _changed(self) -> None:
        self._refresh()
        self.on_change()

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

    def unchanged(self, pdu: bytes) -> bool:
        """Whether the reply to this request is the same as last time, without a look."""
        still = self.static and not self.silent and not self.registers.clearing
        return still and pdu in self.seen

    def _answer(self, pdu: bytes) -> Answer:
        request = requests.parse(pdu)
        if isinstance(request, requests.Read):
            self.seen[pdu] = self._read(request), self._told(request)
            return self.seen[pdu]
        if request.function not in self.write_codes:
            raise Refused(ILLEGAL_FUNCTION)
        self.registers.write(request.area, request.address, request.words, request.function)
        self._changed()
        return request.echo, ()

    def _read(self, request: requests.Read) -> bytes:
        if request.function not in self.read_codes:
            raise Refused(ILLEGAL_FUNCTION)
        bits = request.area in ("coil", "discrete")
        if not 1 <= request.count <= self.map.number("max_read_bits" if bits else "max_read"):
            raise Refused(ILLEGAL_VALUE)
        words = self.registers.bank.read(request.area, request.address, request.count)
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

        told = ((module.key, self.registers.decoded(module, inside)) for module in self.modules)
        return tuple(
            f'"key": {json.dumps(key)}, "signals": {json.dumps(signals, ensure_ascii=False)}'
            for key, signals in told
            if signals
        )
