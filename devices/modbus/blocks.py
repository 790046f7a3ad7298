"""Which registers are read together, and what the replies mean.

A `Plan` is compiled once per map (and module) and then turns the words of a visit into values
in a few microseconds.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from decimal import Decimal
from functools import cached_property
from typing import NamedTuple
from weakref import WeakValueDictionary

from devices.modbus.cells import BIT_AREAS, Area
from devices.modbus.decoding import Remembered, compiled, evidence
from devices.modbus.faults import Faults
from devices.modbus.mapmodel import PointMap
from devices.modbus.mapsettings import Settings
from devices.modbus.points import ON_WORDS, Point, Scalar, Value

TURNAROUND_S = 0.05  # what an exchange costs beyond its bytes, until a line has measured it
Reply = Sequence[int] | str


class Block(NamedTuple):
    """Neighbouring registers or bits, read by one request; the address is as on the wire."""

    area: Area
    address: int
    count: int  # type: ignore[assignment]  # a tuple's own count is nobody's need

    def covers(self, point: Point) -> bool:
        """Whether a read of the block brings the point's words."""
        first = point.address - self.address
        return point.area == self.area and first >= 0 and first + point.count <= self.count


def plan(
    map: PointMap,
    *,
    module: int | None = None,
    splits: Collection[Block] = (),
    turnaround_s: float = TURNAROUND_S,
) -> Plan:
    """The plan that reads everything readable of a map; units that are read alike share it.

    `module` counts from 1 where the map has a `module_stride`. `splits` are blocks that a
    device refused: their points are read apart. Registers between two points are read over
    where `holes` is zero and that takes less time than another exchange, `turnaround_s` being
    what an exchange costs beyond its bytes.
    """
    return _shared(map, module, frozenset(splits), turnaround_s, frozenset())


# Ten thousand units of one model need one plan. A map is known by being the same object, which
# the plan keeps alive as its `origin`.
_Key = tuple[int, int | None, frozenset[Block], float, frozenset[Block]]
_plans: WeakValueDictionary[_Key, Plan] = WeakValueDictionary()


def _shared(
    map: PointMap,
    module: int | None,
    splits: frozenset[Block],
    turnaround_s: float,
    without: frozenset[Block],
) -> Plan:
    key = (id(map), module, splits, turnaround_s, without)
    known = _plans.get(key)
    if known is None:
        known = Plan(map.for_module(module), splits, turnaround_s, without)
        known.origin, known.module = map, module
        _plans[key] = known
    return known


class Plan:
    """The blocks of one map and the way from their words to values."""

    def __init__(
        self,
        map: PointMap,
        splits: frozenset[Block],
        turnaround_s: float = TURNAROUND_S,
        without: frozenset[Block] = frozenset(),
    ) -> None:
        self.map = self.origin = map
        self.module: int | None = None
        self.splits = splits
        self._turnaround_s = turnaround_s
        self._without = without
        points = [point for point in map.points if point.readable]
        blocks = _blocks(points, map.settings, splits, turnaround_s)
        self.blocks: tuple[Block, ...] = tuple(block for block in blocks if block not in without)
        if without:
            points = [point for point in points if any(b.covers(point) for b in self.blocks)]
        self.points = tuple(points)
        plain = [point for point in points if not _depends(point)]
        shares = zip(self.blocks, self._shared_out(plain), strict=True)
        self._places = [_Places(block, mine) for block, mine in shares]
        rest = dict.fromkeys(point.signal for point in points if _depends(point))
        self._dependent = {
            signal: [_Dependent(self.blocks, point) for point in points if point.signal == signal]
            for signal in rest
        }
        self._faults = Faults(point.signal for point in points)

    def _shared_out(self, points: Iterable[Point]) -> list[list[Point]]:
        """The points by the block that reads them."""
        shares: list[list[Point]] = [[] for _ in self.blocks]
        for point in points:
            shares[_block_of(self.blocks, point)].append(point)
        return shares

    def decode(self, replies: Sequence[Reply]) -> dict[str, Value]:
        """The values of a visit, faults merged. A reply is the words (or bits) of the block at
        its place, or the quality of everything in it (`not_answered`, `exception:2`)."""
        values = self.decode_rows(replies)
        self._faults.derive(values)
        return values

    def decode_rows(self, replies: Sequence[Reply]) -> dict[str, Value]:
        """The same before faults are merged and derived: each signal of the map by itself."""
        values: dict[str, Value] = {}
        for places, reply in zip(self._places, replies, strict=True):
            places.decode(reply, values)
        for signal, rows in self._dependent.items():
            values[signal] = _of_rows(rows, replies, values)
        return values

    def cuts(self, area: Area, address: int, count: int) -> list[int]:
        """Where a read of this span may be cut in two without tearing the words of a point."""
        edges = set(range(1, count))
        for point in self.points:
            if point.area == area:
                start = point.address - address
                edges -= set(range(start + 1, start + point.count))
        return sorted(edges)

    def split(self, block: Block) -> Plan:
        """The plan that reads this block's points apart."""
        return self._with(self.splits | {block}, self._without)

    def without(self, blocks: Collection[Block]) -> Plan:
        """The plan that leaves these blocks out, and the signals that they bring."""
        return self._with(self.splits, self._without | set(blocks))

    def _with(self, splits: frozenset[Block], without: frozenset[Block]) -> Plan:
        return _shared(self.origin, self.module, splits, self._turnaround_s, without)


