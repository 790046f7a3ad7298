"""Why a file is not read: a code for the parent's sentence, and what the sentence names."""

from __future__ import annotations


class Refused(Exception):
    """The file is not read (further). `code` is a key of `households.ledger.sentences`."""

    def __init__(self, code: str, **params: str | int) -> None:
        super().__init__(code)
        self.code = code
        self.params = params
