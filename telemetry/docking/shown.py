"""A run of the bench as its page shows it: steps, headline figures, the seven readings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from devices.modbus import bench
from devices.modbus.bench import Kind, Result, Step
from devices.modbus.bench.panel import ALIKE_K
from devices.modbus.bench.results import unpacked
from devices.modbus.signals import SEVEN
from devices.models import RegisterMap
from telemetry import points
from telemetry.docking.runs import UNDER_WAY
from telemetry.docking.words import spoken
from telemetry.latest import Form, form_of
from telemetry.models import DockingStep, DockingStepState, DockingTest

S = DockingStepState
SHAPES = {
    S.OPEN: "st-wait",
    S.QUEUED: "st-wait",
    S.RUNNING: "st-run",
    S.PASSED: "st-ok",
    S.FAILED: "st-bad",
    S.UNPROVEN: "st-unk",
    S.NOT_APPLICABLE: "st-none",
}
DONE = (S.PASSED, S.FAILED, S.UNPROVEN, S.NOT_APPLICABLE)
PROBING = ("addresses", "exceptions", "max_read")  # steps that want silence and refusals


@dataclass(frozen=True)
class Try:
    """A former verdict of a step that was run again."""

    at: datetime
    shape: str
    state: str
    finding: str

    @classmethod
    def of(cls, state: str, at: str, finding: list[Any]) -> Try:
        known = DockingStepState(state)
        moment = datetime.fromisoformat(at)
        return cls(moment, SHAPES[known], str(known.label), spoken(unpacked(finding)))


@dataclass(frozen=True)
class Row:
    """One step of the plan and how it stands in a run."""

    kept: DockingStep
    step: Step
    result: Result | None

    @classmethod
    def of(cls, kept: DockingStep) -> Row:
        result = Result.from_json(kept.result) if kept.result else None
        return cls(kept, bench.step(kept.key), result)

    @property
    def title(self) -> str:
        """As lists name it: a step by hand says so."""
        name = spoken(self.step.title)
        return _("%(step)s（人工）") % {"step": name} if self.is_by_hand else name

    @property
    def hint(self) -> str:
        return spoken(self.step.hint)

    @property
    def is_by_hand(self) -> bool:
        return self.step.kind == Kind.HAND

    @property
    def is_long(self) -> bool:
        """Whether it goes on for hours, while the sample is read as usual."""
        return self.step.kind == Kind.LONG

    @property
    def shape(self) -> str:
        return SHAPES[DockingStepState(self.kept.state)]

    @property
    def is_done(self) -> bool:
        return self.kept.state in DONE

    @property
    def is_under_way(self) -> bool:
        return self.kept.state in UNDER_WAY

    @property
    def is_failed(self) -> bool:
        return self.kept.state == S.FAILED

    @property
    def said(self) -> str:
        """What the list says of it: the finding, what it is about just now, or what is to come."""
        if self.is_under_way:
            return self.now or self.kept.get_state_display()
        if self.result and self.is_done:
            return spoken(self.result.finding)
        return self.now or (self.hint if self.is_by_hand else _about(*self.seconds))

    @property
    def now(self) -> str:
        """What the step is about just now, or why it waits; empty where it says nothing."""
        return spoken(unpacked(self.kept.progress)) if self.kept.progress else ""

    @property
    def seconds(self) -> tuple[float, float]:
        """How long it takes, least and most, by the map that is tested."""
        test = self.kept.test
        return self.step.seconds(
            test.sample.register_map.parsed(), bench.Options(soak_s=test.soak_s)
        )

    @property
    def finding(self) -> str:
        return spoken(self.result.finding) if self.result else ""

    @property
    def details(self) -> list[tuple[str, str]]:
        """Label and text: 写入, 回读, 恢复."""
        return [(spoken(k), spoken(v)) for k, v in self.result.details] if self.result else []

    @property
    def advice(self) -> str:
        """What the maker must change."""
        return spoken(self.result.advice) if self.result and self.result.advice else ""

    @property
    def figures(self) -> Mapping[str, Any]:
        return self.result.figures if self.result else {}

    @property
    def earlier(self) -> list[Try]:
        """What former tries of this step found, the oldest first."""
        return [Try.of(*one) for one in self.kept.result.get("earlier", [])]


def _about(least: float, most: float) -> str:
    if least >= 5400:
        hours = f"{least / 3600:.1f}".removesuffix(".0")
        return _("约 %(n)s 小时") % {"n": hours}
    few, many = (max(1, round(seconds / 60)) for seconds in (least, most))
    if few == many:
        return _("约 %(n)d 分") % {"n": few}
    return _("约 %(few)d～%(many)d 分") % {"few": few, "many": many}


def rows_of(run: DockingTest) -> list[Row]:
    """The run's steps in their order, without their frames: those are many."""
    return [Row.of(kept) for kept in run.steps.defer("frames").order_by("place")]


