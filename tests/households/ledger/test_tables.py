from __future__ import annotations

from pathlib import Path

import pytest

from households.ledger import heads
from households.ledger.heads import Finder
from households.ledger.reading import Finding
from households.ledger.tables import KINDS, Record, found_in, tables
from tests.households.ledger.bounded.here import items
from tests.households.ledger.corpus_untidy import UNTIDY, Untidy


def read(path: Path) -> tuple[list[Record], list[Finding]]:
    records, findings = [], []
    for found in found_in(items(path), Finder(list(KINDS.values()))):
        if isinstance(found, Record):
            records.append(found)
        else:
            findings.append(found)
    return records, findings


@pytest.mark.parametrize("case", UNTIDY, ids=str)
def test_an_untidy_file_is_read_exactly(case: Untidy, tmp_path: Path) -> None:
    path = tmp_path / "file"
    case.make(path)
    records, findings = read(path)
    assert {
        (record.sheet, record.row): {
            key: value for key, value in record.values.items() if value is not None
        }
        for record in records
    } == {
        place: {key: value for key, value in values.items() if value is not None}
        for place, values in case.records.items()
    }
    told = [(found.severity, found.row, found.reason) for found in findings]
    assert len(told) == len(case.told), told
    for severity, row, piece in case.told:
        assert any(one[:2] == (severity, row) and piece in one[2] for one in told), (piece, told)


def test_the_corpus_is_not_small() -> None:
    assert len(UNTIDY) >= 30
    assert len({case.name for case in UNTIDY}) == len(UNTIDY)


def test_a_file_is_read_through_the_child_alike(tmp_path: Path) -> None:
    case = UNTIDY[0]
    case.make(tmp_path / "file")
    found = list(tables(tmp_path / "file", case.filename))
    assert [one.row for one in found if isinstance(one, Record)] == [4, 5]


@pytest.mark.parametrize(
    ("name", "village"),
    [
        ("洞头村", "洞头村"),
        (" 洞头村 (8户)", "洞头村"),
        ("洞头村台账", "洞头村"),
        ("时家岭社区改造户花名册", "时家岭社区"),
        ("Sheet1", ""),
        ("工作表2", ""),
        ("汇总表", ""),
        ("台账", ""),
        ("2026", ""),
    ],
)
def test_a_sheets_name_names_a_village_or_nothing(name: str, village: str) -> None:
    assert heads.place_of(name) == village


@pytest.mark.parametrize(
    ("title", "village"),
    [
        ("钟家庄街道洞头村清洁取暖改造花名册", "洞头村"),
        ("城区东街街道南大街社区 2026 年台账", "南大街社区"),
        ("南村镇下庄冬季清洁取暖登记表", "下庄"),
        ("南村镇南村村花名册", "南村村"),
        ("村（社区）：洞头村", "洞头村"),
        ("填报单位：钟家庄街道洞头村（盖章）", "洞头村"),
        ("钟家庄街道清洁取暖改造户登记表", ""),
        ("南村镇各村汇总", ""),
        ("2026 年农村地区清洁取暖", ""),
        ("清洁取暖进村入户", ""),
    ],
)
def test_a_title_names_a_village_or_nothing(title: str, village: str) -> None:
    assert heads.place_in(title) == village
