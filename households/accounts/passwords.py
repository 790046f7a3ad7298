"""What a password must be, and the initial ones that the platform makes.

At least 12 characters of three kinds (small letters, capital letters, digits, others); or a
passphrase, which is long instead: 20 characters in four words, or 12 Chinese characters. Either
way at least 6 different characters, not on the list of common ones and not like the account
(Django's own validators).
"""

from __future__ import annotations

import re
import secrets
import unicodedata

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

LENGTH, KINDS = 12, 3
PHRASE_LENGTH, PHRASE_WORDS, CHINESE = 20, 4, 12
DIFFERENT = 6
LETTERS = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # none that look alike


class StrengthValidator:
    """Long and mixed, or longer still; says what is missing."""

    def validate(self, password: str, user: object = None) -> None:
        if len(set(password)) < DIFFERENT:
            raise ValidationError(
                _("密码里不同的字符太少，至少要有 %(n)d 个不同的字符。") % {"n": DIFFERENT}
            )
        if not (is_mixed(password) or is_phrase(password)):
            raise ValidationError(_why_weak(password))

    def get_help_text(self) -> str:
        return _(
            "至少 12 个字符，含大写字母、小写字母、数字、符号中的三种；"
            "或者一句话：20 个字符以上、四个词以上，或 12 个以上汉字。"
        )


def is_mixed(password: str) -> bool:
    return len(password) >= LENGTH and len(_kinds(password)) >= KINDS


def is_phrase(password: str) -> bool:
    words = [word for word in re.split(r"[\W_]+", password) if word]
    long_enough = len(password) >= PHRASE_LENGTH and len(set(words)) >= PHRASE_WORDS
    return long_enough or len(_chinese(password)) >= CHINESE


def _kinds(password: str) -> set[str]:
    kinds = {"Ll": "small", "Lu": "capital", "Nd": "digit"}
    return {kinds.get(unicodedata.category(letter), "other") for letter in password}


def _chinese(password: str) -> list[str]:
    return [letter for letter in password if unicodedata.name(letter, "").startswith("CJK UNI")]


def _why_weak(password: str) -> str:
    if len(password) < LENGTH:
        return _("密码只有 %(n)d 个字符，至少要 %(least)d 个。") % {
            "n": len(password),
            "least": LENGTH,
        }
    return _("密码要含大写字母、小写字母、数字、符号中的三种，或者改用更长的一句话。")


def initial() -> str:
    """A new random password to hand over on paper; the person changes it at the first sign-in."""
    while True:
        password = "-".join("".join(secrets.choice(LETTERS) for _n in range(4)) for _g in range(4))
        if is_mixed(password):
            return password
