"""The long steps: polled for hours while a written setpoint must hold, and what that costs."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from devices.modbus import policy
from devices.modbus.bench.bench import Bench
from devices.modbus.bench.evidence import Evidence
from devices.modbus.bench.labels import unnamed
from devices.modbus.bench.movement import MOVES, Movement
from devices.modbus.bench.names import said, shown, shown_value
from devices.modbus.bench.readings import words_of
from devices.modbus.bench.results import Details, Result
from devices.modbus.pointmap import PointMap
from devices.modbus.points import Point, Scalar, Value
from devices.modbus.reading import UnitRead
from devices.modbus.troubles import LineDown
from devices.modbus.words import N_, Sentence

DAY_S, MONTH_DAYS = 86_400, 30
STILL_S = 3600.0  # who shows no change for so long has not shown that it reads anew
_VISITS = 10
_POLL_EVERY_S = 300  # how often a unit behind a transmitter is polled
_HEADERS = 40  # bytes of IP and TCP that go with each packet, and with its acknowledgement
HELD_SIGNAL = "indoor_temp_setpoint"


@dataclass
class Tally:
    """What the polls of a soak brought."""

    movement: Movement
    polls: int = 0
    answered: int = 0

    def add(self, at: float, points: dict[str, Value]) -> None:
        """One poll that was answered whole, at `at` (s)."""
        self.answered += 1
        values = {name: points[name].value for name in MOVES if name in points}
        numbers = {name: v for name, v in values.items() if isinstance(v, int | float)}
        self.movement.add(at, numbers)


def resolution_of(map: PointMap) -> dict[str, float]:
    """The smallest changes that the map lets supply and return show, K."""
    rows = {name: next(iter(map.rows_of(name)), None) for name in MOVES}
    return {name: abs(float(row.scale)) for name, row in rows.items() if row}


async def soak(bench: Bench) -> Result:
    """Poll for the stated time; a test setpoint is written first and must still stand after it."""
    target = await _write_setpoint(bench)
    try:
        tally, last, failed = await _poll(bench)
        now = (await bench.read()).points.get(HELD_SIGNAL)
    finally:
        if target is not None:
            await bench.writes.restore(HELD_SIGNAL)
    if failed:
        return failed
    held = None if target is None or now is None else now.value == target
    options = bench.options
    result = judge_soak(
        seconds=options.soak_s,
        polls=tally.polls,
        answered=tally.answered,
        share=options.soak_share,
        held=held,
        setpoint=(target, now.value if now else None),
    )
    if result.state == "passed" and tally.movement.stuck:
        return _stuck(bench, tally.movement.stuck, last, result)
    return judge_movement(result, tally.movement, options.soak_s)


async def _write_setpoint(bench: Bench) -> Scalar:
    """Write a test value of the room's setpoint; None where that cannot be."""
    value = (await bench.read()).points.get(HELD_SIGNAL)
    rows = bench.here.writers(HELD_SIGNAL)
    if not rows or value is None or not isinstance(value.value, int | float):
        return None
    target = policy.trial_number(rows[0], value.value)
    if target is None:
        return None
    bench.say(Sentence(N_("写入设定室温 %(value)s"), value=shown(HELD_SIGNAL, target)))
    written = await bench.writes.write(HELD_SIGNAL, target)
    if written.state == "verified":
        return target
    if written.sent is not None:
        await bench.writes.restore(HELD_SIGNAL)
    return None


async def _poll(bench: Bench) -> tuple[Tally, UnitRead | None, Result | None]:
    loop, options = asyncio.get_running_loop(), bench.options
    begun, last = loop.time(), None
    tally = Tally(Movement(resolution_of(bench.here)))
    while (passed := loop.time() - begun) < options.soak_s:
        tally.polls += 1
        visit = await _visit(bench)
        if visit:
            tally.add(loop.time(), visit.points)
            last = visit
            if failed := unnamed(bench, visit):
                return tally, last, failed
        bench.say(
            Sentence(
                N_("%(passed)s / %(all)s，采集 %(answered)d / %(polls)d"),
                passed=span(passed),
                all=span(options.soak_s),
                answered=tally.answered,
                polls=tally.polls,
            )
        )
        due = begun + tally.polls * options.soak_interval_s
        await asyncio.sleep(max(0.0, min(due, begun + options.soak_s) - loop.time()))
    return tally, last, None


