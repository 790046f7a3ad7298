"""What a file is by its first bytes, whatever it is called."""

from __future__ import annotations

import re
from typing import BinaryIO

ZIP = b"PK\x03\x04"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
BEGINNINGS = (
    (b"%PDF-", "a_pdf"),
    (b"\x89PNG", "an_image"),
    (b"\xff\xd8\xff", "an_image"),
    (b"GIF8", "an_image"),
    (b"BM", "an_image"),
    (b"II*\x00", "an_image"),
    (b"MM\x00*", "an_image"),
    (b"Rar!", "an_archive"),
    (b"7z\xbc\xaf", "an_archive"),
    (b"\x1f\x8b", "an_archive"),
    (b"PK\x05\x06", "an_archive"),
    (b"PK\x07\x08", "damaged"),
    (b"{\\rtf", "a_document"),
    (b"MZ", "a_program"),
    (b"\x7fELF", "a_program"),
    (b"SQLite format 3", "not_a_table"),
    (b"\x09\x00\x04\x00", "xls"),  # BIFF 2 to 8 without a container
    (b"\x09\x02\x06\x00", "xls"),
    (b"\x09\x04\x06\x00", "xls"),
    (b"\x09\x08\x08\x00", "xls"),
    (b"\x09\x08\x10\x00", "xls"),
)
IN_OLE = (
    ("EncryptedPackage", "password"),
    ("EncryptionInfo", "password"),
    ("WordDocument", "a_document"),
    ("PowerPoint Document", "a_presentation"),
    ("Workbook", "xls"),
    ("Book", "xls"),
)
WEB_PAGE = re.compile(rb"<(!doctype html|html|head|body|table|meta|style)\b", re.IGNORECASE)
OF_OLD_EXCEL = (b"urn:schemas-microsoft-com:office:spreadsheet", b"<Workbook")
PIECE = 1 << 20


def refusal(file: BinaryIO) -> str:
    """The code of what the file is if it can be neither a workbook nor a table in text, else ""."""
    file.seek(0)
    head = file.read(8192)
    if not head.strip(b"\0\t\r\n \xef\xbb\xbf\xff\xfe"):
        return "empty"
    if head.startswith(OLE):
        return _in_ole(file)
    if head.startswith(ZIP):
        return ""
    for beginning, code in BEGINNINGS:
        if head.startswith(beginning):
            return code
    return _marked_up(head.lstrip(b"\xef\xbb\xbf \t\r\n"))


def is_zip(file: BinaryIO) -> bool:
    file.seek(0)
    return file.read(4) == ZIP


def _marked_up(head: bytes) -> str:
    if head[:13].upper() == b"MIME-VERSION:" or WEB_PAGE.match(head):
        return "a_web_page"
    if not head.startswith(b"<"):
        return ""
    if any(mark in head for mark in OF_OLD_EXCEL):
        return "xml_2003"
    return "a_web_page" if WEB_PAGE.search(head) else "not_a_table"


def _in_ole(file: BinaryIO) -> str:
    """Old Office files and encrypted new ones share a container; names inside tell them apart."""
    file.seek(0)
    found: set[str] = set()
    tail = b""
    while piece := file.read(PIECE):
        both = tail + piece
        found |= {name for name, _code in IN_OLE if name.encode("utf-16-le") in both}
        tail = piece[-64:]
    return next((code for name, code in IN_OLE if name in found), "xls")
