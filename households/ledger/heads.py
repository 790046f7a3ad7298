"""Finding the head of a table: which column stands where, whatever officers call it.

A head is one row, or two with group heads above (安装位置 over 经度 and 纬度). Names are compared
without blanks, punctuation, marks of required columns, and units.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from households.ledger.cells import Told
from households.ledger.reading import Cell

if TYPE_CHECKING:
    from households.ledger.kinds import Kind

LONGEST_HEAD = 40
FEWEST_WITH_SHEET_NAME = 3
FEWEST_NAMES = 3
PUNCTUATION = re.compile(r"[\W_]+")
DIGIT = re.compile(r"\d")
BRACKETS_AT_END = re.compile(r"[(\[【<〔][^()\[\]【】<>〔〕]*[)\]】>〕]\s*$")
NUMBER_IN_FRONT = re.compile(r"^\d{1,2}[.、]")
UNIT_AT_END = re.compile(r"(?<=..)(m2|平方米|平米|㎡|米|元|户|台|kw|度|℃|必填)$")
NO_NAME_OF_A_PLACE = re.compile(
    r"sheet\d*|工作表\d*|表格?\d*|\d+|总表|汇总|.*(汇总表?|总表|台账|明细|花名册|名单|登记表)",
    re.IGNORECASE,
)
# 南村镇下庄清洁取暖花名册, 司匠村改造户登记表, 村（社区）：下庄; neither 各村 nor 钟家庄 of a 街道.
A_VILLAGE = (
    r"(?!各|全|本|农|新|行政|清洁|冬季|改造|[省市区县])"
    r"(?P<village>(?:(?!街道)[^\W\d镇乡]){1,6}?(?:村|社区|庄|坪))(?![镇乡村]|街道)"
)
IN_A_TITLE = re.compile(rf"^(?:.{{0,16}}?.{{2}}(?:镇|街道|乡))?{A_VILLAGE}")
BEHIND_A_LABEL = re.compile(
    r"(?:村\(社区\)|村名|行政村|社区|填报单位|填表单位|单位):(?:.{2,6}?(?:镇|街道|乡))?" + A_VILLAGE
)
BEHIND_A_PLACE = re.compile(r"(\([^()]*\)|台账|花名册|名单|明细表?|登记表|信息表?|改造户|\d+户?)$")


@lru_cache(4096)
def bare(text: str) -> str:
    """The name as it is compared: wide forms made narrow, no blanks, no punctuation."""
    return PUNCTUATION.sub("", unicodedata.normalize("NFKC", text)).lower()


def names(text: str) -> Iterator[str]:
    """What a head may mean, the fullest first: 取暖面积（㎡）, then 取暖面积."""
    if len(text) > LONGEST_HEAD:
        return
    whole = unicodedata.normalize("NFKC", text).strip()
    short = BRACKETS_AT_END.sub("", whole)
    for name in (whole, short, NUMBER_IN_FRONT.sub("", short)):
        yield bare(name)
    yield UNIT_AT_END.sub("", bare(short))


def place_of(sheet: str) -> str:
    """The village that a sheet's name names, "" for names such as Sheet1 and 汇总."""
    name = unicodedata.normalize("NFKC", sheet).strip()
    for _again in range(3):
        name = BEHIND_A_PLACE.sub("", name).strip()
    return "" if not name or NO_NAME_OF_A_PLACE.fullmatch(name) else name


def place_in(title: str) -> str:
    """The village that a line above a head names, "" for none."""
    text = "".join(unicodedata.normalize("NFKC", title).split())
    found = BEHIND_A_LABEL.search(text) or IN_A_TITLE.match(text)
    return found["village"] if found else ""


@dataclass(frozen=True)
class Head:
    """A head as it stands: columns count from 1; `others` are those that the kind does not know.

    `doubled`: columns that say once more, in the same words, what an earlier one says; `beside`:
    columns that could be read for a key which another column fits better; `ticks`: columns under a
    group head, of which one is ticked (电代煤 under 改造方式), with the key and the choice.
    """

    kind: Kind
    height: int
    places: Mapping[str, int]
    heads: Mapping[str, str]
    others: Mapping[int, str] = field(default_factory=dict)
    doubled: Mapping[int, str] = field(default_factory=dict)
    beside: Mapping[int, str] = field(default_factory=dict)
    ticks: Mapping[int, tuple[str, str]] = field(default_factory=dict)
    missing: Sequence[tuple[str, ...]] = ()

    @property
    def fit(self) -> tuple[int, int]:
        """How well it fits: by what it names, then by how few rows it takes."""
        return len(self.places) + bool(self.ticks), -self.height


