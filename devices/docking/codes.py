"""Codes of confirmations: what the QR carries, and what people type off the paper."""

from __future__ import annotations

import secrets

# Who tells of a confirmation must be able to say it: no i, l, o, u. 26 of 32 signs are 130 bits.
SIGNS = "0123456789abcdefghjkmnpqrstvwxyz"
LONG = 26
HEARD_AS = str.maketrans({"o": "0", "i": "1", "l": "1"})


def draw() -> str:
    """What the QR of a confirmation carries: random, and nothing of what it stands for."""
    return "".join(secrets.choice(SIGNS) for _place in range(LONG))


def spaced(code: str) -> str:
    """A code as people read it to each other: QW3E-…, in fours."""
    return "-".join(code[at : at + 4] for at in range(0, len(code), 4)).upper()


def read(typed: str) -> str:
    """A code as it was drawn, from however it was typed: no blanks, o for 0, i and l for 1."""
    signs = [sign for sign in typed.lower() if sign.isascii() and sign.isalnum()]
    return "".join(signs).translate(HEARD_AS)[: 2 * LONG]
