"""Files with personal data: sealed on disk, under random names, for as long as they are needed.

A file is a head (magic, number of the key, salt) and chunks of 256 KiB plain text, each sealed by
AES-256-GCM with the file's own key (derived from the key by the salt). The nonce of a chunk is its
place and whether it is the last, its additional data the file's name: no chunk can be changed,
moved, left out or taken from another file, nor the end cut off, without that it shows.

Nothing lies in memory as a whole: a workbook of 50 MB passes through in chunks.
"""

from __future__ import annotations

import errno
import io
import os
import re
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import IO, Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from households import keys, sealing
from households.models import FilePurpose, StoredFile

MAGIC = b"QNV1"
SALT = 16
HEAD = len(MAGIC) + 4 + SALT  # bytes
CHUNK = 256 * 1024
TAG = 16
NAME = re.compile(r"[0-9a-f]{32}")
LARGEST = {  # bytes of the plain content
    FilePurpose.UPLOAD: 64 * 2**20,
    FilePurpose.ANNOTATED: 256 * 2**20,
    FilePurpose.DOCUMENT: 64 * 2**20,
}
ROOM_TO_LEAVE = 256 * 2**20  # bytes free on the disk: the database needs them more
ABANDONED_AFTER = 24 * 3600.0  # seconds: no transaction lasts as long
PLAIN_FOR_AT_MOST = 2 * 3600.0  # seconds: longer than the longest task


class VaultRefused(Exception):
    """The file is not taken; `sentence` says why and what to do."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class VaultBroken(Exception):
    """A file of the vault does not open: changed, cut off, or its key is missing."""


def put(data: bytes | IO[bytes], *, purpose: FilePurpose | str) -> str:
    """Keep `data` (a file is read from where it stands) and answer the name to `open` it by.

    On disk to stay when this returns; part of the caller's transaction: rolled back, it is removed
    by the next sweeping. Raises VaultRefused where it is too large or the disk too full.
    """
    purpose, name = FilePurpose(purpose), secrets.token_hex(16)
    source = io.BytesIO(data) if isinstance(data, bytes) else data
    path = _path(name)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    _see_that_there_is_room()
    part = path.with_suffix(".part")
    try:
        size = _write(part, name, source, LARGEST[purpose])
        os.replace(part, path)
        _sync_directory(path.parent)
    except OSError as reason:
        if reason.errno in (errno.ENOSPC, errno.EDQUOT):
            raise VaultRefused(_no_room()) from None
        raise
    finally:
        part.unlink(missing_ok=True)
    StoredFile.of(name, purpose, size).save()
    return name


def open(name: str) -> io.BufferedReader:
    """The content, to read and to seek in. Raises FileNotFoundError; VaultBroken, also later."""
    return io.BufferedReader(_Opened(_path(name), name), CHUNK)


def size(name: str) -> int:
    """Bytes of the content."""
    return _plain_size(_path(name).stat().st_size)


def remove(name: str) -> None:
    """Let a file go; it is gone for good when the caller's transaction is committed."""
    path = _path(name)
    StoredFile.objects.filter(name=name).delete()
    transaction.on_commit(partial(path.unlink, missing_ok=True))


@contextmanager
def plain(name: str) -> Iterator[Path]:
    """A plain copy that only this account of the machine can read, as long as the block lasts."""
    folder = _root() / "plain"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, copy = tempfile.mkstemp(dir=folder)  # 0600
    try:
        with os.fdopen(handle, "wb") as target, open(name) as source:
            shutil.copyfileobj(source, target, CHUNK)
        yield Path(copy)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(copy)


def sweep() -> int:
    """Remove what has had its time, and what killed processes left behind; how many files."""
    expired = list(StoredFile.objects.expired().values_list("name", flat=True))
    for name in expired:
        remove(name)
    left = [*_older(_root().glob("plain/*"), PLAIN_FOR_AT_MOST), *_abandoned()]
    for path in left:
        path.unlink(missing_ok=True)
    return len(expired) + len(left)


def _abandoned() -> list[Path]:
    """Files whose row was rolled back, and halves of files."""
    old = _older(_root().glob("[0-9a-f][0-9a-f]/*"), ABANDONED_AFTER)
    names = {path.name for path in old}
    known = StoredFile.objects.filter(name__in=names).values_list("name", flat=True)
    known_names = set(known)
    return [path for path in old if path.name not in known_names]


