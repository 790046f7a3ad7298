"""Two versions of a register map beside each other: by signal what came, what went, and what is
different cell by cell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from devices.maps.sheet import COLUMNS, Sheet

Cells = Mapping[str, str]


@dataclass(frozen=True)
class Cell:
    """A cell that differs. `column` is that of a point, or a setting's name."""

    column: str
    before: str
    after: str


@dataclass(frozen=True)
class Changed:
    """A signal's row that is in both; `row` as the newer one counts."""

    signal: str
    name: str
    row: int
    cells: list[Cell]


@dataclass(frozen=True)
class Comparison:
    """`added` and `gone` are rows by column, with their number as `row`."""

    settings: list[Cell]
    added: list[dict[str, str]]
    gone: list[dict[str, str]]
    changed: list[Changed]

    @property
    def is_same(self) -> bool:
        return not (self.settings or self.added or self.gone or self.changed)


def compare(before: Sheet, after: Sheet) -> Comparison:
    """What `after` has otherwise than `before`. Rows of one signal are told apart by `when`,
    then by their order; where a row stands is no difference."""
    old, new = _rows(before), _rows(after)
    pairs = [(old[key], row) for key, row in new.items() if key in old]
    changed = [
        Changed(row["signal"], row.get("name", ""), int(row["row"]), cells)
        for was, row in pairs
        if (cells := _different(was, row))
    ]
    return Comparison(
        _settings(before, after),
        [row for key, row in new.items() if key not in old],
        [row for key, row in old.items() if key not in new],
        changed,
    )


def _rows(sheet: Sheet) -> dict[tuple[str, str, int], dict[str, str]]:
    found: dict[tuple[str, str, int], dict[str, str]] = {}
    for number, point in enumerate(sheet.points, sheet.first_row):
        cells = dict(zip(COLUMNS, point, strict=True)) | {"row": str(number)}
        if not any(point):
            continue
        key = (cells["signal"], cells["when"], 0)
        while key in found:
            key = (*key[:2], key[2] + 1)
        found[key] = cells
    return found


def _different(was: Cells, now: Cells) -> list[Cell]:
    return [Cell(name, was[name], now[name]) for name in COLUMNS if was[name] != now[name]]


def _settings(before: Sheet, after: Sheet) -> list[Cell]:
    names = dict.fromkeys(name for name, _ in [*before.settings, *after.settings])
    pairs = [Cell(name, before.setting(name), after.setting(name)) for name in names]
    return [cell for cell in pairs if cell.before != cell.after]
