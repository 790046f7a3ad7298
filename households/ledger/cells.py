"""What an officer's cell means: texts, numbers, days, choices.

A cleaner gets the cell as the file holds it and answers its value (None for empty), or `Told` where
there is something to say: a mistake, or a value with a reminder. Phones, names and doors are in
`people`, coordinates in `coordinates`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from difflib import get_close_matches
from typing import Any, Literal

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from households import clock, personal_numbers
from households.ledger.escaping import unescape

Severity = Literal["mistake", "reminder"]
Cleaner = Callable[[Any], Any]

# Wide digits, letters and spaces are meant as narrow ones; wide punctuation is meant as it is.
NARROW = {wide: wide - 0xFEE0 for wide in (*range(0xFF10, 0xFF1A), *range(0xFF21, 0xFF3B))}
NARROW |= {wide: wide - 0xFEE0 for wide in range(0xFF41, 0xFF5B)}
NARROW |= dict.fromkeys((0x3000, 0xA0, 0x2002, 0x2003, 0x2009, 0x202F, 0x0A, 0x0D, 0x09), 0x20)
NARROW |= dict.fromkeys((0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF, 0xAD), None)
# Marks of direction come along when a number is copied from a telephone's list of contacts.
NARROW |= dict.fromkeys((0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)), None)
BY_HAND = re.compile(r"^['‘’](?=\d)")  # '0356: how one types a text in Excel
UNTIDY = re.compile(f"^['\\s]|\\s$|\\s\\s|[{''.join(map(chr, NARROW))}]")
NOTHING = frozenset(("", "-", "--", "—", "——", "/", "\\", "无", "暂无", "没有", "未填", "空"))
NOTHING_AT_ALL = frozenset(("", "-", "--", "—", "——", "/", "\\"))  # where 无 says something
YES = frozenset(("是", "有", "对", "√", "✓", "✔", "☑", "1", "y", "yes", "true", "已"))
NO = frozenset(
    ("否", "无", "不", "不是", "没有", "×", "✗", "☐", "0", "n", "no", "false", "未", "x")
)
QUOTES = "“”‘’\"'《》"  # as the notice writes “煤改电”
EXACT = 2**53  # a number of a spreadsheet keeps no more digits than this
DIGITS_KEPT = 15
EPOCH = date(1899, 12, 30)  # day 0 of a spreadsheet, for every day after February 1900
SERIALS = range(18264, 73051)  # 1950 to 2099
ABOUT = re.compile(r"^(?:大约|大概|约|近|≈)|(?:左右|多|余)$")
THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?:\D|$))")
SQUARE_METRES = re.compile(r"(?:平方米|平方|平米|平|㎡|m2|m²|m\^2)$", re.IGNORECASE)
NUMBER = re.compile(r"^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$", re.IGNORECASE)
DAY = re.compile(
    r"^(?:(?P<year>\d{4}|\d{2})\s*[-./年、]\s*)?(?P<month>\d{1,2})\s*[-./月、]\s*(?P<day>\d{1,2})\s*日?"
    r"(?:[ T]\d{1,2}:\d{2}(?::\d{2})?(?:\.\d+)?)?$"
)
IN_WORDS = re.compile(
    r"^(?P<year>[〇零一二三四五六七八九]{4})年(?P<month>[一二三四五六七八九十]{1,2})月"
    r"(?P<day>[一二三四五六七八九十]{1,3})日$"
)
SMALL = {sign: n for n, sign in enumerate("零一二三四五六七八九十")} | {"两": 2}


@dataclass(frozen=True, slots=True)
class Told:
    """A cell with something to say of it. `also`: values of other columns that it holds too."""

    severity: Severity
    reason: str
    advice: str = ""
    value: Any = None
    also: Mapping[str, Any] = field(default_factory=dict)


def mistake(reason: str, advice: str) -> Told:
    return Told("mistake", reason, advice)


def reminder(value: Any, reason: str, advice: str = "", **also: Any) -> Told:
    return Told("reminder", reason, advice or _("确认无误可继续，或改正"), value, also)


# -- texts ---------------------------------------------------------------------------------


def as_typed(raw: Any) -> str:
    """The cell as a person sees it, for reports."""
    if raw is None:
        return ""
    if isinstance(raw, datetime):
        whole = raw.time() == time()
        return raw.date().isoformat() if whole else raw.isoformat(" ", "minutes")
    if isinstance(raw, bool):
        return "TRUE" if raw else "FALSE"
    if isinstance(raw, float):
        return str(int(raw)) if raw.is_integer() and abs(raw) < EXACT else repr(raw)
    return str(raw)


def tidy(raw: Any) -> str:
    """A cell as text: narrow digits and letters, single spaces, nothing invisible."""
    text = raw if isinstance(raw, str) else as_typed(raw)
    if not UNTIDY.search(text):
        return text
    return " ".join(unescape(text).translate(NARROW).split())


def narrow(raw: Any) -> str:
    """Like `tidy`, with narrow punctuation too: for numbers, codes and days."""
    text = BY_HAND.sub("", tidy(raw))
    return text if text.isascii() else unicodedata.normalize("NFKC", text)


def text(longest: int) -> Cleaner:
    """Free text of at most `longest` characters; numbers of persons and accounts are warned of."""

    def clean(raw: Any) -> Any:
        value = tidy(raw)
        if value in NOTHING:
            return None
        if len(value) > longest:
            return too_long(value, longest)
        return _without_personal_numbers(value)

    return clean


def too_long(value: str, longest: int, advice: str = "") -> Told:
    reason = _("太长：%(length)d 个字") % {"length": len(value)}
    advice = advice or _("最多 %(longest)d 个字，其余写在纸质档案里")
    return mistake(reason, advice % {"longest": longest})


def _without_personal_numbers(value: str) -> str | Told:
    if len(value) < 15:
        return value
    advice = _("删去证件号、银行账号；平台不收集")
    if reason := personal_numbers.refused(value):
        return mistake(reason, advice)
    warning = personal_numbers.warn(value)
    return reminder(value, warning, advice) if warning else value


def code(longest: int) -> Cleaner:
    """A number or code that is kept as text, without any space: plates, models, accounts."""

    def clean(raw: Any) -> Any:
        if raw is None:
            return None
        if isinstance(raw, int | float) and (broken := _cut_digits(raw)):
            return broken
        value = narrow(raw).replace(" ", "")
        if value in NOTHING:
            return None
        if _is_power(value):
            return digits_lost(value)
        if len(value) > longest:
            return too_long(value, longest, _("最多 %(longest)d 个字；核对是不是填错了列"))
        return value

    return clean


def account(longest: int) -> Cleaner:
    """A code whose leading zeros a spreadsheet drops when it takes it for a number."""
    plain = code(longest)

    def clean(raw: Any) -> Any:
        value = plain(raw)
        short = isinstance(raw, int | float) and isinstance(value, str) and len(value) < 10
        if not short:
            return value
        reason = _("单元格是数字，开头的 0 可能丢了")
        return reminder(value, reason, _("对照票据核对；该列设为文本后重填"))

    return clean


def _cut_digits(raw: float) -> Told | None:
    """A number of more digits than a spreadsheet keeps (15) ends in noughts that nobody wrote."""
    if raw != int(raw):
        return mistake(_("是带小数的数"), _("该列设为文本后重填"))
    digits = str(abs(int(raw)))
    is_cut = len(digits) > DIGITS_KEPT and not digits[DIGITS_KEPT:].strip("0")
    return digits_lost(f"{raw:.5E}") if is_cut or abs(raw) >= EXACT else None


def _is_power(value: str) -> bool:
    return bool(re.fullmatch(r"\d(?:\.\d+)?[eE]\+\d+", value))


def digits_lost(value: str) -> Told:
    reason = _("Excel 显示成了科学计数 %(value)s，后面的数字已丢失") % {"value": value}
    return mistake(reason, _("该列设为文本后重填完整号码"))


def exactly(value: str) -> str | None:
    """The whole number behind 1.3800000011E+10; None where digits are lost."""
    mantissa, power = re.split("[eE]", value)
    behind = len(mantissa.partition(".")[2])
    return str(int(Decimal(value))) if behind == int(power) else None


# -- numbers -------------------------------------------------------------------------------


def square_metres(raw: Any) -> Any:
    """取暖面积 in m² with one decimal: 92, 120㎡, 约120平."""
    if raw is None:
        return None
    if isinstance(raw, int | float) and not isinstance(raw, bool):
        return _plausible(Decimal(repr(raw)), about=False)
    value = narrow(raw).replace(" ", "")
    if value in NOTHING_AT_ALL:
        return None
    plain = SQUARE_METRES.sub("", ABOUT.sub("", value))
    bare = ABOUT.sub("", plain)
    number = _decimal(THOUSANDS.sub("", bare))
    if number is None:
        return mistake(_("不是数字"), _("填数字，单位 m²，例如 92"))
    return _plausible(number, about=bool(ABOUT.search(value) or ABOUT.search(plain)))


def _plausible(number: Decimal, about: bool) -> Any:
    if not number.is_finite() or number < 1:
        return mistake(_("面积要大于 0"), _("填数字，单位 m²，例如 92"))
    if number >= 100_000:
        return mistake(_("面积太大"), _("填一户的取暖面积，单位 m²，例如 92"))
    value = number.quantize(Decimal("0.1"), ROUND_HALF_UP)
    if about:
        return reminder(value, _("写的是约数，按 %(value)s m² 记") % {"value": f"{value:f}"})
    if abs(value - number) > Decimal("0.0001"):
        return reminder(value, _("只记 1 位小数，按 %(value)s m² 记") % {"value": f"{value:f}"})
    return value


def _decimal(value: str) -> Decimal | None:
    if not NUMBER.match(value):
        return None
    try:
        return Decimal(value)
    except InvalidOperation:
        return None


def whole(least: int, most: int, units: str = "", example: int = 3) -> Cleaner:
    """A whole number between both, perhaps with a unit behind it (`units`, a set of characters)."""

    def clean(raw: Any) -> Any:
        if type(raw) is int and least <= raw <= most:
            return raw
        value = narrow(raw).replace(" ", "").rstrip(units)
        if value in NOTHING:
            return None
        number = _decimal(value)
        if number is None and value in SMALL:
            number = Decimal(SMALL[value])
        if number is None or number != number.to_integral_value():
            return mistake(_("不是整数"), _("填整数，例如 %(example)d") % {"example": example})
        if not least <= number <= most:
            limits = {"least": least, "most": most}
            reason = _("应在 %(least)d 到 %(most)d 之间") % limits
            return mistake(reason, _("填整数，例如 %(example)d") % {"example": example})
        return int(number)

    return clean


def metres(raw: Any) -> Any:
    """An accuracy in metres."""
    value = narrow(raw).replace(" ", "").lower().rstrip("米m")
    if value in NOTHING:
        return None
    number = _decimal(value)
    if number is None or not 0 <= number < 100_000:
        return mistake(_("不是数字"), _("填数字，单位米，例如 5"))
    return float(number)


# -- days and choices ----------------------------------------------------------------------


def day(raw: Any) -> Any:
    """A date: 2026.9.12, 2026年9月12日, 20260912, 9/12, a spreadsheet's own day or its number."""
    if raw is None:
        return None
    if isinstance(raw, datetime):
        return _of_our_time(raw.date())
    if isinstance(raw, date):
        return _of_our_time(raw)
    if isinstance(raw, int | float) and int(raw) in SERIALS:
        return _of_our_time(EPOCH + timedelta(days=int(raw)))
    value = narrow(raw)
    if value in NOTHING:
        return None
    if re.fullmatch(r"\d{8}", value):
        value = f"{value[:4]}-{value[4:6]}-{value[6:]}"
    if re.fullmatch(r"\d{5}", value) and int(value) in SERIALS:
        return _of_our_time(EPOCH + timedelta(days=int(value)))
    return _day_of(value)


