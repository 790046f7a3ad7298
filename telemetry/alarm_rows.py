"""Alarms as the list, other pages and the API show them: their rows, filters and places."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import django_filters as filters
from django import forms
from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import (
    Case,
    Count,
    IntegerField,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from devices.models import Gateway, Installation, Unit
from households.filters import FIELD, AreaFilter, choice
from households.models import Area, Household, User
from telemetry import alarm_words, lines
from telemetry.models import Alarm, AlarmKind, Obligation, Severity
from telemetry.models.alarms import SEVERITY_SHAPES

STATES = {
    "waiting": ("st-wait", _("未处理")),
    "taken": ("st-run", _("处理中")),
    "cleared": ("st-ok", _("已消除")),
}
OPEN, ALL = "open", "all"
GRAVITY = Case(
    When(severity=Severity.CRITICAL, then=Value(0)),
    When(severity=Severity.WARNING, then=Value(1)),
    default=Value(2),
    output_field=IntegerField(),
)


def alarms_of(user: User) -> QuerySet[Alarm]:
    """Alarms that the asker may see, with all that a row says of them.

    `place_order` is where they stand in the notice's order; `villages` where the units behind a
    line stand.
    """
    now = Installation.objects.filter(removed_on=None)
    seen = Unit.objects.visible_to(user).filter(retired_at=None)
    behind = now.filter(unit__gateway=OuterRef("gateway"), unit__in=seen.values("pk"))
    names = behind.order_by().values("unit__gateway")
    here = now.filter(unit=OuterRef("unit"))
    return (
        Alarm.objects.raised()
        .visible_to(user)
        .select_related("unit__model__supplier", "unit__gateway", "gateway", "area__owner__owner")
        .select_related("acknowledged_by__area")
        .prefetch_related(
            Prefetch("unit__installations", now.select_related("household__area__owner"))
        )
        .annotate(
            villages=Subquery(
                names.annotate(all=ArrayAgg("household__area__name", distinct=True)).values("all")
            ),
            place_order=Coalesce(
                "area__order",
                Subquery(here.values("household__area__order")[:1]),
                Subquery(
                    behind.order_by("household__area__order").values("household__area__order")[:1]
                ),
            ),
        )
    )


def in_state(alarms: QuerySet[Alarm], wanted: str) -> QuerySet[Alarm]:
    """Of one of the three states that sum to all; or open (waiting or taken); or all."""
    if wanted == "waiting":
        return alarms.filter(cleared_at=None, acknowledged_at=None)
    if wanted == "taken":
        return alarms.filter(cleared_at=None, acknowledged_at__isnull=False)
    if wanted == "cleared":
        return alarms.filter(cleared_at__isnull=False)
    return alarms if wanted == ALL else alarms.filter(cleared_at=None)


class PlaceFilter(AreaFilter):
    """Of a town or village, of the units that stand there now, and of the lines before these."""

    def filter(self, rows: Any, area: Area | None) -> Any:
        if area is None:
            return rows
        areas = Area.objects.under(area)
        here = Installation.objects.filter(removed_on=None, household__area__in=areas)
        return rows.filter(
            Q(unit__in=here.values("unit"))
            | Q(gateway__in=here.values("unit__gateway"))
            | Q(area__in=areas)
        )


class AlarmFilter(filters.FilterSet):
    q = filters.CharFilter(
        method="search",
        label=_("查找"),
        widget=forms.TextInput(
            {**FIELD, "type": "search", "placeholder": _("户编号、出厂编号、装置编号")}
        ),
    )
    area = PlaceFilter("area")
    kind = choice(_("告警类别"), _("类别：全部"), AlarmKind.choices)
    severity = choice(_("级别"), _("级别：全部"), Severity.choices)
    unit = filters.NumberFilter(field_name="unit_id", widget=forms.HiddenInput)
    state = filters.ChoiceFilter(
        choices=[
            (OPEN, _("未消除")),
            *((name, label) for name, (_shape, label) in STATES.items()),
            (ALL, _("全部")),
        ],
        method="stands",
        widget=forms.HiddenInput,
        label=_("状态"),
    )

    class Meta:
        model = Alarm
        fields: list[str] = []

    def search(self, rows: QuerySet[Alarm], name: str, words: str) -> QuerySet[Alarm]:
        for word in words.split():
            here = Installation.objects.filter(removed_on=None, household__number__icontains=word)
            rows = rows.filter(
                Q(unit__in=here.values("unit"))
                | Q(unit__factory_number__icontains=word)
                | Q(gateway__url__icontains=word)
                | Q(gateway__name__icontains=word)
                | Q(unit__gateway__url__icontains=word)
            )
        return rows

    def stands(self, rows: QuerySet[Alarm], name: str, wanted: str) -> QuerySet[Alarm]:
        return in_state(rows, wanted)

    def filter_queryset(self, queryset: QuerySet[Alarm]) -> QuerySet[Alarm]:
        """What is over is shown only where it is asked for."""
        rows = super().filter_queryset(queryset)
        return rows if self.form.cleaned_data.get("state") else in_state(rows, OPEN)


@dataclass(frozen=True)
class Contact:
    """Whom to call: an office's person or a supplier, with the phone where there is one."""

    who: str
    phone: str = ""


