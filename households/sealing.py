"""Personal data at rest: sealed in its column, plain for the code that holds the row.

A column holds `KEY:SEALED:INDEX`. SEALED is base64 of nonce (12 bytes), ciphertext and tag (16) of
AES-256-GCM; the additional data is model, field and `uid` of the row, so that a text moved to
another row, field or table opens no more. KEY is the number of the key. INDEX is the blind index:
HMAC-SHA256 of the normalised text under a key of its own. It stands in the same column so that
nothing can write one without the other; a generated column cuts it out for searching.

An empty text stays empty: it says only that nothing was filled in.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import os
import uuid
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidTag
from django.conf import settings
from django.core.exceptions import FieldError
from django.db import models
from django.db.models.query_utils import DeferredAttribute

from households import keys
from households.keys import Key

NONCE = 12  # bytes, drawn anew for every sealing
LOOKUPS = ("exact", "in", "isnull")


class SealBroken(Exception):
    """A sealed text does not open: another key, or it was changed or moved.

    Templates show nothing in its place instead of failing.
    """

    silent_variable_failure = True

    def __init__(self, model: str, field: str, pk: object, why: str) -> None:
        super().__init__(f"{model} {pk}: the sealed {field} does not open ({why})")
        self.model, self.field, self.pk = model, field, pk


@dataclass(frozen=True, slots=True)
class Sealed:
    """What a sealed column holds, as `values()` and `values_list()` hand it out.

    It shows nothing of itself; `opened` needs to know whose it is.
    """

    text: str

    def __str__(self) -> str:
        return "<sealed>"

    __repr__ = __str__

    @property
    def key_number(self) -> int:
        """The number of the key that sealed it; 0 where the text is none of ours."""
        number = self.text.partition(":")[0]
        return int(number) if number.isascii() and number.isdecimal() else 0

    def opened(self, model: str, field: str, uid: object, pk: object = None) -> str:
        """The plain text. Raises SealBroken, never answers anything else."""
        try:
            return _opened(self.text, model, field, uid)
        except (ValueError, binascii.Error, InvalidTag, KeyError) as reason:
            why = str(reason) if isinstance(reason, ValueError) else type(reason).__name__
            raise SealBroken(model, field, pk or uid, why) from None


def all_keys() -> dict[int, Key]:
    """The platform's keys by number, the newest first."""
    return keys.read(settings.PERSONAL_KEYS)


def newest() -> Key:
    return next(iter(all_keys().values()))


def seal(text: str, model: str, field: str, uid: object) -> str:
    """`text` as the column of that row holds it; `model` is a label such as households.household.

    Every call gives another text. An empty text stays empty.
    """
    if not text:
        return ""
    key, nonce = newest(), os.urandom(NONCE)
    sealed = key.cipher.encrypt(nonce, text.encode(), _whose(model, field, uid))
    body = base64.b64encode(nonce + sealed).decode()
    return f"{key.number}:{body}:{_blind(text, key)}"


def _opened(column: str, model: str, field: str, uid: object) -> str:
    number, body, index = column.split(":")
    key = all_keys().get(int(number))
    if key is None:
        raise ValueError(f"there is no key {int(number)}")
    raw = base64.b64decode(body, validate=True)
    text = key.cipher.decrypt(raw[:NONCE], raw[NONCE:], _whose(model, field, uid)).decode()
    if not hmac.compare_digest(_blind(text, key), index):
        raise ValueError("its index is of another text")
    return text


def _whose(model: str, field: str, uid: object) -> bytes:
    plain = uid if isinstance(uid, uuid.UUID) else uuid.UUID(str(uid))
    return f"{model}.{field}.{plain.hex}".encode()


def normalised(number: str) -> str:
    """The digits of a telephone number, without +86: 138-0000 0000 and 13800000000 are one."""
    digits = "".join(letter for letter in number if letter.isdecimal())
    return digits[2:] if len(digits) == 13 and digits.startswith("86") else digits


def blind(number: str) -> list[str]:
    """The indexes that a number may stand under: one for each key, the newest first."""
    return [_blind(number, key) for key in all_keys().values()]


def _blind(text: str, key: Key) -> str:
    return hmac.digest(key.index, (normalised(text) or text).encode(), "sha256").hex()


class _PlainForTheRow(DeferredAttribute):
    """The attribute of a sealed field: the row's code reads and writes plain text.

    What came from the database is opened at the first reading. The sealed text is remembered beside
    it, so that saving a row whose text did not change writes the very same.
    """

    field: SealedField

    def __get__(self, row: Any, owner: Any = None) -> Any:
        if row is None:
            return self
        held = super().__get__(row, owner)
        if not isinstance(held, Sealed):
            return held
        plain = held.opened(*self.field.whose(row), row.pk)
        row.__dict__[self.field.attname] = plain
        row.__dict__[self.field.memory] = (plain, held)
        return plain

    def __set__(self, row: Any, value: object) -> None:
        row.__dict__[self.field.attname] = value


class SealedField(models.CharField):
    """A short text that is sealed in its column; the model has a `uid`.

    For the row's code it is a plain str of at most `max_length`. It cannot be searched (see
    `blind`), only asked whether it is empty; `values()` gives `Sealed`; `update()` and
    `bulk_update()` refuse plain text, because they do not know the rows: save the rows, or
    `bulk_create(update_conflicts=…)`, or write `column_text` by SQL.
    """

    descriptor_class = _PlainForTheRow

    @property
    def memory(self) -> str:
        return f"_sealed_{self.attname}"

    def get_internal_type(self) -> str:
        return "TextField"

    def from_db_value(self, value: str | None, *of_the_query: object) -> Sealed | str | None:
        return Sealed(value) if value else value

    def get_prep_value(self, value: Any) -> Any:
        if isinstance(value, Sealed):
            return value.text
        if not value or hasattr(value, "resolve_expression"):
            return value
        raise FieldError(
            f"{self.name} is sealed: search by its index (with_phone), "
            "and write it by saving the rows."
        )

    def get_lookup(self, lookup_name: str) -> Any:
        if lookup_name not in LOOKUPS:
            raise FieldError(f"{self.name} is sealed: it has no lookup {lookup_name}.")
        return super().get_lookup(lookup_name)

    def pre_save(self, row: models.Model, add: bool) -> Any:
        return Sealed(text) if (text := column_text(row, self)) else ""

    def whose(self, row: models.Model) -> tuple[str, str, object]:
        """Model, field and uid that its texts are sealed for.

        A row of history holds the text of the row that it tells of.
        """
        told = getattr(self.model, "pgh_tracked_model", self.model)
        return told._meta.label_lower, self.attname, row.uid  # type: ignore[attr-defined]


def column_text(row: models.Model, field: SealedField) -> str:
    """What the column of that row shall hold, for writing by SQL too.

    The text that it held already, where plain text and newest key are the same still.
    """
    held = row.__dict__.get(field.attname)
    if isinstance(held, Sealed) and held.key_number == newest().number:
        return held.text
    plain = getattr(row, field.attname)
    before, sealed = row.__dict__.get(field.memory, (None, None))
    if sealed is not None and before == plain and sealed.key_number == newest().number:
        return str(sealed.text)
    text = seal(plain, *field.whose(row))
    if text:
        row.__dict__[field.memory] = (plain, Sealed(text))
    return text
