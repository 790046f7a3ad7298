"""What is wrong with those who are there: faults, frost, the wire, promises and bytes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from django.db import connection
from django.db.models import F

from devices.models import RegisterMap, Unit
from telemetry.cadence import MEGABYTE
from telemetry.models import AlarmKind, GatewayMonth, GatewayState, Obligation, Severity, UnitState
from telemetry.models.alarms import BY_GRAVITY
from telemetry.models.states import SILENT_AFTER
from telemetry.signs import Found, Rows, Scope, Sign, Subject, no_more

GRADES = {"critical": Severity.CRITICAL, "warn": Severity.WARNING, "info": Severity.INFO}
FREEZING_OUTDOOR, FREEZING_SUPPLY = 0.0, 8.0  # °C
THAWED_OUTDOOR, THAWED_SUPPLY = 1.0, 10.0
OUTDOOR_KNOWN_FOR = timedelta(minutes=30)
WARNED_FROM = 0.8  # of the month's bytes


def faults(scope: Scope, rows: Rows) -> Found:
    """Units that report a fault of their own; a critical one does not wait for a second sample."""
    states = UnitState.objects.in_fault().filter(**_in_service(scope, "unit__"))
    signs = [_fault(state) for state in states.select_related("unit__register_map")]
    sound = UnitState.objects.filter(unit__in=[s.unit for s in rows], fault_active=False)
    answers = sound.filter(missed_cause="").values_list("unit", "answered_at")
    return Found(signs, {Subject(unit=unit): at for unit, at in answers if at})


def _in_service(scope: Scope, path: str) -> dict[str, Any]:
    """Filters of rows whose unit, at `path`, is in service and of the scope's line worker."""
    wanted: dict[str, Any] = {f"{path}retired_at": None, f"{path}gateway__enabled": True}
    if scope.line_worker is not None:
        wanted[f"{path}gateway__line_worker"] = scope.line_worker
    return wanted


def _fault(state: UnitState) -> Sign:
    names = _names(state)
    grades = _grades(state.unit.register_map)
    worst = max((grades.get(name, Severity.WARNING) for name in names), key=BY_GRAVITY.index)
    assert state.answered_at is not None  # it is online
    return Sign(
        Subject(unit=state.unit_id),
        worst,
        since=state.answered_at,
        sample=state.answered_at,
        evidence={"faults": names},
        proven=worst == Severity.CRITICAL,
    )


def _names(state: UnitState) -> list[str]:
    """Labels and codes of the faults that are active, as the register map has them; at least one
    (empty: the unit tells only that there is one)."""
    found: list[str] = []
    for signal in ("fault_bits", "fault_code"):
        value = state.entry(signal).get("value")
        for name in value if isinstance(value, list) else [value]:
            if name not in (None, "none", 0, False) and str(name) not in found:
                found.append(str(name))
    return found or [""]


def _grades(register_map: RegisterMap) -> dict[str, Severity]:
    return _grades_of(register_map.pk, register_map.digest)


@lru_cache(maxsize=256)
def _grades_of(pk: int, digest: str) -> dict[str, Severity]:
    """How grave each label of a map is; what is not marked is a warning."""
    parsed = RegisterMap.objects.get(pk=pk).parsed()
    return {
        label: GRADES[grade] for point in parsed.points for label, grade in point.severity.items()
    }


# Water units that answered lately, with good values of their newest answer; the town's median
# stands in for an outdoor temperature that the unit does not give.
FREEZING = """
WITH cold AS (
    SELECT s.unit_id, s.answered_at, {supply} AS supply, {outdoor} AS outdoor,
        coalesce(CASE WHEN a.level = 'village' THEN a.owner_id ELSE a.id END, 0) AS town
    FROM telemetry_unitstate s
    JOIN devices_unit u ON u.id = s.unit_id AND u.retired_at IS NULL
    JOIN devices_devicemodel m ON m.id = u.model_id AND m.medium = 'water'
    JOIN devices_gateway g ON g.id = u.gateway_id AND g.enabled
    LEFT JOIN devices_installation i ON i.unit_id = u.id AND i.removed_on IS NULL
    LEFT JOIN households_household h ON h.id = i.household_id
    LEFT JOIN households_area a ON a.id = h.area_id
    WHERE {supply} IS NOT NULL AND ({supply} < %(supply)s OR u.id = ANY(%(open)s))
      AND s.answered_at > %(now)s - s.interval_s * %(intervals)s * interval '1 second'
), town AS (
    SELECT CASE WHEN a.level = 'village' THEN a.owner_id ELSE a.id END AS town,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY {outdoor}) AS outdoor
    FROM telemetry_unitstate s
    JOIN devices_installation i ON i.unit_id = s.unit_id AND i.removed_on IS NULL
    JOIN households_household h ON h.id = i.household_id
    JOIN households_area a ON a.id = h.area_id
    WHERE s.answered_at > %(now)s - %(known_for)s AND {outdoor} IS NOT NULL
      AND EXISTS (SELECT 1 FROM cold WHERE cold.outdoor IS NULL)
    GROUP BY 1
)
SELECT c.unit_id, c.answered_at, c.supply, coalesce(c.outdoor, t.outdoor), c.outdoor IS NULL
FROM cold c LEFT JOIN town t ON t.town = c.town AND c.outdoor IS NULL
"""


