"""Units that know at every moment what they held: the truth against which the bench holds the
platform. Independent of its decoding and framing.

Measured words follow from line, unit, register and version by a hash: a word of another unit,
register, moment or line differs from the right one in all but one of 65,536 cases. Many look like
the start of a frame, or hold the bytes that transmitters stuff. Versions change every few seconds.
"""

from __future__ import annotations

import random
import struct
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

VERSION_S = 2.5  # mean time between two changes of what a unit measures
TURN_ON, RESET = 0x0001, 0x0004
COIL, HOLDING, INPUT = "coil", "holding", "input"
AREAS = {1: COIL, 3: HOLDING, 4: INPUT}

MAP = """\
@maker,独立从站
@model,S-1
@kind,ashp_water
@medium,water
@baud,9600
@read_functions,1 2 3 4
@write_functions,5 6 15 16
@reply_timeout_ms,500
@persist,ram
@min_write_interval_s,0
signal,area,address,type,scale,access,min,max,mask,write_method,write_value,write_delay_s,write_function
power_state,holding,0,bits,,rw,,,0x0001,rmw,,1,
alarm_reset,holding,0,bits,,w,,,0x0004,pulse,1,1,
indoor_temp_setpoint,holding,2,int16,1,rw,10,30,,value,,1,6
supply_temp_setpoint,holding,3,uint32,0.01,rw,25,55,,value,,1,16
silent_mode,coil,1,bool,,rw,,,,coil,,1,5
supply_temp,input,0,int16,0.01,r,,,,,,,
electric_energy,input,1,uint32,0.01,r,,,,,,,
""" + "".join(
    f"{letter}{n},holding,{start + n},uint16,1,r,,,,,,,\n" * (n < 6)
    + f"{letter}d,holding,{start + n},uint32,1,r,,,,,,,\n" * (n == 6)
    for letter, start in (("a", 100), ("b", 200))
    for n in range(7)
)


@dataclass(frozen=True)
class Signal:
    """Where a signal lies and how its words become its value."""

    area: str
    address: int
    count: int
    value: Callable[[Sequence[int]], object]


def _double(words: Sequence[int]) -> int:
    return words[0] << 16 | words[1]


def _hundredths(number: int) -> float:
    return number / 100


SIGNALS = {
    "power_state": Signal(HOLDING, 0, 1, lambda words: bool(words[0] & TURN_ON)),
    "indoor_temp_setpoint": Signal(HOLDING, 2, 1, lambda words: words[0]),
    "supply_temp_setpoint": Signal(HOLDING, 3, 2, lambda words: _hundredths(_double(words))),
    "silent_mode": Signal(COIL, 1, 1, lambda words: bool(words[0])),
    "supply_temp": Signal(INPUT, 0, 1, lambda words: _hundredths(words[0])),
    "electric_energy": Signal(INPUT, 1, 2, lambda words: _hundredths(_double(words))),
}
for letter, start in (("a", 100), ("b", 200)):  # two blocks of the same length
    SIGNALS[f"{letter}d"] = Signal(HOLDING, start + 6, 2, _double)
    for n in range(6):
        SIGNALS[f"{letter}{n}"] = Signal(HOLDING, start + n, 1, lambda words: words[0])


def crc(body: bytes) -> bytes:
    """CRC-16/MODBUS, by a table made here."""
    value = 0xFFFF
    for byte in body:
        value = value >> 8 ^ _TABLE[(value ^ byte) & 0xFF]
    return struct.pack("<H", value)


def _entry(byte: int) -> int:
    for _ in range(8):
        byte = byte >> 1 ^ (0xA001 if byte & 1 else 0)
    return byte


_TABLE = [_entry(byte) for byte in range(256)]


