"""Workbooks as officers fill them in, for the tests of import and export."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from openpyxl import Workbook, load_workbook

PLACE = {"镇（街道）": "钟家庄街道", "村（社区）": "洞头村"}
NUMERALS = "一二三四五六七八九"


def home(n: int, **changes: Any) -> dict[str, Any]:
    """A household that is right, by heads; it differs in everything from its neighbours."""
    values = {
        "户编号": "",
        **PLACE,
        "门牌号": f"示范巷 {n} 号",
        "住户姓名": f"测试户{NUMERALS[n % 9]}",
        "联系电话": f"1380000{n:04d}",
        "取暖面积": 80 + n % 20,
        "改造方式": "集中供热",
    }
    return values | changes


def workbook(rows: Sequence[dict[str, Any]], sheet: str = "改造户") -> bytes:
    book = Workbook()
    page = book.active
    page.title = sheet
    heads = list(dict.fromkeys(head for row in rows for head in row))
    page.append(heads)
    for row in rows:
        page.append([row.get(head) for head in heads])
    return saved(book)


def saved(book: Any) -> bytes:
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def opened(content: bytes) -> Any:
    return load_workbook(io.BytesIO(content))
