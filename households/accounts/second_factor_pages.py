"""Setting up the second factor, new backup codes, and doing without: pages of 个人设置."""

from django.contrib import messages
from django.contrib.auth import authenticate
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from households.accounts import second_factor
from households.requests import SignedIn

PAGE = "households/second_factor.html"


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: SignedIn) -> HttpResponse:
    """The QR code for the phone, and the first code as proof that the phone has read it."""
    if second_factor.stands(request.user):
        return render(request, PAGE, {"left": _codes_left(request)})
    factor = second_factor.begin(request.user)
    context: dict[str, object] = {
        "picture": second_factor.picture(factor),
        "secret": _in_fours(factor.secret),
    }
    if request.method == "POST":
        if codes := second_factor.confirm(factor, request.POST.get("code", "")):
            return render(request, PAGE, {"codes": codes})
        return render(request, PAGE, context | {"wrong": True}, status=422)
    return render(request, PAGE, context)


@login_required
@never_cache
@require_POST
def new_codes(request: SignedIn) -> HttpResponse:
    """Ten new backup codes instead of the old ones, for whoever shows a right code now."""
    if not _shows_code(request):
        context = {"left": _codes_left(request), "wrong": True}
        return render(request, PAGE, context, status=422)
    return render(request, PAGE, {"codes": second_factor.new_backup_codes(request.user)})


@login_required
@never_cache
@require_POST
def remove(request: SignedIn) -> HttpResponse:
    """No second factor any more, or one on another phone, for whoever shows a right code now."""
    if not _shows_code(request):
        context = {"left": _codes_left(request), "wrong": True}
        return render(request, PAGE, context, status=422)
    second_factor.remove(request.user)
    messages.success(request, _("动态码已停用。换手机请重新设置。"))
    return redirect("personal")


def _shows_code(request: SignedIn) -> bool:
    """Counted as signing in is: guessing codes locks."""
    code = request.POST.get("code", "")
    return authenticate(request, username=request.user.username, code=code) is not None


def _codes_left(request: SignedIn) -> int:
    return request.user.backup_codes.filter(used_at=None).count()


def _in_fours(secret: str) -> str:
    """As people type it into a phone that cannot read the picture."""
    return " ".join(secret[i : i + 4] for i in range(0, len(secret), 4))
