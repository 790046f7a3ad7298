"""What the QR of a card opens, without signing in."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from households import cards, guesses
from households.public_pages import answer
from households.requests import address

WRONG_A_MINUTE = 30  # of one visitor; right codes are not counted
PAGE = "households/public_card.html"


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
