"""Pages of confirmations: issued, shown, handed out, suspended, restored, revoked."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from devices.docking import admission, applications, confirmations, letter, pages, superseding
from devices.docking.applications import DockingRefused
from devices.docking.forms import (
    ENDED_WHY,
    RESTORED_WHY,
    CityForm,
    IssueForm,
    ReasonForm,
    StampForm,
)
from devices.models import Confirmation, ConfirmationState, DockingState, Installation
from households import downloads, lists, vault
from households.archive.incoming import JPEG, SUFFIXES, FileRefused
from households.models import User
from households.requests import SignedIn

S = ConfirmationState
CHANGES = (S.SUSPENDED, S.VALID, S.REVOKED)
MOST_HOMES = 20  # named on the page; the number says how many there are


@login_required
@require_POST
def issue(request: SignedIn, number: str) -> HttpResponse:
    """Sign what a colleague tested: the letter is made and signed by the worker."""
    one = pages.found(request.user, number)
    if DockingState.ISSUED not in applications.ever(request.user, one):
        raise PermissionDenied(_("确认书由平台服务单位签发。"))
    form = IssueForm(request.POST)
    if form.is_valid():
        try:
            made = confirmations.issue(one, by=request.user, **form.cleaned_data)
        except DockingRefused as refused:
            messages.error(request, refused.sentence)
            one = pages.found(request.user, number)
        else:
            messages.success(request, _("%(number)s 正在签发。") % {"number": made.number})
            return redirect("confirmation", made.uid)
    context = pages.context_of(request.user, one)
    context["issue"] = form if context["issue"] else None
    return render(request, "devices/docking/application.html", context, status=422)


def found(user: User, uid: UUID) -> Confirmation:
    """The confirmation, or 404 where the user may not learn of it."""
    rows = Confirmation.objects.visible_to(user)
    return get_object_or_404(
        rows.select_related("model__supplier", "register_map", "application", "tester", "signer"),
        uid=uid,
    )


@login_required
@require_safe
def confirmation(request: SignedIn, uid: UUID) -> HttpResponseBase:
    """What it covers, how it stands, its papers, and what can be done with it."""
    one = found(request.user, uid)
    if request.GET.get("export") == "csv" and request.user.sees_whole_district:
        rows = admission.standing_of(one.model).iterator(chunk_size=500)
        return lists.csv_of(f"{one.model.code}-{_('已安装的机组')}", _head(), map(_csv_row, rows))
    return render(request, "devices/docking/confirmation.html", _context(request.user, one))


def _head() -> list[str]:
    return [_("户编号"), _("镇（街道）"), _("村（社区）"), _("安装日期"), _("设备出厂地址编号")]


def _csv_row(row: Installation) -> list[object]:
    home, town = row.household, row.household.area.town
    named = [home.number, town.name if town else "", home.area.as_village]
    return [*named, row.installed_on, row.factory_number]


def _context(user: User, one: Confirmation, sent: ReasonForm | None = None) -> dict[str, Any]:
    """What the page shows to this user; `sent` is a form with what is wrong in it."""
    standing = admission.standing_of(one.model)
    may = confirmations.NEXT.get(one.state, set()) if user.tests_docking else set()
    return {
        "confirmation": one,
        "scope": letter.scope(one),
        "successor": superseding.successor(one),
        "acts": list(one.acts.select_related("by__area")),
        "forms": [
            (state, sent if sent and sent.prefix == state else _reason_form(state))
            for state in CHANGES
            if state in may
        ],
        "installed": standing.count(),
        "homes": list(standing[:MOST_HOMES]) if user.sees_whole_district else [],
        "address": confirmations.public_address(one),
        "stamp": StampForm() if user.tests_docking and one.state != S.SIGNING else None,
    }


def _reason_form(state: ConfirmationState, data: Any = None) -> ReasonForm:
    reasons = RESTORED_WHY if state == S.VALID else ENDED_WHY
    return ReasonForm(reasons, data, prefix=state)


@login_required
@require_POST
def change(request: SignedIn, uid: UUID) -> HttpResponse:
    """Suspend, restore or revoke, with the reason."""
    one = found(request.user, uid)
    if not request.user.tests_docking:
        raise PermissionDenied(_("确认书由平台服务单位办理。"))
    asked = request.POST.get("state", "")
    if asked not in CHANGES:
        messages.error(request, _("没有这一步：请在本页选择要办理的。"))
        return _shown_again(request, one)
    state = S(asked)
    form = _reason_form(state, request.POST)
    if not form.is_valid():
        return _shown_again(request, one, form)
    try:
        confirmations.change(one, state, by=request.user, reason=form.reason)
    except DockingRefused as refused:
        messages.error(request, refused.sentence)
        return _shown_again(request, found(request.user, uid))
    words = {"number": one.number, "state": state.label}
    messages.success(request, _("%(number)s：%(state)s。") % words)
    return redirect("confirmation", uid)


def _shown_again(
    request: SignedIn, one: Confirmation, sent: ReasonForm | None = None
) -> HttpResponse:
    context = _context(request.user, one, sent)
    return render(request, "devices/docking/confirmation.html", context, status=422)


# -- papers --------------------------------------------------------------------------------


@login_required
@never_cache
@require_safe
def paper(request: SignedIn, uid: UUID) -> HttpResponseBase:
    """The signed letter, or the scan of the city's."""
    one = found(request.user, uid)
    return _handed_out(one.paper, one.paper_type, one.number)