def _number(signal: str) -> str:
    """SQL of a signal's good value in the newest answer, NULL for anything but a number."""
    value = f"s.\"values\" -> '{signal}'"
    return f"(CASE WHEN jsonb_typeof({value}) = 'number' THEN ({value})::float END)"


def freezing(scope: Scope, rows: Rows) -> Found:
    """Water units whose supply is below 8 °C while it freezes outdoors: pipes may burst.

    Better from 10 °C, or 1 °C outdoors, on; a unit that is silent or does not know stays open.
    """
    query = FREEZING.format(supply=_number("supply_temp"), outdoor=_number("outdoor_temp"))
    values: dict[str, Any] = {
        "now": scope.now,
        "supply": FREEZING_SUPPLY,
        "intervals": SILENT_AFTER,
        "known_for": OUTDOOR_KNOWN_FOR,
        "open": [subject.unit for subject in rows],
    }
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        measured = cursor.fetchall()
    signs = [
        Sign(
            Subject(unit=unit),
            Severity.CRITICAL,
            since=at,
            sample=at,
            evidence={"supply": supply, "outdoor": round(outdoor, 1), "stand_in": stands_in},
        )
        for unit, at, supply, outdoor, stands_in in measured
        if outdoor is not None and supply < FREEZING_SUPPLY and outdoor < FREEZING_OUTDOOR
    ]
    better = {
        Subject(unit=unit): at
        for unit, at, supply, outdoor, _stands_in in measured
        if supply >= THAWED_SUPPLY or (outdoor is not None and outdoor >= THAWED_OUTDOOR)
    }
    return Found(signs, better)


def two_on_one(scope: Scope, rows: Rows) -> Found:
    """Two units that answer one address: named at the unit on record there, else at the line."""
    signs = []
    for state, problem in _problems(scope, AlarmKind.TWO_ON_ONE):
        units = Unit.objects.filter(gateway=state.gateway_id, retired_at=None).order_by("module")
        unit = units.filter(address=problem.get("address") or 0).first()
        subject = Subject(unit=unit.pk) if unit else Subject(gateway=state.gateway_id)
        signs.append(_of_problem(scope, subject, problem))
    return Found(signs, no_more(scope, rows, signs))


def flapping(scope: Scope, rows: Rows) -> Found:
    """Two connections of one transmitter id that displace each other."""
    return _of_lines(scope, rows, AlarmKind.FLAPPING)


def second_masters(scope: Scope, rows: Rows) -> Found:
    """Somebody else asks the units of a line."""
    return _of_lines(scope, rows, AlarmKind.SECOND_MASTER)


def _of_lines(scope: Scope, rows: Rows, kind: AlarmKind) -> Found:
    signs = [
        _of_problem(scope, Subject(gateway=state.gateway_id), problem)
        for state, problem in _problems(scope, kind)
    ]
    return Found(signs, no_more(scope, rows, signs))


def _problems(scope: Scope, code: str) -> Iterable[tuple[GatewayState, dict[str, Any]]]:
    """Problems of this code of lines whose line worker lives."""
    states = GatewayState.objects.exclude(problems=[]).filter(gateway__enabled=True)
    states = states.filter(problems__contains=[{"code": code}])
    if scope.line_worker is not None:
        states = states.filter(gateway__line_worker=scope.line_worker)
    for state in states:
        yield from ((state, problem) for problem in state.problems if problem["code"] == code)


def _of_problem(scope: Scope, subject: Subject, problem: dict[str, Any]) -> Sign:
    evidence = {"words": problem.get("words", ""), "address": problem.get("address")}
    since = datetime.fromtimestamp(problem["since"], UTC)
    return Sign(subject, Severity.WARNING, since=since, sample=scope.now, evidence=evidence)


def overdue(scope: Scope, rows: Rows) -> Found:
    """Values that a test changed and that were not put back for 15 minutes."""
    owed = Obligation.objects.overdue().filter(**_in_service(scope, "unit__")).order_by("made_at")
    signs = {
        obligation.unit_id: Sign(
            Subject(unit=obligation.unit_id),
            Severity.CRITICAL,
            since=obligation.made_at,
            sample=scope.now,
            evidence={"obligation": obligation.pk, "signal": obligation.signal}
            | {"former": obligation.former, "test_value": obligation.test_value},
            proven=True,
        )
        for obligation in reversed(owed)
    }
    return Found(list(signs.values()), no_more(scope, rows, signs.values()))


def budgets(scope: Scope, rows: Rows) -> Found:
    """Transmitters that used 80 % of their month's bytes; used up is more than a hint."""
    months = GatewayMonth.objects.filter(month=GatewayMonth.current(), gateway__enabled=True)
    used = F("bytes_in") + F("bytes_out")
    months = months.annotate(used=used, budget=F("gateway__monthly_budget_mb") * MEGABYTE)
    months = months.filter(budget__gt=0, used__gte=F("budget") * WARNED_FROM)
    signs = [
        Sign(
            Subject(gateway=month.gateway_id),
            Severity.WARNING if month.total >= month.budget else Severity.INFO,
            since=scope.now,
            sample=scope.now,
            evidence={"bytes": month.total, "budget": month.budget},
            proven=True,
        )
        for month in months
    ]
    return Found(signs, no_more(scope, rows, signs))
