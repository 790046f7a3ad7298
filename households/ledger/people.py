"""What a cell says of people and doors: names, telephone numbers, door numbers."""

from __future__ import annotations

import calendar
import re
from datetime import date, datetime
from typing import Any

from django.utils.translation import gettext as _

from households import clock, phones
from households.ledger.cells import (
    BY_HAND,
    EXACT,
    NOTHING_AT_ALL,
    Told,
    digits_lost,
    exactly,
    mistake,
    narrow,
    reminder,
    tidy,
    too_long,
)

MOBILE = re.compile(r"^1[3-9]\d{9}$")
NO_FRACTION = re.compile(r"(?<=^\d{11})\.0+$")  # a number's format, 0.00, that went into a CSV
PHONE_INSIDE = re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)")
POWER = re.compile(r"^\d(?:\.\d+)?[eE]\+?\d{1,2}$")
BETWEEN = re.compile(r"[/\\、,，;；|\n]+|或者|或|和|及")
WORDS = re.compile(r"[（(][^（）()]*[^\d（）()\s-][^（）()]*[)）]|[^\W\d_]+[:：]?")
NO_PHONE = NOTHING_AT_ALL | {"无", "暂无", "没有", "无电话", "不详", "未知", "未留", "空号"}
NO_NAME = NOTHING_AT_ALL | {"无", "暂无", "没有", "不详", "未知"}
CHINESE = re.compile(r"^[㐀-鿿豈-﫿𠀀-𲎯·]+$")
BRACKETS = re.compile(r"\s*[（(【\[]([^）)】\]]*)[)）】\]]?\s*$")
DEAD_BEFORE = re.compile(r"^[（(【\[]?(?:已故|故去)[)）】\]]?[\s:：]*(?=.{2})")
MASK = re.compile(r"[*＊]")
LOST = re.compile(r"[?？\ufffd□]")
DEAD = re.compile(r"已故|去世|亡故|病故|已亡|过世|故$")
TITLES = re.compile(r"(?<=.)(?:先生|女士|同志|师傅|大爷|大娘|老师)$")
SEVERAL = re.compile(r"[、/,，;；&]|和(?=.{2,})")
NO_DOOR = re.compile(
    r"^(?:无|没有|暂无)(?:(?:门牌号?|门号|号)[\s:：,，]*|[\s:：,，]+|(?=[（(【\[]|$))(?P<place>.*)$"
)
DAY_TEXT = re.compile(
    r"^(?P<year>\d{4})[-/.年](?P<month>\d{1,2})[-/.月](?P<day>\d{1,2})日?(?: 0?0:00(?::00)?)?$"
)
MONTH_DAY = re.compile(r"^(?P<month>\d{1,2})月(?P<day>\d{1,2})日$")
DAY_MONTH = re.compile(r"^(?P<day>\d{1,2})-(?P<month>[A-Za-z]{3})$")
MONTHS = {calendar.month_abbr[n].lower(): n for n in range(1, 13)}
NAME_LONGEST, DOOR_LONGEST = 40, 60


class Masked(str):
    """A phone number as it is shown, 138****1234: means that the stored one stays."""


# -- telephone numbers ---------------------------------------------------------------------


def phone(raw: Any) -> Any:
    """A mobile number of 11 digits or 0356-2023456; `Masked` for one with asterisks.

    A second number in the cell goes to 备用电话.
    """
    if raw is None:
        return None
    if isinstance(raw, float):
        if not raw.is_integer() or abs(raw) >= EXACT:
            return _no_phone(str(raw))
        raw = int(raw)
    value = str(raw) if isinstance(raw, int) else narrow(raw)
    value = NO_FRACTION.sub("", value)
    if MOBILE.match(value):
        return value
    if value in NO_PHONE:
        return _none(value)
    if "*" in value:
        return Masked(value.replace(" ", ""))
    if POWER.match(value):
        whole = exactly(value)
        return phone(whole) if whole else digits_lost(value)
    return one_number(value) or _several(value)


