"""What the QR of a card opens, without signing in."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from households import cards
from households.requests import address

TRIES, WITHIN_S = 30, 60  # of one address: a hall full of people behind one router still scans


@login_not_required
@never_cache
@require_safe
def public_card(request: HttpRequest, code: str) -> HttpResponse:
    """户编号, method, acceptance and a service number; unknown and revoked codes look alike."""
    if _tries_too_often(address(request)):
        return _answer(request, {"often": True}, 429)
    household = cards.household_of(code)
    if household is None:
        return _answer(request, {}, 404)
    return _answer(request, {"household": household}, 200)


def _tries_too_often(visitor: str | None) -> bool:
    key = f"card:{visitor}"
    cache.add(key, 0, WITHIN_S)
    try:
        return cache.incr(key) > TRIES
    except ValueError:  # forgotten between the two
        return False


def _answer(request: HttpRequest, context: dict[str, object], status: int) -> HttpResponse:
    context["service"] = settings.SERVICE_PHONE
    response = render(request, "households/public_card.html", context, status=status)
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response
