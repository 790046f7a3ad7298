"""PDF papers: looked at from outside before they are kept, because they may carry programs.

No PDF is drawn or run here. Names are found in the file and in its compressed object streams, with
`#xx` in names read as PDF readers read it (ISO 32000-1, 7.3.5 and 7.5.7).
"""

from __future__ import annotations

import re
import zlib

from django.utils.translation import gettext as _

HEAD = b"%PDF-"
ACTIVE = (
    b"/JavaScript",
    b"/Launch",
    b"/EmbeddedFile",
    b"/EmbeddedFiles",
    b"/RichMedia",
    b"/XFA",
    b"/SubmitForm",
    b"/ImportData",
)
NAME_END = rb"(?![A-Za-z0-9_.+\-#])"
# A page to open at is a plain array; anything else may be an action.
OPEN_ACTION = re.compile(rb"/OpenAction" + NAME_END + rb"(?!\s*\[)")
ESCAPED = re.compile(rb"#([0-9A-Fa-f]{2})")
STREAM = re.compile(rb"(?<!end)stream\r?\n")
LONGEST_HEAD = 2000  # bytes of a stream's dictionary
PAGE = re.compile(rb"/Type\s*/Page" + NAME_END)
LARGEST_UNPACKED = 64 * 2**20  # bytes of all object streams together
MOST_PAGES = 500


class PdfRefused(Exception):
    """The PDF is not taken; `sentence` says why and what to do."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def pages(data: bytes) -> int:
    """How many pages a harmless PDF has. Raises PdfRefused for any other."""
    if not data.startswith(HEAD) or b"%%EOF" not in data[-2048:]:
        raise PdfRefused(_("PDF 不完整：请重新导出或重新扫描"))
    text = _names(data) + b"\n" + _names(_unpacked(data))
    if re.search(rb"/Encrypt" + NAME_END, text):
        raise PdfRefused(_("PDF 有密码：请去掉密码后再传"))
    if OPEN_ACTION.search(text) or any(re.search(name + NAME_END, text) for name in ACTIVE):
        raise PdfRefused(_("PDF 里带有程序或附件，不收：请打印成普通 PDF 或扫描后再传"))
    count = len(PAGE.findall(text))
    if not count:
        raise PdfRefused(_("PDF 里没有页面：请重新导出或重新扫描"))
    if count > MOST_PAGES:
        raise PdfRefused(_("PDF 有 %(n)d 页，最多 %(most)d 页") % {"n": count, "most": MOST_PAGES})
    return count


def _names(data: bytes) -> bytes:
    """The file with escaped letters of names written plainly."""
    return ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), data)


def _unpacked(data: bytes) -> bytes:
    """What stands in compressed object streams; one that does not open is refused."""
    found, room = [], LARGEST_UNPACKED
    for match in STREAM.finditer(data):
        head = _names(data[max(0, match.start() - LONGEST_HEAD) : match.start()])
        head = head[head.rfind(b" obj") :]
        if b"/ObjStm" not in head:
            continue
        found.append(_inflated(head, data[match.end() :], room))
        room -= len(found[-1])
    return b"\n".join(found)


def _inflated(head: bytes, body: bytes, room: int) -> bytes:
    engine = zlib.decompressobj()
    try:
        part = engine.decompress(body, max(room, 1))
    except zlib.error:
        part = b""
    if not part or b"/Predictor" in head:
        raise PdfRefused(_("PDF 打不开：请重新导出或重新扫描"))
    if engine.unconsumed_tail:
        raise PdfRefused(_("PDF 展开后过大，不收：请重新导出或重新扫描"))
    return part