async def _visit(bench: Bench) -> UnitRead | None:
    """One poll; None where it was not answered whole. A link that is lost is a poll that failed."""
    try:
        visit = await bench.read(tries=1)
    except LineDown:
        return None
    return visit if is_whole(visit.points.values()) else None


def is_whole(values: Iterable[Value]) -> bool:
    """Whether a poll was answered whole: what a row's condition excludes is no gap."""
    return all(
        value.quality != "not_answered" and not value.quality.startswith("exception:")
        for value in values
    )


def judge_soak(
    *,
    seconds: float,
    polls: int,
    answered: int,
    share: float,
    held: bool | None,
    setpoint: tuple[Scalar, Scalar] = (None, None),
) -> Result:
    """The verdict on a soak: so many polls, so many answered whole, at least this share of them.

    `held`: whether the setpoint that was written before it (`setpoint`: written, read after it)
    stands after it; None where none could be written.
    """
    reached = answered / polls if polls else 0.0
    finding = Sentence(
        N_("%(span)s，采集 %(answered)d / %(polls)d（%(reached)s%%），合格线 %(share)s%%"),
        span=span(seconds),
        answered=answered,
        polls=polls,
        reached=f"{reached * 100:.1f}",
        share=f"{share * 100:g}",
    )
    figures: dict[str, object] = {
        "soak_s": seconds,
        "polls": polls,
        "answered": answered,
        "reached": round(reached, 4),
        "share": share,
        "held": held,
    }
    if not polls or reached < share:
        advice = N_("固件须长时间每问必答：检查看门狗、串口中断和无线传输装置的供电、信号")
        return Result("failed", finding, advice=Sentence(advice), figures=figures)
    if held is False:
        return _not_held(setpoint, figures)
    return Result("passed", finding, _held_details(held, setpoint), figures=figures)


def judge_movement(result: Result, movement: Movement, seconds: float) -> Result:
    """A soak that passed, once it is seen how supply and return moved meanwhile."""
    if result.state != "passed":
        return result
    if movement.stale_s:
        every = {"every": span(movement.stale_s)}
        finding = Sentence(N_("读数约每 %(every)s 才更新一次"), **every)
        advice = Sentence(
            N_("固件须持续更新寄存器里的实测值，至少每分钟一次，现约 %(every)s"), **every
        )
        figures = {**result.figures, "stale_s": round(movement.stale_s)}
        return Result("failed", finding, result.details, advice, figures)
    if movement.is_still and seconds >= STILL_S:
        still = Sentence(
            N_("供回水（送回风）读数 %(span)s 没有变化，是否更新未验证"), span=span(seconds)
        )
        return replace(result, state="unproven", finding=still)
    return result


def _held_details(held: bool | None, setpoint: tuple[Scalar, Scalar]) -> Details:
    if held is None:
        return ((Sentence(N_("设定室温")), Sentence(N_("没有写入测试值，保持未验证"))),)
    value = shown(HELD_SIGNAL, setpoint[0])
    return ((Sentence(N_("设定室温")), Sentence(N_("写入 %(value)s，始终保持"), value=value)),)


def _not_held(setpoint: tuple[Scalar, Scalar], figures: dict[str, object]) -> Result:
    written, read = (shown(HELD_SIGNAL, value) for value in setpoint)
    return Result(
        "failed",
        Sentence(
            N_("连续运行后设定室温没有保持：写入 %(written)s，现为 %(read)s"),
            written=written,
            read=read,
        ),
        advice=Sentence(N_("固件须一直保持远程写入的设定室温，不得自行改回")),
        figures=figures,
    )


