"""登录规则: which roles need a second factor, and how long their sessions may lie idle."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from households.accounts.sessions import idle_limit
from households.models import Role, RoleRule, User
from households.models.sign_ins import MINUTES
from households.requests import SignedIn


@dataclass(frozen=True)
class Line:
    """One role: its rule, what holds without one, how many accounts it concerns."""

    role: Role
    needs_second_factor: bool
    idle_minutes: int
    accounts: int


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: SignedIn) -> HttpResponse:
    """Rules of all roles on one page, for the keeper of rights."""
    if not request.user.manages_rights:
        raise PermissionDenied(_("登录规则由安全管理员管理。"))
    if request.method != "POST":
        return _page(request)
    try:
        minutes = {role: _minutes(request, role) for role in Role}
    except ValueError as wrong:
        return _page(request, wrong=str(wrong))
    for role in Role:
        RoleRule.objects.update_or_create(
            role=role,
            defaults={
                "needs_second_factor": f"factor-{role}" in request.POST,
                "idle_minutes": minutes[role],
            },
        )
    messages.success(request, _("登录规则已保存，从每个账号的下一次操作起生效。"))
    return redirect("role_rules")


def _minutes(request: HttpRequest, role: Role) -> int:
    """Raises ValueError, in words, for what is no number of minutes in the range."""
    text = request.POST.get(f"idle-{role}", "").strip()
    low, high = MINUTES
    if not (text.isascii() and text.isdecimal() and low <= int(text[:9]) <= high):
        raise ValueError(
            _("%(role)s的闲置时间“%(text)s”不对，请填 %(low)d 至 %(high)d 分钟。")
            % {"role": role.label, "text": text, "low": low, "high": high}
        )
    return int(text)


def _page(request: SignedIn, wrong: str = "") -> HttpResponse:
    rules = {rule.role: rule for rule in RoleRule.objects.all()}
    lines = [_line(role, rules.get(role)) for role in Role]
    context = {"lines": lines, "wrong": wrong, "low": MINUTES[0], "high": MINUTES[1]}
    return render(request, "households/role_rules.html", context, status=422 if wrong else 200)


def _line(role: Role, rule: RoleRule | None) -> Line:
    limit = idle_limit(User(role=role), rule.idle_minutes if rule else None)
    return Line(
        role,
        bool(rule and rule.needs_second_factor),
        int(limit.total_seconds() // 60),
        User.objects.filter(role=role, is_active=True).count(),
    )
