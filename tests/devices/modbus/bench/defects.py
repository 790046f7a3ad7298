"""Samples with a planted defect each, as makers bring them, and the step that must name it.

A defect lies in the device (its own map differs from the one that was handed in, or it behaves
otherwise), on the wire, or in the map. `fails` are the steps that must fail, and no others;
`advice` is what the first of them must name.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from devices.modbus.simulator import SimUnit
from devices.modbus.simulator.maps import parse
from devices.modbus.simulator.rtu import crc, wrap
from devices.modbus.simulator.unit import Answer
from devices.modbus.simulator.wire import Bus, Rtu, Send
from tests.devices.modbus.bench.samples import ADDRESS, AIRBOX, CN_W10, SECOND

WRITES = ("write_room", "write_flow", "write_power", "write_mode", "alarm_reset")
NO_ANSWER: Answer = (None, ())

# --- files ----------------------------------------------------------------------------------


def edited(text: str, signal: str, **cells: object) -> str:
    """A map's file with some cells of a signal's row changed."""
    rows = list(csv.reader(io.StringIO(text)))
    heads = next(row for row in rows if row and row[0] == "signal")
    heads += [column for column in cells if column not in heads]
    for row in rows:
        if row and row[0] == signal:
            row += [""] * (len(heads) - len(row))
            for column, cell in cells.items():
                row[heads.index(column)] = str(cell)
    return _written(rows)


def without(text: str, signal: str) -> str:
    """A map's file without a signal."""
    return _written([row for row in csv.reader(io.StringIO(text)) if row[:1] != [signal]])


def set_to(text: str, setting: str, value: object) -> str:
    """A map's file with a setting changed or added."""
    rows = [row for row in csv.reader(io.StringIO(text)) if row[:1] != [f"@{setting}"]]
    return _written([[f"@{setting}", str(value)], *rows])


def moved(text: str, by: int) -> str:
    """A map's file with every register further on."""
    rows = list(csv.reader(io.StringIO(text)))
    heads = next(row for row in rows if row and row[0] == "signal")
    place = heads.index("address")
    for row in rows[rows.index(heads) + 1 :]:
        row[place] = str(int(row[place]) + by)
    return _written(rows)


def _written(rows: list[list[str]]) -> str:
    file = io.StringIO(newline="")
    csv.writer(file).writerows(rows)
    return file.getvalue()


# --- devices --------------------------------------------------------------------------------


class Sample(SimUnit):
    """A heating unit whose readings stand still, so that no test depends on the weather.

    `before` sees each request first: it may change it, or answer it itself; `after` may change
    the answer. `now` counts requests, the sample's own clock.
    """

    before: Callable[[Sample, bytes], bytes | Answer]
    after: Callable[[Sample, bytes, Answer], Answer]
    now = 0

    def steady(self) -> Sample:
        """Heating, on a winter's day."""
        self.before = lambda sample, pdu: pdu
        self.after = lambda sample, pdu, answer: answer
        shown: dict[str, float | bool] = {
            "supply_temp": 44.2, "return_temp": 38.7, "outdoor_temp": -6.5, "indoor_temp": 19.3,
            "compressor_running": True, "defrosting": False, "electric_energy": 8123.4,
        }  # fmt: skip
        for number, module in enumerate(self.modules):
            for signal in shown.keys() & module.values().keys():
                self.set(signal, shown[signal], number)
        return self

    def answer(self, pdu: bytes) -> Answer:
        self.now += 1
        asked = self.before(self, pdu)
        if not isinstance(asked, bytes):
            return asked
        return self.after(self, pdu, super().answer(asked))

    def asked_to_write(self, pdu: bytes) -> tuple[str, int, int] | None:
        """Area, address and word of a write; None of a read."""
        if pdu[0] not in (5, 6):
            return None
        area = "coil" if pdu[0] == 5 else "holding"
        return area, int.from_bytes(pdu[1:3], "big"), int.from_bytes(pdu[3:5], "big")


def sample_of(text: str, address: int = ADDRESS, **options: Any) -> Sample:
    """A sound sample that speaks the map of a file."""
    return Sample(parse(text.encode()), address, seed=3, **options).steady()


