"""The code on a household's card: what anybody is shown who scans it, and no more.

The address holds 192 random bits and nothing of the household, so that it cannot be guessed or
told from another; a lost card's code is revoked and a new one drawn.
"""

from __future__ import annotations

import io

import segno
from django.db import transaction
from django.urls import reverse

from households import clock
from households.models import CardCode, Household


def code_of(household: Household) -> str:
    """The valid code of the household; the first time it is drawn."""
    valid, _made = CardCode.objects.get_or_create(household=household, revoked_at=None)
    return valid.code


@transaction.atomic
def renew(household: Household) -> str:
    """Revoke the code of a card that is lost or copied, and draw another."""
    CardCode.objects.filter(household=household, revoked_at=None).update(revoked_at=clock.now())
    return code_of(household)


def household_of(code: str) -> Household | None:
    """Whose card it is; None for a code that never was and for a revoked one alike."""
    found = CardCode.objects.filter(code=code, revoked_at=None).select_related("household")
    valid = found.first()
    return valid.household if valid else None


def address(household: Household, home: str) -> str:
    """What the QR says; `home` is the platform's own address, such as https://heating.example."""
    return home.rstrip("/") + reverse("public_card", args=[code_of(household)])


def qr(household: Household, home: str) -> bytes:
    """The QR of the household's card as SVG, for paper and page."""
    picture = io.BytesIO()
    code = segno.make(address(household, home), error="m", micro=False)
    code.save(picture, kind="svg", border=2, xmldecl=False, omitsize=True)
    return picture.getvalue()