@login_required
@never_cache
@require_safe
def stamped(request: SignedIn, uid: UUID) -> HttpResponseBase:
    """The scan of the letter as it was printed and sealed."""
    one = found(request.user, uid)
    return _handed_out(one.stamped, one.stamped_type, f"{one.number}-{_('盖章扫描件')}")


def _handed_out(name: str, content_type: str, title: str) -> HttpResponseBase:
    if not name:
        raise Http404
    suffix = SUFFIXES[content_type if content_type in SUFFIXES else JPEG]
    try:
        return downloads.paper(name, f"{title}.{suffix}", content_type)
    except FileNotFoundError:
        raise Http404 from None


@login_required
@require_POST
def stamp(request: SignedIn, uid: UUID) -> HttpResponse:
    """Bring the scan of the letter as it was printed and sealed."""
    one = found(request.user, uid)
    if not request.user.tests_docking:
        raise PermissionDenied(_("盖章扫描件由平台服务单位上传。"))
    form = StampForm(request.POST, request.FILES)
    try:
        if not form.is_valid():
            raise FileRefused(_("请选择照片或 PDF"))
        confirmations.stamp(one, form.cleaned_data["scan"], by=request.user)
    except (FileRefused, DockingRefused, vault.VaultRefused) as refused:
        messages.error(request, refused.sentence)
    else:
        messages.success(request, _("盖章扫描件已保存。"))
    return redirect("confirmation", uid)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def city(request: SignedIn) -> HttpResponse:
    """Enter a confirmation of the city's platform with number, issuer and scan."""
    if not request.user.tests_docking:
        raise PermissionDenied(_("市平台的确认书由平台服务单位核对原件后录入。"))
    form = CityForm(request.POST or None, request.FILES or None)
    if form.is_valid() and (made := _entered(request, form)):
        return redirect("confirmation", made.uid)
    status = 422 if form.is_bound else 200
    return render(request, "devices/docking/city.html", {"form": form}, status=status)


def _entered(request: SignedIn, form: CityForm) -> Confirmation | None:
    """The confirmation, or None with the reasons in the form."""
    said = dict(form.cleaned_data)
    model, scan = said.pop("model"), said.pop("scan")
    try:
        with transaction.atomic():
            made = confirmations.enter_city(model, scan, by=request.user, **said)
    except (FileRefused, vault.VaultRefused) as refused:
        form.add_error("scan", refused.sentence)
    except IntegrityError:
        form.add_error("number", _("这个出具单位的这个文号已经录入过"))
    else:
        messages.success(request, _("%(number)s 已录入。") % {"number": made.number})
        return made
    return None