def _stuck(bench: Bench, name: str, last: UnitRead | None, result: Result) -> Result:
    point = bench.point(name)
    words = words_of(last, point) if last else None
    value = last.points[name] if last else Value(None)
    return Result(
        "failed",
        Sentence(
            N_("%(name)s 全程停在 %(value)s 不变"),
            name=bench.called(name),
            value=shown_value(name, value),
        ),
        result.details,
        stuck_advice(bench.called(name), point),
        {**result.figures, "stuck": name, "words": list(words or ())},
    )


def stuck_advice(name: Sentence, point: Point) -> Sentence:
    """What to do about a reading of that name which never changed."""
    return Sentence(
        N_("固件须把 %(name)s 的实测值持续写入寄存器 %(address)d（点表第 %(row)d 行）"),
        name=name,
        address=point.address,
        row=point.row,
    )


def span(seconds: float) -> Sentence:
    """A span as people say it: 24 小时, 8 小时 11 分, 45 秒."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours and minutes:
        return Sentence(N_("%(hours)d 小时 %(minutes)d 分"), hours=hours, minutes=minutes)
    if hours:
        return Sentence(N_("%(hours)d 小时"), hours=hours)
    if minutes and not rest:
        return Sentence(N_("%(minutes)d 分"), minutes=minutes)
    return Sentence(N_("%(seconds)d 秒"), seconds=round(seconds))


# --- traffic ------------------------------------------------------------------------------------


async def traffic(bench: Bench) -> Result:
    """What a day costs: some visits and a while of idleness are counted and scaled to a day."""
    with Evidence().of(bench.line) as polled:
        for _ in range(_VISITS):
            await bench.read(tries=1)
    bench.say(Sentence(N_("静听 %(seconds)d 秒，数心跳"), seconds=round(bench.options.idle_s)))
    with Evidence().of(bench.line) as idle:
        await bench.pause(bench.options.idle_s)
    visits_a_day = DAY_S / _POLL_EVERY_S
    idles_a_day = DAY_S / bench.options.idle_s

    def a_day(of_polls: int, of_idleness: int) -> int:
        return round(of_polls / _VISITS * visits_a_day + of_idleness * idles_a_day)

    return judge_traffic(
        bytes_in=a_day(polled.bytes_in, idle.bytes_in),
        bytes_out=a_day(polled.bytes_out, idle.bytes_out),
        seconds=DAY_S,
        packets=a_day(polled.heard, idle.heard),
        measured=(_VISITS, bench.options.idle_s),
    )


def judge_traffic(
    *,
    bytes_in: int,
    bytes_out: int,
    seconds: float,
    packets: int = 0,
    measured: Sequence[float] = (),
) -> Result:
    """What was counted in these seconds, as a day and a month of 30 days.

    Every packet and its acknowledgement carry 40 bytes of headers beyond the bytes counted.
    `measured`: the visits and the seconds of idleness that it was scaled up from.
    """
    day = (bytes_in + bytes_out + 2 * _HEADERS * packets) * DAY_S / max(seconds, 1)
    month = day * MONTH_DAYS
    finding = Sentence(
        N_("一天 %(day)s KB，一个月约 %(month)s MB"),
        day=f"{day / 1000:.0f}",
        month=f"{month / 1e6:.1f}",
    )
    details: Details = (
        (Sentence(N_("收、发")), said(f"{bytes_in} B、{bytes_out} B")),
        (Sentence(N_("统计时长")), span(seconds)),
    )
    if measured:
        how = N_("由 %(visits)d 次读取和 %(idle)d 秒静听折算，每 %(interval)d 秒读一次")
        scaled = Sentence(how, visits=measured[0], idle=round(measured[1]), interval=_POLL_EVERY_S)
        details += ((Sentence(N_("折算")), scaled),)
    figures: dict[str, object] = {
        "bytes_in": bytes_in,
        "bytes_out": bytes_out,
        "seconds": seconds,
        "packets": packets,
        "day_bytes": round(day),
        "month_bytes": round(month),
    }
    return Result("passed", finding, details, figures=figures)
