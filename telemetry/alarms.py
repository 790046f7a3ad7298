"""Alarms are raised and cleared here, and nowhere else.

`review` looks at the newest state of everything; it is idempotent and may run at any time: in the
keeper of each line worker for its own units, and from the beat for all. One review runs at a time.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta
from itertools import chain

from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from devices.models import Unit
from households import clock
from telemetry import cadence, outages, troubles
from telemetry.models import Alarm, AlarmKind, DockingTest, Severity, Watch
from telemetry.models.alarms import BY_GRAVITY
from telemetry.signs import Check, Found, Scope, Sign, Subject

log = logging.getLogger(__name__)

LOCK = 7_264_001  # of PostgreSQL's advisory locks
AGAIN = timedelta(seconds=10)  # between two looks at what has no samples of its own
CALM = timedelta(seconds=60)
MERGED_WITHIN = timedelta(minutes=20)
CHECKS = (
    Check(AlarmKind.VILLAGE_OUT, outages.villages_out, timedelta(seconds=30)),
    Check(AlarmKind.TRANSMITTER_DOWN, outages.lines_down),
    Check(AlarmKind.UNIT_SILENT, outages.silent_units),
    Check(AlarmKind.FAULT, troubles.faults),
    Check(AlarmKind.TWO_ON_ONE, troubles.two_on_one, AGAIN, CALM),
    Check(AlarmKind.FLAPPING, troubles.flapping, AGAIN, CALM),
    Check(AlarmKind.SECOND_MASTER, troubles.second_masters, AGAIN, CALM),
    Check(AlarmKind.RESTORE_OVERDUE, troubles.overdue),
    Check(AlarmKind.FREEZE_RISK, troubles.freezing, timedelta(minutes=20), each_minute=True),
    Check(AlarmKind.BUDGET, troubles.budgets, each_minute=True),
    Check(AlarmKind.WORKER_GONE, outages.workers_gone, timedelta(seconds=30), each_minute=True),
)
AT_ANY_TIME = (AlarmKind.RESTORE_OVERDUE,)  # also of samples at the test bench
CHANGING = ("severity", "evidence", "sample_at", "raised_at", "better_at", "cleared_at")


def review(line_worker: str | None = None) -> int:
    """Raise what has its second sample, clear what is certainly over; of one line worker or all.

    Answers how many alarms were raised. A worker's own review leaves its turn out while another
    one runs, the review of all waits for it.
    """
    scope = Scope(clock.now(), line_worker, _under_test())
    with transaction.atomic():
        if not _has_turn(waits=line_worker is None):
            return 0
        _close(_out_of_service(), scope, "out_of_service")
        rows = _not_cleared(scope)
        due = [check for check in CHECKS if _is_due(check, scope)]
        raised = [_checked(check, scope, rows[check.kind]) for check in due]
        _close(_told_by_a_bigger_one(), scope, "merged")
        alarms = list(chain.from_iterable(raised))
        _hasten(alarms)
    return len(alarms)


def _under_test() -> frozenset[Subject]:
    """Samples at the test bench, and their lines: what goes wrong there is done on purpose."""
    tests = DockingTest.objects.filter(judged_at=None)
    samples = [
        *tests.values_list("sample", "sample__gateway"),
        *tests.values_list("application__second_sample", "application__second_sample__gateway"),
    ]
    units, lines = {unit for unit, _line in samples}, {line for _unit, line in samples}
    return frozenset(Subject(unit=unit) for unit in units) | {
        Subject(gateway=line) for line in lines
    }


def _has_turn(*, waits: bool) -> bool:
    """Hold the lock until the transaction ends; False where it is taken and we do not wait."""
    with connection.cursor() as cursor:
        if waits:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
            return True
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        return bool(cursor.fetchone()[0])


def _is_due(check: Check, scope: Scope) -> bool:
    return scope.line_worker is None or not check.each_minute


def _checked(check: Check, scope: Scope, rows: dict[Subject, Alarm]) -> list[Alarm]:
    """The alarms that the check raised; one that fails is told and keeps no other from its work."""
    try:
        with transaction.atomic():
            return _Kind(check, scope, rows).settle()
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        log.exception("alarms of kind %s could not be reviewed", check.kind)
        return []


class _Kind:
    """One kind in one review: its rows that are not cleared, beside what its check found."""

    def __init__(self, check: Check, scope: Scope, rows: dict[Subject, Alarm]) -> None:
        self._check = check
        self._now = scope.now
        self._spared = scope.spared
        self._rows = rows
        self._new: list[Alarm] = []
        self._changed: dict[int, Alarm] = {}
        self._found: Found = check.look(scope, self._rows)

    def settle(self) -> list[Alarm]:
        """Write what follows; answers the alarms that were raised."""
        for sign in self._found.signs:
            if self._check.kind in AT_ANY_TIME or sign.subject not in self._spared:
                self._take(sign)
        shown = {sign.subject for sign in self._found.signs}
        for subject, row in self._rows.items():
            if row.raised_at is None and subject not in shown:
                row.delete()
            elif row.raised_at is not None and subject not in shown:
                self._improve(row, subject)
        Alarm.objects.bulk_update(self._changed.values(), CHANGING, batch_size=500)
        Alarm.objects.bulk_create(self._new, ignore_conflicts=True, batch_size=500)
        touched = chain(self._changed.values(), self._new)
        return [row for row in touched if row.raised_at == self._now]

    def _take(self, sign: Sign) -> None:
        row = self._rows.get(sign.subject)
        if row is None:
            self._add(sign)
        elif row.raised_at is None:
            self._raise(row, sign)
        else:
            self._keep(row, sign)

    def _add(self, sign: Sign) -> None:
        unit, gateway, area, line_worker = sign.subject
        self._new.append(
            Alarm(
                kind=self._check.kind,
                severity=sign.severity,
                unit_id=unit,
                gateway_id=gateway,
                area_id=area,
                line_worker=line_worker,
                seen_at=sign.since,
                sample_at=sign.sample,
                raised_at=self._now if sign.proven else None,
                evidence=sign.evidence,
            )
        )

    def _raise(self, row: Alarm, sign: Sign) -> None:
        held = sign.sample - row.sample_at
        if sign.proven or (held > timedelta(0) and held >= self._check.holds_for):
            row.raised_at = self._now
            row.sample_at = sign.sample
            row.severity = sign.severity
            row.evidence = sign.evidence
            self._changed[row.pk] = row

    def _keep(self, row: Alarm, sign: Sign) -> None:
        """Still there: what it says is brought up to date. An alarm that became graver after it
        was acknowledged is a new one."""
        grave, before = (BY_GRAVITY.index(Severity(one.severity)) for one in (sign, row))
        worse = grave > before
        if worse and row.acknowledged_at:
            row.cleared_at = self._now
            self._changed[row.pk] = row
            self._add(sign)
        elif worse or row.better_at or row.evidence != sign.evidence:
            row.severity = sign.severity if worse else row.severity
            row.better_at = None
            row.evidence = sign.evidence
            self._changed[row.pk] = row

    def _improve(self, row: Alarm, subject: Subject) -> None:
        at = self._found.better.get(subject)
        if at is None:
            return
        if row.better_at is None:
            row.better_at = at
        elif at > row.better_at and at - row.better_at >= self._check.settles_in:
            row.cleared_at = self._now
        else:
            return
        self._changed[row.pk] = row


def _not_cleared(scope: Scope) -> dict[str, dict[Subject, Alarm]]:
    """First samples and open alarms within the scope, by kind: asked once for all checks."""
    rows = Alarm.objects.filter(cleared_at=None)
    if scope.line_worker is not None:
        rows = rows.filter(
            Q(unit__gateway__line_worker=scope.line_worker)
            | Q(gateway__line_worker=scope.line_worker)
            | Q(area__isnull=False)
        )
    found: dict[str, dict[Subject, Alarm]] = defaultdict(dict)
    for row in rows:
        found[row.kind][Subject.of(row)] = row
    return found


def _out_of_service() -> QuerySet[Alarm]:
    """Of units that were retired, of lines that were switched off or have no unit any more."""
    serving = Unit.objects.in_service().filter(gateway=OuterRef("gateway"))
    return Alarm.objects.filter(cleared_at=None).filter(
        Q(unit__retired_at__isnull=False)
        | Q(unit__gateway__enabled=False)
        | (Q(gateway__isnull=False) & ~Exists(serving))
    )


def _told_by_a_bigger_one() -> Iterable[Alarm]:
    """Alarms of units and lines that began together with their line's or their village's."""
    lately = Alarm.objects.open().filter(raised_at__gt=clock.now() - MERGED_WITHIN)
    lines = lately.filter(
        kind=AlarmKind.TRANSMITTER_DOWN,
        gateway=OuterRef("unit__gateway"),
        seen_at__lte=OuterRef("seen_at") + MERGED_WITHIN,
    )
    yield from Alarm.objects.open().filter(Exists(lines), kind=AlarmKind.UNIT_SILENT)
    for village in lately.filter(kind=AlarmKind.VILLAGE_OUT):
        units = Unit.objects.installed().filter(installations__household__area=village.area_id)
        yield from Alarm.objects.open().filter(
            Q(kind=AlarmKind.UNIT_SILENT, unit__in=units)
            | Q(kind=AlarmKind.TRANSMITTER_DOWN, gateway__in=units.values("gateway")),
            seen_at__gte=village.seen_at - MERGED_WITHIN,
        )


def _close(rows: Iterable[Alarm], scope: Scope, why: str) -> None:
    """Clear alarms for a reason of their own; a first sample alone just goes."""
    for row in rows:
        if row.raised_at is None:
            row.delete()
        else:
            row.cleared_at = scope.now
            row.evidence |= {"cleared": why}
            row.save(update_fields=["cleared_at", "evidence"])


def _hasten(alarms: list[Alarm]) -> None:
    """Units in trouble are asked more often for a while; who is silent has nothing to say."""
    units = {
        alarm.unit_id for alarm in alarms if alarm.unit_id and alarm.kind != AlarmKind.UNIT_SILENT
    }
    if units:
        cadence.hasten(units, why=Watch.Why.ALARM)
