"""`line read | write | decode | scan`: for an engineer at a line; needs no database."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils.translation import gettext as _

from devices.management.arguments import Unusable, map_in, moved, number
from devices.modbus import blocks, frames, pointmap, scanning, visits, wires
from devices.modbus.pointmap import PointMap
from devices.modbus.points import Scalar, Value, ValueRefused
from devices.modbus.scanning import Scan
from devices.modbus.signals import unit_of
from devices.modbus.troubles import Trouble
from devices.modbus.words import N_

SCAN_TIMEOUT_S = 0.3
SCAN_TIMEOUT_DIAL_S = 2.0  # mobile networks take their time
INTERRUPTED = 130

Options = dict[str, Any]


@dataclass
class Answer:
    """What a command found: as JSON, as lines to read, and what is to be said beside it."""

    result: dict[str, Any]
    lines: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    code: int = 0


class Command(BaseCommand):
    """Results go to stdout, what went wrong to stderr and, with --json, to `errors` too."""

    help = "Read, write, decode and scan at a line (serial, tcp, mbap, dial), without a database."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        kinds = parser.add_subparsers(dest="what", required=True)
        _add_read(kinds.add_parser("read", help="all points of a unit; exit 1 if it is silent"))
        _add_write(
            kinds.add_parser(
                "write",
                help="one signal, until it is proven; exit 0 only if verified, or accepted where "
                "no proof can be",
            )
        )
        _add_decode(kinds.add_parser("decode", help="what raw words mean by a register map"))
        _add_scan(kinds.add_parser("scan", help="which addresses answer; Ctrl-C stops it"))
        for kind in kinds.choices.values():
            kind.add_argument("--json", action="store_true", dest="as_json")

    def handle(self, *args: object, **options: Any) -> None:
        work = _KINDS[options["what"]]
        try:
            answer = work(options)
        except (Trouble, ValueRefused, Unusable) as trouble:
            answer = _failed(options, str(trouble), 1)
        except KeyboardInterrupt:
            answer = _failed(options, _("已中断"), INTERRUPTED)
        for remark in answer.remarks:
            self.stderr.write(remark)
        lines = [_as_json(answer.result)] if options["as_json"] else answer.lines
        for line in lines:
            self.stdout.write(line)
        if answer.code:
            raise SystemExit(answer.code)


def _failed(options: Options, why: str, code: int) -> Answer:
    return Answer({**_NOTHING[options["what"]](options), "errors": [why]}, [], [why], code)


# --- what may be typed ---------------------------------------------------------------------


def _add_line(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--url",
        required=True,
        help="serial:///dev/ttyUSB0?baud=9600&parity=N, tcp://host:port (RTU over TCP), "
        "mbap://host:port (Modbus TCP), dial://ID?listen=host:port",
    )


def _add_unit(parser: argparse.ArgumentParser) -> None:
    _add_line(parser)
    parser.add_argument("--unit", type=number, required=True, help="unit address")
    parser.add_argument("--map", type=Path, required=True, help="register-map file")
    parser.add_argument("--module", type=number, help="module behind the address, from 1")
    parser.add_argument(
        "--on-record",
        action="store_true",
        help="a unit is known to have this two-byte address, though one-byte units could take it "
        "for a write",
    )


def _add_read(parser: argparse.ArgumentParser) -> None:
    _add_unit(parser)


def _add_write(parser: argparse.ArgumentParser) -> None:
    _add_unit(parser)
    parser.add_argument("--signal", required=True)
    parser.add_argument("--value", required=True, help="number, label, on/off, true/false, 开/关")


def _add_decode(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--map", type=Path, required=True, help="register-map file")
    parser.add_argument("--signal", required=True)
    parser.add_argument("--words", nargs="+", type=number, required=True, help="0xFFBD or 65469")


def _add_scan(parser: argparse.ArgumentParser) -> None:
    _add_line(parser)
    parser.add_argument("--map", type=Path, help="tells the address width and a point to ask for")
    parser.add_argument("--from", type=number, dest="first", help="first address")
    parser.add_argument("--to", type=number, dest="last", help="last address")
    parser.add_argument("--timeout", type=_seconds, help="seconds to wait at each address")


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.02 <= seconds <= 30:
        raise argparse.ArgumentTypeError(_("应为 0.02～30 秒"))
    return seconds


def _map_of(options: Options) -> PointMap:
    """The map of --map, moved to its --module."""
    return moved(map_in(options["map"]), options.get("module"))


# --- read ----------------------------------------------------------------------------------


def _read(options: Options) -> Answer:
    map = _map_of(options)
    visit = asyncio.run(_reading(options, map))
    points = {signal: _point(map, signal, value) for signal, value in visit.points.items()}
    errors = [str(error) for error in visit.errors]
    result = {
        "unit": options["unit"],
        "points": points,
        "requests": visit.requests,
        "errors": errors,
    }
    if not visit.answered:
        return Answer(result, [], errors, 1)
    return Answer(result, _table(points), errors)


async def _reading(options: Options, map: PointMap) -> visits.UnitRead:
    wire = wires.wire_of(options["url"], map.settings)
    async with wires.connected(wire.url, _greeting(options, map, wire)) as transport:
        line = wires.line_on(transport, wire, _on_record(options))
        timeout = map.settings.reply_timeout_ms / 1000
        return await visits.read(line, options["unit"], blocks.plan(map), timeout=timeout)


def _greeting(options: Options, map: PointMap, wire: wires.Wire) -> bytes:
    """What a transmitter is asked that does not say by itself who it is."""
    questions = [(options["unit"], block) for block in blocks.plan(map).blocks[:1]]
    return wires.greeting(wires.framing_of(wire, _on_record(options)), questions)


def _on_record(options: Options) -> tuple[int, ...]:
    return (options["unit"],) if options["on_record"] else ()


def _point(map: PointMap, signal: str, value: Value) -> dict[str, Any]:
    rows = map.rows_of(signal)
    point = {
        "value": value.value,
        "unit": rows[0].unit if rows else unit_of(signal),
        "quality": value.quality,
    }
    return point | ({"raw": value.raw} if value.raw else {})


def _table(points: dict[str, dict[str, Any]]) -> list[str]:
    width = max(map(len, points), default=0)
    return [
        f"{signal:<{width}}  {_shown(point['value'])} {point['unit']}".rstrip()
        if point["quality"] == "good"
        else f"{signal:<{width}}  —  {point['quality']}  {point.get('raw', '')}".rstrip()
        for signal, point in points.items()
    ]


def _shown(value: Scalar) -> str:
    if value is None:
        return "—"
    if isinstance(value, bool):
        return _("开") if value else _("关")
    if isinstance(value, list):
        return "、".join(value) or _("无")
    return f"{value:.15g}" if isinstance(value, float) else str(value)


# --- write ---------------------------------------------------------------------------------


def _write(options: Options) -> Answer:
    written = asyncio.run(_writing(options, _map_of(options)))
    result: dict[str, Any] = {
        "state": written.state,
        "sent": written.sent,
        "read_back": written.read_back,
    }
    notes = [str(note) for note in written.notes]
    shown = {name: _shown(result[name]) for name in ("sent", "read_back")}
    lines = [_(_STATES[written.state]) % shown]
    if written.state not in ("verified", "accepted"):
        return Answer(result | {"errors": notes}, lines, notes, 1)
    return Answer(result | ({"notes": notes} if notes else {}), lines, notes)


async def _writing(options: Options, map: PointMap) -> visits.WriteResult:
    """A write that has begun is brought to its end, whoever presses Ctrl-C."""
    wire = wires.wire_of(options["url"], map.settings)
    async with wires.connected(wire.url, _greeting(options, map, wire)) as transport:
        line = wires.line_on(transport, wire, _on_record(options))
        task = asyncio.ensure_future(
            visits.write(line, options["unit"], map, options["signal"], options["value"])
        )
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            print(_("已收到中断，等写入收尾"), file=sys.stderr)
            return await task


_STATES = {
    "verified": N_("已回读确认：%(read_back)s"),
    "accepted": N_("已受理（无法回读）：%(sent)s"),
    "refused": N_("没有写入：被拒绝"),
    "failed": N_("写入没有成功：发出 %(sent)s，读回 %(read_back)s"),
    "unknown": N_("结果待核实：发出 %(sent)s，没有可靠的回读，请勿重复写入，先读取核对"),
}


# --- decode --------------------------------------------------------------------------------


def _decode(options: Options) -> Answer:
    value = pointmap.decode_words(_map_of(options), options["signal"], options["words"])
    result = {"value": value.value, "quality": value.quality}
    return Answer(result, [f"{_shown(value.value)}  {value.quality}"])


# --- scan ----------------------------------------------------------------------------------


def _scan(options: Options) -> Answer:
    found = Scan()
    why, code = "", 0
    try:
        asyncio.run(_scanning(options, found))
    except KeyboardInterrupt:
        why, code = _("已中断，结果不全"), INTERRUPTED
    except (Trouble, Unusable) as trouble:
        why, code = str(trouble), 1
    errors = [why] if why else []
    return Answer(_scanned(found) | {"errors": errors}, _scan_lines(found), errors, code)


async def _scanning(options: Options, found: Scan) -> None:
    map = _map_of(options) if options["map"] else None
    wire = wires.wire_of(options["url"], map.settings if map else None)
    addresses = scanning.addresses_of(wire.width, wire.order, options["first"], options["last"])
    dial = wire.url.scheme == "dial"
    timeout = options["timeout"] or (SCAN_TIMEOUT_DIAL_S if dial else SCAN_TIMEOUT_S)
    async with wires.connected(wire.url) as transport:
        if wire.width == 2:
            await scanning.make_sure_of_two_bytes(transport, wire, timeout)
        line = wires.line_on(transport, wire, quiet_s=timeout)
        await scanning.scan(line, addresses, _question(map), found, timeout=timeout)


def _question(map: PointMap | None) -> frames.Request:
    """What each address is asked: the map's first readable point, else holding register 0."""
    for point in map.points if map else ():
        if point.readable:
            return frames.read(point.area, point.address, point.count)
    return frames.read("holding", 0, 1)


