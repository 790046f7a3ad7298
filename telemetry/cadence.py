"""How often each unit is asked (采集间隔), since when and why.

Settings give the default by kind of gateway, a gateway or a unit its own; a watch is faster for a
while, a transmitter near the end of its month's bytes slower. `review` writes what follows as
dated rows of IntervalInForce, which the line worker obeys and the hours of units count by: so the
polls due are known for any hour, whatever changed within it and whoever ran then.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from datetime import timedelta

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.utils.translation import gettext as _

from devices.models import Gateway, Unit
from households import clock
from households.models import User
from telemetry.models import GatewayMonth, IntervalInForce, Watch

FASTEST_S, SLOWEST_S = 10, 3600  # what people may set
OPEN_S = 10.0
HASTENED_S = 60.0
HASTENED_FOR_S = 1800
LOOKED_AT = timedelta(seconds=60)  # a page that is open says so again well within this
AT_MOST = timedelta(minutes=10)
ENDED_LATELY = timedelta(minutes=2)
SLOWED_FROM = 0.8  # of the month's bytes
SLOWED_BY = 2
MEGABYTE = 1_000_000  # as the carriers count

# The interval that should be in force now, beside the newest row that says which one is.
REVIEW = """
WITH wanted AS (
    SELECT u.id AS unit_id, u.interval_s AS of_unit, g.interval_s AS of_gateway,
        coalesce(u.interval_s, g.interval_s, (%(defaults)s::jsonb ->> g.kind)::float)
            * CASE WHEN m.slows THEN %(slowed_by)s ELSE 1 END AS calm_s,
        coalesce(m.slows, false) AS slows, w.interval_s AS watch_s, w.why AS watch_why
    FROM devices_unit u JOIN devices_gateway g ON g.id = u.gateway_id
    LEFT JOIN LATERAL (
        SELECT m.bytes_in + m.bytes_out >= %(slowed_from)s * g.monthly_budget_mb AS slows
        FROM telemetry_gatewaymonth m WHERE m.gateway_id = g.id AND m.month = %(month)s) m ON true
    LEFT JOIN LATERAL (
        SELECT w.interval_s, w.why FROM telemetry_watch w
        WHERE w.unit_id = u.id AND w.until > %(now)s ORDER BY w.interval_s LIMIT 1) w ON true
    WHERE u.retired_at IS NULL AND g.enabled AND {which}
), decided AS (
    SELECT unit_id, least(watch_s, calm_s) AS interval_s,
        CASE WHEN watch_s < calm_s THEN watch_why WHEN slows THEN 'budget'
             WHEN of_unit IS NOT NULL THEN 'unit' WHEN of_gateway IS NOT NULL THEN 'gateway'
             ELSE 'default' END AS why
    FROM wanted
)
INSERT INTO telemetry_intervalinforce (unit_id, since, interval_s, why)
SELECT d.unit_id, %(now)s, d.interval_s, d.why
FROM decided d LEFT JOIN LATERAL (
    SELECT i.interval_s, i.why FROM telemetry_intervalinforce i
    WHERE i.unit_id = d.unit_id ORDER BY i.since DESC LIMIT 1) i ON true
WHERE (d.interval_s, d.why) IS DISTINCT FROM (i.interval_s, i.why)
ON CONFLICT (unit_id, since) DO UPDATE
    SET interval_s = excluded.interval_s, why = excluded.why
