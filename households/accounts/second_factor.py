"""The second factor: six digits that the person's phone shows, new every 30 seconds (RFC 6238).

A code is taken one step early or late, and never twice. Ten backup codes serve for the day on
which the phone is lost.
"""

from __future__ import annotations

import base64
import secrets
from urllib.parse import quote, urlencode

import segno
from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.db import transaction
from django.http import HttpRequest
from django.utils.safestring import SafeString, mark_safe
from django_otp.oath import hotp

from households import clock
from households.models import BackupCode, SecondFactor, User

STEP = 30  # seconds
EARLY_OR_LATE = (-1, 0, 1)  # steps
BACKUP_CODES = 10
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that look alike


class CodeBackend(ModelBackend):
    """Signs in by the code alone: for whoever has just given the right password."""

    def authenticate(  # type: ignore[override]
        self, request: HttpRequest | None, username: str = "", code: str = "", **others: object
    ) -> User | None:
        user = User.objects.filter(username=username, is_active=True).first() if code else None
        return user if user and check(user, code) else None


def begin(user: User) -> SecondFactor:
    """The secret that the person's phone shall learn; not in force before its first code."""
    unconfirmed = SecondFactor.objects.filter(user=user, confirmed_at=None).first()
    return unconfirmed or SecondFactor.objects.create(user=user, secret=_new_secret())


def confirm(factor: SecondFactor, code: str) -> list[str]:
    """Put the factor in force if the phone shows the right code; answers new backup codes.

    An empty list: the code was wrong.
    """
    with transaction.atomic():
        if not _takes(factor, code):
            return []
        SecondFactor.objects.filter(pk=factor.pk).update(confirmed_at=clock.now())
        return new_backup_codes(factor.user)


def stands(user: User) -> bool:
    """Whether signing in asks this account for a code."""
    return SecondFactor.objects.filter(user=user, confirmed_at__isnull=False).exists()


def check(user: User, code: str) -> bool:
    """Whether the code is right: of the phone, or a backup code, which is used up by this."""
    factor = SecondFactor.objects.filter(user=user, confirmed_at__isnull=False).first()
    return factor is not None and (_takes(factor, code) or _takes_backup(user, code))


def remove(user: User) -> None:
    """Without a second factor: the secret and the backup codes are gone."""
    with transaction.atomic():
        SecondFactor.objects.filter(user=user).delete()
        user.backup_codes.all().delete()


def new_backup_codes(user: User) -> list[str]:
    """Ten new codes; the ones before serve no more. They are shown this once."""
    codes = [_backup_code() for _n in range(BACKUP_CODES)]
    with transaction.atomic():
        user.backup_codes.all().delete()
        BackupCode.objects.bulk_create(
            BackupCode(user=user, digest=BackupCode.digest_of(user, code)) for code in codes
        )
    return codes


def address(factor: SecondFactor) -> str:
    """What the phone's program reads from the QR code: `otpauth://totp/…`."""
    name = settings.SPECTACULAR_SETTINGS["TITLE"]
    label = quote(f"{name}:{factor.user.username}")
    return f"otpauth://totp/{label}?{urlencode({'secret': factor.secret, 'issuer': name})}"


def picture(factor: SecondFactor) -> SafeString:
    """The QR code as SVG that stands in the page."""
    code = segno.make(address(factor), error="m")
    return mark_safe(code.svg_inline(border=2, light="#fff", omitsize=True))


def _new_secret() -> str:
    return base64.b32encode(secrets.token_bytes(20)).decode()


def code_at(factor: SecondFactor, step: int) -> str:
    """What the phone shows in that step since 1970."""
    return f"{hotp(base64.b32decode(factor.secret), step):06}"


def _takes(factor: SecondFactor, code: str) -> bool:
    """Whether the phone shows this code about now; its step is then used up."""
    digits = "".join(code.split()).encode()
    now = int(clock.now().timestamp()) // STEP
    for step in (now + drift for drift in EARLY_OR_LATE):
        if secrets.compare_digest(code_at(factor, step).encode(), digits):
            fresh = SecondFactor.objects.filter(pk=factor.pk, counter__lt=step)
            return bool(fresh.update(counter=step))
    return False


def _takes_backup(user: User, code: str) -> bool:
    digest = BackupCode.digest_of(user, code)
    unused = BackupCode.objects.filter(user=user, digest=digest, used_at=None)
    return bool(unused.update(used_at=clock.now()))


def _backup_code() -> str:
    """50 bits in two groups of five."""
    letters = "".join(secrets.choice(LETTERS) for _n in range(10))
    return f"{letters[:5]}-{letters[5:]}"
