"""Pages of applications: their list, and one as the hub of everything about it."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from devices.models import DockingApplication
from households.models import Role, User
from households.requests import SignedIn


def reads_docking(user: User) -> bool:
    """Whether docking concerns the role at all: makers, and whoever sees the whole district."""
    return user.sees_whole_district or user.role == Role.SUPPLIER


def found(user: User, number: str) -> DockingApplication:
    """The application, or 404 where the user may not learn of it."""
    rows = DockingApplication.objects.visible_to(user).of_number(number)
    return get_object_or_404(rows.select_related("supplier", "model", "register_map", "sample"))


@login_required
@require_safe
def application_list(request: SignedIn) -> HttpResponse:
    if not reads_docking(request.user):
        raise PermissionDenied(_("数据对接由供应商和平台服务单位办理。"))
    rows = DockingApplication.objects.visible_to(request.user).select_related("supplier", "model")
    return render(request, "devices/docking/list.html", {"rows": rows})


@login_required
@require_safe
def application(request: SignedIn, number: str) -> HttpResponse:
    one = found(request.user, number)
    return render(request, "devices/docking/application.html", {"application": one})


def confirmation(request: SignedIn, uid: str) -> HttpResponse:
    raise PermissionDenied