RETURNING unit_id, interval_s
"""
FORGET = """
DELETE FROM telemetry_intervalinforce old USING telemetry_intervalinforce newer
WHERE newer.unit_id = old.unit_id AND newer.since > old.since AND newer.since < %s
"""


def may_set(user: User) -> bool:
    """Whether the account may say how often units are asked."""
    return user.tends_lines


def set_interval(of: Unit | Gateway, interval_s: int | None, *, by: User) -> None:
    """Ask this unit, or the units of this gateway that have no interval of their own, so often.

    None takes the setting back. In force as soon as the line worker has seen it, at most seconds
    later. Raises PermissionDenied, and ValidationError for an interval out of bounds.
    """
    if not may_set(by):
        raise PermissionDenied
    if interval_s is not None and not FASTEST_S <= interval_s <= SLOWEST_S:
        raise ValidationError(
            _("采集间隔应在 %(low)d 到 %(high)d 秒之间"),
            params={"low": FASTEST_S, "high": SLOWEST_S},
        )
    of.interval_s = interval_s
    of.save(update_fields=["interval_s"])


def watch(unit: Unit) -> None:
    """Somebody opened the unit's page or commissions it: ask every 10 s, for 10 minutes at most.

    It ends a minute after nobody `still_watches`.
    """
    now = clock.now()
    changes = {"interval_s": OPEN_S, "since": now, "until": now + LOOKED_AT}
    Watch.objects.update_or_create(unit=unit, why=Watch.Why.OPEN, defaults=changes)


def still_watches(unit: Unit) -> None:
    """The page is still open: its watch goes on, unless its time is over."""
    now = clock.now()
    rows = Watch.objects.running().filter(
        unit=unit, why=Watch.Why.OPEN, since__gt=now - AT_MOST + LOOKED_AT
    )
    rows.update(until=now + LOOKED_AT)


def hasten(
    units: Iterable[Unit | int], seconds: float = HASTENED_FOR_S, why: str = Watch.Why.WRITE
) -> None:
    """Something happened to these units: ask them every minute for a while (30 minutes)."""
    now = clock.now()
    until = now + timedelta(seconds=seconds)
    ids = {unit if isinstance(unit, int) else unit.pk for unit in units}
    rows = [
        Watch(unit_id=pk, why=why, interval_s=HASTENED_S, since=now, until=until)
        for pk in sorted(ids)
    ]
    Watch.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["unit", "why"],
        update_fields=["interval_s", "since", "until"],
    )


def review(
    line_worker: str | None = None, units: Collection[int] | None = None
) -> dict[int, float]:
    """Write what interval is in force where it is another than before.

    Of one line worker's units, of some units, or of all. Idempotent. Answers the changes: the
    intervals (s) by unit.
    """
    which = "true"
    if line_worker is not None:
        which = "g.line_worker = %(line_worker)s"
    if units is not None:
        which += " AND u.id = ANY(%(units)s)"
    with connection.cursor() as cursor:
        cursor.execute(
            REVIEW.format(which=which),
            {
                "line_worker": line_worker,
                "units": list(units or ()),
                "now": clock.now(),
                "month": GatewayMonth.current(),
                "defaults": json.dumps(settings.POLL_INTERVAL_S),
                "slowed_from": SLOWED_FROM * MEGABYTE,
                "slowed_by": SLOWED_BY,
            },
        )
        return dict(cursor.fetchall())


def review_watched(line_worker: str) -> dict[int, float]:
    """The same for the few units whose watch runs or has just ended: cheap enough each second."""
    lately = Watch.objects.filter(
        until__gt=clock.now() - ENDED_LATELY, unit__gateway__line_worker=line_worker
    )
    units = list(lately.values_list("unit_id", flat=True))
    return review(line_worker, units) if units else {}


def in_force(unit: Unit) -> IntervalInForce | None:
    """The interval of now, with its reason; None where no line worker has seen the unit yet."""
    return IntervalInForce.objects.filter(unit=unit).order_by("-since").first()


def forget_old() -> None:
    """Rows that ended before the raw readings begin go: no hour is summed up by them again."""
    oldest = clock.now() - timedelta(days=settings.RAW_READINGS_DAYS + 1)
    with connection.cursor() as cursor:
        cursor.execute(FORGET, [oldest])
    Watch.objects.filter(until__lt=clock.now() - timedelta(days=1)).delete()
