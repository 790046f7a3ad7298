"""The key that signs papers: read from a file, or drawn where there is none yet.

Pure, so that `./run` can draw one before any package of the platform is set up:

    python -m devices.docking.signing_key "Name of the service unit" > signing_key.pem

A licensed authority's key comes as PKCS#12 (.p12, .pfx) or PEM and takes its place.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

YEARS = 10
LARGEST = 2**20  # bytes: a key file is small, and a wrong path may name anything


class KeyUnreadable(Exception):
    """There is no key in the file, or it does not open; the text says which."""


@dataclass(frozen=True)
class Key:
    """A private key, its certificate and the certificates above it, nearest first."""

    private: PrivateKeyTypes
    certificate: x509.Certificate
    above: tuple[x509.Certificate, ...] = ()


def read(path: Path, password: str = "") -> Key:
    """The key in a PKCS#12 or PEM file. Raises KeyUnreadable."""
    secret = password.encode() or None
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST)
        of_pem = b"-----BEGIN" in content
        key = _of_pem(content, secret) if of_pem else _of_pkcs12(content, secret)
    except (OSError, ValueError, TypeError) as reason:  # TypeError: a password too many or too few
        raise KeyUnreadable(f"{path}: {reason}") from None
    _see_that_they_belong_together(path, key)
    return key


def _of_pem(content: bytes, password: bytes | None) -> Key:
    private = serialization.load_pem_private_key(content, password)
    first, *above = x509.load_pem_x509_certificates(content)
    return Key(private, first, tuple(above))


def _of_pkcs12(content: bytes, password: bytes | None) -> Key:
    private, certificate, above = pkcs12.load_key_and_certificates(content, password)
    if private is None or certificate is None:
        raise ValueError("it holds no private key with its certificate")
    return Key(private, certificate, tuple(above))


def _see_that_they_belong_together(path: Path, key: Key) -> None:
    if key.private.public_key() != key.certificate.public_key():
        raise KeyUnreadable(f"{path}: the certificate is not that of the private key")


def draw(name: str) -> str:
    """A new key and a certificate that it signed itself, as PEM: readers find that nothing was
    changed, but no authority vouches for `name`."""
    private = ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=True,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365 * YEARS))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .sign(private, hashes.SHA256())
    )
    pem = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return (pem + certificate.public_bytes(serialization.Encoding.PEM)).decode()


if __name__ == "__main__":
    os.umask(0o077)
    sys.stdout.write(draw(" ".join(sys.argv[1:]) or "Platform service unit"))
