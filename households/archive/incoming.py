"""Files that people send, known by their content: a photo drawn anew, or a PDF without programs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import IO

from django.utils.translation import gettext as _

from households.archive import pdf_files, photos

LARGEST = 20 * 2**20  # bytes of one file
PDF, JPEG = "application/pdf", "image/jpeg"
SUFFIXES = {PDF: "pdf", JPEG: "jpg"}
HEIC_BRANDS = (b"heic", b"heix", b"mif1", b"msf1", b"heim", b"heis", b"hevc")


class FileRefused(Exception):
    """The file is not taken; `sentence` says why and what to do."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class Incoming:
    """A file as it is kept. `position` is (latitude, longitude) where the camera told it."""

    data: bytes
    content_type: str
    pages: int = 1
    thumbnail: bytes = b""
    taken_at: datetime | None = None
    position: tuple[float, float] | None = None


def whole(file: IO[bytes]) -> bytes:
    """The bytes of a file that is not too large. Raises FileRefused."""
    data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise FileRefused(_("文件超过 %(mb)d MB：请压缩或分开再传") % {"mb": LARGEST >> 20})
    if not data:
        raise FileRefused(_("文件是空的：请重新选择"))
    return data


def taken(data: bytes, words: Callable[[datetime | None], Sequence[str]] | None = None) -> Incoming:
    """What is kept of `data`; `words` gives the lines to write on a photo taken at that time.

    Raises FileRefused.
    """
    if data.startswith(pdf_files.HEAD):
        return _pdf(data)
    if data[4:8] == b"ftyp" and data[8:12] in HEIC_BRANDS:
        raise FileRefused(_("照片是 HEIC 格式：请在手机相机设置里选“兼容性最佳”，或直接用本页拍照"))
    if not _looks_like_a_photo(data):
        raise FileRefused(_("只收照片（JPG、PNG、WebP）和 PDF"))
    try:
        photo = photos.read(data)
        jpeg = photo.jpeg(words(photo.taken_at) if words else ())
    except photos.PhotoRefused as reason:
        raise FileRefused(reason.sentence) from None
    return Incoming(jpeg, JPEG, 1, photo.thumbnail(), photo.taken_at, photo.position)


def _pdf(data: bytes) -> Incoming:
    try:
        return Incoming(data, PDF, pdf_files.pages(data))
    except pdf_files.PdfRefused as reason:
        raise FileRefused(reason.sentence) from None


def _looks_like_a_photo(data: bytes) -> bool:
    is_webp = data[:4] == b"RIFF" and data[8:12] == b"WEBP"
    return is_webp or data.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"))
