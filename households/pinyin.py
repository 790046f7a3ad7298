"""The order of Chinese names: by their sound, as every office's name list has it.

The database compares code points, which puts 丁 before 王 before 赵 by chance only, so the sound is
stored beside the name.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from django.db import models

# Words are never asked for, only characters: their list takes 45 MB in every process.
os.environ.setdefault("PYPINYIN_NO_PHRASES", "1")

from pypinyin import Style, pinyin  # reads the variable above

# Surnames whose sound differs from the character's usual one.
SURNAMES = {
    "单": "shan",
    "曾": "zeng",
    "仇": "qiu",
    "解": "xie",
    "查": "zha",
    "任": "ren",
    "朴": "piao",
    "盖": "ge",
    "区": "ou",
    "缪": "miao",
    "华": "hua",
    "尉": "wei",
    "燕": "yan",
    "薄": "bo",
    "纪": "ji",
    "乐": "yue",
}


def sound(name: str) -> str:
    """`name` syllable by syllable, without tones: 曾示甲 is "zeng shi jia"; other letters stay."""
    rest = name[1:] if name[:1] in SURNAMES else name
    syllables = [_syllable(letter) for letter in rest]
    return " ".join([SURNAMES[name[0]], *syllables] if rest is not name else syllables)


@lru_cache(maxsize=8192)
def _syllable(letter: str) -> str:
    return str(pinyin(letter, style=Style.NORMAL)[0][0]).lower()


class SoundField(models.CharField):
    """Keeps the sound of the field named `of`, whenever the row is saved or made in bulk."""

    def __init__(self, of: str = "", **options: Any) -> None:
        self.of = of
        kept: dict[str, Any] = {"max_length": 200, "editable": False, "default": ""}
        super().__init__(**kept | options)

    def deconstruct(self) -> tuple[str, str, Sequence[Any], dict[str, Any]]:
        name, path, args, options = super().deconstruct()
        return name, path, args, {**options, "of": self.of}

    def pre_save(self, row: models.Model, add: bool) -> str:
        value = sound(getattr(row, self.of))[: self.max_length]
        setattr(row, self.attname, value)
        return value
