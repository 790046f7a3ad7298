"""The verdict on the panel: what it shows beside what the platform reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from devices.modbus.bench.entries import Entry, is_number, readable, row_change, where_of
from devices.modbus.bench.names import TEMPERATURES, called, said, shown
from devices.modbus.bench.results import Details, Result
from devices.modbus.pointmap import PointMap
from devices.modbus.signals import SEVEN
from devices.modbus.words import N_, Sentence

ALIKE_K = 1.0  # a panel shows what the platform reads within this


def panel(map: PointMap, entered: Mapping[str, Any]) -> Result:
    """The panel beside each of the seven readings: temperatures within 1 K, the rest alike."""
    typed, platform = entered["values"], entered["platform"]
    given = [signal for signal in SEVEN if typed.get(signal) is not None]
    differing = [signal for signal in given if not _alike(typed[signal], platform.get(signal, {}))]
    details = tuple(
        (called(signal, map.settings.medium), _beside(signal, typed[signal], platform))
        for signal in given
    )
    figures: dict[str, Any] = {
        "differences": {signal: _difference(typed[signal], platform, signal) for signal in given}
    }
    if differing:
        finding, advice = _differs(map, differing[0], typed, platform)
        figures["differing"] = differing
        return Result("failed", finding, details, advice, figures)
    return _panel_agrees(map, given, details, figures)


def _panel_agrees(
    map: PointMap, given: Sequence[str], details: Details, figures: dict[str, Any]
) -> Result:
    left = [signal for signal in SEVEN if signal not in given]
    if left:
        names = "、".join(called(signal, map.settings.medium) for signal in left)
        finding = Sentence(
            N_("面板显示的 %(count)d 项相符，面板不显示：%(names)s"), count=len(given), names=names
        )
        return Result("unproven", finding, details, figures=figures)
    return Result("passed", Sentence(N_("七项相符，温度差 1 K 以内")), details, figures=figures)


def _alike(typed: Any, entry: Entry) -> bool:
    value = entry.get("value")
    if entry.get("quality") != "good" or value is None:
        return False
    if is_number(typed) and is_number(value):
        return bool(abs(typed - value) <= ALIKE_K + 1e-9)
    return bool(typed == value)


def _beside(signal: str, typed: Any, platform: Mapping[str, Entry]) -> Sentence:
    entry = platform.get(signal, {})
    value = entry.get("value")
    read = shown(signal, value) if value is not None else said(entry.get("quality", "—"))
    return Sentence(N_("面板 %(panel)s，平台 %(read)s"), panel=shown(signal, typed), read=read)


def _difference(typed: Any, platform: Mapping[str, Entry], signal: str) -> float | None:
    value = platform.get(signal, {}).get("value")
    return round(value - typed, 3) if is_number(typed) and is_number(value) else None


def _differs(
    map: PointMap, signal: str, typed: Mapping[str, Any], platform: Mapping[str, Entry]
) -> tuple[Sentence, Sentence]:
    name, entry = called(signal, map.settings.medium), platform.get(signal, {})
    finding = Sentence(
        N_("%(name)s 不符：%(beside)s"), name=name, beside=_beside(signal, typed[signal], platform)
    )
    advice = (
        _exchanged(map, signal, typed, platform)
        or _row_advice(map, signal, typed[signal], entry)
        or Sentence(
            N_("核对 %(name)s 的寄存器、类型、倍率和固件：%(where)s"),
            name=name,
            where=where_of(map, signal),
        )
    )
    return finding, advice


def _exchanged(
    map: PointMap, signal: str, typed: Mapping[str, Any], platform: Mapping[str, Entry]
) -> Sentence | None:
    """Another reading that shows what this one should, and the other way round."""
    for other in TEMPERATURES:
        both = typed.get(other) is not None and other != signal
        if not (both and is_number(typed[signal]) and is_number(typed[other])):
            continue
        if _alike(typed[signal], platform.get(other, {})) and _alike(
            typed[other], platform.get(signal, {})
        ):
            return Sentence(
                N_("%(one)s 与 %(other)s 对调了：对调点表两行的地址（%(here)s、%(there)s）"),
                one=called(signal, map.settings.medium),
                other=called(other, map.settings.medium),
                here=where_of(map, signal),
                there=where_of(map, other),
            )
    return None


def _row_advice(map: PointMap, signal: str, typed: Any, entry: Entry) -> Sentence | None:
    if is_number(typed):
        return row_change(map, signal, entry, typed, ALIKE_K)
    return _label_change(map, signal, typed, entry)


def _label_change(map: PointMap, signal: str, typed: Any, entry: Entry) -> Sentence | None:
    """The label of the row that the panel contradicts."""
    value = entry.get("value")
    for row in readable(map, signal):
        for pattern, label in row.enum.items():
            if label == value:
                return Sentence(
                    N_("点表第 %(row)d 行“枚举”：%(raw)s 应为 %(right)s，不是 %(label)s；或改固件"),
                    row=row.row,
                    raw=pattern,
                    right=typed,
                    label=label,
                )
    return None
