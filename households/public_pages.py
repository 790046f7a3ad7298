"""Answers of pages that anybody may open with a code: cards, confirmations."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def answer(
    request: HttpRequest, template: str, context: dict[str, Any], status: int
) -> HttpResponse:
    """The page with the service number. It is found by no search engine and tells no other site its
    address, which has the code in it; who is held up (429) learns for how long."""
    context |= {"service": settings.SERVICE_PHONE}
    response = render(request, template, context, status=status)
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex, nofollow"
    if status == 429:
        response["Retry-After"] = "60"  # seconds: guesses are counted by the minute
    return response
