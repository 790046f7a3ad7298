"""Which blocks a look at a unit needs: of a quick look, and of a second look at some signals."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import lru_cache

from devices.modbus.blocks import Block, Plan, Reply
from devices.modbus.decoding import evidence
from devices.modbus.faults import DERIVED, parts_of
from devices.modbus.signals import is_slow


@lru_cache(maxsize=1024)
def quick(plan: Plan) -> Plan:
    """The plan without the blocks that bring slow signals alone; the plan itself where it has none.

    A block stays if anything else depends on a signal of it, or has further rows elsewhere.
    """
    slow = {block for block in plan.blocks if all(map(is_slow, _signals(plan, [block])))}
    while spoilt := _needed_elsewhere(plan, slow):
        slow -= spoilt
    return plan.without(slow) if 0 < len(slow) < len(plan.blocks) else plan


def _needed_elsewhere(plan: Plan, slow: set[Block]) -> set[Block]:
    rest = [block for block in plan.blocks if block not in slow]
    needed = _signals(plan, rest)
    for point in plan.points:
        if any(block.covers(point) for block in rest):
            needed |= {*point.when, *filter(None, [point.scale_from])}
    return {block for block in slow if not needed.isdisjoint(_signals(plan, [block]))}


def _signals(plan: Plan, blocks: Collection[Block]) -> set[str]:
    return {p.signal for p in plan.points if any(block.covers(p) for block in blocks)}


def blocks_of(plan: Plan, signals: Collection[str]) -> set[Block]:
    """The blocks that bring these signals, or what they are made of."""
    wanted, known = set(signals), [point.signal for point in plan.points]
    for derived in DERIVED & wanted:
        wanted.update(parts_of(known, derived))
    mine = [point for point in plan.points if point.signal in wanted]
    return {block for block in plan.blocks if any(map(block.covers, mine))}


def raw_of(plan: Plan, replies: Sequence[Reply]) -> dict[str, str]:
    """The words of each signal of the map as they were read; the first row's where it has more."""
    raw: dict[str, str] = {}
    for point in plan.points:
        for block, reply in zip(plan.blocks, replies, strict=True):
            if block.covers(point) and not isinstance(reply, str):
                first = point.address - block.address
                words = reply[first : first + point.count]
                raw.setdefault(point.signal, evidence(words, point.area))
    return raw
