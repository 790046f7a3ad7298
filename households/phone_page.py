"""The part of a page that tells a household's phone number."""

from __future__ import annotations

import json

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_POST

from households import reveals
from households.models import Household, RevealHow
from households.requests import SignedIn, address
from households.sealing import SealBroken

PART = "households/phone.html"
FORM = "households/phone_reason.html"


@login_required
@never_cache
@require_POST
@sensitive_variables("phone", "told")
def phone(request: SignedIn, number: str) -> HttpResponse:
    """Show or dial the whole number; whoever must say why gets the form for it first."""
    household = get_object_or_404(Household.objects.visible_to(request.user), number=number)
    how = RevealHow.DIAL if request.POST.get("how") == RevealHow.DIAL else RevealHow.SHOW
    picked, words = request.POST.get("reason", ""), request.POST.get("words", "")
    reason = reveals.in_words(picked, words)
    try:
        told = reveals.reveal(request.user, household, how, reason, address(request))
    except reveals.ReasonNeeded:
        said = _("请选择原因；选“其他”时请写明。") if "reason" in request.POST else ""
        context = {"household": household, "how": how, "reasons": reveals.REASONS, "said": said}
        return render(request, FORM, context | {"picked": picked, "words": words})
    except SealBroken:
        return render(request, PART, {"broken": True})
    response = render(request, PART, {"phone": told, "household": household})
    if how == RevealHow.DIAL:
        response["HX-Trigger"] = json.dumps({"dial": told})
    return response
