"""`docking bench`: the test bench at a line, for an engineer and a maker; needs no database."""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.utils.translation import gettext as _

from devices.management.arguments import Unusable, map_in, moved, number
from devices.modbus import blocks, wires
from devices.modbus.bench import STEPS, Bench, Evidence, Kind, Options, Result, Step, run, step
from devices.modbus.bench.hand import judge
from devices.modbus.bench.owed_file import OwedFile
from devices.modbus.bench.writes import DirectWrites
from devices.modbus.pointmap import PointMap
from devices.modbus.signals import SEVEN
from devices.modbus.transports import Transport
from devices.modbus.troubles import Trouble
from devices.modbus.words import N_, Sentence

INTERRUPTED = 130
TRIES = 3  # of a step that the line broke off
LINE_WAIT_S = 60.0
USUAL = Options(silence_s=60)
MARKS = {
    "passed": N_("通过"),
    "failed": N_("未通过"),
    "unproven": N_("未验证"),
    "not_applicable": N_("不适用"),
    "broken_off": N_("中断"),
}


@dataclass(frozen=True)
class Run:
    """A step that was run: its result, its frames, how long it took (s)."""

    step: Step
    result: Result
    evidence: Evidence
    seconds: float

    def as_json(self) -> dict[str, Any]:
        """With its texts as they are read."""
        result = self.result
        return {
            "key": self.step.key,
            "title": str(self.step.title),
            "state": result.state,
            "finding": str(result.finding),
            "details": [[str(label), str(text)] for label, text in result.details],
            "advice": str(result.advice) if result.advice else None,
            "figures": dict(result.figures),
            "seconds": round(self.seconds, 1),
            "frames": self.evidence.frames,
            "frames_left_out": self.evidence.left_out,
        }


