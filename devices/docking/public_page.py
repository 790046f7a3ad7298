"""What the QR of a confirmation opens for anybody, and the short form to type its code."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from devices.docking import codes, confirmations, letter, superseding
from devices.models import EXPIRED, NOT_YET, Confirmation, ConfirmationState
from households import guesses
from households.public_pages import answer
from households.requests import address

WRONG_A_MINUTE = 30  # of one visitor; right codes are not counted
PAGE = "devices/docking/public.html"


@login_not_required
@never_cache
@require_safe
def code_form(request: HttpRequest) -> HttpResponse:
    """Where a code that stands on paper is typed; it leads to the code's own page."""
    typed = codes.read(request.GET.get("code", ""))
    if typed:
        return redirect("public_confirmation", code=typed)
    return _answer(request, {"asks": True}, 200)


@login_not_required
@never_cache
@require_safe
def public_confirmation(request: HttpRequest, code: str) -> HttpResponse:
    """How a confirmation stands and what it covers; nobody's name. Whatever is not there looks
    alike."""
    one = confirmations.of_code(code)
    if one is None:
        often = guesses.too_many("confirm", address(request), WRONG_A_MINUTE)
        return _answer(request, {"often": often, "asks": True}, 429 if often else 404)
    return _answer(request, _told(one), 200)


def _told(one: Confirmation) -> dict[str, Any]:
    ended = one.standing not in (ConfirmationState.VALID, NOT_YET, EXPIRED)
    last = one.acts.filter(state=one.state).last() if ended else None
    return {
        "confirmation": one,
        "scope": letter.scope(one),
        "since": last.at if last else None,
        "successor": superseding.successor(one),
        "asks": False,
    }


def _answer(request: HttpRequest, context: dict[str, Any], status: int) -> HttpResponse:
    return answer(request, PAGE, context | {"title": confirmations.title()}, status)