@dataclass(frozen=True)
class Row:
    """One alarm in words: what, where, since when, and who takes care of it."""

    alarm: Alarm
    kind: str
    sentence: str
    advice: str
    ending: str
    household: Household | None
    place: str
    link: str
    contacts: list[Contact]
    may_acknowledge: bool

    @property
    def state(self) -> str:
        if self.alarm.cleared_at:
            return "cleared"
        return "taken" if self.alarm.acknowledged_at else "waiting"

    @property
    def state_shape(self) -> str:
        return STATES[self.state][0]

    @property
    def state_label(self) -> str:
        return str(STATES[self.state][1])


def rows_of(alarms: Iterable[Alarm], user: User) -> list[Row]:
    """Rows of alarms from `alarms_of`, the links as far as the asker may follow them."""
    alarms = list(alarms)
    lines_seen = set(
        Gateway.objects.visible_to(user)
        .filter(pk__in=[alarm.gateway_id for alarm in alarms if alarm.gateway_id])
        .values_list("pk", flat=True)
    )
    owed = Obligation.objects.select_related("by__area").in_bulk(
        [a.evidence["obligation"] for a in alarms if a.kind == AlarmKind.RESTORE_OVERDUE]
    )
    return [
        Row(
            alarm,
            alarm_words.kind_of(alarm),
            alarm_words.sentence(alarm),
            alarm_words.advice(alarm),
            alarm_words.ending(alarm),
            _household(alarm),
            _place(alarm),
            _link(alarm, user, lines_seen),
            _contacts(alarm, owed),
            alarm.may_be_acknowledged_by(user),
        )
        for alarm in alarms
    ]


def _household(alarm: Alarm) -> Household | None:
    if alarm.unit is None:
        return None
    return next((record.household for record in alarm.unit.installations.all()), None)


def _place(alarm: Alarm) -> str:
    """Village and household, the line with its villages, the village, or the worker."""
    if alarm.area:
        return str(alarm.area)
    if alarm.gateway:
        names = "、".join(alarm.villages or ())  # type: ignore[attr-defined]  # alarms_of
        return f"{names} {lines.shown_id(alarm.gateway)}".strip()
    if alarm.unit is None:
        return alarm.line_worker
    home = _household(alarm)
    return f"{home.area.name} {home.number}" if home else str(alarm.unit)


def _link(alarm: Alarm, user: User, lines_seen: set[int]) -> str:
    """Where the subject has its page, or the units that it is about; empty where there is none."""
    if alarm.unit:
        return "" if alarm.unit.retired_at else reverse("unit", args=[alarm.unit.pk])
    if alarm.gateway_id:
        if alarm.gateway_id in lines_seen:
            return reverse("line", args=[alarm.gateway_id])
        return f"{reverse('units')}?gateway={alarm.gateway_id}"
    if alarm.area_id:
        return f"{reverse('units')}?area={alarm.area_id}&state=silent"
    return f"{reverse('lines')}?worker={alarm.line_worker}" if user.tends_lines else ""


def _contacts(alarm: Alarm, owed: dict[int, Obligation]) -> list[Contact]:
    """Whom to call while a test value may stand: who tested, and the supplier."""
    obligation = owed.get(alarm.evidence.get("obligation", 0))
    if obligation is None or alarm.unit is None or not alarm.is_open:
        return []
    supplier = alarm.unit.model.supplier
    return [
        Contact(f"{obligation.by.office} {obligation.by}"),
        Contact(f"{supplier.name} {supplier.contact}".strip(), supplier.phone),
    ]


def about(unit: Unit, user: User) -> list[Row]:
    """Open alarms that concern the unit: its own, its line's, and those of where it stands."""
    areas = Installation.objects.filter(removed_on=None, unit=unit).values("household__area")
    mine = Q(unit=unit) | Q(gateway=unit.gateway_id) | Q(area__in=areas)
    alarms = alarms_of(user).filter(mine, cleared_at=None)
    return rows_of(alarms.order_by(GRAVITY, "-raised_at"), user)


@dataclass(frozen=True)
class Summary:
    """The alarms that wait for somebody: how many of each severity, the oldest, the gravest few."""

    counts: list[tuple[str, str, str, int]]  # severity, class of its shape, label, how many
    oldest: Row | None
    gravest: list[Row]

    @property
    def total(self) -> int:
        return sum(count for *_rest, count in self.counts)


def summary(user: User, few: int = 4) -> Summary:
    """What the asker's dashboard says of alarms that nobody has taken over yet."""
    waiting = in_state(alarms_of(user), "waiting")
    counted = waiting.order_by().values_list("severity").annotate(Count("pk"))
    each = dict(counted)
    oldest = rows_of(waiting.order_by("raised_at")[:1], user)
    return Summary(
        [
            (name, SEVERITY_SHAPES[name], str(name.label), each.get(name, 0))
            for name in (Severity.CRITICAL, Severity.WARNING, Severity.INFO)
        ],
        oldest[0] if oldest else None,
        rows_of(waiting.order_by(GRAVITY, "-raised_at")[:few], user),
    )
