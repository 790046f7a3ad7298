"""The API's door: tokens, their scopes, how often they may ask, and how many rows a page has.

A program shows `Authorization: Bearer qn_…`; a signed-in person comes with the session and needs
no scope. What either sees is what the owner of token or session sees on the pages.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.db.models import Q
from django.utils.translation import gettext as _
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.pagination import PageNumberPagination
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.throttling import UserRateThrottle

from households import clock
from households.models import ApiToken, User

if TYPE_CHECKING:  # the framework's views themselves load this module
    from rest_framework.views import APIView

TOUCH_AFTER = timedelta(minutes=1)


class TokenAuthentication(BaseAuthentication):
    """The token of a program; 401 for one that is unknown, expired, revoked or of a locked user."""

    keyword = "Bearer"

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        words = get_authorization_header(request).split()
        if not words or words[0].lower() != self.keyword.lower().encode():
            return None
        if len(words) != 2:
            raise AuthenticationFailed(_("Authorization 头应为 “Bearer 令牌”"))
        token = _valid_token(words[1].decode("latin-1"))
        _touch(token)
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return self.keyword


def _valid_token(secret: str) -> ApiToken:
    digest = ApiToken.digest_of(secret)
    token = ApiToken.objects.select_related("user__area").filter(digest=digest).first()
    if token is None:
        raise AuthenticationFailed(_("令牌不存在"))
    if token.revoked_at is not None:
        raise AuthenticationFailed(_("令牌已吊销"))
    if not token.user.is_active:
        raise AuthenticationFailed(_("账号已停用"))
    if not token.is_valid:
        raise AuthenticationFailed(_("令牌已过期"))
    return token


def _touch(token: ApiToken) -> None:
    """Note the use, at most once a minute: a busy program must not write at every request."""
    now = clock.now()
    stale = Q(last_used_at=None) | Q(last_used_at__lt=now - TOUCH_AFTER)
    if token.last_used_at is None or token.last_used_at < now - TOUCH_AFTER:
        ApiToken.objects.filter(stale, pk=token.pk).update(last_used_at=now)


class HasScope(IsAuthenticated):
    """A token needs one of the scopes that the view states: `read_scopes`, `write_scopes`."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        if not super().has_permission(request, view):
            return False
        if not isinstance(request.auth, ApiToken):
            return True
        reads = request.method in ("GET", "HEAD", "OPTIONS")
        wanted = getattr(view, "read_scopes" if reads else "write_scopes", ())
        self.message = _("令牌缺少权限范围：%(scopes)s") % {"scopes": _(" 或 ").join(wanted)}
        return bool(set(wanted) & set(request.auth.scopes))


class TokenThrottle(UserRateThrottle):
    """So many requests a minute of one token, or of one person's session."""

    scope = "api"

    def get_cache_key(self, request: Request, view: APIView) -> str | None:
        if isinstance(request.auth, ApiToken):
            return self.cache_format % {"scope": self.scope, "ident": f"token-{request.auth.pk}"}
        return super().get_cache_key(request, view)


class Pages(PageNumberPagination):
    """`?page=N&page_size=N`, up to 1,000 rows a page."""

    page_size_query_param = "page_size"
    max_page_size = 1000