def _older(paths: Iterator[Path], seconds: float) -> list[Path]:
    before, found = time.time() - seconds, []
    for path in paths:
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < before:
                found.append(path)
    return found


def _root() -> Path:
    return Path(settings.MEDIA_ROOT)


def _path(name: str) -> Path:
    if not NAME.fullmatch(name):
        raise FileNotFoundError(name)
    return _root() / name[:2] / name


def _see_that_there_is_room() -> None:
    if shutil.disk_usage(_root()).free < ROOM_TO_LEAVE:
        raise VaultRefused(_no_room())


def _no_room() -> str:
    return _("平台的磁盘快满了，暂时不能存放文件。请联系系统管理员清理后再试。")


def _sync_directory(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


# -- chunks --------------------------------------------------------------------------------


def _write(path: Path, name: str, source: IO[bytes], largest: int) -> int:
    """Seal all of `source` into a new file and bring it to the disk; bytes of plain content."""
    salt, key = os.urandom(SALT), sealing.newest()
    cipher = AESGCM(keys.derived(key.files, b"file", salt))
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    size = 0
    with os.fdopen(handle, "wb") as target:
        target.write(MAGIC + key.number.to_bytes(4, "big") + salt)
        for place, (chunk, last) in enumerate(_chunks(source)):
            size += len(chunk)
            if size > largest:
                limit = largest // 2**20
                raise VaultRefused(_("文件超过 %(limit)d MB，请拆分后再上传。") % {"limit": limit})
            target.write(cipher.encrypt(_nonce(place, last), chunk, name.encode()))
        target.flush()
        os.fsync(target.fileno())
    return size


def _chunks(source: IO[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Full chunks and the rest, each with whether it is the last; an empty file has one."""
    chunk = _full(source)
    while True:
        following = _full(source)
        yield chunk, not following
        if not following:
            return
        chunk = following


def _full(source: IO[bytes]) -> bytes:
    """A whole chunk, however small the pieces that `source` gives; less only at its end."""
    pieces, wanted = [], CHUNK
    while wanted and (piece := source.read(wanted)):
        pieces.append(piece)
        wanted -= len(piece)
    return b"".join(pieces)


def _nonce(place: int, last: bool) -> bytes:
    return place.to_bytes(11, "big") + bytes([last])


def _plain_size(sealed: int) -> int:
    body = sealed - HEAD
    count = -(-body // (CHUNK + TAG))
    if count < 1 or body < count * TAG:
        raise VaultBroken("the file is cut off")
    return body - count * TAG


class _Opened(io.RawIOBase):
    """The plain content of a sealed file, opened chunk by chunk as it is read."""

    def __init__(self, path: Path, name: str) -> None:
        self._file = path.open("rb")
        self._name = name.encode()
        try:
            self._size = _plain_size(path.stat().st_size)
            self._cipher = _cipher_of(self._file.read(HEAD))
        except BaseException:
            self._file.close()
            raise
        self._at = 0
        self._held: tuple[int, bytes] = (-1, b"")

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: Any, /) -> int:
        place, start = divmod(self._at, CHUNK)
        if self._at >= self._size and self._size:
            return 0
        piece = self._chunk(place)[start : start + len(buffer)]
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)

    def _chunk(self, place: int) -> bytes:
        if self._held[0] != place:
            last = (place + 1) * CHUNK >= self._size
            self._file.seek(HEAD + place * (CHUNK + TAG))
            sealed = self._file.read(CHUNK + TAG)
            try:
                opened = self._cipher.decrypt(_nonce(place, last), sealed, self._name)
            except InvalidTag:
                raise VaultBroken(f"chunk {place} does not open") from None
            self._held = (place, opened)
        return self._held[1]

    def close(self) -> None:
        self._file.close()
        super().close()


def _cipher_of(head: bytes) -> AESGCM:
    if head[: len(MAGIC)] != MAGIC:
        raise VaultBroken("this is no file of the vault")
    number = int.from_bytes(head[len(MAGIC) : len(MAGIC) + 4], "big")
    key = sealing.all_keys().get(number)
    if key is None:
        raise VaultBroken(f"there is no key {number}")
    return AESGCM(keys.derived(key.files, b"file", head[-SALT:]))
