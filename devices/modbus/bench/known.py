"""Off by one: the commonest mistake of a register map, found by a word that the maker knows, or
by readings that make sense only one register further on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from devices.modbus.bench.bench import Bench
from devices.modbus.bench.names import place
from devices.modbus.bench.results import Result
from devices.modbus.cells import BIT_AREAS, Area
from devices.modbus.decoding import decode
from devices.modbus.points import Point, Value
from devices.modbus.troubles import ExceptionReply, ExchangeFailed, LineDown
from devices.modbus.words import N_, Sentence


async def known_register(bench: Bench) -> Result | None:
    """Read what the maker told and its neighbours: off by one is the commonest mistake."""
    if not bench.options.known:
        return None
    kept, address, word = bench.options.known
    area = cast(Area, kept)
    here = await _word(bench, area, address)
    if here == word:
        return Result(
            "passed",
            Sentence(
                N_("%(where)s = %(word)s，与厂家所报一致"),
                where=place(area, address),
                word=_hex(area, word),
            ),
        )
    for shift in (-1, 1):
        if await _word(bench, area, address + shift) == word:
            finding = Sentence(
                N_("地址错一位：已知值 %(word)s 在 %(found)s，不在 %(where)s"),
                word=_hex(area, word),
                found=place(area, address + shift),
                where=place(area, address),
            )
            return _off_by_one(bench, finding, shift)
    return Result(
        "failed",
        Sentence(
            N_("%(where)s 读到 %(read)s，厂家所报为 %(word)s，左右各一个也不是"),
            where=place(area, address),
            read="—" if here is None else _hex(area, here),
            word=_hex(area, word),
        ),
        advice=Sentence(N_("核对点表的地址基准（@address_base）、区域和该寄存器的已知值")),
    )


async def shifted_by_one(bench: Bench, rows: Sequence[Point]) -> Result | None:
    """Whether the readings are right one register further on, or before, and only there.

    Rows under a condition, or with a scale that another signal tells, are not looked at.
    """
    plain = [row for row in rows if not row.when and not row.scale_from]
    for shift in (-1, 1) if len(plain) > 1 else ():
        values = [await _value(bench, row, shift) for row in plain]
        if all(value is not None and value.quality == "good" for value in values):
            finding = Sentence(
                N_("地址错一位：七项读数在点表所写地址的%(way)s一个寄存器才合理"),
                way=Sentence(N_("后") if shift > 0 else N_("前")),
            )
            return _off_by_one(bench, finding, shift)
    return None


async def _value(bench: Bench, row: Point, shift: int) -> Value | None:
    words = await _words(bench, row.area, row.address + shift, row.count)
    return None if words is None else decode(row, words)


def _off_by_one(bench: Bench, finding: Sentence, shift: int) -> Result:
    bench.misplaced = True
    base = bench.map.settings.address_base
    advice = Sentence(
        N_("点表的地址整体%(way)s移一位：@address_base 现为 %(base)s，核对地址从 0 还是从 1 起算"),
        way=Sentence(N_("后") if shift > 0 else N_("前")),
        base=base,
    )
    return Result("failed", finding, advice=advice, figures={"shift": shift})


async def _word(bench: Bench, area: Area, address: int) -> int | None:
    """One register or bit; None where there is none."""
    words = await _words(bench, area, address, 1)
    return words[0] if words else None


async def _words(bench: Bench, area: Area, address: int, count: int) -> Sequence[int] | None:
    """Some registers or bits; None where there are none."""
    if not 0 <= address <= 0x10000 - count:
        return None
    for _ in range(2):
        try:
            return await bench.registers.read(area, address, count)
        except ExceptionReply:
            return None
        except LineDown:
            raise
        except ExchangeFailed:
            continue
    return None


def _hex(area: str, word: int) -> str:
    return str(word) if area in BIT_AREAS else f"0x{word:04X}"
