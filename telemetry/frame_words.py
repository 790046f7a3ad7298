"""A traced line's frames in words: what the wire says, and what the register maps call it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _

from devices.modbus.decoding import decode
from devices.modbus.pointmap import PointMap
from devices.modbus.points import Point
from devices.modbus.telling import Asked, Teller, Told
from devices.modbus.wires import wire_of
from devices.models import Gateway
from telemetry import points
from telemetry.models import TracedFrame

MANY = 8  # values of one reply that are named


@dataclass(frozen=True)
class Speaker:
    """A unit at an address: its map and what flows in it (water, air)."""

    map: PointMap
    medium: str


@dataclass(frozen=True)
class Line:
    """One chunk as the page and the file show it: bytes, meaning, and the values by name."""

    frame: TracedFrame
    bytes: str
    told: list[Told]
    names: str

    @property
    def is_good(self) -> bool:
        return all(piece.good for piece in self.told)

    @property
    def words(self) -> str:
        """All of the meaning as one text."""
        said = [_(p.sentence.template) % p.sentence.params for p in self.told]
        return "；".join([*said, self.names] if self.names else said)


class Interpreter:
    """Tells the frames of one line in their order."""

    def __init__(self, line: Gateway) -> None:
        units = line.units.filter(retired_at=None).select_related("register_map", "model")
        self._speakers: dict[int, list[Speaker]] = {}
        for unit in units:
            spoken = Speaker(unit.register_map.parsed().for_module(unit.module), unit.model.medium)
            self._speakers.setdefault(unit.address, []).append(spoken)
        self._teller = _teller(line, next(iter(self._speakers.values()), []))

    def lines(self, frames: Iterable[TracedFrame]) -> Iterator[Line]:
        for frame in frames:
            data = bytes(frame.data)
            told = self._teller.tell(frame.direction, data)
            yield Line(frame, data.hex(" ").upper(), told, self._names(told))

    def hear(self, frames: Iterable[TracedFrame]) -> None:
        """Frames before those that are told: a reply is understood by its request."""
        for frame in frames:
            self._teller.tell(frame.direction, bytes(frame.data))

    def _names(self, told: list[Told]) -> str:
        for piece in told:
            if piece.asked and piece.address in self._speakers:
                speakers = self._speakers[piece.address]
                if piece.kind == "reply":
                    return _("，").join(_shortened(_values(speakers, piece.asked, piece.values)))
                if piece.asked.values:
                    return _("，").join(_written(speakers, piece.asked))
        return ""


def _teller(line: Gateway, speakers: list[Speaker]) -> Teller:
    wire = wire_of(line.url, speakers[0].map.settings if speakers else None)
    names = {line.transmitter, *line.transmitters.values_list("identity", flat=True)}
    return Teller(mbap=wire.is_mbap, width=wire.width, order=wire.order, names=names)


def _values(speakers: list[Speaker], asked: Asked, said: tuple[int, ...]) -> Iterator[str]:
    """What a reply says, by name: 供水温度 43.1 °C, or why the value is none."""
    for speaker in speakers:
        for point in speaker.map.points:
            first = point.address - asked.start
            if _is_read(point, asked) and 0 <= first <= len(said) - point.count:
                yield _value(point, said[first : first + point.count], speaker.medium)


def _is_read(point: Point, asked: Asked) -> bool:
    return point.readable and point.area == asked.area


def _value(point: Point, words: tuple[int, ...], medium: str) -> str:
    name, value = points.label(point.signal, medium), decode(point, words)
    if value.quality != "good":
        return f"{name} {points.quality_label(value.quality)[1]}"
    return f"{name} {points.show(point.signal, value.value, _digits(point))} {point.unit}".strip()


def _digits(point: Point) -> int:
    return max(0, *(-int(n.as_tuple().exponent) for n in (point.scale, point.offset)))


def _written(speakers: list[Speaker], asked: Asked) -> Iterator[str]:
    """Which points a write touches."""
    last = asked.start + asked.count
    for speaker in speakers:
        for point in speaker.map.points:
            if (
                point.writable
                and point.write_area == asked.area
                and asked.start <= point.write_address < last
            ):
                yield points.label(point.signal, speaker.medium)


def _shortened(names: Iterator[str]) -> list[str]:
    every = list(names)
    return [*every[:MANY], "…"] if len(every) > MANY else every