def _none(value: str) -> Told | None:
    if value in NOTHING_AT_ALL:
        return None
    return reminder(None, _("写的是“%(value)s”，按没有电话记") % {"value": value})


def one_number(value: str) -> str | None:
    """`value` as one telephone number in the form in which it is kept, or None."""
    number = phones.tidy(value)
    return number if number and phones.problem(number) is None else None


def _several(value: str) -> Any:
    words = WORDS.findall(value)
    bare = WORDS.sub(" ", value) if words else value
    found, wrong = _numbers(bare)
    found = list(dict.fromkeys(found))
    if wrong or not found:
        return _no_phone(wrong[0] if found else value)
    if len(found) > 2:
        return mistake(
            _("一格里有 %(n)d 个号码") % {"n": len(found)}, _("留 1 个，另 1 个填备用电话")
        )
    if len(found) == 2:
        reason = _("一格里有 2 个号码，第 2 个记作备用电话")
        return reminder(found[0], reason, other_phone=found[1])
    if not words:
        return found[0]  # perhaps written twice
    return reminder(found[0], _("号码以外的文字“%(words)s”没有记") % {"words": "".join(words)})


def _numbers(value: str) -> tuple[list[str], list[str]]:
    """The numbers in a text, and the parts of it that are none."""
    compact = re.sub(r"[\s-]", "", value)
    if re.fullmatch(r"(?:1[3-9]\d{9}){2,}", compact):
        return [compact[at : at + 11] for at in range(0, len(compact), 11)], []
    parts = [part for part in BETWEEN.split(value) if part.strip()]
    if len(parts) == 1 and one_number(parts[0]) is None:
        parts = parts[0].split()
    numbers = [(part.strip(), one_number(part)) for part in parts]
    return [n for _part, n in numbers if n], [part for part, n in numbers if not n]


def _no_phone(value: str) -> Told:
    """What is wrong with it, as an officer would say it."""
    digits = re.sub(r"\D", "", value)
    advice = _("填 11 位手机号，或 区号-号码")
    if not digits or re.search(r"[^\d\s+.()-]", value):
        return mistake(_("不是电话号码"), advice)
    if digits.startswith("1"):
        return mistake(_mobile_fault(digits), advice)
    if len(digits) in (7, 8) and not digits.startswith("0"):
        return mistake(_("座机缺区号"), advice)
    return mistake(_("不是电话号码"), advice)


def _mobile_fault(digits: str) -> str:
    if len(digits) < 11:
        return _("少 %(n)d 位") % {"n": 11 - len(digits)}
    if len(digits) > 11:
        return _("多 %(n)d 位") % {"n": len(digits) - 11}
    return _("没有 %(start)s 开头的手机号") % {"start": digits[:2]}


# -- names ---------------------------------------------------------------------------------


def name(raw: Any) -> Any:
    """A person's name without spaces, titles and remarks in brackets."""
    value = tidy(raw)
    if value in NO_NAME:
        return None
    if wrong := _no_name(raw, value):
        return wrong
    remark = BRACKETS.search(value)
    early = DEAD_BEFORE.match(value)
    rest = DEAD_BEFORE.sub("", BRACKETS.sub("", value) if remark else value)
    bare = _unspaced(rest)
    said = remark.group(1) if remark else early.group() if early else ""
    if not bare or DEAD.fullmatch(bare):
        return mistake(_("没有姓名"), _("只填姓名"))
    if SEVERAL.search(bare):
        return _several_people()
    if len(bare) > NAME_LONGEST:
        return too_long(bare, NAME_LONGEST)
    return _named(bare, said)