# --- the list -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Defect:
    """`device` and `map` change the file that the device, or the bench, goes by; `behave` changes
    the sample, `bus` is the wire. `may_fail` are steps that cannot but fail as well; `steps` those
    that are run where not all are."""

    name: str
    fails: tuple[str, ...]
    advice: str
    file: str = CN_W10
    device: Callable[[str], str] = str
    map: Callable[[str], str] = str
    behave: Callable[[Sample], None] = lambda sample: None
    bus: type[Bus] = Bus
    bus_options: dict[str, Any] = field(default_factory=dict)
    may_fail: tuple[str, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    steps: tuple[str, ...] = ()
    second: Callable[[Sample], None] = lambda sample: None

    def may(self, key: str) -> bool:
        """Whether a step may fail by it."""
        return key in self.fails or key in self.may_fail

    def units(self) -> Iterator[Sample]:
        """The sample with its defect, and a second one of its kind."""
        text = self.device(self.file)
        sample = sample_of(text)
        sample.plant(gentle_fault(sample))
        self.behave(sample)
        other = sample_of(text, SECOND)
        self.second(other)
        yield from (sample, other)


def gentle_fault(sample: SimUnit) -> str:
    """A fault of the map that leaves the unit heating."""
    return min(label for label, stops in sample.fault_labels().items() if not stops)


# How samples misbehave. Registers are those of CN-W10: 0 power and reset, 1 mode, 2 room, 3 water.


def reverts_after(signal: str, requests: int) -> Callable[[Sample], None]:
    """What is written to a signal is gone after so many requests."""

    def behave(sample: Sample) -> None:
        former = sample.values()[signal]
        written_at = [0]

        def before(sample: Sample, pdu: bytes) -> bytes:
            if sample.values()[signal] == former:
                written_at[0] = sample.now
            elif sample.now - written_at[0] > requests:
                sample.set(signal, former)
            return pdu

        sample.before = before

    return behave


def ignores_writes_to(address: int) -> Callable[[Sample], None]:
    """A write to a register is answered and forgotten."""

    def before(sample: Sample, pdu: bytes) -> bytes | Answer:
        asked = sample.asked_to_write(pdu)
        return (pdu, ()) if asked and asked[1] == address else pdu

    return lambda sample: setattr(sample, "before", before)


def refuses(code: int, when: Callable[[tuple[str, int, int]], bool]) -> Callable[[Sample], None]:
    """Some writes are answered with an exception."""

    def before(sample: Sample, pdu: bytes) -> bytes | Answer:
        asked = sample.asked_to_write(pdu)
        return (bytes((pdu[0] | 0x80, code)), ()) if asked and when(asked) else pdu

    return lambda sample: setattr(sample, "before", before)


def echoes(change: Callable[[bytes], bytes | None], address: int) -> Callable[[Sample], None]:
    """A write to a register is done, but answered otherwise."""

    def after(sample: Sample, pdu: bytes, answer: Answer) -> Answer:
        asked = sample.asked_to_write(pdu)
        if answer[0] is None or not asked or asked[1] != address:
            return answer
        return change(answer[0]), ()

    return lambda sample: setattr(sample, "after", after)


def on_write_to(
    address: int, act: Callable[[Sample, int], None], mask: int = 0xFFFF
) -> Callable[[Sample], None]:
    """Something else happens too, whenever a register is written (one of the mask's bits set)."""

    def after(sample: Sample, pdu: bytes, answer: Answer) -> Answer:
        asked = sample.asked_to_write(pdu)
        if asked and asked[1] == address and (asked[2] & mask or mask == 0xFFFF):
            act(sample, asked[2])
        return answer

    return lambda sample: setattr(sample, "after", after)


def lands_elsewhere(address: int, instead: int) -> Callable[[Sample], None]:
    """A write to one register sets another one."""

    def before(sample: Sample, pdu: bytes) -> bytes | Answer:
        asked = sample.asked_to_write(pdu)
        if not asked or asked[1] != address:
            return pdu
        SimUnit.answer(sample, bytes((pdu[0],)) + instead.to_bytes(2, "big") + pdu[3:])
        return pdu, ()

    return lambda sample: setattr(sample, "before", before)


def reset_does_nothing(sample: Sample) -> None:
    label = gentle_fault(sample)
    sample.clear()
    sample.plant(label, persists=True)


def stuck_setpoint(sample: Sample) -> None:
    sample.pin("holding", 2, sample.words("holding", 2)[0])


def comes_back_on(sample: Sample) -> None:
    """Switched off, it is on again once that was read back."""
    reverts_after("power_state", 1)(sample)


def forgets_reset_pulse(sample: Sample) -> None:
    """The reset bit stays set whatever is written."""

    def before(sample: Sample, pdu: bytes) -> bytes:
        asked = sample.asked_to_write(pdu)
        if asked and asked[1] == 0 and asked[2] & 4:
            sample.pin("holding", 0, asked[2])
        return pdu

    sample.before = before


def beyond_the_map(sample: Sample) -> None:
    """Zeros where nothing is."""

    def after(sample: Sample, pdu: bytes, answer: Answer) -> Answer:
        if pdu[0] in (3, 4) and answer[0] == bytes((pdu[0] | 0x80, 2)):
            return bytes((pdu[0], 2 * pdu[4])) + bytes(2 * pdu[4]), ()
        return answer

    sample.after = after


def refuses_functions(*codes: int) -> Callable[[Sample], None]:
    def before(sample: Sample, pdu: bytes) -> bytes | Answer:
        return (bytes((pdu[0] | 0x80, 1)), ()) if pdu[0] in codes else pdu

    return lambda sample: setattr(sample, "before", before)


def mute_to_functions(*codes: int) -> Callable[[Sample], None]:
    def before(sample: Sample, pdu: bytes) -> bytes | Answer:
        return NO_ANSWER if pdu[0] in codes else pdu

    return lambda sample: setattr(sample, "before", before)


def becomes(signal: str, value: Any) -> Callable[[Sample], None]:
    return lambda sample: sample.set(signal, value)


def loses_one_in(so_many: int) -> Callable[[Sample], None]:
    def before(sample: Sample, pdu: bytes) -> bytes | Answer:
        return pdu if sample.now % so_many else NO_ANSWER

    return lambda sample: setattr(sample, "before", before)


def falls_asleep(after_s: float) -> Callable[[Sample], None]:
    """The first request after a pause is not heard."""

    def behave(sample: Sample) -> None:
        heard = [sample.clock()]

        def before(sample: Sample, pdu: bytes) -> bytes | Answer:
            pause, heard[0] = sample.clock() - heard[0], sample.clock()
            return NO_ANSWER if pause > after_s else pdu

        sample.before = before

    return behave


class NoCheck(Rtu):
    """Takes frames whose CRC is wrong."""

    def take(self, buffer: bytearray) -> list[tuple[int, bytes, bytes]]:
        if len(buffer) == 8 and crc(buffer[:6]) != bytes(buffer[6:]):
            buffer[6:] = crc(buffer[:6])
        return super().take(buffer)


class DeafToCrc(Bus):
    def __init__(self, units: Any, **options: Any) -> None:
        super().__init__(units, **options)
        self.framing = NoCheck()


class AnswersAll(Bus):
    """The first unit answers to whatever address, by the address that was asked."""

    def hear(self, buffer: bytearray, send: Send) -> None:
        first = next(iter(self.units.values()))
        asked = bytes(buffer)
        known = asked[:1] and asked[0] in self.units
        super().hear(buffer, send)
        if asked and not known and asked == wrap(asked[0], asked[1:-2]):
            reply, _ = first.answer(asked[1:-2])
            if reply is not None:
                send(wrap(asked[0], reply))


def _other_value(reply: bytes) -> bytes:
    return reply[:3] + (int.from_bytes(reply[3:5], "big") ^ 1).to_bytes(2, "big")


def _other_register(reply: bytes) -> bytes:
    return reply[:1] + (int.from_bytes(reply[1:3], "big") + 1).to_bytes(2, "big") + reply[3:]


DEFECTS = (
    # what is read
    Defect("a register is missing", ("readings",), "输入寄存器 2", AIRBOX,
           device=lambda text: without(text, "outdoor_temp")),
    Defect("scale of 1 for tenths", ("readings",), "倍率",
           map=lambda text: edited(text, "supply_temp", scale=1)),
    Defect("scale of a hundredth for tenths", ("readings",), "倍率",
           map=lambda text: edited(text, "return_temp", scale=0.01), steps=("readings",)),
    Defect("on and off exchanged", ("readings",), "接反",
           device=lambda text: edited(text, "power_state", enum="0=on;1=off"),
           steps=("readings", "write_power")),
    Defect("a function of reading is missing", ("readings",), "功能码 04", AIRBOX,
           behave=refuses_functions(4), steps=("readings",)),
    Defect("outdoor temperature unsigned", ("readings",), "int16",
           map=lambda text: edited(text, "outdoor_temp", type="uint16", invalid="")),
    Defect("words of a counter swapped", ("readings",), "字节序",
           device=lambda text: edited(text, "electric_energy", order="CDAB")),
    Defect("every register one further on", ("readings",), "错一位",
           device=lambda text: moved(text, 1), options={"known": ("holding", 100, 442)},
           may_fail=("labels", "max_read", "exceptions", *WRITES, "silence", "reply_time")),
    Defect("supply and return swapped", ("readings",), "对调",
           device=lambda text: edited(edited(text, "supply_temp", address=101),
                                      "return_temp", address=100)),
    Defect("a sensor that was left off", ("readings",), "传感器",
           behave=lambda sample: sample.pin("holding", 101, 0x7FFF)),
    Defect("one-hot mode numbered through", ("labels",), "枚举", AIRBOX,
           map=lambda text: edited(text, "mode", enum="1=auto;2=cooling;3=heating",
                                   write_allowed="auto")),
    Defect("a mode without a label", ("labels",), "枚举",
           device=lambda text: edited(text, "mode", enum="0=cooling;1=heating;2=auto;5=fan"),
           behave=becomes("mode", "fan")),
    # what is written
    Defect("a setpoint is taken but not held", ("write_room",), "保持寄存器 2",
           behave=reverts_after("indoor_temp_setpoint", 1)),
    Defect("a setpoint is taken and ignored", ("write_flow",), "保持寄存器 3",
           behave=ignores_writes_to(3)),
    Defect("the setpoint that is read never changes", ("write_room",), "保持寄存器 2",
           behave=stuck_setpoint),
    Defect("a write lands in another register", ("write_room",), "写地址",
           device=lambda text: edited(edited(text, "supply_temp_setpoint", min=0, max=60),
                                      "indoor_temp_setpoint", min=0, max=60),
           behave=lands_elsewhere(2, 3)),
    Defect("writes refused in local mode", WRITES, "远程",
           behave=lambda sample: sample.set_local(True)),
    Defect("narrower limits than the map's", ("write_room",), "最大",
           behave=refuses(3, lambda asked: asked[1] == 2 and asked[2] > 20)),
    Defect("the writing function is missing", WRITES, "write_functions",
           behave=refuses(1, lambda asked: True)),
    Defect("a register cannot be written", ("write_flow",), "write_address",
           behave=refuses(2, lambda asked: asked[1] == 3)),
    Defect("a new value is taken, the former is not", ("write_room",), "写回",
           behave=refuses(3, lambda asked: asked[1] == 2 and asked[2] <= 20)),
    Defect("the echo names another value", ("write_room",), "照原样",
           behave=echoes(_other_value, 2)),
    Defect("the echo names another register", ("write_mode",), "照原样",
           behave=echoes(_other_register, 1),
           steps=("readings", *WRITES)),
    Defect("a write is obeyed without a word", ("write_flow",), "应答",
           behave=echoes(lambda reply: None, 3),
           steps=("readings", "write_room", "write_flow", "silence")),
    Defect("switching on and off forgets the mode", ("write_power",), "运行模式",
           behave=on_write_to(0, lambda sample, word: sample.set("mode", "auto")),
           may_fail=("alarm_reset",)),
    Defect("off switches itself on again", ("write_power",), "保持寄存器 0",
           behave=comes_back_on),
    Defect("the mode is answered and ignored", ("write_mode",), "保持寄存器 1",
           behave=ignores_writes_to(1)),
    Defect("the room's setpoint moves the water's", ("write_room",), "设定供水温度",
           behave=on_write_to(
               2, lambda sample, word: sample.set("supply_temp_setpoint", float(word + 20)))),
    # the reset
    Defect("the reset does nothing", ("alarm_reset",), "清除故障", behave=reset_does_nothing),
    Defect("the reset switches off", ("alarm_reset",), "开关机",
           behave=on_write_to(0, lambda sample, word: sample.set("power_state", False), mask=4)),
    Defect("the reset's bit stays set", ("alarm_reset",), "write_method",
           behave=forgets_reset_pulse),
    # how it speaks
    Defect("silent holes", ("max_read",), "holes",
           device=lambda text: set_to(text, "holes", "silent"),
           steps=("readings", "max_read", "reply_time")),
    Defect("fewer registers at once than stated", ("max_read",), "max_read",
           device=lambda text: set_to(text, "max_read", 8)),
    Defect("zeros instead of an exception", ("exceptions",), "异常码", AIRBOX,
           behave=beyond_the_map),
    Defect("silent to functions that it lacks", ("exceptions",), "功能码",
           behave=mute_to_functions(1, 2, 4, 7),
           steps=("readings", "labels", "write_mode", "exceptions", "max_read")),
    Defect("answers foreign addresses", ("addresses",), "地址", bus=AnswersAll),
    Defect("answers damaged frames", ("addresses",), "校验", bus=DeafToCrc),
    Defect("the second unit is not there", ("addresses",), "6",
           second=lambda sample: setattr(sample, "silent", True),
           steps=("addresses", "readings", "write_mode")),
    Defect("late replies", ("reply_time",), "reply_timeout_ms",
           bus_options={"turnround": (0.3, 0.32)}, options={"replies": 4},
           steps=("readings", "write_mode", "reply_time")),
    Defect("asleep after a silence", ("silence",), "第一问", behave=falls_asleep(0.4),
           options={"silence_s": 0.5}, steps=("readings", "write_room", "silence")),
    # for hours
    Defect("every fifth poll is lost", ("soak",), "每问必答", behave=loses_one_in(5),
           steps=("soak",), options={"soak_s": 2.0}),
    Defect("a setpoint is gone after a while", ("soak",), "设定室温",
           behave=reverts_after("indoor_temp_setpoint", 30), steps=("write_room", "soak"),
           options={"soak_s": 2.0, "soak_interval_s": 0.02}),
)  # fmt: skip
