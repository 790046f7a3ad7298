"""In which language a page speaks: the account's own choice, else the visitor's, else Chinese.

What the browser prefers is not asked: officers first, and many office machines run an English
system.
"""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.functional import Promise


class LanguageMiddleware:
    """Speaks the language of the account, or of the cookie that the sign-in page sets."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with translation.override(_wanted(request)):
            response = self.get_response(request)
            response.headers.setdefault("Content-Language", translation.get_language())
            return response


def as_kept(words: Promise) -> str:
    """As records keep what the platform says in them: in its own language, whoever is the reader
    of the page on which it came about."""
    with translation.override(settings.LANGUAGE_CODE):
        return str(words)


def _wanted(request: HttpRequest) -> str:
    chosen = getattr(request.user, "language", None)
    chosen = chosen or request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME)
    return chosen if chosen in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
