"""Where an account is signed in: the list of 个人设置, and ending what is on it."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.http import require_POST

from households import clock
from households.accounts.sessions import KEY, idle_limit
from households.models import RoleRule, SignIn, User
from households.requests import SignedIn

SYSTEMS: dict[str, object] = {
    "HarmonyOS": _lazy("鸿蒙"),
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Android": _lazy("安卓手机"),
    "Windows": _lazy("Windows 电脑"),
    "Macintosh": _lazy("苹果电脑"),
    "Linux": _lazy("Linux 电脑"),
}
BROWSERS: dict[str, object] = {
    "MicroMessenger": _lazy("微信"),
    "QQBrowser": _lazy("QQ 浏览器"),
    "Edg": "Edge",
    "Firefox": "Firefox",
    "Chrome": "Chrome",
    "Safari": "Safari",
}


@dataclass(frozen=True)
class Place:
    """One line of the list."""

    row: SignIn
    device: str
    is_here: bool


def device(agent: str) -> str:
    """What the browser says of itself, in words: 安卓手机，微信."""
    parts = [_named(agent, SYSTEMS), _named(agent, BROWSERS)]
    return _("，").join(part for part in parts if part) or _("未知设备")


def _named(agent: str, names: dict[str, object]) -> str:
    return next((str(words) for mark, words in names.items() if mark in agent), "")


def places(user: User, here: int | None = None) -> list[Place]:
    """Where the account is signed in now, the newest use first; `here` is the asker's own."""
    rule = RoleRule.objects.filter(role=user.role).first()
    limit = idle_limit(user, rule.idle_minutes if rule else None)
    rows = user.sign_ins.open().filter(last_seen__gt=clock.now() - limit)
    return [Place(row, device(row.agent), row.pk == here) for row in rows]


@login_required
@require_POST
def end(request: SignedIn, pk: int) -> HttpResponse:
    """End one of the own sign-ins; its next request is asked to sign in."""
    row = get_object_or_404(request.user.sign_ins.open(), pk=pk)
    request.user.sign_ins.filter(pk=row.pk).end()
    messages.success(request, _("已结束在“%(device)s”的登录。") % {"device": device(row.agent)})
    return redirect("personal")


@login_required
@require_POST
def end_others(request: SignedIn) -> HttpResponse:
    """End all of the own sign-ins but this one."""
    count = request.user.sign_ins.exclude(pk=request.session.get(KEY, 0)).end()
    messages.success(request, _("已结束其他 %(n)d 处登录。") % {"n": count})
    return redirect("personal")
