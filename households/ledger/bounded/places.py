"""Places in a sheet: B12 is row 12, column 2."""

from __future__ import annotations

MOST_ROWS = 1_048_576  # Excel's own limits
LAST_COLUMN = 16_384
MOST_COLUMNS = 1_024  # what is read: no ledger is as wide
DIGITS = "0123456789"


def column(letters: str) -> int:
    """The number of a column from 1; ValueError if these are no letters of a column."""
    number = 0
    for letter in letters:
        if not "A" <= letter <= "Z":
            raise ValueError(letters)
        number = number * 26 + ord(letter) - 64
        if number > LAST_COLUMN:
            raise ValueError(letters)
    if not number:
        raise ValueError(letters)
    return number


def place(reference: str) -> tuple[int, int]:
    """Row and column of a reference such as `B12`; (0, 0) if it is none."""
    letters = reference.rstrip(DIGITS)
    digits = reference[len(letters) :]
    try:
        row = int(digits[:8])
        return (row, column(letters)) if 1 <= row <= MOST_ROWS else (0, 0)
    except ValueError:
        return (0, 0)
