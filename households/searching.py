"""Names and phones that somebody looks for, kept out of the address.

A list's address stands in histories of browsers and in logs of proxies. So the page has the words
sealed before it asks for the list: the address holds `~…`, which only the platform opens.
"""

from __future__ import annotations

import base64
import binascii
import os
from typing import Any

import django_filters as filters
from cryptography.exceptions import InvalidTag
from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_POST

from households import sealing
from households.requests import SignedIn

MARK, PURPOSE = "~", b"search words"
LONGEST = 100  # letters


def sealed(words: str) -> str:
    """The words as they may stand in an address; another text each time."""
    key, nonce = sealing.newest(), os.urandom(sealing.NONCE)
    body = nonce + key.cipher.encrypt(nonce, words.encode(), PURPOSE)
    return f"{MARK}{key.number}.{base64.urlsafe_b64encode(body).decode().rstrip('=')}"


def opened(text: str) -> str:
    """The words behind a sealed text; any other text as it is, a broken one as none."""
    if not text.startswith(MARK):
        return text
    number, _dot, body = text[1:].partition(".")
    try:
        raw = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
        key = sealing.all_keys()[int(number)]
        nonce, words = raw[: sealing.NONCE], raw[sealing.NONCE :]
        return key.cipher.decrypt(nonce, words, PURPOSE).decode()
    except (ValueError, KeyError, InvalidTag, binascii.Error):
        return ""


class WordsInput(forms.TextInput):
    """Shows the words in plain; page.js has them sealed when the form asks."""

    input_type = "search"

    def __init__(self, placeholder: Any) -> None:
        seal_at = reverse_lazy("seal_words")
        super().__init__(
            {
                "class": "form-control",
                "placeholder": placeholder,
                "maxlength": LONGEST,
                "data-words": seal_at,
            }
        )

    def format_value(self, value: Any) -> str | None:
        return opened(value) if isinstance(value, str) else super().format_value(value)


class WordsField(forms.CharField):
    def clean(self, value: Any) -> str:
        return str(super().clean(opened(value) if isinstance(value, str) else value))


class WordsFilter(filters.CharFilter):
    """Looks for words that may be a name or a phone."""

    field_class = WordsField

    def __init__(self, placeholder: Any, method: str = "search", label: Any = "") -> None:
        widget = WordsInput(placeholder)
        super().__init__(method=method, label=label or _("查找"), widget=widget)


@login_required
@never_cache
@require_POST
@sensitive_variables("words")
def seal_words(request: SignedIn) -> HttpResponse:
    """The posted words, sealed, as plain text."""
    words = request.POST.get("words", "").strip()[:LONGEST]
    return HttpResponse(sealed(words) if words else "", content_type="text/plain; charset=utf-8")
