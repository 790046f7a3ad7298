"""The workbook that an officer fills in: heads, drop-downs, checks, an example, words.

The drop-downs read ranges of the sheet 选项 by OFFSET and MATCH. Names of ranges with INDIRECT are
the usual way, but a name of a range may hold no brackets, as （散户） does.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _
from openpyxl import Workbook
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from households.ledger import sheets
from households.ledger.choices import TREES, Tree
from households.ledger.columns import Column
from households.ledger.tables import KINDS, Kind
from households.ledger.validations import check_of
from households.models import User

LAST_ROW = 5000  # as far down as drop-downs and checks reach
JOINT = "|"  # between the labels that together name the choices below them
MOST_ALIASES = 6  # that the words name
KINDS_OF_A_TEMPLATE = ("household", "installation")


def write(path: Path | str, user: User) -> None:
    """Write the template for `user` to `path`: his places, the admitted models, nothing else."""
    book = Workbook()
    book.remove(book.active)
    kinds = [KINDS[key] for key in KINDS_OF_A_TEMPLATE if key in KINDS]
    tables = [(kind, book.create_sheet(kind.label)) for kind in kinds]
    words, options = book.create_sheet(sheets.WORDS), Options()
    trees = [tree(user) for tree in TREES]
    for kind, sheet in tables:
        columns = sheets.offered(kind)
        _fill(sheet, columns, _example(columns, trees))
        add_lists(sheet, columns, options, trees)
        _add_checks(sheet, columns)
    options.write(book.create_sheet(sheets.OPTIONS))
    _explain(words, kinds, {key for tree in trees for key in tree.keys})
    book.save(path)


def _fill(sheet: Any, columns: Sequence[Column], example: Sequence[object]) -> None:
    sheets.set_up(sheet, columns)
    sheet.append(sheets.head(sheet, columns))
    sheet.row_dimensions[1].height = 32
    sheet.append(example)
    for cell, column in zip(sheet[2], columns, strict=True):
        cell.number_format = sheets.number_format(column)
        cell.font = Font(italic=True, color=sheets.INK_2)
        cell.border = sheets.BOX


def _example(columns: Sequence[Column], trees: Iterable[Tree]) -> list[object]:
    """The example row, with choices that the lists have."""
    values = {column.key: column.example for column in columns}
    for tree in trees:
        if tree.rows:
            values |= dict(zip(tree.keys, tree.rows[0], strict=True))
    return [sheets.EXAMPLE, *(values[column.key] for column in columns[1:])]


@dataclass
class Options:
    """The lists that drop-downs read, each a column of a hidden sheet."""

    columns: dict[tuple[str, ...], int] = field(default_factory=dict)

    def add(self, head: str, values: Sequence[str]) -> str:
        """The range that will hold `values`, kept once: `'选项'!$A$2:$A$9`."""
        place = self.columns.setdefault((head, *values), len(self.columns) + 1)
        letter = get_column_letter(place)
        return f"'{sheets.OPTIONS}'!${letter}$2:${letter}${max(len(values) + 1, 2)}"

    def write(self, sheet: Any) -> None:
        sheet.sheet_state = "hidden"
        for row in zip_longest(*self.columns):
            sheet.append(row)


def add_lists(
    sheet: Any,
    columns: Sequence[Column],
    options: Options,
    trees: Iterable[Tree],
    last_row: int = LAST_ROW,
) -> None:
    """Drop-downs on every column with choices, those of a tree narrowed by the cells before."""
    places = {column.key: get_column_letter(n) for n, column in enumerate(columns, start=1)}
    heads = {column.key: column for column in columns}
    fitting = [tree for tree in trees if tree.rows and set(tree.keys) <= set(places)]
    for tree in fitting:
        for depth, key in enumerate(tree.keys):
            source = _source(tree, depth, options, heads, places)
            _add(sheet, places[key], _list(source, heads[key]), last_row)
    in_trees = {key for tree in fitting for key in tree.keys}
    for column in columns:
        if column.choices and column.key not in in_trees:
            source = options.add(column.head, list(map(str, column.choices)))
            _add(sheet, places[column.key], _list(source, column), last_row)


def _source(
    tree: Tree, depth: int, options: Options, heads: dict[str, Column], places: dict[str, str]
) -> str:
    """The formula of a drop-down: all of the first level, else what lies below the cells before."""
    head = heads[tree.keys[depth]].head
    paths = list(dict.fromkeys(row[: depth + 1] for row in tree.rows))
    values = [path[-1] for path in paths]
    if depth == 0:
        return options.add(head, values)
    below = options.add(
        _("%(head)s的上级") % {"head": head}, [JOINT.join(path[:-1]) for path in paths]
    )
    here = options.add(head, values)
    first = here.split(":")[0]
    wanted = f'&"{JOINT}"&'.join(f"${places[key]}2" for key in tree.keys[:depth])
    return f"OFFSET({first},MATCH({wanted},{below},0)-1,0,COUNTIF({below},{wanted}),1)"


def _list(source: str, column: Column) -> DataValidation:
    return DataValidation(
        type="list",
        formula1=source,
        allow_blank=True,
        showErrorMessage=True,
        errorTitle=_clip(column.head, 32),
        error=_("请从下拉列表中选。列表里没有的，请联系区领导小组办公室。"),
        **_prompt(column),
    )


def _add_checks(sheet: Any, columns: Sequence[Column]) -> None:
    for place, column in enumerate(columns, start=1):
        check = check_of(column)
        if check and not column.choices:
            _add(sheet, get_column_letter(place), DataValidation(**check, **_prompt(column)))


def _add(sheet: Any, letter: str, validation: DataValidation, last_row: int = LAST_ROW) -> None:
    validation.add(f"{letter}2:{letter}{last_row}")
    sheet.data_validations.append(validation)


def _prompt(column: Column) -> dict[str, object]:
    """The column's hint beside the cell that is being filled in; Excel takes 32 and 255 letters."""
    if not column.hint:
        return {}
    title = column.head + (_("（必填）") if column.required else "")
    return {
        "showInputMessage": True,
        "promptTitle": _clip(title, 32),
        "prompt": _clip(str(column.hint), 255),
    }


