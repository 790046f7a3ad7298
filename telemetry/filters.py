"""By what the list of units can be narrowed."""

import django_filters as filters
from django import forms
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from devices.models import DeviceModel, Gateway, Unit
from households.filters import CHOICE, FIELD, AreaFilter, choice
from telemetry.models import UnitState, WorkerState

STATES = [
    ("online", _("在线")),
    ("in_fault", _("在线有故障")),
    ("silent", _("离线")),
]
REACHABLE = ("reachable", _("在线（含有故障）"))
CAUSES = [
    ("worker_gone", _("采集进程停止")),
    ("line_down", _("装置离线、链路中断")),
    ("unit_silent", _("机组未应答")),
    ("sensor", _("在线但传感器异常")),
]
# Qualities that say something of the moment or of the line and nothing of a sensor.
NO_SENSORS = [
    "good",
    "identity_disputed",
    "not_answered",
    "not_supported",
    "starting",
    "suspect",
    "unconfirmed",
]
MEASURED = ["supply_temp", "return_temp", "outdoor_temp", "indoor_temp"]


def in_state(units: QuerySet[Unit], wanted: str) -> QuerySet[Unit]:
    """Units of one of the three states that sum to all, or all that are online (reachable).

    A unit that never answered is silent.
    """
    online, in_fault = UnitState.objects.online(), UnitState.objects.in_fault()
    if wanted == "silent":
        return units.exclude(pk__in=online.values("unit"))
    if wanted == "reachable":
        return units.filter(pk__in=online.values("unit"))
    if wanted == "in_fault":
        return units.filter(pk__in=in_fault.values("unit"))
    return units.filter(pk__in=online.values("unit")).exclude(pk__in=in_fault.values("unit"))


def for_cause(units: QuerySet[Unit], wanted: str) -> QuerySet[Unit]:
    """Silent units by what is missing between them and the platform, which sum to all silent
    ones; or, for "sensor", units online with a temperature that their sensor does not tell."""
    if wanted == "sensor":
        online = in_state(units, "reachable")
        return online.filter(state__in=UnitState.objects.filter(_ill_sensor()))
    silent = in_state(units, "silent")
    living = WorkerState.objects.living().values("name")
    if wanted == "worker_gone":
        return silent.exclude(gateway__line_worker__in=living)
    served = silent.filter(gateway__line_worker__in=living)
    connected = Q(gateway__enabled=True, gateway__state__connected=True)
    return served.filter(connected) if wanted == "unit_silent" else served.exclude(connected)


def _ill_sensor() -> Q:
    """Any of the temperatures stands aside with a quality that says so; exceptions are the
    unit's, not the sensor's."""
    ill = Q()
    for signal in MEASURED:
        quality = f"aside__{signal}__quality"
        ill |= (
            Q(**{f"aside__{signal}__isnull": False})
            & ~Q(**{f"{quality}__in": NO_SENSORS})
            & ~Q(**{f"{quality}__startswith": "exception:"})
        )
    return ill


def models_of(request: object) -> QuerySet[DeviceModel]:
    """Models of the units that the asker may see: nobody learns of other makers."""
    seen = Unit.objects.visible_to(request.user).filter(retired_at=None)  # type: ignore[attr-defined]
    return DeviceModel.objects.filter(pk__in=seen.values("model"))


class UnitFilter(filters.FilterSet):
    q = filters.CharFilter(
        method="search",
        label=_("查找"),
        widget=forms.TextInput(
            {**FIELD, "type": "search", "placeholder": _("户编号、出厂编号、网络地址、装置地址")}
        ),
    )
    area = AreaFilter("installed_area")
    model = filters.ModelChoiceFilter(
        queryset=models_of,
        empty_label=_("型号：全部"),
        widget=forms.Select({**CHOICE, "aria-label": _("设备型号")}),
    )
    kind = choice(
        _("接入方式"), _("接入方式：全部"), Gateway.Kind.choices, field_name="gateway__kind"
    )
    state = filters.ChoiceFilter(
        choices=[*STATES, REACHABLE], method="stands", widget=forms.HiddenInput
    )
    cause = filters.ChoiceFilter(choices=CAUSES, method="caused", widget=forms.HiddenInput)
    gateway = filters.NumberFilter(
        field_name="gateway", label=_("通信链路"), widget=forms.HiddenInput
    )
    installed = filters.BooleanFilter(method="standing", widget=forms.HiddenInput)

    class Meta:
        model = Unit
        fields: list[str] = []

    def search(self, units: QuerySet[Unit], name: str, words: str) -> QuerySet[Unit]:
        for word in words.split():
            hits = (
                Q(installed_number__icontains=word)
                | Q(factory_number__icontains=word)
                | Q(gateway__url__icontains=word)
            )
            if word.isdecimal() and len(word) <= 5:  # an address has at most 65,535
                hits |= Q(network_address=int(word))
            units = units.filter(hits)
        return units

    def stands(self, units: QuerySet[Unit], name: str, value: str) -> QuerySet[Unit]:
        return in_state(units, value)

    def caused(self, units: QuerySet[Unit], name: str, value: str) -> QuerySet[Unit]:
        return for_cause(units, value)

    def standing(self, units: QuerySet[Unit], name: str, wanted: bool) -> QuerySet[Unit]:
        """Units that stand in a household now, without samples and spares; or only those."""
        return units.filter(Q(installed_number__isnull=not wanted))
