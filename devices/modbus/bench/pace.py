"""The steps of time: how soon the sample answers, and whether it does after a long silence."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from devices.modbus import frames
from devices.modbus.bench.bench import Bench, NotLet
from devices.modbus.bench.names import said, shown, shown_value
from devices.modbus.bench.results import Result
from devices.modbus.bench.trials import SETTINGS
from devices.modbus.blocks import Block
from devices.modbus.line import COMMAND
from devices.modbus.reading import UnitRead
from devices.modbus.troubles import ExceptionReply, ExchangeFailed, LineDown
from devices.modbus.words import N_, Sentence

_MISSED = 0.02  # the share that may stay unanswered: lines lose frames too
_SAY_EVERY = 20


async def reply_time(bench: Bench) -> Result:
    """Many replies timed one by one, judged by the time-out that the map states."""
    block = max(bench.plan.blocks, key=lambda block: block.count)
    request = frames.read(block.area, block.address, block.count)
    times: list[float] = []
    missed = hurt = 0
    for number in range(bench.options.replies):
        if number % _SAY_EVERY == 0:
            bench.say(
                Sentence(
                    N_("第 %(number)d 次，共 %(all)d 次"),
                    number=number + 1,
                    all=bench.options.replies,
                )
            )
        took, heard = await _time(bench, request)
        if took is None:
            missed += 1
            hurt += heard
        else:
            times.append(took)
    return judge_times(times, missed, _allowed_ms(bench, block), bench, hurt)


@dataclass(slots=True)
class _Asked:
    """One request that went out, and what was heard from then on."""

    frame: bytes
    at: float
    heard: bytes = b""
    took_s: float = 0.0


async def _time(bench: Bench, request: frames.Request) -> tuple[float | None, bool]:
    """Milliseconds from the request to the end of its reply; None where none came, and whether
    something like one was heard.

    Where the line asks in several requests, because a late reply to another one may still come,
    it is the longest of them.
    """
    asked: list[_Asked] = []
    former, loop = bench.line.trace, asyncio.get_running_loop()

    def trace(way: Any, at: float, data: bytes) -> None:
        now = loop.time()
        if way == "out":
            asked.append(_Asked(data, now))
        elif asked:
            asked[-1].heard += data
            asked[-1].took_s = now - asked[-1].at
        if former:
            former(way, at, data)

    bench.line.trace = trace
    try:
        await bench.line.exchange(bench.address, request, timeout=bench.timeout, priority=COMMAND)
    except ExceptionReply:
        pass
    except LineDown:
        raise
    except ExchangeFailed:
        return None, any(_looks_like_one(bench, one) for one in asked)
    finally:
        bench.line.trace = former
    return max(one.took_s for one in asked) * 1000, False


def _looks_like_one(bench: Bench, asked: _Asked) -> bool:
    """Whether the sample's address and the function came back: the rest is hurt."""
    framing = bench.line.framing
    if not isinstance(framing, frames.Rtu):
        return False
    return asked.frame[: framing.width + 1] in asked.heard.removeprefix(asked.frame)


def _allowed_ms(bench: Bench, block: Block) -> float:
    """The stated time-out counts beyond the wire time of both frames."""
    settings = bench.map.settings
    if not bench.line.framing.paced:
        return settings.reply_timeout_ms
    characters = 2 * settings.address_width + 9 + 2 * block.count
    bits = 9 + settings.stop_bits + (settings.parity != "N")
    return settings.reply_timeout_ms + characters * bits / settings.baud * 1000


def judge_times(
    times: Sequence[float], missed: int, allowed_ms: float, bench: Bench, hurt: int = 0
) -> Result:
    """The verdict on the times (ms) of the replies that came, and how many did not; `hurt` of
    those came as bytes that are no reply."""
    if not times:
        return Result("failed", Sentence(N_("没有一次应答")), advice=_advice(bench, None))
    ordered = sorted(times)
    p50, p99 = percentile(ordered, 0.5), percentile(ordered, 0.99)
    figures = {
        "replies": len(times),
        "missed": missed,
        "p50_ms": round(p50, 1),
        "p99_ms": round(p99, 1),
        "max_ms": round(ordered[-1], 1),
        "allowed_ms": round(allowed_ms, 1),
    }
    count = len(times) + missed
    finding = Sentence(
        N_("中位 %(p50)d ms，p99 %(p99)d ms，%(count)d 次漏答 %(missed)d 次"),
        p50=round(p50),
        p99=round(p99),
        count=count,
        missed=missed,
    )
    if p99 > allowed_ms:
        return Result("failed", finding, advice=_advice(bench, p99), figures=figures)
    if missed > max(1, _MISSED * count):
        if 2 * hurt > missed:
            return _hurt(finding, hurt, figures)
        return Result("failed", finding, advice=_advice(bench, None), figures=figures)
    return Result("passed", finding, figures=figures)