def _clip(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _explain(sheet: Any, kinds: Sequence[Kind], in_trees: Collection[str]) -> None:
    for letter, width in zip("ABCDEF", (12, 22, 8, 56, 20, 60), strict=True):
        sheet.column_dimensions[letter].width = width
    sheets.print_across(sheet)
    sheet.append(
        sheets.plain_head(
            sheet, [_("表"), _("栏目"), _("必填"), _("怎么填"), _("示例"), _("也认得的表头")]
        )
    )
    sheet.freeze_panes = "A2"
    for kind in kinds:
        for column in sheets.offered(kind):
            sheet.append(_words_of(kind, column, column.key in in_trees))
    for remark in _rules():
        sheet.append(["", "", "", remark])
    for row in sheet.iter_rows(min_row=2):
        for cell in row:
            cell.alignment = Alignment(wrap_text=True, vertical="top")
            cell.number_format = sheets.TEXT


def _words_of(kind: Kind, column: Column, in_a_tree: bool) -> list[str]:
    options = _("从下拉列表选") if column.choices or in_a_tree else ""
    hint = _("；").join(filter(None, [str(column.hint or ""), options]))
    needed = _("必填") if column.required else ""
    example = "" if column.example is None else str(column.example)
    aliases = _("、").join(column.aliases[:MOST_ALIASES])
    return [kind.label, column.head, needed, hint, example, aliases]


def _rules() -> list[str]:
    return [
        _("表头带 * 的必填。表头的名称请不要改；不用的列可以空着，也可以删去。"),
        _("第一格写着“示例”的行导入时略过，可以留着。"),
        _("户编号由平台给：新户空着；要更新已有的户，先从平台导出，在导出的表上改。"),
        _("电话、户号、门牌号的格子是文本格式，开头的 0 不会丢，3-12 不会变成日期。"),
        _("导入前平台先检查，错误和提醒都列出来；您选了导入才写进台账。"),
    ]
