"""What the lines carried: differences of the transports' counters, added to the month's bytes.

Whole sums live in the database alone, so a worker that starts anew, with counters at zero, goes on
where the one before it ended.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.db import connection

from telemetry.models import GatewayMonth

Bytes = tuple[int, int]  # in, out
# A gateway that was deleted meanwhile has no month.
ADD = """
INSERT INTO telemetry_gatewaymonth AS m (gateway_id, month, bytes_in, bytes_out)
SELECT g.id, %s, n.bytes_in, n.bytes_out
FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[]) AS n (id, bytes_in, bytes_out)
JOIN devices_gateway g ON g.id = n.id
ON CONFLICT (gateway_id, month) DO UPDATE
SET bytes_in = m.bytes_in + excluded.bytes_in, bytes_out = m.bytes_out + excluded.bytes_out
"""


class Meter:
    """Reads the counters of one line worker's transports again and again."""

    def __init__(self) -> None:
        self._seen: dict[int, Bytes] = {}

    def read(self, counters: Mapping[int, Bytes]) -> None:
        """Add what came since the last reading; a smaller counter began anew from zero."""
        news = {
            key: more
            for key, now in counters.items()
            if any(more := _since(self._seen.get(key, (0, 0)), now))
        }
        if news:
            with connection.cursor() as cursor:
                columns = list(news), *(list(column) for column in zip(*news.values(), strict=True))
                cursor.execute(ADD, [GatewayMonth.current(), *columns])
        self._seen = dict(counters)  # only now: what could not be stored is added next time


def _since(before: Bytes, now: Bytes) -> Bytes:
    if now[0] < before[0] or now[1] < before[1]:
        return now
    return now[0] - before[0], now[1] - before[1]
