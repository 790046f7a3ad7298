"""Number formats: which numbers are days, times or digits with noughts before them.

Excel keeps a day as a number of days and says only by the cell's format that it is one (ECMA-376
part 1, 18.8.30 and 18.8.31).
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from typing import Literal

Format = Literal["", "day", "moment", "time", "span"] | int

DAYS = {14, 15, 16, 17, *range(27, 32), 36, *range(50, 55), 57, 58}
TIMES = {18, 19, 20, 21, *range(32, 36), 45, 47, 55, 56}
BUILT_IN: dict[int, Format] = {
    **dict.fromkeys(DAYS, "day"),
    **dict.fromkeys(TIMES, "time"),
    22: "moment",
    46: "span",
}
LITERAL = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!h+\]|m+\]|s+\])[^\]]*\]', re.IGNORECASE)
HALF_OF_DAY = re.compile(r"AM/PM|A/P|上午/下午", re.IGNORECASE)
LAST_DAY = 2_958_465  # 9999-12-31
A_DAY_TOO_MUCH = 60  # 1900-02-29, which Lotus had and Excel has kept
MILLISECONDS = 86_400_000


def meaning(code: str) -> Format:
    """What a custom format's code makes of a number; an int: that many digits, noughts before."""
    section = HALF_OF_DAY.sub("h", LITERAL.sub("", code)).partition(";")[0].lower()
    if re.fullmatch("00+", section) and section == code:
        return len(section)
    if re.search(r"\[(h+|m+|s+)\]", section):
        return "span"
    if "general" in section or not re.search("[ymdhse]", section.replace("e+", "")):
        return ""
    has_day = bool(re.search("[yde]|(?<![hs:.])m+(?![:.s])", section))
    has_time = bool(re.search("[hs]", section))
    return "moment" if has_day and has_time else "time" if has_time else "day"


def value(number: float, how: Format, is_1904: bool) -> object:
    """The number as its format shows it; the number itself where it cannot be that."""
    if isinstance(how, int):
        return f"{int(number):0{how}d}" if number >= 0 and number == int(number) else number
    if not how or not 0 <= number <= LAST_DAY:
        return number
    rest = timedelta(milliseconds=round(number % 1 * MILLISECONDS))
    if how == "span":
        return timedelta(days=int(number)) + rest
    if (number < 1 and not is_1904) or (how == "time" and number < 1):
        return (datetime.min + rest).time() if rest < timedelta(days=1) else number
    return _moment(number, rest, how, is_1904)


def _moment(number: float, rest: timedelta, how: Format, is_1904: bool) -> object:
    days = int(number)
    if is_1904:
        start = date(1904, 1, 1)
    elif days == A_DAY_TOO_MUCH:
        return number
    else:
        start = date(1899, 12, 31) if days < A_DAY_TOO_MUCH else date(1899, 12, 30)
    try:
        moment = datetime.combine(start, time()) + timedelta(days=days) + rest
    except OverflowError:
        return number
    return moment.date() if how == "day" and not rest else moment
