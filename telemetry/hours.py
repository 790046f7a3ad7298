"""Hours of units, summed up from raw readings: the only base of completeness and proof."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction

from households import clock
from telemetry.models import Batch

# One hour of all units. `pace` are the intervals in force in it and shortly before; a unit that no
# line worker has seen yet goes by its settings. `due` is the time in service under each interval,
# divided by it. A reading speaks until the next one that knows as much, at most three of the longer
# interval of the two, also into the next hour; what a partial poll did not ask is stepped over.
# Energy is the sum of what the counter rose since it was last read, within a week; a fall (reset)
# and a rise beyond 30 kW (another meter) count as nothing, and a unit without a counter has none.
SUM_UP = """
WITH span AS (
    SELECT %(hour)s::timestamptz AS h0, %(hour)s::timestamptz + interval '1 hour' AS h1,
           least(%(hour)s::timestamptz + interval '1 hour', %(now)s::timestamptz)
            AS until
), service AS (
    SELECT u.id AS unit_id,
        coalesce(u.interval_s, g.interval_s, (%(intervals)s::jsonb ->> g.kind)::float)
            AS interval_s,
        greatest(u.in_service_since, h0) AS begun,
        least(coalesce(u.retired_at, until), until) AS ended
    FROM devices_unit u JOIN devices_gateway g ON g.id = u.gateway_id AND g.enabled, span
    WHERE least(coalesce(u.retired_at, until), until) > greatest(u.in_service_since, h0)
), dated AS (
    SELECT unit_id, since, interval_s, lead(since) OVER w AS next, row_number() OVER w AS n
    FROM telemetry_intervalinforce WINDOW w AS (PARTITION BY unit_id ORDER BY since)
), pace AS (
    SELECT s.unit_id, coalesce(d.interval_s, s.interval_s) AS interval_s,
        CASE WHEN d.n > 1 THEN d.since ELSE '-infinity' END AS since,
        coalesce(d.next, 'infinity') AS until
    FROM span, service s LEFT JOIN dated d ON d.unit_id = s.unit_id
        AND (d.n = 1 OR d.since < %(hour)s::timestamptz + interval '1 hour')
        AND coalesce(d.next, 'infinity') > %(hour)s::timestamptz - interval '6 hours'
), expected AS (
    SELECT unit_id, max(p.interval_s) AS interval_s,
        (array_agg(p.interval_s ORDER BY p.since DESC))[1] AS last_interval_s,
        floor(sum(extract(epoch FROM least(p.until, ended) - greatest(p.since, begun))
                  / p.interval_s) + 0.000001)::int AS due
    FROM service s JOIN pace p USING (unit_id)
    WHERE p.until > begun AND p.since < ended GROUP BY unit_id
), before AS (
    SELECT h0 - least(3 * max(p.interval_s) * interval '1 second', interval '6 hours') AS since
    FROM pace p, span GROUP BY h0
), around AS (
    SELECT r.* FROM telemetry_reading r, span
    WHERE at >= (SELECT since FROM before) AND at < h1
), power AS (
    SELECT unit_id, at, power_state, p.interval_s, lead(at) OVER w AS next_at,
        lead(p.interval_s) OVER w AS next_interval_s
    FROM around JOIN pace p USING (unit_id)
    WHERE power_state IS NOT NULL AND at >= p.since AND at < p.until
    WINDOW w AS (PARTITION BY unit_id ORDER BY at)
), switched_on AS (
    SELECT unit_id, sum(greatest(0, extract(epoch FROM least(next_at, until, at + make_interval(
            secs => 3 * greatest(p.interval_s, coalesce(next_interval_s, last_interval_s))))
        - greatest(at, h0)))) AS on_seconds
    FROM power p JOIN expected e USING (unit_id), span WHERE power_state GROUP BY unit_id
), counter AS (
    SELECT unit_id, at, electric_energy AS kwh, lag(electric_energy) OVER w AS kwh_before,
        lag(at) OVER w AS at_before
    FROM around WHERE electric_energy IS NOT NULL WINDOW w AS (PARTITION BY unit_id ORDER BY at)
), risen AS (
    SELECT c.unit_id, c.kwh - coalesce(c.kwh_before, e.kwh) AS kwh,
        30 * extract(epoch FROM c.at - coalesce(c.at_before, e.at)) / 3600 + 1 AS at_most
    FROM span, counter c LEFT JOIN LATERAL (
        SELECT r.at, r.electric_energy AS kwh FROM telemetry_reading r
        WHERE c.at_before IS NULL AND r.unit_id = c.unit_id AND r.electric_energy IS NOT NULL
            AND r.at < (SELECT since FROM before)
            AND r.at >= %(hour)s::timestamptz - interval '7 days'
        ORDER BY r.at DESC LIMIT 1) e ON true
    WHERE c.at >= h0
), used AS (
    SELECT unit_id, sum(CASE WHEN kwh BETWEEN 0 AND at_most THEN kwh ELSE 0 END) AS energy_kwh
    FROM risen WHERE kwh IS NOT NULL GROUP BY unit_id
), summed AS (
    SELECT unit_id, count(*) AS stored,
        min(supply_temp) AS supply_min, avg(supply_temp) AS supply_avg,
        max(supply_temp) AS supply_max, avg(return_temp) AS return_avg,
        min(indoor_temp) AS indoor_min, avg(indoor_temp) AS indoor_avg,
        max(indoor_temp) AS indoor_max, min(outdoor_temp) AS outdoor_min,
        avg(outdoor_temp) AS outdoor_avg
    FROM around, span WHERE at >= h0 GROUP BY unit_id
), missed AS (
    SELECT unit_id, jsonb_object_agg(cause, count) AS causes, sum(count) AS n
    FROM telemetry_missedpolls, span WHERE hour = h0 GROUP BY unit_id
), counted AS (
    SELECT e.unit_id AS service_unit, e.interval_s, e.due, coalesce(r.stored, 0)::int AS stored,
        coalesce(m.causes, '{}') AS causes, coalesce(m.n, 0)::int AS missed,
        on_seconds, supply_min, supply_avg, supply_max, return_avg, indoor_min, indoor_avg,
        indoor_max, outdoor_min, outdoor_avg, energy_kwh
    FROM expected e LEFT JOIN summed r USING (unit_id) LEFT JOIN switched_on USING (unit_id)
        LEFT JOIN used USING (unit_id) LEFT JOIN missed m USING (unit_id)
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


def recompute(hours: Iterable[datetime]) -> None:
    """Sum up these hours of all units anew from what is stored; idempotent."""
    with connection.cursor() as cursor:
        for hour in sorted(set(hours)):
            cursor.execute(
                SUM_UP,
                {
                    "hour": hour,
                    "now": clock.now(),
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
