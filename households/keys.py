"""The keys that personal data is sealed with; they stand in the environment, never in the database.

`PERSONAL_KEYS="1:BASE64,2:BASE64"`: each 32 random bytes behind its number. The highest number
seals; the others still open what was sealed with them.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from dataclasses import dataclass, field
from functools import lru_cache

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

SIZE = 32  # bytes: AES-256

# For developers and tests alone; settings refuse it elsewhere.
DEVELOPMENT = "1:b25seS1mb3ItZGV2ZWxvcG1lbnQtMzItYnl0ZXMtISE="


class KeysRefused(ValueError):
    """The text holds no keys; the message says what is wrong and never shows a key."""


@dataclass(frozen=True, slots=True)
class Key:
    """One key: `cipher` seals texts, `index` is only for the blind index, `files` for files.

    The last two are derived from the first, so that no key is used for two things.
    """

    number: int
    cipher: AESGCM = field(repr=False)
    index: bytes = field(repr=False)
    files: bytes = field(repr=False)

    @classmethod
    def of(cls, number: int, secret: bytes) -> Key:
        index, files = derived(secret, b"blind index"), derived(secret, b"files")
        return cls(number, AESGCM(secret), index, files)


def derived(secret: bytes, purpose: bytes, salt: bytes | None = None) -> bytes:
    """A key of its own for that purpose, from which `secret` cannot be told (HKDF, RFC 5869)."""
    return HKDF(SHA256(), SIZE, salt=salt, info=purpose).derive(secret)


@lru_cache(maxsize=8)
def read(text: str) -> dict[int, Key]:
    """The keys by number, the newest (highest) first. Raises KeysRefused."""
    found: dict[int, Key] = {}
    for entry in filter(None, (part.strip() for part in text.split(","))):
        number, secret = _entry(entry)
        if number in found:
            raise KeysRefused(f"key number {number} stands twice")
        found[number] = Key.of(number, secret)
    if not found:
        raise KeysRefused("there is no key")
    return dict(sorted(found.items(), reverse=True))


def _entry(entry: str) -> tuple[int, bytes]:
    number, _, encoded = entry.partition(":")
    if not (number.isascii() and number.isdecimal() and int(number) > 0):
        raise KeysRefused("each key is NUMBER:BASE64, the number from 1 on")
    try:
        secret = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        raise KeysRefused(f"key {int(number)} is not base64") from None
    if len(secret) != SIZE:
        raise KeysRefused(f"key {int(number)} has {len(secret)} bytes instead of {SIZE}")
    return int(number), secret


def draw(number: int = 1) -> str:
    """A new key as `NUMBER:BASE64`."""
    return f"{number}:{base64.b64encode(secrets.token_bytes(SIZE)).decode()}"


if __name__ == "__main__":  # before there is a database: python -m households.keys
    print(draw())
