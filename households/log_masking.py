"""Logs and reports of errors tell nobody's phone number, whatever a library writes into them."""

from __future__ import annotations

import logging
import re
from collections.abc import ItemsView
from types import FrameType
from typing import Any

from django.http import HttpRequest
from django.views.debug import SafeExceptionReporterFilter

from households.phones import masked

MOBILE = r"(?:\+?86[- ]?)?1[3-9]\d(?:[- ]?\d{4}){2}"
LANDLINE = r"0\d{2,3}-?[02-9]\d{6,7}"
PHONE = re.compile(rf"(?<![\w.-])(?:{MOBILE}|{LANDLINE})(?![\w-])")
CARD = re.compile(r"(/card/)[^/\s\"']+")


def without_phones(text: str) -> str:
    """The text with phone numbers as 138****1234 and without the codes of cards."""
    return CARD.sub(r"\1…", PHONE.sub(lambda found: masked(found[0]), text))


class MaskingFormatter(logging.Formatter):
    """Masks the finished line, so that tracebacks and arguments are covered too."""

    def format(self, record: logging.LogRecord) -> str:
        return without_phones(super().format(record))


class NoPersonalData(SafeExceptionReporterFilter):
    """Reports of errors name the place in the code, and show neither form nor variables."""

    def get_post_parameters(self, request: HttpRequest | None) -> dict[str, Any]:
        if request is None or not self.is_active(request):
            return super().get_post_parameters(request)
        return dict.fromkeys(request.POST, self.cleansed_substitute)

    def get_traceback_frame_variables(
        self, request: HttpRequest | None, tb_frame: FrameType
    ) -> ItemsView[str, Any]:
        if not self.is_active(request):
            return super().get_traceback_frame_variables(request, tb_frame)
        return dict.fromkeys(tb_frame.f_locals, self.cleansed_substitute).items()
