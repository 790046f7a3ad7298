"""Signing papers so that any change of them shows (PAdES, certifying: no change is allowed).

The key never comes near a web process: only the worker is told where it lies, and signs what waits.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Protocol

from asn1crypto import cms, keys, x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509 import Certificate
from django.conf import settings
from django.utils.module_loading import import_string
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import signers
from pyhanko.sign.fields import MDPPerm, SigSeedSubFilter
from pyhanko.sign.general import SigningError
from pyhanko_certvalidator.registry import SimpleCertificateStore

from devices.docking import confirmations, letter, signing_key
from devices.models import Confirmation
from households import clock, vault
from households.archive import papers

log = logging.getLogger(__name__)
FIELD = "Signature"
TRIES = 20


class CannotSign(Exception):
    """There is no key, or it does not open: what waits for its signature goes on waiting."""


def sign_waiting() -> int:
    """Sign every confirmation that waits, and answer how many there were.

    One that cannot be signed now says so in the log and goes on waiting; the others do not wait
    for it. Done again, or by two workers at once, it signs nothing twice.
    """
    done = 0
    for pk in confirmations.waiting():
        try:
            done += confirmations.sign(pk, signed_letter)
        except (CannotSign, papers.NoFont, vault.VaultRefused) as reason:
            log.error("Confirmation %s is not signed: %s", pk, reason)
        except Exception:  # a letter that cannot be set is no reason to leave the others waiting
            log.exception("Confirmation %s is not signed", pk)
    return done


def signed_letter(confirmation: Confirmation) -> bytes:
    """The letter of a confirmation with its signature. Raises CannotSign, papers.NoFont."""
    if not settings.PUBLIC_URL:
        raise CannotSign("PUBLIC_URL is not set: the letter's QR would lead nowhere")
    by = signer()
    return by.sign(letter.pdf(confirmation), reason=confirmation.number)


class Signer(Protocol):
    """What settings.SIGNER names: a class without arguments, made once a process."""

    def sign(self, pdf: bytes, *, reason: str) -> bytes:
        """The paper with its signature. Raises CannotSign."""
        ...


class KeyFile:
    """Signs with the key file of settings.SIGNING_KEY, in this process."""

    def __init__(self) -> None:
        if not settings.SIGNING_KEY:
            raise CannotSign("SIGNING_KEY names no key file: nothing is signed without one")
        try:
            key = signing_key.read(Path(settings.SIGNING_KEY), settings.SIGNING_PASSWORD)
        except signing_key.KeyUnreadable as reason:
            raise CannotSign(f"SIGNING_KEY: {reason}") from None
        self._signer, self._until = _signer(key), key.certificate.not_valid_after_utc

    def sign(self, pdf: bytes, *, reason: str) -> bytes:
        if self._until < clock.now():
            raise CannotSign(f"SIGNING_KEY: its certificate ended on {self._until:%Y-%m-%d}")
        about = signers.PdfSignatureMetadata(
            field_name=FIELD,
            md_algorithm="sha256",
            reason=reason,
            subfilter=SigSeedSubFilter.PADES,
            certify=True,
            docmdp_permissions=MDPPerm.NO_CHANGES,
        )
        return _without_room(lambda room: self._signed(pdf, about, room))

    def _signed(self, pdf: bytes, about: signers.PdfSignatureMetadata, room: int | None) -> bytes:
        """`room` are the hexadecimal digits kept for the signature; by default too many."""
        signed = io.BytesIO()
        paper = IncrementalPdfFileWriter(io.BytesIO(pdf))
        signers.sign_pdf(paper, about, self._signer, bytes_reserved=room, output=signed)
        return signed.getvalue()


def _without_room(sign: Callable[[int | None], bytes]) -> bytes:
    """What `sign` gives with no room left over behind the signature: a change there, of bytes
    that nobody signed or reads, would go unseen.

    The length of an elliptic curve's signature differs by a byte or two from one to the next.
    """
    signed = sign(None)
    room, fits = _digits(signed), False
    for _try in range(TRIES):
        if fits:
            break
        with suppress(SigningError):  # longer than the one that was measured
            signed = sign(room)
            fits = _digits(signed) == room
    return signed


def _digits(signed: bytes) -> int:
    """Hexadecimal digits of the signature itself."""
    found = PdfFileReader(io.BytesIO(signed)).embedded_signatures[-1].pkcs7_content
    return 2 * len(cms.ContentInfo.load(found).dump())


def _signer(key: signing_key.Key) -> signers.SimpleSigner:
    store = SimpleCertificateStore()
    store.register_multiple([_as_asn1(one) for one in (key.certificate, *key.above)])
    private = key.private.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return signers.SimpleSigner(
        _as_asn1(key.certificate), keys.PrivateKeyInfo.load(private), store, embed_roots=True
    )


def _as_asn1(certificate: Certificate) -> x509.Certificate:
    return x509.Certificate.load(certificate.public_bytes(serialization.Encoding.DER))


def signer() -> Signer:
    """The signer of this process. Raises CannotSign."""
    return _made(settings.SIGNER, settings.SIGNING_KEY)


@cache
def _made(name: str, _key: str) -> Signer:
    made: Signer = import_string(name)()
    return made
