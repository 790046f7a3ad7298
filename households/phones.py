"""Telephone numbers as residents have them: mobiles and landlines with their area code."""

from __future__ import annotations

import re
import unicodedata

from django.utils.translation import gettext as _

MOBILE = re.compile(r"1[3-9]\d{9}")
LANDLINE = re.compile(r"(0[1-9]\d{1,2})-?(\d{7,8})(?:-(\d{1,6}))?")
DASHES = re.compile(r"[‐-―−－~～—]+")
EXTENSION = re.compile(r"(转|分机|ext\.?|#|,)+", re.IGNORECASE)
AREA_CODES_OF_THREE = ("010", "02")


def tidy(text: str) -> str:
    """The number as it is kept: `13800000043`, `0356-2021234`, with extension `0356-2021234-12`.

    What is no number that we know is only freed of spaces.
    """
    plain = DASHES.sub("-", unicodedata.normalize("NFKC", text))
    plain = EXTENSION.sub("-", re.sub(r"[\s()（）.]", "", plain)).strip("-")
    plain = re.sub(r"^(\+|00)?86-?(?=1[3-9])", "", plain)
    digits = plain.replace("-", "")
    if MOBILE.fullmatch(digits):
        return digits
    if found := LANDLINE.fullmatch(_with_code_apart(plain)):
        return "-".join(part for part in found.groups() if part)
    return plain


def _with_code_apart(plain: str) -> str:
    """A landline written in one: the area code has three digits in a few big cities, else four."""
    if re.fullmatch(r"0\d{9,11}(-\d+)?", plain):
        length = 3 if plain.startswith(AREA_CODES_OF_THREE) else 4
        return f"{plain[:length]}-{plain[length:]}"
    return plain


def problem(text: str) -> str | None:
    """What is wrong with a number, in words that say what to do; None where nothing is."""
    if not text or MOBILE.fullmatch(text):
        return None
    number = tidy(text)
    digits = number.replace("-", "")
    if not number or MOBILE.fullmatch(number) or LANDLINE.fullmatch(number):
        return None
    if not digits.isdecimal():
        return _("电话只写数字，一格一个号码；分机写在“转”后面")
    if digits.startswith("1"):
        return _mobile_problem(digits)
    if not digits.startswith("0") and len(digits) in (7, 8):
        return _("座机请带区号，例如 0356-%(number)s") % {"number": digits}
    if digits.startswith("0"):
        return _("座机应为区号加 7 或 8 位号码，例如 0356-2020000")
    return _("电话应为 11 位手机号，或带区号的座机")


def _mobile_problem(digits: str) -> str:
    if len(digits) != 11:
        return _("手机号应为 11 位，现在是 %(n)d 位") % {"n": len(digits)}
    return _("没有以 %(begin)s 开头的手机号，请核对") % {"begin": digits[:2]}


def masked(number: str) -> str:
    """A phone number without its middle: 138****1234. Too short a one shows nothing of itself."""
    return f"{number[:3]}****{number[-4:]}" if len(number) >= 7 else "*" * len(number)
