"""Requests with NUL letters: no form or link of ours sends them, and PostgreSQL keeps none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponseBadRequest
from django.http.response import HttpResponseBase

NUL = "\0"


class PlainTextMiddleware:
    """Answers 400 to a NUL in the address or in a form, before any page asks for what it names."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return HttpResponseBadRequest() if NUL in request.path else self.get_response(request)

    def process_view(self, request: HttpRequest, *view: Any) -> HttpResponseBase | None:
        """Forms are read only for addresses that there are."""
        lists = [*request.GET.lists(), *request.POST.lists()]
        has_one = any(NUL in text for _name, texts in lists for text in texts)
        return HttpResponseBadRequest() if has_one else None