def _scanned(found: Scan) -> dict[str, Any]:
    units = [{"unit": unit, "answer": answer} for unit, answer in found.found.items()]
    return {"units": units, "asked": found.asked, "noise": found.noise}


def _scan_lines(found: Scan) -> list[str]:
    lines = [f"{unit}  {answer}" for unit, answer in found.found.items()]
    if found.noise:
        at = "、".join(map(str, found.noise))
        lines.append(_("这些地址上收到无法识别的字节（速率不符或地址重复）：%s") % at)
    counts = {"asked": found.asked, "found": len(found.found)}
    return [*lines, _("问过 %(asked)d 个地址，%(found)d 台有应答") % counts]


_KINDS: dict[str, Callable[[Options], Answer]] = {
    "read": _read,
    "write": _write,
    "decode": _decode,
    "scan": _scan,
}
_NOTHING: dict[str, Callable[[Options], dict[str, Any]]] = {
    "read": lambda options: {"unit": options["unit"], "points": {}, "requests": 0},
    "write": lambda options: {"state": "refused", "sent": None, "read_back": None},
    "decode": lambda options: {"value": None, "quality": None},
    "scan": lambda options: _scanned(Scan()),
}


def _as_json(result: dict[str, Any]) -> str:
    return json.dumps(result, ensure_ascii=False, allow_nan=False)
