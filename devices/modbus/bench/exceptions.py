"""The step of exceptions: what the sample does not have, it must refuse. Only reads go out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from devices.modbus import frames
from devices.modbus.bench.bench import BUSY, Bench
from devices.modbus.bench.names import place, said
from devices.modbus.bench.results import Details, Result
from devices.modbus.cells import Area
from devices.modbus.frames import ReadStatus, Request
from devices.modbus.line import COMMAND
from devices.modbus.mapsettings import Settings
from devices.modbus.troubles import ExceptionReply, ExchangeFailed, LineDown, WrongEcho
from devices.modbus.words import N_, Sentence

ILLEGAL_FUNCTION, ILLEGAL_ADDRESS = 1, 2
_TRIES = 2
_BEYOND = (1, 100)  # so far behind the last register of the map
_FAR = (0xFFFF, 0xC350, 0x7530)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a question: `kind` is exception, values or silence."""

    kind: str
    code: int = 0
    values: tuple[int, ...] = ()

    @property
    def words(self) -> Sentence:
        """The same for people."""
        if self.kind == "exception":
            return Sentence(N_("异常码 %(code)d"), code=self.code)
        if self.kind == "values":
            return Sentence(N_("数值 %(values)s"), values=" ".join(map(str, self.values[:4])))
        return Sentence(N_("不应答"))


async def ask(bench: Bench, request: Request) -> Answer:
    """What the sample says to a request that it need not have; asked again where it says nothing,
    or that it is busy."""
    heard = Answer("silence")
    for _ in range(_TRIES):
        try:
            timeout = bench.timeout
            values = await bench.line.exchange(
                bench.address, request, timeout=timeout, priority=COMMAND
            )
            return Answer("values", values=values)
        except ExceptionReply as exception:
            heard = Answer("exception", exception.code)
            if exception.code not in BUSY:
                break
        except (LineDown, WrongEcho):
            raise
        except ExchangeFailed:
            continue
    return heard


async def exceptions(bench: Bench) -> Result:
    """Registers beyond the map answer exception 2, an unknown function exception 1."""
    said_of_registers = await _registers(bench)
    bench.say(Sentence(N_("不支持的功能码")))
    function, said_of_function = await _function(bench)
    details = (
        *((place(area, at), answer.words) for area, at, answer in said_of_registers),
        (Sentence(N_("功能码 %(code)d"), code=function), said_of_function.words),
    )
    figures = {
        "registers": [[area, at, a.kind, a.code] for area, at, a in said_of_registers],
        "function": [function, said_of_function.kind, said_of_function.code],
    }
    wrong = _register_wrong(bench.map.settings, said_of_registers) or _function_wrong(
        function, said_of_function
    )
    if wrong:
        return Result("failed", wrong[0], details, wrong[1], figures)
    return _passed(bench.map.settings, said_of_registers, said_of_function, details, figures)


def beyond(bench: Bench, area: Area) -> Iterator[int]:
    """Addresses of an area behind everything that the map has there, written points too."""
    ends = [point.address + point.count for point in bench.here.points if point.area == area]
    ends += [
        point.write_address + point.write_count
        for point in bench.here.points
        if point.writable and point.write_area == area
    ]
    last = max(ends, default=0)
    stride = bench.map.settings.module_stride or 0
    near = [last + stride * 16 + step for step in _BEYOND]
    yield from (at for at in dict.fromkeys([*near, *_FAR]) if last <= at <= 0xFFFF)


Asked = tuple[Area, int, Answer]


async def _registers(bench: Bench) -> list[Asked]:
    """Per area that the map reads: beyond it, until somewhere nothing is."""
    found: list[Asked] = []
    for area in dict.fromkeys(block.area for block in bench.plan.blocks):
        for address in beyond(bench, area):
            bench.say(Sentence(N_("点表外的 %(where)s"), where=place(area, address)))
            answer = await ask(bench, frames.read(area, address, 1))
            found.append((area, address, answer))
            if answer.kind != "values":
                break
    return found


async def _function(bench: Bench) -> tuple[int, Answer]:
    """A function that the map does not list: reads that are none of its, then function 7."""
    block = bench.plan.blocks[0]
    for area, function in frames.READ_FUNCTIONS.items():
        if function in bench.map.settings.read_functions:
            continue
        answer = await ask(bench, frames.read(area, block.address, 1))
        if answer.kind != "values":  # some have a function more than they say: no harm
            return function, answer
    status = ReadStatus()
    return status.function, await ask(bench, status)


def _register_wrong(settings: Settings, found: list[Asked]) -> tuple[Sentence, Sentence] | None:
    for area in dict.fromkeys(area for area, _, _ in found):
        last = [(at, answer) for where, at, answer in found if where == area][-1]
        address, answer = last
        if not _is_allowed(settings, answer):
            return _wrong_register(place(area, address), answer)
    return None


def _is_allowed(settings: Settings, answer: Answer) -> bool:
    """Exception 2 always; else what the map states of unlisted registers."""
    if answer.kind == "exception":
        return answer.code == ILLEGAL_ADDRESS
    return settings.holes == {"values": "zero", "silence": "silent"}[answer.kind]


def _wrong_register(where: Sentence, answer: Answer) -> tuple[Sentence, Sentence]:
    if answer.kind == "values":
        finding = N_("点表外的寄存器也答数值：%(where)s %(answer)s")
    elif answer.kind == "silence":
        finding = N_("点表外的寄存器不应答：%(where)s")
    else:
        finding = N_("点表外的寄存器应返回异常码 2：%(where)s %(answer)s")
    advice = N_("固件对没有的寄存器（如 %(where)s）须返回异常码 02，不得答数值，也不得不应答")
    return Sentence(finding, where=where, answer=answer.words), Sentence(advice, where=where)


def _function_wrong(function: int, answer: Answer) -> tuple[Sentence, Sentence] | None:
    if answer.kind == "values" or answer == Answer("exception", ILLEGAL_FUNCTION):
        return None
    return (
        Sentence(
            N_("不支持的功能码 %(code)d 应返回异常码 1：%(answer)s"),
            code=function,
            answer=answer.words,
        ),
        Sentence(N_("固件对不支持的功能码（如 %(code)d）须返回异常码 01"), code=function),
    )


def _passed(
    settings: Settings,
    found: list[Asked],
    function: Answer,
    details: Details,
    figures: dict[str, object],
) -> Result:
    refused = any(answer.kind == "exception" for _, _, answer in found)
    if function.kind == "values":
        why = N_("没有找到样机不支持的功能码，功能码的异常应答未验证")
        return Result("unproven", Sentence(why), details, figures=figures)
    if refused:
        finding = Sentence(N_("没有的寄存器返回异常码 2，不支持的功能码返回异常码 1"))
    else:
        finding = Sentence(
            N_("点表外的寄存器与 @holes=%(holes)s 一致，不支持的功能码返回异常码 1"),
            holes=said(settings.holes),
        )
    return Result("passed", finding, details, figures=figures)
