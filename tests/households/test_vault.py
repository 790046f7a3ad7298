"""Files of the vault: sealed, whole or not at all, and gone when their time is over."""

from __future__ import annotations

import io
import os
import stat
import tracemalloc
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import DjangoCaptureOnCommitCallbacks
from pytest_django.fixtures import Settings

from households import clock, keys, vault
from households.models import FilePurpose, StoredFile
from households.tasks import sweep_files
from households.vault import CHUNK, VaultBroken, VaultRefused

pytestmark = pytest.mark.django_db
SIZES = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 77]


@pytest.fixture(autouse=True)
def root(settings: Settings, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def lies(root: Path, name: str) -> Path:
    return root / name[:2] / name


def files(root: Path) -> set[str]:
    return {path.name for path in root.rglob("*") if path.is_file()}


@pytest.mark.parametrize("size", SIZES)
def test_a_file_comes_back_as_it_was(size: int) -> None:
    data = os.urandom(size)
    name = vault.put(data, purpose="document")
    assert vault.open(name).read() == data
    assert vault.size(name) == size == StoredFile.objects.get(name=name).size


def test_it_lies_sealed_under_a_name_that_says_nothing(root: Path) -> None:
    name = vault.put("住户姓名,联系电话".encode() * 9, purpose="upload")
    held = lies(root, name).read_bytes()
    assert "住户".encode() not in held
    assert stat.S_IMODE(lies(root, name).stat().st_mode) == 0o600
    assert len(name) == 32


def test_the_same_content_never_lies_there_alike(root: Path) -> None:
    one, other = (lies(root, vault.put(b"x" * 99, purpose="upload")).read_bytes() for _ in "ab")
    assert one[-50:] != other[-50:]


def test_one_reads_from_any_place(root: Path) -> None:
    data = os.urandom(3 * CHUNK)
    file = vault.open(vault.put(data, purpose="document"))
    for place in (2 * CHUNK - 5, 17, CHUNK):
        file.seek(place)
        assert file.read(10) == data[place : place + 10]
    assert file.seek(-3, os.SEEK_END) == len(data) - 3
    assert file.read() == data[-3:]


def test_a_file_that_gives_small_pieces_is_taken_whole() -> None:
    class Slow(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            return super().read(min(size or 0, 1000))

    data = os.urandom(CHUNK + 9)
    assert vault.open(vault.put(Slow(data), purpose="upload")).read() == data


def test_a_large_file_never_lies_in_memory() -> None:
    class Endless(io.RawIOBase):
        left = 50 * 2**20

        def read(self, size: int = -1) -> bytes:
            piece = min(size, self.left)
            self.left -= piece
            return bytes(piece)

    tracemalloc.start()
    with vault.plain(vault.put(Endless(), purpose="upload")) as copy:  # type: ignore[arg-type]
        assert copy.stat().st_size == 50 * 2**20
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * 2**20


@given(place=st.integers(0, 2 * (CHUNK + 16) + vault.HEAD + 20), bit=st.integers(0, 7))
def test_no_single_bit_can_be_changed(
    tmp_path_factory: pytest.TempPathFactory, place: int, bit: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "tampered"
    if not (original := path.with_suffix(".original")).exists():
        with original.with_suffix(".plain").open("w+b") as source:
            source.write(bytes(2 * CHUNK + 5))
            source.seek(0)
            vault._write(original, "name", source, 2**30)
    held = bytearray(original.read_bytes())
    held[place] ^= 1 << bit
    path.write_bytes(held)
    with pytest.raises(VaultBroken):
        io.BufferedReader(vault._Opened(path, "name")).read()


@pytest.mark.parametrize("left", [0, 10, vault.HEAD, CHUNK + 16 + vault.HEAD, 2 * CHUNK])
def test_a_file_that_was_cut_off_does_not_open(root: Path, left: int) -> None:
    name = vault.put(bytes(2 * CHUNK + 5), purpose="document")
    os.truncate(lies(root, name), left)
    with pytest.raises(VaultBroken):
        vault.open(name).read()


def test_chunks_cannot_change_places(root: Path) -> None:
    name = vault.put(bytes(3 * CHUNK), purpose="document")
    path, step = lies(root, name), CHUNK + 16
    held = path.read_bytes()
    head, one, two, rest = (
        held[: vault.HEAD],
        held[vault.HEAD : vault.HEAD + step],
        held[vault.HEAD + step : vault.HEAD + 2 * step],
        held[vault.HEAD + 2 * step :],
    )
    path.write_bytes(head + two + one + rest)
    with pytest.raises(VaultBroken):
        vault.open(name).read()


def test_a_file_under_anothers_name_does_not_open(root: Path) -> None:
    mine, other = vault.put(b"mine", purpose="document"), vault.put(b"other", purpose="document")
    lies(root, mine).write_bytes(lies(root, other).read_bytes())
    with pytest.raises(VaultBroken):
        vault.open(mine).read()


def test_an_older_key_still_opens_its_files(settings: Settings) -> None:
    name = vault.put(b"old", purpose="document")
    first, settings.PERSONAL_KEYS = settings.PERSONAL_KEYS, keys.draw(2)
    with pytest.raises(VaultBroken, match="there is no key 1"):
        vault.open(name)
    settings.PERSONAL_KEYS += f",{first}"
    assert vault.open(name).read() == b"old"


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "0" * 31 + "/", "0" * 32])
def test_a_name_that_was_never_given_is_no_file(name: str) -> None:
    with pytest.raises(FileNotFoundError):
        vault.open(name)


def test_what_is_too_large_is_refused_and_leaves_nothing(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(vault.LARGEST, FilePurpose.UPLOAD, 2**20)
    with pytest.raises(VaultRefused, match="1 MB"):
        vault.put(bytes(2**20 + 1), purpose="upload")
    assert not files(root) and not StoredFile.objects.exists()


def test_a_full_disk_is_told_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vault, "ROOM_TO_LEAVE", 2**62)
    with pytest.raises(VaultRefused, match="磁盘"):
        vault.put(b"x", purpose="upload")


def test_a_source_that_breaks_off_leaves_nothing(root: Path) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise ConnectionError

    with pytest.raises(ConnectionError):
        vault.put(Broken(), purpose="upload")
    assert not files(root)


def test_the_plain_copy_is_for_us_alone_and_only_for_the_block(root: Path) -> None:
    name = vault.put(b"plain", purpose="upload")
    with vault.plain(name) as copy:
        assert copy.read_bytes() == b"plain"
        assert stat.S_IMODE(copy.stat().st_mode) == 0o600
        assert stat.S_IMODE(copy.parent.stat().st_mode) == 0o700
    assert files(root) == {name}


def test_a_removed_file_is_gone_once_the_transaction_holds(
    root: Path, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    name = vault.put(b"x", purpose="document")
    with django_capture_on_commit_callbacks(execute=True):
        vault.remove(name)
        assert name in files(root)
    assert not files(root)


def test_uploads_and_annotated_workbooks_are_gone_after_a_day(
    root: Path, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    kept = vault.put(b"kept", purpose="document")
    for purpose in ("upload", "annotated"):
        vault.put(b"short", purpose=purpose)
    for hours, left in ((23, 3), (25, 1)):
        with (
            clock.at(clock.now() + timedelta(hours=hours)),
            django_capture_on_commit_callbacks(execute=True),
        ):
            sweep_files()
        assert len(files(root)) == left
    assert files(root) == {kept}


def test_what_was_rolled_back_or_killed_is_swept_away(root: Path) -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        lost = vault.put(b"lost", purpose="document")
        raise RuntimeError
    kept = vault.put(b"kept", purpose="document")
    half = lies(root, kept).with_suffix(".part")
    half.write_bytes(b"half")
    (root / "plain").mkdir()
    (root / "plain" / "left").write_bytes(b"plain")
    assert vault.sweep() == 0  # perhaps somebody is at work on them
    for path in (lies(root, lost), lies(root, kept), half, root / "plain" / "left"):
        os.utime(path, (0, 0))
    assert vault.sweep() == 3
    assert files(root) == {kept}
