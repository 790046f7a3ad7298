"""What a unit's fault is, from bits, codes and flags.

The flags `fault.<name>` and every `fault_bits.<n>` become one set `fault_bits`; several
`fault_code.<n>` one list `fault_code` of the codes that are active. `fault_active` is derived
where the map has no such row, and unknown if any of its sources failed. Every label counts as
a fault, whatever its severity, but `none`; of a code without labels 0 means none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from devices.modbus.points import Value
from devices.modbus.signals import FAULT_ACTIVE, FAULT_BITS, FAULT_CODE, base_name, is_flag

DERIVED = frozenset({FAULT_ACTIVE, FAULT_BITS, FAULT_CODE})
_NONE = "none"
_WHEN = "when:"
_YES, _NO = Value(True), Value(False)  # the same objects each time: most polls bring no news


def parts_of(signals: Iterable[str], derived: str) -> list[str]:
    """Which of a map's signals a derived one is made of."""
    if derived == FAULT_ACTIVE:
        return [s for s in signals if is_flag(s) or base_name(s) in (FAULT_BITS, FAULT_CODE)]
    flags = derived == FAULT_BITS
    return [s for s in signals if base_name(s) == derived or (flags and is_flag(s))]


class Faults:
    """The derivation for the signals of one map."""

    def __init__(self, signals: Iterable[str]) -> None:
        named = list(dict.fromkeys(signals))
        self._bits = parts_of(named, FAULT_BITS)
        self._codes = parts_of(named, FAULT_CODE)
        self._active = FAULT_ACTIVE not in named and bool(self._bits or self._codes)
        self._merge_bits = self._bits not in ([], [FAULT_BITS])
        self._merge_codes = self._codes not in ([], [FAULT_CODE])

    def derive(self, values: dict[str, Value]) -> None:
        """Put the merged and derived signals in the place of their parts."""
        if self._merge_bits:
            values[FAULT_BITS] = _merged({name: values.pop(name) for name in self._bits})
        if self._merge_codes:
            values[FAULT_CODE] = _merged({name: values.pop(name) for name in self._codes})
        if self._active:
            sources = (values.get(FAULT_BITS), values.get(FAULT_CODE))
            values[FAULT_ACTIVE] = _any_active([source for source in sources if source])


def _applies(value: Value) -> bool:
    """A row whose `when` does not hold is no source; one that failed is."""
    return not value.quality.startswith(_WHEN)


def _labels(name: str, value: Value) -> list[str]:
    found = value.value
    if isinstance(found, list):
        return [label for label in found if label != _NONE]
    if isinstance(found, str):
        return [found] if found != _NONE else []
    if found is None:
        return []
    return [name.removeprefix("fault.") if is_flag(name) else _digits(found)] if found else []


def _digits(code: float) -> str:
    return str(int(code)) if code == int(code) else str(code)


def _merged(parts: Mapping[str, Value]) -> Value:
    sources = {name: value for name, value in parts.items() if _applies(value)} or parts
    for value in sources.values():
        if value.quality != "good":
            return Value(None, value.quality, value.raw)
    labels = {label for name, value in sources.items() for label in _labels(name, value)}
    unnamed = [value.raw for value in sources.values() if value.raw]
    return Value(sorted(labels), "good", " ".join(unnamed) or None)


def _any_active(sources: list[Value]) -> Value:
    failed = [value.quality for value in sources if value.quality != "good"]
    if failed:
        of_sources = [quality for quality in failed if not quality.startswith(_WHEN)]
        if of_sources or len(failed) == len(sources):
            return Value(None, (of_sources or failed)[0])
    return _YES if any(_is_active(value) for value in sources) else _NO


def _is_active(value: Value) -> bool:
    return value.value != [] and _applies(value) and bool(_labels(FAULT_CODE, value))
