"""The texts that a workbook's cells share, kept as one piece of memory and not as a million."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable

from households.ledger.bounded import xml
from households.ledger.bounded.refusal import Refused

LARGEST = 80 << 20
MOST = 3_300_000  # 100,000 rows of 30 columns, no text twice
ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")


class Strings:
    """Shared texts by their number; phonetic guides are left out, rich text is put together."""

    def __init__(self, chunks: Iterable[bytes] = ()) -> None:
        self._blob = bytearray()
        self._ends = array("L", [0])
        self._is_guide = False
        self._parser = xml.parser()
        self._parser.StartElementHandler = self._begin
        self._parser.EndElementHandler = self._end
        if not chunks:
            return
        for _length in xml.feed(self._parser, chunks):
            if len(self._blob) > LARGEST or len(self) > MOST:
                raise Refused("too_many_texts")

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, number: int) -> str:
        """The text; raises IndexError for a number that there is not."""
        if number < 0:
            raise IndexError(number)
        end = self._ends[number + 1]
        return unescaped(self._blob[self._ends[number] : end].decode())

    def _begin(self, name: str, _attributes: dict[str, str]) -> None:
        space = name[: len(name) - len(xml.local(name))]
        self._si, self._t, self._guide = space + "si", space + "t", space + "rPh"
        self._parser.StartElementHandler = self._start

    def _start(self, name: str, _attributes: dict[str, str]) -> None:
        if name == self._t and not self._is_guide:
            self._parser.CharacterDataHandler = self._take
        elif name == self._guide:
            self._is_guide = True

    def _end(self, name: str) -> None:
        if name == self._t:
            self._parser.CharacterDataHandler = None
        elif name == self._si:
            self._ends.append(len(self._blob))
        elif name == self._guide:
            self._is_guide = False

    def _take(self, text: str) -> None:
        self._blob += text.encode()


def unescaped(text: str) -> str:
    """A text without the `_x000D_` that XML's forbidden characters are written as."""
    if "_x" not in text:
        return text
    return ESCAPED.sub(lambda found: _character(int(found[1], 16)), text)


def _character(code: int) -> str:
    is_text = (code >= 0x20 and not 0xD800 <= code <= 0xDFFF) or code in (0x09, 0x0A, 0x0D)
    return chr(code) if is_text else ""