def _day_of(value: str) -> Any:
    if words := IN_WORDS.match(value):
        value = _in_figures(words)
    found = DAY.match(value)
    if not found:
        return _no_day()
    year, month, on = found["year"], int(found["month"]), int(found["day"])
    try:
        if year and len(year) == 4:
            return _of_our_time(date(int(year), month, on))
        guessed = date(2000 + int(year) if year else clock.today().year, month, on)
    except ValueError:
        return _no_day()
    return reminder(guessed, _("没有写全年份，按 %(day)s 记") % {"day": guessed})


def _in_figures(words: re.Match[str]) -> str:
    """二〇二六年九月十二日 as 2026-9-12."""
    year = "".join(str(SMALL.get(sign, 0)) for sign in words["year"])
    parts = []
    for text in (words["month"], words["day"]):
        tens, ten, ones = text.rpartition("十")
        parts.append((SMALL.get(tens, 1) * 10 if ten else 0) + SMALL.get(ones, 0))
    return f"{year}-{parts[0]}-{parts[1]}"


def _of_our_time(value: date) -> date | Told:
    return value if 2000 <= value.year <= 2099 else _no_day()


def _no_day() -> Told:
    return mistake(_("不是日期"), _("填 年-月-日，例如 2026-09-12"))


def yes_or_no(raw: Any, head: str = "") -> Any:
    """Yes or no; a cell that repeats its column's `head` (空置) says yes."""
    if raw is None or isinstance(raw, bool):
        return raw
    value = narrow(raw).lower()
    if value in NOTHING_AT_ALL:
        return None
    if value in YES or (head and value == head):
        return True
    return False if value in NO else mistake(_("不是“是”或“否”"), _("填 是 或 否"))


