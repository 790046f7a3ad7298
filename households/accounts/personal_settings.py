"""Personal settings: language, password, the account's own keys to the API."""

from datetime import timedelta

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import authenticate, update_session_auth_hash
from django.contrib.auth.decorators import login_not_required, login_required
from django.contrib.auth.forms import PasswordChangeForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from households import clock
from households.accounts import own_sessions, second_factor, sessions
from households.models import ApiToken
from households.requests import SignedIn

SCOPES = [
    ("areas:read", _lazy("读区域")),
    ("households:read", _lazy("读改造户")),
    ("plans:read", _lazy("读任务计划与进度")),
    ("units:read", _lazy("读机组与当前值")),
    ("lines:read", _lazy("读通信链路")),
    ("readings:read", _lazy("读历史读数")),
    ("commands:write", _lazy("下发命令")),
    ("alarms:read", _lazy("读告警")),
    ("alarms:write", _lazy("确认告警")),
]
DAYS = [(30, _lazy("30 天")), (90, _lazy("90 天")), (365, _lazy("一年"))]
A_YEAR = timedelta(days=365)


class TokenForm(forms.Form):
    name = forms.CharField(
        label=_lazy("名称"),
        max_length=60,
        widget=forms.TextInput({"class": "form-control", "autocomplete": "off"}),
    )
    scopes = forms.MultipleChoiceField(
        label=_lazy("权限范围"), choices=SCOPES, widget=forms.CheckboxSelectMultiple
    )
    days = forms.TypedChoiceField(
        label=_lazy("有效期"), choices=DAYS, coerce=int, initial=90, widget=forms.RadioSelect
    )


class NewPasswordForm(PasswordChangeForm):
    def __init__(self, request: SignedIn) -> None:
        super().__init__(request.user, request.POST or None)
        self.request = request

    def clean_old_password(self) -> str:
        """Counted as signing in is: guessing at a PC that somebody left locks."""
        old: str = self.cleaned_data["old_password"]
        if authenticate(self.request, username=self.user.username, password=old) is None:
            raise forms.ValidationError(self.error_messages["password_incorrect"])
        return old

    def clean_new_password1(self) -> str:
        new: str = self.cleaned_data.get("new_password1", "")
        if new and new == self.cleaned_data.get("old_password"):
            raise forms.ValidationError(_("新密码和原来的一样，请换一个。"))
        return new


@login_required
@never_cache
@require_safe
def personal(request: SignedIn) -> HttpResponse:
    """个人设置: language, password, second factor, keys to the API, where one is signed in."""
    return _page(request)


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def password(request: SignedIn) -> HttpResponse:
    """Change the own password; all other sessions of the account end. An initial password leads
    here before anything else."""
    form = NewPasswordForm(request)
    if request.method != "POST" or not form.is_valid():
        return render(request, "households/password.html", {"password_form": form})
    request.user.must_change_password = False
    update_session_auth_hash(request, form.save())
    request.user.sign_ins.exclude(pk=request.session.get(sessions.KEY, 0)).end()
    messages.success(request, _("密码已更改，其他地方的登录已失效。"))
    return redirect("personal")


@login_not_required
@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Speak another language from now on: for the account, or for a visitor by a cookie."""
    wanted = request.POST.get("language", "")
    back = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(back, {request.get_host()}, request.is_secure())
    response = HttpResponseRedirect(back if safe else reverse("dashboard"))
    if wanted in dict(settings.LANGUAGES):
        response.set_cookie(settings.LANGUAGE_COOKIE_NAME, wanted, A_YEAR, samesite="Lax")
        if request.user.is_authenticated:
            request.user.language = wanted
            request.user.save(update_fields=["language"])
    return response


@login_required
@never_cache
@require_POST
def issue_token(request: SignedIn) -> HttpResponse:
    """A new key to the API; its secret is on this one page and nowhere afterwards."""
    form = TokenForm(request.POST)
    if not form.is_valid():
        return _page(request, token_form=form)
    name, scopes, days = (form.cleaned_data[field] for field in ("name", "scopes", "days"))
    token, secret = ApiToken.issue(request.user, name, scopes, days)
    return _page(request, issued=token, secret=secret)


@login_required
@require_POST
def revoke_token(request: SignedIn, pk: int) -> HttpResponse:
    """One of the own keys to the API works no more."""
    token = get_object_or_404(ApiToken, pk=pk, user=request.user, revoked_at=None)
    token.revoked_at = clock.now()
    token.save(update_fields=["revoked_at"])
    messages.success(request, _("令牌“%(name)s”已吊销。") % {"name": token.name})
    return redirect("personal")


def _page(request: SignedIn, **forms_and_secret: object) -> HttpResponse:
    context = {
        "places": own_sessions.places(request.user, request.session.get(sessions.KEY)),
        "has_second_factor": second_factor.stands(request.user),
        "token_form": TokenForm(initial={"scopes": ["units:read", "readings:read"], "days": 90}),
        "tokens": request.user.api_tokens.order_by("-created_at"),
        "scope_words": dict(SCOPES),
    }
    return render(request, "households/personal.html", context | forms_and_secret)
