"""The step of the seven readings: fresh, plausible, and from the registers that the map names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from devices.modbus import rawtypes
from devices.modbus.bench.bench import Bench
from devices.modbus.bench.explain import either, explanations, plausible
from devices.modbus.bench.heating import empty_register, heats_though_off, implausible, is_heating
from devices.modbus.bench.known import known_register, shifted_by_one
from devices.modbus.bench.names import register, said, shown_value
from devices.modbus.bench.results import Details, Result
from devices.modbus.decoding import evidence
from devices.modbus.faults import parts_of
from devices.modbus.frames import READ_FUNCTIONS
from devices.modbus.points import Point, Value
from devices.modbus.reading import UnitRead
from devices.modbus.signals import FAULT_ACTIVE, SEVEN, kind_of
from devices.modbus.words import N_, Sentence

_ORDERED = frozenset({"int32", "uint32", "sm32", "int64", "uint64", "dec32", "bcd32"})


async def readings(bench: Bench) -> Result:
    """All that the map reads is read; the seven of Annex 2 item 1 must be good."""
    bench.misplaced = False
    visit = await bench.read()
    figures = {"readings": table(bench, visit)}
    wrong = next(_mistakes(bench, visit), None)
    known = await known_register(bench)
    if known and known.state == "failed":
        return known
    if wrong:
        shifted = await shifted_by_one(bench, _seven_rows(bench, visit))
        return shifted or Result("failed", *wrong, figures=figures)
    return await implausible(bench, visit, figures) or _passed(bench, visit, known, figures)


def table(bench: Bench, visit: UnitRead) -> dict[str, dict[str, Any]]:
    """The seven readings with the words that they were read from, for the report."""
    return {
        signal: {
            "value": value.value,
            "quality": value.quality,
            "raw": value.raw or raw_of(bench, visit, signal),
        }
        for signal in SEVEN
        if (value := visit.points.get(signal))
    }


def words_of(visit: UnitRead, point: Point) -> Sequence[int] | None:
    """The words of a row as this visit read them; None where it did not."""
    for block, reply in zip(visit.plan.blocks, visit.replies, strict=True):
        if block.covers(point) and not isinstance(reply, str):
            start = point.address - block.address
            return tuple(reply[start : start + point.count])
    return None


def raw_of(bench: Bench, visit: UnitRead, signal: str) -> str:
    """The words of a signal's rows as people compare them."""
    found = [(row, words_of(visit, row)) for row in _rows(bench, visit, signal)]
    return " ".join(evidence(words, row.area) for row, words in found if words is not None)


def _rows(bench: Bench, visit: UnitRead, signal: str) -> list[Point]:
    """The rows that a signal comes from: those of the faults for `fault_active`."""
    rows = [row for row in bench.here.rows_of(signal) if row.readable]
    if rows or signal != FAULT_ACTIVE:
        return rows
    names = parts_of([point.signal for point in visit.plan.points], FAULT_ACTIVE)
    return [row for name in names for row in bench.here.rows_of(name) if row.readable]


# --- what is wrong ------------------------------------------------------------------------------

Wrong = tuple[Sentence, Details, Sentence | None]


def _seven_rows(bench: Bench, visit: UnitRead) -> list[Point]:
    return [row for signal in SEVEN for row in _rows(bench, visit, signal)]


def _mistakes(bench: Bench, visit: UnitRead) -> Iterator[Wrong]:
    """What keeps a reading from being good; the seven first. Labels have a step of their own."""
    rows = visit.plan.decode_rows(visit.replies)
    seven = _seven_rows(bench, visit)
    for row in [*seven, *(point for point in visit.plan.points if point not in seven)]:
        value = rows[row.signal]
        if value.quality == "good" or value.quality.startswith(("unknown_enum", "when:")):
            continue
        if _holds(visit, row, value):
            yield from _wrong(bench, visit, row, value, must=row in seven)
    for signal in SEVEN:
        if signal not in visit.points:
            yield _unmapped(bench, signal)


def _holds(visit: UnitRead, row: Point, value: Value) -> bool:
    """Whether this row is the one that the value of its signal came from."""
    several = sum(point.signal == row.signal for point in visit.plan.points) > 1
    return not several or value.raw is None or value.raw == _evidence(visit, row)


def _evidence(visit: UnitRead, row: Point) -> str:
    words = words_of(visit, row)
    return "" if words is None else evidence(words, row.area)


def _wrong(
    bench: Bench, visit: UnitRead, row: Point, value: Value, *, must: bool
) -> Iterator[Wrong]:
    name, where = bench.called(row.signal), register(row)
    if value.quality == "not_answered":
        yield _missing(name, where, Sentence(N_("不应答")), row)
    elif value.quality.startswith("exception:"):
        code = value.quality.removeprefix("exception:")
        how = Sentence(N_("返回异常码 %(code)s"), code=code)
        yield (
            _missing(name, where, how, row) if code != "1" else _no_function(name, where, how, row)
        )
    elif value.quality == "out_of_range":
        yield _out_of_range(bench, visit, row)
    elif must:
        yield _invalid(name, where, value, row)


def _missing(name: Sentence, where: Sentence, how: Sentence, row: Point) -> Wrong:
    finding = Sentence(N_("%(name)s 没有读到：%(where)s %(how)s"), name=name, where=where, how=how)
    advice = Sentence(
        N_("固件须提供 %(where)s（%(name)s），或点表第 %(row)d 行“区域”“地址”改为实际的寄存器"),
        where=where,
        name=name,
        row=row.row,
    )
    return finding, (), advice


