"""Workbooks as Excel, WPS and others write them: every value at its place."""

from __future__ import annotations

import random
import re
from datetime import date, datetime, time, timedelta
from pathlib import Path

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from households.ledger.bounded.refusal import Refused
from households.ledger.reading import Finding, Row, SheetBegin
from tests.households.ledger import packages
from tests.households.ledger.bounded.here import grid, items, read
from tests.households.ledger.packages import MAIN, OFFICE, STRICT, STRICT_OFFICE, XML


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "file"


def written(path: Path, cells: dict[tuple[int, int], object]) -> None:
    book = openpyxl.Workbook()
    for (row, column), value in cells.items():
        book.active.cell(row, column, value)
    book.save(path)


TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=12
).filter(lambda text: text.strip() and not text.startswith("=") and "_x" not in text)
MOMENTS = st.datetimes(datetime(1900, 3, 1), datetime(9999, 12, 30)).map(
    lambda moment: moment.replace(microsecond=0)
)
VALUES = st.one_of(
    TEXTS,
    st.integers(-(10**15) + 1, 10**15 - 1),
    st.floats(-1e300, 1e300).map(lambda number: float(f"{number:.15g}")),  # as Excel keeps them
    st.booleans(),
    MOMENTS,
    st.dates(date(1900, 3, 1)),
)
PLACES = st.tuples(st.integers(1, 60), st.integers(1, 40))


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(cells=st.dictionaries(PLACES, VALUES, max_size=30))
def test_what_openpyxl_writes_is_read_back_at_the_same_places(
    cells: dict[tuple[int, int], object], path: Path
) -> None:
    written(path, cells)
    found = grid(path)
    assert found.keys() == cells.keys()
    for place, value in cells.items():
        cell = found[place]
        if isinstance(value, datetime) and type(cell) is date:
            assert datetime.combine(cell, time()) == value
        else:
            assert cell == value
            assert isinstance(value, bool) == isinstance(cell, bool)


def test_days_and_times_are_told_by_the_cells_format(path: Path) -> None:
    book = openpyxl.Workbook()
    formats = {
        "yyyy-mm-dd": 44100,
        'm"月"d"日"': 44100,
        "[$-804]yyyy年m月": 44100,
        "yyyy-mm-dd hh:mm": 44100.5,
        "h:mm": 0.5,
        "[h]:mm": 1.5,
        "0.00": 44100,
        "General": 44100,
        '0"年"': 44100,
        "000000": 123,
        "0%": 0.85,
        "#,##0.00_);[Red](#,##0.00)": 12.5,
        "0.00E+00": 13800000000,
    }
    for row, (code, number) in enumerate(formats.items(), start=1):
        book.active.cell(row, 1, number).number_format = code
    book.save(path)
    assert list(grid(path).values()) == [
        *(date(2020, 9, 26), date(2020, 9, 26), date(2020, 9, 26), datetime(2020, 9, 26, 12)),
        *(time(12), timedelta(hours=36), 44100, 44100, 44100, "000123", 0.85, 12.5, 13800000000),
    ]


def test_the_calendar_of_1904_and_the_day_that_1900_never_had(path: Path) -> None:
    styles = (
        f'{XML}<styleSheet xmlns="{MAIN}"><cellStyleXfs><xf numFmtId="0"/></cellStyleXfs>'
        '<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>'
    )
    content = packages.sheet(
        '<row r="1"><c r="A1" s="1"><v>59</v></c><c r="B1" s="1"><v>60</v></c>'
        '<c r="C1" s="1"><v>61</v></c><c r="D1" s="1"><v>-1</v></c></row>'
    )
    made = packages.parts({"一": content}, styles=styles)
    packages.write(path, made)
    assert read(path)[0].cells == [date(1900, 2, 28), 60, date(1900, 3, 1), -1]
    listed = str(made["xl/workbook.xml"]).replace("<sheets>", '<workbookPr date1904="1"/><sheets>')
    packages.write(path, made | {"xl/workbook.xml": listed})
    assert read(path)[0].cells[0] == date(1904, 2, 29)


