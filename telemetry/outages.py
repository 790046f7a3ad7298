"""Who is away: silent units, lines that are down, villages that are out, workers that are gone.

One cause is one alarm: a unit is no alarm of its own while its line, its village or its line
worker is away, and the time in which it must answer begins anew when these are back.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Count, Min

from devices.models import Installation, Unit
from telemetry.models import Alarm, GatewayState, Severity, UnitState, WorkerState
from telemetry.models.states import SILENT_AFTER
from telemetry.signs import Found, Rows, Scope, Sign, Subject, no_more

ALLOWANCE = timedelta(seconds=15)  # time-outs, storing: on top of the intervals
LINE_GRACE = timedelta(seconds=180)  # a transmitter registers up to 90 s after it has power again
LOST_AFTER = timedelta(seconds=60)  # a line that redials within this is not lost
TOGETHER = timedelta(seconds=180)
VILLAGE_SHARE, BACK_SHARE = 0.30, 0.15
BACK_FOR = timedelta(seconds=60)  # a line that stays so long is back
VILLAGE_LEAST = 3  # units; and behind two lines at least: one line is an alarm of its own
WORKER_GONE_AFTER = timedelta(seconds=60)
CAUGHT_UP_S = 60  # a worker that stores older polls still has not said how it is now

# Units in service with all that silence is measured by. A poll that brought nothing counts only
# where the worker lives and has stored what it knows; `calm` is the interval without haste.
AWAY = """
WITH worker AS (
    SELECT name, started_at FROM telemetry_workerstate
    WHERE seen_at > %(now)s - %(gone_after)s
      AND coalesce((figures ->> 'oldest_unsent_s')::float, 0) < %(caught_up)s
), out AS (
    SELECT area_id, bool_or(cleared_at IS NULL) AS now, max(cleared_at) AS back_at
    FROM telemetry_alarm WHERE kind = 'village_out' AND coalesce(cleared_at, %(now)s) > %(now)s
        - interval '1 day' GROUP BY area_id
), suspected AS (
    SELECT unit_id FROM telemetry_unitstate WHERE missed_cause <> ''
    UNION SELECT u.id FROM telemetry_gatewaystate l JOIN devices_unit u USING (gateway_id)
    WHERE NOT l.connected
), away AS (
    SELECT u.id AS unit_id, g.id AS gateway_id, g.line_worker, h.area_id, u.in_service_since,
        s.answered_at, s.polled_at, s.missed_cause, coalesce(l.connected, true) AS connected,
        l.since AS line_since, w.started_at, out.now AS village_out, out.back_at,
        greatest(s.interval_s, coalesce(u.interval_s, g.interval_s,
            (%(defaults)s::jsonb ->> g.kind)::float)) * interval '1 second' AS calm
    FROM suspected JOIN devices_unit u ON u.id = suspected.unit_id AND u.retired_at IS NULL
    JOIN devices_gateway g ON g.id = u.gateway_id AND g.enabled
    LEFT JOIN telemetry_unitstate s ON s.unit_id = u.id
    LEFT JOIN telemetry_gatewaystate l ON l.gateway_id = g.id
    LEFT JOIN worker w ON w.name = g.line_worker
    LEFT JOIN devices_installation i ON i.unit_id = u.id AND i.removed_on IS NULL
    LEFT JOIN households_household h ON h.id = i.household_id
    LEFT JOIN out ON out.area_id = h.area_id
), measured AS (
    SELECT *, greatest(answered_at, in_service_since, started_at, back_at,
        CASE WHEN connected THEN line_since END) AS silent_from
    FROM away
)
"""
SILENT = """
SELECT unit_id, coalesce(answered_at, silent_from), polled_at, answered_at, missed_cause,
    extract(epoch FROM calm)
FROM measured
WHERE connected AND started_at IS NOT NULL AND missed_cause <> '' AND village_out IS NOT true
  AND %(now)s - silent_from > %(silent_after)s * calm + %(allowance)s
  AND polled_at - silent_from >= 1.5 * calm
  AND (%(line_worker)s IS NULL OR line_worker = %(line_worker)s)
"""
DOWN = """
SELECT gateway_id, min(line_since), count(*)
FROM measured
WHERE NOT connected AND %(now)s - started_at > %(line_grace)s
  AND (%(line_worker)s IS NULL OR line_worker = %(line_worker)s)
GROUP BY gateway_id
HAVING bool_or(village_out) IS NOT true
   AND %(now)s - greatest(min(line_since), max(back_at)) > %(line_grace)s
