"""What a line worker has to poll: gateways, their units, and the maps that give the bytes meaning.

Plain values, read by the keeper thread and handed to the event loop whole; the loop compares with
what it runs and takes up what is new or changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.conf import settings
from django.db import connection

from devices.modbus.pointmap import PointMap
from devices.models import Gateway, RegisterMap, Unit


@dataclass(frozen=True, slots=True)
class UnitSpec:
    """One unit: who it is on its line, by which map version, how often (s)."""

    id: int
    address: int
    map_id: int
    module: int | None
    interval_s: float


@dataclass(frozen=True, slots=True)
class GatewaySpec:
    id: int
    url: str
    units: tuple[UnitSpec, ...]


@dataclass(frozen=True, slots=True)
class Roster:
    gateways: Mapping[int, GatewaySpec]
    maps: Mapping[int, PointMap]


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
    for unit in rows.select_related("gateway").only(
        "address", "register_map_id", "module", "interval_s", "gateway__interval_s", "gateway__kind"
    ):
        units.setdefault(unit.gateway_id, []).append(_spec(unit))
    used = {spec.map_id for specs in units.values() for spec in specs}
    maps = {row.pk: row.parsed() for row in RegisterMap.objects.filter(pk__in=used)}
    specs = {row.pk: GatewaySpec(row.pk, row.url, tuple(units.get(row.pk, ()))) for row in gateways}
    return Roster(specs, maps)


def _spec(unit: Unit) -> UnitSpec:
    interval = unit.interval_s or unit.gateway.interval_s
    interval = interval or settings.POLL_INTERVAL_S[unit.gateway.kind]
    return UnitSpec(unit.pk, unit.address, unit.register_map_id, unit.module, float(interval))
