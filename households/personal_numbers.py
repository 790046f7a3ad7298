"""Numbers that must not be kept: identity numbers (GB 11643) and bank cards (GB/T 14504, Luhn)."""

from __future__ import annotations

import re
import unicodedata
from datetime import date

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECKS = "10X98765432"
SHORTEST = 15  # digits
RUN = re.compile(r"(?<!\d)\d(?:[ \-]?\d){14,18}[ \-]?[\dXx]?(?![\dXx])")


def refused(text: str) -> str | None:
    """Why the text cannot be kept: it holds an identity number that checks out."""
    if any(is_identity(number) for number in _long_numbers(text)):
        return _("文字里有身份证号：平台不保存身份证号，请删去")
    return None


def none_in(text: str) -> None:
    """For a field of a form that people write freely. Raises ValidationError as `refused` says."""
    if why := refused(text):
        raise ValidationError(why)


def warn(text: str) -> str | None:
    """What to look at: a bank card's number, or 18 digits that may be an identity number."""
    numbers = [number for number in _long_numbers(text) if not is_identity(number)]
    if any(is_bank_card(number) for number in numbers):
        return _("文字里像是有银行卡号：平台不保存银行卡号，请核对后删去")
    if any(len(number) == 18 for number in numbers):
        return _("文字里有一串 18 位数字：若是身份证号请删去")
    return None


def is_identity(number: str) -> bool:
    """Whether 18 characters are an identity number: a day of birth and the right check sign."""
    if len(number) != 18 or not number[:17].isdecimal():
        return False
    try:
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    total = sum(int(digit) * weight for digit, weight in zip(number, WEIGHTS, strict=False))
    return born.year >= 1880 and CHECKS[total % 11] == number[17].upper()


def is_bank_card(number: str) -> bool:
    """Whether 16 to 19 digits pass the check of bank cards and begin as these do."""
    if not number.isdecimal() or not 16 <= len(number) <= 19 or number[0] not in "3456":
        return False
    doubled = [int(digit) * (1 + n % 2) for n, digit in enumerate(reversed(number))]
    return sum(digit - 9 if digit > 9 else digit for digit in doubled) % 10 == 0


def _long_numbers(text: str) -> list[str]:
    if len(text) < SHORTEST:
        return []
    plain = unicodedata.normalize("NFKC", text)
    return [re.sub(r"[ \-]", "", found) for found in RUN.findall(plain)]
