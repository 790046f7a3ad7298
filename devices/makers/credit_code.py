"""The unified social credit code of a company (统一社会信用代码, GB 32100-2015)."""

from __future__ import annotations

SIGNS = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # without I, O, S, V, Z
LENGTH = 18


def check_sign(first: str) -> str:
    """The sign that follows the first 17, which must all be of SIGNS (else ValueError)."""
    total = sum(SIGNS.index(sign) * pow(3, place, 31) for place, sign in enumerate(first))
    return SIGNS[-total % 31]


def is_right(code: str) -> bool:
    """Whether a code of 18 signs ends with its check sign."""
    if len(code) != LENGTH or any(sign not in SIGNS for sign in code):
        return False
    return check_sign(code[:-1]) == code[-1]
