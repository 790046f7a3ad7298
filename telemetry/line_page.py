"""One line (通信链路): its units, how asking goes, its connection, its bytes."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from devices.modbus import wires
from devices.models import Gateway, Unit
from households import clock
from households.models import Household
from households.requests import SignedIn
from telemetry import alarm_list, alarm_rows, lines
from telemetry.line_forms import LineForm, TransmitterForm
from telemetry.models import IntervalInForce, UnitState
from telemetry.unit_list import household_of, seen_by, state_of

MONTHS = 12
ALARMS = 10
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Row:
    """One unit of the line."""

    unit: Any
    household: Household | None
    state: UnitState | None
    exchanges: lines.Exchanges

    @property
    def interval_why(self) -> str:
        why = self.unit.interval_why
        return str(IntervalInForce.Why(why).label) if why and why != "default" else ""


SORTS: dict[str, Callable[[Row], Any]] = {
    "address": lambda row: (row.unit.address, row.unit.module or 0),
    "answered_at": lambda row: row.state and row.state.answered_at,
    "round_trip": lambda row: row.exchanges.round_trip_ms,
    "timeouts": lambda row: row.exchanges.timeouts,
    "wrong": lambda row: row.exchanges.wrong_frames,
}


def line_seen_by(request: SignedIn, pk: int) -> Gateway:
    """The line, or 404 for who may not see it."""
    return get_object_or_404(lines.lines_of(request.user), pk=pk)


def line_tended_by(request: SignedIn, pk: int) -> Gateway:
    """The line, for those who tend it; 404 for who may not even see it."""
    line = line_seen_by(request, pk)
    if not request.user.tends_lines:
        raise PermissionDenied
    return line


@login_required
@never_cache
@require_safe
def line(request: SignedIn, pk: int) -> HttpResponse:
    """The page of a line; htmx asks again for the parts that change by `?part=now`."""
    thing = line_seen_by(request, pk)
    if request.GET.get("part") == "now":
        return render(request, "telemetry/parts/line_now.html", _now(request, thing))
    return page(request, thing)


def page(request: SignedIn, thing: Gateway, **answer: object) -> HttpResponse:
    """The whole page; `answer` to an act: a refused form with its mistakes, or a new secret."""
    context = _now(request, thing) | {
        "alarms": _alarms(request, thing),
        "suggestions": alarm_list.SUGGESTIONS,
        "months": thing.months.all()[:MONTHS],
        "transmitters": thing.transmitters.select_related("recorded_by"),
        "form": LineForm.of(thing),
        "transmitter_form": TransmitterForm.of(thing),
    }
    refused = any(getattr(form, "errors", None) for form in answer.values())
    status = 422 if refused else 200
    return render(request, "telemetry/line.html", context | answer, status=status)


def _alarms(request: SignedIn, thing: Gateway) -> list[alarm_rows.Row]:
    """The gravest open alarms of the line and of its units."""
    mine = Q(gateway=thing) | Q(unit__gateway=thing, unit__retired_at=None)
    alarms = alarm_rows.alarms_of(request.user).filter(mine, cleared_at=None)
    gravest = alarms.order_by(alarm_rows.GRAVITY, "-raised_at")[:ALARMS]
    return alarm_rows.rows_of(gravest, request.user)


def _now(request: SignedIn, thing: Gateway) -> dict[str, object]:
    """What changes by itself: state, problems, figures, units."""
    rows, sort = _rows(request, thing)
    own = {row.unit.address for row in rows}
    return {
        "line": thing,
        "standing": lines.standing_of(thing),
        "problems": lines.problems_of(thing, request.user, own),
        "exchanges": lines.exchanges_of(thing),
        "connection": lines.Connection.of(thing),
        "speech": _speech(thing),
        "budget": lines.budget_of(thing),
        "by_month_end": _by_month_end(lines.budget_of(thing)),
        "rows": rows,
        "sort": sort,
    }


def _rows(request: SignedIn, thing: Gateway) -> tuple[list[Row], str]:
    said = lines.Connection.of(thing).units
    rows = [
        Row(
            unit,
            household_of(unit),
            state_of(unit),
            lines.Exchanges.of(said.get(str(unit.address), {})),
        )
        for unit in _units(request, thing)
    ]
    return in_order(rows, request.GET.get("sort", ""))


def _units(request: SignedIn, thing: Gateway) -> QuerySet[Unit]:
    newest = IntervalInForce.objects.filter(unit=OuterRef("pk")).order_by("-since")
    return (
        seen_by(request)
        .filter(gateway=thing)
        .annotate(
            interval_now=Subquery(newest.values("interval_s")[:1]),
            interval_why=Subquery(newest.values("why")[:1]),
        )
    )


def in_order(rows: list[Row], wanted: str) -> tuple[list[Row], str]:
    """Sorted as `wanted` says, `-` for downwards, unknown figures last."""
    name = wanted if wanted.removeprefix("-") in SORTS else "address"
    key = SORTS[name.removeprefix("-")]
    known = sorted((row for row in rows if key(row) is not None), key=key)
    if name.startswith("-"):
        known.reverse()
    return [*known, *(row for row in rows if key(row) is None)], name


def _by_month_end(budget: lines.Budget) -> float | None:
    """Megabytes at the end of the month if it goes on so; None in its first day."""
    today = clock.now().astimezone(clock.SHANGHAI)
    gone = today - today.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    if gone < DAY:
        return None
    whole = timedelta(days=monthrange(today.year, today.month)[1])
    return budget.megabytes * (whole / gone)


def _speech(thing: Gateway) -> str:
    """Speed and form of the characters, as `9600 8N1`, of a line that has wires."""
    if thing.kind == Gateway.Kind.MBAP:
        return ""
    unit = thing.units.filter(retired_at=None).select_related("register_map").first()
    wire = wires.wire_of(thing.url, unit.register_map.parsed().settings if unit else None)
    return f"{wire.url.baud} 8{wire.url.parity}{wire.url.stop_bits}"
