"""Between registers and houses: fills the bank from the houses, lets a write reach them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from devices.modbus.simulator.bank import (
    DEVICE_FAILURE,
    ILLEGAL_ADDRESS,
    ILLEGAL_FUNCTION,
    ILLEGAL_VALUE,
    Bank,
    Refused,
)
from devices.modbus.simulator.fields import Value, field_mask, from_words, pattern_of, to_words
from devices.modbus.simulator.maps import AREAS, Field, RegisterMap, Row, integer
from devices.modbus.simulator.modules import Module, multiplier

SELF_CLEARING_S = 0.5
HELD_METHODS = ("value", "rmw", "coil")
TRUTH: dict[str, Value] = {"true": True, "on": True, "false": False, "off": False}


class Registers:
    """The bank of one unit and the modules behind it. A unit in local mode takes no write."""

    def __init__(
        self, register_map: RegisterMap, modules: list[Module], clock: Callable[[], float]
    ) -> None:
        self.map, self.modules, self.clock = register_map, modules, clock
        self.bank = Bank(register_map.settings["holes"])
        self.writable: dict[str, set[int]] = {area: set() for area in AREAS}
        self.clearing: list[tuple[float, str, int]] = []  # coils that clear themselves, and when
        self.local = False
        self._lay_out()
        self.set_local(False)
        self.refresh()

    def _lay_out(self) -> None:
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

    def _rows(self) -> Iterator[tuple[Module, Row]]:
        for module in self.modules:
            for row in module.rows:
                yield module, row

    def set_local(self, local: bool) -> None:
        """Local mode: the register that the map requires holds another value than required."""
        self.local = local
        if self.map.require is None:
            return
        area, address, word = self.map.require
        rows = [(m, row) for m, row in self._rows() if _covers(row.read, area, address)]
        if local:
            labels = rows[0][1].read.enum if rows else {}
            word = next((raw for raw in labels if raw != word), int(word == 0))
        for module, row in rows:
            module.own[row.signal] = from_words(row.read, [word])
        self.bank.put(area, address, [word])

    # -- reading ---------------------------------------------------------------------------

    def refresh(self) -> None:
        """Fill the registers from the houses."""
        for module in self.modules:
            values = module.values()
            for row in module.rows:
                if module.holds(row):
                    self._show(module, row, values)

    def _show(self, module: Module, row: Row, values: dict[str, Value]) -> None:
        if "r" in row.access:
            self._put(row.read, module.shown(row, values), values)
        elsewhere = (row.write.area, row.write.address) != (row.read.area, row.read.address)
        if "w" in row.access and elsewhere and row.method in HELD_METHODS:
            self._put(row.write, module.shown(row, values), values)

    def _put(self, field: Field, value: Value, values: dict[str, Value]) -> None:
        words = to_words(field, value, multiplier(field, values))
        self.bank.put(field.area, field.address, words, field_mask(field))

    def decoded(self, module: Module, wanted: Callable[[Row], bool]) -> dict[str, Value]:
        """What a faithful reader makes of the registers of the wanted rows."""
        values = module.values()
        found = {}
        for row in module.rows:
            if "r" in row.access and wanted(row) and module.holds(row):
                field = row.read
                words = self.bank.read(field.area, field.address, field.count)
                found[row.signal] = from_words(field, words, multiplier(field, values))
        return found

    def clear_due(self, now: float) -> bool:
        """Clear the self-clearing coils that are due; whether there were any."""
        due = [place for place in self.clearing if place[0] <= now]
        for place in due:
            self.clearing.remove(place)
            self.bank.put(place[1], place[2], [0])
        return bool(due)

    # -- writing ---------------------------------------------------------------------------

    def write(self, area: str, address: int, words: list[int], function: int) -> None:
        """Take words as the device would: all of them, or Refused and none."""
        span = range(address, address + len(words))
        if not self.writable[area].issuperset(span):
            raise Refused(ILLEGAL_ADDRESS)
        if self.local:
            raise Refused(DEVICE_FAILURE)
        touched = [
            (module, row)
            for module, row in self._rows()
            if "w" in row.access and _meets(row.write, area, span) and module.holds(row)
        ]
        if any(row.write_function not in (None, function) for _, row in touched):
            raise Refused(ILLEGAL_FUNCTION)
        if touched and not self._all_hold((self.map.unlock,)):
            raise Refused(ILLEGAL_VALUE)
        new = dict(zip(span, words, strict=True))
        changes = [self._change(module, row, new) for module, row in touched]
        self.bank.put(area, address, words)
        for change in changes:
            change()
        self.refresh()

    def _all_hold(self, places: tuple[tuple[str, int, int] | None, ...]) -> bool:
        return all(
            place is None or self.bank.words[place[0]][place[1]] == place[2] for place in places
        )

    def _change(self, module: Module, row: Row, new: dict[int, int]) -> Callable[[], None]:
        """What new words mean for one row: checked, to be done by calling the result."""
        field = row.write
        was = self.bank.read(field.area, field.address, field.count)
        will = [new.get(at, word) for at, word in zip(_span(field), was, strict=True)]
        before, after = pattern_of(field, was), pattern_of(field, will)
        if row.method in HELD_METHODS and row.signal != "alarm_reset":
            if before == after:
                return lambda: None
            value = from_words(field, will, multiplier(field, module.values()))
            self._check(row, value)
            return lambda: module.set(row.signal, value)
        wanted = integer(row.write_value) if row.write_value else 1
        if after != wanted or (row.method == "pulse" and before == wanted):
            return lambda: None
        self._check(row, True)
        return lambda: self._trigger(module, row)

    def _check(self, row: Row, value: Value) -> None:
        if value is None or not self._all_hold(row.before):
            raise Refused(ILLEGAL_VALUE)
        if isinstance(value, float):
            low, high = row.minimum, row.maximum
            if (low is not None and value < low) or (high is not None and value > high):
                raise Refused(ILLEGAL_VALUE)

    def _trigger(self, module: Module, row: Row) -> None:
        """A pulse, a command or a self-clearing coil does its work."""
        if row.signal == "alarm_reset":
            module.house.reset()
        elif row.verify is not None:
            signal, label = row.verify
            module.set(signal, TRUTH.get(label, label))
        field = row.write
        if row.method == "coil_self_clearing":
            self.clearing.append((self.clock() + SELF_CLEARING_S, field.area, field.address))
        elif row.method == "command":
            self.bank.put(field.area, field.address, [0] * field.count, field_mask(field))


def _span(field: Field) -> range:
    return range(field.address, field.address + field.count)


def _covers(field: Field, area: str, address: int) -> bool:
    return field.area == area and field.address == address and field.count == 1


def _meets(field: Field, area: str, span: range) -> bool:
    return field.area == area and (
        field.address < span.stop and span.start < field.address + field.count
    )
