"""The step of what one request may ask: most registers, holes between points, pauses."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from devices.modbus import frames
from devices.modbus.bench.bench import Bench
from devices.modbus.bench.exceptions import Answer, ask
from devices.modbus.bench.names import place
from devices.modbus.bench.results import Details, Result
from devices.modbus.blocks import Block
from devices.modbus.cells import BIT_AREAS, Area
from devices.modbus.line import COMMAND
from devices.modbus.points import Point
from devices.modbus.troubles import ExceptionReply, ExchangeFailed, LineDown
from devices.modbus.words import N_, Sentence

_QUICK = 30  # requests one behind the other
_LOST = 0.1  # the share of them that a line may lose by itself
_GAPS_MS = (20, 50, 100, 200, 500)


async def max_read(bench: Bench) -> Result:
    """The longest reads that the map allows, its holes, and reads without any further pause."""
    figures: dict[str, Any] = {}
    details: Details = ()
    hole = await _holes(bench)
    if hole:  # first, since long reads go over holes
        figures["hole"], failed = hole
        if failed:
            return Result("failed", failed[0], details, failed[1], figures)
        details += ((Sentence(N_("空隙")), hole_words(bench, figures["hole"])),)
    for area in dict.fromkeys(block.area for block in bench.plan.blocks):
        stated, asked, real = await _longest(bench, area)
        figures[f"max_read_{area}"] = {"stated": stated, "asked": asked, "answered": real}
        if 0 < real < asked:
            return _too_long(area, stated, asked, real, figures)
        if not real:  # not even one point: that is the matter of the readings
            details += ((place_of(area), Sentence(N_("一个也没有读到，长度没有试"))),)
            continue
        text = Sentence(N_("一次 %(asked)d 个（点表 %(stated)d）"), asked=asked, stated=stated)
        details += ((place_of(area), text),)
    gap = await _pauses(bench, figures)
    if gap:
        return gap
    return Result("passed", _finding(bench, figures), details, figures=figures)


def place_of(area: Area) -> Sentence:
    """The name of an area."""
    first = place(area, 0).params["area"]
    assert isinstance(first, Sentence)
    return first


# --- the longest read ---------------------------------------------------------------------------


async def _longest(bench: Bench, area: Area) -> tuple[int, int, int]:
    """Stated, the longest that can be asked within the map, and how much of it is answered."""
    stated = _stated(bench, area)
    span = await _longest_span(bench, area)
    asked = min(stated, span.count)
    bench.say(
        Sentence(
            N_("从 %(where)s 起一次读 %(count)d 个"),
            where=place(area, span.address),
            count=asked,
        )
    )
    if await _answers(bench, span, asked):
        return stated, asked, asked
    low, high = 0, asked  # answered, refused
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if await _answers(bench, span, middle) else (low, middle)
    return stated, asked, low


async def _answers(bench: Bench, span: Block, count: int) -> bool:
    answer = await ask(bench, frames.read(span.area, span.address, count))
    return answer.kind == "values"


def _stated(bench: Bench, area: Area) -> int:
    settings = bench.map.settings
    return settings.max_read_bits if area in BIT_AREAS else settings.max_read


async def _longest_span(bench: Bench, area: Area) -> Block:
    """The longest run, without points that cannot even be read alone: those the step of the
    readings names."""
    points = [p for p in bench.here.points if p.readable and p.area == area]
    span = max(_spans(bench, points), key=lambda block: block.count)
    if await _answers(bench, span, min(span.count, _stated(bench, area))):
        return span
    alone = [p for p in points if await _answers(bench, Block(area, p.address, p.count), p.count)]
    return max(_spans(bench, alone), key=lambda block: block.count) if alone else span


def _spans(bench: Bench, points: Sequence[Point]) -> Iterator[Block]:
    """Runs of neighbouring registers that can be read in one piece; over holes that read as 0."""
    area = points[0].area
    over = bench.map.settings.holes == "zero"
    start = end = -1
    for point in sorted(points, key=lambda point: (point.address, point.count)):
        if start >= 0 and (over or point.address <= end):
            end = max(end, point.address + point.count)
            continue
        if start >= 0:
            yield Block(area, start, end - start)
        start, end = point.address, point.address + point.count
    yield Block(area, start, end - start)


def _too_long(area: Area, stated: int, asked: int, real: int, figures: dict[str, Any]) -> Result:
    setting = "@max_read_bits" if area in BIT_AREAS else "@max_read"
    return Result(
        "failed",
        Sentence(
            N_("点表说一次可读 %(stated)d 个，%(area)s 读 %(asked)d 个不答，最多 %(real)d 个"),
            stated=stated,
            area=place_of(area),
            asked=asked,
            real=real,
        ),
        advice=Sentence(
            N_("点表 %(setting)s 改为 %(real)d，或改固件使一次能读 %(stated)d 个"),
            setting=setting,
            real=real,
            stated=stated,
        ),
        figures=figures,
    )


# --- holes --------------------------------------------------------------------------------------

Wrong = tuple[Sentence, Sentence]


async def _holes(bench: Bench) -> tuple[list[Any], Wrong | None] | None:
    """What an unlisted register between two points answers; None where there is none."""
    hole = next(_gaps(bench), None)
    if hole is None:
        return None
    bench.say(Sentence(N_("空隙 %(where)s"), where=place(hole.area, hole.address)))
    answer = await ask(bench, frames.read(hole.area, hole.address, 1))
    kept = [hole.area, hole.address, answer.kind, answer.code]
    return kept, _hole_wrong(bench, place(hole.area, hole.address), answer)


def _gaps(bench: Bench) -> Iterator[Block]:
    """Unlisted registers between two that the map has, in the areas that it reads."""
    for area in dict.fromkeys(block.area for block in bench.plan.blocks):
        taken = set()
        for point in bench.here.points:
            if point.area == area:
                taken |= set(range(point.address, point.address + point.count))
            if point.writable and point.write_area == area:
                taken |= set(range(point.write_address, point.write_address + point.write_count))
        listed = sorted(taken)
        for one, other in pairwise(listed):
            if other > one + 1:
                yield Block(area, one + 1, other - one - 1)


def _hole_wrong(bench: Bench, where: Sentence, answer: Answer) -> Wrong | None:
    """Wrong is what breaks the platform's reading: it reads over holes only where they are zero.

    A hole that answers better than the map states does no harm.
    """
    stated = bench.map.settings.holes
    actual = {"values": "zero", "silence": "silent", "exception": "exception"}[answer.kind]
    if actual == stated or stated == "silent" or actual == "zero":
        return None
    finding = Sentence(
        N_("空隙 %(where)s %(answer)s，点表 @holes 写的是 %(stated)s"),
        where=where,
        answer=answer.words,
        stated=stated,
    )
    advice = Sentence(
        N_("点表 @holes 改为 %(actual)s，或改固件使空隙（如 %(where)s）%(wanted)s"),
        actual=actual,
        where=where,
        wanted=Sentence(N_("读为 0") if stated == "zero" else N_("返回异常码 02")),
    )
    return finding, advice


def hole_words(bench: Bench, hole: list[Any]) -> Sentence:
    """What was found of a hole, for the list."""
    area, address, kind, code = hole
    answer = Answer(kind, code).words if kind != "values" else Sentence(N_("读为数值"))
    return Sentence(
        N_("%(where)s %(answer)s（点表 %(stated)s）"),
        where=place(area, address),
        answer=answer,
        stated=bench.map.settings.holes,
    )


# --- pauses -------------------------------------------------------------------------------------


async def _pauses(bench: Bench, figures: dict[str, Any]) -> Result | None:
    """Requests one behind the other, with no pause but the one that the map states."""
    stated = bench.map.settings.frame_gap_ms
    lost = await _lost(bench, 0.0)
    figures |= {"frame_gap_ms": stated, "quick_requests": _QUICK, "quick_lost": lost}
    if lost <= _LOST * _QUICK:
        return None
    for gap in _GAPS_MS:
        bench.say(Sentence(N_("每问间隔 %(gap)d ms"), gap=gap))
        if await _lost(bench, gap / 1000) <= _LOST * _QUICK:
            figures["frame_gap_needed_ms"] = gap
            break
    else:
        gap = _GAPS_MS[-1]
    return Result(
        "failed",
        Sentence(
            N_("连续提问 %(count)d 次有 %(lost)d 次不答，点表间隔 %(stated)d ms"),
            count=_QUICK,
            lost=lost,
            stated=stated,
        ),
        advice=Sentence(
            N_("点表 @frame_gap_ms 改为 %(gap)d，或改固件使间隔 %(stated)d ms 也能应答"),
            gap=stated + gap,
            stated=stated,
        ),
        figures=figures,
    )


async def _lost(bench: Bench, pause_s: float) -> int:
    """How many of some quick reads stay unanswered."""
    block = bench.plan.blocks[0]
    request, lost = frames.read(block.area, block.address, block.count), 0
    for _ in range(_QUICK):
        await asyncio.sleep(pause_s)
        try:
            await bench.line.exchange(
                bench.address, request, timeout=bench.timeout, priority=COMMAND
            )
        except ExceptionReply:
            continue
        except LineDown:
            raise
        except ExchangeFailed:
            lost += 1
            if lost > _LOST * _QUICK:
                return lost
    return lost


def _finding(bench: Bench, figures: dict[str, Any]) -> Sentence:
    most = max(
        (found["answered"] for name, found in figures.items() if name.startswith("max_read_")),
        default=0,
    )
    return Sentence(
        N_("一次 %(most)d 个，间隔 %(gap)d ms，与点表一致"),
        most=most,
        gap=bench.map.settings.frame_gap_ms,
    )
