"""The list of heating units (设备监测)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.decorators import login_required
from django.db.models import FloatField, OuterRef, Prefetch, QuerySet, Subquery
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, Coalesce
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from devices.models import Gateway, Installation, Unit
from households import clock, lists
from households.models import Household
from households.requests import SignedIn
from telemetry import points
from telemetry.filters import CAUSES, REACHABLE, STATES, UnitFilter, for_cause, in_state
from telemetry.latest import Shown, fault_words, value_of
from telemetry.models import Alarm, UnitState

SHOWN = ("supply_temp", "return_temp", "outdoor_temp", "indoor_temp_setpoint", "indoor_temp")
SHAPES = {"online": "st-ok", "in_fault": "st-bad", "silent": "st-off", "reachable": "st-ok"}


def _newest(signal: str) -> Subquery:
    """The newest value as a number; NULL where it is not good."""
    now, earlier = KT(f"values__{signal}"), KT(f"aside__{signal}__value")
    number = Cast(Coalesce(now, earlier), FloatField())
    states = UnitState.objects.filter(unit=OuterRef("pk"))
    return Subquery(states.annotate(number=number).values("number"))


SORTS: dict[str, lists.Column] = {
    "number": "installed_number",
    "model": "model__code",
    "network_address": "network_address",
    "answered_at": "state__answered_at",
    **{signal: _newest(signal) for signal in SHOWN},
}


@dataclass(frozen=True)
class Line:
    """One line of the list: the unit, where it stands now, its state and its newest values."""

    unit: Unit
    household: Household | None
    state: UnitState | None
    values: list[Shown]
    switch: Shown

    @classmethod
    def of(cls, unit: Unit) -> Line:
        state = state_of(unit)
        return cls(
            unit,
            household_of(unit),
            state,
            [value_of(unit, state, signal) for signal in SHOWN],
            value_of(unit, state, "power_state"),
        )

    @property
    def faults(self) -> str:
        state = self.state
        return fault_words(state) if state and state.is_online and state.fault_active else ""


def state_of(unit: Unit) -> UnitState | None:
    """The newest state, or None for a unit that was never polled."""
    return getattr(unit, "state", None)


def household_of(unit: Unit) -> Household | None:
    """Where the unit stands now; needs the units of `seen_by`."""
    return next((record.household for record in unit.installations.all()), None)


def seen_by(request: SignedIn) -> QuerySet[Unit]:
    """Units that the asker may see, with all that a line or a page says of them."""
    now = Installation.objects.filter(removed_on=None)
    here = now.filter(unit=OuterRef("pk"))
    units = Unit.objects.filter(pk__in=Unit.objects.visible_to(request.user).values("pk"))
    return (
        units.filter(retired_at=None)
        .annotate(
            installed_number=Subquery(here.values("household__number")[:1]),
            installed_area=Subquery(here.values("household__area")[:1]),
        )
        .select_related("model__supplier", "gateway", "register_map", "state")
        .prefetch_related(
            Prefetch("installations", now.select_related("household__area__owner__owner")),
            Prefetch("alarms", Alarm.objects.open()),
        )
    )


@login_required
@require_safe
def units(request: SignedIn) -> HttpResponseBase:
    """Units with their newest values, by page; `?export=csv` hands out all that are filtered."""
    filters = UnitFilter(request.GET, seen_by(request), request=request)
    rows, sort = lists.in_order(filters.qs, request.GET.get("sort", ""), SORTS, "number")
    if request.GET.get("export") == "csv":
        return lists.csv_of(_("设备监测"), _head(), _csv_rows(rows))
    page = lists.page_of(rows, request)
    context = {
        "filters": filters,
        "page": page,
        "lines": [Line.of(unit) for unit in page],
        "heads": [(signal, points.label(signal)) for signal in SHOWN],
        "sort": sort,
        "chips": _chips(request, filters),
        "causes": _causes(request, filters),
        "line": _line(request),
    }
    return render(request, "telemetry/units.html", context)


def _chips(request: SignedIn, filters: UnitFilter) -> list[lists.Chip]:
    """All other conditions kept, how many units are online, in fault and silent."""
    others = {key: value for key, value in request.GET.items() if key not in ("state", "cause")}
    rows = UnitFilter(others, filters.queryset, request=request).qs
    chosen = request.GET.get("state", "")
    narrowed = chosen or request.GET.get("cause")
    total = lists.Chip("", _("全部"), "", rows.count(), not narrowed)
    shown = [*STATES, REACHABLE] if chosen == "reachable" else STATES
    return [
        total,
        *(
            lists.Chip(
                state, str(label), SHAPES[state], in_state(rows, state).count(), state == chosen
            )
            for state, label in shown
        ),
    ]


def _causes(request: SignedIn, filters: UnitFilter) -> list[lists.Chip]:
    """All other conditions kept, why units are silent, and how many sensors are ill."""
    others = {key: value for key, value in request.GET.items() if key not in ("state", "cause")}
    rows = UnitFilter(others, filters.queryset, request=request).qs
    chosen = request.GET.get("cause", "")
    return [
        lists.Chip(cause, str(label), "", for_cause(rows, cause).count(), cause == chosen)
        for cause, label in CAUSES
    ]


def _line(request: SignedIn) -> Gateway | None:
    """The line to which the list is narrowed, if it is."""
    number = request.GET.get("gateway", "")
    if not number.isdecimal() or len(number) > 18:
        return None
    return Gateway.objects.visible_to(request.user).filter(pk=int(number)).first()


def _head() -> list[str]:
    return [
        _("户编号"),
        _("改造主体"),
        _("村（社区）"),
        _("设备厂商名称"),
        _("设备型号"),
        _("设备出厂地址编号"),
        _("网络地址"),
        _("接入方式"),
        _("状态"),
        *(f"{points.label(signal)} °C" for signal in SHOWN),
        _("开关机状态"),
        _("故障信息"),
        _("最近应答"),
    ]


def _csv_rows(rows: QuerySet[Unit]) -> Iterator[list[object]]:
    for unit in rows.iterator(chunk_size=500):
        line = Line.of(unit)
        area = line.household.area if line.household else None
        state = line.state
        yield [
            line.household.number if line.household else "",
            area.town.name if area and area.town else "",
            area.name if area else "",
            unit.model.supplier.name,
            unit.model.code,
            unit.factory_number,
            unit.network_address,
            unit.gateway.get_kind_display(),
            state.label if state else _("离线"),
            *(_csv_value(state, value) for value in line.values),
            "" if line.switch.words else line.switch.text,
            line.faults,
            written(state.answered_at if state else None),
        ]


def _csv_value(state: UnitState | None, shown: Shown) -> object:
    """The number itself where it is good and fresh, else the reason why there is none."""
    if state is None or shown.at is None:
        return ""
    return shown.words or state.entry(shown.signal)["value"]


def written(moment: datetime | None) -> str:
    """A Shanghai time that spreadsheets read."""
    return f"{moment.astimezone(clock.SHANGHAI):%Y-%m-%d %H:%M:%S}" if moment else ""