@dataclass(frozen=True)
class Figures:
    """What stands on top of the page. Times in milliseconds; None where not measured yet.

    `spoilt` of `asked` requests got a wrong frame or none; steps that provoke that do not count.
    """

    total: int
    passed: int
    failed: int
    unproven: int
    not_applicable: int
    p50_ms: float | None
    p99_ms: float | None
    asked: int
    spoilt: int

    @classmethod
    def of(cls, rows: Iterable[Row]) -> Figures:
        every = list(rows)
        figures = [row.figures for row in every if row.kept.key not in PROBING]
        times = next((f for f in figures if "p99_ms" in f), {})
        count = {state: sum(row.kept.state == state for row in every) for state in DONE}
        return cls(
            total=len(every),
            passed=count[S.PASSED],
            failed=count[S.FAILED],
            unproven=count[S.UNPROVEN],
            not_applicable=count[S.NOT_APPLICABLE],
            p50_ms=times.get("p50_ms"),
            p99_ms=times.get("p99_ms"),
            asked=sum(f.get("requests", 0) for f in figures),
            spoilt=sum(f.get("timeouts", 0) + f.get("wrong_frames", 0) for f in figures),
        )

    @property
    def done(self) -> int:
        return self.passed + self.failed + self.unproven + self.not_applicable


@dataclass(frozen=True)
class Reading:
    """One of the seven readings: the platform's value beside the panel's."""

    label: str
    platform: str
    panel: str
    difference: str
    raw: str
    shape: str
    words: str
    is_compared: bool


def readings_of(rows: Iterable[Row], register_map: RegisterMap, medium: str) -> list[Reading]:
    """The seven readings as the run knows them; those compared with the panel as they were then."""
    by_key = {row.kept.key: row for row in rows}
    read = by_key["readings"].figures.get("readings", {}) if "readings" in by_key else {}
    panel = by_key["panel"].kept.entered if "panel" in by_key else {}
    proven = "resistor" in by_key and by_key["resistor"].kept.state == S.PASSED
    form = form_of(register_map)
    return [
        _reading(signal, medium, form, read.get(signal) or {}, panel, proven) for signal in SEVEN
    ]


def _reading(
    signal: str,
    medium: str,
    form: Form,
    read: Mapping[str, Any],
    entered: Mapping[str, Any],
    proven: bool,
) -> Reading:
    frozen = entered.get("platform", {}).get(signal)
    entry, typed = frozen or read, entered.get("values", {}).get(signal)
    gap = difference(entry.get("value"), typed)
    shape, words = _verdict(signal, entry, typed, gap, proven)
    return Reading(
        label=points.label(signal, medium),
        platform=valued(signal, entry.get("value"), form),
        panel=_("未填") if typed is None else valued(signal, typed, form),
        difference="—" if gap is None else f"{points.number(gap, 1)} K",
        raw=entry.get("raw") or read.get("raw") or "—",
        shape=shape,
        words=words,
        is_compared=typed is not None,
    )


def _verdict(
    signal: str, entry: Mapping[str, Any], typed: Any, gap: float | None, proven: bool
) -> tuple[str, str]:
    """Shape and words of what is known of one reading."""
    if not entry:
        return "st-wait", _("未开始")
    if entry.get("quality", "good") != "good":
        return points.quality_label(entry["quality"])
    if typed is not None:
        agrees = abs(gap) <= ALIKE_K if gap is not None else typed == entry["value"]
        return ("st-ok", _("与面板一致")) if agrees else ("st-bad", _("与面板不符"))
    if signal == "outdoor_temp" and entry["value"] >= 0 and not proven:
        return "st-unk", _("负温待“电阻箱负温”一步验证")
    return "st-ok", _("合理")


def difference(value: Any, typed: Any) -> float | None:
    """Platform less panel, in K; None for what is no temperature."""
    numbers = all(isinstance(n, int | float) and not isinstance(n, bool) for n in (value, typed))
    return float(value) - float(typed) if numbers else None


def valued(signal: str, value: Any, form: Form) -> str:
    """A value with its unit, as the register map writes it."""
    text = points.show(signal, value, form.digits.get(signal))
    unit = form.units.get(signal, "")
    return f"{text} {unit}".strip() if isinstance(value, int | float) and unit else text
