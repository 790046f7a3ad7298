"""What the units of the demonstration told in the past days, and what was asked of them.

The readings come from the simulator's own model, through its registers, and the houses are handed
on to the running simulator as they are at the end: live values go on where the history stops.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.backends.utils import CursorWrapper
from psycopg2.extras import execute_batch

from devices.modbus.points import Value
from devices.modbus.simulator.history import States, history, save_states
from devices.models import Unit
from heating_platform.demonstration import farm
from heating_platform.demonstration.farm import Planned
from households import clock
from households.models import User
from telemetry import hours, partitions, storing
from telemetry.models import Command, CommandState, IntervalInForce
from telemetry.rows import LatestStates, Missed, Polled, hour_of, parted, reading_line

COARSE_S, FINE_S = 900, 60
JUST_NOW = timedelta(seconds=10)  # the newest reading is that old when the platform starts
LOST_SHARE = 0.003  # of the polls of a unit that answers
HOUR = timedelta(hours=1)
AT_FIRST = HOUR  # every unit is heard of then: it was commissioned


@dataclass(frozen=True)
class Gap:
    """Why the units from `first` to `last` told nothing for some hours; no cause: nobody asked."""

    first: int
    last: int
    hours_ago: float
    hours: float
    cause: str | None

    def covers(self, hours_ago: float) -> bool:
        return self.hours_ago - self.hours < hours_ago <= self.hours_ago


FOR_EVER = 1e9
GAPS = (
    Gap(0, farm.COUNT, 5 * 24, 0.7, None),  # the line worker stood still
    Gap(farm.COUNT - farm.ON_RS485, farm.COUNT, 3 * 24, 1.5, "line_down"),
    Gap(0, 30, 7 * 24, 4, "line_down"),  # no mobile network in a part of the village
    Gap(100, 103, 15, 2.5, "line_down"),
    *(
        Gap(unit, unit, since, FOR_EVER, "not_answered")
        for unit, since in farm.SILENT_SINCE.items()
    ),
)


@dataclass(frozen=True)
class Span:
    """From when to when, and from when on polled every minute; at full hours but the end."""

    begin: datetime
    fine_from: datetime
    end: datetime

    @classmethod
    def of_the_past(cls) -> Span:
        """So many hours as the settings say until just now, the last day every minute."""
        end = clock.now() - JUST_NOW
        hour = end.replace(minute=0, second=0, microsecond=0)
        begin = hour - settings.DEMO_PAST_HOURS * HOUR
        return cls(begin, max(begin, hour - timedelta(days=1)), end)

    def interval_s(self, at: datetime) -> int:
        return COARSE_S if at < self.fine_from else FINE_S


def fill(units: Sequence[Unit], span: Span, state: Path) -> None:
    """Readings, misses, latest states and hours of all units; the houses go to the file `state`."""
    partitions.ensure(span.begin.astimezone(clock.SHANGHAI).date())
    states: States = {}
    newest: list[bytes] = []
    misses: Counter[tuple[int, str, str]] = Counter()
    with connection.cursor() as cursor:
        for plan, unit, spec in zip(farm.planned(), units, farm.specs(), strict=True):
            begin = span.begin + timedelta(seconds=_phase(plan) - COARSE_S)  # one step before
            told = history(spec, begin, span.end, fine_from=span.fine_from, states=states)
            rows = list(_polls(plan, unit, told, span))
            _copy_readings(cursor, rows)
            newest.append(_latest(rows))
            misses.update(_missed(rows))
        _copy_states(cursor, newest)
        execute_batch(cursor, storing.ADD_MISSES, [(*key, n) for key, n in misses.items()])
    _date_intervals(units, span)
    _sum_up(span)
    save_states(state, states)


def _phase(plan: Planned) -> int:
    """Seconds into the interval at which the unit is polled: spread, in the model's grid of 10."""
    return plan.index * 47 % (COARSE_S // 10) * 10


def _polls(
    plan: Planned, unit: Unit, told: Iterator[tuple[datetime, dict[str, Any]]], span: Span
) -> Iterator[Polled | Missed]:
    """Every poll of the unit with what it brought; a poll that nobody made is left out."""
    dice = Random(plan.index)
    gaps = [gap for gap in GAPS if gap.first <= plan.index <= gap.last]
    told_last: dict[str, Value] = {}  # most of what a unit tells is what it told before
    for at, values in told:
        ago = (span.end - at) / HOUR
        heard = at < span.begin + AT_FIRST
        gap = next((gap for gap in gaps if gap.covers(ago) and not heard), None)
        if gap is None and dice.random() >= LOST_SHARE:
            for name, value in values.items():
                if name not in told_last or told_last[name].value != value:
                    told_last[name] = Value(value)
            yield Polled(
                unit.pk, at, span.interval_s(at), {name: told_last[name] for name in values}
            )
        elif gap is None or gap.cause:
            cause = gap.cause if gap and gap.cause else "not_answered"
            yield Missed(unit.pk, at, span.interval_s(at), cause)


def _copy_readings(cursor: CursorWrapper, rows: list[Polled | Missed]) -> None:
    lines = [reading_line(row, *parted(row)) for row in rows if isinstance(row, Polled)]
    storing.copy(cursor, storing.COPY_READINGS, lines)


def _latest(rows: list[Polled | Missed]) -> bytes:
    """The line of the unit's latest state, as the writer of a line worker makes it."""
    answered = next((row for row in reversed(rows) if isinstance(row, Polled)), None)
    latest = LatestStates()
    if answered:
        latest.take(answered, *parted(answered))
    return latest.line(rows[-1], answered)


def _missed(rows: list[Polled | Missed]) -> Iterator[tuple[int, str, str]]:
    for row in rows:
        if isinstance(row, Missed):
            yield row.unit_id, hour_of(row.at), row.cause


def _copy_states(cursor: CursorWrapper, lines: list[bytes]) -> None:
    cursor.execute(storing.MAKE_STATES)
    storing.copy(cursor, storing.COPY_STATES, lines)
    cursor.execute(storing.MERGE_STATES)


def _sum_up(span: Span) -> None:
    count = int((span.end - span.begin) / HOUR) + 1
    each = [span.begin + n * HOUR for n in range(count)]
    hours.recompute(each)


def _date_intervals(units: Sequence[Unit], span: Span) -> None:
    why = IntervalInForce.Why.DEFAULT
    IntervalInForce.objects.bulk_create(
        IntervalInForce(unit=unit, since=since, interval_s=span.interval_s(since), why=why)
        for unit in units
        for since in {span.begin, span.fine_from}  # one where all of it is fine
    )


# -- commands ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Asked:
    """A past command: of which unit, how long ago, and how it ended.

    What changed a setting lies before the history begins; what changed nothing may be younger.
    `target` and `before` None stand for the unit's present value.
    """

    index: int
    signal: str
    days_ago: float
    state: CommandState
    target: Any = None
    before: Any = None
    reason: Command.Reason = Command.Reason.USER
    detail: str = ""


ASKED = (
    Asked(184, "indoor_temp_setpoint", 17.2, CommandState.VERIFIED, before=16.0),
    Asked(184, "supply_temp_setpoint", 16.9, CommandState.VERIFIED, before=40.0),
    Asked(184, "alarm_reset", 2.1, CommandState.VERIFIED, True, reason=Command.Reason.SERVICE),
    Asked(0, "indoor_temp_setpoint", 15.4, CommandState.VERIFIED, before=16.0),
    Asked(0, "indoor_temp_setpoint", 0.9, CommandState.CANCELLED, 22.0, detail="申请人取消"),
    Asked(2, "mode", 18.0, CommandState.VERIFIED, before="auto", reason=Command.Reason.SERVICE),
    Asked(
        3, "indoor_temp_setpoint", 15.1, CommandState.NOT_HELD, 22.0, detail="下一次采集时已改回"
    ),
    Asked(5, "supply_temp_setpoint", 6.3, CommandState.REFUSED, 50.0, detail="设备答复异常码 4"),
    Asked(8, "indoor_temp_setpoint", 4.6, CommandState.FAILED, 24.0, detail="回读值与目标值不同"),
    Asked(88, "power_state", 1.0, CommandState.UNKNOWN, True, detail="写入后未答复，等待读回核实"),
    Asked(33, "indoor_temp_setpoint", 4.2, CommandState.EXPIRED, 18.0, detail="有效期内未能写入"),
    Asked(10, "indoor_temp_setpoint", 3.05, CommandState.SUPERSEDED, 23.0, detail="有新的命令"),
    Asked(10, "indoor_temp_setpoint", 3.04, CommandState.VERIFIED, detail="已是目标值"),
)


def ask(units: Sequence[Unit], people: dict[str, User]) -> None:
    """The past commands, with values that agree with what the units told."""
    Command.objects.bulk_create(_command(asked, units[asked.index], people) for asked in ASKED)


def _command(asked: Asked, unit: Unit, people: dict[str, User]) -> Command:
    now = unit.state.entry(asked.signal).get("value")
    target = now if asked.target is None else asked.target
    requested = clock.now() - timedelta(days=asked.days_ago)
    written = asked.state not in NEVER_SENT
    proven = asked.state in (CommandState.VERIFIED, CommandState.NOT_HELD)
    return Command(
        unit=unit,
        signal=asked.signal,
        target=target,
        before=now if asked.before is None else asked.before,
        reason=asked.reason,
        agreement=Command.Agreement.PHONE,
        agreed_on=requested.astimezone(clock.SHANGHAI).date(),
        requested_by=people["zhongjiazhuang" if asked.index % 2 else "pingtai"],
        requested_at=requested,
        expires_at=requested + timedelta(minutes=5),
        state=asked.state,
        finished_at=requested + timedelta(seconds=4 if written else 290),
        sending_since=requested + timedelta(seconds=1) if written else None,
        sent=target if written else None,
        read_back=target if proven else (now if asked.state == CommandState.FAILED else None),
        detail=asked.detail,
    )


NEVER_SENT = (CommandState.CANCELLED, CommandState.EXPIRED, CommandState.SUPERSEDED)
