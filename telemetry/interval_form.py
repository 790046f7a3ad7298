"""How often one unit is asked, set from its page by those who tend the lines."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.http import require_POST

from devices.models import Unit
from households.requests import SignedIn
from telemetry import cadence
from telemetry.unit_list import seen_by


class IntervalForm(forms.Form):
    interval_s = forms.IntegerField(
        label=_lazy("采集间隔（秒）"),
        required=False,
        widget=forms.NumberInput({"class": "form-control", "inputmode": "numeric"}),
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        bounds = {"low": cadence.FASTEST_S, "high": cadence.SLOWEST_S}
        self.fields["interval_s"].help_text = _("%(low)d 至 %(high)d；不填按通信链路") % bounds


def interval_context(request: SignedIn, unit: Unit) -> dict[str, Any]:
    """The interval in force, and the form for who may change it."""
    form = IntervalForm(initial={"interval_s": unit.interval_s})
    return {
        "in_force": cadence.in_force(unit),
        "interval_form": form if cadence.may_set(request.user) else None,
    }


@login_required
@require_POST
def unit_interval(request: SignedIn, pk: int) -> HttpResponse:
    """Set the unit's own interval, or with nothing written take it back."""
    unit, form = get_object_or_404(seen_by(request), pk=pk), IntervalForm(request.POST)
    if not cadence.may_set(request.user):
        raise PermissionDenied
    try:
        if not form.is_valid():
            raise ValidationError(_("采集间隔请填整数秒"))
        cadence.set_interval(unit, form.cleaned_data["interval_s"], by=request.user)
    except ValidationError as mistake:
        messages.error(request, "；".join(mistake.messages))
    else:
        messages.success(request, _("采集间隔已保存"))
    return redirect("unit", pk)