def _hurt(finding: Sentence, hurt: int, figures: dict[str, Any]) -> Result:
    told = Sentence(N_("%(finding)s，其中 %(hurt)d 次应答的校验不符"), finding=finding, hurt=hurt)
    advice = N_(
        "固件每个应答都须带正确的 CRC-16（低字节在前）且字节数不缺：看报文；检查 485 收发切换和接线"
    )
    return Result("failed", told, advice=Sentence(advice), figures={**figures, "hurt": hurt})


def percentile(ordered: Sequence[float], share: float) -> float:
    """The smallest of some ordered figures that this share of them does not exceed."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def _advice(bench: Bench, p99_ms: float | None) -> Sentence:
    stated = bench.map.settings.reply_timeout_ms
    if p99_ms is None:
        return Sentence(N_("固件须每问必答：检查串口接收中断、看门狗和 485 收发切换"))
    return Sentence(
        N_("固件须在 %(stated)d ms 内应答，或点表 @reply_timeout_ms 改为 %(needed)d"),
        stated=stated,
        needed=math.ceil(p99_ms * 1.5 / 100) * 100,
    )


# --- silence ------------------------------------------------------------------------------------


async def silence(bench: Bench) -> Result:
    """Nothing is asked for a while; then the first question is answered and no setting changed."""
    before = await bench.read()
    seconds = bench.options.silence_s
    bench.say(Sentence(N_("停问 %(seconds)d 秒"), seconds=round(seconds)))
    await bench.pause(seconds)
    started = asyncio.get_running_loop().time()
    after = await bench.read(tries=1)
    took = asyncio.get_running_loop().time() - started
    figures = {"silence_s": seconds, "took_ms": round(took * 1000)}
    if any(value.quality == "not_answered" for value in after.points.values()):
        return _deaf(seconds, figures)
    changed = changes(before, after)
    if changed:
        result = _changed(bench, before, after, changed, figures)
        return replace(result, details=tuple(await _put_back(bench, before, changed)))
    finding = N_("停问 %(seconds)d 秒后第一问即应答，设定没有变化")
    return Result("passed", Sentence(finding, seconds=round(seconds)), figures=figures)


async def _put_back(
    bench: Bench, before: UnitRead, names: list[str]
) -> list[tuple[Sentence, Sentence]]:
    """The settings that the sample lost go back to what they were."""
    told = []
    for name in () if bench.misplaced else names:
        if bench.here.writers(name):
            former = before.points[name].value
            with suppress(NotLet):
                result = await bench.writes.mend(name, former)
                done = result.state in ("verified", "accepted")
                text = shown(name, former) if done else said(result.detail)
                line = Sentence("%(name)s：%(text)s", name=bench.called(name), text=text)
                told.append((Sentence(N_("恢复")), line))
    return told


def changes(before: UnitRead, after: UnitRead) -> list[str]:
    """The settings that two readings show differently."""
    return [
        name
        for name in SETTINGS
        if name in before.points
        and before.points[name].quality == after.points[name].quality == "good"
        and before.points[name].value != after.points[name].value
    ]


def _deaf(seconds: float, figures: dict[str, Any]) -> Result:
    return Result(
        "failed",
        Sentence(N_("停问 %(seconds)d 秒后第一问没有全部应答"), seconds=round(seconds)),
        advice=Sentence(N_("固件长时间收不到报文后也须立即应答第一问：检查休眠和串口超时处理")),
        figures=figures,
    )


def _changed(
    bench: Bench, before: UnitRead, after: UnitRead, names: list[str], figures: dict[str, Any]
) -> Result:
    name = names[0]
    return Result(
        "failed",
        Sentence(
            N_("停问后 %(name)s 由 %(old)s 变为 %(new)s"),
            name=bench.called(name),
            old=shown_value(name, before.points[name]),
            new=shown_value(name, after.points[name]),
        ),
        advice=Sentence(
            N_("固件收不到报文时须保持 %(name)s 不变，不得回到默认值"), name=bench.called(name)
        ),
        figures=figures | {"changed": names},
    )
