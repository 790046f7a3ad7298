"""Tables in text: encodings, delimiters, quotes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.households.ledger.bounded.here import read


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "file"


LINES = [["村（社区）", "住户姓名", "备注"], ["洞头村", "测试户", 'a,b;"c"'], ["", "", "两\n行"]]


def as_text(delimiter: str) -> str:
    def quoted(cell: str) -> str:
        return '"' + cell.replace('"', '""') + '"' if set(cell) & set(',;\t"\n') else cell

    return "".join(delimiter.join(map(quoted, line)) + "\r\n" for line in LINES)


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le", "utf-16-be"]
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_tables_in_text_are_read_in_every_usual_form(
    path: Path, encoding: str, delimiter: str
) -> None:
    path.write_bytes(as_text(delimiter).encode(encoding))
    assert [row.cells for row in read(path)] == [[cell or None for cell in line] for line in LINES]


def test_rows_of_text_are_counted_as_excel_shows_them(path: Path) -> None:
    path.write_bytes(b'a,b\n\n"x\ny",1\n,\nlast,2,3\n')
    found = [(row.number, row.cells) for row in read(path)]
    assert found == [(1, ["a", "b"]), (3, ["x\ny", "1"]), (5, ["last", "2", "3"])]


def test_a_text_may_name_its_delimiter_and_keep_noughts_by_a_formula(path: Path) -> None:
    path.write_bytes('sep=;\n姓名;电话\n甲;="0356,2023456"\n'.encode("gb18030"))
    found = [(row.number, row.cells) for row in read(path)]
    assert found == [(2, ["姓名", "电话"]), (3, ["甲", "0356,2023456"])]


def test_a_tab_behind_every_cell_does_not_part_them(path: Path) -> None:
    path.write_bytes("姓名\t,电话\t\r\n甲\t,13800000011\t\r\n".encode("gb18030"))
    assert [row.cells for row in read(path)] == [["姓名\t", "电话\t"], ["甲\t", "13800000011\t"]]
