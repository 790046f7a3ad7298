"""调度大屏: the wall screen, for whoever is signed in, and by a link that shows nothing else."""

from __future__ import annotations

from datetime import timedelta

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required, login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from households import clock
from households.accounts.handover import HANDOVERS, Handover
from households.models import ApiToken, User
from households.requests import SignedIn
from plans import wall_drawing, wall_figures
from plans.models import TaskPlan, WallLink

TOUCH_AFTER = timedelta(minutes=1)  # a wall asks every minute
DAYS = [(30, _lazy("30 天")), (180, _lazy("半年")), (365, _lazy("一年"))]


def register() -> None:
    """Links go to a successor: a wall does not turn dark because a person has left."""
    HANDOVERS.append(Handover(_lazy("大屏链接"), give_links))


def give_links(leaver: User, successor: User) -> int:
    """His links that still stand; answers how many."""
    return leaver.wall_links.filter(revoked_at=None).update(created_by=successor)


@login_required
@never_cache
@require_safe
def wall(request: SignedIn) -> HttpResponse:
    """The screen as the asker sees it; ends with his session, unlike a link."""
    if not request.user.follows_plan:
        raise PermissionDenied(_("调度大屏给负责改造任务的单位看。"))
    return _screen(request, request.user)


@login_not_required
@never_cache
@require_safe
def wall_link(request: HttpRequest, token: str) -> HttpResponse:
    """The screen without signing in, while the link is valid; no other page learns its address."""
    link = WallLink.objects.select_related("created_by").filter(digest=ApiToken.digest_of(token))
    found = link.first()
    if found is None or not found.is_valid:
        response = render(request, "plans/wall_ended.html", status=404)
    else:
        _touch(found)
        response = _screen(request, found.created_by)
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex"
    return response


def _touch(link: WallLink) -> None:
    now = clock.now()
    if link.last_used_at is None or link.last_used_at < now - TOUCH_AFTER:
        WallLink.objects.filter(pk=link.pk).update(last_used_at=now)


def _office(user: User) -> str:
    """Whose wall it is, by its full name."""
    whole = user.sees_whole_district
    return _("区冬季清洁取暖工作领导小组办公室") if whole else user.office


def _screen(request: HttpRequest, user: User) -> HttpResponse:
    plan = TaskPlan.objects.select_related("district").first()
    if plan is None:
        return render(request, "plans/wall.html", {"office": _office(user)})
    seen = wall_figures.look(user, plan)
    context = {
        "office": _office(user),
        "wall": seen,
        "curve": wall_drawing.curve(seen),
        "circles": wall_drawing.circles(seen.spots),
        "forecast": wall_figures.forecast_words(seen),
        "low_rate": wall_drawing.LOW_RATE,
    }
    return render(request, "plans/wall.html", context)


class LinkForm(forms.Form):
    name = forms.CharField(
        label=_lazy("挂在哪里"),
        max_length=60,
        help_text=_lazy("如：区政府一楼大厅"),
        widget=forms.TextInput({"class": "form-control", "autocomplete": "off"}),
    )
    days = forms.TypedChoiceField(
        label=_lazy("有效期"), choices=DAYS, coerce=int, initial=180, widget=forms.RadioSelect
    )


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def wall_links(request: SignedIn) -> HttpResponse:
    """Links in use and gone; posted, a new one, whose address is on this answer alone."""
    if not request.user.hangs_walls:
        raise PermissionDenied(_("大屏链接由区领导小组办公室或系统管理员生成。"))
    form = LinkForm(request.POST or None, initial={"days": 180})
    context: dict[str, object] = {"form": form}
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        link, secret = WallLink.issue(request.user, said["name"], said["days"])
        address = request.build_absolute_uri(reverse("wall_link", args=[secret]))
        context = {"form": LinkForm(initial={"days": 180}), "issued": link, "address": address}
    rows = WallLink.objects.visible_to(request.user).select_related("created_by")
    return render(
        request,
        "plans/wall_links.html",
        context | {"links": rows},
        status=422 if form.errors else 200,
    )


@login_required
@require_POST
def revoke_wall_link(request: SignedIn, pk: int) -> HttpResponse:
    """The address shows nothing from now on."""
    if not request.user.hangs_walls:
        raise PermissionDenied(_("大屏链接由区领导小组办公室或系统管理员生成。"))
    link = get_object_or_404(WallLink.objects.visible_to(request.user), pk=pk, revoked_at=None)
    WallLink.objects.filter(pk=link.pk).update(revoked_at=clock.now())
    messages.success(request, _("“%(name)s”的大屏链接已收回。") % {"name": link.name})
    return redirect("wall_links")
