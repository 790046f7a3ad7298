"""Two hundred mistakes planted into five thousand rows: all of them told, and nothing else."""

from pathlib import Path
from random import Random

import pytest

from households.ledger import checking
from tests import cast as make
from tests.cast import Cast
from tests.households.ledger import village_books as books

PLACES = [(town, village) for town, villages in make.VILLAGES.items() for village in villages]


def places_of(check: checking.Check) -> list[tuple[str, int | None, str]]:
    return [(one.sheet, one.row, one.column) for one in check.mistakes]


@pytest.mark.parametrize("seed", [4, 2026])
def test_planted_mistakes_are_told_each_at_its_place_and_no_others(
    cast: Cast, tmp_path: Path, seed: int
) -> None:
    dice, path = Random(seed), tmp_path / "台账.xlsx"
    sheets = {
        "改造户": books.rows(3000, PLACES[:7], dice),
        "二": books.rows(2000, PLACES[7:], dice),
    }
    for line in sheets["二"]:
        line["门牌号"] = f"二{line['门牌号']}"
        line["用电户号"] = f"二{line['用电户号']}"
    planted = books.plant(sheets, 200, dice)
    books.write(path, sheets)
    check = checking.check(path, path.name, cast.district_officer)
    assert len(planted.places) == 200
    assert len(planted.kinds) >= 12
    assert check.rows == 5000
    assert sorted(places_of(check)) == sorted(planted.places)
    assert all(one.reason and one.advice for one in check.mistakes)


@pytest.mark.parametrize("kind", books.KINDS)
def test_every_kind_of_mistake_is_told_at_its_cell(cast: Cast, tmp_path: Path, kind: str) -> None:
    dice, path = Random(7), tmp_path / "台账.xlsx"
    sheets = {"改造户": books.rows(40, PLACES, dice)}
    planted = books.plant(sheets, 8, dice, [kind])
    books.write(path, sheets)
    check = checking.check(path, path.name, cast.district_officer)
    assert sorted(places_of(check)) == sorted(planted.places)
