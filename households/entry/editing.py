"""Two officers edit one household: what each changed is kept, and nothing is overwritten unseen.

A form carries, signed, what its household was when the page was opened (the base). At saving the
row is locked and three are compared: base, what stands there now (theirs), what was typed (mine).
A field that only one of the two changed is simply his; one that both changed differently is asked
back, with the old value, theirs and mine.
"""

from __future__ import annotations

import copy
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core import signing
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.utils.translation import gettext as _

from households.models import Change, ChangeKind, Household, User
from households.phones import masked
from households.sealing import SealBroken, SealedField

SALT = "household as it was opened, with texts"
# What belongs together is changed together: a latitude of one and a longitude of another officer
# are no place.
POSITION = ("latitude", "longitude", "position_source", "accuracy_m")
ADDRESS = ("door", "place")
TOGETHER = {"latitude": POSITION, "door": ADDRESS}
SINGLE = (
    "area",
    "method",
    "site_kind",
    "householder",
    "applicant",
    "resident",
    "relation",
    "phone",
    "other_phone",
    "house_type",
    "rooms",
    "walls",
    "windows",
    "heated_area",
    "electricity_account",
    "in_demolition_plan",
    "demolition_on",
    "vacant",
    "seasonal",
    "in_network_area",
    "note",
)
PARTS: dict[str, tuple[str, ...]] = {name: (name,) for name in SINGLE} | TOGETHER

# A mask is no number, and six decimals of shifted degrees are no position: what came back as it was
# shown is told from what was typed by the text, not by the value.
AS_TEXT = ("phone", "other_phone", "latitude")

THEIRS, MINE = "theirs", "mine"


@dataclass(frozen=True)
class Opened:
    """What a form was opened on: by part a token to compare and words to show; `asked` are the
    parts that were asked back, with the words that they had before both changed them; `texts` are
    what stood in the fields that show less than is stored (`AS_TEXT`)."""

    parts: dict[str, tuple[str, str]]
    asked: dict[str, str] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, household: Household, asked: Mapping[str, str] | None = None) -> Opened:
        parts = {name: (token(household, name), shown(household, name)) for name in PARTS}
        texts = {name: text(household, name) for part in AS_TEXT for name in PARTS[part]}
        return cls(parts, dict(asked or {}), texts)

    @property
    def signed(self) -> str:
        return signing.dumps([self.parts, self.asked, self.texts], salt=SALT, compress=True)

    def untouched(self, sent: Mapping[str, str]) -> list[str]:
        """The parts of `AS_TEXT` that came back as they had been shown."""
        return [
            part
            for part in AS_TEXT
            if all(sent.get(name, "") == self.texts.get(name) for name in PARTS[part])
        ]

    @classmethod
    def read(cls, text: str) -> Opened | None:
        """What `signed` wrote; None for anything else."""
        try:
            parts, asked, texts = signing.loads(text, salt=SALT)
        except signing.BadSignature:
            return None
        return cls({name: (pair[0], pair[1]) for name, pair in parts.items()}, asked, texts)


def text(household: Household, name: str) -> str:
    """What the form shows of a column in `AS_TEXT`."""
    try:
        value = getattr(household, name)
    except SealBroken:
        return ""
    if name in ("latitude", "longitude"):
        return "" if value is None else f"{value:.6f}"
    if isinstance(_column(name), SealedField):
        return masked(value)
    return "" if value is None else str(value)


def token(household: Household, part: str) -> str:
    """Equal where the part has equal values. It gives nothing away: it lies in a page."""
    told = "\x1f".join(repr(_plain(household, name)) for name in PARTS[part])
    key = settings.SECRET_KEY.encode()
    text = f"{household.uid}{part}{told}".encode()
    return hmac.new(key, text, hashlib.sha256).hexdigest()[:24]


def equal(one: Household, other: Household, part: str) -> bool:
    """Whether two records say the same in a part."""
    return all(_plain(one, name) == _plain(other, name) for name in PARTS[part])


def is_empty(household: Household, part: str) -> bool:
    return all(_plain(household, name) in (None, "") for name in PARTS[part])


