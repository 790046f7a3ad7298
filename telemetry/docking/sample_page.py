"""Where a maker's sample is connected: the form of the platform service unit."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from devices.docking.pages import found
from devices.models import DockingApplication
from households.requests import SignedIn
from telemetry import unknown
from telemetry.docking import samples
from telemetry.docking.forms import SampleForm
from telemetry.docking.test_acts import for_testers


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def docking_sample(request: SignedIn, number: str) -> HttpResponse:
    """Connect the sample, or connect it elsewhere. A transmitter's new registration text is shown
    once, in the answer."""
    application = found(request.user, number)
    for_testers(request.user)
    if request.method != "POST":
        return _page(request, application, SampleForm(initial=_as_it_is(application)))
    form = SampleForm(request.POST)
    if not form.is_valid():
        return _page(request, application, form)
    heard = unknown.heard_by(form.cleaned_data["transmitter"]) or ""
    try:
        connected = samples.connect(
            application, request.user, line_worker=heard, **form.cleaned_data
        )
    except samples.NotConnected as refusal:
        form.add_error(None, refusal.sentence)
        return _page(request, application, form)
    if connected.secret:
        return _page(request, application, form, connected)
    return redirect("docking_test", number)


def _page(
    request: SignedIn,
    application: DockingApplication,
    form: SampleForm,
    connected: samples.Connected | None = None,
) -> HttpResponse:
    context = {"application": application, "form": form, "connected": connected}
    status = 422 if form.errors else 200
    return render(request, "telemetry/docking/sample.html", context, status=status)


def _as_it_is(application: DockingApplication) -> dict[str, Any]:
    """The form's values for the sample as it is connected now; none for one that is not."""
    sample, second = application.sample, application.second_sample
    if sample is None:
        return {}
    line = sample.gateway
    return {
        "transmitter": line.transmitter,
        "line": "" if line.transmitter else line.url,
        "address": sample.address,
        "second_address": second.address if second else None,
        "module": sample.module,
    }