def _no_function(name: Sentence, where: Sentence, how: Sentence, row: Point) -> Wrong:
    finding = Sentence(N_("%(name)s 没有读到：%(where)s %(how)s"), name=name, where=where, how=how)
    advice = Sentence(
        N_(
            "固件须支持功能码 %(code)02d，或点表第 %(row)d 行“区域”改为样机有的一种，"
            "@read_functions 去掉 %(code)d"
        ),
        code=READ_FUNCTIONS[row.area],
        row=row.row,
    )
    return finding, (), advice


def _out_of_range(bench: Bench, visit: UnitRead, row: Point) -> Wrong:
    words = words_of(visit, row) or ()
    name, where, raw = bench.called(row.signal), register(row), evidence(words, row.area)
    finding = Sentence(
        N_("%(name)s 超出合理范围：%(where)s 读到 %(raw)s"), name=name, where=where, raw=raw
    )
    changes = explanations(row, words, plausible)[:3]
    advice = Sentence(
        N_("点表第 %(row)d 行（%(name)s）：%(change)s；或改固件"),
        row=row.row,
        name=name,
        change=either(changes) if changes else Sentence(N_("核对类型、字节序、倍率和偏移")),
    )
    if words and not any(words):
        advice = empty_register(row)
    details = (
        (Sentence(N_("点表")), said(_row_words(row))),
        (Sentence(N_("读到的字")), said(raw)),
    )
    return finding, details, advice


def _row_words(row: Point) -> str:
    return f"{row.type} {row.order} × {row.scale} + {row.offset}"


def _invalid(name: Sentence, where: Sentence, value: Value, row: Point) -> Wrong:
    finding = Sentence(
        N_("%(name)s 没有数值：%(where)s 报 %(reason)s（%(raw)s）"),
        name=name,
        where=where,
        reason=value.quality,
        raw=value.raw or "—",
    )
    advice = Sentence(
        N_("样机须接好全部传感器再送测；若数值有效，改点表第 %(row)d 行的“无效值”"), row=row.row
    )
    return finding, (), advice


def _unmapped(bench: Bench, signal: str) -> Wrong:
    name = bench.called(signal)
    finding = Sentence(N_("点表里没有 %(name)s"), name=name)
    return finding, (), Sentence(N_("在点表中补上 %(name)s 的寄存器"), name=name)


# --- what is right ------------------------------------------------------------------------------


def _passed(bench: Bench, visit: UnitRead, known: Result | None, figures: dict[str, Any]) -> Result:
    details: Details = tuple(
        (bench.called(signal), _said_with_words(bench, visit, signal)) for signal in SEVEN
    )
    unproven = list(order_unproven(visit))
    if unproven:
        details += tuple(
            (bench.called(row.signal), Sentence(N_("从未超过 65,535，字序未验证")))
            for row in unproven
        )
    details += ((Sentence(N_("已知寄存器")), known.finding),) if known else ()
    if not is_heating({name: value.value for name, value in visit.points.items()}):
        untold = Sentence(
            N_("没有在制热，与 %(back)s 是否接反未验证"), back=bench.called("return_temp")
        )
        details += ((bench.called("supply_temp"), untold),)
    figures |= {"order_unproven": [row.signal for row in unproven]}
    doubt = _doubt(bench, visit)
    if doubt:
        return Result("unproven", doubt, details, figures=figures)
    good = sum(visit.points[signal].quality == "good" for signal in SEVEN)
    finding = Sentence(N_("%(good)d / %(all)d 新鲜且合理"), good=good, all=len(SEVEN))
    state = "passed" if good == len(SEVEN) or _labels_only(visit) else "unproven"
    return Result(state, finding, details, figures=figures)  # type: ignore[arg-type]


def _doubt(bench: Bench, visit: UnitRead) -> Sentence | None:
    """What may well be so, and may as well be a mistake."""
    if heats_though_off(visit.points):
        return Sentence(N_("读到关机，却像在供热：开、关是否接反未验证，请开机后重测"))
    for row in _seven_rows(bench, visit) if bench.map.settings.holes == "zero" else ():
        words = words_of(visit, row)
        if kind_of(row.signal) == "float" and words is not None and not any(words):
            template = N_(
                "%(name)s 读到的正好是 0：%(where)s 可能没有（这台样机没有的寄存器也读为 0），"
                "数值变化后重测"
            )
            return Sentence(template, name=bench.called(row.signal), where=register(row))
    return None


def _labels_only(visit: UnitRead) -> bool:
    """Whether what is not good lacks its label only, which is the next step's matter."""
    return all(
        visit.points[signal].quality == "good"
        or visit.points[signal].quality.startswith("unknown_enum")
        for signal in SEVEN
    )


def _said_with_words(bench: Bench, visit: UnitRead, signal: str) -> Sentence:
    return Sentence(
        "%(value)s  %(raw)s",
        value=shown_value(signal, visit.points[signal]),
        raw=raw_of(bench, visit, signal),
    )


def order_unproven(visit: UnitRead) -> Iterator[Point]:
    """Whole numbers of several registers that never passed 65,535: an order that turns the words
    round would be seen only then."""
    for point in visit.plan.points:
        if point.type not in _ORDERED or kind_of(point.signal) not in ("counter", "float", ""):
            continue
        words = words_of(visit, point)
        if words and sum(word != 0 for word in rawtypes.in_order(words, point.order)) <= 1:
            yield point
