"""设置/设备监测: the one switch of all remote writing, for who tends the lines."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from households.requests import SignedIn
from telemetry import groups
from telemetry.models import Command, Obligation, RemoteWriting


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def page(request: SignedIn) -> HttpResponse:
    """Whether anything is written at all, since when and why; posted, the switch is turned."""
    if not request.user.tends_lines:
        raise PermissionDenied(_("只有系统管理员和平台服务单位可以更改设备监测的设置"))
    mistake = ""
    if request.method == "POST":
        why = request.POST.get("why", "").strip()
        if why and request.POST.get("on") in ("yes", "no"):
            on = request.POST["on"] == "yes"
            RemoteWriting.objects.create(on=on, by=request.user, why=why[:200])
            return redirect("monitoring_settings")
        mistake = _("请填写理由")
    context = {
        "writing": RemoteWriting.newest(),
        "turns": RemoteWriting.objects.select_related("by__area")[:20],
        "waiting": Command.objects.open().count(),
        "owed": Obligation.objects.open().select_related("unit"),
        "groups_allowed": groups.allowed(request.user),
        "mistake": mistake,
    }
    return render(
        request, "telemetry/monitoring_settings.html", context, status=422 if mistake else 200
    )
