"""What a line worker has to poll: gateways, their units, and the maps that give the bytes meaning.

Plain values, read by the keeper thread and handed to the event loop whole; the loop compares with
what it runs and takes up what is new or changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection
from django.db.models import OuterRef, Subquery

from devices.modbus.pointmap import PointMap
from devices.modbus.points import Scalar
from devices.models import Gateway, RegisterMap, Unit
from telemetry.models import IntervalInForce, UnitState
from telemetry.models.states import SILENT_AFTER


@dataclass(frozen=True, slots=True)
class UnitSpec:
    """One unit: who it is on its line, by which map version, how often (s).

    `interval_s` is the interval in force, `calm_s` the one that settings give; another pace makes
    no other unit.
    """

    id: int
    address: int
    map_id: int
    module: int | None
    interval_s: float = field(compare=False)
    calm_s: float = field(default=0.0, compare=False)


@dataclass(frozen=True, slots=True)
class GatewaySpec:
    id: int
    url: str
    units: tuple[UnitSpec, ...]


@dataclass(frozen=True, slots=True)
class Before:
    """What is known of a unit from before this process: when it last answered, whether it had
    fallen silent then, and what was last good of its signals."""

    answered_at: datetime | None = None
    was_silent: bool = False
    good: Mapping[str, Scalar] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Roster:
    """`secrets`: the transmitter of each hash of a private registration text; `before`: of units
    that were not in an earlier roster."""

    gateways: Mapping[int, GatewaySpec]
    maps: Mapping[int, PointMap]
    secrets: Mapping[str, str] = field(default_factory=dict)
    before: Mapping[int, Before] = field(default_factory=dict)


def fingerprint(line_worker: str) -> tuple[int, ...]:
    """Changes whenever a row of this worker's gateways or units is written, by whomever.

    It adds up the transaction numbers that last wrote each row, so that even plain SQL is seen.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT count(*), coalesce(sum(g.xmin::text::bigint), 0)::bigint,
                   coalesce(sum(u.n), 0)::bigint, coalesce(sum(u.x), 0)::bigint
            FROM devices_gateway g LEFT JOIN LATERAL (
                SELECT count(*) AS n, sum(xmin::text::bigint) AS x
                FROM devices_unit WHERE gateway_id = g.id) u ON true
            WHERE g.line_worker = %s
            """,
            [line_worker],
        )
        return tuple(cursor.fetchone())


def read(line_worker: str) -> Roster:
    """The worker's enabled gateways with their units in service, and the maps these use."""
    gateways = Gateway.objects.filter(line_worker=line_worker, enabled=True)
    units: dict[int, list[UnitSpec]] = {}
    rows = Unit.objects.in_service().filter(gateway__line_worker=line_worker)
    newest = IntervalInForce.objects.filter(unit=OuterRef("pk")).order_by("-since")
    rows = rows.annotate(in_force_s=Subquery(newest.values("interval_s")[:1]))
    for unit in rows.select_related("gateway").only(
        "address", "register_map_id", "module", "interval_s", "gateway__interval_s", "gateway__kind"
    ):
        units.setdefault(unit.gateway_id, []).append(_spec(unit))
    used = {spec.map_id for specs in units.values() for spec in specs}
    maps = {row.pk: row.parsed() for row in RegisterMap.objects.filter(pk__in=used)}
    specs = {row.pk: GatewaySpec(row.pk, row.url, tuple(units.get(row.pk, ()))) for row in gateways}
    return Roster(specs, maps, Gateway.objects.secrets())


def _spec(unit: Unit) -> UnitSpec:
    stated = unit.interval_s or unit.gateway.interval_s
    calm = float(stated or settings.POLL_INTERVAL_S[unit.gateway.kind])
    in_force: float = unit.in_force_s or calm  # type: ignore[attr-defined]  # set by `read`
    return UnitSpec(unit.pk, unit.address, unit.register_map_id, unit.module, in_force, calm)


def before(state: UnitState) -> Before:
    """What the newest state of a unit says to whoever polls it from now on.

    Only polls that somebody made tell of a silence: a time without polls was our own.
    """
    answered, polled = state.answered_at, state.polled_at
    patience = timedelta(seconds=SILENT_AFTER * state.interval_s)
    silent = answered is not None and bool(state.missed_cause) and polled - answered > patience
    good = {signal: entry.get("good", entry["value"]) for signal, entry in state.entries.items()}
    return Before(answered, silent, good)
