"""How the lines go, from the keeper into GatewayState: what changed at once, figures now and then.

A fleet of transmitters has tens of thousands of lines: of those that carried anything since, the
ones whose figures are oldest are written, in one statement.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.db import connection

from telemetry.carried import Bytes

EVERY_S = 15.0
AT_ONCE = 500
TELL = """
UPDATE telemetry_gatewaystate s SET figures = n.figures
FROM unnest(%s::bigint[], %s::jsonb[]) AS n (id, figures) WHERE s.gateway_id = n.id
"""


class FiguresTold:
    """Whose figures stand in the database, since when, and at how many bytes."""

    def __init__(self) -> None:
        self._told: dict[int, tuple[float, Bytes]] = {}

    def due(self, carried: Mapping[int, Bytes], now: float) -> list[int]:
        """The lines whose figures should be written now, oldest first."""
        never = (float("-inf"), None)
        told = {key: self._told.get(key, never) for key in carried}
        old = [
            key
            for key, (at, before) in told.items()
            if now - at >= EVERY_S and before != carried[key]
        ]
        return sorted(old, key=lambda key: told[key][0])[:AT_ONCE]

    def tell(
        self, figures: Mapping[int, dict[str, Any]], carried: Mapping[int, Bytes], now: float
    ) -> None:
        """Write these lines' figures; a line without a state yet gets them next time."""
        with connection.cursor() as cursor:
            cursor.execute(TELL, [list(figures), [json.dumps(each) for each in figures.values()]])
        self._told |= {key: (now, carried[key]) for key in figures}