"""
VILLAGES = """
, lost AS (
    SELECT area_id, unit_id, gateway_id, village_out, CASE
        WHEN started_at IS NULL OR %(now)s - started_at <= %(line_grace)s THEN NULL
        WHEN answered_at IS NULL THEN NULL
        WHEN NOT connected AND %(now)s - line_since > %(lost_after)s
            THEN least(line_since, answered_at + calm)
        WHEN connected AND polled_at > silent_from AND %(now)s - silent_from > calm
            THEN answered_at + calm END AS lost_at
    FROM measured WHERE area_id IS NOT NULL
), counted AS (
    SELECT *, count(lost_at) OVER (PARTITION BY area_id ORDER BY lost_at
        RANGE BETWEEN %(together)s PRECEDING AND CURRENT ROW) AS together
    FROM lost
), village AS (
    SELECT area_id, count(*) AS away, max(together) FILTER (WHERE lost_at IS NOT NULL) AS together,
        count(DISTINCT gateway_id) AS lines, bool_or(village_out) AS out,
        (array_agg(lost_at ORDER BY together DESC, lost_at) FILTER (WHERE lost_at IS NOT NULL))[1]
        AS at
    FROM counted GROUP BY area_id
)
SELECT area_id, away, coalesce(together, 0), lines, at
FROM village WHERE out OR (together >= %(least)s AND lines > 1)
"""


def _rows(scope: Scope, query: str) -> list[tuple[Any, ...]]:
    values: dict[str, Any] = {
        "now": scope.now,
        "line_worker": scope.line_worker,
        "defaults": json.dumps(settings.POLL_INTERVAL_S),
        "silent_after": SILENT_AFTER,
        "allowance": ALLOWANCE,
        "gone_after": WORKER_GONE_AFTER,
        "caught_up": CAUGHT_UP_S,
        "line_grace": LINE_GRACE,
        "lost_after": LOST_AFTER,
        "together": TOGETHER,
        "least": VILLAGE_LEAST,
    }
    with connection.cursor() as cursor:
        cursor.execute(AWAY + query, values)
        return list(cursor.fetchall())


def silent_units(scope: Scope, rows: Rows) -> Found:
    """More than three intervals without an answer, at least two polls of them in vain."""
    signs = [
        Sign(
            Subject(unit=unit),
            Severity.WARNING,
            since=since,
            sample=polled_at,
            evidence=_silence(answered_at, cause, calm),
            proven=True,
        )
        for unit, since, polled_at, answered_at, cause, calm in _rows(scope, SILENT)
    ]
    shown = {sign.subject for sign in signs}
    states = UnitState.objects.filter(unit__in=[s.unit for s in rows], missed_cause="")
    answers = states.values_list("unit", "answered_at")
    better = {Subject(unit=unit): at for unit, at in answers if at}
    return Found(signs, {subject: at for subject, at in better.items() if subject not in shown})


def _silence(answered_at: datetime | None, cause: str, calm: float) -> dict[str, Any]:
    at = answered_at.isoformat() if answered_at else None
    return {"answered_at": at, "cause": cause, "interval_s": float(calm)}


def lines_down(scope: Scope, rows: Rows) -> Found:
    """Transmitters, ports and converters that are away, each for all units behind it."""
    signs = [
        Sign(
            Subject(gateway=gateway),
            Severity.WARNING,
            since=since,
            sample=scope.now,
            evidence={"units": units},
            proven=True,
        )
        for gateway, since, units in _rows(scope, DOWN)
    ]
    back = GatewayState.objects.filter(connected=True, since__lte=scope.now - BACK_FOR)
    back = back.filter(gateway__in=[subject.gateway for subject in rows])
    better = {Subject(gateway=key): scope.now for key in back.values_list("gateway", flat=True)}
    return Found(signs, better)


def villages_out(scope: Scope, rows: Rows) -> Found:
    """Villages of which 30 % fell silent within three minutes: power or cell, one alarm."""
    away = {Subject(area=area): counts for area, *counts in _rows(scope, VILLAGES)}
    size = _sizes(subject.area for subject in away)
    signs = [
        Sign(
            subject,
            Severity.CRITICAL,
            since=at,
            sample=scope.now,
            evidence={"away": gone, "units": size[subject.area], "lines": lines}
            | {"most": max(gone, _most(rows.get(subject)))},
        )
        for subject, (gone, together, lines, at) in away.items()
        if together >= max(VILLAGE_LEAST, VILLAGE_SHARE * size[subject.area])
        and gone >= BACK_SHARE * size[subject.area]
    ]
    back = {s for s, (gone, *_rest) in away.items() if gone < BACK_SHARE * size[s.area]}
    better = {s: scope.now for s in rows if s in back or s not in away}
    return Found(signs, better)


def _most(row: Alarm | None) -> int:
    """How many units were away at most since the alarm's first sample."""
    return int(row.evidence.get("most", 0)) if row else 0


def _sizes(areas: Iterable[int | None]) -> dict[int | None, int]:
    """Units in service that stand in each of these areas."""
    here = Installation.objects.filter(removed_on=None, household__area__in=list(areas))
    here = here.filter(unit__retired_at=None, unit__gateway__enabled=True).order_by()
    return dict(here.values_list("household__area").annotate(Count("pk")))


def workers_gone(scope: Scope, rows: Rows) -> Found:
    """Line workers that have units to poll and have said nothing for a minute."""
    seen = dict(WorkerState.objects.values_list("name", "seen_at"))
    workers = Unit.objects.in_service().order_by().values_list("gateway__line_worker")
    signs = [
        Sign(
            Subject(line_worker=name),
            Severity.CRITICAL,
            since=seen.get(name, since),
            sample=scope.now,
            evidence={"units": units, "lines": lines},
        )
        for name, since, units, lines in workers.annotate(
            Min("in_service_since"), Count("pk"), Count("gateway", distinct=True)
        )
        if scope.now - seen.get(name, since) > WORKER_GONE_AFTER
    ]
    return Found(signs, no_more(scope, rows, signs))
