"""What the QR of a card opens, without signing in; and another QR for a card that is lost."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required, login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from households import cards, guesses
from households.audit import history
from households.language import as_kept
from households.models import Household
from households.public_pages import answer
from households.requests import SignedIn, address

WRONG_A_MINUTE = 30  # of one visitor; right codes are not counted
PAGE = "households/public_card.html"
RENEWED_WHY = [
    ("lost", _lazy("档案卡遗失")),
    ("copied", _lazy("二维码被他人拍走")),
    ("moved", _lazy("住户变更")),
]


@login_not_required
@never_cache
@require_safe
def public_card(request: HttpRequest, code: str) -> HttpResponse:
    """户编号, method, acceptance and a service number; unknown and revoked codes look alike."""
    household = cards.household_of(code)
    if household is None:
        often = guesses.too_many("card", address(request), WRONG_A_MINUTE)
        return answer(request, PAGE, {"often": often}, 429 if often else 404)
    return answer(request, PAGE, {"household": household}, 200)


@login_required
@require_POST
def renew_card(request: SignedIn, number: str) -> HttpResponse:
    """The code on cards that are printed already opens nothing any more; another stands on the
    next."""
    home = get_object_or_404(Household.objects.visible_to(request.user), number=number)
    if not request.user.may_register:
        raise PermissionDenied(_("二维码由村（社区）、镇（街道）和区领导小组办公室更换。"))
    why = dict(RENEWED_WHY).get(request.POST.get("why", ""))
    if why is None:
        messages.error(request, _("更换二维码要选原因。"))
    else:
        with history.because(as_kept(why)):
            cards.renew(home)
        messages.success(request, _("二维码已更换，原来印出的打不开了：请重新打印档案卡。"))
    return redirect(f"/households/{number}/#papers")
