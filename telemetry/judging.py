"""Whether a value may be taken as it was read.

One corrupted frame in about 75,000 passes its check, so what jumps, what is out of range and what
changes seldom is read again at once: two readings that agree are taken, else the value is
`unconfirmed`. While two units answer one address (`identity_disputed`), while somebody else talks
on the line (`suspect`) and in the first two minutes of a board under power (`starting`) nothing
that was read is good. Plain functions over the values of a visit; nothing is asked here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import cast

from devices.modbus import signals
from devices.modbus.points import Value

UNCONFIRMED = "unconfirmed"
STARTING = "starting"
SUSPECT = "suspect"
IDENTITY_DISPUTED = "identity_disputed"

Known = dict[str, Value]  # the newest value of each signal that was beyond doubt

_JUMP = 0.1  # of the plausible range, between two readings
# A counter may rise between two readings by what a day at the greatest plausible power brings.
_A_DAY = {
    "electric_energy": 720.0,
    "valley_energy": 720.0,
    "heat_energy": 1200.0,
    "gas_volume": 240.0,
    "runtime_hours": 24.0,
}
# What goes on and off by itself all day long: a second look at each change would cost too much.
_RESTLESS = frozenset({"compressor_running", "defrosting", "aux_heater_on", "flame_on"})
_ANY_CHANGE = (0.0, 0.0)


@lru_cache(maxsize=4096)
def allowance(signal: str) -> tuple[float, float] | None:
    """How far a signal may fall and rise between two readings without a second look.

    (0, 0) is for settings, states and faults: every change is looked at; None for what nobody
    knows enough about.
    """
    kind = signals.kind_of(signal)
    if kind in ("bool", "enum", "int", "set"):
        return None if signal in _RESTLESS else _ANY_CHANGE
    if signal.endswith("_setpoint"):
        return _ANY_CHANGE
    if kind == "counter":
        return 0.0, _A_DAY.get(signal, float("inf"))
    known = signals.signals().get(signal)
    if known is None or known.plausible is None:
        return None
    low, high = known.plausible
    return _JUMP * (high - low), _JUMP * (high - low)


def follows(signal: str, before: Value, after: Value) -> bool:
    """Whether the second of two values may come after the first without anything being wrong."""
    if before == after:
        return True
    if before.quality != after.quality:
        return False
    allowed = allowance(signal)
    if after.quality != "good" or allowed is None:
        return True
    if allowed is _ANY_CHANGE:
        return before.value == after.value
    was, now = cast(float, before.value), cast(float, after.value)
    return was - allowed[0] <= now <= was + allowed[1]


def doubts(values: Mapping[str, Value], known: Known) -> list[str]:
    """The signals that deserve a second look now; `known` learns what is beyond doubt.

    The first value of all is taken, unless it is out of range.
    """
    found = []
    for signal, value in values.items():
        old = known.get(signal)
        if value is old:
            continue
        if value == old:
            known[signal] = value  # next time it is the very same: decoding remembers values
            continue
        if value.quality == "good":
            doubtful = old is not None and old.quality == "good" and not follows(signal, old, value)
        elif value.quality == "out_of_range":
            doubtful = old is None or old.quality == "good"
        else:
            continue
        if doubtful:
            found.append(signal)
        else:
            known[signal] = value
    return found


def settle(
    first: Mapping[str, Value],
    second: Mapping[str, Value],
    doubted: Collection[str],
    raw: Mapping[str, str],
    known: Known,
) -> dict[str, Value]:
    """The values of a visit after the second look at what was `doubted`.

    What was read twice must agree; `raw` is the evidence of the first look. `known` learns what
    was confirmed.
    """
    values = {}
    for signal, value in first.items():
        again = second.get(signal, value)
        if follows(signal, value, again):
            value = again
        elif signal in doubted or not _unread(again):
            value = Value(None, UNCONFIRMED, raw.get(signal))
        values[signal] = value
        if signal in doubted and value.quality != UNCONFIRMED:
            known[signal] = value
    return values


def _unread(value: Value) -> bool:
    return value.quality == "not_answered" or value.quality.startswith("exception:")


def overshadow(
    values: Mapping[str, Value], quality: str, raw: Mapping[str, str]
) -> dict[str, Value]:
    """The same visit where nothing that was read is to be believed; `raw` is the evidence."""
    return {
        signal: Value(None, quality, raw.get(signal)) if value.quality == "good" else value
        for signal, value in values.items()
    }