def test_rich_text_is_put_together_and_phonetic_guides_are_left_out(path: Path) -> None:
    strings = (
        f'{XML}<sst xmlns="{MAIN}"><si><r><rPr><b/></rPr><t>张</t></r>'
        '<r><t xml:space="preserve"> 三</t></r><rPh><t>zhang</t></rPh><phoneticPr/></si>'
        "<si><t>a_x000D_b</t></si><si><t/></si></sst>"
    )
    cells = "".join(f'<c t="s"><v>{n}</v></c>' for n in (0, 1, 2))
    packages.write(
        path, packages.parts({"一": packages.sheet(f"<row>{cells}</row>")}, strings=strings)
    )
    assert read(path)[0].cells == ["张 三", "a\rb"]


def test_every_type_of_cell_is_read(path: Path) -> None:
    cells = (
        '<c t="b"><v>1</v></c><c t="d"><v>2020-05-27</v></c><c t="str"><v>字</v></c>'
        '<c t="inlineStr"><is><r><t>分</t></r><r><t>段</t></r></is></c><c t="n"><v>1.5</v></c>'
        '<c t="e"><v>#N/A</v></c><c><v>3</v></c><c t="d"><v>T10:30:00</v></c>'
    )
    packages.write(path, packages.parts({"一": packages.sheet(f"<row>{cells}</row>")}))
    (row,) = read(path)
    assert row.cells == [True, datetime(2020, 5, 27), "字", "分段", 1.5, "#N/A", 3, time(10, 30)]
    assert row.marks == {6: "error"}


def test_formulas_give_their_last_result_and_say_so(path: Path) -> None:
    cells = (
        '<c r="A1"><f>1+1</f><v>2</v></c><c r="B1" t="str"><f>""</f><v></v></c>'
        '<c r="C1"><f>NOW()</f></c><c r="D1"><f>A1</f><v/></c>'
        '<c r="E1" t="e"><f>1/0</f><v>#DIV/0!</v></c>'
        '<c r="F1"><f t="shared" si="0"/><v>7</v></c>'
    )
    packages.write(path, packages.parts({"一": packages.sheet(f"<row>{cells}</row>")}))
    (row,) = read(path)
    assert row.cells == [2, None, None, None, "#DIV/0!", 7]
    assert row.marks == {
        1: "formula", 2: "formula", 3: "uncached", 4: "uncached", 5: "error", 6: "formula",
    }  # fmt: skip


def test_merged_cells_are_filled_and_marked(path: Path) -> None:
    book = openpyxl.Workbook()
    for line in (
        ["标题"],
        ["镇", "村", "户"],
        ["甲镇", "乙村", 1],
        [None, None, 2],
        [None, None, 3],
    ):
        book.active.append(line)
    for merged in ("A1:C1", "A3:A5", "B3:B4"):
        book.active.merge_cells(merged)
    book.save(path)
    found = read(path)
    assert [row.cells for row in found[:2]] == [["标题"] * 3, ["镇", "村", "户"]]
    assert [row.cells for row in found[2:]] == [
        ["甲镇", "乙村", 1], ["甲镇", "乙村", 2], ["甲镇", None, 3],
    ]  # fmt: skip
    assert [dict(row.marks) for row in found] == [
        {2: "spanned", 3: "spanned"}, {}, {}, {1: "merged", 2: "merged"}, {1: "merged"},
    ]  # fmt: skip


