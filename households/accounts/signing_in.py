"""Signing in by password and, where the account has one, a second factor; signing out.

Wrong passwords and wrong codes are counted together by django-axes, by account and address.
"""

from typing import Any
from urllib.parse import urlencode

from django.contrib.auth import authenticate, login
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST
from django_htmx.middleware import HtmxDetails

from households import clock
from households.accounts import second_factor, sessions
from households.models import User

HALF_WAY = "half_way"  # in the session: who gave the right password, when, where he wants to
CODE_WITHIN = 300  # seconds after the password
WHY = {
    "idle": _("您有一段时间没有操作，系统已自动退出。登录后回到原来的页面。"),
    "limit": _("这次登录的时间已满，请重新登录。登录后回到原来的页面。"),
    "ended": _("这次登录已被结束：在别处被结束，或者账号的角色、区域有变动。"),
}


class SignInPage(LoginView):
    template_name = "households/sign_in.html"
    redirect_authenticated_user = True

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        user = form.get_user()
        if not second_factor.stands(user):
            return super().form_valid(form)
        now = clock.now().timestamp()
        wanted = self.get_success_url()
        self.request.session[HALF_WAY] = {"user": user.pk, "at": now, "next": wanted}
        return redirect("sign_in_code")

    def get_success_url(self) -> str:
        """Not here once more, whatever the address says."""
        wanted = super().get_success_url()
        return self.get_default_redirect_url() if wanted == self.request.path else wanted

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        why = WHY.get(self.request.COOKIES.get(sessions.OVER, ""), "")
        return super().get_context_data(**context, why=why)


_page = SignInPage.as_view()


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponseBase:
    """Sign in by account and password.

    A part of a page that htmx asks for after the session has ended is led here too: then the whole
    page goes to sign in, and comes back afterwards.
    """
    if "HX-Request" not in request.headers:
        return _page(request)
    wanted = HtmxDetails(request).current_url_abs_path or "/"
    address = f"{reverse('sign_in')}?{urlencode({'next': wanted})}"
    return HttpResponse(status=204, headers={"HX-Redirect": address})


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in_code(request: HttpRequest) -> HttpResponse:
    """The second step: a code from the phone, or a backup code, soon after the password."""
    half_way = request.session.get(HALF_WAY, {})
    if clock.now().timestamp() - half_way.get("at", 0) > CODE_WITHIN:
        return redirect("sign_in")
    person = User.objects.filter(pk=half_way["user"], is_active=True).first()
    if person is None:
        return redirect("sign_in")
    if request.method == "POST":
        if user := authenticate(request, username=person.username, code=request.POST.get("code")):
            del request.session[HALF_WAY]
            login(request, user)
            return HttpResponseRedirect(half_way["next"])
        return render(request, "households/sign_in_code.html", {"wrong": True}, status=422)
    return render(request, "households/sign_in_code.html")


@login_not_required
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End this session alone; who is not signed in comes to the same page."""
    sessions.leave(request)
    return redirect("sign_in")
