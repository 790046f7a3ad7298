"""Workbooks as villages send them, made from a seed: right rows, and mistakes planted into them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from openpyxl import Workbook

SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦许何吕施张孔曹严华金魏陶姜"
GIVEN = "甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未申酉戌亥东南西北春夏秋冬"
METHODS = ("集中供热", "电代煤", "气代煤", "工业余热")
HEADS = (
    "户编号",
    "镇（街道）",
    "村（社区）",
    "门牌号",
    "住户姓名",
    "联系电话",
    "取暖面积",
    "经度",
    "纬度",
    "坐标来源",
    "改造方式",
    "用电户号",
    "户型结构",
    "间数",
    "合同日期",
    "备注",
)
FIRST_ROW = 2  # of the sheet, below the head
Place = tuple[str, str]  # town and village


def row(n: int, place: Place, dice: Random) -> dict[str, Any]:
    """One right row; door, phone and account are those of no other `n`."""
    name = dice.choice(SURNAMES) + dice.choice(GIVEN) + dice.choice(GIVEN)
    return {
        "户编号": None,
        "镇（街道）": place[0],
        "村（社区）": place[1],
        "门牌号": f"示范巷 {n} 号",
        "住户姓名": name,
        "联系电话": f"138{n:08d}",
        "取暖面积": dice.randrange(60, 140),
        "经度": round(112.85 + dice.random() / 100, 6),
        "纬度": round(35.49 + dice.random() / 100, 6),
        "坐标来源": "手机浏览器",
        "改造方式": dice.choice(METHODS),
        "用电户号": f"示例{n:08d}",
        "户型结构": dice.choice(("平房三间", "平房五间", "二层楼房")),
        "间数": dice.randrange(2, 9),
        "合同日期": None,
        "备注": None,
    }


def rows(count: int, places: Sequence[Place], dice: Random) -> list[dict[str, Any]]:
    """`count` right rows, as many of each place, village by village."""
    share = -(-count // len(places))
    return [row(n, places[n // share], dice) for n in range(count)]


def write(path: Path, sheets: dict[str, list[dict[str, Any]]]) -> None:
    """A workbook with these sheets, each with its head in row 1."""
    book = Workbook(write_only=True)
    for name, lines in sheets.items():
        sheet = book.create_sheet(name)
        sheet.append(HEADS)
        for line in lines:
            sheet.append([line[head] for head in HEADS])
    book.save(path)


# -- mistakes --------------------------------------------------------------------------------

Spoil = Callable[[dict[str, Any], Random], None]


def _set(head: str, *values: Any) -> Spoil:
    def spoil(line: dict[str, Any], dice: Random) -> None:
        line[head] = dice.choice(values)

    return spoil


def _shorten_phone(line: dict[str, Any], dice: Random) -> None:
    line["联系电话"] = line["联系电话"][:-1]


def _lengthen_phone(line: dict[str, Any], dice: Random) -> None:
    line["联系电话"] += "0"


def _elsewhere(line: dict[str, Any], dice: Random) -> None:
    line["经度"] = round(line["经度"] + dice.choice((8, -100, 1000)), 6)


def _outside(line: dict[str, Any], dice: Random) -> None:
    line["纬度"] = round(line["纬度"] + dice.choice((2, -3, 5)), 6)


KINDS: dict[str, tuple[str, Spoil]] = {
    "a digit of the phone is missing": ("联系电话", _shorten_phone),
    "a digit of the phone is too many": ("联系电话", _lengthen_phone),
    "the phone lost its digits": ("联系电话", _set("联系电话", "1.38E+10", "1.39E+10")),
    "the phone is no number": ("联系电话", _set("联系电话", "问村长", "同大门")),
    "the area is in words": ("取暖面积", _set("取暖面积", "九十二", "一百二", "三间房")),
    "the area is nothing": ("取暖面积", _set("取暖面积", 0, -5, "-12")),
    "no such method": ("改造方式", _set("改造方式", "煤改气电", "烧柴", "不清楚")),
    "no method": ("改造方式", _set("改造方式", None, "", "无")),
    "no such village": ("村（社区）", _set("村（社区）", "泽州东居", "李家庄", "不知道")),
    "no such town": ("镇（街道）", _set("镇（街道）", "东村镇", "北街街道")),
    "no name": ("住户姓名", _set("住户姓名", None, "", "无")),
    "two people": ("住户姓名", _set("住户姓名", "张甲、李乙", "王丙/赵丁")),
    "outside the district": ("纬度", _outside),
    "far to the east or west": ("经度", _elsewhere),
    "half a position": ("经度", _set("经度", None)),
    "no position": ("经度", _set("经度", "东边", "abc")),
    "no such source": ("坐标来源", _set("坐标来源", "听说", "谷歌地球")),
    "no such number": ("户编号", _set("户编号", "26-99-0001", "25-01-9999", "甲-1")),
    "rooms are no number": ("间数", _set("间数", "很多", "3.5", "-1")),
    "no date": ("合同日期", _set("合同日期", "2026-13-02", "2026-02-30", "秋天")),
    "a date to come": ("合同日期", _set("合同日期", "2099-01-01", "2098年12月31日")),
    "an identity number": ("备注", _set("备注", "身份证 11010519491231002X", "11010519491231002X")),
    "a masked phone of a new row": ("联系电话", _set("联系电话", "138****0043", "139****1111")),
}


@dataclass
class Planted:
    """Where mistakes were planted: sheet, row as Excel counts it, head of the column."""

    places: set[tuple[str, int, str]] = field(default_factory=set)
    kinds: set[str] = field(default_factory=set)


def plant(
    sheets: dict[str, list[dict[str, Any]]], count: int, dice: Random, kinds: Sequence[str] = ()
) -> Planted:
    """Spoil `count` cells, each in a row of its own, all kinds in turn."""
    planted = Planted()
    every = [(name, n) for name, lines in sheets.items() for n in range(len(lines))]
    chosen = list(kinds or KINDS)
    for at, (name, n) in enumerate(dice.sample(every, count)):
        kind = chosen[at % len(chosen)]
        head, spoil = KINDS[kind]
        spoil(sheets[name][n], dice)
        planted.places.add((name, n + FIRST_ROW, head))
        planted.kinds.add(kind)
    return planted
