"""A device model's register map (点表): reading a supplier's file, checking it, writing it out.

report = check(data, "cn-w10.csv")   # every mistake and reminder, and the map if it is right
point_map = load(data, "cn-w10.csv") # raises MapRefused
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from devices.modbus import faults, mapfile
from devices.modbus.blocks import plan
from devices.modbus.cells import BIT_AREAS, Area, CellRefused
from devices.modbus.decoding import decode
from devices.modbus.mapcheck import Checked, check_points
from devices.modbus.mapcolumns import column_of
from devices.modbus.mapfile import MAX_BYTES, Row
from devices.modbus.mapmodel import PointMap
from devices.modbus.maprows import read_point
from devices.modbus.mapsettings import Settings, read_settings
from devices.modbus.mistakes import Findings, Mistake, RowCells
from devices.modbus.points import Point, Value, ValueRefused
from devices.modbus.rowparts import signal_name
from devices.modbus.words import N_

__all__ = [
    "MAX_BYTES",
    "MapRefused",
    "Mistake",
    "Point",
    "PointMap",
    "Report",
    "Settings",
    "check",
    "decode_words",
    "load",
]
_NEEDED = ("signal", "address")


@dataclass(frozen=True)
class Report:
    """What the check of a file found. `warnings` are reminders, which may be confirmed; the map
    is there if there is no mistake. What of Annex 2 is missing is neither."""

    mistakes: list[Mistake] = field(default_factory=list)
    warnings: list[Mistake] = field(default_factory=list)
    missing_readings: list[str] = field(default_factory=list)
    missing_writings: list[str] = field(default_factory=list)
    map: PointMap | None = None


class MapRefused(Exception):
    """A file with mistakes; `report` has them all."""

    def __init__(self, report: Report) -> None:
        super().__init__(report)
        self.report = report

    def __str__(self) -> str:
        return "\n".join(
            f"{mistake.row or '-'} {mistake.column}: {mistake.reason}"
            for mistake in self.report.mistakes
        )


# --- from a file ---------------------------------------------------------------------------


def check(data: bytes, filename: str) -> Report:
    """Read a file and find everything that is wrong or doubtful in it; never raises."""
    findings = Findings()
    try:
        rows = mapfile.read_rows(data, filename)
    except CellRefused as refusal:
        return Report([Mistake(None, "", filename, refusal.template, refusal.params)])
    settings = read_settings([row for row in rows if row.cells[0].startswith("@")], findings)
    table = [row for row in rows if not row.cells[0].startswith("@")]
    points = _read_points(table, settings, findings)
    in_file_order = sorted(findings.mistakes, key=lambda mistake: mistake.row or 0)
    reminders = sorted(findings.reminders, key=lambda mistake: mistake.row or 0)
    point_map = PointMap(settings, tuple(points))
    missing = point_map.missing()
    return Report(in_file_order, reminders, *missing, None if in_file_order else point_map)


def load(data: bytes, filename: str) -> PointMap:
    """The map of a file; raises MapRefused with every mistake."""
    report = check(data, filename)
    if report.map is None:
        raise MapRefused(report)
    return report.map


def _read_points(table: list[Row], settings: Settings, findings: Findings) -> list[Point]:
    if not table:
        findings.mistakes.append(Mistake(None, "", "", N_("没有表头和点")))
        return []
    heads = _read_heads(table[0], findings)
    if heads is None:
        return []
    named = {column: table[0].cells[place] for place, column in heads.items()}
    titled = {place for place, head in enumerate(table[0].cells) if head}
    checked: Checked = []
    broken: set[str] = set()
    for line in table[1:]:
        row = _cells_of(line, heads, named, titled, findings)
        point = read_point(row, settings)
        if point is not None:
            checked.append((point, row))
        else:
            broken.add(_name(row))
    if len(table) == 1:
        findings.mistakes.append(Mistake(None, "", "", N_("表头下面没有点")))
    check_points(checked, settings, broken)
    _check_control_side(settings, checked, broken, findings)
    return [point for point, _ in checked]


def _read_heads(header: Row, findings: Findings) -> dict[int, str] | None:
    """The columns by their place; None where no row can be read by them."""
    named = {place: column_of(head) for place, head in enumerate(header.cells) if head}
    if not any(named.values()):
        text = header.cells[0]
        template = N_("这一行应是表头（signal、area、address、type 等），没有一个认识的列名")
        findings.mistakes.append(Mistake(header.number, text[:40], text[:200], template))
        return None
    heads: dict[int, str] = {}
    for place, column in named.items():
        text = header.cells[place]
        if column is None:
            template = N_("没有这一列，请改名或删去")
            findings.mistakes.append(Mistake(header.number, text, text, template))
        elif column in heads.values():
            findings.mistakes.append(Mistake(header.number, text, text, N_("这一列出现了两次")))
        else:
            heads[place] = column
    lacking = [column for column in _NEEDED if column not in heads.values()]
    for column in lacking:
        findings.mistakes.append(Mistake(header.number, column, "", N_("缺少这一列")))
    return None if lacking else heads


def _name(row: RowCells) -> str:
    """What a row that has a mistake is called; "" where that is the mistake."""
    try:
        return signal_name(row.texts.get("signal", ""))
    except CellRefused:
        return ""


def _cells_of(
    line: Row,
    heads: Mapping[int, str],
    named: Mapping[str, str],
    titled: Collection[int],
    findings: Findings,
) -> RowCells:
    texts = {heads[place]: text for place, text in enumerate(line.cells) if place in heads}
    for place, text in enumerate(line.cells):
        if text and place not in titled:
            template = N_("这一格在第 %(place)s 列，上面没有列名：多了一个逗号？")
            findings.mistakes.append(Mistake(line.number, "", text, template, {"place": place + 1}))
    return RowCells(line.number, texts, named, findings)


def _check_control_side(
    settings: Settings, checked: Checked, broken: Collection[str], findings: Findings
) -> None:
    side = settings.control_side
    if side not in ("supply", "return", *broken, *(point.signal for point, _ in checked)):
        template = N_("应为 supply、return 或点表里的一个信号")
        findings.mistakes.append(Mistake(None, "@control_side", side, template))


# --- decoding by hand ------------------------------------------------------------------------


def decode_words(point_map: PointMap, signal: str, words: Sequence[int]) -> Value:
    """The value of a signal from words typed in, as a read would show it.

    The words are those of the signal's row, or of each row that a merged or derived signal is
    made of, in the file's order; of coils and discrete inputs 0 and 1. Behind them may stand
    the words of the signals that it depends on (`scale_from`, then `when`), in the file's
    order. Without these a `scale_from` gives no value (quality `scale_from:<signal>`), and of
    several rows under different `when`s the first is meant. Raises ValueRefused for a signal
    that the map does not have and for words that cannot be its.
    """
    rows = _rows_behind(point_map, signal)
    if not rows:
        raise ValueRefused(N_("点表里没有信号 %(signal)s"), signal=signal)
    own = _spans(rows)
    context = [span for span in _spans(_context(point_map, rows)) if span not in own]
    if len(words) == _size(own + context):
        return _decoded(point_map, signal, rows, _memory(own + context, words))
    first = rows[0]
    if len({row.signal for row in rows}) == 1 and len(words) == first.count:
        _memory(own[:1], words)
        return decode(first, words)
    raise ValueRefused(
        N_("%(signal)s 要 %(count)s 个字，收到 %(got)s 个"),
        signal=signal,
        count=" / ".join(str(n) for n in dict.fromkeys((_size(own), _size(own + context)))),
        got=len(words),
    )


def _rows_behind(point_map: PointMap, signal: str) -> list[Point]:
    """The rows that a signal is read from: its own, or those that it is merged from."""
    names = {point.signal for point in point_map.points if point.readable}
    parts = {signal}
    if signal in faults.DERIVED and (signal not in names or signal != "fault_active"):
        parts = set(faults.parts_of(names, signal))
    found = [point for point in point_map.points if point.signal in parts]
    return [point for point in found if point.readable] or found


def _context(point_map: PointMap, rows: Sequence[Point]) -> list[Point]:
    """The rows of the signals that these depend on."""
    scales = [row.scale_from for row in rows if row.scale_from]
    conditions = [signal for row in rows for signal in row.when]
    named = dict.fromkeys(scales + conditions)
    return [point for signal in named for point in point_map.rows_of(signal) if point.readable]


_Span = tuple[Area, int, int]


def _spans(rows: Sequence[Point]) -> list[_Span]:
    """What the rows lie in: flags and rows under different conditions may share registers."""
    return list(dict.fromkeys((row.area, row.address, row.count) for row in rows))


def _size(spans: Sequence[_Span]) -> int:
    return sum(count for _, _, count in spans)


def _memory(spans: Sequence[_Span], words: Sequence[int]) -> dict[tuple[Area, int], int]:
    """The words by their place in the device."""
    places = [(area, start + n) for area, start, count in spans for n in range(count)]
    memory = dict(zip(places, words, strict=True))
    for (area, _), word in memory.items():
        highest = 1 if area in BIT_AREAS else 0xFFFF
        if not 0 <= word <= highest:
            template = N_("%(word)s 应在 0 到 %(highest)s 之间")
            raise ValueRefused(template, word=word, highest=highest)
    return memory


def _decoded(
    point_map: PointMap, signal: str, rows: list[Point], memory: dict[tuple[Area, int], int]
) -> Value:
    behind = [*rows, *(row for row in _context(point_map, rows) if row not in rows)]
    if not rows[0].readable:
        return decode(rows[0], list(memory.values()))
    part = plan(PointMap(point_map.settings, tuple(behind)))
    replies = [
        [memory.get((block.area, block.address + n), 0) for n in range(block.count)]
        for block in part.blocks
    ]
    values = part.decode_rows(replies)
    if signal not in values or signal in faults.DERIVED:
        return part.decode(replies)[signal]
    return values[signal]
