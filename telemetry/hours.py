"""Hours of units, summed up from raw readings: the only base of completeness and proof."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction

from households import clock
from telemetry.models import Batch

# One hour of all units. `weight` is how long a reading speaks: until the next one, at most three
# intervals; energy is the sum of what the counter rose, a fall (reset) counts as nothing, and a
# unit without a counter has none.
SUM_UP = """
WITH span AS (
    SELECT %(hour)s::timestamptz AS h0, %(hour)s::timestamptz + interval '1 hour' AS h1,
           least(%(hour)s::timestamptz + interval '1 hour', %(now)s::timestamptz)
            AS until
), service AS (
    SELECT u.id AS unit_id,
        coalesce(%(interval)s::float, u.interval_s, g.interval_s,
                 (%(intervals)s::jsonb ->> g.kind)::float) AS interval_s,
        extract(epoch FROM least(coalesce(u.retired_at, until), until)
                           - greatest(u.in_service_since, h0)) AS seconds
    FROM devices_unit u JOIN devices_gateway g ON g.id = u.gateway_id AND g.enabled, span
), around AS (
    SELECT r.*, lead(at) OVER w AS next_at, lag(electric_energy) OVER w AS energy_before
    FROM telemetry_reading r, span
    WHERE at >= h0 - interval '30 minutes' AND at < h1
    WINDOW w AS (PARTITION BY unit_id ORDER BY at)
), summed AS (
    SELECT a.unit_id, count(*) AS stored,
        sum(CASE WHEN power_state THEN extract(epoch FROM least(
            coalesce(next_at, until) - at, make_interval(secs => 3 * s.interval_s))) ELSE 0 END)
            AS on_seconds,
        min(supply_temp) AS supply_min, avg(supply_temp) AS supply_avg,
        max(supply_temp) AS supply_max, avg(return_temp) AS return_avg,
        min(indoor_temp) AS indoor_min, avg(indoor_temp) AS indoor_avg,
        max(indoor_temp) AS indoor_max, min(outdoor_temp) AS outdoor_min,
        avg(outdoor_temp) AS outdoor_avg,
        sum(greatest(electric_energy - energy_before, 0))
            FILTER (WHERE electric_energy - energy_before IS NOT NULL) AS energy_kwh
    FROM around a JOIN service s USING (unit_id), span WHERE at >= h0 GROUP BY a.unit_id
), missed AS (
    SELECT unit_id, jsonb_object_agg(cause, count) AS causes, sum(count) AS n
    FROM telemetry_missedpolls, span WHERE hour = h0 GROUP BY unit_id
), counted AS (
    SELECT s.unit_id AS service_unit, s.interval_s,
        floor(greatest(s.seconds, 0) / s.interval_s)::int AS due,
        coalesce(r.stored, 0)::int AS stored, coalesce(m.causes, '{}') AS causes,
        coalesce(m.n, 0)::int AS missed,
        on_seconds, supply_min, supply_avg, supply_max, return_avg, indoor_min, indoor_avg,
        indoor_max, outdoor_min, outdoor_avg, energy_kwh
    FROM service s LEFT JOIN summed r ON r.unit_id = s.unit_id
        LEFT JOIN missed m ON m.unit_id = s.unit_id
    WHERE s.seconds > 0
)
INSERT INTO telemetry_unithour (unit_id, hour, interval_s, due, stored, missed, on_seconds,
    supply_min, supply_avg, supply_max, return_avg, indoor_min, indoor_avg, indoor_max,
    outdoor_min, outdoor_avg, energy_kwh)
SELECT c.service_unit, h0, c.interval_s, c.due, c.stored, c.causes || CASE
        WHEN c.due > c.stored + c.missed
        THEN jsonb_build_object('not_polled', c.due - c.stored - c.missed) ELSE '{}' END,
    coalesce(c.on_seconds, 0), c.supply_min, c.supply_avg, c.supply_max, c.return_avg,
    c.indoor_min, c.indoor_avg, c.indoor_max, c.outdoor_min, c.outdoor_avg, c.energy_kwh
FROM counted c, span
ON CONFLICT (unit_id, hour) DO UPDATE SET (interval_s, due, stored, missed, on_seconds,
    supply_min, supply_avg, supply_max, return_avg, indoor_min, indoor_avg, indoor_max,
    outdoor_min, outdoor_avg, energy_kwh) = (excluded.interval_s, excluded.due, excluded.stored,
    excluded.missed, excluded.on_seconds, excluded.supply_min, excluded.supply_avg,
    excluded.supply_max, excluded.return_avg, excluded.indoor_min, excluded.indoor_avg,
    excluded.indoor_max, excluded.outdoor_min, excluded.outdoor_avg, excluded.energy_kwh)
"""


def recompute(hours: Iterable[datetime], interval_s: float | None = None) -> None:
    """Sum up these hours of all units anew from what is stored; idempotent.

    `interval_s` is the interval that was in force then, where it was not the one of now.
    """
    with connection.cursor() as cursor:
        for hour in sorted(set(hours)):
            cursor.execute(
                SUM_UP,
                {
                    "hour": hour,
                    "now": clock.now(),
                    "interval": interval_s,
                    "intervals": json.dumps(settings.POLL_INTERVAL_S),
                },
            )


def catch_up() -> int:
    """Sum up every hour that new batches touched, however late they came, and the current one.

    Answers how many hours were summed up.
    """
    with transaction.atomic():
        fresh = list(Batch.objects.select_for_update(skip_locked=True).filter(summed=False))
        hours = {datetime.fromisoformat(hour) for batch in fresh for hour in batch.hours}
        hours |= _lately()
        recompute(hours)
        Batch.objects.filter(pk__in=[batch.pk for batch in fresh]).update(summed=True)
    return len(hours)


def _lately() -> set[datetime]:
    """This hour and the last: they get rows even where no unit answered."""
    hour = clock.now().replace(minute=0, second=0, microsecond=0)
    return {hour, hour - timedelta(hours=1)}
