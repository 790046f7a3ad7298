"""What those who tend the lines do to one: intervals and bytes, trust, transmitter and card."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from devices import transmitters
from devices.models import Gateway
from households.requests import SignedIn
from telemetry import cadence, line_page
from telemetry.line_forms import LineForm, TransmitterForm


@login_required
@require_POST
def line_settings(request: SignedIn, pk: int) -> HttpResponse:
    """Name, interval, bytes of a month, in use or not."""
    line, form = line_page.line_tended_by(request, pk), LineForm(request.POST)
    if not form.is_valid() or not _takes_interval(request, line, form):
        return line_page.page(request, line, form=form)
    said = form.cleaned_data
    line.name, line.enabled = said["name"], said["enabled"]
    line.monthly_budget_mb = said["monthly_budget_mb"]
    line.save(update_fields=["name", "enabled", "monthly_budget_mb"])
    messages.success(request, _("设置已保存"))
    return redirect("line", pk)


def _takes_interval(request: SignedIn, line: Gateway, form: LineForm) -> bool:
    try:
        cadence.set_interval(line, form.cleaned_data["interval_s"], by=request.user)
    except ValidationError as mistake:
        form.add_error("interval_s", mistake)
        return False
    return True


@login_required
@require_POST
def line_trust(request: SignedIn, pk: int) -> HttpResponse:
    """Confirm on site who answers there, or take the confirmation back (`trusted`, empty)."""
    line = line_page.line_tended_by(request, pk)
    line.trusted = bool(request.POST.get("trusted"))
    line.save(update_fields=["trusted"])
    messages.success(request, _("已确认身份") if line.trusted else _("已撤销确认，这条链路只读"))
    return redirect("line", pk)


@login_required
@never_cache
@require_POST
def line_secret(request: SignedIn, pk: int) -> HttpResponse:
    """A new private registration text, shown in this answer and never again."""
    line = line_page.line_tended_by(request, pk)
    if line.kind != Gateway.Kind.DIAL:
        raise PermissionDenied
    secret = line.new_secret()
    return line_page.page(request, line, secret=secret)


@login_required
@require_POST
def line_transmitter(request: SignedIn, pk: int) -> HttpResponse:
    """Another transmitter or card stands behind the line from now on."""
    line, form = line_page.line_tended_by(request, pk), TransmitterForm(request.POST)
    if form.is_valid():
        try:
            transmitters.change(line, by=request.user, **form.cleaned_data)
        except transmitters.NotChanged as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("已登记"))
            return redirect("line", pk)
    return line_page.page(request, line, transmitter_form=form)
