"""The installation record of a household at a desk: enter it, correct it, replace the unit."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from devices import installing
from devices.installation_form import ADDS, REPLACES, InstallationForm, choices
from devices.installing import InstallationRefused
from devices.models import Installation
from devices.phone import REASONS
from households import clock
from households.models import Household, Method
from households.requests import SignedIn
from households.uid import uuid7


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def installation(request: SignedIn, number: str) -> HttpResponse:
    """The form of one household: empty, or with the record to correct (`?record=uid`).

    The uid of a new record is made with the form, so that a second press stores nothing new.
    """
    rows = Household.objects.visible_to(request.user).select_related("area__owner")
    home = get_object_or_404(rows, number=number)
    if not request.user.may_install or not Method(home.method).has_unit:
        raise PermissionDenied
    standing = _standing(home)
    kept = _kept(request, standing)
    if request.method == "POST":
        form, row = _record(request, home, kept)
        if row:
            return redirect("household", home.number)
    else:
        form = InstallationForm(None, home, request.user, kept, initial=_first(home, kept))
    context = {
        "household": home,
        "form": form,
        "kept": kept,
        "standing": standing,
        "uid": request.POST.get("uid") or (kept.uid if kept else uuid7()),
        "reason": request.POST.get("reason", ""),
        "reasons": REASONS,
        "models": choices(request.user),
    }
    status = 422 if form.is_bound else 200
    return render(request, "devices/installation.html", context, status=status)


def _standing(home: Household) -> list[Installation]:
    rows = home.installations.standing().select_related(
        "unit__model__supplier", "unit__gateway", "entered_by"
    )
    return list(rows)


def _kept(request: SignedIn, standing: list[Installation]) -> Installation | None:
    """The record that is corrected: the one asked for, or the only one unless a unit is new."""
    wanted = request.POST.get("uid") or request.GET.get("record", "")
    for row in standing:
        if str(row.uid) == wanted:
            return row
    is_new = request.GET.get("many") in (REPLACES, ADDS) or request.method == "POST"
    return None if is_new or not standing else standing[0]


def _first(home: Household, kept: Installation | None) -> dict[str, Any]:
    """What stands in the fields before anybody types."""
    if kept:
        return values_of(kept)
    given = home.assignments.filter(withdrawn_at=None).select_related("model__supplier").first()
    wanted = given.model if given else None
    return {
        "installed_on": clock.today(),
        "maker": wanted.supplier.name if wanted else "",
        "device": wanted.name if wanted else "",
        "model": wanted.code if wanted else "",
        "address": 1,
        "heated_area": home.heated_area,
        "latitude": home.latitude,
        "longitude": home.longitude,
        "position_source": home.position_source,
    }


def values_of(row: Installation) -> dict[str, Any]:
    """A record as the form takes it."""
    unit = row.unit
    return {field: getattr(row, field) for field in installing.KEPT} | {
        "maker": unit.model.supplier.name,
        "device": unit.model.name,
        "model": unit.model.code,
        "address": unit.address,
        "network_address": unit.network_address,
    }


def _record(
    request: SignedIn, home: Household, kept: Installation | None
) -> tuple[InstallationForm, Installation | None]:
    """The form as it was sent, and the record unless something is wrong with it."""
    form = InstallationForm(request.POST, home, request.user, kept)
    reason = request.POST.get("reason", "").strip()[:200]
    try:
        uid = UUID(request.POST.get("uid", ""))
        row = installing.record(home, request.POST, request.user, uid, reason=reason)
    except ValueError:
        form.add_error(None, _("这条记录读不出来：请重新填写"))
        return form, None
    except InstallationRefused as refusal:
        for field, told in refusal.messages.items():
            known = field if field in form.fields else None
            fresh = [text for text in told if text not in form.errors.get(known or "__all__", [])]
            if fresh:
                form.add_error(known, fresh)
        return form, None
    messages.success(request, _("安装记录已保存。"))
    for reminder in installing.reminders(row):
        messages.warning(request, reminder)
    return form, row