def one_of(
    labels: Mapping[str, str], aliases: Mapping[str, Iterable[str]], what: Promise
) -> Cleaner:
    """A choice by its label or what people call it; a remark in brackets behind it is passed over.

    `labels`: label by value; `aliases`: other names by value; `what`: the sentence for a mistake.
    """
    known = {_bare(label): value for value, label in labels.items()}
    known |= {_bare(name): value for value, names in aliases.items() for name in names}

    def clean(raw: Any) -> Any:
        value = _bare(tidy(raw)).strip(QUOTES)
        if value in known:
            return known[value]
        if value in NOTHING:
            return None
        before, said = _apart(value)
        if said and before in known:
            return reminder(known[before], _("括号里的“%(said)s”没有记") % {"said": said})
        near = nearest(value, [_bare(label) for label in labels.values()])
        advice = _("从下拉选：%(labels)s") % {"labels": _("、").join(labels.values())}
        return mistake(str(what), f"{near}{advice}")

    return clean


def _bare(value: str) -> str:
    return unicodedata.normalize("NFKC", value).replace(" ", "").lower()


def _apart(value: str) -> tuple[str, str]:
    """电代煤(空气能) as 电代煤 and 空气能."""
    before, _bracket, said = value.removesuffix(")").partition("(")
    return before, said


def nearest(value: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """“是否“泽州东社区”？” for the known name most like it; empty where none is."""
    found = get_close_matches(value, list(known), 1, cutoff)
    return _("是否“%(name)s”？") % {"name": found[0]} if found else ""
