"""A workbook as a package: its parts, which of them are sheets, and what makes it unwelcome.

Only names inside the archive are ever looked up, so paths that lead elsewhere lead nowhere.
"""

from __future__ import annotations

import posixpath
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from households.ledger.bounded import xml
from households.ledger.bounded.refusal import Refused

PIECE = 1 << 16
LARGEST_PART = 400 << 20  # 100,000 rows of 30 columns take 120 to 300 MiB
LARGEST_SMALL_PART = 48 << 20  # old workbooks carry tens of thousands of styles
LARGEST_DIRECTORY = 1 << 20
MOST_PARTS = 5_000
MOST_SHEETS = 1_000
END_OF_DIRECTORY = b"PK\x05\x06"
OTHER_PACKAGES = {
    "word/document.xml": "a_document",
    "ppt/presentation.xml": "a_presentation",
    "xl/workbook.bin": "xlsb",
    "index/document.iwa": "numbers",
    "content.xml": "ods",
}
BY_MIMETYPE = {"spreadsheet": "ods", "text": "a_document", "presentation": "a_presentation"}
MACROS = ("vbaproject", "macrosheets/", "vbaprojectsignature")
ZIP_ERRORS = (BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, RuntimeError)


@dataclass(frozen=True)
class SheetPart:
    """A worksheet as the workbook lists it."""

    name: str
    part: str
    hidden: bool


class Package:
    """An opened workbook; raises Refused for all that is none or that is not to be read."""

    def __init__(self, file: BinaryIO) -> None:
        _check_directory(file)
        try:
            self._zip = ZipFile(file)
        except (*ZIP_ERRORS, ValueError, struct.error) as error:
            raise Refused("damaged") from error
        self._infos = _by_name(self._zip.infolist())
        self._refuse_others()
        self.is_1904 = False
        self.sheets: list[SheetPart] = []
        self.styles = ""
        self.strings = ""
        self._read_workbook(self._workbook())
        if not self.sheets:
            raise Refused("no_sheets")

    @property
    def has_links(self) -> bool:
        """Whether cells were worked out from other files (external links, DDE)."""
        return any(name.startswith("xl/externallinks/") for name in self._infos)

    def chunks(self, part: str, largest: int = LARGEST_PART) -> Iterator[bytes]:
        """The part's bytes in pieces; raises Refused if it is larger or damaged."""
        info = self._infos.get(_key(part))
        if info is None:
            raise Refused("damaged")
        if info.file_size > largest:
            raise Refused("too_large", megabytes=info.file_size >> 20)
        if info.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
            raise Refused("damaged")
        try:
            with self._zip.open(info) as file:
                while piece := file.read(PIECE):
                    yield piece
        except ZIP_ERRORS as error:
            raise Refused("damaged") from error

    def elements(self, part: str) -> Iterator[tuple[str, dict[str, str]]]:
        """The elements of a small part; none if the part is missing."""
        if _key(part) in self._infos:
            yield from xml.elements(self.chunks(part, LARGEST_SMALL_PART))

    def _refuse_others(self) -> None:
        if any(info.flag_bits & 1 for info in self._infos.values()):
            raise Refused("password")
        if any(mark in name for name in self._infos for mark in MACROS):
            raise Refused("macros")
        if "mimetype" in self._infos:
            kind = b"".join(self.chunks("mimetype", 200)).decode("ascii", "replace")
            raise Refused(BY_MIMETYPE.get(kind.rpartition(".")[2], "an_archive"))
        for name, code in OTHER_PACKAGES.items():
            if name in self._infos:
                raise Refused(code)

    def _workbook(self) -> str:
        for name, attributes in self.elements("_rels/.rels"):
            kind = attributes.get("Type", "").rpartition("/")[2]
            if name == "Relationship" and kind == "officeDocument":
                return _resolve("", attributes.get("Target", ""))
        if "xl/workbook.xml" in self._infos:
            return "xl/workbook.xml"
        raise Refused("an_archive")

    def _read_workbook(self, workbook: str) -> None:
        if _key(workbook) not in self._infos:
            raise Refused("damaged")
        targets = self._targets(workbook)
        for name, attributes in self.elements(workbook):
            if name == "workbookPr":
                self.is_1904 = attributes.get("date1904") in ("1", "true", "on")
            elif name == "sheet":
                self._add_sheet(attributes, targets)
        for kind, part in targets.values():
            if kind == "styles":
                self.styles = part
            elif kind == "sharedStrings":
                self.strings = part

    def _targets(self, workbook: str) -> dict[str, tuple[str, str]]:
        """What the workbook's relations name: id to kind and part."""
        folder, file = posixpath.split(workbook)
        return {
            attributes.get("Id", ""): (
                attributes.get("Type", "").rpartition("/")[2],
                _resolve(folder, attributes.get("Target", "")),
            )
            for name, attributes in self.elements(f"{folder}/_rels/{file}.rels")
            if name == "Relationship" and attributes.get("TargetMode") != "External"
        }

    def _add_sheet(self, attributes: dict[str, str], targets: dict[str, tuple[str, str]]) -> None:
        kind, part = targets.get(attributes.get("id", ""), ("", ""))
        if kind == "worksheet":
            if any(sheet.part == part for sheet in self.sheets):
                raise Refused("damaged")
            if len(self.sheets) == MOST_SHEETS:
                raise Refused("many_parts")
            hidden = attributes.get("state", "visible") != "visible"
            self.sheets.append(SheetPart(attributes.get("name", ""), part, hidden))


def _key(name: str) -> str:
    """Parts are found whatever the case and slashes: some programs write both differently."""
    return name.replace("\\", "/").lstrip("/").lower()


def _resolve(folder: str, target: str) -> str:
    target = target.replace("\\", "/")
    return target if target.startswith("/") else posixpath.normpath(f"{folder}/{target}")


def _by_name(infos: list[ZipInfo]) -> dict[str, ZipInfo]:
    found = {_key(info.filename): info for info in infos}
    if len(found) != len(infos):  # which of the two would Excel have shown?
        raise Refused("damaged")
    return found


def _check_directory(file: BinaryIO) -> None:
    """Refuse a directory that would fill the memory, before it is read."""
    size = file.seek(0, 2)
    file.seek(max(0, size - PIECE - 22))
    tail = file.read()
    at = tail.rfind(END_OF_DIRECTORY)
    if at < 0 or len(tail) < at + 22:
        raise Refused("damaged")
    count, length = struct.unpack_from("<HI", tail, at + 10)
    is_zip64 = count == 0xFFFF or length == 0xFFFFFFFF  # counts elsewhere; memory is bounded
    if not is_zip64 and (count > MOST_PARTS or length > LARGEST_DIRECTORY):
        raise Refused("many_parts")
    file.seek(0)
