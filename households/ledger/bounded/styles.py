"""A workbook's cell formats, as far as they change what a number means."""

from __future__ import annotations

from collections.abc import Iterable

from households.ledger.bounded import formats
from households.ledger.bounded.formats import Format


def read(elements: Iterable[tuple[str, dict[str, str]]]) -> list[Format]:
    """What each style number (a cell's `s`) makes of a number."""
    custom: dict[str, Format] = {}
    found: list[Format] = []
    is_of_cells = False
    for name, attributes in elements:
        if name == "numFmt":
            code = attributes.get("formatCode", "")
            custom[attributes.get("numFmtId", "")] = formats.meaning(code)
        elif name in ("cellXfs", "/cellXfs"):
            is_of_cells = name == "cellXfs"
        elif name == "xf" and is_of_cells:
            found.append(_of(attributes.get("numFmtId", "0"), custom))
    return found


def _of(number: str, custom: dict[str, Format]) -> Format:
    if number in custom:
        return custom[number]
    return formats.BUILT_IN.get(int(number), "") if number.isdecimal() else ""
