"""The step of addresses: who answers, and who must not.

Only reads go out, never a broadcast, and none to an address that a unit is known to have.
"""

from __future__ import annotations

from collections.abc import Iterator

from devices.modbus import frames, strays
from devices.modbus.bench.bench import Bench
from devices.modbus.bench.evidence import Evidence
from devices.modbus.bench.names import said
from devices.modbus.bench.results import Result
from devices.modbus.frames import Request, Rtu
from devices.modbus.line import COMMAND
from devices.modbus.troubles import ExceptionReply, ExchangeFailed, LineDown
from devices.modbus.words import N_, Sentence

_ROUNDS = 5  # both units are asked in turn so often
_FOREIGN = 3  # addresses that are tried
_LEAST_WAIT_S = 0.3
_NOBODY = (10, 11)  # a gateway's words: nobody answered it
_FAILED = 4  # the unit has failed; some say it of units that are not there
_ROUND_TRIPS = 10  # a sample that answers wrongly answers as quickly as it answers rightly


async def addresses(bench: Bench) -> Result:
    """Own and second address answer, foreign ones and a damaged frame do not."""
    question = _question(bench)
    failed = await _both_answer(bench, question)
    if failed:
        return failed
    await _settle(bench, question)
    tried, answered, by_code = await _ask_foreign(bench, question)
    if len(answered) > 1:
        return _answers_foreign(answered)
    if bench.line.framing.paced:
        bench.say(Sentence(N_("发送校验错误的报文，应无应答")))
        if await _is_answered(bench, bench.address, question, spoiled=True):
            return _answers_damaged(bench)
    if answered:
        return _another(answered[0])
    return _stood_in(by_code) if by_code else _passed(bench, tried)


def foreign(bench: Bench) -> Iterator[int]:
    """Addresses near the sample's that no unit is known to have; of two bytes with one alike."""
    own, options = bench.address, bench.options
    framing = bench.line.framing
    wide = isinstance(framing, Rtu) and framing.width == 2
    if wide:
        near = [own ^ 0x0100, own ^ 0x0001, own ^ 0x8000, own ^ 0x0200, own + 1, own - 1]
        near += [own ^ 0x1000, own ^ 0x0080, own ^ 0x0400]
    else:
        near = [own + 1, own - 1, own ^ 0x80, own ^ 0x40, own + 2, own + 3, own - 2]
    taken = {own, options.second_address, *options.others}
    order = framing.order if isinstance(framing, Rtu) else "big"
    for address in dict.fromkeys(near):
        if address in taken or not 1 <= address <= (0xFFFF if wide else 247):
            continue
        if not wide or frames.is_safe_native(address, order):
            yield address


async def _ask_foreign(bench: Bench, question: Request) -> tuple[list[int], list[int], list[int]]:
    """The foreign addresses that were tried, those that answered, and those for which somebody
    said that the unit has failed. A single one that answers may be another unit of the line, which
    a sample that answers all is not: then more are tried."""
    tried: list[int] = []
    answered: list[int] = []
    by_code: list[int] = []
    for address in foreign(bench):
        if len(tried) >= _FOREIGN * (1 + bool(answered)) or len(answered) > 1:
            break
        bench.say(Sentence(N_("向外来地址 %(address)d 提问，应无应答"), address=address))
        tried.append(address)
        if await _is_answered(bench, address, question):
            spoken_for = await _is_failed(bench, address, question)
            (by_code if spoken_for else answered).append(address)
    return tried, answered, by_code


def _question(bench: Bench) -> Request:
    """One point: longer reads go over holes, whose answer is a matter of its own step."""
    point = bench.plan.points[0]
    return frames.read(point.area, point.address, point.count)


async def _both_answer(bench: Bench, question: Request) -> Result | None:
    units = [bench.address]
    if bench.options.second_address is not None:
        units.append(bench.options.second_address)
    for turn in range(_ROUNDS):
        for address in units:
            bench.say(
                Sentence(
                    N_("第 %(turn)d 轮，共 %(rounds)d 轮：地址 %(address)d"),
                    turn=turn + 1,
                    rounds=_ROUNDS,
                    address=address,
                )
            )
            if not await _answers(bench, address, question):
                return await _silent(bench, address, question)
    return None


async def _answers(bench: Bench, address: int, question: Request) -> bool:
    """Whether a unit answers at all; an exception is an answer too."""
    for _ in range(3):
        try:
            await bench.line.exchange(address, question, timeout=bench.timeout, priority=COMMAND)
            return True
        except ExceptionReply as exception:
            return exception.code not in _NOBODY
        except LineDown:
            raise
        except ExchangeFailed:
            continue
    return False


async def _settle(bench: Bench, question: Request) -> None:
    """Nothing that was asked before is still to be answered when silence is judged."""
    await bench.pause(min(bench.timeout, _LEAST_WAIT_S))
    await _answers(bench, bench.address, question)


async def _is_answered(
    bench: Bench, address: int, question: Request, *, spoiled: bool = False
) -> bool:
    """Whether a frame comes back, twice: noise on a line may look like one once."""
    return await _hears(bench, address, question, spoiled) and await _hears(
        bench, address, question, spoiled
    )


async def _hears(bench: Bench, address: int, question: Request, spoiled: bool) -> bool:
    with Evidence().of(bench.line) as ear:
        try:
            await bench.line.exchange(
                address, question, timeout=_wait_s(bench), priority=COMMAND, spoiled=spoiled
            )
            return True
        except ExceptionReply as exception:
            return exception.code not in _NOBODY
        except LineDown:
            raise
        except ExchangeFailed:
            return _holds_reply(bench, ear.incoming, question)