class Slave:
    """One unit behind one line."""

    def __init__(self, line: int, address: int, seed: int, clock: Callable[[], float]) -> None:
        self.line, self.address = line, address
        self._seed = hash((seed, line, address))
        self._clock = clock
        self._random = random.Random(self._seed)
        self._versions = [0.0]  # when each version began
        self._written: dict[tuple[str, int], list[tuple[float, int]]] = {
            (HOLDING, 0): [(0.0, TURN_ON)],
            (HOLDING, 2): [(0.0, 20)],
            (HOLDING, 3): [(0.0, 0)],
            (HOLDING, 4): [(0.0, 4000)],
            (COIL, 1): [(0.0, 0)],
        }
        self._write_times: list[float] = []
        self.counts: Counter[str] = Counter()

    # What it answers.

    def answer(self, pdu: bytes) -> bytes:
        """The reply PDU; writes are carried out now."""
        function, address, number = struct.unpack(">BHH", pdu[:5])
        if function in AREAS:
            return self._read(function, address, number)
        area, words = {
            5: lambda: (COIL, [int(number == 0xFF00)]),
            6: lambda: (HOLDING, [number]),
            15: lambda: (COIL, [pdu[6 + n // 8] >> n % 8 & 1 for n in range(number)]),
            16: lambda: (HOLDING, list(struct.unpack(f">{number}H", pdu[6:]))),
        }[function]()
        places = [(area, address + n) for n in range(len(words))]
        if any(place not in self._written for place in places):
            return bytes((function | 0x80, 2))
        for place, word in zip(places, words, strict=True):
            self.put(place, word)
        return pdu[:5]

    def put(self, place: tuple[str, int], word: int) -> None:
        """A register as it is from now on."""
        self.counts["writes"] += 1
        self._written[place].append((self._clock(), word))
        self._write_times.append(self._clock())

    def _read(self, function: int, address: int, count: int) -> bytes:
        words = [self.word(AREAS[function], address + n, self._clock()) for n in range(count)]
        if any(word is None for word in words):
            return bytes((function | 0x80, 2))
        if function > 2:
            return struct.pack(f">BB{count}H", function, 2 * count, *words)
        size = (count + 7) // 8
        packed = sum((word or 0) << n for n, word in enumerate(words))
        return bytes((function, size)) + packed.to_bytes(size, "little")

    # What it held.

    def word(self, area: str, address: int, at: float) -> int | None:
        """What a register held at a moment; None where there is none."""
        history = self._written.get((area, address))
        if history is not None:
            return history[bisect_right(history, (at, 0x10000)) - 1][1]
        version = self._version(at)
        if area == INPUT and 0 <= address <= 2:
            total = 100_000 + version
            return (3500 + version % 97, total >> 16, total & 0xFFFF)[address]
        if area == HOLDING and (100 <= address < 108 or 200 <= address < 208):
            return self._hashed(address, version)
        return None

    def moments(self, since: float, until: float) -> Iterator[float]:
        """Every moment of a window at which something was different."""
        yield since
        self._version(until)
        for times in (self._versions, self._write_times):
            yield from times[bisect_left(times, since) : bisect_right(times, until)]

    def words_held(
        self, area: str, address: int, words: Sequence[int], since: float, until: float
    ) -> bool:
        """Whether registers held these words together at any moment of a window."""
        return any(
            all(self.word(area, address + n, at) == word for n, word in enumerate(words))
            for at in self.moments(since, until)
        )

    def held(self, signal: str, value: object, since: float, until: float) -> bool:
        """Whether a signal had this value at any moment of a window."""
        place = SIGNALS[signal]
        for at in self.moments(since, until):
            words = [self.word(place.area, place.address + n, at) for n in range(place.count)]
            if place.value([word or 0 for word in words]) == value:
                return True
        return False

    def was_pulsed(self, mask: int, since: float) -> bool:
        """Whether a bit of register 0 was set since a moment and is clear now."""
        history = self._written[HOLDING, 0]
        was_set = any(word & mask for at, word in history if at >= since)
        return was_set and not history[-1][1] & mask

    def _version(self, at: float) -> int:
        while self._versions[-1] <= at:
            pause = self._random.uniform(0.2, 2 * VERSION_S - 0.2)
            self._versions.append(self._versions[-1] + pause)
        return bisect_right(self._versions, at) - 1

    def _hashed(self, address: int, version: int) -> int:
        mixed = hash((self._seed, address, version)) * 0x9E3779B97F4A7C15 >> 17 & 0xFFFFFFFF
        kind, word = mixed >> 28, mixed & 0xFFFF
        if kind == 0:
            return self.address << 8 | 3
        if kind == 1:
            return 0x1000 | word & 0xFF
        if kind < 6:
            return word & 0xFF00 | (0xFD, 0xFE, 0x00, 0xFF)[kind - 2]
        return word
