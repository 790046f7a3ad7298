"""Workbooks made by hand, part by part: what no program writes, and archives that lie."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
STRICT = "http://purl.oclc.org/ooxml/spreadsheetml/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
STRICT_OFFICE = "http://purl.oclc.org/ooxml/officeDocument/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
SHEET_BEGIN = f'{XML}<worksheet xmlns="{MAIN}"><sheetData>'
SHEET_END = "</sheetData></worksheet>"
HEAD = ("镇（街道）", "村（社区）", "门牌号", "住户姓名", "联系电话", "取暖面积")
Part = str | bytes


def sheet(rows: str, after: str = "", before: str = "") -> str:
    """A worksheet's part of its rows' XML."""
    return (
        f'{XML}<worksheet xmlns="{MAIN}">{before}<sheetData>{rows}</sheetData>{after}</worksheet>'
    )


def row(number: int, *cells: object, attributes: str = "") -> str:
    """A row's XML: texts inline, numbers as they are, None left out."""
    made = "".join(
        cell_xml(f"{letter(column)}{number}", value)
        for column, value in enumerate(cells, start=1)
        if value is not None
    )
    return f'<row r="{number}" {attributes}>{made}</row>'


def cell_xml(reference: str, value: object) -> str:
    if isinstance(value, str):
        return f'<c r="{reference}" t="inlineStr"><is><t>{value}</t></is></c>'
    return f'<c r="{reference}"><v>{value}</v></c>'


def letter(column: int) -> str:
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def good_row(number: int) -> str:
    return row(
        number, "钟家庄街道", "洞头村", f"{number} 号", "测试户", "13800000000", 80 + number % 50
    )


def good_sheet(count: int = 3) -> str:
    """A head and this many households."""
    return sheet(row(1, *HEAD) + "".join(map(good_row, range(2, count + 2))))


def parts(
    sheets: Mapping[str, Part],
    *,
    strings: Part | None = None,
    styles: Part | None = None,
    workbook: str = "",
    extra: Mapping[str, Part] | None = None,
) -> dict[str, Part]:
    """All parts of a workbook of these sheets by their names; `extra` replaces or adds some."""
    listed = "".join(
        f'<sheet name="{name}" sheetId="{n}" r:id="rId{n}"/>'
        for n, name in enumerate(sheets, start=1)
    )
    relations = "".join(
        f'<Relationship Id="rId{n}" Type="{OFFICE}/worksheet" Target="worksheets/sheet{n}.xml"/>'
        for n in range(1, len(sheets) + 1)
    )
    made: dict[str, Part] = {
        "[Content_Types].xml": _types(len(sheets)),
        "_rels/.rels": f'{XML}<Relationships xmlns="{PACKAGE}"><Relationship Id="rId1" '
        f'Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": workbook
        or f'{XML}<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>{listed}</sheets></workbook>',
    }
    for n, content in enumerate(sheets.values(), start=1):
        made[f"xl/worksheets/sheet{n}.xml"] = content
    for name, part in (("sharedStrings", strings), ("styles", styles)):
        if part is not None:
            made[f"xl/{name}.xml"] = part
            relations += f'<Relationship Id="{name}" Type="{OFFICE}/{name}" Target="{name}.xml"/>'
    made["xl/_rels/workbook.xml.rels"] = (
        f'{XML}<Relationships xmlns="{PACKAGE}">{relations}</Relationships>'
    )
    return made | dict(extra or {})


def _types(sheets: int) -> str:
    ours = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    named = {"workbook": "sheet.main", "sharedStrings": "sharedStrings", "styles": "styles"}
    named |= {f"worksheets/sheet{n}": "worksheet" for n in range(1, sheets + 1)}
    listed = "".join(
        f'<Override PartName="/xl/{name}.xml" ContentType="{ours}.{kind}+xml"/>'
        for name, kind in named.items()
    )
    relations = "application/vnd.openxmlformats-package.relationships+xml"
    return (
        f'{XML}<Types xmlns="{TYPES}"><Default Extension="rels" ContentType="{relations}"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{listed}</Types>'
    )


def write(path: Path, made: Mapping[str, Part]) -> None:
    """An archive of these parts as any program would write it."""
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        for name, part in made.items():
            archive.writestr(name, part)


@dataclass(frozen=True)
class Entry:
    """A part of an archive that is written byte by byte, so that it may lie."""

    name: str
    data: bytes
    size: int
    method: int = 8
    flags: int = 0
    crc: int = 0

    @classmethod
    def honest(cls, name: str, part: Part) -> Entry:
        content = part.encode() if isinstance(part, str) else part
        packer = zlib.compressobj(wbits=-15)
        data = packer.compress(content) + packer.flush()
        return cls(name, data, len(content), crc=zlib.crc32(content))


def bomb(name: str, begin: str, again: bytes, times: int, end: str, size: int = 0) -> Entry:
    """A part that is `again` so many times, a few kilobytes per hundred megabytes in the archive.

    `size`: what the archive says that it is, if not the truth.
    """
    packer = zlib.compressobj(9, wbits=-15)
    head = packer.compress(begin.encode()) + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(again) + packer.flush(zlib.Z_FULL_FLUSH)
    tail = packer.compress(end.encode()) + packer.flush()
    crc = zlib.crc32(begin.encode())
    for _time in range(times):
        crc = zlib.crc32(again, crc)
    true_size = len(begin.encode()) + len(again) * times + len(end.encode())
    return Entry(
        name, head + block * times + tail, size or true_size, crc=zlib.crc32(end.encode(), crc)
    )


def write_raw(path: Path, entries: Iterable[Entry]) -> None:
    """An archive of just these entries, whatever they claim."""
    directory, offset, count = b"", 0, 0
    with path.open("wb") as file:
        for entry in entries:
            name = entry.name.encode()
            common = struct.pack(
                "<HHHHHIIIHH",
                *(20, entry.flags, entry.method, 0, 33, entry.crc),
                *(len(entry.data), entry.size, len(name), 0),
            )
            file.write(b"PK\x03\x04" + common + name + entry.data)
            directory += b"PK\x01\x02" + struct.pack("<H", 20) + common
            directory += struct.pack("<HHHII", 0, 0, 0, 0, offset) + name
            offset = file.tell()
            count += 1
        file.write(directory)
        sizes = struct.pack("<HHHHIIH", 0, 0, count, count, len(directory), offset, 0)
        file.write(b"PK\x05\x06" + sizes)


def with_bomb(path: Path, name: str, entry: Entry, made: Mapping[str, Part]) -> None:
    """A workbook of honest parts but for one."""
    honest = [Entry.honest(part, content) for part, content in made.items() if part != name]
    write_raw(path, [*honest, entry])
