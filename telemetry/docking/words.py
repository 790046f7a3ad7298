"""Sentences of the bench in the language of whoever reads."""

from __future__ import annotations

from django.utils.translation import gettext as _

from devices.modbus.words import Sentence


def spoken(sentence: Sentence) -> str:
    """A sentence in the reader's language, with the sentences within it."""
    params = {
        name: spoken(value) if isinstance(value, Sentence) else value
        for name, value in sentence.params.items()
    }
    return _(sentence.template) % params if params else _(sentence.template)
