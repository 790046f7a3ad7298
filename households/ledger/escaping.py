"""Texts that a spreadsheet would run as a formula: escaped on the way out, undone on the way in.

A text that begins with one of STARTS gets an apostrophe in front, as Excel's users type it by hand.
So does one that has apostrophes before such a sign, or it would lose one when it comes back.
"""

STARTS = ("=", "+", "-", "@", "\t", "\r")
MARK = "'"


def escape(text: str) -> str:
    """`text` as a cell that no spreadsheet program runs."""
    return MARK + text if _is_risky(text) else text


def unescape(text: str) -> str:
    """What `escape` was given; any other text as it is."""
    return text[1:] if text.startswith(MARK) and _is_risky(text) else text


def _is_risky(text: str) -> bool:
    return text.lstrip(MARK).startswith(STARTS)