def _plain(household: Household, name: str) -> Any:
    column = _column(name)
    try:
        value = getattr(household, column.attname)
    except SealBroken:
        value = household.__dict__[column.attname].text
    if isinstance(column, models.DecimalField) and value is not None:
        return column.to_python(value).normalize()
    return value


def label(part: str) -> str:
    """How pages name the part."""
    called = {"area": _("村（社区）"), "latitude": _("经纬度")}
    return called.get(part) or str(_column(part).verbose_name)


def shown(household: Household, part: str) -> str:
    """The part's value in words; a phone stays masked."""
    words = (_shown(household, name) for name in PARTS[part])
    return " ".join(word for word in words if word) or _("未填")


def _shown(household: Household, name: str) -> str:
    column = _column(name)
    try:
        value = getattr(household, name)
    except SealBroken:
        return _("无法解密")
    if value is None or value == "":
        return ""
    if isinstance(column, SealedField):
        return masked(value)
    if column.choices:
        return str(getattr(household, f"get_{name}_display")())
    return _words(name, value)


def _words(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return _("是") if value else _("否")
    if name in ("latitude", "longitude"):
        return f"{value:.6f}"
    if name == "accuracy_m":
        return _("精度 %(metres)g m") % {"metres": value}
    return f"{Decimal(value).normalize():f} m²" if name == "heated_area" else str(value)


def _column(name: str) -> models.Field:
    column = Household._meta.get_field(name)
    if not isinstance(column, models.Field):
        raise FieldDoesNotExist(name)
    return column


@dataclass(frozen=True, slots=True)
class Clash:
    """One part that the other changed: what it was, what it is now, what I want instead (empty
    where I did not touch it), and who changed it when."""

    part: str
    label: str
    was: str
    theirs: str
    mine: str = ""
    who: str = ""
    at: datetime | None = None


@dataclass(frozen=True)
class Woven:
    """The outcome: the household as both want it, parts changed by me, parts taken from the other
    (with the words before), and what must be asked back before anything is saved."""

    household: Household
    changed: list[str]
    taken: dict[str, str]
    clashes: list[Clash]

    @property
    def columns(self) -> list[str]:
        """Columns to write."""
        names = [name for part in self.changed for name in PARTS[part]]
        sound = ["householder_sound"] if "householder" in names else []
        return [*names, *sound, "updated_at"] if names else []


def weave(opened: Opened, theirs: Household, mine: Household, answers: Mapping[str, str]) -> Woven:
    """Bring `mine` together with what stands there now.

    `theirs` is the row as it is, locked; `answers` says for a part that was asked back whose value
    holds (THEIRS or MINE). Parts that a page did not carry count as untouched.
    """
    both, now = copy.copy(mine), Opened.of(theirs)
    changed: list[str] = []
    taken: dict[str, str] = {}
    clashes: list[Clash] = []
    for part, (current, words) in now.parts.items():
        was, was_words = opened.parts.get(part, (current, words))
        wanted = token(mine, part)
        if wanted == current:
            continue
        asked, answer = part in opened.asked, answers.get(part)
        if wanted == was or (asked and current == was and answer == THEIRS):
            _take(both, theirs, part)
            taken[part] = was_words
        elif current != was or (asked and answer != MINE):
            before = opened.asked.get(part, was_words)
            clashes.append(told(theirs, part, before, shown(mine, part)))
        else:
            changed.append(part)
    return Woven(both, changed, taken, clashes)


def told(household: Household, part: str, was: str, mine: str = "") -> Clash:
    """What stands there now, with who wrote it and when, as the history has it."""
    columns = [_column(name).attname for name in PARTS[part]]
    change = (
        Change.objects.filter(household_id=household.pk, table=Household._meta.db_table)
        .filter(kind=ChangeKind.UPDATE, after__has_any_keys=columns)
        .order_by("-id")
        .first()
    )
    by = change.user_id if change else None
    user = User.objects.filter(pk=by).first() if by else None
    who = f"{user.office} {user}" if user else ""
    now = shown(household, part)
    return Clash(part, label(part), was, now, mine, who, change.at if change else None)


def _take(household: Household, source: Household, part: str) -> None:
    for name in PARTS[part]:
        attname = _column(name).attname
        setattr(household, attname, getattr(source, attname))
