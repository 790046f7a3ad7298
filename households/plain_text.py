"""Requests with NUL letters: no form or link of ours sends them, and PostgreSQL keeps none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import Http404, HttpRequest, HttpResponseBadRequest
from django.http.response import HttpResponseBase

NUL = "\0"


class PlainTextMiddleware:
    """An address with a NUL is none (404), a form with one a bad request (400), before any page
    asks for what it names."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if NUL in request.path:
            raise Http404
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *view: Any) -> HttpResponseBase | None:
        """Forms are read only for addresses that there are; the API names what it cannot read."""
        if request.path.startswith("/api/"):
            return None
        if _has_one(request.GET.lists()):
            raise Http404
        return HttpResponseBadRequest() if _has_one(request.POST.lists()) else None


def _has_one(sent: Any) -> bool:
    return any(NUL in text for _name, texts in sent for text in texts)