def test_hidden_rows_and_sheets_are_read_and_said_to_be_hidden(path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.title = "明"
    book.active.append(["a"])
    book.active.append(["b"])
    book.active.row_dimensions[2].hidden = True
    secret = book.create_sheet("暗")
    secret.append(["c"])
    secret.sheet_state = "veryHidden"
    book.save(path)
    assert [
        (item.name, item.hidden) if isinstance(item, SheetBegin) else item for item in items(path)
    ] == [
        ("明", False),
        Row("明", 1, ["a"]),
        Row("明", 2, ["b"], True),
        ("暗", True),
        Row("暗", 1, ["c"]),
    ]


def test_sheets_come_in_the_order_of_the_workbook_and_not_of_their_files(path: Path) -> None:
    made = packages.parts({"后": packages.good_sheet(1), "先": packages.good_sheet(2)})
    listed = str(made["xl/workbook.xml"])
    first, second = listed.index("<sheet name"), listed.rindex("<sheet name")
    end = listed.index("</sheets>")
    swapped = listed[:first] + listed[second:end] + listed[first:second] + listed[end:]
    packages.write(path, made | {"xl/workbook.xml": swapped})
    names = [item.name for item in items(path) if isinstance(item, SheetBegin)]
    assert names == ["先", "后"]
    assert [row.sheet for row in read(path)] == ["先"] * 3 + ["后"] * 2


def odd_forms() -> dict[str, dict[str, packages.Part]]:
    """The same workbook as different programs write it."""
    plain = packages.parts({"台账": packages.good_sheet()})
    sheet, book = "xl/worksheets/sheet1.xml", "xl/workbook.xml"
    relations = "xl/_rels/workbook.xml.rels"
    content, listed, related = str(plain[sheet]), str(plain[book]), str(plain[relations])
    prefixed = content.replace("xmlns=", "xmlns:x=").replace("<", "<x:").replace("<x:/", "</x:")
    return {
        "plain": plain,
        "prefixes": plain | {sheet: prefixed.replace("<x:?", "<?")},
        "the strict form": plain
        | {
            sheet: content.replace(MAIN, STRICT),
            book: listed.replace(MAIN, STRICT).replace(OFFICE, STRICT_OFFICE),
            relations: related.replace(OFFICE, STRICT_OFFICE),
        },
        "absolute targets": plain
        | {relations: related.replace('"worksheets/', '"/xl/worksheets/')},
        "backslashes and capitals": {
            (name.replace("worksheets/", "Worksheets\\") if name == sheet else name): part
            for name, part in plain.items()
        },
        "no numbers of rows and no places": plain
        | {sheet: re.sub(r' r="[A-F]?\d+"', "", content)},
        "UTF-16": plain
        | {sheet: content.replace("UTF-8", "UTF-16").encode("utf-16")},
        "a mark of bytes": plain | {sheet: b"\xef\xbb\xbf" + content.encode()},
        "comments, instructions and foreign elements": plain
        | {
            sheet: content.replace(
                "<sheetData>",
                '<?mso x?><!-- <row r="9"/> --><ext xmlns:z="urn:z"><z:row><z:c><z:v>9</z:v></z:c>'
                "</z:row></ext><sheetData>",
            )
        },
        "parts of WPS": plain
        | {"docProps/custom.xml": XML, "xl/cellimages.xml": XML, "customXml/item1.xml": XML},
        "a workbook elsewhere": {
            name.replace("xl/", "book/"): (
                part.replace("xl/workbook", "book/workbook") if isinstance(part, str) else part
            )
            for name, part in plain.items()
        },
    }  # fmt: skip


@pytest.mark.parametrize("form", odd_forms())
def test_the_same_workbook_of_another_program_reads_the_same(form: str, path: Path) -> None:
    packages.write(path, odd_forms()["plain"])
    plain = read(path)
    packages.write(path, odd_forms()[form])
    assert read(path) == plain
    assert [row.number for row in plain] == [1, 2, 3, 4]


def test_gaps_keep_their_places(path: Path) -> None:
    content = packages.sheet('<row r="7"><c r="C7"><v>1</v></c><c r="AA7"><v>2</v></c></row>')
    packages.write(path, packages.parts({"一": content}))
    assert grid(path) == {(7, 3): 1, (7, 27): 2}


def test_columns_too_far_to_the_right_are_told_and_not_read(path: Path) -> None:
    packages.write(path, packages.parts({"一": packages.sheet(packages.row(1, *range(2000)))}))
    *_rows, last = items(path)
    assert isinstance(last, Finding)
    assert "1,024" in last.reason
    assert len(read(path)[0].cells) == 1024


def test_links_to_other_files_are_told_and_never_followed(path: Path) -> None:
    link = {"xl/externalLinks/externalLink1.xml": XML}
    packages.write(path, packages.parts({"台账": packages.good_sheet()}, extra=link))
    told = [item for item in items(path) if isinstance(item, Finding)]
    assert [found.severity for found in told] == ["reminder"]
    assert "别的文件" in told[0].reason


def test_no_spoilt_workbook_brings_down_its_reader(path: Path) -> None:
    """Bytes changed in parts that are packed anew: read or refused, and nothing else happens."""
    plain = {name: str(part).encode() for name, part in odd_forms()["plain"].items()}
    for seed in range(600):
        chance = random.Random(seed)
        spoilt = {name: bytearray(part) for name, part in plain.items()}
        part = spoilt[chance.choice(sorted(spoilt))]
        for _change in range(chance.randrange(1, 12)):
            part[chance.randrange(len(part))] = chance.choice(b"<>/\"'& =09AZrvstc\x00\xff")
        packages.write(path, {name: bytes(part) for name, part in spoilt.items()})
        try:
            read(path)
        except Refused as refused:
            assert refused.code
