"""Sessions: how long they last, what ends them, and what a person owes before anything else.

Each is a `SignIn`; the session holds its key. It ends when it has been idle for too long (30
minutes at a desk, 8 hours in the field, or what a `RoleRule` says), when it is older than
SESSION_HOURS, when somebody ends it, and when the account's role or area is another than at its
beginning. Parts of a page that refresh themselves say so (X-Polled) and keep nothing alive.

Why it ended is told to the sign-in page by a cookie: of several parts of a page that ask at once
only the first still finds the session, and any of them may be the one that leads there.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from django.conf import settings
from django.contrib.auth import logout
from django.core.management import call_command
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from households import clock
from households.models import SignIn, User
from households.requests import address

KEY = "sign_in"  # of the row of SignIn
STANDING = "standing"  # role and area as the session began
POLLED = "X-Polled"
OVER = "session_over"  # cookie: why the last session here ended, until somebody signs in
KEPT_FOR = timedelta(days=180)  # rows of sign-ins, to answer who was signed in when
TOUCH_AFTER = timedelta(minutes=1)  # a busy person must not write at every request
OWED = "owes"  # on the request: where the person has to go first
UNREAD = "unread_messages"  # on the request: how many, for the top bar
# Not by models: to put it together took longer than to ask it, at every request of everybody.
ROW = """
    SELECT s.*, rule.idle_minutes, rule.needs_second_factor AS needs_factor,
        EXISTS (
            SELECT FROM households_secondfactor AS f
            WHERE f.user_id = s.user_id AND f.confirmed_at IS NOT NULL
        ) AS has_factor,
        (
            SELECT count(*) FROM households_notification AS n
            WHERE n.to_id = s.user_id AND n.read_at IS NULL
        ) AS unread
    FROM households_signin AS s LEFT JOIN households_rolerule AS rule ON rule.role = %s
    WHERE s.id = %s AND s.user_id = %s AND s.ended_at IS NULL
"""
ALWAYS_OPEN = {"sign_in", "sign_out", "sign_in_code", "language", "wall_link"}


def idle_limit(user: User, ruled_minutes: int | None = None) -> timedelta:
    """How long a session of this account may lie idle."""
    minutes = settings.SESSION_IDLE_MINUTES
    return timedelta(minutes=ruled_minutes or minutes.get(user.role, minutes["desk"]))


def leave(request: HttpRequest) -> None:
    """Sign out here, and write down that this sign-in is over."""
    SignIn.objects.filter(pk=request.session.get(KEY, 0)).end()
    logout(request)


def forget() -> None:
    """Clear away what nobody needs any more: once a day is enough."""
    call_command("clearsessions")
    SignIn.objects.filter(at__lt=clock.now() - KEPT_FOR).delete()


class SignInMiddleware:
    """Ends sessions that are over; leads a person to what he owes: a password, a second factor."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        ended = ""
        if request.user.is_authenticated and (ended := _why_ended(request)):
            leave(request)
        response = self.get_response(request)
        asked_by_somebody = request.user.is_authenticated or "Authorization" in request.headers
        if asked_by_somebody and not response.has_header("Cache-Control"):
            add_never_cache_headers(response)  # a shared PC shows nobody's page after signing out
        if response.status_code == 302 and _is_sign_in(response["Location"]):
            response["Location"] = _way_back(request, response["Location"])
        if ended:
            response.set_cookie(OVER, ended, httponly=True, samesite="Lax", secure=settings.HTTPS)
        elif request.user.is_authenticated and OVER in request.COOKIES:
            response.delete_cookie(OVER, samesite="Lax")
        return response

    def process_view(self, request: HttpRequest, *view: Any) -> HttpResponse | None:
        """Before anything else comes what the person owes."""
        owed = getattr(request, OWED, "")
        here = request.resolver_match.url_name if request.resolver_match else ""
        if not owed or here == owed or here in ALWAYS_OPEN:
            return None
        if request.path.startswith("/api/"):
            return JsonResponse({"detail": _("请先在页面上登录并完成账号设置")}, status=403)
        if "HX-Request" in request.headers:
            return HttpResponse(status=204, headers={"HX-Redirect": reverse(owed)})
        return redirect(owed)


def _why_ended(request: HttpRequest) -> str:
    """ "idle", "limit" or "ended" if the session is over; else "", and its use is noted."""
    user, now = request.user, clock.now()
    assert isinstance(user, User)
    if KEY not in request.session:
        _begin(request, user)
    row = _row(user, request.session[KEY])
    if row is None or request.session.get(STANDING) != [user.role, user.area_id]:
        return "ended"
    if now - row.at > timedelta(hours=settings.SESSION_HOURS):
        return "limit"
    if now - row.last_seen > idle_limit(user, row.idle_minutes):
        return "idle"
    if POLLED not in request.headers and now - row.last_seen > TOUCH_AFTER:
        SignIn.objects.filter(pk=row.pk).update(last_seen=now)
    setattr(request, OWED, _owed(user, row))
    setattr(request, UNREAD, row.unread)
    return ""


def _row(user: User, key: int) -> Any:
    """The open sign-in of that key with what every request asks of it: the rule of its role, the
    second factor, the messages that wait; None where it is over."""
    return next(iter(SignIn.objects.raw(ROW, [user.role, key, user.pk])), None)


def _owed(user: User, row: Any) -> str:
    if user.must_change_password:
        return "password"
    return "second_factor" if row.needs_factor and not row.has_factor else ""


def _begin(request: HttpRequest, user: User) -> None:
    """Note a new session with its first request."""
    now = clock.now()
    row = SignIn.objects.create(
        user=user,
        at=now,
        last_seen=now,
        address=address(request),
        agent=request.headers.get("User-Agent", "")[:300],
    )
    request.session[KEY] = row.pk
    request.session[STANDING] = [user.role, user.area_id]


def _is_sign_in(location: str) -> bool:
    return urlsplit(location).path == reverse(settings.LOGIN_URL)


def _way_back(request: HttpRequest, location: str) -> str:
    """Where to sign in, so that one comes back to the page; a form's answer leads to its form."""
    query = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
    came_from = request.headers.get("Referer", "")
    if "next" in query and request.method not in ("GET", "HEAD"):
        here = url_has_allowed_host_and_scheme(came_from, {request.get_host()})
        page = urlsplit(came_from) if here else urlsplit("/")
        query["next"] = page.path + (f"?{page.query}" if page.query else "")
    return f"{urlsplit(location).path}?{urlencode(query)}" if query else location
