"""What stands in a table beside its records: totals, notes, numbering, units, examples; ticks."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from households.ledger.reading import Cell

TOTAL = re.compile(
    r"(本页|本表|本村|全村|全镇|全区|全县|全市|各村|.{1,12}(镇|街道|乡|村|社区|区|县))?"
    r"(小计|合计|总计|共计|累计)(:?\d*(\(?(户|人|台|个|元|m2)\)?)?)?"
)
NOTE = re.compile(
    r"(填表|填报|填写|制表|统计人|录入人|报送|审核|复核|经办|负责人|分管|主要领导|单位负责|盖章|\(盖章|"
    r"(单位|日期|时间|备注|注|说明|附|附注|联系人|联系电话|村主任|书记|主任|签字|注意事项)\d?:|"
    r"村(民)?委(员)?会.*(章|:)|.{2,20}\((盖章|公章)\))"
)
LABELS = frozenset(("说明", "填表说明", "填写说明", "备注", "注", "附注", "注意", "注意事项"))
UNIT = re.compile(r"\(.{1,8}\)|m2|平方米|平米|户|米|元|个|台|度|°|℃|kw|年月日|必填|选填")
SMALL_NUMBER = re.compile(r"\d{1,4}")
EXAMPLE = ("示例", "例", "样例", "举例", "填写示例")
NO_TICK = ("", "×", "✗", "☐", "x", "否", "无", "不", "0", "-", "—", "/")
FIRST_CELLS = 4


def _texts(cells: Sequence[Cell]) -> list[str]:
    return ["" if cell is None else str(cell) for cell in cells]


def _plain(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split())


def first_text(cells: Sequence[Cell]) -> str:
    """The first cell with something in it, without blanks and wide forms."""
    return next((_plain(str(cell)) for cell in cells if cell is not None), "")


def is_total(cells: Sequence[Cell]) -> bool:
    """合计, 小计, 总计 in one of the first cells, also with a place before or a count behind."""
    filled = [cell for cell in cells if cell is not None][:FIRST_CELLS]
    return any(
        isinstance(cell, str) and "计" in cell and TOTAL.fullmatch(_plain(cell)) is not None
        for cell in filled
    )


def is_note(cells: Sequence[Cell]) -> bool:
    """填表人：…, 注：…, 监理单位： and their like."""
    first = first_text(cells)
    return NOTE.match(first) is not None or first.endswith(":") or first in LABELS


def is_signed(cells: Sequence[Cell]) -> bool:
    """Several cells that only wait for what is written behind them: 村支书：… 联系电话：…"""
    return sum(isinstance(cell, str) and _plain(cell).endswith(":") for cell in cells) > 1


def is_example(cells: Sequence[Cell]) -> bool:
    return first_text(cells).strip(":()*【】") in EXAMPLE


def is_numbering(cells: Sequence[Cell]) -> bool:
    """The row under a head that numbers the columns: 1, 2, 3 …, perhaps 甲 and 乙 before."""
    texts = [_plain(text).strip("()") for text in _texts(cells) if text.strip()]
    numbers = [int(text) for text in texts if SMALL_NUMBER.fullmatch(text)]
    others = [text for text in texts if not SMALL_NUMBER.fullmatch(text)]
    is_run = len(numbers) >= 3 and numbers == [*range(numbers[0], numbers[0] + len(numbers))]
    return is_run and numbers[0] <= 1 and all(re.fullmatch("[甲乙丙丁A-Z]", one) for one in others)


def is_units(cells: Sequence[Cell]) -> bool:
    """The row under a head that has only units: （户）, ㎡."""
    texts = [_plain(text).lower() for text in _texts(cells) if text.strip()]
    return bool(texts) and all(UNIT.fullmatch(text) for text in texts)


def is_tick(cell: Cell) -> bool:
    """Whether a cell of a column that is ticked says yes: √, 1, 是 and all that is not a no."""
    return cell is not None and bool(cell) and _plain(str(cell)).lower() not in NO_TICK