class Finder:
    """Looks for heads of some kinds."""

    def __init__(self, kinds: Collection[Kind]) -> None:
        self._kinds = [(kind, _index(kind)) for kind in kinds]
        self._names = frozenset(name for _kind, index in self._kinds for name in index)

    def may_be_head(self, cells: Sequence[Cell]) -> bool:
        """Quickly, whether a row among records is worth a closer look: a word such as 户主 may
        stand in any row, several names of columns only in a head."""
        found = sum(type(cell) is str and self._is_name(cell) for cell in cells)
        return found >= min(FEWEST_NAMES, sum(cell is not None for cell in cells))

    def _is_name(self, cell: str) -> bool:
        if cell in self._names:
            return True
        if cell.isalnum() or cell.isascii() or len(cell) > LONGEST_HEAD or DIGIT.search(cell):
            return False
        return any(name in self._names for name in names(cell))

    def head(self, cells: Sequence[Cell], below: Sequence[Cell], place: str) -> Head | None:
        """The head that begins with this row, if one does: the kind of which most is found.

        `place`: the village that the sheet's name or a title names, or "".
        """
        found = [head for head in self._candidates(cells, below, place) if not head.missing]
        return max(found, key=lambda head: head.fit, default=None)

    def nearest(self, cells: Sequence[Cell], place: str) -> Head | None:
        """The kind that this row comes nearest to, complete or not; None for no likeness."""
        found = [head for head in self._candidates(cells, (), place) if len(head.places) > 1]
        return max(found, key=lambda head: len(head.places), default=None)

    def _candidates(
        self, cells: Sequence[Cell], below: Sequence[Cell], place: str
    ) -> Iterator[Head]:
        single = [[text] if text else [] for text in map(_text, cells)]
        double = _pairs(cells, below) if below else None
        for kind, index in self._kinds:
            yield _head(kind, index, single, 1, place)
            if double:
                yield _head(kind, index, double, 2, place)


def _index(kind: Kind) -> dict[str, tuple[str, int]]:
    """Every name of the kind's columns: whose it is, and how good a name (0 the best)."""
    found: dict[str, tuple[str, int]] = {}
    for column in kind.columns:
        for rank, name in enumerate((column.head, *column.aliases, column.key)):
            known = found.get(bare(name))
            if known is None or rank < known[1]:
                found[bare(name)] = column.key, rank
    return found


def _text(cell: Cell) -> str:
    return " ".join(cell.split()) if isinstance(cell, str) else ""


def _pairs(upper: Sequence[Cell], lower: Sequence[Cell]) -> list[list[str]]:
    """For each column what its two rows may mean together, the likeliest first."""
    width = max(len(upper), len(lower))
    above = [_text(cell) for cell in (*upper, *[None] * (width - len(upper)))]
    under = [_text(cell) for cell in (*lower, *[None] * (width - len(lower)))]
    found, group = [], ""
    for high, low in zip(above, under, strict=True):
        group = high or group
        if low and group and low != group:
            found.append([group + low, low])
        else:
            found.append([low or high] if low or high else [])
    return found


def _head(
    kind: Kind,
    index: Mapping[str, tuple[str, int]],
    texts: Sequence[Sequence[str]],
    height: int,
    place: str,
) -> Head:
    read: dict[int, tuple[str, int]] = {}
    for column, candidates in enumerate(texts, start=1):
        known = (index.get(name) for text in candidates for name in names(text))
        if best := next(filter(None, known), None):
            read[column] = best
    ticks = _ticks(kind, texts, read)
    best_rank = {
        key: min(rank for other, rank in read.values() if other == key)
        for key, _rank in read.values()
    }
    places: dict[str, int] = {}
    doubled: dict[int, str] = {}
    beside: dict[int, str] = {}
    for column, (key, rank) in read.items():
        if rank > best_rank[key]:
            beside[column] = key
        elif key in places:
            doubled[column] = key
        else:
            places[key] = column
    said = {column: candidates[-1] for column, candidates in enumerate(texts, 1) if candidates}
    ticks = {column: tick for column, tick in ticks.items() if tick[0] not in places}
    for column, (key, choice) in ticks.items():
        places.setdefault(key, column)
        said[column] = texts[column - 1][0].removesuffix(choice)
    return Head(
        kind,
        height,
        places,
        {key: said[column] for key, column in places.items()},
        {column: text for column, text in said.items() if column not in {*read, *ticks}},
        doubled,
        beside,
        ticks,
        _missing(kind, places, place),
    )


def _ticks(
    kind: Kind, texts: Sequence[Sequence[str]], read: Collection[int]
) -> dict[int, tuple[str, str]]:
    """Columns whose names are choices of the column that their group head names."""
    grouped = [
        (column, candidates[-1], bare(candidates[0].removesuffix(candidates[-1])))
        for column, candidates in enumerate(texts, start=1)
        if len(candidates) > 1 and column not in read
    ]
    if not grouped:
        return {}
    named = {
        bare(name): column
        for column in kind.columns
        if column.choices
        for name in (column.head, *column.aliases)
    }
    return {
        place: (named[group].key, choice)
        for place, choice, group in grouped
        if group in named and _is_understood(named[group].clean(choice))
    }


def _is_understood(value: object) -> bool:
    return value is not None and not (isinstance(value, Told) and value.severity == "mistake")


def _missing(kind: Kind, places: Mapping[str, int], place: str) -> list[tuple[str, ...]]:
    """The groups of columns of which none is there; a name of the place may stand for one."""
    is_named = len(places) >= FEWEST_WITH_SHEET_NAME and bool(place)
    return [
        group
        for group in kind.needs
        if not any(key in places for key in group) and not (is_named and kind.sheet_names in group)
    ]
