"""One account: made, changed, disabled, unlocked, handed over; for the keepers of accounts and
of rights."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from devices.account_forms import AccountForm
from devices.account_list import STATES, accounts_of, belongs_to, state_of
from households.accounts import account_acts, handover, own_sessions, second_factor
from households.models import User
from households.requests import SignedIn


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def new_account(request: SignedIn) -> HttpResponse:
    """A new account; its initial password is on the answer and nowhere afterwards."""
    _only_keepers_of_accounts(request)
    form = AccountForm(request.POST or None, request.user)
    if request.method == "POST" and form.is_valid():
        account, password = form.create()
        return _page(request, account, password=password)
    return render(request, "devices/new_account.html", {"form": form}, status=_status(form))


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def account(request: SignedIn, pk: int) -> HttpResponse:
    """The account with its rights; posted, they are changed."""
    someone = get_object_or_404(accounts_of(request), pk=pk)
    if request.method != "POST":
        return _page(request, someone)
    form = AccountForm(request.POST, request.user, someone)
    if form.is_valid():
        try:
            form.save()
        except account_acts.Refused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, _("已保存。角色、区域有变动的，原有登录已结束。"))
            return redirect("account", pk)
    return _page(request, get_object_or_404(accounts_of(request), pk=pk), form=form)


def _act(act: Callable[[SignedIn, User], HttpResponse | None]) -> Callable[..., HttpResponse]:
    """A POST on one account by a keeper of accounts; leads back to its page."""

    @login_required
    @never_cache
    @require_POST
    @wraps(act)
    def view(request: SignedIn, pk: int) -> HttpResponse:
        someone = get_object_or_404(accounts_of(request), pk=pk)
        _only_keepers_of_accounts(request)
        try:
            answer = act(request, someone)
        except account_acts.Refused as refused:
            messages.error(request, str(refused))
            answer = None
        return answer or redirect("account", pk)

    return view


@_act
def reset_password(request: SignedIn, someone: User) -> HttpResponse:
    """A new initial password, shown this once."""
    return _page(request, someone, password=account_acts.reset_password(someone, request.user))


@_act
def disable(request: SignedIn, someone: User) -> None:
    """He is signed out everywhere and signs in no more."""
    account_acts.disable(someone, request.user)
    messages.success(request, _("账号已停用，它的登录已全部结束。"))


@_act
def enable(request: SignedIn, someone: User) -> None:
    """The account signs in again, by its former password."""
    account_acts.enable(someone)
    messages.success(request, _("账号已恢复使用。"))


@_act
def unlock(request: SignedIn, someone: User) -> None:
    """Forget the wrong passwords and codes that locked it."""
    account_acts.unlock(someone)
    messages.success(request, _("已解锁，可以马上再登录。"))


@_act
def end_sessions(request: SignedIn, someone: User) -> None:
    """He is signed out everywhere and may sign in again."""
    count = someone.sign_ins.end()
    messages.success(request, _("已结束 %(n)d 处登录。") % {"n": count})


@_act
def remove_second_factor(request: SignedIn, someone: User) -> None:
    """For a lost phone, when the backup codes are lost too."""
    account_acts.remove_second_factor(someone, request.user)
    messages.success(request, _("动态码已停用，请让本人登录后重新设置。"))


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def hand_over(request: SignedIn, pk: int) -> HttpResponse:
    """Choose a successor; all open work goes to him and the account is disabled, in one step."""
    someone = get_object_or_404(accounts_of(request), pk=pk)
    _only_keepers_of_accounts(request)
    candidates = handover.successors(someone)
    if request.method == "POST":
        chosen = request.POST.get("successor", "")
        successor = next((one for one in candidates if str(one.pk) == chosen), None)
        if successor is None:
            messages.error(request, _("请选择接手人。"))
            return redirect("hand_over_account", pk)
        try:
            moved = handover.hand_over(someone, successor, request.user)
        except account_acts.Refused as refused:
            messages.error(request, str(refused))
            return redirect("account", pk)
        context = {"account": someone, "successor": successor, "moved": moved}
        return render(request, "devices/handed_over.html", context)
    context = {"account": someone, "candidates": candidates}
    return render(request, "devices/hand_over.html", context)


def _only_keepers_of_accounts(request: SignedIn) -> None:
    if not request.user.manages_accounts:
        raise PermissionDenied(_("账号由系统管理员管理。"))


def _status(form: AccountForm) -> int:
    return 422 if form.is_bound else 200


def _page(
    request: SignedIn, someone: User, *, form: AccountForm | None = None, password: str = ""
) -> HttpResponse:
    state = state_of(someone, account_acts.locked_usernames())
    words, shape = STATES[state]
    context = {
        "account": someone,
        "form": form or AccountForm(None, request.user, someone),
        "password": password,
        "state": state,
        "state_words": words,
        "shape": shape,
        "belongs": belongs_to(someone),
        "places": own_sessions.places(someone),
        "has_second_factor": second_factor.stands(someone),
    }
    return render(request, "devices/account.html", context, status=_status(form) if form else 200)
