"""Texts that people read, said where there is no Django.

A msgid stays with its parameters, so that a page can translate the template first:
`gettext(text.template) % text.params`.
"""

from __future__ import annotations


def N_(msgid: str) -> str:
    """Mark a Chinese text for the catalogue and return it as it is."""
    return msgid


class Sentence(str):
    """A text with its template and parameters kept; as a str it is the Chinese sentence."""

    template: str
    params: dict[str, object]

    def __new__(cls, template: str, **params: object) -> Sentence:
        text = super().__new__(cls, template % params if params else template)
        text.template = template
        text.params = params
        return text