async def _is_failed(bench: Bench, address: int, question: Request) -> bool:
    """Whether the answer is that the unit has failed, which our sample does not say of itself to
    the same question: converters and servers say it for units that they do not have."""
    try:
        await bench.line.exchange(address, question, timeout=_wait_s(bench), priority=COMMAND)
    except ExceptionReply as exception:
        return exception.code == _FAILED
    except LineDown:
        raise
    except ExchangeFailed:
        pass
    return False


def _wait_s(bench: Bench) -> float:
    trip = bench.line.unit(bench.address).round_trip_s
    if trip is None:
        return bench.timeout
    return min(bench.timeout, max(_LEAST_WAIT_S, _ROUND_TRIPS * trip))


def _holds_reply(bench: Bench, heard: bytes, question: Request) -> bool:
    """Whether the bytes hold a frame that answers such a question, from whatever address."""
    return bool(_senders(bench, heard, question))


def _senders(bench: Bench, heard: bytes, question: Request) -> list[int]:
    """The addresses of the frames among some bytes that answer such a question."""
    framing = bench.line.framing
    if not isinstance(framing, Rtu):
        return []
    return [
        stray.address
        for stray in strays.frames_in(heard, framing)
        if not stray.asks and strays.may_answer(stray.pdu, question.pdu)
    ]


async def _silent(bench: Bench, address: int, question: Request) -> Result:
    """No right answer: what came instead says what is wrong."""
    with Evidence().of(bench.line) as ear:
        if await _answers(bench, address, question):  # only now and then: the pace's matter
            return Result("unproven", Sentence(N_("地址 %(address)d 时答时不答"), address=address))
    senders = _senders(bench, ear.incoming, question)
    if senders:
        return Result(
            "failed",
            Sentence(
                N_("问地址 %(address)d，应答写的地址是 %(other)d"),
                address=address,
                other=senders[0],
            ),
            advice=Sentence(N_("固件应答须用自己的设备地址 %(address)d"), address=address),
        )
    if ear.replies:
        return Result(
            "failed",
            Sentence(
                N_("地址 %(address)d 的应答校验不符：收到 %(heard)s"),
                address=address,
                heard=ear.replies[:16].hex(" ").upper(),
            ),
            advice=Sentence(
                N_("固件应答须带 CRC-16（低字节在前），字节数与所问个数一致；核对 @baud、@parity")
            ),
        )
    return _no_answer(bench, address)


def _no_answer(bench: Bench, address: int) -> Result:
    settings = bench.map.settings
    return Result(
        "failed",
        Sentence(N_("地址 %(address)d 没有应答"), address=address),
        advice=Sentence(
            N_(
                "把样机的设备地址设为 %(address)d，通信参数设为点表所写的 "
                "%(baud)d %(parity)s %(stop)d（@baud、@parity、@stop_bits），"
                "地址宽度 %(width)d 字节（@address_width）；检查 485 接线"
            ),
            address=address,
            baud=settings.baud,
            parity=settings.parity,
            stop=settings.stop_bits,
            width=settings.address_width,
        ),
    )


def _answers_foreign(answered: list[int]) -> Result:
    listed = _listed(answered)
    return Result(
        "failed",
        Sentence(N_("外来地址 %(answered)s 的报文也得到应答"), answered=listed),
        advice=Sentence(
            N_("固件只应答发给自己设备地址的报文：须逐字节核对地址，不得应答 %(answered)s"),
            answered=listed,
        ),
        figures={"answered": answered},
    )


def _another(address: int) -> Result:
    why = N_("地址 %(address)d 也有应答：若是线上另一台设备，请把它填为第二台再测")
    return Result("unproven", Sentence(why, address=address), figures={"answered": [address]})


def _stood_in(addresses: list[int]) -> Result:
    why = N_("外来地址 %(listed)s 只得到异常码 4，像是网关或转换器代答；样机是否不应答没有证明")
    return Result(
        "unproven", Sentence(why, listed=_listed(addresses)), figures={"by_code": addresses}
    )


def _answers_damaged(bench: Bench) -> Result:
    return Result(
        "failed",
        Sentence(N_("校验错误的报文也得到应答")),
        advice=Sentence(N_("固件收到报文须先核对 CRC-16，校验错误的报文一律不应答、不执行")),
    )


def _passed(bench: Bench, tried: list[int]) -> Result:
    second = bench.options.second_address
    wide = bench.map.settings.address_width == 2
    damaged = said("—") if not bench.line.framing.paced else Sentence(N_("无应答"))
    details = (
        (Sentence(N_("外来地址")), Sentence(N_("%(tried)s：无应答"), tried=_listed(tried))),
        (Sentence(N_("坏校验")), damaged),
        (
            Sentence(N_("网络地址")),
            Sentence(N_("双字节地址，1～65535") if wide else N_("由平台分配，1～65535")),
        ),
    )
    figures = {"address": bench.address, "second": second, "foreign": tried}
    if second is None:
        why = N_("地址 %(address)d 应答正确；没有第二台样机，未验证两台同线")
        return Result("unproven", Sentence(why, address=bench.address), details, figures=figures)
    return Result(
        "passed",
        Sentence(
            N_("两台同线（%(own)d、%(second)d）各自应答，外来地址、坏校验无应答"),
            own=bench.address,
            second=second,
        ),
        details,
        figures=figures,
    )


def _listed(numbers: list[int]) -> str:
    return "、".join(map(str, numbers))