def _no_name(raw: Any, value: str) -> Told | None:
    """What keeps a cell from being one person's whole name."""
    if not re.search(r"[^\d\W]", value):
        return mistake(_("不是姓名"), _("只填姓名"))
    lines = [tidy(line) for line in raw.split("\n")] if isinstance(raw, str) and "\n" in raw else []
    if sum(len(line) > 1 and CHINESE.match(line) is not None for line in lines) > 1:
        return _several_people()
    return None


def _several_people() -> Told:
    return mistake(_("一格里有几个人"), _("填户主 1 人，其他人填实际居住人或备注"))


def _unspaced(value: str) -> str:
    joined = value.replace(" ", "")
    return joined if CHINESE.match(joined) else value


def _named(bare: str, said: str) -> Any:
    if DEAD.search(said) or (len(bare) > 3 and re.search("已故$", bare)):
        bare = re.sub("已故$", "", bare)
        return reminder(
            bare, _("注明已故，按“%(name)s”记") % {"name": bare}, _("户主变更请填变更单")
        )
    if said:
        reason = _("括号里的“%(said)s”没有记") % {"said": said}
        return reminder(bare, reason)
    if TITLES.search(bare):
        plain = TITLES.sub("", bare)
        reason = _("称呼没有记，按“%(name)s”记") % {"name": plain}
        return reminder(plain, reason, _("填身份证上的姓名"))
    if PHONE_INSIDE.search(bare):
        return mistake(_("姓名里有电话号码"), _("只填姓名，号码填联系电话"))
    if MASK.search(bare):
        return reminder(bare, _("姓名打了码"), _("填完整姓名"))
    if LOST.search(bare):
        return reminder(bare, _("姓名里有认不出的字"), _("生僻字可能没有存下来；填完整姓名"))
    if re.search(r"\d", bare):
        return reminder(bare, _("姓名里有数字"))
    return bare


# -- door numbers --------------------------------------------------------------------------


def door(raw: Any) -> Any:
    """A door number; one that a spreadsheet took for a date is turned back.

    无门牌（庙东第三户） is no door number but a place.
    """
    if raw is None:
        return None
    if isinstance(raw, date):
        return _not_a_day(raw)
    if not isinstance(raw, str) and not isinstance(raw, int | float):
        return mistake(_("不是门牌号"), _("该列设为文本后重填，例如 3-12"))
    value = BY_HAND.sub("", tidy(raw))
    if value in NOTHING_AT_ALL:
        return None
    if found := NO_DOOR.match(value):
        return _placed(found["place"].strip("（）()[]【】 "))
    if (day := _day_in(value)) is not None:
        return _not_a_day(day)
    return too_long(value, DOOR_LONGEST) if len(value) > DOOR_LONGEST else value


def _placed(place: str) -> Told:
    if not place:
        reason = _("没有门牌号，也没有写位置")
        return reminder(None, reason, _("在“无门牌时的位置”写明，例如 庙东第三户"))
    reason = _("没有门牌号，“%(place)s”记作位置") % {"place": place}
    return reminder(None, reason, place=place[:DOOR_LONGEST])


def _day_in(value: str) -> date | None:
    found = DAY_TEXT.match(value) or MONTH_DAY.match(value) or DAY_MONTH.match(value)
    if not found:
        return None
    parts = found.groupdict()
    month = MONTHS.get(parts["month"].lower(), 0) or int(parts["month"]) if parts["month"] else 0
    year = int(parts.get("year") or clock.today().year)
    try:
        return date(year, month, int(parts["day"]))
    except ValueError:
        return None


def _not_a_day(day: date | datetime) -> Told:
    """3-12 became March 12 of the year it was typed in; 3-45 became the first of March 1945."""
    typed_now = abs(day.year - clock.today().year) <= 1
    second = day.day if typed_now or day.day != 1 else f"{day.year % 100:02d}"
    value = f"{day.month}-{second}"
    reason = _("Excel 把门牌号变成了日期，按 %(door)s 记") % {"door": value}
    return reminder(value, reason, _("核对门牌号；该列设为文本可避免"))
