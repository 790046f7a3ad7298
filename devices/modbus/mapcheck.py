"""What must hold between the rows of a register map, and what is worth a reminder."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches

from devices.modbus import rawtypes, signals, texts
from devices.modbus.cells import BIT_AREAS
from devices.modbus.faults import DERIVED
from devices.modbus.mapsettings import Settings
from devices.modbus.mistakes import RowCells
from devices.modbus.points import ON_WORDS, Point
from devices.modbus.words import N_

READ_FUNCTION = {"coil": 1, "discrete": 2, "holding": 3, "input": 4}
Checked = list[tuple[Point, RowCells]]


def check_points(checked: Checked, settings: Settings, broken: Collection[str] = ()) -> None:
    """Note every mistake and reminder that lies between rows and settings.

    What refers to a signal of `broken` is left alone: its row has its own mistakes.
    """
    by_signal = {point.signal: point for point, _ in checked if point.signal not in broken}
    for point, row in checked:
        _kind(point, row)
        _span(point, row, settings)
        _functions(point, row, settings)
        _references(point, row, by_signal, broken)
        _doubts(point, row)
    _shared_signals(checked)
    _shared_registers(checked)


def exclude_each_other(one: Point, other: Point) -> bool:
    """Whether two rows can never hold at once, going by their `when`s."""
    return any(
        not set(labels) & set(other.when.get(signal, labels)) for signal, labels in one.when.items()
    )


# --- one row against the signal's kind and the settings ------------------------------------


def _kind(point: Point, row: RowCells) -> None:
    kind = signals.kind_of(point.signal)
    is_set = point.type in rawtypes.BITFIELDS
    is_text = texts.is_text(point.type)
    if kind == "set" and not is_set:
        row.refuse("type", N_("信号 %(signal)s 的类型应为 bitfield16 或 bitfield32"), **_of(point))
    if kind not in ("set", "") and (is_set or is_text):
        row.refuse("type", N_("信号 %(signal)s 不能用类型 %(type)s"), **_of(point))
    if kind == "enum" and not point.enum and not is_set and not is_text:
        row.refuse("enum", N_("信号 %(signal)s 必须给出枚举"), **_of(point))
    if kind in ("float", "counter"):
        row.forbid("enum", N_("信号 %(signal)s 是数值，不能有枚举"), **_of(point))
        if point.type == "bool":
            row.refuse("type", N_("信号 %(signal)s 不能用类型 %(type)s"), **_of(point))
    if kind == "bool" and point.enum:
        _bool_labels(point, row)


def _of(point: Point) -> dict[str, str]:
    return {"signal": point.signal, "type": point.type}


def _bool_labels(point: Point, row: RowCells) -> None:
    strange = [label for label in point.enum.values() if label.lower() not in ON_WORDS]
    if strange:
        row.remind(
            "enum",
            N_("信号 %(signal)s 只有 on 和 off，“%(labels)s”将显示为未知取值"),
            signal=point.signal,
            labels="、".join(strange),
        )


def _span(point: Point, row: RowCells, settings: Settings) -> None:
    spans = [("address", "type", point.area, point.address, point.count)]
    if point.writable:
        spans.append(
            (
                "write_address" if "write_address" in row else "address",
                "write_type" if "write_type" in row else "type",
                point.write_area,
                point.write_address,
                point.write_count,
            )
        )
    for address, type_, area, start, count in spans[: 2 if spans[1:] != spans[:1] else 1]:
        most = settings.max_read_bits if area in BIT_AREAS else settings.max_read
        if start + count > 0x10000:
            row.refuse(address, N_("占 %(count)s 个寄存器，超出地址 65535"), count=count)
        if count > most and address == "address":
            row.refuse(
                type_,
                N_("占 %(count)s 个寄存器，超过 max_read %(most)s"),
                count=count,
                most=most,
            )


def _functions(point: Point, row: RowCells, settings: Settings) -> None:
    column = "area" if "area" in row else "address"
    code = READ_FUNCTION[point.area]
    if point.readable and code not in settings.read_functions:
        row.refuse(
            column,
            N_("读 %(area)s 要用功能码 %(code)s，read_functions 里没有"),
            area=point.area,
            code=code,
        )
    if not point.writable:
        return
    usable = usable_functions(point, settings)
    if point.write_function is not None and not usable:
        row.refuse(
            "write_function", N_("write_functions 里没有功能码 %(code)s"), code=point.write_function
        )
    elif not usable:
        row.refuse(
            "write_area" if "write_area" in row else column,
            N_("写 %(count)s 个 %(area)s 要用功能码 %(code)s，write_functions 里没有"),
            count=point.write_count,
            area=point.write_area,
            code=" / ".join(str(code) for code in _possible(point)),
        )


def _possible(point: Point) -> tuple[int, ...]:
    if point.write_area == "coil":
        return (5, 15)
    return (6, 16) if point.write_count == 1 else (16,)


def usable_functions(point: Point, settings: Settings) -> tuple[int, ...]:
    """The function codes that can write the point to this device, the usual one first."""
    return tuple(
        code
        for code in _possible(point)
        if code in settings.write_functions and point.write_function in (None, code)
    )


# --- references to other signals -------------------------------------------------------------


def _references(
    point: Point, row: RowCells, by_signal: Mapping[str, Point], broken: Collection[str]
) -> None:
    if point.scale_from and point.scale_from not in broken:
        _scale_source(point, row, by_signal.get(point.scale_from))
    for signal, labels in point.when.items():
        if signal not in broken:
            _named(row, "when", signal, labels, by_signal.get(signal))
    if point.verify:
        signal, label = point.verify
        if signal not in DERIVED and signal not in broken:
            source = by_signal.get(signal)
            if source is None or not source.readable:
                row.refuse("verify", N_("点表里没有可读的信号 %(signal)s"), signal=signal)
            else:
                _label(row, "verify", source, label)


def _stands_alone(source: Point | None) -> bool:
    return bool(source and source.readable and not source.when and not source.scale_from)


def _scale_source(point: Point, row: RowCells, source: Point | None) -> None:
    if source is None or not source.readable:
        row.refuse("scale_from", N_("点表里没有可读的信号 %(signal)s"), signal=point.scale_from)
    elif not _stands_alone(source):
        row.refuse(
            "scale_from", N_("%(signal)s 自己不能再有条件或倍率信号"), signal=point.scale_from
        )
    elif (
        source.is_bool
        or source.enum
        or source.type in rawtypes.BITFIELDS
        or texts.is_text(source.type)
    ):
        row.refuse("scale_from", N_("%(signal)s 不是数值"), signal=point.scale_from)


def _named(
    row: RowCells, column: str, signal: str, labels: Iterable[str], source: Point | None
) -> None:
    if source is None or not source.readable:
        row.refuse(column, N_("点表里没有可读的信号 %(signal)s"), signal=signal)
    elif not _stands_alone(source):
        row.refuse(column, N_("%(signal)s 自己不能再有条件或倍率信号"), signal=signal)
    else:
        for label in labels:
            _label(row, column, source, label)


def _label(row: RowCells, column: str, source: Point, label: str) -> None:
    known = set(source.enum.values()) | set(source.bits.values())
    if source.bits:
        known.add("none")
    if source.is_bool:
        known = set(ON_WORDS) | {"0", "1"}
    if known and (label.lower() if source.is_bool else label) not in known:
        row.refuse(
            column,
            N_("信号 %(signal)s 没有取值“%(label)s”，可用：%(known)s"),
            signal=source.signal,
            label=label,
            known="、".join(sorted(known)),
        )


# --- rows beside each other --------------------------------------------------------------------


def _shared_signals(checked: Checked) -> None:
    seen: dict[str, list[Point]] = {}
    for point, row in checked:
        for earlier in seen.get(point.signal, []):
            if not exclude_each_other(earlier, point):
                row.refuse(
                    "signal",
                    N_("信号重复：第 %(row)s 行已有，两行的条件并不互斥"),
                    row=earlier.row,
                )
                break
        seen.setdefault(point.signal, []).append(point)


def _owned(point: Point) -> dict[int, int]:
    """The bits of each register that a point reads."""
    bits = point.read_field if point.read_field is not None else 0xFFFF
    return {point.address + place: bits for place in range(point.count)}


def _shared_registers(checked: Checked) -> None:
    """Only bits that two signals both claim are doubtful: flags of one register are usual."""
    taken: dict[tuple[str, int], list[Point]] = {}
    for point, row in checked:
        owned = _owned(point)
        near = [other for place in owned for other in taken.get((point.area, place), [])]
        for other in near:
            if (
                other.signal != point.signal
                and not exclude_each_other(other, point)
                and any(bits & _owned(other).get(place, 0) for place, bits in owned.items())
            ):
                row.remind(
                    "address",
                    N_("与第 %(row)s 行的 %(signal)s 是同一个寄存器"),
                    row=other.row,
                    signal=other.signal,
                )
                break
        for place in owned:
            taken.setdefault((point.area, place), []).append(point)


# --- reminders about one row -----------------------------------------------------------------


def _doubts(point: Point, row: RowCells) -> None:
    kind = signals.kind_of(point.signal)
    if kind == "counter" and point.count == 1:
        row.remind("type", N_("累计量只有 16 位，很快会回零"))
    if point.signal == "outdoor_temp" and point.offset >= 0 and _unsigned(point.type):
        row.remind("type", N_("室外温度用无符号类型又没有偏移，读不出零下温度"))
    unit = signals.unit_of(point.signal)
    if unit and point.unit != unit:
        row.remind(
            "unit",
            N_("平台按 %(unit)s 保存 %(signal)s，请用倍率换算成这个单位"),
            unit=unit,
            signal=point.signal,
        )
    _doubtful_name(point, row, kind)
    _doubtful_labels(point, row)
    _doubtful_limits(point, row)


def _unsigned(type_: str) -> bool:
    return type_ in rawtypes.UNSIGNED or type_.startswith("bcd") or type_ == "dec32"


def _doubtful_name(point: Point, row: RowCells, kind: str) -> None:
    close = get_close_matches(point.signal.lower(), signals.signals(), 1, 0.85) if not kind else []
    if close:
        row.remind("signal", N_("不是平台的信号名，是否应为 %(close)s？"), close=close[0])


def _doubtful_labels(point: Point, row: RowCells) -> None:
    labels = list(point.enum.values())
    if point.signal == "mode":
        strange = [label for label in labels if label not in signals.MODES]
        if strange:
            row.remind(
                "enum",
                N_("不是平台的运行模式：%(labels)s；平台的有 %(known)s"),
                labels="、".join(strange),
                known="、".join(signals.MODES),
            )
    if signals.base_name(point.signal) == signals.FAULT_CODE and labels and "none" not in labels:
        row.remind("enum", N_("没有取值 none（无故障），无故障时将显示为未知取值"))
    if point.writable and len(set(point.write_enum.values())) < len(point.write_enum):
        row.remind("enum", N_("同一取值有几个原始值，写入时用第一个"))


def _doubtful_limits(point: Point, row: RowCells) -> None:
    number = not (point.write_enum or point.is_bool or texts.is_text(point.write_type))
    if (
        point.writable
        and number
        and point.write_value is None
        and (point.min is None or point.max is None)
    ):
        row.remind("min" if point.min is None else "max", N_("可写的点没有最小值和最大值"))
