"""By what the list of units can be narrowed."""

import django_filters as filters
from django import forms
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from devices.models import DeviceModel, Gateway, Unit
from households.filters import CHOICE, FIELD, AreaFilter, choice
from telemetry.models import UnitState

STATES = [
    ("online", _("在线")),
    ("in_fault", _("在线有故障")),
    ("silent", _("离线")),
]
REACHABLE = ("reachable", _("在线（含有故障）"))


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

    def stands(self, units: QuerySet[Unit], name: str, wanted: str) -> QuerySet[Unit]:
        return in_state(units, wanted)

    def standing(self, units: QuerySet[Unit], name: str, wanted: bool) -> QuerySet[Unit]:
        """Units that stand in a household now, without samples and spares; or only those."""
        return units.filter(Q(installed_number__isnull=not wanted))
