"""How people use their heating: when they switch it on and off.

A user acts at an hour of the day and leaves the unit alone until the next one, so that what the
platform writes in between holds until then.
"""

from __future__ import annotations

from random import Random

from devices.modbus.simulator.weather import SHANGHAI_OFFSET_S

DAY = 86_400
NEVER = 1e12


def next_act(user: str, seed: int, after: float) -> tuple[bool, float]:
    """What the user does next (True: switches on) and when, in Unix seconds after `after`."""
    if user in ("steady", "none"):
        return user == "steady", NEVER
    day = int((after + SHANGHAI_OFFSET_S) // DAY)
    return next(
        (on, when) for d in range(day - 1, day + 60) for on, when in _acts(user, seed, d)
        if when > after
    )  # fmt: skip


def _acts(user: str, seed: int, day: int) -> list[tuple[bool, float]]:
    dice = Random(seed * 1_000_003 + day)
    midnight = day * DAY - SHANGHAI_OFFSET_S
    if user == "night":
        return [
            (False, midnight + dice.uniform(6.8, 8.2) * 3600),
            (True, midnight + dice.uniform(16.5, 18.5) * 3600),
        ]
    if dice.random() > 0.35:  # sparse: one evening in three
        return []
    start = dice.uniform(17.5, 19.5)
    return [
        (True, midnight + start * 3600),
        (False, midnight + (start + dice.uniform(2, 4)) * 3600),
    ]
