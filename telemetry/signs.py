"""What alarms are made of: signs of something wrong, and of its being better again.

A check looks at one kind with a few set-based queries, whatever the number of units, and is told
which of its alarms are open. It says what is wrong now (`signs`) and which of the open ones are
certainly better (`better`, with the sample that shows it). What it does not know, such as the
fault of a unit that is silent, stands in neither and stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from telemetry.models import Alarm, AlarmKind


class Subject(NamedTuple):
    """What an alarm is about: exactly one of these."""

    unit: int | None = None
    gateway: int | None = None
    area: int | None = None
    line_worker: str = ""

    @classmethod
    def of(cls, alarm: Alarm) -> Subject:
        return cls(alarm.unit_id, alarm.gateway_id, alarm.area_id, alarm.line_worker)


@dataclass(frozen=True, slots=True)
class Sign:
    """Something wrong: since when, and the newest sample that shows it.

    `proven` signs rest on more than one sample already, or must not wait for a second one.
    """

    subject: Subject
    severity: str
    since: datetime
    sample: datetime
    evidence: dict[str, Any] = field(default_factory=dict)
    proven: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """What a check found."""

    signs: list[Sign]
    better: Mapping[Subject, datetime]


@dataclass(frozen=True, slots=True)
class Scope:
    """The moment of a review, and whose units it is about: one line worker's, or all; `spared`
    raise no alarm at this moment."""

    now: datetime
    line_worker: str | None = None
    spared: frozenset[Subject] = frozenset()


Rows = Mapping[Subject, Alarm]


@dataclass(frozen=True, slots=True)
class Check:
    """How one kind is found out.

    A sign becomes an alarm at a second sample at least `holds_for` after the first; an alarm is
    over at a second sample without it at least `settles_in` after the first such one.
    """

    kind: AlarmKind
    look: Callable[[Scope, Rows], Found]
    holds_for: timedelta = timedelta(0)
    settles_in: timedelta = timedelta(0)
    each_minute: bool = False  # looked at only in the review of all


def no_more(scope: Scope, rows: Rows, signs: Iterable[Sign]) -> dict[Subject, datetime]:
    """Of the open `rows` those without a sign: better as of now."""
    shown = {sign.subject for sign in signs}
    return {subject: scope.now for subject in rows if subject not in shown}