@dataclass
class Course:
    """What has come of a run so far; an interrupted one has what it reached."""

    runs: list[Run] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether no step failed or was broken off, and everything was put back."""
        states = {run.result.state for run in self.runs}
        return bool(self.runs) and not self.errors and states.isdisjoint(("failed", "broken_off"))

    def as_json(self) -> dict[str, Any]:
        return {
            "passed": self.passed,
            "steps": [run.as_json() for run in self.runs],
            "errors": self.errors,
        }


class Command(BaseCommand):
    """Steps go to stdout as they end (with --json all at the end), progress to stderr."""

    help = "Run the steps of supplier docking on a sample at a line, without a database."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        kinds = parser.add_subparsers(dest="what", required=True)
        bench = kinds.add_parser(
            "bench",
            help="test a sample; what is written is put back; exit 1 if a step failed",
        )
        _add_sample(bench)
        _add_course(bench)

    def handle(self, *args: object, **options: Any) -> None:
        course = Course()
        code = 0
        try:
            with _ended_like_ctrl_c():
                asyncio.run(self._bench(options, course))
        except (Trouble, Unusable) as trouble:
            course.errors.append(str(trouble))
        except KeyboardInterrupt:
            course.errors.append(_("已中断"))
            code = INTERRUPTED
        for error in course.errors:
            self.stderr.write(error)
        if options["as_json"]:
            self.stdout.write(json.dumps(course.as_json(), ensure_ascii=False, allow_nan=False))
        if code or not course.passed:
            raise SystemExit(code or 1)

    async def _bench(self, options: dict[str, Any], course: Course) -> None:
        map = map_in(options["map"])
        moved(map, options["module"])  # refused before anything is sent
        steps, adjusted = list(_wanted(options)), _adjusted(options)
        typed = _typed(options["panel"], map) if options["panel"] else None
        wire = wires.wire_of(options["url"], map.settings)
        on_record = _addresses(options) if options["on_record"] else ()
        question = [(options["address"], block) for block in blocks.plan(map).blocks[:1]]
        greeting = wires.greeting(wires.framing_of(wire, on_record), question)
        async with wires.connected(wire.url, greeting) as transport:
            transport.keep()
            line = wires.line_on(transport, wire, on_record)
            file = _owed_file(options)
            writes = DirectWrites(
                line, options["address"], map, module=options["module"], file=file
            )
            bench = Bench(
                line=line,
                address=options["address"],
                map=map,
                module=options["module"],
                writes=writes,
                options=adjusted,
                say=lambda progress: self._tell(options, progress),
            )
            try:
                await self._settle_former(writes)
                self._announce(options, steps, map, adjusted)
                await self._run_all(bench, transport, writes, steps, typed, options, course)
            finally:
                if writes.owed:
                    self.stderr.write(_("正在恢复测试前的值：%s") % "、".join(writes.owed))
                for owed in await writes.restore_all():
                    course.errors.append(_("没有恢复到测试前的值：%s，请到现场检查") % owed)

    async def _settle_former(self, writes: DirectWrites) -> None:
        """Put back what a run owed that was killed."""
        if writes.owed:
            self.stderr.write(_("上次测试中断，正在恢复当时的值：%s") % "、".join(writes.owed))
            await writes.restore_all(LINE_WAIT_S)

    def _announce(
        self, options: dict[str, Any], steps: list[Step], map: PointMap, adjusted: Options
    ) -> None:
        """How long it will take, before it begins."""
        if not options["verbosity"] or not steps:
            return
        spans = zip(*[one.seconds(map, adjusted) for one in steps], strict=True)
        least, most = (max(1, round(sum(ends) / 60)) for ends in spans)
        stated = map.settings.reply_timeout_ms
        self.stderr.write(
            _("约 %(least)d 分；样机每次应答都用满点表的 %(ms)d ms 时，至多 %(most)d 分")
            % {"least": least, "most": most, "ms": stated}
        )

    async def _run_all(
        self,
        bench: Bench,
        transport: Transport,
        writes: DirectWrites,
        steps: list[Step],
        typed: Mapping[str, Any] | None,
        options: dict[str, Any],
        course: Course,
    ) -> None:
        for one in steps:
            self._tell(options, one.title)
            course.runs.append(await _until_done(one, bench, transport, writes))
            self._show(options, course.runs[-1])
        if typed is not None:
            course.runs.append(await _panel(bench, typed))
            self._show(options, course.runs[-1])

    def _tell(self, options: dict[str, Any], progress: Sentence) -> None:
        if options["verbosity"] and self.stderr.isatty():
            self.stderr.write(f"… {progress}")

    def _show(self, options: dict[str, Any], run: Run) -> None:
        if options["as_json"]:
            return
        result = run.result
        mark = _(MARKS[result.state])
        self.stdout.write(f"{mark}  {run.step.title}  {result.finding}  {run.seconds:.1f} s")
        if result.state != "passed" or options["verbosity"] > 1:
            for label, text in result.details:
                self.stdout.write(f"      {label}  {text}")
        if result.advice:
            self.stdout.write(f"      {_('厂家须改')}  {result.advice}")
        self.stdout.flush()


# --- what may be typed --------------------------------------------------------------------------


def _add_sample(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("map", type=Path, help="register-map file")
    parser.add_argument(
        "url", help="serial:///dev/ttyUSB0, tcp://host:port, mbap://host:port, dial://ID?listen=…"
    )
    parser.add_argument("--address", type=number, required=True, help="the sample's unit address")
    parser.add_argument("--second", type=number, help="address of a second unit on the line")
    parser.add_argument("--module", type=number, help="module behind the address, from 1")
    parser.add_argument(
        "--on-record",
        action="store_true",
        help="the two-byte addresses are known to be right, though one-byte units could take them "
        "for a write",
    )
    parser.add_argument(
        "--known",
        metavar="AREA:ADDRESS=WORD",
        help="a register whose word the maker knows; the address as on the wire",
    )


def _add_course(parser: argparse.ArgumentParser) -> None:
    keys = ",".join(one.key for one in STEPS if one.run)
    parser.add_argument("--only", help=f"steps, parted by commas: {keys}")
    parser.add_argument("--soak", type=float, metavar="S", help="run the long steps too; seconds")
    parser.add_argument("--share", type=float, help="share of polls that must succeed, e.g. 0.98")
    parser.add_argument("--hold", type=float, metavar="S", help="how long a value must hold")
    parser.add_argument("--silence", type=float, metavar="S", help="how long nothing is asked")
    parser.add_argument("--fault-wait", type=float, metavar="S", help="wait for a fault to be made")
    parser.add_argument("--replies", type=number, help="how many replies are timed")
    parser.add_argument(
        "--panel", type=Path, help='JSON of what the panel shows: {"supply_temp": 43.0, …}'
    )
    parser.add_argument("--json", action="store_true", dest="as_json")


def _addresses(options: dict[str, Any]) -> tuple[int, ...]:
    second = options["second"]
    return (options["address"],) if second is None else (options["address"], second)


def _wanted(options: dict[str, Any]) -> Iterator[Step]:
    """The steps to run, in the plan's order: those of --only, else all that are automatic, with
    --soak the long ones too."""
    if options["only"] is None:
        kinds = {Kind.AUTO} | ({Kind.LONG} if options["soak"] is not None else set())
        yield from (one for one in STEPS if one.run and one.kind in kinds)
        return
    keys = [key.strip() for key in options["only"].split(",") if key.strip()]
    for key in keys:
        if not any(one.key == key and one.run for one in STEPS):
            raise Unusable(_("没有这个自动步骤：%s") % key)
    yield from (one for one in STEPS if one.key in keys)


def _adjusted(options: dict[str, Any]) -> Options:
    typed = {
        "second_address": options["second"],
        "soak_s": options["soak"],
        "soak_share": options["share"],
        "hold_s": options["hold"],
        "silence_s": options["silence"],
        "fault_wait_s": options["fault_wait"],
        "replies": options["replies"],
        "known": _known(options["known"]) if options["known"] else None,
    }
    if any(isinstance(value, int | float) and value < 0 for value in typed.values()):
        raise Unusable(_("秒数、次数不能是负数"))
    given = {name: value for name, value in typed.items() if value is not None}
    if "soak_s" in given:
        given["soak_interval_s"] = min(USUAL.soak_interval_s, max(1.0, given["soak_s"] / 20))
    return Options(**{"silence_s": USUAL.silence_s, **given})


def _known(text: str) -> tuple[str, int, int]:
    area, _colon, rest = text.partition(":")
    address, _sign, word = rest.partition("=")
    try:
        known = area.strip(), number(address), number(word)
    except argparse.ArgumentTypeError as wrong:
        raise Unusable(str(wrong)) from None
    if known[0] not in ("coil", "discrete", "input", "holding"):
        raise Unusable(_("已知寄存器写作 holding:100=0x01AF"))
    return known


def _typed(file: Path, map: PointMap) -> dict[str, Any]:
    """What the panel shows, by signal; raises Unusable."""
    try:
        typed = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as wrong:
        raise Unusable(
            _("读不了面板文件 %(file)s：%(why)s") % {"file": file, "why": wrong}
        ) from None
    if not isinstance(typed, dict) or not set(typed) <= set(SEVEN):
        raise Unusable(_("面板文件是一个 JSON 对象，信号只能是 %s") % "、".join(SEVEN))
    return typed


@contextmanager
def _ended_like_ctrl_c() -> Iterator[None]:
    """However the command is ended, it puts back first what it wrote."""
    endings = (signal.SIGTERM, signal.SIGHUP)
    former = [
        signal.signal(ending, lambda number, frame: signal.raise_signal(signal.SIGINT))
        for ending in endings
    ]
    try:
        yield
    finally:
        for ending, handler in zip(endings, former, strict=True):
            signal.signal(ending, handler)


def _owed_file(options: dict[str, Any]) -> OwedFile:
    """Where it is kept what this sample is owed; raises Unusable where nothing can be."""
    sample = f"{options['url']} {options['address']} {options['module']}"
    name = hashlib.sha256(sample.encode()).hexdigest()[:16]
    file = OwedFile(Path(settings.VAR_DIR) / "bench" / f"{name}.json")
    try:
        file.keep(file.read())
    except OSError as wrong:
        raise Unusable(
            _("无法记下测试前的值，没有测试：%(file)s（%(why)s）")
            % {"file": file.path, "why": wrong.strerror}
        ) from None
    return file


# --- running ------------------------------------------------------------------------------------


async def _until_done(one: Step, bench: Bench, transport: Transport, writes: DirectWrites) -> Run:
    """A step, run again where the line broke it off, once that is there again and the sample as
    it was."""
    begun = time.monotonic()
    for attempt in range(1, TRIES + 1):
        result, evidence = await run(one, bench)
        if result.state != "broken_off" or attempt == TRIES:
            break
        await _line_again(transport)
        await writes.restore_all(LINE_WAIT_S)
    return Run(one, result, evidence, time.monotonic() - begun)


async def _line_again(transport: Transport) -> None:
    end = time.monotonic() + LINE_WAIT_S
    while not transport.connected and time.monotonic() < end:
        await asyncio.sleep(0.2)


async def _panel(bench: Bench, typed: Mapping[str, Any]) -> Run:
    """The panel's values beside what is read at this moment."""
    begun, evidence = time.monotonic(), Evidence()
    with evidence.of(bench.line):
        visit = await bench.read()
    platform = {
        signal: {"value": value.value, "quality": value.quality, "raw": value.raw}
        for signal in SEVEN
        if (value := visit.points.get(signal))
    }
    result = judge("panel", bench.here, {"values": typed, "platform": platform})
    return Run(step("panel"), result, evidence, time.monotonic() - begun)