class _Places:
    """Where the points of a block lie in its words; most have one word."""

    def __init__(self, block: Block, points: Sequence[Point]) -> None:
        self._block = block
        self._single: list[tuple[str, int, Remembered]] = []
        self._wide: list[tuple[str, int, int, Remembered]] = []
        for point in points:
            start = point.address - block.address
            if point.count == 1:
                self._single.append((point.signal, start, Remembered(point)))
            else:
                stop = start + point.count
                self._wide.append((point.signal, start, stop, Remembered(point)))

    def decode(self, reply: Reply, values: dict[str, Value]) -> None:
        if isinstance(reply, str):
            nothing = Value(None, reply)
            values |= dict.fromkeys((place[0] for place in self._single), nothing)
            values |= dict.fromkeys((place[0] for place in self._wide), nothing)
            return
        if len(reply) != self._block.count:
            raise ValueError(f"{self._block} answered with {len(reply)} words")
        for signal, start, known in self._single:
            values[signal] = known[reply[start]]
        for signal, start, stop, wide in self._wide:
            values[signal] = wide[tuple(reply[start:stop])]


def _block_of(blocks: Sequence[Block], point: Point) -> int:
    return next(index for index, block in enumerate(blocks) if block.covers(point))


def _depends(point: Point) -> bool:
    return bool(point.when or point.scale_from)


# --- what depends on another signal -----------------------------------------------------------


class _Dependent:
    """A row under a condition, or with a scale that another signal tells."""

    def __init__(self, blocks: Sequence[Block], point: Point) -> None:
        self.point = point
        self.block = _block_of(blocks, point)
        self.start = point.address - blocks[self.block].address
        self.decode = Remembered(point)

    @cached_property
    def condition(self) -> str:
        return next((f"when:{s}={labels[0]}" for s, labels in self.point.when.items()), "")

    def failed(self, values: dict[str, Value]) -> str:
        """Why the row does not hold now; "" if it does."""
        for signal, labels in self.point.when.items():
            source = values[signal]
            if source.quality != "good":
                return source.quality
            if not any(shows(source.value, label) for label in labels):
                return self.condition
        return ""

    def value(self, replies: Sequence[Reply], values: dict[str, Value]) -> Value:
        reply = replies[self.block]
        if isinstance(reply, str):
            return Value(None, reply)
        words = reply[self.start : self.start + self.point.count]
        if not self.point.scale_from:
            return self.decode[tuple(words)]
        source = values[self.point.scale_from]
        if source.quality != "good":
            return Value(None, source.quality, evidence(words, self.point.area))
        return compiled(self.point, Decimal(repr(source.value)))(*words)


def _of_rows(rows: list[_Dependent], replies: Sequence[Reply], values: dict[str, Value]) -> Value:
    """The value by the row that holds; where none does, why the last does not."""
    reason = ""
    for row in rows:
        reason = row.failed(values)
        if not reason:
            return row.value(replies, values)
    return Value(None, reason)


def shows(value: Scalar, label: str) -> bool:
    """Whether a good value is what `when` and `verify` name: a label, a member of a set, on or
    off, a number."""
    if isinstance(value, bool):
        return ON_WORDS.get(label.lower(), {"1": True, "0": False}.get(label)) is value
    if isinstance(value, list):
        return label in value or (label == "none" and not value)
    if isinstance(value, str):
        return value == label
    try:
        return value is not None and value == float(label)
    except ValueError:
        return False


# --- neighbours together ----------------------------------------------------------------------


def _blocks(
    points: Iterable[Point], settings: Settings, splits: Collection[Block], turnaround_s: float
) -> list[Block]:
    found: list[Block] = []
    for block in _joined(points, settings, turnaround_s):
        if block in splits:
            apart = {(point.address, point.count) for point in points if block.covers(point)}
            found += [Block(block.area, *span) for span in sorted(apart)]
        else:
            found.append(block)
    return found


def _joined(points: Iterable[Point], settings: Settings, turnaround_s: float) -> list[Block]:
    blocks: list[Block] = []
    for point in sorted(points, key=lambda point: (point.area, point.address, point.count)):
        together = _together(blocks[-1], point, settings, turnaround_s) if blocks else None
        if together:
            blocks[-1] = together
        else:
            blocks.append(Block(point.area, point.address, point.count))
    return blocks


def _together(block: Block, point: Point, settings: Settings, turnaround_s: float) -> Block | None:
    """The block that reads the point too, if that is allowed and worth it."""
    end = block.address + block.count
    count = max(end, point.address + point.count) - block.address
    most = settings.max_read_bits if point.area in BIT_AREAS else settings.max_read
    if point.area != block.area or count > most:
        return None
    gap = point.address - end
    if gap > 0 and (settings.holes != "zero" or gap > _worth(point.area, settings, turnaround_s)):
        return None
    return Block(block.area, block.address, count)


def _worth(area: Area, settings: Settings, turnaround_s: float) -> float:
    """The widest gap that costs less than another exchange: its 13 bytes of frames, two pauses
    of 3.5 characters and the turnaround, against two characters a register."""
    character = (9 + settings.stop_bits + (settings.parity != "N")) / settings.baud
    exchange = turnaround_s + settings.frame_gap_ms / 1000 + (13 + 7) * character
    return exchange / character * (8 if area in BIT_AREAS else 0.5)
