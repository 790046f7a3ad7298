"""Requests as signed-in pages get them, and from where they come."""

from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from households.models import User


class SignedIn(HttpRequest):
    """A request behind `login_required`: its user is an account."""

    user: User
    htmx: HtmxDetails


def whole_number(text: str, most: int = 2**63 - 1) -> int | None:
    """The number that an address or a form names, `most` at most (a key of a row, unless said
    otherwise); None for any other text, however long."""
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(most))):
        return None
    return int(text) if int(text) <= most else None


def address(request: HttpRequest) -> str | None:
    """Where the browser is. Behind TRUSTED_PROXIES proxies, what the outermost of them saw.

    What stands further left in X-Forwarded-For was written by the visitor and is worth nothing.
    """
    hops = request.headers.get("X-Forwarded-For", "").split(",")
    trusted = settings.TRUSTED_PROXIES
    here = request.META.get("REMOTE_ADDR", "")
    seen = hops[-trusted].strip() if trusted and len(hops) >= trusted else here
    try:
        return str(ip_address(seen))
    except ValueError:
        return None
